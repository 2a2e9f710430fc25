"""What the checks of the doctor look at."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail

from bumper_tw.app.addresses import BRIDGES, InterfaceAddress, announceable, plain
from bumper_tw.app.doctor.snapshot import ContactSeen, ListenerSeen, RobotSeen, Snapshot
from bumper_tw.app.ports import Ports, host_of, port_of
from bumper_tw.app.settings import Settings
from bumper_tw.dns.wires import NoAnswer

#: Where names are asked for: an address and a port.  C{None} is the system's way.
Server = tuple[str, int]

#: Resolves a name: its kind, C{A} or C{AAAA}, who is asked, and the seconds he may take.
Lookup = Callable[[str, str, Server | None, float], "Deferred[tuple[str, ...]]"]

#: Seconds for which a failed contact is of interest.
A_DAY = 86_400.0

#: The ports of vendor's names: without them robots, apps and clients do not get anywhere.
BY_NAME = (443, 8883)

#: Where Docker has the networks of containers.
DOCKER = IPv4Network("172.16.0.0/12")

#: Where containers say that they are some.
IN_CONTAINER = ("/.dockerenv", "/run/.containerenv")


def nobody_asked(name: str, *_: object) -> Deferred[tuple[str, ...]]:
    """No way to resolve names."""
    return fail(NoAnswer(f"nobody can be asked for {name}"))


@frozen
class Evidence:
    """
    Everything that is known when the checks are made.

    @ivar now: seconds since 1970.
    @ivar own: the addresses of this box.
    @ivar source: the one from which it talks to the rest of the world.
    @ivar hosts: the names that robots, apps and clients ask for.
    @ivar servers: who is asked for them; the system's way if empty.
    @ivar snapshot: what the running server knows; C{None} without one.
    @ivar uid: the user who asks.
    @ivar networks: those that this box is in.
    @ivar contained: whether this is a container, whose host has another address.
    """

    settings: Settings
    now: float
    own: tuple[InterfaceAddress, ...] = ()
    source: str | None = None
    ports: Ports = field(factory=lambda: Ports(Path("/proc"), 0))
    lookup: Lookup = nobody_asked
    hosts: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()
    snapshot: Snapshot | None = None
    uid: int = 0
    networks: tuple[IPv4Network, ...] = ()
    contained: bool = False

    @property
    def listeners(self) -> tuple[ListenerSeen, ...]:
        """Where connections are accepted: by the server that runs, or as it would."""
        if self.snapshot is not None:
            return self.snapshot.listeners
        return tuple(
            ListenerSeen(
                each.serve, each.at, each.tls, port_of(each.at) or 0, optional=each.optional
            )
            for each in self.settings.listen
        )

    @property
    def announce(self) -> str:
        """What the owner has robots told; empty when he leaves it open."""
        return self.snapshot.announce if self.snapshot else self.settings.server.announce

    @property
    def certs(self) -> Path:
        """The folder of the certificates."""
        place = self.snapshot.certs if self.snapshot else ""
        return Path(place) if place else self.settings.tls.directory

    @property
    def data(self) -> Path:
        """The folder of the database."""
        place = self.snapshot.data if self.snapshot else ""
        return Path(place) if place else self.settings.storage.directory

    @property
    def robots(self) -> tuple[RobotSeen, ...]:
        """Those that the server knows."""
        return self.snapshot.robots if self.snapshot else ()

    @property
    def contacts(self) -> tuple[ContactSeen, ...]:
        """Of the last day, the oldest first."""
        found = self.snapshot.contacts if self.snapshot else ()
        return tuple(each for each in found if each.began > self.now - A_DAY)

    @property
    def reachable(self) -> tuple[str, ...]:
        """
        The addresses of this box that others reach: where everything listens that they look for
        comes first, then the one of the default route.
        """
        first = [self.source] if self.source else []
        rest = (each.address for each in self.own if not BRIDGES.fullmatch(each.interface))
        fit = (plain(address) for address in (*first, *rest))
        found = dict.fromkeys(address for address in fit if announceable(address))
        return tuple(sorted(found, key=lambda address: bool(self.lacking(address))))

    def lacking(self, address: str) -> tuple[int, ...]:
        """
        The ports that those who go by a name would look for at an address of this box in vain:
        we have them, but at other addresses only.
        """
        doors = [
            each for each in self.listeners if each.bound and each.tls and not is_inward(each)
        ]
        return tuple(
            port
            for port in BY_NAME
            if (ours := [each for each in doors if each.port == port])
            and not any(is_at(each, address) for each in ours)
        )

    @property
    def inside(self) -> str:
        """
        The address that nobody outside this container reaches: C{""} if this is none, or has the
        network of its host, where bridges show.
        """
        bridges = any(BRIDGES.fullmatch(each.interface) for each in self.own)
        if not self.contained or bridges or not self.source:
            return ""
        return self.source if IPv4Address(self.source) in DOCKER else ""

    @property
    def address(self) -> str:
        """What robots are told most likely; empty when there is nothing to tell."""
        return self.announce or next(iter(self.reachable), "")

    @property
    def simulated(self) -> bool:
        """Whether all of it happens on this box: robots are told a loopback address."""
        return is_loopback(self.announce)


def is_loopback(address: str | None) -> bool:
    """Whether only programs on this box reach an address."""
    try:
        return ip_address(plain(address or "")).is_loopback
    except ValueError:
        return address == "localhost"


def is_inward(listener: ListenerSeen) -> bool:
    """Whether only programs on this box reach a listener."""
    return is_loopback(host_of(listener.at))


def speaks(listener: ListenerSeen, serve: str) -> bool:
    """Whether a listener takes a protocol."""
    return listener.serve in {serve, "all"}


def is_at(listener: ListenerSeen, address: str) -> bool:
    """Whether a listener is there for those who come to an address of this box."""
    host = host_of(listener.at)
    return not host or plain(host) == plain(address)
