"""Sessions: what they hold, how long, and what their clients hear of it (3.1.2.4, 4.1, 4.4)."""

from bumper_tw.wire.mqtt_packets import PubAck, Publish, PubRec, PubRel
from tests.mqtt.conformance.case import ConformanceCase, Peer, deliveries

DAY = 86_400


class PresentTests(ConformanceCase):
    """What CONNACK says."""

    def test_clean(self) -> None:
        """[MQTT-3.2.2-1] With clean session there is none, whatever was before."""
        self.assertFalse(self.join("c1").present)
        self.join("c1", clean=False).leave()
        self.assertFalse(self.join("c1").present)

    def test_kept(self) -> None:
        """[MQTT-3.2.2-2] [MQTT-3.2.2-3] Without it: none at first, one from then on."""
        self.assertFalse(self.join("c1", clean=False).present)
        for farewell in (True, False, True):
            peer = self.join("c1", clean=False)
            self.assertTrue(peer.present)
            peer.leave() if farewell else peer.vanish()
            self.clock.advance(60)

    def test_after_a_clean_one(self) -> None:
        """[MQTT-3.2.2-3] [MQTT-3.1.2-6] A clean session in between leaves none."""
        self.join("c1", clean=False).leave()
        self.join("c1").leave()
        self.assertFalse(self.join("c1", clean=False).present)

    def test_after_a_clean_one_was_ousted(self) -> None:
        """[MQTT-3.2.2-3] [MQTT-3.1.4-2] Nor does one that is taken over."""
        older = self.join("c1")
        older.subscribe("home/a", qos=1)
        newer = self.join("c1", clean=False)
        self.assertFalse(newer.present)
        self.announce("home/a", qos=1)
        self.assertEqual(newer.messages(), [])

    def test_of_somebody_else(self) -> None:
        """[MQTT-3.2.2-3] [MQTT-3.1.3-2] The session of another name is none."""
        self.join("c1", clean=False).leave()
        self.assertFalse(self.join("c2", clean=False).present)


class KeptTests(ConformanceCase):
    """What is there when the client comes back."""

    def come_back(self, *filters: str, qos: int = 1) -> None:
        """A client that has subscribed, and left."""
        self.hearer(*filters, qos=qos, name="c1", clean=False).leave()

    def back(self) -> Peer:
        """The same client again."""
        return self.join("c1", clean=False)

    def test_subscriptions(self) -> None:
        """[MQTT-3.1.2-4] [MQTT-4.1.0-1] Subscriptions are kept, with their QoS."""
        self.come_back("home/a", "home/+/b", qos=2)
        peer = self.back()
        for topic in ("home/a", "home/x/b", "home/other"):
            self.announce(topic, qos=2)
        self.assertEqual(
            [(m.topic, m.qos) for m in peer.messages()], [("home/a", 2), ("home/x/b", 2)]
        )

    def test_what_was_said_meanwhile(self) -> None:
        """[MQTT-3.1.2-5] [MQTT-4.6.0-6] QoS 1 and 2 wait for the client, in their order."""
        self.come_back("home/a", qos=2)
        publisher = self.join("publisher")
        for count in range(20):
            publisher.publish("home/a", b"%d" % count, 1 + count % 2)
        heard = self.back().messages()
        self.assertEqual([m.payload for m in heard], [b"%d" % n for n in range(20)])
        self.assertEqual([m.qos for m in heard], [1, 2] * 10)
        self.assertEqual([m.dup for m in heard], [False] * 20)
        self.assertEqual([m.retain for m in heard], [False] * 20)

    def test_the_granted_qos(self) -> None:
        """[MQTT-3.1.2-5] [MQTT-3.8.4-6] What is granted counts: QoS 0 need not wait."""
        self.come_back("home/a", qos=1)
        self.announce("home/a", b"two", 2)
        self.announce("home/a", b"one", 1)
        heard = self.back().messages()
        self.assertEqual([(m.payload, m.qos) for m in heard], [(b"two", 1), (b"one", 1)])

    def test_qos_0_is_never_owed(self) -> None:
        """[MQTT-4.3.1-1] A QoS 0 message comes at most once, and may be lost."""
        self.come_back("home/a", qos=2)
        self.announce("home/a", b"gone", 0)
        self.assertLessEqual(len(self.back().messages()), 1)
        self.assertEqual(self.back().messages(), [])

    def test_retained_messages_are_not_told_again(self) -> None:
        """[MQTT-3.3.1-9] A session that goes on makes no new subscriptions."""
        self.join("publisher").publish("home/a", b"kept", 1, retain=True)
        peer = self.hearer("home/a", qos=1, name="c1", clean=False)
        peer.acknowledge(peer.messages())
        peer.leave()
        self.assertEqual(self.back().messages(), [])

    def test_a_retained_message_while_away(self) -> None:
        """[MQTT-3.3.1-9] What was said with RETAIN meanwhile comes without it."""
        self.come_back("home/a")
        self.join("publisher").publish("home/a", b"new", 1, retain=True)
        [heard] = self.back().messages()
        self.assertEqual((heard.payload, heard.retain), (b"new", False))

    def test_for_days(self) -> None:
        """[MQTT-4.1.0-1] [MQTT-3.1.2-4] A session is kept for some days."""
        self.come_back("home/a")
        self.announce("home/a", b"x", 1)
        self.clock.pump([DAY / 4] * 12)
        peer = self.back()
        self.assertTrue(peer.present)
        self.assertEqual(peer.payloads(), [b"x"])

    def test_as_long_as_its_connection(self) -> None:
        """[MQTT-4.1.0-2] A session does not end while its connection lasts."""
        for name, clean in (("c1", True), ("c2", False)):
            peer = self.join(name, clean, keep_alive=3600)
            peer.subscribe("home/a", qos=1)
            for _ in range(24 * 10):
                self.clock.advance(3500)
                self.alive(peer)
            self.announce("home/a", b"x", 1)
            self.assertEqual(peer.payloads(), [b"x"])

    def test_disconnect_does_not_end_it(self) -> None:
        """[MQTT-3.1.2-4] Neither DISCONNECT nor its absence ends a kept session."""
        peer = self.hearer("home/a", qos=1, name="c1", clean=False)
        for farewell in (True, False):
            peer.leave() if farewell else peer.vanish()
            self.announce("home/a", b"x", 1)
            peer = self.back()
            heard = peer.messages()
            self.assertEqual([m.payload for m in heard], [b"x"])
            peer.acknowledge(heard)

    def test_clean_drops_everything(self) -> None:
        """[MQTT-3.1.2-6] Clean session drops subscriptions and what was owed, for good."""
        peer = self.hearer("home/a", qos=2, name="c1", clean=False)
        self.announce("home/a", b"one", 2)
        [one] = peer.messages()
        peer.say(PubRec(one.packet_id or 0))
        peer.leave()
        self.announce("home/a", b"two", 1)
        clean = self.join("c1")
        self.announce("home/a", b"three", 1)
        self.assertEqual(clean.hear(), [])
        clean.leave()
        kept = self.back()
        self.announce("home/a", b"four", 1)
        self.assertEqual((kept.present, kept.hear()), (False, []))

    def test_clean_leaves_nothing(self) -> None:
        """[MQTT-3.1.2-6] What a clean session did is not in the next one."""
        for farewell in (True, False):
            peer = self.hearer("home/a", qos=1, name="c1")
            self.announce("home/a", b"one", 1)
            peer.leave() if farewell else peer.vanish()
            self.announce("home/a", b"two", 1)
            kept = self.back()
            self.assertEqual((kept.present, kept.hear()), (False, []))
            self.clock.advance(60)


class RedeliveryTests(ConformanceCase):
    """What is sent again after a reconnection."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = self.hearer("home/a", qos=2, name="c1", clean=False)

    def again(self) -> None:
        """The connection is lost, and the client comes back."""
        self.peer.vanish()
        self.clock.advance(60)
        self.peer = self.join("c1", clean=False)

    def test_everything_that_is_owed(self) -> None:
        """[MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1] As it was, with DUP, in its order."""
        for count in range(8):
            self.announce("home/a", b"%d" % count, 1 + count % 2)
        sent = self.peer.messages()
        expected = [
            Publish(m.topic, m.payload, m.qos, dup=True, packet_id=m.packet_id) for m in sent
        ]
        for _ in range(3):
            self.again()
            self.assertEqual(self.peer.hear(), expected)

    def test_what_was_acknowledged_out_of_order(self) -> None:
        """[MQTT-4.4.0-1] Only what is still owed, whatever came between."""
        for count in range(5):
            self.announce("home/a", b"%d" % count, 1)
        sent = self.peer.messages()
        self.peer.say(PubAck(sent[1].packet_id or 0), PubAck(sent[3].packet_id or 0))
        self.again()
        self.assertEqual(self.peer.payloads(), [b"0", b"2", b"4"])

    def test_both_kinds(self) -> None:
        """[MQTT-4.4.0-1] [MQTT-4.6.0-4] PUBRELs come in the order of their PUBRECs."""
        for count in range(4):
            self.announce("home/a", b"%d" % count, 2)
        sent = self.peer.messages()
        for message in sent[:2]:
            self.peer.say(PubRec(message.packet_id or 0))
        released = self.peer.hear()
        self.assertEqual(released, [PubRel(message.packet_id or 0) for message in sent[:2]])
        for _ in range(2):
            self.again()
            heard = self.peer.hear()
            self.assertEqual([each for each in heard if isinstance(each, PubRel)], released)
            repeated = [(m.payload, m.dup, m.packet_id) for m in deliveries(heard)]
            self.assertEqual(repeated, [(m.payload, True, m.packet_id) for m in sent[2:]])

    def test_before_what_is_new(self) -> None:
        """[MQTT-4.6.0-1] [MQTT-4.6.0-6] Repetitions come before what was said meanwhile."""
        self.announce("home/a", b"old", 1)
        [old] = self.peer.messages()
        self.peer.vanish()
        self.announce("home/a", b"meanwhile", 1)
        self.peer = self.join("c1", clean=False)
        self.announce("home/a", b"new", 1)
        heard = self.peer.messages()
        self.assertEqual(
            [(m.payload, m.dup) for m in heard],
            [(b"old", True), (b"meanwhile", False), (b"new", False)],
        )
        self.assertEqual(heard[0].packet_id, old.packet_id)
        self.assertEqual(len({m.packet_id for m in heard}), 3)

    def test_what_never_went_out(self) -> None:
        """[MQTT-3.3.1-3] What waited behind the window was not sent: it has no DUP."""
        for count in range(40):
            self.announce("home/a", b"%d" % count, 1)
        sent = len(self.peer.messages())
        self.assertLess(sent, 40)
        self.again()
        heard: list[Publish] = []
        while fresh := self.peer.messages():
            heard += fresh
            self.peer.acknowledge(fresh)
        self.assertEqual([m.payload for m in heard], [b"%d" % n for n in range(40)])
        self.assertEqual([m.dup for m in heard], [True] * sent + [False] * (40 - sent))

    def test_a_late_acknowledgement(self) -> None:
        """[MQTT-4.4.0-1] An acknowledgement on the new connection ends what the old one began."""
        self.announce("home/a", b"one", 1)
        self.announce("home/a", b"two", 2)
        one, two = self.peer.messages()
        self.again()
        self.peer.hear()
        self.peer.say(PubAck(one.packet_id or 0), PubRec(two.packet_id or 0))
        self.assertEqual(self.peer.hear(), [PubRel(two.packet_id or 0)])
