"""DNS on this box: where questions arrive, what is told, and who is asked for the rest."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.names import dns

from bumper_tw.app.addresses import (
    BRIDGES,
    InterfaceAddress,
    default_source,
    is_target,
    own_addresses,
    plain,
)
from bumper_tw.app.dns_ports import question_ports
from bumper_tw.app.dns_told import Told
from bumper_tw.app.settings import Settings
from bumper_tw.core.repeats import Repeats, again
from bumper_tw.dns.authority import Authority
from bumper_tw.dns.cache import Cache
from bumper_tw.dns.doors import LONGEST, STREAMS, STREAMS_PER_PEER, DatagramDoor, StreamDoors
from bumper_tw.dns.forwarder import Forwarder
from bumper_tw.dns.responder import Asked, Responder, unheard
from bumper_tw.dns.wires import Server, Wires
from bumper_tw.errors import StartError
from bumper_tw.front.crowd import Headcount
from bumper_tw.pki.zones import ZONES

#: Seconds between two looks at the addresses of this box.
LOOK = 30.0

#: What says which servers the programs of this box ask.  The second one is read when the first
#: one names nothing but the stub of systemd-resolved, which may ask us in turn.
RESOLV_CONF = Path("/etc/resolv.conf")
RESOLVED_CONF = Path("/run/systemd/resolve/resolv.conf")
STUBS = {"127.0.0.53", "127.0.0.54"}

#: As many servers are taken from there (resolv.conf(5)).
MOST_SERVERS = 3


def dns_services(reactor: Any, settings: Settings, asked: Asked = unheard) -> Iterator[IService]:
    """
    What answers DNS questions, if it shall.

    @param asked: is told of each question for a name of the vendor's.
    """
    if settings.dns.serve:
        yield dns_side(reactor, settings, asked=asked)


def dns_side(
    reactor: Any,
    settings: Settings,
    own: Callable[[], Sequence[InterfaceAddress]] = own_addresses,
    source: Callable[[], str | None] = default_source,
    resolv: Sequence[Path] = (RESOLV_CONF, RESOLVED_CONF),
    asked: Asked = unheard,
) -> "DnsSide":
    """
    The service.

    @param own: see L{own_addresses}.
    @param source: see L{default_source}.
    @param resolv: what says which servers this box asks, and what says more about it.
    """
    told = Told(settings, own, source, reactor)
    return DnsSide(reactor, settings, told, own, resolv, asked)


def nameservers(resolv: Sequence[Path]) -> list[str]:
    """The servers that this box asks, from the first file that names another one than a stub."""
    found: list[str] = []
    for path in resolv:
        named = list(_named(path))
        found = found or named
        if set(named) - STUBS:
            return named
    return found


def _named(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return
    words = [line.split() for line in lines]
    named = [w[1] for w in words if len(w) > 1 and w[0] == "nameserver"]
    yield from (a for a in named[:MOST_SERVERS] if is_target(a.partition("%")[0]))


@frozen
class _Door:
    """The two sockets at one address."""

    datagrams: Any
    streams: Any
    connections: StreamDoors

    def close(self) -> list[Deferred[Any]]:
        """They are closed when all of these have fired."""
        self.connections.dismiss()
        ports = (self.datagrams, self.streams)
        return [maybeDeferred(port.stopListening) for port in ports]


class NotOpened(StartError):
    """
    A socket could not be opened; the text says which one and why.

    @ivar number: what the system calls the reason.
    """

    def __init__(self, error: CannotListenError, transport: str) -> None:
        ports = question_ports(Path("/proc"), os.getpid(), transport)
        super().__init__(ports.explain(error))
        self.number = getattr(error.socketError, "errno", None)


class DnsSide(Service):
    """
    Answers DNS questions at every address of this box, as addresses come and go.

    With one socket for all addresses an answer would leave from whatever address the kernel
    chooses, and we would not know at which one the question came in.

    @ivar upstream: who is asked for names that are not ours.
    """

    name = "DNS"
    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        told: Callable[[str], Sequence[str]],
        own: Callable[[], Sequence[InterfaceAddress]],
        resolv: Sequence[Path],
        asked: Asked = unheard,
    ) -> None:
        self._reactor, self._dns, self._own, self._resolv = reactor, settings.dns, own, resolv
        self.upstream: tuple[Server, ...] = ()
        cache = Cache(reactor, settings.dns.cache)
        self._forwarder = Forwarder(reactor, Wires(reactor), lambda: self.upstream, cache)
        authority = Authority(ZONES, told)
        self._responder = Responder(reactor, authority, self._forwarder, asked)
        self._room = Headcount(STREAMS, STREAMS_PER_PEER)
        self._doors: dict[str, _Door] = {}
        self._said = Repeats(reactor, seconds=3600.0)
        self._looking = LoopingCall(self.look)
        self._looking.clock = reactor

    def privilegedStartService(self) -> None:
        """
        Open the sockets.

        @raise StartError: one cannot be opened, or this server is told to ask itself.
        """
        self._guard()
        self._choose_upstream()
        try:
            for address, interface in self._wanted().items():
                self._open_first(address, interface)
        except StartError:
            self._close_all()
            raise
        where = ", ".join(self._doors) or "no address yet"
        port, others = self._dns.port, ", ".join(host for host, _ in self.upstream) or "nobody"
        text = "DNS: answering at {where}, port {port}; asking {others} for all other names"
        self._log.info(text, where=where, port=port, others=others)

    def startService(self) -> None:
        super().startService()
        if not self._doors:
            self.privilegedStartService()
        looking = self._looking.start(LOOK, now=False)
        looking.addErrback(lambda why: self._log.failure("DNS: looking broke off", why))

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        if self._looking.running:
            self._looking.stop()
        self._forwarder.stop()
        return self._close_all()

    def look(self) -> None:
        """Follow the addresses of this box."""
        self._choose_upstream()
        wanted = self._wanted()
        for gone in self._doors.keys() - wanted.keys():
            self._doors.pop(gone).close()
            self._log.info("DNS: {address} is gone", address=gone)
        for address in wanted.keys() - self._doors.keys():
            self._open_later(address)

    def _wanted(self) -> dict[str, str]:
        """The addresses to answer at, and the interface of each."""
        if self._dns.interface:
            return {plain(self._dns.interface): ""}
        own = {plain(each.address): each.interface for each in self._own()}
        # A link-local one of IPv6 is none without its interface, and nobody configures it.
        return {a: i for a, i in own.items() if not a.startswith("fe80:")}

    def _guard(self) -> None:
        """Whoever asks himself waits for ever."""
        ours = self._wanted() if self._dns.port == dns.PORT else {}
        for address in self._dns.upstream:
            if plain(address) in ours:
                why = "is this server itself; name the DNS server of the router or the provider"
                raise StartError(f"dns.upstream = {address} {why}")

    def _choose_upstream(self) -> None:
        ours = self._wanted() if self._dns.port == dns.PORT else {}
        named = self._dns.upstream or nameservers(self._resolv)
        self.upstream = tuple((each, dns.PORT) for each in named if plain(each) not in ours)
        if not self.upstream and self._said.say("upstream") is not None:
            self._log.warn("DNS: there is nobody to ask for other names; set dns.upstream")

    def _open_first(self, address: str, interface: str) -> None:
        try:
            self._open(address)
        except NotOpened as why:
            # An address may just be coming or going; and what serves containers and virtual
            # machines on their bridge is no business of ours.
            passing = why.number == errno.EADDRNOTAVAIL and not self._dns.interface
            if not passing and not BRIDGES.fullmatch(interface):
                raise
            self._note(address, why)

    def _open_later(self, address: str) -> None:
        try:
            self._open(address)
        except NotOpened as why:
            self._note(address, why)
        else:
            self._log.info("DNS: answering at {address}, too", address=address)

    def _note(self, address: str, why: NotOpened) -> None:
        more = self._said.say(address)
        if more is not None:
            text = "DNS: not answering at {address}: {why}{more}"
            self._log.warn(text, address=address, why=str(why), more=again(more))

    def _open(self, address: str) -> None:
        door, port = DatagramDoor(self._responder, address), self._dns.port
        listen = self._reactor.listenUDP
        try:
            datagrams = listen(port, door, interface=address, maxPacketSize=LONGEST)
        except CannotListenError as why:
            raise NotOpened(why, "udp") from None
        doors = StreamDoors(self._reactor, self._responder, address, self._room)
        try:
            streams = self._reactor.listenTCP(port, doors, interface=address)
        except CannotListenError as why:
            maybeDeferred(datagrams.stopListening)
            raise NotOpened(why, "tcp") from None
        self._doors[address] = _Door(datagrams, streams, doors)

    def _close_all(self) -> Deferred[Any]:
        doors, self._doors = self._doors, {}
        return gatherResults([done for door in doors.values() for done in door.close()])
