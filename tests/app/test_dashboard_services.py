"""Tests for L{bumper_tw.app.dashboard_services}: one service anew, and nobody else notices."""

from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactor, StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.dashboard_services import (
    BROKEN,
    PATIENCE,
    RESTARTING,
    RUNNING,
    Gates,
    Services,
    can_reopen,
)
from bumper_tw.app.doors import doors, reception
from bumper_tw.app.lifecycle import Doors
from bumper_tw.app.settings import Listen, Settings
from bumper_tw.core.feed import Feed
from bumper_tw.errors import DeviceUnknown
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode
from bumper_tw.wire.mqtt_packets import ConnAck, Connect, Packet, Publish, Subscribe
from tests.flows.house import House, HouseClock
from tests.web.browser import request

LISTEN = (
    Listen("all", "tcp:8443", anonymous=True),
    Listen("mqtt", "tcp:1883", anonymous=True),
    Listen("web", "tcp:8007"),
    Listen("xmpp", "tcp:5223"),
)
PEER = IPv4Address("TCP", "192.168.7.33", 50123)


class Reactor(HouseClock, MemoryReactor):
    """A clock with ports: which are open, and which cannot be."""

    def __init__(self) -> None:
        HouseClock.__init__(self)
        MemoryReactor.__init__(self)
        self.open: dict[int, Any] = {}
        self.opened: list[int] = []
        self.taken: set[int] = set()

    def listenTCP(self, port: int, factory: Any, *_: Any, **__: Any) -> Any:
        """Open a port."""
        if port in self.taken:
            raise CannotListenError("", port, OSError(98, "Address already in use"))
        self.open[port] = factory
        self.opened.append(port)
        return OpenPort(self, port)


class OpenPort:
    """One that is open."""

    def __init__(self, reactor: Reactor, port: int) -> None:
        self._reactor, self._port = reactor, port

    def getHost(self) -> IPv4Address:
        """Where it is."""
        return IPv4Address("TCP", "127.0.0.1", self._port)

    def stopListening(self) -> Deferred[None]:
        """Close it."""
        del self._reactor.open[self._port]
        return succeed(None)


class Client(StringTransportWithDisconnection):
    """Somebody who is connected; MQTT packets are read if it is for them."""

    def __init__(self, factory: Any, port: int) -> None:
        super().__init__(IPv4Address("TCP", "127.0.0.1", port), PEER)
        self.protocol = factory.buildProtocol(PEER)
        self._packets = PacketBuffer(1 << 20)
        self.protocol.makeConnection(self)

    def abortConnection(self) -> None:
        """It ends at once."""
        self.loseConnection()

    def say(self, data: bytes) -> bytes:
        """What is answered."""
        self.clear()
        self.protocol.dataReceived(data)
        return bytes(self.value())

    def packets(self, data: bytes) -> list[Packet]:
        """The same over MQTT."""
        return list(self._packets.feed(self.say(data)))


class ServicesCase(SynchronousTestCase):
    """A house with open ports."""

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.house = House(evolve(Settings(), listen=LISTEN), clock=self.reactor)
        gates, contexts = Gates(), NoContexts()
        house: Any = self.house
        self.doors: Doors = tuple(
            doors(
                self.reactor,
                house.settings,
                reception(self.reactor, house.facts.journal, house.settings.front),
                house.site,
                house.brokerage,
                XmppSide(house.xmpp),  # type: ignore[arg-type]  # all of it that is asked for
                contexts,  # type: ignore[arg-type]  # nobody speaks TLS here
                gates.every,
            )
        )
        for _, door in self.doors:
            door.startService()
        self.feed = Feed("run")
        parts = gates.parts(lambda: house.site, house.mqtt, house.xmpp)
        self.services = Services(
            self.reactor, parts, lambda: self.doors, self.feed, lambda at: at != "tcp:5223"
        )
        self.reactor.opened.clear()

    def come(self, port: int) -> Client:
        """Somebody comes to a port."""
        return Client(self.reactor.open[port], port)

    def states(self) -> dict[str, str]:
        """How all are."""
        return {each["name"]: each["state"] for each in self.services.told()}

    def log_in(self, port: int) -> tuple[Client, ConnAck]:
        """An MQTT client that wants to be remembered."""
        client = self.come(port)
        [answer] = client.packets(encode(Connect(client_id="kitchen", clean=False)))
        assert isinstance(answer, ConnAck)
        return client, answer


class NoContexts:
    """Certificates for nobody."""

    def chooser(self, _: bool) -> Any:
        """None."""
        return


class XmppSide:
    """The XMPP side, as far as doors ask for it."""

    def __init__(self, factory: Any) -> None:
        self.factory = factory


HELLO = (
    b"<stream:stream to='ecouser.net' xmlns='jabber:client' "
    b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
)


class RestartTests(ServicesCase):
    """One service is started anew."""

    def test_broker(self) -> None:
        """
        MQTT clients are cut on all ports, and come back to their sessions; an XMPP stream and an
        HTTP connection stay, on the shared port, too.
        """
        kitchen, _ = self.log_in(8443)
        kitchen.packets(encode(Subscribe(1, (("home/#", 1),))))
        other = self.come(1883)
        other.packets(encode(Connect(client_id="hall")))
        stream = self.come(8443)
        self.assertIn(b"<stream:features", stream.say(HELLO))
        web = self.come(8443)
        self.assertIn(b"200 OK", web.say(request("GET", "/healthz")))
        other.say(encode(Publish("home/lamp", b"on", retain=True)))
        told = self.services.restart("mqtt")
        self.assertEqual(told["state"], RESTARTING)
        self.assertTrue(kitchen.connected and other.connected)
        self.reactor.advance(0)
        self.assertEqual(self.states(), {"mqtt": RUNNING, "xmpp": RUNNING, "web": RUNNING})
        self.assertFalse(kitchen.connected or other.connected)
        self.assertEqual(self.reactor.opened, [1883])
        self.assertIn(b"200 OK", web.say(request("GET", "/healthz")))
        self.assertTrue(stream.connected)
        back, answer = self.log_in(1883)
        self.assertTrue(answer.session_present)
        found = back.packets(encode(Subscribe(2, (("home/lamp", 0),))))
        self.assertIn(b"on", [each.payload for each in found if isinstance(each, Publish)])

    def test_xmpp(self) -> None:
        """Streams end in order, and their port stays open when it could not be opened again."""
        stream, client = self.come(5223), self.log_in(1883)[0]
        stream.say(HELLO)
        stream.clear()
        self.services.restart("xmpp")
        self.reactor.advance(0)
        self.assertFalse(stream.connected)
        self.assertIn(b"</stream:stream>", stream.value())
        self.assertTrue(client.connected)
        self.assertEqual(self.reactor.opened, [])
        self.assertIn(b"<stream:features", self.come(5223).say(HELLO))

    def test_web(self) -> None:
        """Who asks for it is answered first; then all are cut, and everybody may come again."""
        web, client = self.come(8007), self.log_in(8443)[0]
        self.assertIn(b"200 OK", web.say(request("GET", "/healthz")))
        self.services.restart("web")
        self.assertTrue(web.connected)
        self.reactor.advance(0)
        self.assertFalse(web.connected)
        self.assertTrue(client.connected)
        self.assertIn(b"200 OK", self.come(8007).say(request("GET", "/healthz")))
        self.assertIn(b"200 OK", self.come(8443).say(request("GET", "/healthz")))

    def test_meanwhile(self) -> None:
        """Who comes to a shared port while a service ends is turned back, others are not."""
        gone: Deferred[None] = Deferred()
        self.slow(gone)
        self.services.restart("mqtt")
        self.reactor.advance(0)
        self.assertNotIn(1883, self.reactor.open)
        early = self.come(8443)
        early.say(encode(Connect(client_id="early")))
        self.assertFalse(early.connected)
        self.assertIn(b"200 OK", self.come(8443).say(request("GET", "/healthz")))
        gone.callback(None)
        self.assertTrue(self.log_in(8443)[0].connected)
        self.assertEqual(self.states()["mqtt"], RUNNING)

    def slow(self, gone: Deferred[None]) -> None:
        """The broker takes its time."""
        parts = self.services._parts
        parts["mqtt"] = evolve(parts["mqtt"], farewell=lambda: gone)

    def test_never_ends(self) -> None:
        """A service that does not end in time begins anew all the same."""
        self.slow(Deferred())
        self.services.restart("mqtt")
        self.reactor.advance(0)
        self.reactor.advance(PATIENCE)
        self.assertEqual(self.states()["mqtt"], RUNNING)
        self.assertIn(1883, self.reactor.open)

    def test_twice(self) -> None:
        """Whoever presses twice restarts once."""
        for _ in range(2):
            self.services.restart("mqtt")
        self.reactor.advance(0)
        self.assertEqual(self.reactor.opened, [1883])

    def test_port_gone(self) -> None:
        """A port that somebody took is told of, and taken back by the next try."""
        self.reactor.taken.add(1883)
        self.services.restart("mqtt")
        self.reactor.advance(0)
        [broker] = [each for each in self.services.told() if each["name"] == "mqtt"]
        self.assertEqual(broker["state"], BROKEN)
        self.assertIn("1883", broker["why"])
        [own] = [each for each in broker["listeners"] if not each["shared"]]
        self.assertFalse(own["open"])
        self.reactor.taken.clear()
        self.services.restart("mqtt")
        self.reactor.advance(0)
        self.assertEqual(self.states()["mqtt"], RUNNING)
        self.assertTrue(self.log_in(1883)[0].connected)

    def test_told(self) -> None:
        """Pages hear when it begins and when it is over; only the end stays to be told."""
        heard: list[str] = []
        self.feed.listen(lambda change: heard.append(change.value["state"]))
        self.services.restart("xmpp")
        self.reactor.advance(0)
        self.assertEqual(heard, [RESTARTING, RUNNING])

    def test_bug(self) -> None:
        """A service that breaks while it ends is open again, and told to be broken."""

        def broken() -> Deferred[None]:
            raise RuntimeError("a bug")

        parts = self.services._parts
        parts["mqtt"] = evolve(parts["mqtt"], farewell=broken)
        self.services.restart("mqtt")
        self.reactor.advance(0)
        self.assertEqual(self.states()["mqtt"], BROKEN)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertTrue(self.log_in(8443)[0].connected)

    def test_unknown(self) -> None:
        """There are three."""
        self.assertRaises(DeviceUnknown, self.services.restart, "sshd")


class ReopenTests(SynchronousTestCase):
    """What can be opened again for certain."""

    def proc(self, caps: str, first: str = "1024\n") -> Path:
        """A kernel that says so."""
        proc = Path(self.mktemp())
        (proc / "self").mkdir(parents=True)
        (proc / "self/status").write_text(f"Name:\tx\nCapEff:\t{caps}\n")
        (proc / "sys/net/ipv4").mkdir(parents=True)
        (proc / "sys/net/ipv4/ip_unprivileged_port_start").write_text(first)
        return proc

    def test_ports(self) -> None:
        """High ports; low ones with privileges; none that systemd or chance has chosen."""
        plain, able = self.proc("0000000000000000"), self.proc("0000000000000400")
        cases: dict[str, tuple[bool, bool]] = {
            "tcp:8007": (True, True),
            "tcp:443": (False, True),
            "tcp6:80:interface=\\:\\:": (False, True),
            "tcp:0": (False, False),
            "systemd:domain=INET:index=0": (False, False),
            "unix:/run/bumper": (False, False),
        }
        for at, expected in cases.items():
            self.assertEqual((can_reopen(at, plain), can_reopen(at, able)), expected, at)
        self.assertTrue(can_reopen("tcp:80", self.proc("0", "80")))

    def test_no_proc(self) -> None:
        """Where the kernel says nothing, low ports are left open."""
        nowhere = Path(self.mktemp())
        self.assertFalse(can_reopen("tcp:443", nowhere))
        self.assertTrue(can_reopen("tcp:8007", nowhere))
