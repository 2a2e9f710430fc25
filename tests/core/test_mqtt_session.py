"""Tests for L{bumper_tw.core.mqtt_session}."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_router import BrokerLimits
from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.core.repeats import LINES
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_codec import PacketBuffer
from bumper_tw.wire.mqtt_packets import Publish
from tests.core.brokers import Party, make_broker
from tests.samples import (
    ALICE,
    DUSTY,
    DUSTY_DEVICE,
    DUSTY_ITSELF,
    RUSTY,
    RecordingLink,
)

ALL_REPORTS = f"iot/atr/+/{DUSTY}/+"
REPORT = f"iot/atr/onBattery/{DUSTY}/j"
LIMITS = SessionLimits(subscriptions=4, inflight=2, queued=3, backlog=4000)


class SessionCase(SynchronousTestCase):
    """A user's session with small limits."""

    def setUp(self) -> None:
        self.registry = DeviceRegistry(Clock(), MemoryDeviceStore())
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.broker = make_broker(Clock(), self.registry, BrokerLimits(LIMITS))
        party = Party(self.broker, ALICE, "a")
        self.session, self.outlet = party.session, party.outlet

    def hear(self, *bodies: bytes, qos: int = 0) -> None:
        """The robot reports."""
        for body in bodies:
            self.broker.publish(Message(REPORT, body, qos))

    def grant(self, requests: Sequence[tuple[str, int]]) -> list[int]:
        """What a SUBSCRIBE is answered."""
        return list(self.session.subscribe(requests).codes)

    def written(self) -> list[Publish]:
        """What went out since the last look."""
        data = b"".join(self.outlet.written)
        self.outlet.written.clear()
        return [each for each in PacketBuffer(2**21).feed(data) if isinstance(each, Publish)]

    def dropped(self) -> int:
        """How many publications were given up."""
        return self.broker.counts["dropped for slow readers"]


class SubscribeTests(SessionCase):
    """Each filter gets its own verdict."""

    def test_positions(self) -> None:
        """A refusal stands where its filter stood; the others are granted (mqtt.md 5.2)."""
        requests = [("iot/#", 0), (ALL_REPORTS, 0), ("a/#/b", 0), (f"attr/{DUSTY.did}", 1)]
        self.assertEqual(self.grant(requests), [0x80, 0, 0x80, 1])
        self.assertEqual(self.broker.counts["subscriptions denied"], 2)

    def test_qos(self) -> None:
        """Every QoS is granted as it is asked for."""
        for qos in (0, 1, 2):
            self.assertEqual(self.grant([(ALL_REPORTS, qos)]), [qos])

    def test_malformed(self) -> None:
        """A filter with a wildcard in the wrong place is refused, and breaks nothing."""
        wrong = ["", "iot/+x", "#/iot", "iot#", "a\0b"]
        self.assertEqual(self.grant([(each, 0) for each in wrong][:4]), [0x80] * 4)
        self.assertEqual(self.grant([(wrong[4], 0)]), [0x80])

    def test_cap(self) -> None:
        """Beyond so many filters the answer is no; one that is there may be renewed."""
        filters = [f"iot/atr/on{n}/{DUSTY}/j" for n in range(5)]
        codes = [code for each in filters for code in self.grant([(each, 0)])]
        self.assertEqual(codes, [0, 0, 0, 0, 0x80])
        self.assertEqual(self.grant([(filters[0], 1)]), [1])
        self.session.unsubscribe(filters[:1])
        self.assertEqual(self.grant([(filters[4], 0)]), [0])

    def test_many_in_one_packet(self) -> None:
        """Each filter of a packet is looked at; the same one again is no further subscription."""
        codes = self.grant([(ALL_REPORTS, 0)] * 1000)
        self.assertEqual((codes, len(self.broker.tree)), ([0] * 1000, 1))

    def test_again(self) -> None:
        """The same filter again replaces the QoS, and is one subscription."""
        self.session.subscribe([(ALL_REPORTS, 0)])
        self.session.subscribe([(ALL_REPORTS, 1)])
        self.hear(b"87", qos=1)
        [message] = self.written()
        self.assertEqual((message.qos, len(self.broker.tree)), (1, 1))


class LogTests(SessionCase):
    """What is denied is logged, and cannot flood the log."""

    def warned(self, events: Sequence[LogEvent]) -> list[str]:
        """What the warnings were about."""
        return [event["family"] for event in events if event["log_level"] is LogLevel.warn]

    def test_once_for_a_family(self) -> None:
        """One line a minute for each family of topics, counted every time."""
        with capturedLogs() as events:
            for number in range(30):
                self.session.publish(Message(f"iot/atr/on{number}/{DUSTY}/j", b""))
                self.session.publish(Message(f"iot/p2p/do{number}", b""))
        self.assertEqual(self.warned(events), ["iot/atr", "iot/p2p"])
        self.assertEqual(self.broker.counts["publications denied"], 60)

    def test_deeds(self) -> None:
        """Subscribing and publishing are told apart."""
        with capturedLogs() as events:
            self.session.publish(Message("iot/x/y", b""))
            self.session.subscribe([("iot/x/#", 0), ("iot/x/+", 0)])
        deeds = [event["deed"] for event in events if event["log_level"] is LogLevel.warn]
        self.assertEqual(deeds, ["publish to", "subscribe to"])

    def test_many_families(self) -> None:
        """Somebody who invents families gets short lines, and not without end."""
        with capturedLogs() as events:
            for number in range(3000):
                self.session.subscribe([(f"{number}{'x' * 400}/y", 0)])
        self.assertEqual(len(self.warned(events)), LINES)
        self.assertTrue(all(len(line) < 90 for line in self.warned(events)))


class DeliveryTests(SessionCase):
    """QoS 0 is dropped for slow readers; QoS 1 waits its turn, within bounds."""

    def subscribe(self, qos: int) -> None:
        """Hear the robot."""
        self.session.subscribe([(ALL_REPORTS, qos)])

    def test_qos_is_the_lower(self) -> None:
        """A message goes out with the lower of its own QoS and that granted."""
        for granted, sent, expected in ((0, 1, 0), (1, 0, 0), (1, 1, 1), (1, 2, 1), (2, 1, 1)):
            self.subscribe(granted)
            self.hear(b"x", qos=sent)
            [message] = self.written()
            self.assertEqual(message.qos, expected)
            self.assertEqual(message.packet_id is None, expected == 0)
            self.session.acknowledged(message.packet_id or 0)

    def test_never_retained(self) -> None:
        """Nothing goes out as retained or repeated."""
        self.subscribe(1)
        self.broker.publish(Message(REPORT, b"x", 1, retain=True))
        [message] = self.written()
        self.assertEqual((message.retain, message.dup), (False, False))

    def test_overlapping_best_qos(self) -> None:
        """Of two filters that match, the better QoS counts, in either order."""
        for first, second in ((0, 1), (1, 0)):
            self.session.subscribe([(ALL_REPORTS, first), (REPORT, second)])
            self.hear(b"x", qos=1)
            [message] = self.written()
            self.assertEqual(message.qos, 1)
            self.session.acknowledged(message.packet_id or 0)

    def test_window(self) -> None:
        """So many go out; the others wait, and each PUBACK lets one go, in order."""
        self.subscribe(1)
        self.hear(b"1", b"2", b"3", b"4", qos=1)
        first, second = self.written()
        self.session.acknowledged(second.packet_id or 0)
        self.session.acknowledged(second.packet_id or 0)
        [third] = self.written()
        self.session.acknowledged(first.packet_id or 0)
        [fourth] = self.written()
        self.assertEqual(
            [m.payload for m in (first, second, third, fourth)], [b"1", b"2", b"3", b"4"]
        )
        ids = {m.packet_id for m in (first, third, fourth)}
        self.assertEqual(len(ids), 3)

    def test_queue_is_bounded(self) -> None:
        """Behind window and queue, what comes is dropped and counted."""
        self.subscribe(1)
        self.hear(*[b"x"] * 10, qos=1)
        self.assertEqual((len(self.written()), self.dropped()), (2, 5))

    def test_queue_is_bounded_in_bytes(self) -> None:
        """Large publications that nobody acknowledges are dropped much earlier."""
        self.subscribe(1)
        self.hear(b"x" * 3000, b"x" * 3000, qos=1)
        self.assertEqual((len(self.written()), self.dropped()), (1, 1))
        self.session.acknowledged(1)
        self.hear(b"x" * 3000, qos=1)
        self.assertEqual((len(self.written()), self.dropped()), (1, 1))

    def test_unknown_acknowledgement(self) -> None:
        """A PUBACK for what was never sent means nothing."""
        self.subscribe(1)
        self.session.acknowledged(77)
        self.hear(b"x", qos=1)
        self.assertEqual(len(self.written()), 1)

    def test_ids_wrap(self) -> None:
        """After 65,535 comes 1, unless that is still in flight."""
        self.subscribe(1)
        self.hear(b"stays", qos=1)
        for _ in range(65_534):
            self.hear(b"x", qos=1)
            self.session.acknowledged(self.written()[-1].packet_id or 0)
        self.hear(b"next", qos=1)
        self.assertEqual(self.written()[0].packet_id, 2)

    def test_backlog(self) -> None:
        """In front of a slow reader QoS 0 is dropped once its backlog is full."""
        self.subscribe(0)
        self.outlet.waiting = 3900
        self.hear(b"x" * 20, b"x" * 200)
        self.assertEqual((len(self.written()), self.dropped()), (1, 1))

    def test_larger_than_the_backlog(self) -> None:
        """A publication of any size reaches a reader that is not slow."""
        self.subscribe(0)
        self.hear(b"x" * 5000)
        self.assertEqual((len(self.written()), self.dropped()), (1, 0))

    @given(st.lists(st.one_of(st.integers(0, 700), st.none()), max_size=40))
    def test_never_more_than_that(self, script: list[int | None]) -> None:
        """Whatever is published and acknowledged: order holds, and nothing waits unbounded."""
        self.setUp()
        self.subscribe(1)
        sent: list[bytes] = []
        open_ids: list[int] = []
        for number, size in enumerate(script):
            if size is not None:
                self.hear(b"%03d" % number + b"x" * size, qos=1)
            elif open_ids:
                self.session.acknowledged(open_ids.pop(0))
            for message in self.written():
                sent.append(message.payload[:3])
                open_ids.append(message.packet_id or 0)
            self.assertLessEqual(len(open_ids), 2)
        self.assertEqual(sent, sorted(sent))
        self.assertEqual(len(set(open_ids)), len(open_ids))


class PublishTests(SessionCase):
    """What may be said goes to the broker, the rest nowhere."""

    def test_robot(self) -> None:
        """A robot's own report passes, another's does not."""
        robot = Party(self.broker, DUSTY_ITSELF, "d").session
        ours: list[Message] = []
        self.broker.subscribe("#", ours.append)
        for device in (DUSTY, RUSTY):
            robot.publish(Message(f"iot/atr/onX/{device}/j", b"", origin=DUSTY_ITSELF))
        self.assertEqual([m.topic for m in ours], [f"iot/atr/onX/{DUSTY}/j"])
        self.assertEqual(self.broker.counts["published"], 1)
