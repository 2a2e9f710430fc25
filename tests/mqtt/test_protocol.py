"""Tests for L{bumper_tw.mqtt.protocol}: who is let in, and when."""

from typing import Any

from attrs import evolve
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from bumper_tw.broker_interfaces import IMqttOutlet
from bumper_tw.core.identity import Refused
from bumper_tw.dialect import topics
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IRobotPresence
from bumper_tw.mqtt.lifetime import HANG_UP
from bumper_tw.values import Principal
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    PingReq,
    PingResp,
    Publish,
    SubAck,
    Will,
)
from tests.mqtt.clients import Client, WorldCase, packets, report_topic, topics_of
from tests.samples import ALICE, DASHBOARD, DUSTY, DUSTY_ITSELF, GET_BATTERY

ALL_REPORTS = f"iot/atr/+/{DUSTY}/+"
REPORT = report_topic(DUSTY)
STRANGER = "stranger@yna5xi/qX7d"


@implementer(IRobotPresence)
class BrokenPresence:
    """A robot whose subscribing meets a bug."""

    def listening(self) -> None:
        raise ZeroDivisionError

    def gone(self) -> None:
        """Nothing to take back."""


class LoginTests(WorldCase):
    """Who is let in, and what is said to the others (mqtt.md 3.4)."""

    def decide(self, client: Client, verdict: Principal | Exception) -> None:
        """The login that waits gets its verdict."""
        waiting = self.world.door.undecided.pop(client.name)
        if isinstance(verdict, Exception):
            waiting.errback(Failure(verdict))
        else:
            waiting.callback(verdict)
        self.world.settle()

    def watcher(self) -> Client:
        """Somebody who hears what Dusty, who was here before, reports."""
        self.world.robot(DUSTY_ITSELF).line.drop()
        alice = self.world.connect(ALICE)
        alice.subscribe(ALL_REPORTS)
        self.assertEqual(alice.codes(), (0,))
        return alice

    def test_interface(self) -> None:
        """A connection is an outlet for the broker."""
        self.assertTrue(
            verifyObject(IMqttOutlet, self.world.factory.door(False).buildProtocol(None))
        )

    def test_accepted(self) -> None:
        """A client that is known gets code 0; the credentials are those it sent."""
        client = self.world.dial(DUSTY_ITSELF, host="192.0.2.99")
        client.connect()
        self.assertEqual(client.take(), [ConnAck(ConnectCode.ACCEPTED)])
        [asked] = self.world.door.asked
        self.assertEqual((asked.client_id, asked.username), (client.name, "E0001"))
        self.assertEqual((asked.password, asked.peer), (b"s", "192.0.2.99"))

    def test_refusals(self) -> None:
        """Each refusal has its code, and nothing took effect."""
        reasons: list[tuple[Exception, int]] = [
            (Refused(2, "malformed"), 2),
            (Refused(3, "busy"), 3),
            (Refused(4, "wrong password"), 4),
            (Refused(5, "not from the network"), 5),
            (LoginRefused("no"), 5),
        ]
        for reason, code in reasons:
            client = self.world.dial(STRANGER)
            client.send(client.connection(), client.speech.subscribe([("#", 0)])[1])
            self.decide(client, reason)
            self.assertEqual(client.verdict(), code)
            self.ended(client)
        self.assertEqual(
            (self.world.broker.clients.connected, len(self.world.registry.devices())), (0, 0)
        )
        self.assertEqual(self.world.factory.counts["logins refused"], 5)

    def test_exception_while_deciding(self) -> None:
        """When deciding breaks, the answer is no, and the bug is in the log."""
        client = self.world.dial(STRANGER)
        client.connect()
        self.decide(client, KeyError("a bug"))
        self.assertEqual(client.verdict(), 3)
        self.ended(client)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_exception_while_attaching(self) -> None:
        """When a robot cannot be made reachable, its one CONNACK says no."""

        def broken(_: Principal) -> None:
            raise ZeroDivisionError

        self.world.factory.robot_connected = broken  # type: ignore[assignment]  # it breaks
        client = self.world.connect(DUSTY_ITSELF)
        self.assertEqual(client.verdict(), 3)
        self.ended(client)
        self.assertEqual(self.world.broker.clients.connected, 0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_exception_after_the_verdict(self) -> None:
        """When what it said meanwhile meets a bug, a client is closed without a second CONNACK."""
        self.world.factory.robot_connected = lambda _: BrokenPresence()
        client = self.world.dial(DUSTY_ITSELF)
        client.send(client.connection(), client.speech.subscribe([(f"p2p/{DUSTY.did}", 0)])[1])
        self.assertEqual(client.verdict(), 0)
        self.ended(client)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_levels(self) -> None:
        """Level 3 is spoken, level 5 hears no in its own words, others code 1 (mqtt.md 1.5)."""
        for name, level, answer in (
            ("MQIsdp", 3, b"\x20\x02\x00\x00"),
            ("MQTT", 5, b"\x20\x03\x00\x84\x00"),
            ("MQTT", 3, b"\x20\x02\x00\x01"),
            ("MQIsdp", 4, b"\x20\x02\x00\x01"),
        ):
            client = self.world.dial(ALICE)
            client.send(encode(Connect(name, level, client_id=client.name)))
            self.assertEqual(client.take_raw(), answer)
            self.assertEqual(client.line.lost, answer != b"\x20\x02\x00\x00")
            client.line.drop()

    def die(self, *last: bytes, **said: Any) -> None:
        """Dusty comes with a will, says something last, and is gone."""
        client = self.world.dial(DUSTY_ITSELF)
        packet = Connect(client_id=client.name, will=Will(REPORT, b"gone", 1), **said)
        client.send(encode(packet), *last)
        client.line.drop()

    def test_will(self) -> None:
        """Who goes without DISCONNECT leaves its will, whatever the reason."""
        alice = self.watcher()
        self.die()
        self.assertEqual([each.payload for each in alice.heard()], [b"gone"])
        self.die(b"\x10")
        self.assertEqual([each.payload for each in alice.heard()], [b"gone"])

    def test_no_will(self) -> None:
        """Who says DISCONNECT takes it back."""
        alice = self.watcher()
        self.die(encode(Disconnect()))
        self.assertEqual(alice.heard(), [])

    def test_will_of_a_stranger(self) -> None:
        """Who is not let in leaves nothing."""
        alice = self.watcher()
        client = self.world.dial(STRANGER)
        client.send(encode(Connect(client_id=client.name, will=Will(REPORT, b"gone"))))
        self.decide(client, Refused(5, "no"))
        self.assertEqual((client.verdict(), alice.heard()), (5, []))

    def test_deep_will(self) -> None:
        """A will with too many levels ends the connection."""
        client = self.world.dial(DUSTY_ITSELF)
        client.send(encode(Connect(client_id=client.name, will=Will("a" + "/a" * 32, b""))))
        self.assertEqual(client.verdict(), None)
        self.ended(client)

    def test_no_client_id(self) -> None:
        """Who leaves the choice of an id to us gets a new one each time (MQTT-3.1.3-6)."""
        for number in (1, 2):
            client = self.world.dial("")
            client.connect()
            client.name = f"auto-{number:016x}"
            self.decide(client, DASHBOARD)
            self.assertEqual(client.verdict(), 0)
            client.line.drop()

    def test_no_client_id_to_come_back_to(self) -> None:
        """Without an id, and with a session to keep, the answer is 2 (MQTT-3.1.3-8)."""
        client = self.world.dial("")
        client.send(encode(Connect(clean=False, client_id="")))
        self.assertEqual(client.take(), [ConnAck(ConnectCode.IDENTIFIER_REJECTED)])
        self.ended(client)
        self.assertEqual(self.world.door.asked, [])

    def test_session_present(self) -> None:
        """Who comes back hears that its session is there, unless it speaks MQTT 3.1."""
        for protocol, level, present in (("MQTT", 4, 0), ("MQTT", 4, 1), ("MQIsdp", 3, 0)):
            client = self.world.dial(ALICE)
            client.send(encode(Connect(protocol, level, False, client_id=client.name)))
            self.assertEqual(client.take_raw()[:4], bytes((0x20, 2, present, 0)))
            client.send(encode(Disconnect()))

    def test_what_waited(self) -> None:
        """What waited for a client comes behind its CONNACK, before answers to what it said."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.dial(ALICE)
        hello = encode(Connect(clean=False, client_id=alice.name))
        alice.send(hello)
        alice.subscribe(ALL_REPORTS, qos=1)
        alice.line.drop()
        robot.publish(REPORT, b"87", qos=1)
        alice = self.world.dial(ALICE)
        alice.send(hello, encode(PingReq()))
        kinds = [type(each) for each in packets(alice.take_raw())]
        self.assertEqual(kinds, [ConnAck, Publish, PingResp])

    def test_speech_before_login(self) -> None:
        """What comes right behind CONNECT waits for the verdict, in pieces or in one."""
        for pieces in (False, True):
            alice = self.watcher()
            robot = self.world.dial(STRANGER)
            robot.pieces = pieces
            robot.send(
                robot.connection(),
                robot.speech.subscribe([(f"p2p/{DUSTY.did}", 0)])[1],
                robot.speech.publish(REPORT, b"87")[1],
            )
            self.assertFalse(robot.line.reading)
            self.assertEqual((robot.take(), alice.heard()), ([], []))
            self.assertFalse(self.world.broker.wanted(f"p2p/{DUSTY.did}"))
            self.decide(robot, DUSTY_ITSELF)
            self.assertEqual([type(each) for each in robot.take()], [ConnAck, SubAck])
            self.assertEqual(topics_of(alice.heard()), [REPORT])
            robot.line.drop()
            alice.line.drop()

    def test_speech_of_an_impostor(self) -> None:
        """What comes behind a CONNECT that is refused never takes effect."""
        alice = self.watcher()
        robot = self.world.dial(STRANGER)
        robot.send(robot.connection(), robot.speech.publish(REPORT, b"87")[1])
        self.decide(robot, Refused(5, "no"))
        self.assertEqual((robot.verdict(), alice.heard()), (5, []))

    def test_flood_before_login(self) -> None:
        """Too much behind a CONNECT ends the connection; the login is given up."""
        robot = self.world.dial(STRANGER)
        robot.line.receive(robot.connection() + b"\0" * 70_000)
        self.ended(robot)
        self.assertEqual(self.world.factory.counts["violations"], 1)

    def test_death_during_login(self) -> None:
        """A client that dies before the verdict leaves no ghost, whatever the verdict is."""
        for verdict in (None, DUSTY_ITSELF, Failure(Refused(4, "no")), Failure(KeyError())):
            self.world.door.stubborn = verdict
            robot = self.world.dial(STRANGER)
            robot.connect()
            robot.line.drop()
            self.assertEqual((self.world.broker.clients.connected, robot.take()), (0, []))
            self.assertFalse(self.world.registry.online(DUSTY.did))
            self.ended(robot)
        self.assertEqual(self.world.door.cancelled, 4)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_verdict_after_the_deadline(self) -> None:
        """A connection that was given up lets nobody in, whatever the verdict is then."""
        for verdict in (None, DUSTY_ITSELF, Failure(Refused(4, "no"))):
            self.world.door.stubborn = verdict
            robot = self.world.dial(STRANGER)
            robot.connect()
            self.clock.advance(10)
            self.assertEqual((self.world.broker.clients.connected, robot.take()), (0, []))
            self.assertFalse(self.world.registry.online(DUSTY.did))
            self.ended(robot)
        self.assertEqual(self.world.door.cancelled, 3)

    def test_deadline(self) -> None:
        """Who is not logged in after ten seconds is gone, a byte now and then or not."""
        silent, slow = self.world.dial(ALICE), self.world.dial(DUSTY_ITSELF)
        for byte in slow.connection()[:9]:
            self.clock.advance(1)
            slow.send(bytes([byte]))
        self.assertFalse(silent.line.over or slow.line.over)
        self.clock.advance(1)
        self.ended(silent)
        self.ended(slow)

    def test_first_packet(self) -> None:
        """What does not start with CONNECT is closed at its first byte."""
        for first in (b"\x30", b"\xc0", b"G", b"\x16", b"\x20"):
            client = self.world.dial(ALICE)
            client.send(first)
            self.ended(client)

    def test_second_connect(self) -> None:
        """A second CONNECT ends the connection (MQTT-3.1.0-2)."""
        client = self.world.connect(ALICE)
        client.connect()
        self.ended(client)


class TakeoverTests(WorldCase):
    """A robot reconnects before its old connection is found dead."""

    def test_new_link_lives(self) -> None:
        """The old connection is closed; its end does not make the robot unreachable."""
        online: list[bool] = []
        self.world.registry.watch(lambda _, here: online.append(here))
        old = self.world.robot(DUSTY_ITSELF)
        new = self.world.dial(DUSTY_ITSELF)
        new.connect()
        new.subscribe(topics.robot_filters(DUSTY)[0])
        asked = self.world.commands.send(GET_BATTERY)
        self.assertTrue(old.line.lost)
        self.assertEqual(online, [True, True])
        [question] = new.heard()
        new.answer(question, b"{}")
        self.assertEqual(self.successResultOf(asked).body, b"{}")
        self.assertEqual((old.heard(), self.world.broker.clients.connected), ([], 1))

    def test_dead_peer(self) -> None:
        """An old connection that takes nothing any more is aborted; the new one stays."""
        old = self.world.robot(DUSTY_ITSELF)
        old.line.slow = True
        old.send(encode(PingReq()))
        new = self.world.connect(DUSTY_ITSELF)
        self.assertFalse(old.line.lost)
        self.clock.advance(HANG_UP)
        self.world.settle()
        self.assertTrue(old.line.aborted and old.line.lost)
        self.assertTrue(self.world.registry.online(DUSTY.did))
        self.assertEqual(new.verdict(), 0)

    def test_somebody_else(self) -> None:
        """An id in use is not given to another party: code 5, its owner undisturbed."""
        mine = self.world.connect(DASHBOARD)
        self.world.door.known[mine.name] = evolve(DASHBOARD, name="other")
        thief = self.world.connect(mine.name)
        self.assertEqual((thief.verdict(), thief.line.lost, mine.line.over), (5, True, False))

    def test_ping_pong(self) -> None:
        """More than so many takeovers a minute are refused; who is connected stays."""
        robots = [self.world.connect(DUSTY_ITSELF) for _ in range(5)]
        self.assertEqual([each.verdict() for each in robots], [0, 0, 0, 0, 5])
        self.assertFalse(robots[3].line.over)
        self.assertTrue(self.world.registry.online(DUSTY.did))
