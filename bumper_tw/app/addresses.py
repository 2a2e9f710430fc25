"""
Which addresses this box has, and which of them may be told to robots and apps.

A robot that asks where its server is must hear an address it can reach: the one its own
connection arrived on, unless only this box can reach that one.
"""

import re
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from pathlib import Path

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

#: Seconds for which what was read from the kernel is believed: long enough that a crowd of
#: robots costs one reading, short enough that a new DHCP lease is soon noticed.
FRESH = 10.0

#: Interfaces behind which only containers and virtual machines live.
BRIDGES = re.compile(
    r"docker[0-9]+|docker_gwbridge|br-[0-9a-f]{12}|cni[0-9]+|(?:podman|virbr|lxcbr|veth).*"
)

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

#: RFC 5737: an address nobody has; a route to it is the default route.
ELSEWHERE = ("192.0.2.1", 9)


@frozen
class InterfaceAddress:
    """
    An address of this box.

    @ivar interface: the kernel's name of the interface, C{""} when it is not known.
    @ivar address: in its canonical spelling, without a scope.
    """

    interface: str
    address: str


def plain(host: str) -> str:
    """
    One spelling per address: no C{::ffff:} in front of an IPv4 address, no scope behind an
    IPv6 one.  What is no address at all comes back as it was.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def announceable(local: str) -> bool:
    """Can a host elsewhere on the network use this address of ours?"""
    try:
        address = ip_address(plain(local))
    except ValueError:
        return False
    useless = address.is_loopback or address.is_unspecified or address.is_link_local
    return not useless and not address.is_multicast and str(address) != "255.255.255.255"


def is_target(text: str) -> bool:
    """
    Is this one IP address somebody can connect to?  Loopback counts: where the owner says so,
    the robots are simulated ones on this box.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return "%" not in text and not address.is_unspecified and not address.is_multicast


def is_host_name(text: str) -> bool:
    """Is this a lower-case DNS name, possibly C{*.} and a name, and not an address?"""
    labels = text.removeprefix("*.").split(".")
    spelled = len(text) <= 253 and all(LABEL.fullmatch(label) for label in labels)
    return spelled and not labels[-1].isdecimal()


def host_names(hostname: Callable[[], str] = socket.gethostname) -> tuple[str, ...]:
    """
    The names under which the LAN may know this box, for its certificate: its host name, and
    the name multicast DNS gives it.  No resolver is asked, so this never waits.
    """
    name = hostname().lower().rstrip(".")
    local = f"{name.partition('.')[0]}.local"
    return tuple(dict.fromkeys(n for n in (name, local) if is_host_name(n)))


def default_source() -> str | None:
    """
    The address from which this box talks to the rest of the world, C{None} without a default
    route.  Connecting a UDP socket asks the kernel for a route and sends nothing.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def own_addresses(proc: Path = Path("/proc")) -> tuple[InterfaceAddress, ...]:
    """
    Every address of this box, IPv4 first, loopback included.

    Read from C{/proc/net}, which a sandbox without netlink sockets leaves readable; files that
    are missing or unreadable count as empty.
    """
    net = proc / "net"
    routes = list(_routes(_lines(net / "route")))
    four = (InterfaceAddress(_interface(a, routes), str(a)) for a in _local(net / "fib_trie"))
    return tuple(dict.fromkeys((*four, *_inet6(_lines(net / "if_inet6")))))


def networks(proc: Path = Path("/proc")) -> tuple[IPv4Network, ...]:
    """Those that a cable or a radio of this box leads to; none when the kernel does not say."""
    return tuple(network for network, _ in _routes(_lines(proc / "net" / "route")))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []


def _local(path: Path) -> Iterator[IPv4Address]:
    """The leaves of C{fib_trie} that are C{host LOCAL}: an address, then its kinds below."""
    leaf = ""
    for line in _lines(path):
        match line.split():
            case ["|--", address]:
                leaf = address
            case ["/32", "host", "LOCAL"]:
                yield IPv4Address(leaf)


def _native(word: str) -> IPv4Address:
    """An IPv4 address as the kernel prints it there: a machine word, byte order included."""
    return IPv4Address(struct.pack("=I", int(word, 16)))


def _routes(lines: list[str]) -> Iterator[tuple[IPv4Network, str]]:
    """The networks in C{route} that a cable or bridge leads to, with its interface."""
    for line in lines[1:]:
        match line.split():
            case [name, network, "00000000", _, _, _, _, mask, *_] if mask != "00000000":
                yield IPv4Network(f"{_native(network)}/{_native(mask)}", strict=False), name


def _interface(address: IPv4Address, routes: list[tuple[IPv4Network, str]]) -> str:
    """C{fib_trie} does not name interfaces; the narrowest network around an address does."""
    if address.is_loopback:
        return "lo"
    around = [(net.prefixlen, name) for net, name in routes if address in net]
    return max(around)[1] if around else ""


def _inet6(lines: list[str]) -> Iterator[InterfaceAddress]:
    for line in lines:
        match line.split():
            case [digits, _, _, _, _, name]:
                yield InterfaceAddress(name, str(IPv6Address(bytes.fromhex(digits))))


@frozen
class Reading:
    """
    The addresses of this box at one moment.

    @ivar own: all of them, in one spelling.
    @ivar bridged: those on bridges, which nobody outside this box reaches.
    @ivar best: the one that others reach most likely, C{None} if there is none.
    """

    own: tuple[InterfaceAddress, ...]
    bridged: frozenset[str]
    best: str | None

    @classmethod
    def of(cls, own: Iterable[InterfaceAddress], source: str | None) -> "Reading":
        """
        What the kernel says.

        @param source: where the default route leaves.
        """
        plainly = tuple(InterfaceAddress(a.interface, plain(a.address)) for a in own)
        bridged = frozenset(a.address for a in plainly if BRIDGES.fullmatch(a.interface))
        # Robots speak IPv4; "sorted" is stable and leaves the kernel's order otherwise.
        rest = sorted((a.address for a in plainly), key=lambda address: ":" in address)
        fit = (a for a in (plain(source or ""), *rest) if announceable(a) and a not in bridged)
        return cls(plainly, bridged, next(fit, None))

    def reachable(self, local: str) -> str | None:
        """
        The address to tell somebody who got here by one of ours.

        On a bridge that is another one, which containers reach as well: what is there may be
        a proxy, or the DNS server of the house, that asks for somebody outside.

        @return: C{None} when no address of this box can be reached from elsewhere.
        """
        arrived = plain(local)
        good = announceable(arrived) and arrived not in self.bridged
        return arrived if good else self.best


@define
class Lately:
    """
    What the kernel says of the addresses of this box, or said a moment ago.

    @ivar own: the addresses, see L{own_addresses}.
    @ivar source: where the default route leaves, see L{default_source}.
    """

    own: Callable[[], Iterable[InterfaceAddress]]
    source: Callable[[], str | None]
    clock: IReactorTime
    _taken: float = field(default=0.0, init=False)
    _last: Reading | None = field(default=None, init=False)

    def read(self) -> Reading:
        """The addresses, read again after L{FRESH} seconds."""
        now = self.clock.seconds()
        if self._last is None or not 0 <= now - self._taken < FRESH:
            self._last, self._taken = Reading.of(self.own(), self.source()), now
        return self._last


@define
class Announcer:
    """
    Chooses the address that one peer is told.

    @ivar explicit: the owner's choice, which always wins; C{""} for none.
    @ivar own: the addresses of this box, see L{own_addresses}.
    @ivar source: where its default route leaves, see L{default_source}.
    """

    explicit: str
    own: Callable[[], Sequence[InterfaceAddress]]
    source: Callable[[], str | None]
    clock: IReactorTime
    _lately: Lately = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lately = Lately(self.own, self.source, self.clock)

    def for_connection(self, local_host: str) -> str | None:
        """
        The address to tell the peer of one connection.

        @param local_host: our end of that connection.
        @return: C{None} when no address of this box can be reached from elsewhere.
        """
        return self.explicit or self._lately.read().reachable(local_host)
