"""DNS on this box: sockets that come and go with its addresses."""

import errno
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.app.addresses import InterfaceAddress
from bumper_tw.app.dns_side import LOOK, DnsSide, dns_services, dns_side, nameservers
from bumper_tw.app.settings import DnsSettings, Settings
from bumper_tw.errors import StartError
from tests.dns.samples import addresses, query, read

LOCAL = InterfaceAddress("lo", "127.0.0.1")
WIRED = InterfaceAddress("eth0", "192.168.1.5")
LINK = InterfaceAddress("eth0", "fe80::5")
SIX = InterfaceAddress("eth0", "fd00::5")
BRIDGE = InterfaceAddress("virbr0", "192.168.122.1")

Socket = tuple[str, str, int]


class FakePort:
    """A socket that is open until it is closed."""

    def __init__(self, reactor: "FakeReactor", key: Socket) -> None:
        self._reactor, self._key = reactor, key

    def stopListening(self) -> Deferred[None]:
        self._reactor.open.pop(self._key)
        return succeed(None)


class FakeReactor(MemoryReactorClock):
    """
    Sockets in memory.

    @ivar open: what is open: transport, address and port.
    @ivar held: what cannot be opened, and why.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[Socket, Any] = {}
        self.held: dict[tuple[str, str], int] = {}

    def listenUDP(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192
    ) -> FakePort:
        return self._listen("udp", interface, port, protocol)

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        return self._listen("tcp", interface, port, factory)

    def _listen(self, transport: str, interface: str, port: int, what: Any) -> FakePort:
        number = self.held.get((transport, interface))
        if number is not None:
            raise CannotListenError(interface, port, OSError(number, "says the kernel"))
        key = (transport, interface, port)
        if key in self.open:
            raise CannotListenError(interface, port, OSError(errno.EADDRINUSE, "in use"))
        self.open[key] = what
        return FakePort(self, key)


@implementer(ILogObserver)
class Lines(list[str]):
    """What the log says about DNS."""

    def __call__(self, event: LogEvent) -> None:
        text = formatEvent(event)
        if text.startswith("DNS"):
            self.append(text)


class Sent:
    """Where the answers to datagrams go."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def write(self, data: bytes, addr: object) -> None:
        self.data.append(data)


class Case(SynchronousTestCase):
    """A box with a network."""

    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.own: tuple[InterfaceAddress, ...] = (LOCAL, WIRED, LINK, SIX)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.resolv = self.folder / "resolv.conf"
        self.resolv.write_text("# mine\nsearch home\nnameserver 192.168.1.1\n")
        self.lines = Lines()
        globalLogPublisher.addObserver(self.lines)
        self.addCleanup(globalLogPublisher.removeObserver, self.lines)

    def side(self, **settings: Any) -> DnsSide:
        made = dns_side(
            self.reactor,
            Settings(dns=DnsSettings(serve=True, **settings)),
            lambda: self.own,
            lambda: "192.168.1.5",
            (self.resolv, self.folder / "more.conf"),
        )
        self.addCleanup(self.stopped, made)
        return made

    def stopped(self, side: DnsSide) -> None:
        self.successResultOf(side.stopService())
        self.assertEqual(self.reactor.open, {})

    def started(self, **settings: Any) -> DnsSide:
        side = self.side(**settings)
        side.privilegedStartService()
        side.startService()
        return side

    def hosts(self) -> set[str]:
        return {host for _, host, _ in self.reactor.open}


class StartTests(Case):
    """Starting and stopping."""

    def test_off(self) -> None:
        """Nobody answers DNS who was not told to."""
        self.assertEqual(list(dns_services(self.reactor, Settings())), [])
        made = list(dns_services(self.reactor, Settings(dns=DnsSettings(serve=True))))
        self.assertEqual(len(made), 1)
        self.assertEqual(self.reactor.open, {})

    def test_each_address(self) -> None:
        """Each address has a socket for UDP and one for TCP; link-local ones have none."""
        self.started()
        expected = {
            (t, h, 53) for t in ("udp", "tcp") for h in ("127.0.0.1", "192.168.1.5", "fd00::5")
        }
        self.assertEqual(set(self.reactor.open), expected)

    def test_one_interface(self) -> None:
        """The owner may choose one address, and another port."""
        self.started(interface="192.168.1.5", port=5353)
        self.assertEqual(
            set(self.reactor.open), {("udp", "192.168.1.5", 5353), ("tcp", "192.168.1.5", 5353)}
        )

    def test_again(self) -> None:
        """It can be stopped and started again."""
        side = self.started()
        self.successResultOf(side.stopService())
        self.assertEqual(self.reactor.open, {})
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        side.startService()
        self.assertEqual(len(self.reactor.open), 6)

    def test_answers(self) -> None:
        """What comes in at an address hears that address, and over TCP the same."""
        self.started()
        door, sent = self.reactor.open["udp", "192.168.1.5", 53], Sent()
        door.transport = sent
        door.datagramReceived(query(), ("192.168.1.20", 5353))
        self.assertEqual(addresses(sent.data[0]), ["192.168.1.5"])
        door.datagramReceived(query(kind=dns.AAAA), ("192.168.1.20", 5353))
        self.assertEqual(read(sent.data[1]).answers, [])
        self.assertEqual(self.reactor.open["tcp", "192.168.1.5", 53].local, "192.168.1.5")

    def test_taken(self) -> None:
        """A port that is taken ends the start, and leaves nothing open."""
        self.reactor.held["tcp", "192.168.1.5"] = errno.EADDRINUSE
        side = self.side()
        why = self.assertRaises(StartError, side.privilegedStartService)
        self.assertIn("tcp port 53 at 192.168.1.5 is held by", str(why))
        self.assertEqual(self.reactor.open, {})

    def test_privileges(self) -> None:
        """So does a lack of privileges."""
        self.reactor.held["udp", "127.0.0.1"] = errno.EACCES
        why = self.assertRaises(StartError, self.side().privilegedStartService)
        self.assertIn("needs privileges", str(why))

    def test_no_such_address(self) -> None:
        """And an address that is not ours, if the owner named it."""
        self.reactor.held["udp", "192.168.9.9"] = errno.EADDRNOTAVAIL
        side = self.side(interface="192.168.9.9")
        why = self.assertRaises(StartError, side.privilegedStartService)
        self.assertIn("no address of this box", str(why))

    def test_bridge(self) -> None:
        """What serves virtual machines on their bridge keeps nobody from starting."""
        self.own = (*self.own, BRIDGE)
        self.reactor.held["udp", "192.168.122.1"] = errno.EADDRINUSE
        self.started()
        self.assertNotIn("192.168.122.1", self.hosts())
        self.assertTrue(any("not answering at 192.168.122.1" in line for line in self.lines))


class LookTests(Case):
    """Addresses come and go."""

    def test_new_and_gone(self) -> None:
        """A new address is answered at, one that is gone is not any more."""
        self.started()
        new = InterfaceAddress("wlan0", "192.168.2.5")
        self.own = (LOCAL, new)
        self.reactor.advance(LOOK)
        self.assertEqual(self.hosts(), {"127.0.0.1", "192.168.2.5"})
        self.assertTrue(any("192.168.2.5, too" in line for line in self.lines))

    def test_cannot_be_opened(self) -> None:
        """One that cannot be opened has one line in the log, and is tried again."""
        self.started()
        self.reactor.held["udp", "192.168.2.5"] = errno.EACCES
        self.own = (LOCAL, InterfaceAddress("wlan0", "192.168.2.5"))
        for _ in range(5):
            self.reactor.advance(LOOK)
        told = [line for line in self.lines if "not answering" in line]
        self.assertEqual(len(told), 1)
        self.assertIn("needs privileges", told[0])
        self.reactor.held.clear()
        self.reactor.advance(LOOK)
        self.assertIn("192.168.2.5", self.hosts())

    def test_no_network_yet(self) -> None:
        """At the start there may be no network at all."""
        self.own = ()
        self.started()
        self.own = (WIRED,)
        self.reactor.advance(LOOK)
        self.assertEqual(self.hosts(), {"192.168.1.5"})


class UpstreamTests(Case):
    """Who is asked for other names."""

    def test_of_the_box(self) -> None:
        """Those that the box asks, as they change."""
        side = self.started()
        self.assertEqual(side.upstream, (("192.168.1.1", 53),))
        self.resolv.write_text("nameserver 192.168.1.2\n")
        self.reactor.advance(LOOK)
        self.assertEqual(side.upstream, (("192.168.1.2", 53),))

    def test_not_ourselves(self) -> None:
        """This box may ask itself, but we do not; nobody at all is worth a line."""
        self.resolv.write_text("nameserver 127.0.0.1\nnameserver 192.168.1.5\n")
        side = self.started()
        self.assertEqual(side.upstream, ())
        self.assertTrue(any("set dns.upstream" in line for line in self.lines))

    def test_another_port(self) -> None:
        """On another port we are somebody else."""
        self.resolv.write_text("nameserver 127.0.0.1\n")
        self.assertEqual(self.started(port=5353).upstream, (("127.0.0.1", 53),))

    def test_owners_choice(self) -> None:
        """What the owner says counts."""
        side = self.started(upstream=("192.168.1.3", "fd00::3"))
        self.assertEqual(side.upstream, (("192.168.1.3", 53), ("fd00::3", 53)))

    def test_loop(self) -> None:
        """Who is told to ask himself does not start."""
        side = self.side(upstream=("192.168.1.3", "192.168.1.5"))
        why = self.assertRaises(StartError, side.privilegedStartService)
        self.assertIn("dns.upstream = 192.168.1.5 is this server itself", str(why))
        self.assertEqual(self.reactor.open, {})

    def test_behind_the_stub(self) -> None:
        """Where systemd-resolved stands in, those behind it are asked."""
        more = self.folder / "more.conf"
        self.resolv.write_text("nameserver 127.0.0.53\n")
        self.assertEqual(nameservers((self.resolv, more)), ["127.0.0.53"])
        more.write_text("nameserver 192.168.1.1\nnameserver fe80::1%eth0\n")
        self.assertEqual(nameservers((self.resolv, more)), ["192.168.1.1", "fe80::1%eth0"])

    def test_odd_lines(self) -> None:
        """A file that is missing, or full of other things, names nobody."""
        self.assertEqual(nameservers((self.folder / "none",)), [])
        self.resolv.write_bytes(b"nameserver\nnameserver x\nnameserver 0.0.0.0\n\xff\xfe\n")
        self.assertEqual(nameservers((self.resolv,)), [])
        self.resolv.write_text("".join(f"nameserver 192.168.1.{n}\n" for n in range(1, 9)))
        self.assertEqual(len(nameservers((self.resolv,))), 3)
