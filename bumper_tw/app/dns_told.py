"""Which addresses are told to whoever asks for a name of the vendor."""

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from bumper_tw.app.addresses import InterfaceAddress, Lately, Reading, announceable, plain
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


class Told:
    """Chooses the addresses that are told to whoever asks for a name of the vendor."""

    def __init__(
        self,
        settings: Settings,
        own: Callable[[], Sequence[InterfaceAddress]],
        source: Callable[[], str | None],
        clock: IReactorTime,
    ) -> None:
        """
        @param own: the addresses of this box.
        @param source: where its default route leaves.
        """
        self._lately = Lately(own, source, clock)
        self._six = listens_on_six(settings.listen)
        announced = settings.server.announce
        self._chosen = settings.dns.answer or ((announced,) if announced else ())

    def __call__(self, local: str) -> tuple[str, ...]:
        """
        The addresses, IPv4 and IPv6.

        @param local: at which address of ours the question came in.
        """
        return self._chosen or self._of(plain(local), self._lately.read())

    def _of(self, local: str, reading: Reading) -> tuple[str, ...]:
        # Where there is nothing that others reach, this box may still want to reach itself.
        alone = "127.0.0.1" if local == "::1" else local
        here = reading.reachable(local) or alone
        # The best one is of IPv4, if any is.
        found = (here, beside(here, reading), reading.best or "")
        four = next((each for each in found if each and ":" not in each), "")
        six = next((each for each in found[:2] if ":" in each), "") if self._six else ""
        return tuple(address for address in (four, six) if address)


def beside(address: str, reading: Reading) -> str:
    """An address of the other sort on the same interface, C{""} if there is none."""
    names = {a.interface for a in reading.own if a.address == address} - {""}
    found = (a.address for a in reading.own if a.interface in names)
    return next((a for a in found if (":" in a) != (":" in address) and announceable(a)), "")
