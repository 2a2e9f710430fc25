"""The three protocols of delivery, with the server at either end (MQTT 3.1.1, 4.3)."""

from bumper_tw.core.mqtt_session import SessionLimits
from bumper_tw.values import Message
from bumper_tw.wire.mqtt_packets import PubAck, PubComp, Publish, PubRec, PubRel
from tests.mqtt.conformance.case import ConformanceCase


def number(message: Publish) -> int:
    """The identifier of a message, which it has."""
    assert message.packet_id is not None
    return message.packet_id


class ReceiverTests(ConformanceCase):
    """A client publishes, and the server receives."""

    def setUp(self) -> None:
        super().setUp()
        self.audience = self.hearer("home/a")
        self.peer = self.join("c1")

    def test_qos_0(self) -> None:
        """[MQTT-4.3.1-1] A QoS 0 message is delivered once."""
        self.peer.say(Publish("home/a", b"x"))
        self.assertEqual(self.audience.payloads(), [b"x"])

    def test_qos_1_again_after_puback(self) -> None:
        """[MQTT-4.3.2-2] After PUBACK the same identifier is a new message, DUP or not."""
        for dup in (False, True, True):
            self.peer.say(Publish("home/a", b"x", 1, dup=dup, packet_id=7))
            self.assertEqual(self.peer.hear(), [PubAck(7)])
            self.assertEqual(self.audience.payloads(), [b"x"])

    def test_qos_2_is_delivered_once(self) -> None:
        """[MQTT-4.3.3-2] Until PUBREL a repetition is answered, and not delivered again."""
        for dup in (False, True, True, False):
            self.peer.say(Publish("home/a", b"x", 2, dup=dup, packet_id=7))
            self.assertEqual(self.peer.hear(), [PubRec(7)])
        self.assertEqual(self.audience.payloads(), [b"x"])

    def test_qos_2_ends(self) -> None:
        """[MQTT-4.3.3-2] PUBREL is answered with PUBCOMP; the identifier is free then."""
        for payload in (b"one", b"two"):
            self.peer.say(Publish("home/a", payload, 2, packet_id=7))
            self.peer.say(PubRel(7))
            self.assertEqual(self.peer.hear(), [PubRec(7), PubComp(7)])
        self.assertEqual(self.audience.payloads(), [b"one", b"two"])

    def test_pubrel_again(self) -> None:
        """[MQTT-4.3.3-2] PUBREL is answered as often as it comes, known or not."""
        self.peer.say(Publish("home/a", b"x", 2, packet_id=7))
        self.peer.say(PubRel(7), PubRel(7), PubRel(99))
        self.assertEqual(self.peer.hear(), [PubRec(7), PubComp(7), PubComp(7), PubComp(99)])
        self.assertFalse(self.peer.closed)

    def test_identifiers_of_both_sides(self) -> None:
        """[MQTT-2.3.1-4] The identifiers of the client and of the server have no relation."""
        peer = self.join("c2")
        peer.subscribe("home/b", qos=2)
        self.announce("home/b", b"down", 2)
        [down] = peer.messages()
        peer.say(Publish("home/a", b"up", 2, packet_id=number(down)))
        self.assertEqual(peer.hear(), [PubRec(number(down))])
        peer.say(PubRec(number(down)))
        self.assertEqual(peer.hear(), [PubRel(number(down))])
        peer.say(PubRel(number(down)))
        self.assertEqual(peer.hear(), [PubComp(number(down))])
        peer.say(PubComp(number(down)))
        self.assertEqual(self.audience.payloads(), [b"up"])
        self.alive(peer)

    def test_qos_2_over_a_reconnection(self) -> None:
        """[MQTT-4.3.3-2] [MQTT-4.1.0-1] A repetition on the next connection is one, too."""
        self.join("c2", clean=False).say(Publish("home/a", b"x", 2, packet_id=7))
        again = self.join("c2", clean=False)
        again.say(Publish("home/a", b"x", 2, dup=True, packet_id=7))
        again.say(PubRel(7))
        self.assertEqual(again.hear(), [PubRec(7), PubComp(7)])
        self.assertEqual(self.audience.payloads(), [b"x"])

    def test_a_clean_session_knows_nothing_of_it(self) -> None:
        """[MQTT-3.1.2-6] With a clean session the same identifier is a new message."""
        for _ in range(2):
            peer = self.join("c2")
            peer.say(Publish("home/a", b"x", 2, packet_id=7))
            peer.vanish()
        self.assertEqual(self.audience.payloads(), [b"x", b"x"])


class SenderTests(ConformanceCase):
    """The server publishes, and a client receives."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = self.hearer("home/a", qos=2, name="c1", clean=False)

    def test_qos_1(self) -> None:
        """[MQTT-4.3.2-1] [MQTT-3.3.1-1] A new message has an unused identifier and no DUP."""
        for _ in range(3):
            self.announce("home/a", b"x", 1)
        messages = self.peer.messages()
        self.assertEqual([(m.qos, m.dup) for m in messages], [(1, False)] * 3)
        self.assertEqual(len({number(m) for m in messages}), 3)
        self.assertNotIn(0, {number(m) for m in messages})

    def test_qos_1_ends(self) -> None:
        """[MQTT-4.3.2-1] It is owed until PUBACK, and not longer."""
        self.announce("home/a", b"x", 1)
        [message] = self.peer.messages()
        self.peer.vanish()
        self.peer = self.join("c1", clean=False)
        [again] = self.peer.messages()
        self.assertEqual((again.dup, again.packet_id), (True, message.packet_id))
        self.peer.say(PubAck(number(again)))
        self.peer.vanish()
        self.assertEqual(self.join("c1", clean=False).hear(), [])

    def test_nothing_is_repeated_on_a_connection(self) -> None:
        """[MQTT-4.4.0-1] Without a reconnection nothing is sent again, however long it takes."""
        self.announce("home/a", b"x", 1)
        self.announce("home/a", b"x", 2)
        self.assertEqual(len(self.peer.messages()), 2)
        self.clock.advance(500)
        self.assertEqual(self.peer.hear(), [])

    def test_qos_2(self) -> None:
        """[MQTT-4.3.3-1] [MQTT-3.6.1-1] PUBLISH without DUP; PUBREC is answered with PUBREL."""
        self.announce("home/a", b"x", 2)
        [message] = self.peer.messages()
        self.assertEqual((message.qos, message.dup), (2, False))
        self.peer.say(PubRec(number(message)))
        self.assertEqual(self.peer.raw(), b"\x62\x02" + number(message).to_bytes(2, "big"))
        self.peer.say(PubComp(number(message)))
        self.peer.vanish()
        self.assertEqual(self.join("c1", clean=False).hear(), [])

    def test_qos_2_before_pubrec(self) -> None:
        """[MQTT-4.3.3-1] [MQTT-4.4.0-1] The message is owed until PUBREC."""
        self.announce("home/a", b"x", 2)
        [message] = self.peer.messages()
        self.peer.vanish()
        [again] = self.join("c1", clean=False).messages()
        self.assertEqual((again.dup, again.qos, again.payload), (True, 2, b"x"))
        self.assertEqual(again.packet_id, message.packet_id)

    def test_qos_2_before_pubcomp(self) -> None:
        """[MQTT-4.3.3-1] [MQTT-4.4.0-1] Then PUBREL is owed until PUBCOMP, and no message."""
        self.announce("home/a", b"x", 2)
        [message] = self.peer.messages()
        self.peer.say(PubRec(number(message)))
        self.peer.vanish()
        for _ in range(2):
            self.peer = self.join("c1", clean=False)
            self.assertEqual(self.peer.hear(), [PubRel(number(message))])
            self.peer.vanish()
        self.peer = self.join("c1", clean=False)
        self.peer.say(PubComp(number(message)))
        self.peer.vanish()
        self.assertEqual(self.join("c1", clean=False).hear(), [])

    def test_pubrec_again(self) -> None:
        """[MQTT-4.3.3-1] A repeated PUBREC is answered with PUBREL, never with the message."""
        self.announce("home/a", b"x", 2)
        [message] = self.peer.messages()
        for _ in range(3):
            self.peer.say(PubRec(number(message)))
            self.assertEqual(self.peer.hear(), [PubRel(number(message))])

    def test_an_identifier_stays_taken(self) -> None:
        """[MQTT-2.3.1-4] Until PUBCOMP no other message has the identifier."""
        self.announce("home/a", b"slow", 2)
        [slow] = self.peer.messages()
        self.peer.say(PubRec(number(slow)))
        self.peer.hear()
        for _ in range(100):
            self.announce("home/a", b"quick", 1)
            messages = self.peer.messages()
            self.assertNotIn(slow.packet_id, [m.packet_id for m in messages])
            self.peer.acknowledge(messages)


class WindowTests(ConformanceCase):
    """What waits for acknowledgements."""

    options = {"session": SessionLimits(inflight=4, queued=65_000, backlog=1 << 28)}

    def test_the_window(self) -> None:
        """[MQTT-4.6.0-6] What is behind the window comes in order, as soon as there is room."""
        peer = self.hearer("home/a", qos=2, name="c1")
        for count in range(10):
            self.announce("home/a", b"%d" % count, 1 + count % 2)
        heard: list[Publish] = []
        while fresh := peer.messages():
            self.assertLessEqual(len(fresh), 4)
            heard += fresh
            peer.acknowledge(fresh)
        self.assertEqual([m.payload for m in heard], [b"%d" % n for n in range(10)])

    def test_room_for_one(self) -> None:
        """[MQTT-4.3.2-1] Each PUBACK makes room for one message."""
        peer = self.hearer("home/a", qos=1, name="c1")
        for count in range(6):
            self.announce("home/a", b"%d" % count, 1)
        first, *others = peer.messages()
        self.assertEqual(len(others), 3)
        peer.say(PubAck(number(first)))
        self.assertEqual(peer.payloads(), [b"4"])
        peer.say(PubAck(number(others[2])))
        self.assertEqual(peer.payloads(), [b"5"])

    def test_qos_0_does_not_wait(self) -> None:
        """[MQTT-4.3.1-1] A full window is no reason to hold QoS 0 back."""
        peer = self.hearer("home/a", qos=1, name="c1")
        for count in range(6):
            self.announce("home/a", b"%d" % count, 1)
        peer.messages()
        self.announce("home/a", b"now", 0)
        self.assertEqual(peer.payloads(), [b"now"])


class IdentifierTests(ConformanceCase):
    """There are 65,535 identifiers, and they are used again and again."""

    options = {"session": SessionLimits(inflight=5000, queued=65_000, backlog=1 << 28)}

    def test_all_of_them(self) -> None:
        """[MQTT-2.3.1-1] [MQTT-2.3.1-4] After the last comes the first that is free; never 0."""
        peer = self.hearer("home/a", qos=1, name="c1")
        self.announce("home/a", b"held", 1)
        [held] = peer.messages()
        used: list[int] = []
        while len(used) < 70_000:
            for _ in range(4000):
                self.world.broker.publish(Message("home/a", b"x", 1))
            heard = [number(each) for each in peer.messages()]
            self.assertEqual(len(heard), 4000)
            peer.say(*map(PubAck, heard))
            used += heard
        self.assertNotIn(0, used)
        self.assertNotIn(held.packet_id, used)
        self.assertLessEqual(max(used), 65_535)
        self.assertFalse(peer.closed)


class FullWindowTests(ConformanceCase):
    """As many messages are owed as there are identifiers, and more."""

    options = {"session": SessionLimits(inflight=65_535, queued=65_000, backlog=1 << 30)}

    def test_none_is_left(self) -> None:
        """[MQTT-2.3.1-4] [MQTT-4.3.2-1] No identifier means two messages at once."""
        peer = self.hearer("home/a", qos=1, name="c1", clean=False)
        for count in range(66_000):
            self.world.broker.publish(Message("home/a", b"%d" % count, 1))
        heard = peer.messages()
        owed = {number(each) for each in heard}
        self.assertEqual(len(owed), len(heard))
        self.assertLessEqual(len(heard), 65_535)
        for each in heard[:3]:
            peer.say(PubAck(number(each)))
            owed.discard(number(each))
            for fresh in peer.messages():
                self.assertNotIn(fresh.packet_id, owed)
                owed.add(number(fresh))
        self.assertFalse(peer.closed)
