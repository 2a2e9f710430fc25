"""Tests for L{bumper_tw.mqtt.factory}: how many there may be, and how all of them end."""

from typing import Any, ClassVar

from attrs import evolve, fields
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.app.settings import MqttSettings
from bumper_tw.errors import LoginRefused, ProtocolViolation
from bumper_tw.mqtt.factory import SETTINGS, ConnectionLimits
from bumper_tw.mqtt.lifetime import HANG_UP
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode, publish_bytes
from bumper_tw.wire.mqtt_packets import Connect, PingReq, Will
from tests.lines import Line
from tests.mqtt.clients import WorldCase
from tests.samples import ALICE, DASHBOARD, DUSTY_ITSELF

SERVICES = [evolve(DASHBOARD, name=f"service{number}") for number in range(3)]


def lines(said: Any, text: str) -> list[dict[str, Any]]:
    """The lines of the log whose format has some text."""
    return [each for each in said if text in (each.get("log_format") or "")]


class FactoryTests(WorldCase):
    """How many there may be, and how all of them end."""

    options: ClassVar[dict[str, Any]] = {"connection": ConnectionLimits(connections=4, per_peer=2)}

    def test_per_peer(self) -> None:
        """One address has so many connections; a place that is free again is given again."""
        first = self.world.dial(ALICE, "192.0.2.1")
        self.world.dial(ALICE, "192.0.2.1")
        third = self.world.dial(ALICE, "192.0.2.1")
        self.assertTrue(third.line.aborted)
        self.assertFalse(self.world.dial(ALICE, "192.0.2.2").line.over)
        first.line.drop()
        self.assertFalse(self.world.dial(ALICE, "192.0.2.1").line.over)
        self.assertEqual(self.world.factory.counts["connections refused"], 1)

    def test_in_all(self) -> None:
        """There are so many connections in all; who is refused is not spoken to."""
        for number in range(4):
            self.assertFalse(self.world.dial(ALICE, f"192.0.2.{number}").line.over)
        fifth = self.world.dial(ALICE, "192.0.2.9")
        fifth.connect()
        self.assertEqual((fifth.line.aborted, fifth.take()), (True, []))
        self.world.settle()
        self.assertTrue(fifth.line.lost)

    def test_local_socket(self) -> None:
        """A peer without a host counts as one."""
        build = self.world.factory.door(False).buildProtocol
        made = [type(build(None)).__name__ for _ in range(3)]
        self.assertEqual(made, ["MqttProtocol", "MqttProtocol", "Unwelcome"])
        other = build(IPv4Address("TCP", "192.0.2.1", 1))
        self.assertEqual(type(other).__name__, "MqttProtocol")

    def test_farewell(self) -> None:
        """Everybody is closed, logged in or not; it fires when the last one is gone."""
        clients = [self.world.connect(DUSTY_ITSELF), self.world.dial(ALICE)]
        dead = self.world.dial(DASHBOARD, "192.0.2.8")
        dead.connect()
        dead.line.slow = True
        dead.send(encode(PingReq()))
        gone = self.world.factory.farewell()
        self.world.settle()
        self.assertTrue(all(client.line.lost for client in clients))
        self.assertNoResult(gone)
        self.ended(dead, within=HANG_UP)
        self.assertTrue(dead.line.aborted)
        self.successResultOf(gone)
        self.assertEqual(self.world.broker.clients.connected, 0)

    def test_farewell_to_nobody(self) -> None:
        """With nobody here it fires at once."""
        self.successResultOf(self.world.factory.farewell())

    def test_farewell_given_up(self) -> None:
        """Whoever waits for the farewell may stop waiting."""
        client = self.world.dial(ALICE)
        gone: Deferred[None] = self.world.factory.farewell()
        gone.addErrback(lambda _: None)
        gone.cancel()
        self.ended(client)


class StrangerTests(WorldCase):
    """How many there may be that have not logged in."""

    options: ClassVar[dict[str, Any]] = {
        "connection": ConnectionLimits(strangers=3, strangers_per_peer=2)
    }

    def test_per_peer(self) -> None:
        """One address has so many of them; who logs in makes room."""
        first = self.world.dial(ALICE, "192.0.2.1")
        self.world.dial(ALICE, "192.0.2.1")
        self.assertTrue(self.world.dial(ALICE, "192.0.2.1").line.aborted)
        first.connect()
        self.assertFalse(self.world.dial(ALICE, "192.0.2.1").line.over)

    def test_in_all(self) -> None:
        """There are so many in all; who goes makes room, whether it had logged in or not."""
        clients = [self.world.dial(ALICE, f"192.0.2.{number}") for number in range(3)]
        self.assertTrue(self.world.dial(ALICE, "192.0.2.9").line.aborted)
        clients[0].line.drop()
        self.assertFalse(self.world.dial(ALICE, "192.0.2.9").line.over)
        self.assertTrue(self.world.dial(ALICE, "192.0.2.9").line.aborted)
        clients[1].connect()
        clients[1].line.drop()
        self.assertFalse(self.world.dial(ALICE, "192.0.2.9").line.over)
        self.assertTrue(self.world.dial(ALICE, "192.0.2.9").line.aborted)

    def test_log(self) -> None:
        """Refusals have a line a minute for each address, which says how many there were."""
        with capturedLogs() as said:
            for _ in range(5):
                self.world.dial(ALICE, "192.0.2.1")
            self.clock.advance(60)
            for _ in range(5):
                self.world.dial(ALICE, "192.0.2.1")
        refused = lines(said, "too many connections")
        self.assertEqual([each["peer"] for each in refused], ["192.0.2.1"] * 2)
        self.assertEqual(["2 more" in each["more"] for each in refused], [False, True])


class RepeatedTests(WorldCase):
    """What happens again and again does not fill the log."""

    def test_refused_logins(self) -> None:
        """A client that tries every five seconds for ever has a line a minute."""
        with capturedLogs() as said:
            for _ in range(24):
                client = self.world.dial("stranger@yna5xi/qX7d")
                client.connect()
                self.world.door.undecided.pop(client.name).errback(Failure(LoginRefused("no")))
                self.clock.advance(5)
        reasons = lines(said, "closing")
        self.assertEqual(len(reasons), 2)
        self.assertIn("11 more", reasons[1]["more"])
        self.assertEqual(self.world.factory.counts["logins refused"], 24)

    def test_long_names(self) -> None:
        """Names are cut, in the log and in memory."""
        with capturedLogs() as said:
            for end in ("1", "2"):
                client = self.world.dial("x" * 10_000 + end)
                client.connect()
                self.world.door.undecided.pop(client.name).errback(Failure(LoginRefused("no")))
        [line] = lines(said, "closing")
        self.assertLess(len(line["reason"]), 200)

    def test_strangers(self) -> None:
        """Whoever knocks without a login has a line a minute, and so has who is known."""
        with capturedLogs() as said:
            for _ in range(3):
                self.world.dial(ALICE).send(b"GET / HTTP/1.1")
            for _ in range(3):
                self.world.connect(ALICE).send(b"\x10")
        self.assertEqual(len(lines(said, "closing")), 2)

    def test_visits(self) -> None:
        """Who comes and goes all the time has two lines a minute, which say how often."""
        with capturedLogs() as said:
            for _ in range(24):
                self.world.connect(ALICE).line.drop()
                self.clock.advance(5)
        came = lines(said, "connected from")
        self.assertEqual([each["more"][:9] for each in came], ["", " (11 more"])
        self.assertEqual(len(lines(said, "disconnected")), 2)


class LimitTests(SynchronousTestCase):
    """What the limits say themselves."""

    limits = ConnectionLimits(max_packet=64, max_topic=8, max_levels=3)

    def violation(self, packet: bytes) -> ProtocolViolation:
        """What is wrong with a packet."""
        cutter = PacketBuffer(self.limits.max_packet, self.limits.max_topic)
        wrong = self.assertRaises(ProtocolViolation, list, cutter.feed(packet))
        assert isinstance(wrong, ProtocolViolation)
        return wrong

    def test_depth(self) -> None:
        """A topic has so many levels and no more."""
        self.limits.check_depth("a/b/c")
        deep = self.assertRaises(ProtocolViolation, self.limits.check_depth, "a/b/c/")
        self.assertIn("mqtt.max_levels", self.limits.explain(deep, stranger=True))

    def test_settings(self) -> None:
        """Whoever reads that something is too large reads which setting says so."""
        for packet, setting in (
            (publish_bytes("t", bytes(64)), "mqtt.max_packet"),
            (publish_bytes("t" * 9, b""), "mqtt.max_topic"),
        ):
            said = self.limits.explain(self.violation(packet), stranger=False)
            self.assertIn(f"over the limit. The setting is {setting}.", said)

    def test_every_setting(self) -> None:
        """All that is named can be set."""
        named = {field.name for field in fields(MqttSettings)}
        self.assertEqual({each.removeprefix("mqtt.") for each in SETTINGS.values()} - named, set())

    def test_no_setting(self) -> None:
        """What is wrong, and what no setting says, is said as it is."""
        wrong = self.violation(b"\xff")
        self.assertEqual(self.limits.explain(wrong, stranger=False), str(wrong))
        long = self.violation(publish_bytes("t", bytes(64)))
        self.assertEqual(self.limits.explain(long, stranger=True), str(long))


class DoorTests(WorldCase):
    """What listeners listen with."""

    def test_anonymous(self) -> None:
        """What a listener lets in is known to whoever decides; all else is shared."""
        for anonymous in (False, True):
            door = self.world.factory.door(anonymous)
            self.assertTrue(verifyObject(IProtocolFactory, door))
            protocol = door.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1))
            line = Line(self.clock, "192.0.2.7", protocol)
            line.receive(encode(Connect(client_id="dashboard")))
            self.assertEqual(self.world.door.asked[-1].anonymous, anonymous)
        self.assertEqual(self.world.factory.counts["connections"], 2)


class LastWordTests(WorldCase):
    """When the server stops, wills are said."""

    def test_wills_first(self) -> None:
        """Who leaves a will goes first, so that whoever leaves none hears it."""
        hearers = []
        for who in SERVICES:
            self.world.door.known[who.name] = who
        for who in SERVICES[:2]:
            hearers.append(self.world.connect(who))
            hearers[-1].subscribe("home/#")
            hearers[-1].take()
        dying = self.world.dial(SERVICES[2])
        dying.send(encode(Connect(client_id=dying.name, will=Will("home/will", b"gone"))))
        self.world.factory.farewell()
        self.world.settle()
        self.assertEqual([[m.payload for m in each.heard()] for each in hearers], [[b"gone"]] * 2)
