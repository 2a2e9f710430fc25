"""What the broker keeps: persistent sessions, retained messages, wills; and what the disk says."""

from attrs import evolve

from bumper_tw.core.mqtt_window import weight_of
from bumper_tw.errors import ProtocolViolation
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_packets import PubRel
from tests.core.brokers import Party
from tests.core.keeping import HUB, LAMP, KeepingCase
from tests.samples import DUSTY, DUSTY_ITSELF


class SessionTests(KeepingCase):
    """A session that is kept goes on where it was (MQTT 3.1.1, 4.1)."""

    def test_present(self) -> None:
        """A session is there again until somebody asks for a clean one."""
        said = []
        for clean in (True, False, False, True, False):
            party = self.hub(clean)
            said.append(party.session.present)
            party.drop()
        self.assertEqual(said, [False, False, True, False, False])

    def test_queue(self) -> None:
        """What comes at QoS 1 and 2 while the client is away waits for it, in order."""
        for restarts in (0, 1):
            hub = self.hub(clean=True)
            hub.drop()
            hub = self.hub()
            hub.subscribe(("a/#", 2))
            hub.drop(farewell=True)
            lamp = self.lamp()
            for number, qos in enumerate((1, 0, 2, 1)):
                lamp.say("a/b", b"%d" % number, qos, packet_id=7 if qos == 2 else 0)
            for _ in range(restarts):
                self.clock.advance(1)
                self.restart()
            back = self.hub()
            first = back.heard()
            back.acknowledge(*first)
            release = [packet for packet in back.take() if isinstance(packet, PubRel)]
            self.assertEqual(len(release), 1)
            rest = [(m.payload, m.qos, m.dup) for m in first]
            self.assertEqual(rest, [(b"0", 1, False), (b"2", 2, False)])
            back.acknowledge(*release)
            self.assertEqual(self.hub_hears_rest(back), [])

    def hub_hears_rest(self, back: Party) -> list[bytes]:
        """Everything else, acknowledged."""
        rest: list[bytes] = []
        while heard := back.heard():
            rest += [m.payload for m in heard if m.payload != b"3"]
            back.acknowledge(*heard)
        return rest

    def test_again(self) -> None:
        """What was not acknowledged goes out again, marked, under its old identifier."""
        for restarts in (0, 1):
            self.hub(clean=True).drop()
            hub = self.hub()
            hub.subscribe(("a", 2))
            self.lamp().say("a", b"1", 1)
            self.lamp().say("a", b"2", 2, packet_id=1)
            sent = hub.heard()
            hub.acknowledge(sent[1])
            [release] = hub.take()
            hub.drop()
            for _ in range(restarts):
                self.restart()
            again = self.hub().take()
            self.assertEqual(again, [evolve(sent[0], dup=True), release])

    def test_released_only_once_on_disk(self) -> None:
        """PUBREL goes out when a restart would remember it (MQTT-4.3.3-1)."""
        hub = self.hub()
        hub.subscribe(("a", 2))
        self.lamp().say("a", b"1", 2, packet_id=1)
        [message] = hub.heard()
        self.disk.slow = True
        hub.acknowledge(message)
        self.assertEqual(hub.take(), [])
        self.disk.catch_up()
        assert message.packet_id is not None
        self.assertEqual(hub.take(), [PubRel(message.packet_id)])

    def test_settled(self) -> None:
        """What was acknowledged does not come back, and takes no room any more."""
        hub = self.hub()
        hub.subscribe(("a", 1))
        self.lamp().say("a", b"1", 1)
        hub.acknowledge(*hub.heard())
        self.assertEqual(self.broker.clients.owed, 0)
        self.clock.advance(1)
        self.restart()
        self.assertEqual(self.hub().take(), [])
        self.assertEqual(self.broker.clients.owed, 0)

    def test_unsubscribed(self) -> None:
        """What was taken back stays so after a restart; the rest stays subscribed."""
        hub = self.hub()
        hub.subscribe(("a", 1), ("b", 1))
        hub.session.unsubscribe(["a", "never"])
        self.restart()
        self.lamp().say("a", b"1", 1)
        self.lamp().say("b", b"2", 1)
        self.assertEqual(self.hub().bodies(), [b"2"])

    def test_repeated_publication(self) -> None:
        """A QoS 2 publication sent again after a restart is not published again."""
        lamp = self.lamp(clean=False)
        lamp.say("a", b"1", 2, packet_id=9)
        lamp.drop()
        self.restart()
        hub, lamp = self.hub(), self.lamp(clean=False)
        hub.subscribe(("a", 0))
        lamp.say("a", b"1", 2, packet_id=9)
        self.assertEqual(hub.bodies(), [])
        lamp.session.released(9)
        self.clock.advance(1)
        self.restart()
        hub, lamp = self.hub(), self.lamp(clean=False)
        lamp.say("a", b"2", 2, packet_id=9)
        self.assertEqual(hub.bodies(), [b"2"])

    def test_unreleased(self) -> None:
        """So many QoS 2 publications may wait for their PUBREL, and no more (attack 13)."""
        lamp = self.lamp()
        for number in (1, 2, 3, 3):
            lamp.say("a", qos=2, packet_id=number)
        self.assertRaises(ProtocolViolation, lamp.say, "a", b"x", 2, packet_id=4)
        lamp.session.released(1)
        lamp.say("a", qos=2, packet_id=4)
        self.assertEqual(self.broker.counts["published"], 4)

    def test_not_in_time(self) -> None:
        """Whoever does not come back in time starts anew, also after a restart."""
        self.hub().drop()
        self.lamp(clean=False)
        self.clock.advance(60)
        self.restart()
        self.clock.advance(60)
        self.broker.sweep()
        self.assertEqual((self.hub().session.present, self.broker.clients.away), (False, 1))

    def test_too_many(self) -> None:
        """With no room left a session is not kept; nobody else's gives way."""
        for number in range(8):
            account = evolve(LAMP, name=f"account {number // 2}")
            Party(self.broker, account, f"id{number}", clean=False).drop()
        self.hub().drop()
        self.assertFalse(self.hub().session.present)
        self.assertEqual(self.broker.clients.away, 8)

    def test_share(self) -> None:
        """Whoever makes up client ids takes room from nobody else: its oldest session ends."""
        self.hub().drop()
        for name in ("one", "two", "three"):
            self.clock.advance(1)
            Party(self.broker, LAMP, name, clean=False).drop()
        present = [
            Party(self.broker, LAMP, name, clean=False).session.present
            for name in ("three", "two", "one")
        ]
        self.assertEqual(present, [True, True, False])
        self.assertTrue(self.hub().session.present)

    def test_queue_is_bounded(self) -> None:
        """What is owed to one client is bounded in number and bytes, dropped and counted."""
        hub = self.hub()
        hub.subscribe(("a", 1))
        hub.drop()
        for _ in range(7):
            self.lamp().say("a", b"x", 1)
        self.assertEqual(self.dropped(), 2)

    def test_all_queues_are_bounded(self) -> None:
        """So is what is owed to all of them (attack 17)."""
        for who, name in ((HUB, "hub1"), (LAMP, "lamp1")):
            party = Party(self.broker, who, name, clean=False)
            party.subscribe(("a", 1))
            party.drop()
        stranger = Party(self.broker, evolve(LAMP, name="x"), "x")
        for _ in range(5):
            stranger.say("a", bytes(200), 1)
        each = weight_of(Message("a", bytes(200)))
        self.assertEqual((self.dropped(), self.broker.clients.owed), (4, 6 * each))
        # Somebody who is here and keeps up is not kept waiting for what others left.
        here = Party(self.broker, LAMP, "here", clean=False)
        here.subscribe(("a", 1))
        stranger.say("a", b"x", 1)
        self.assertEqual(here.bodies(), [b"x"])

    def test_own_sessions(self) -> None:
        """A client id belongs to an account: under another one it means another session."""
        self.hub().drop()
        other = Party(self.broker, evolve(HUB, name="other"), "hub1", clean=False)
        self.assertFalse(other.session.present)
        other.drop()
        self.assertTrue(self.hub().session.present)


class RetainedTests(KeepingCase):
    """The last word on a topic is for whoever comes later (MQTT 3.1.1, 3.3.1.3)."""

    def test_flag(self) -> None:
        """It is marked for a new subscription, and only there (MQTT-3.3.1-8, -9)."""
        hub = self.hub()
        hub.subscribe(("a", 1))
        self.lamp().say("a", b"1", 1, retain=True)
        [live] = hub.heard()
        hub.acknowledge(live)
        hub.subscribe(("a", 1))
        [kept] = hub.heard()
        self.assertEqual((live.retain, kept.retain, kept.payload), (False, True, b"1"))

    def test_lives_on(self) -> None:
        """It is there after a restart; what was cleared is not."""
        for topic, body in (("a", b"1"), ("b", b"2"), ("b", b""), ("c", b"3")):
            self.lamp().say(topic, body, retain=True)
        self.clock.advance(1)
        self.restart()
        hub = self.hub()
        hub.subscribe(("#", 0))
        self.assertEqual(sorted(hub.bodies()), [b"1", b"3"])

    def test_downgraded(self) -> None:
        """It comes with the lower of its QoS and that of the subscription."""
        for qos in (0, 1, 2):
            self.lamp().say(f"q/{qos}", b"%d" % qos, qos, retain=True, packet_id=qos // 2)
        hub = self.hub()
        hub.subscribe(("q/+", 1))
        heard = hub.heard()
        self.assertEqual({(m.payload, m.qos) for m in heard}, {(b"0", 0), (b"1", 1), (b"2", 1)})

    def test_many(self) -> None:
        """More than the window holds comes as the client acknowledges."""
        lamp = self.lamp()
        for number in range(50):
            lamp.say(f"many/{number}", b"%d" % number, 1, retain=True)
        hub = self.hub()
        hub.subscribe(("many/#", 1))
        bodies = []
        while heard := hub.heard():
            self.assertLessEqual(len(heard), 2)
            bodies += [m.payload for m in heard]
            hub.acknowledge(*heard)
        self.assertEqual(sorted(map(int, bodies)), list(range(50)))
        self.assertEqual(self.dropped(), 0)

    def test_slow_reader(self) -> None:
        """In front of a slow reader it waits until that reads again."""
        for number in range(5):
            self.lamp().say(f"many/{number}", bytes(400), retain=True)
        hub = self.hub()
        hub.outlet.waiting = 1
        hub.subscribe(("many/#", 0))
        self.assertEqual(hub.heard(), [])
        hub.outlet.waiting = 0
        hub.session.drained()
        self.assertEqual((len(hub.heard()), self.dropped()), (5, 0))

    def test_robots_retain_nothing(self) -> None:
        """A robot's report is delivered and not retained (mqtt.md 3.6)."""
        report = f"iot/atr/onBattery/{DUSTY}/j"
        Party(self.broker, DUSTY_ITSELF, "d").say(report, retain=True)
        hub = self.hub()
        hub.subscribe(("iot/atr/#", 0))
        self.assertEqual((hub.heard(), len(self.broker.retained)), ([], 0))

    def test_no_room(self) -> None:
        """A flood of topics is capped, and what is said is delivered all the same (attack 12)."""
        hub, lamp = self.hub(), self.lamp()
        hub.subscribe(("f/#", 0))
        for number in range(300):
            lamp.say(f"f/{number}", retain=True)
        self.assertEqual((len(hub.heard()), len(self.broker.retained)), (300, 200))
        self.assertEqual(self.broker.counts["not retained"], 100)

    def test_too_old(self) -> None:
        """What is too old goes, on disk, too."""
        self.lamp().say("a", retain=True)
        self.clock.advance(1001)
        self.broker.sweep()
        self.clock.advance(1)
        self.restart()
        self.assertEqual(len(self.broker.retained), 0)


class WillTests(KeepingCase):
    """The last words of who vanishes (MQTT 3.1.1, 3.1.2.5)."""

    def setUp(self) -> None:
        super().setUp()
        self.witness = self.hub()
        self.witness.subscribe(("will/#", 1))

    def will(self, topic: str = "will/lamp", *, retain: bool = False) -> Message:
        """What the lamp leaves."""
        return Message(topic, b"gone", 1, retain, LAMP)

    def test_vanished(self) -> None:
        """Whoever vanishes has its will published, once."""
        lamp = self.lamp(will=self.will())
        lamp.drop()
        lamp.drop()
        self.assertEqual(self.witness.bodies(), [b"gone"])

    def test_farewell(self) -> None:
        """Whoever says DISCONNECT has not; nor on the next connection without one."""
        self.lamp(will=self.will()).drop(farewell=True)
        self.lamp(clean=False, will=self.will()).drop(farewell=True)
        self.lamp(clean=False).drop()
        self.assertEqual(self.witness.bodies(), [])

    def test_taken_over(self) -> None:
        """Whoever loses its place to a newcomer has vanished."""
        self.lamp(will=self.will())
        self.lamp()
        self.assertEqual(self.witness.bodies(), [b"gone"])

    def test_retained(self) -> None:
        """A will may be retained."""
        self.lamp(will=self.will(retain=True)).drop()
        [message] = self.witness.heard()
        self.witness.acknowledge(message)
        self.witness.subscribe(("will/+", 0))
        [kept] = self.witness.heard()
        self.assertEqual((message.retain, kept.retain), (False, True))

    def test_forbidden(self) -> None:
        """A will under a topic that its author may not use is refused (attack 15)."""
        report = f"iot/atr/onBattery/{DUSTY}/j"
        self.lamp(will=self.will(report)).drop()
        self.assertEqual(self.broker.counts["publications denied"], 1)

    def test_own_will(self) -> None:
        """A session that lives on may hear its own will later."""
        lamp = self.lamp(clean=False, will=self.will())
        lamp.subscribe(("will/lamp", 1))
        lamp.drop()
        self.assertEqual(self.lamp(clean=False).bodies(), [b"gone"])
