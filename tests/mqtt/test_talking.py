"""Tests for L{bumper_tw.mqtt.protocol}: talking, being slow, and ending."""

from typing import Any, ClassVar

from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.front.outbox import UNREAD
from bumper_tw.mqtt.lifetime import HANG_UP
from bumper_tw.mqtt.protocol import MqttProtocol
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import (
    Disconnect,
    PingReq,
    PingResp,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    UnsubAck,
)
from tests.lines import BUFFER
from tests.mqtt.clients import WorldCase, packets, report_topic
from tests.samples import ALICE, DASHBOARD, DUSTY, DUSTY_ITSELF, RUSTY_ITSELF

ALL_REPORTS = f"iot/atr/+/{DUSTY}/+"
REPORT = report_topic(DUSTY)


class TalkTests(WorldCase):
    """What a client that is let in may say, and what it hears."""

    def test_subscribe(self) -> None:
        """Each filter has its verdict at its own position (mqtt.md 13, 4)."""
        self.world.robot(DUSTY_ITSELF)
        alice = self.world.connect(ALICE)
        alice.take()
        alice.subscribe(
            ALL_REPORTS,
            "iot/#",
            f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j",
            f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j",
            qos=1,
        )
        self.assertEqual(alice.codes(), (1, 0x80, 1, 1))

    def test_denied_publish(self) -> None:
        """What may not be said is acknowledged, dropped and counted (mqtt.md 5.3)."""
        self.world.robot(DUSTY_ITSELF)
        dashboard, rusty = self.world.connect(DASHBOARD), self.world.robot(RUSTY_ITSELF)
        dashboard.subscribe("iot/atr/+/+/+/+/+")
        dashboard.take()
        for qos in (0, 1, 2):
            rusty.publish(REPORT, b"forged", qos)
        self.assertEqual(len(rusty.take()), 2)
        self.assertEqual((dashboard.heard(), rusty.line.over), ([], False))
        self.assertEqual(self.world.broker.counts["publications denied"], 3)

    def test_unsubscribe(self) -> None:
        """UNSUBACK comes, and nothing after it."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.connect(ALICE)
        alice.subscribe(ALL_REPORTS)
        alice.take()
        packet_id, written = alice.speech.unsubscribe([ALL_REPORTS, "never"])
        alice.send(written)
        robot.publish(REPORT, b"1")
        self.assertEqual(alice.take(), [UnsubAck(packet_id)])

    def test_qos_1_in_and_out(self) -> None:
        """QoS 1 is acknowledged to the sender, and waits for the receiver's PUBACK."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.connect(ALICE)
        alice.subscribe(ALL_REPORTS, qos=1)
        alice.take()
        for number in range(40):
            robot.publish(REPORT, b"%d" % number, qos=1)
        self.assertEqual(robot.speech.pending, 40)
        robot.take()
        self.assertEqual(robot.speech.pending, 0)
        first = alice.heard()
        alice.acknowledge(*(each.packet_id for each in first))
        bodies = [each.payload for each in first + alice.heard()]
        self.assertEqual((len(first), bodies), (32, [b"%d" % number for number in range(40)]))

    def test_qos_2_in(self) -> None:
        """QoS 2 is delivered once, however often it is said, until it is released."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.connect(ALICE)
        alice.subscribe(ALL_REPORTS, qos=2)
        alice.take()
        said = Publish(REPORT, b"1", 2, packet_id=7)
        again = Publish(REPORT, b"1", 2, dup=True, packet_id=7)
        robot.send(encode(said), encode(again))
        self.assertEqual(packets(robot.take_raw()), [PubRec(7), PubRec(7)])
        self.assertEqual(len(alice.heard()), 1)
        robot.send(encode(PubRel(7)), encode(PubRel(7)))
        self.assertEqual(packets(robot.take_raw()), [PubComp(7), PubComp(7)])
        robot.send(encode(said))
        self.assertEqual(len(alice.heard()), 1)

    def test_qos_2_never_released(self) -> None:
        """Who leaves too many QoS 2 messages unreleased is closed."""
        robot = self.world.robot(DUSTY_ITSELF)
        said = [
            encode(Publish(REPORT, b"", 2, packet_id=n + 1))
            for n in range(SessionLimits().unreleased)
        ]
        robot.send(*said)
        self.assertFalse(robot.line.over)
        robot.send(encode(Publish(REPORT, b"", 2, packet_id=SessionLimits().unreleased + 1)))
        self.ended(robot)

    def test_byte_by_byte(self) -> None:
        """A whole conversation in single bytes is the same conversation."""
        robot, alice = self.world.dial(DUSTY_ITSELF), self.world.connect(ALICE)
        robot.pieces = True
        robot.connect()
        alice.subscribe(ALL_REPORTS)
        alice.take()
        robot.subscribe(f"p2p/{DUSTY.did}")
        robot.publish(REPORT, b"x" * 300, qos=1)
        robot.send(encode(PingReq()))
        self.assertEqual(len(robot.take()), 4)
        self.assertEqual([each.payload for each in alice.heard()], [b"x" * 300])

    def test_ping(self) -> None:
        """A sign of life is answered."""
        alice = self.world.connect(ALICE)
        alice.take()
        alice.send(encode(PingReq()))
        self.assertEqual(alice.take(), [PingResp()])

    def test_stray_acknowledgements(self) -> None:
        """Acknowledgements of what was never sent are harmless."""
        alice = self.world.connect(ALICE)
        alice.send(encode(PubRec(9)), encode(PubComp(9)))
        alice.acknowledge(9)
        self.assertFalse(alice.line.over)

    def test_limits(self) -> None:
        """Packets over a MiB and topics over 512 bytes close the connection (mqtt.md 3.6)."""
        for said in (
            b"\x30\xff\xff\xff\x7f",
            b"\x30\x80\x80\x80\x80\x01",
            encode(Publish("x" * 513, b"")),
            b"\x30\x05\x00\x03a/#",
            b"\x30\x05\x00\x03a\xff\xff",
            encode(Publish("a" + "/a" * 32, b"", 1, packet_id=1)),
        ):
            client = self.world.connect(ALICE)
            client.send(said)
            self.ended(client)
        self.assertEqual(self.world.factory.counts["violations"], 6)


class PatienceTests(WorldCase):
    """Silence ends a connection."""

    def test_keep_alive(self) -> None:
        """A client that promised a word every 120 s is dropped at 180 (mqtt.md 13, 14)."""
        robot = self.world.connect(DUSTY_ITSELF, keep_alive=120)
        self.clock.advance(179)
        robot.send(encode(PingReq()))
        self.clock.advance(179)
        self.assertFalse(robot.line.over)
        self.ended(robot, within=1)
        self.assertFalse(self.world.registry.online(DUSTY.did))

    def test_no_keep_alive(self) -> None:
        """Without a promise, or with a very long one, the server's own limit holds."""
        for keep_alive in (0, 65_535):
            client = self.world.connect(ALICE, keep_alive)
            self.clock.advance(3599)
            self.assertFalse(client.line.over)
            self.ended(client, within=1)

    def test_from_the_last_packet(self) -> None:
        """Its time counts from its last packet, not from when we look (MQTT-3.1.2-24)."""
        client = self.world.connect(ALICE, keep_alive=10)
        self.clock.advance(14)
        client.send(encode(PingReq()))
        self.clock.advance(14.5)
        self.assertFalse(client.line.over)
        self.ended(client, within=0.5)

    def test_pieces(self) -> None:
        """A piece that ends a packet and starts another is a sign of life, a mere start not."""
        client = self.world.connect(ALICE, keep_alive=10)
        said = encode(PingReq()) + encode(Publish("a", b"x" * 20))
        for seconds, piece in ((10, said[:1]), (4, said[1:4]), (14, said[4:8])):
            self.clock.advance(seconds)
            self.assertFalse(client.line.over)
            client.send(piece)
        self.ended(client, within=1)

    def test_one_call(self) -> None:
        """However much it says, one call looks after it, and is not moved."""
        client = self.world.connect(ALICE, keep_alive=10)
        [call] = self.clock.getDelayedCalls()
        due = call.getTime()
        self.clock.advance(5)
        client.send(encode(PingReq()))
        self.assertEqual([each.getTime() for each in self.clock.getDelayedCalls()], [due])

    def test_closing_takes_no_longer_for_a_talker(self) -> None:
        """A connection that is being closed ends in time, though its peer goes on talking."""
        client = self.world.connect(ALICE, 60)
        client.line.slow = True
        client.send(encode(PingReq()))
        self.world.factory.farewell()
        self.clock.advance(HANG_UP / 2)
        client.send(encode(PingReq()))
        self.ended(client, within=HANG_UP / 2)

    def test_goodbye(self) -> None:
        """DISCONNECT ends the connection, and what comes behind it is not heard."""
        robot, alice = self.world.robot(DUSTY_ITSELF), self.world.connect(ALICE)
        alice.subscribe(ALL_REPORTS)
        alice.take()
        robot.send(encode(Disconnect()), encode(Publish(REPORT, b"1")))
        self.assertTrue(robot.line.lost)
        self.assertFalse(self.world.registry.online(DUSTY.did))
        self.assertEqual(alice.heard(), [])


class SlowReaderTests(WorldCase):
    """Who does not read costs bounded memory, and nobody else anything."""

    options: ClassVar[dict[str, Any]] = {"session": SessionLimits(backlog=5000)}

    def setUp(self) -> None:
        super().setUp()
        self.robot = self.world.robot(DUSTY_ITSELF)
        self.slow, self.quick = self.world.connect(ALICE), self.world.connect(DASHBOARD)
        for client in (self.slow, self.quick):
            client.subscribe(ALL_REPORTS, qos=1)
            client.take()

    def report(self, first: int, last: int, qos: int = 0) -> None:
        """The robot says a kilobyte each time."""
        for number in range(first, last):
            self.robot.publish(REPORT, b"%04d" % number + b"x" * 1000, qos)

    def fill(self) -> None:
        """The slow one stops reading, and its transport is full."""
        self.slow.line.slow = True
        self.world.broker.publish(Message(REPORT, b"0000" + b"x" * BUFFER))

    def test_bounded(self) -> None:
        """The backlog is bounded, what does not fit is counted, the quick one hears all."""
        self.fill()
        self.report(1, 101)
        self.assertEqual(len(self.quick.heard()), 101)
        self.assertEqual(self.world.broker.counts["dropped for slow readers"], 96)
        self.slow.line.read_on()
        self.assertEqual(
            [m.payload[:4] for m in self.slow.heard()], [b"%04d" % n for n in range(5)]
        )

    def test_goes_on(self) -> None:
        """After the break everything comes again, in order."""
        self.fill()
        self.report(1, 3)
        self.slow.line.read_on()
        self.report(3, 5)
        self.assertEqual(
            [m.payload[:4] for m in self.slow.heard()], [b"%04d" % n for n in range(5)]
        )

    def test_qos_1(self) -> None:
        """What is not acknowledged is bounded too."""
        self.fill()
        self.report(1, 101, qos=1)
        self.slow.line.read_on()
        self.assertEqual(
            [m.payload[:4] for m in self.slow.heard()], [b"%04d" % n for n in range(4)]
        )

    def test_asks_and_does_not_read(self) -> None:
        """Who asks without end and reads no answer is closed; answers do not pile up."""
        self.flood(encode(PingReq()))

    def test_confirms_and_does_not_read(self) -> None:
        """The same with acknowledgements of what was never sent, which are answered, too."""
        self.flood(encode(PubRec(7)))

    def flood(self, packet: bytes) -> None:
        """The slow one sends a packet without end."""
        self.fill()
        asked = 0
        while not self.slow.line.over and asked < UNREAD:
            self.slow.send(packet * 10_000)
            asked += 10_000
        self.assertLess(len(self.slow.line.waiting), BUFFER + 2 * UNREAD)
        self.ended_soon()

    def ended_soon(self) -> None:
        """The slow one is closed, though it reads nothing."""
        self.assertTrue(self.slow.line.closing)
        self.clock.advance(HANG_UP)
        self.world.settle()
        self.assertTrue(self.slow.line.aborted and self.slow.line.lost)

    def test_closing(self) -> None:
        """While a slow one is being closed, nothing more is put in front of it."""
        self.fill()
        self.slow.send(b"\x10")
        waits = len(self.slow.line.waiting)
        self.report(1, 101)
        outlet = self.slow.line.protocol
        assert isinstance(outlet, MqttProtocol)
        outlet.write(b"late")
        self.assertEqual(len(self.slow.line.waiting), waits)
        self.ended_soon()
