"""Tests for L{bumper_tw.mqtt.answers}: what a client is owed while the disk is slow."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from bumper_tw.broker_interfaces import Granted, IMqttLane, IMqttOutlet, IMqttSession
from bumper_tw.errors import StorageError
from bumper_tw.front.outbox import UNREAD
from bumper_tw.mqtt.answers import CROWDED, HEAVY
from bumper_tw.values import Message, Principal
from bumper_tw.wire.mqtt_codec import encode
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    ConnectCode,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from tests.lines import BUFFER
from tests.mqtt.clients import Client, WorldCase, packets
from tests.samples import DASHBOARD


@implementer(IMqttSession)
@define(eq=False)
class SlowSession:
    """
    A session whose test is the disk.

    @ivar slow: whether what comes now has to be on disk first.
    @ivar disk: what has to be, in order.
    @ivar did: what else it was told, in order.
    """

    who: Principal = DASHBOARD
    present: bool = False
    slow: bool = True
    disk: list[Deferred[None]] = field(factory=list)
    did: list[object] = field(factory=list)
    ready: Deferred[None] | None = None
    filters: Sequence[str] = ()

    def turn_away(self, outlet: IMqttOutlet) -> None:
        self.did.append("turned away")

    def _keep(self) -> Deferred[None] | None:
        if not self.slow:
            return None
        kept: Deferred[None] = Deferred()
        self.disk.append(kept)
        return kept

    def resume(self) -> None:
        self.did.append("resumed")

    def subscribe(self, requests: Sequence[tuple[str, int]]) -> Granted:
        return Granted(requests, [qos for _, qos in requests], self._keep())

    def remind(self, granted: Granted) -> None:
        self.did.append(granted.requests)

    def unsubscribe(self, filters: Sequence[str]) -> Deferred[None] | None:
        return self._keep()

    def publish(self, message: Message, packet_id: int | None = None) -> Deferred[None] | None:
        return self._keep()

    def current_lanes(self) -> "dict[bytes, IMqttLane | None]":
        return {}

    def lane(self, topic: bytes) -> "IMqttLane | None":
        return None

    def released(self, packet_id: int) -> Deferred[None] | None:
        return self._keep()

    def acknowledged(self, packet_id: int) -> None:
        self.did.append(PubAck(packet_id))

    def received(self, packet_id: int) -> None:
        self.did.append(PubRec(packet_id))

    def completed(self, packet_id: int) -> None:
        self.did.append(PubComp(packet_id))

    def drained(self) -> None:
        self.did.append("drained")

    def last_words(self) -> None:
        self.did.append("last words")

    def close(self, outlet: IMqttOutlet, farewell: bool) -> None:
        self.did.append(("closed", farewell))


class OneSession:
    """A broker that has one session for everybody."""

    def __init__(self, session: SlowSession) -> None:
        self.session = session

    def open(self, *arguments: object) -> SlowSession:
        """Whoever it is."""
        return self.session


class SlowDiskCase(WorldCase):
    """A client that is let in, and a disk that the test moves."""

    def setUp(self) -> None:
        super().setUp()
        self.session = SlowSession()
        self.world.factory.broker = OneSession(self.session)  # type: ignore[assignment]  # a part
        self.client = self.world.connect(DASHBOARD)
        self.client.take()

    def say(self, *said: Packet) -> None:
        """The client speaks."""
        self.client.send(*map(encode, said))

    def publish(self, first: int, last: int, body: bytes = b"") -> None:
        """It publishes with QoS 1, under these identifiers."""
        self.say(*(Publish("a", body, 1, packet_id=number) for number in range(first, last)))

    def heard(self, client: Client | None = None) -> list[Packet]:
        """What it has heard since the last look."""
        return packets((client or self.client).take_raw())


class OrderTests(SlowDiskCase):
    """Answers come in the order of the questions."""

    def test_interface(self) -> None:
        """The fake is a session."""
        self.assertTrue(verifyObject(IMqttSession, self.session))

    def test_waits(self) -> None:
        """What has to be on disk is acknowledged when it is."""
        self.publish(1, 2)
        self.assertEqual(self.heard(), [])
        self.session.disk[0].callback(None)
        self.assertEqual(self.heard(), [PubAck(1)])

    def test_in_order(self) -> None:
        """What is on disk early waits for what was said before it (MQTT-4.6.0-2)."""
        self.publish(1, 4)
        for number in (2, 1, 0):
            self.assertEqual(self.heard(), [])
            self.session.disk[number].callback(None)
        self.assertEqual(self.heard(), [PubAck(1), PubAck(2), PubAck(3)])

    def test_behind(self) -> None:
        """What need not be on disk waits, too, and nothing does once all is said."""
        self.publish(1, 2)
        self.session.slow = False
        self.publish(2, 3)
        self.say(Publish("a", b"", 2, packet_id=3), PubRel(3), Unsubscribe(4, ("a",)))
        self.assertEqual(self.heard(), [])
        self.session.disk[0].callback(None)
        expected = [PubAck(1), PubAck(2), PubRec(3), PubComp(3), UnsubAck(4)]
        self.assertEqual(self.heard(), expected)
        self.publish(5, 6)
        self.assertEqual(self.heard(), [PubAck(5)])

    def test_all_kinds(self) -> None:
        """Whatever changes the disk is acknowledged after that, PINGRESP at once."""
        self.say(
            Publish("a", b"", 2, packet_id=1),
            PubRel(1),
            Subscribe(2, (("b", 1),)),
            Unsubscribe(3, ("b",)),
            PingReq(),
        )
        self.assertEqual(self.heard(), [PingResp()])
        for kept, answer in zip(
            self.session.disk,
            (PubRec(1), PubComp(1), SubAck(2, (1,)), UnsubAck(3)),
            strict=True,
        ):
            kept.callback(None)
            self.assertEqual(self.heard(), [answer])

    def test_remind(self) -> None:
        """What is retained comes behind the SUBACK, not before."""
        self.say(Subscribe(2, (("b", 1),)))
        self.assertEqual(self.session.did, ["resumed"])
        self.session.disk[0].callback(None)
        self.assertEqual(self.session.did, ["resumed", (("b", 1),)])

    def test_no_answer_to_qos_0(self) -> None:
        """QoS 0 is not answered, and waits for nothing."""
        self.session.slow = False
        self.say(Publish("a", b""), PingReq())
        self.assertEqual(self.heard(), [PingResp()])

    def test_acknowledgements_in(self) -> None:
        """What the client has is passed on to its session."""
        self.say(PubAck(1), PubRec(2), PubComp(2))
        self.assertEqual(self.session.did[1:], [PubAck(1), PubRec(2), PubComp(2)])


class PressureTests(SlowDiskCase):
    """Who says more than the disk takes is not listened to for a while."""

    def settle(self, first: int, last: int) -> None:
        """The disk has these."""
        for kept in self.session.disk[first:last]:
            kept.callback(None)
        self.world.settle()

    def test_many(self) -> None:
        """A thousand answers may wait; at half of that we listen again."""
        self.publish(1, CROWDED + 1)
        self.assertTrue(self.client.line.reading)
        self.publish(CROWDED + 1, CROWDED + 2)
        self.assertFalse(self.client.line.reading)
        self.publish(CROWDED + 2, CROWDED + 3)
        self.settle(0, CROWDED // 2)
        self.assertFalse(self.client.line.reading)
        self.settle(CROWDED // 2, CROWDED // 2 + 1)
        self.assertTrue(self.client.line.reading)
        self.assertEqual(len(self.session.disk), CROWDED + 2)
        self.settle(CROWDED // 2 + 1, CROWDED + 2)
        answers = [PubAck(number) for number in range(1, CROWDED + 3)]
        self.assertEqual(self.heard(), answers)

    def test_much(self) -> None:
        """A mebibyte may wait."""
        self.publish(1, 5, bytes(HEAVY // 4))
        self.assertFalse(self.client.line.reading)
        self.settle(0, 2)
        self.assertFalse(self.client.line.reading)
        self.settle(2, 3)
        self.assertTrue(self.client.line.reading)

    def test_nobody_else(self) -> None:
        """Others are listened to meanwhile."""
        other = self.world.connect(DASHBOARD)
        self.publish(1, CROWDED + 2)
        self.assertEqual((self.client.line.reading, other.line.reading), (False, True))

    def test_not_silent(self) -> None:
        """Who is not listened to is not silent; its time starts when it is heard again."""
        self.publish(1, CROWDED + 2)
        self.clock.advance(100)
        self.clock.advance(100)
        self.assertFalse(self.client.line.over)
        self.settle(0, CROWDED + 1)
        self.ended(self.client, within=90)

    def test_closing_listens(self) -> None:
        """A connection that ends while it is not listened to is listened to again, to end."""
        self.publish(1, CROWDED + 2)
        self.world.factory.farewell()
        self.assertTrue(self.client.line.reading)
        self.ended(self.client)


class EndTests(SlowDiskCase):
    """What waits when the disk fails, or the client goes."""

    def test_disk_fails(self) -> None:
        """Nothing is acknowledged from there on; the connection ends with one line."""
        self.publish(1, 4)
        with capturedLogs() as said:
            self.session.disk[1].errback(Failure(StorageError("disk full")))
            self.session.disk[0].callback(None)
            self.session.disk[2].errback(Failure(StorageError("disk full")))
        self.assertEqual(self.heard(), [])
        self.ended(self.client)
        [line] = [each["reason"] for each in said if "reason" in each]
        self.assertIn("disk full", line)
        self.assertEqual(self.session.did[-1], ("closed", False))

    def test_first_in_order_all_the_same(self) -> None:
        """What was on disk before the failure is acknowledged before the end."""
        self.publish(1, 3)
        self.session.disk[0].callback(None)
        self.session.disk[1].errback(Failure(StorageError("disk full")))
        self.assertEqual(self.heard(), [PubAck(1)])
        self.ended(self.client)

    def test_bug(self) -> None:
        """Anything else that goes wrong ends the connection, too, and is in the log."""
        self.publish(1, 2)
        self.session.disk[0].errback(Failure(KeyError("a bug")))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.ended(self.client)

    def test_client_gone(self) -> None:
        """A client that is gone gets nothing, however the disk decides."""
        self.publish(1, 3)
        self.say(Subscribe(3, (("b", 1),)))
        self.client.line.drop()
        self.session.disk[0].callback(None)
        self.session.disk[1].errback(Failure(StorageError("disk full")))
        self.session.disk[2].callback(None)
        self.assertEqual(self.heard(), [])
        self.assertEqual(self.session.did, ["resumed", ("closed", False)])
        self.ended(self.client)

    def fill(self) -> None:
        """The client stops reading, and its transport is full."""
        self.client.line.slow = True
        self.client.line.protocol.write(bytes(BUFFER + 1))  # type: ignore[attr-defined]  # ours

    def test_asks_and_does_not_read(self) -> None:
        """Who asks and does not read is closed, also when its answers had to wait."""
        self.fill()
        while not self.client.line.over and len(self.session.disk) < UNREAD:
            first = len(self.session.disk)
            self.publish(1, CROWDED + 1)
            for kept in self.session.disk[first:]:
                kept.callback(None)
        self.assertTrue(self.client.line.closing)
        self.assertEqual(self.world.factory.counts["violations"], 1)

    def test_drained(self) -> None:
        """The session is told when nothing waits for the client any more."""
        self.fill()
        self.say(PingReq())
        self.assertEqual(self.session.did, ["resumed"])
        self.client.line.read_on()
        self.assertEqual(self.session.did, ["resumed", "drained"])

    def test_still_too_much(self) -> None:
        """It is not told while what waited fills the transport again."""
        self.fill()
        line = self.client.line
        line.protocol.write(bytes(BUFFER + 1))  # type: ignore[attr-defined]  # ours
        line.waiting.clear()
        assert line.producer is not None
        line.producer.resumeProducing()
        self.assertEqual(self.session.did, ["resumed"])
        line.read_on()
        self.assertEqual(self.session.did, ["resumed", "drained"])


class ReadyTests(SlowDiskCase):
    """A client whose CONNACK waits for the disk."""

    def setUp(self) -> None:
        super().setUp()
        self.session.ready = self.ready = Deferred[None]()
        self.session.did.clear()
        self.waiting = self.world.connect(DASHBOARD)

    def test_let_in(self) -> None:
        """It is let in when the disk has forgotten what was left."""
        self.assertEqual((self.waiting.take(), self.session.did), ([], []))
        self.ready.callback(None)
        self.assertEqual(self.waiting.take(), [ConnAck(ConnectCode.ACCEPTED)])

    def test_gone(self) -> None:
        """Gone before that, it was never let in, and leaves no will."""
        self.waiting.line.drop()
        self.assertEqual(self.session.did, ["turned away"])

    def test_full(self) -> None:
        """When the disk refuses, it is told that the server cannot serve it now."""
        self.ready.errback(Failure(StorageError("disk full")))
        self.assertEqual(self.waiting.take(), [ConnAck(ConnectCode.SERVER_UNAVAILABLE)])
        self.assertEqual(self.session.did, ["turned away"])
