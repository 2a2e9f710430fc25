"""Tests for L{bumper_tw.core.mqtt_router}."""

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.broker_interfaces import IMqttBroker, IMqttSession
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_clients import ClientLimits
from bumper_tw.core.mqtt_router import BrokerLimits
from bumper_tw.core.mqtt_session import MqttSession
from bumper_tw.errors import LoginRefused
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.values import Message, Principal
from bumper_tw.wire.mqtt_codec import PacketBuffer
from bumper_tw.wire.mqtt_packets import Publish
from tests.core.brokers import Party, make_broker
from tests.samples import (
    ALICE,
    DASHBOARD,
    DUSTY,
    DUSTY_DEVICE,
    DUSTY_ITSELF,
    RUSTY,
    RUSTY_ITSELF,
    RecordingLink,
    RecordingOutlet,
)

REPORT = f"iot/atr/onBattery/{DUSTY}/j"


def heard(outlet: RecordingOutlet) -> list[tuple[str, bytes]]:
    """The messages that reached a connection."""
    packets = PacketBuffer(2**20).feed(b"".join(outlet.written))
    return [(each.topic, each.payload) for each in packets if isinstance(each, Publish)]


class BrokerCase(SynchronousTestCase):
    """A broker, and a household with one robot."""

    def setUp(self) -> None:
        self.clock = Clock()
        registry = DeviceRegistry(self.clock, MemoryDeviceStore())
        registry.attach(DUSTY_DEVICE, RecordingLink())
        limits = BrokerLimits(clients=ClientLimits(takeovers=3))
        self.broker = make_broker(self.clock, registry, limits)

    @property
    def connected(self) -> int:
        """How many clients are here."""
        return self.broker.clients.connected

    def open(
        self, who: Principal, name: str = "", *filters: str
    ) -> tuple[MqttSession, RecordingOutlet]:
        """Somebody connects and subscribes."""
        party = Party(self.broker, who, name or who.name)
        for wanted in filters:
            self.assertEqual(party.subscribe((wanted, 0)), [0])
        return party.session, party.outlet


class FanOutTests(BrokerCase):
    """A publication reaches who is entitled to it, once, in order."""

    def test_interfaces(self) -> None:
        """Broker and session are what connections expect."""
        self.assertTrue(verifyObject(IMqttBroker, self.broker))
        self.assertTrue(verifyObject(IMqttSession, self.open(ALICE)[0]))

    def test_clients_and_we(self) -> None:
        """What a robot reports reaches clients, services and our own listeners."""
        ours: list[Message] = []
        self.broker.subscribe("iot/atr/#", ours.append)
        _, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/j")
        _, dashboard = self.open(DASHBOARD, "b", "iot/atr/+/+/+/+/+")
        robot, itself = self.open(DUSTY_ITSELF)
        robot.publish(Message(REPORT, b"87", origin=DUSTY_ITSELF))
        self.assertEqual(heard(alice), [(REPORT, b"87")])
        self.assertEqual(heard(dashboard), [(REPORT, b"87")])
        self.assertEqual([(m.topic, m.origin) for m in ours], [(REPORT, DUSTY_ITSELF)])
        self.assertEqual(heard(itself), [])

    def test_another_robots_name(self) -> None:
        """What a robot says under another's name reaches nobody (mqtt.md 13, 5)."""
        ours: list[Message] = []
        self.broker.subscribe("#", ours.append)
        _, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/j")
        robot, _ = self.open(RUSTY_ITSELF)
        robot.publish(Message(REPORT, b"1", origin=RUSTY_ITSELF))
        self.assertEqual((heard(alice), ours), ([], []))
        self.assertEqual(self.broker.counts["publications denied"], 1)

    def test_overlapping(self) -> None:
        """Two filters of one client that both match deliver once."""
        _, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/+", f"iot/atr/onBattery/{DUSTY}/j")
        self.broker.publish(Message(REPORT, b"87"))
        self.assertEqual(heard(alice), [(REPORT, b"87")])

    def test_unsubscribed(self) -> None:
        """After UNSUBSCRIBE nothing comes; what was not subscribed may be unsubscribed."""
        session, alice = self.open(ALICE, "a", f"attr/{DUSTY.did}", f"iot/atr/+/{DUSTY}/+")
        session.unsubscribe([f"iot/atr/+/{DUSTY}/+", "iot/never"])
        self.broker.publish(Message(REPORT, b"87"))
        self.assertEqual((heard(alice), len(self.broker.tree)), ([], 1))

    def test_closed(self) -> None:
        """A closed session hears nothing, and leaves no subscription behind."""
        session, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/+")
        session.close(alice, farewell=True)
        session.close(alice, farewell=False)
        self.broker.publish(Message(REPORT, b"87"))
        self.assertEqual((heard(alice), len(self.broker.tree), self.connected), ([], 0, 0))

    def test_question_before_answer(self) -> None:
        """An answer given while the question is still going round comes behind it for all."""
        answer = Message(f"iot/p2p/clean/{DUSTY}/a/b/c/p/wxyz/j", b"ok")
        question = Message(f"iot/p2p/clean/a/b/c/{DUSTY}/q/wxyz/j", b"go")
        stop = self.broker.subscribe("iot/p2p/clean/a/#", lambda _: self.broker.publish(answer))
        filters = (f"iot/p2p/+/+/+/+/{DUSTY}/q/+/j", f"iot/p2p/+/{DUSTY}/+/+/+/p/+/j")
        _, late = self.open(ALICE, "late", *filters)
        self.broker.publish(question)
        self.assertEqual([body for _, body in heard(late)], [b"go", b"ok"])
        stop()

    def test_broken_listener(self) -> None:
        """One subscriber that breaks is logged, and keeps nothing from the others."""

        def broken(_: Message) -> None:
            raise ZeroDivisionError

        self.broker.subscribe("iot/#", broken)
        _, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/+")
        self.broker.publish(Message(REPORT, b"87"))
        self.broker.publish(Message(REPORT, b"86"))
        self.assertEqual([body for _, body in heard(alice)], [b"87", b"86"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_short_names(self) -> None:
        """What a client says in short is for us alone; what we say in short, for clients."""
        ours: list[Message] = []
        self.broker.subscribe("attr/+", ours.append)
        _, alice = self.open(ALICE, "a", f"attr/{DUSTY.did}")
        robot, _ = self.open(DUSTY_ITSELF)
        robot.publish(Message(f"attr/{DUSTY.did}", b"theirs", origin=DUSTY_ITSELF))
        self.assertEqual(([m.payload for m in ours], heard(alice)), ([b"theirs"], []))
        self.broker.publish(Message(f"attr/{DUSTY.did}", b"ours"))
        self.assertEqual(heard(alice), [(f"attr/{DUSTY.did}", b"ours")])

    def test_wanted(self) -> None:
        """A topic is wanted while a client would hear it; our own ears do not count."""
        self.broker.subscribe("#", lambda _: None)
        self.assertFalse(self.broker.wanted(REPORT))
        session, alice = self.open(ALICE, "a", f"iot/atr/+/{DUSTY}/+")
        self.assertTrue(self.broker.wanted(REPORT))
        session.close(alice, farewell=True)
        self.assertFalse(self.broker.wanted(REPORT))


class TakeoverTests(BrokerCase):
    """A client id has one connection (mqtt.md 3.6)."""

    def test_newcomer_wins(self) -> None:
        """The older connection is closed and hears no more; the new one is in its place."""
        _, old = self.open(DUSTY_ITSELF, "id", f"p2p/{DUSTY.did}")
        _, new = self.open(DUSTY_ITSELF, "id", f"p2p/{DUSTY.did}")
        self.broker.publish(Message(f"p2p/{DUSTY.did}", b"1"))
        self.assertEqual((len(old.closed), heard(old), self.connected), (1, [], 1))
        self.assertEqual([body for _, body in heard(new)], [b"1"])

    def test_old_undo_is_harmless(self) -> None:
        """When the older connection is found dead at last, the new session lives on."""
        older, outlet = self.open(DUSTY_ITSELF, "id")
        self.open(DUSTY_ITSELF, "id", f"p2p/{DUSTY.did}")
        older.close(outlet, farewell=False)
        self.assertEqual((self.connected, len(self.broker.tree)), (1, 1))

    def test_somebody_else(self) -> None:
        """Another party cannot take an id that is in use; its owner is not disturbed."""
        _, old = self.open(DASHBOARD, "id", "attr/+")
        for other in (ALICE, evolve(DASHBOARD, name="other")):
            self.assertRaises(LoginRefused, self.broker.open, other, "id", RecordingOutlet())
        self.broker.publish(Message(f"attr/{RUSTY.did}", b"1"))
        self.assertEqual((old.closed, len(heard(old))), ([], 1))

    def test_robot_with_another_resource(self) -> None:
        """A robot is in one place at a time, whatever client id it comes with."""
        _, old = self.open(DUSTY_ITSELF, "id")
        _, new = self.open(evolve(DUSTY_ITSELF, resource="new1"), "another id")
        self.assertEqual((len(old.closed), len(new.closed), self.connected), (1, 0, 1))

    def test_ping_pong(self) -> None:
        """An id that changes hands too often in a minute stays with whoever has it."""
        outlets = [self.open(DUSTY_ITSELF, "id")[1] for _ in range(4)]
        self.assertRaises(LoginRefused, self.broker.open, DUSTY_ITSELF, "id", RecordingOutlet())
        self.assertEqual([len(outlet.closed) for outlet in outlets], [1, 1, 1, 0])
        self.assertEqual(self.broker.clients.taken_over, 3)
        self.clock.advance(60)
        self.open(DUSTY_ITSELF, "id")
        self.assertEqual(len(outlets[-1].closed), 1)

    def test_two_ids_of_one_party(self) -> None:
        """One user may have several connections, each with its own id."""
        _, phone = self.open(ALICE, "phone")
        self.open(ALICE, "tablet")
        self.assertEqual((phone.closed, self.connected), ([], 2))
