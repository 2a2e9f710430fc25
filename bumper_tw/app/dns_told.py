"""Which addresses are told to whoever asks for a name of the vendor."""

from collections.abc import Callable, Sequence

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.addresses import BRIDGES, FRESH, InterfaceAddress, announceable, plain
from bumper_tw.app.ports import host_of, port_of
from bumper_tw.app.settings import Listen, Settings


def listens_on_six(listen: Sequence[Listen]) -> bool:
    """
    Whether everything that can be reached over IPv4 from elsewhere can be over IPv6 as well.

    Only then may a name have an IPv6 address: whoever finds one tries it first.  C{tcp:443}
    listens on IPv4 alone; of sockets that come from systemd nothing is known, and they usually
    take both.
    """
    needed = [each.at for each in listen if not each.optional and not _only_here(each.at)]
    six = {port_of(at) for at in needed if _is_six(at)}
    four = {port_of(at) for at in needed if not _is_six(at)}
    return four <= six


def _is_six(at: str) -> bool:
    # The colons of an address are escaped in an endpoint, and no others are.
    return at.startswith("tcp6:") or r"\:" in at


def _only_here(at: str) -> bool:
    host = host_of(at)
    return host is None or host == "::1" or host.startswith("127.")


@frozen
class _Reading:
    """What the addresses of this box were at one moment."""

    taken: float
    own: tuple[InterfaceAddress, ...]
    source: str


@define
class Told:
    """
    Chooses the addresses that are told to whoever asks for a name of the vendor.

    @ivar own: the addresses of this box.
    @ivar source: where its default route leaves.
    """

    settings: Settings
    own: Callable[[], Sequence[InterfaceAddress]]
    source: Callable[[], str | None]
    clock: IReactorTime
    _last: _Reading | None = field(default=None, init=False)

    def __call__(self, local: str) -> tuple[str, ...]:
        """
        The addresses, IPv4 and IPv6.

        @param local: at which address of ours the question came in.
        """
        if self.settings.dns.answer:
            return self.settings.dns.answer
        if self.settings.server.announce:
            return (self.settings.server.announce,)
        reading = self._reading()
        here = self._reachable(plain(local), reading)
        four = here if ":" not in here else self._beside(here, reading, "") or reading.source
        six = here if ":" in here else self._beside(here, reading, ":")
        if not listens_on_six(self.settings.listen):
            six = ""
        return tuple(address for address in (four, six) if address)

    def _reachable(self, local: str, reading: _Reading) -> str:
        """Who asks from this very box is told what others are told, if there is anything."""
        if announceable(local):
            return local
        others = (a.address for a in reading.own if not BRIDGES.fullmatch(a.interface))
        found = (reading.source, *others)
        alone = "127.0.0.1" if local == "::1" else local
        return next((address for address in found if announceable(address)), alone)

    def _beside(self, address: str, reading: _Reading, sort: str) -> str:
        """An address of the other sort on the same interface, C{""} if there is none."""
        names = {a.interface for a in reading.own if a.address == address} - {""}
        beside = (a.address for a in reading.own if a.interface in names)
        fit = (a for a in beside if (":" in a) == bool(sort) and announceable(a))
        return next(fit, "")

    def _reading(self) -> _Reading:
        now = self.clock.seconds()
        if self._last is None or not 0 <= now - self._last.taken < FRESH:
            own = tuple(InterfaceAddress(a.interface, plain(a.address)) for a in self.own())
            self._last = _Reading(now, own, plain(self.source() or ""))
        return self._last
