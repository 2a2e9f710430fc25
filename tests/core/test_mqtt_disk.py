"""What the broker does while the disk is slow, or full."""

from attrs import evolve

from bumper_tw.errors import StorageError
from bumper_tw.wire.mqtt_packets import Packet, Publish, PubRel
from tests.core.brokers import Party
from tests.core.keeping import LAMP, KeepingCase


class DiskTests(KeepingCase):
    """What must be kept is acknowledged when it is on disk, and only then."""

    def setUp(self) -> None:
        super().setUp()
        self.keeper = self.hub()
        self.keeper.subscribe(("a", 2))
        self.disk.slow = True

    def test_nothing_to_keep(self) -> None:
        """What nobody keeps may be acknowledged at once, however slow the disk is."""
        guest = self.lamp()
        guest.subscribe(("b", 1))
        self.assertIsNone(guest.say("b", qos=1))
        self.assertIsNone(guest.say("b", qos=2, packet_id=1))
        self.assertEqual(len(guest.heard()), 2)

    def test_waits(self) -> None:
        """What is owed to a kept session waits for the disk, here and there; others do not."""
        guest = self.lamp()
        guest.subscribe(("a", 1))
        kept = guest.say("a", qos=1)
        assert kept is not None
        self.assertNoResult(kept)
        self.assertEqual((len(guest.heard()), self.keeper.heard()), (1, []))
        self.disk.catch_up()
        self.successResultOf(kept)
        self.assertEqual(len(self.keeper.heard()), 1)

    def test_qos_0(self) -> None:
        """QoS 0 is not kept."""
        self.assertIsNone(self.lamp().say("a"))
        self.assertEqual(len(self.keeper.heard()), 1)

    def test_retained(self) -> None:
        """So does what is retained."""
        kept = self.lamp().say("nobody", qos=1, retain=True)
        assert kept is not None
        self.assertNoResult(kept)
        self.disk.catch_up()
        self.successResultOf(kept)

    def test_repetition_waits(self) -> None:
        """A repetition is not acknowledged before the first one may be."""
        lamp = self.lamp(clean=False)
        lamp.say("a", qos=2, packet_id=1)
        again = lamp.say("a", qos=2, packet_id=1)
        assert again is not None
        self.assertNoResult(again)
        self.disk.catch_up()
        self.successResultOf(again)
        self.assertEqual(len(self.keeper.heard()), 1)

    def test_full(self) -> None:
        """What the disk refuses is not acknowledged, nor delivered to whom it is owed."""
        self.disk.slow, self.disk.full = False, True
        lamp = self.lamp(clean=False)
        kept = lamp.say("a", b"1", 2, packet_id=1)
        assert kept is not None
        self.failureResultOf(kept, StorageError)
        self.assertEqual(self.keeper.heard(), [])
        self.disk.full = False
        self.clock.advance(2)
        # The client comes again, and now it counts.
        kept = lamp.say("a", b"1", 2, packet_id=1)
        assert kept is not None
        self.successResultOf(kept)
        self.assertEqual(self.keeper.bodies(), [b"1"])
        self.clock.advance(2)
        self.restart()
        self.assertEqual(self.hub().bodies(), [b"1"])

    def test_gone_meanwhile(self) -> None:
        """A message for a session that ended before the disk was done goes nowhere."""
        kept = self.lamp().say("a", qos=1)
        assert kept is not None
        clean = self.hub(clean=True)
        self.disk.catch_up()
        self.successResultOf(kept)
        self.assertEqual((clean.take(), self.broker.clients.owed), ([], 0))


class OrderTests(KeepingCase):
    """Messages of one topic stay in order (MQTT-4.6.0-6)."""

    def test_slow_disk(self) -> None:
        """Also when some of them wait for the disk together."""
        hub = self.hub()
        hub.subscribe(("a", 1))
        self.disk.slow = True
        lamp = self.lamp()
        for number in range(5):
            lamp.say("a", b"%d" % number, 1)
        self.disk.catch_up()
        bodies: list[bytes] = []
        packets: list[Packet] = hub.take()
        while packets:
            bodies += [each.payload for each in packets if isinstance(each, Publish)]
            hub.acknowledge(*packets)
            packets = hub.take()
        self.assertEqual(bodies, [b"0", b"1", b"2", b"3", b"4"])

    def test_nothing_overtakes(self) -> None:
        """What has nothing to be kept does not overtake what has, at QoS 2."""
        hub, guest = self.hub(), self.lamp()
        hub.subscribe(("a", 2))
        guest.subscribe(("a", 2))
        speaker = Party(self.broker, evolve(LAMP, name="speaker"), "speaker")
        self.disk.slow = True
        speaker.say("a", b"1", 2, packet_id=1)
        hub.session.unsubscribe(["a"])
        speaker.say("a", b"2", 2, packet_id=2)
        self.assertEqual(guest.heard(), [])
        self.disk.catch_up()
        self.assertEqual(guest.bodies(), [b"1", b"2"])


class SlowStepTests(KeepingCase):
    """No step of QoS 2 is told before a restart would remember it, however often it is asked."""

    def test_released_again(self) -> None:
        """A PUBREL that is repeated is answered when the first one may be (MQTT-4.3.3-2)."""
        lamp = self.lamp(clean=False)
        lamp.say("a", qos=2, packet_id=1)
        self.disk.slow = True
        first, again = lamp.session.released(1), lamp.session.released(1)
        assert first is not None
        assert again is not None
        self.assertNoResult(first)
        self.assertNoResult(again)
        self.disk.catch_up()
        self.successResultOf(first)
        self.successResultOf(again)

    def test_received_again(self) -> None:
        """A PUBREC that is repeated, here or on the next connection, waits as the first did."""
        hub = self.hub()
        hub.subscribe(("a", 2))
        self.lamp().say("a", qos=2, packet_id=1)
        [message] = hub.heard()
        self.disk.slow = True
        hub.acknowledge(message)
        hub.acknowledge(message)
        hub.drop()
        back = self.hub()
        self.assertEqual((hub.take(), back.take()), ([], []))
        self.disk.catch_up()
        self.assertEqual(back.take(), [PubRel(1)])

    def test_forgotten_session(self) -> None:
        """Whoever starts anew is told so when what was left is gone from disk (MQTT-3.1.2-6)."""
        self.hub().drop()
        self.assertIsNone(self.lamp().session.ready)
        self.disk.slow = True
        ready = self.hub(clean=True).session.ready
        assert ready is not None
        self.assertNoResult(ready)
        self.disk.catch_up()
        self.successResultOf(ready)
        self.restart()
        self.assertFalse(self.hub().session.present)


class FullTests(KeepingCase):
    """A disk that refuses: nothing is doubled at QoS 2, and nobody is told what is not true."""

    def setUp(self) -> None:
        super().setUp()
        self.keeper, self.guest = self.hub(), self.lamp()
        self.keeper.subscribe(("a", 2))
        self.guest.subscribe(("a", 2))
        self.disk.full = True

    def test_exactly_once(self) -> None:
        """QoS 2 is held back from everybody, as its publisher will say it again."""
        speaker = Party(self.broker, evolve(LAMP, name="speaker"), "speaker")
        kept = speaker.say("a", b"1", 2, packet_id=1)
        assert kept is not None
        self.failureResultOf(kept, StorageError)
        self.disk.full = False
        self.clock.advance(2)
        speaker.say("a", b"1", 2, packet_id=1)
        self.assertEqual((self.guest.bodies(), self.keeper.bodies()), ([b"1"], [b"1"]))

    def test_retained(self) -> None:
        """QoS 0 promises nothing, so nothing fails for whoever publishes."""
        kept = self.guest.say("r", retain=True)
        assert kept is not None
        self.successResultOf(kept)
        self.assertEqual(self.broker.counts["not kept"], 1)

    def test_order(self) -> None:
        """What comes behind something that was not kept is not told to be kept either."""
        self.disk.full, self.disk.slow = False, True
        results = [self.guest.say("a", b"%d" % number, 1) for number in range(3)]
        self.disk.slow, self.disk.full = False, True
        _, flying = self.disk.writing.pop()
        flying.errback(StorageError("no space"))
        for result in results:
            assert result is not None
            self.failureResultOf(result, StorageError)
        self.assertEqual(self.keeper.heard(), [])

    def test_reminded(self) -> None:
        """Whoever cannot be told what is retained, as promised, has to begin anew."""
        self.disk.full = False
        self.guest.say("r", b"1", 1, retain=True)
        self.clock.advance(1)
        granted = self.keeper.session.subscribe([("r", 1)])
        self.disk.full = True
        self.keeper.session.remind(granted)
        self.assertEqual((len(self.keeper.outlet.closed), self.keeper.heard()), (1, []))
