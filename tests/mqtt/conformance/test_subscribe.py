"""SUBSCRIBE and UNSUBSCRIBE, and what answers them (MQTT 3.1.1, 3.8 to 3.11)."""

from bumper_tw.wire.mqtt_packets import (
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from tests.mqtt.conformance.case import ConformanceCase, deliveries, field, packet


class FormTests(ConformanceCase):
    """What the packets look like; others end the connection."""

    def test_flags(self) -> None:
        """[MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-2.2.2-2] The flags of both are 0010."""
        for kind, body in ((0x80, b"\x00\x01\x00\x01a\x00"), (0xA0, b"\x00\x01\x00\x01a")):
            for flags in set(range(16)) - {2}:
                self.refused(self.join(f"c{kind}x{flags}"), packet(kind | flags, body))

    def test_identifier(self) -> None:
        """[MQTT-2.3.1-1] Both have an identifier, which is not 0."""
        for first, last in ((0x82, b"\x00"), (0xA2, b"")):
            self.refused(self.join("c1"), packet(first, b"\x00\x00" + field(b"a") + last))
            self.refused(self.join("c1"), packet(first, b"\x01"))

    def test_no_filter(self) -> None:
        """[MQTT-3.8.3-3] [MQTT-3.10.3-2] Without a filter both are violations."""
        self.refused(self.join("c1"), b"\x82\x02\x00\x01")
        self.refused(self.join("c1"), b"\xa2\x02\x00\x01")

    def test_filters_are_text(self) -> None:
        """[MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-1.5.3-1] [MQTT-1.5.3-2] Nothing else will do."""
        for number, bad in enumerate((b"home/\xff", b"\xed\xa0\x80", b"home\0")):
            wanted = b"\x00\x01" + field(b"fine") + b"\x00" + field(bad) + b"\x00"
            self.refused(self.join(f"s{number}"), packet(0x82, wanted))
            unwanted = b"\x00\x01" + field(b"fine") + field(bad)
            self.refused(self.join(f"u{number}"), packet(0xA2, unwanted))

    def test_cut(self) -> None:
        """[MQTT-3.10.3-1] [MQTT-4.8.0-1] One that is cut is a violation."""
        wanted = b"\x00\x01" + field(b"ab") + b"\x01" + field(b"cd") + b"\x01"
        for size in {*range(2, len(wanted))} - {7}:
            self.refused(self.join(f"s{size}"), packet(0x82, wanted[:size]))
        unwanted = b"\x00\x01" + field(b"ab") + field(b"cd")
        for size in {*range(2, len(unwanted))} - {6}:
            self.refused(self.join(f"u{size}"), packet(0xA2, unwanted[:size]))

    def test_requested_qos(self) -> None:
        """[MQTT-3.8.3-4] The byte behind a filter is 0, 1 or 2."""
        for byte in (3, 4, 0x08, 0x10, 0x80, 0x81, 0xFF):
            wanted = b"\x00\x01" + field(b"fine") + b"\x01" + field(b"a") + bytes((byte,))
            self.refused(self.join(f"c{byte}"), packet(0x82, wanted))


class SubscribeTests(ConformanceCase):
    """What is granted, and what is heard then."""

    def test_answer(self) -> None:
        """[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.3.1-7] SUBACK with the identifier, once."""
        peer = self.join("c1")
        for number in (1, 0x1234, 0xFFFF):
            peer.say(Subscribe(number, (("home/a", 1),)))
            self.assertEqual(peer.raw(), b"\x90\x03" + number.to_bytes(2, "big") + b"\x01")

    def test_codes(self) -> None:
        """[MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] A code for each filter, in their order."""
        peer = self.join("c1")
        wanted = [("home/a", 2), ("home/b", 0), ("iot/p2p/#", 1), ("home/c", 1), ("home/a", 0)]
        peer.say(Subscribe(5, tuple(wanted)))
        self.assertEqual(peer.hear(), [SubAck(5, (2, 0, 0x80, 1, 0))])

    def test_a_refused_filter(self) -> None:
        """[MQTT-3.8.4-5] One that is refused is not heard, and the others are."""
        peer = self.join("c1")
        self.assertEqual(peer.subscribe("iot/p2p/#", "home/a"), (0x80, 0))
        self.announce("iot/p2p/a")
        self.announce("home/a")
        self.assertEqual([message.topic for message in peer.messages()], ["home/a"])

    def test_several_filters(self) -> None:
        """[MQTT-3.8.4-4] Several filters are several subscriptions, each by itself."""
        publisher = self.join("publisher")
        for topic in ("home/a", "home/b", "home/c"):
            publisher.publish(topic, topic.encode(), retain=True)
        peer = self.join("c1")
        peer.say(Subscribe(7, (("home/a", 0), ("home/b", 1), ("home/x", 2))))
        answer, *told = peer.hear()
        self.assertEqual(answer, SubAck(7, (0, 1, 2)))
        kept = [(message.topic, message.retain) for message in deliveries(told)]
        self.assertEqual(kept, [("home/a", True), ("home/b", True)])
        peer.unsubscribe("home/b")
        peer.hear()
        for topic in ("home/a", "home/b", "home/x"):
            self.announce(topic)
        self.assertEqual([message.topic for message in peer.messages()], ["home/a", "home/x"])

    def test_the_same_filter_twice_in_one_packet(self) -> None:
        """[MQTT-3.8.4-4] [MQTT-3.8.4-3] The later one holds."""
        peer = self.join("c1")
        peer.say(Subscribe(7, (("home/a", 2), ("home/a", 0))))
        self.assertEqual(peer.hear(), [SubAck(7, (2, 0))])
        self.announce("home/a", qos=2)
        self.assertEqual([message.qos for message in peer.messages()], [0])

    def test_again(self) -> None:
        """[MQTT-3.8.4-3] The same filter again replaces the subscription and its QoS."""
        peer = self.join("c1")
        for granted in (0, 2, 1, 0):
            peer.subscribe("home/a", qos=granted)
            self.announce("home/a", qos=2)
            [heard] = peer.messages()
            self.assertEqual(heard.qos, granted)
            peer.acknowledge([heard])
        peer.unsubscribe("home/a")
        peer.hear()
        self.announce("home/a")
        self.assertEqual(peer.messages(), [])

    def test_retained_again(self) -> None:
        """[MQTT-3.8.4-3] [MQTT-3.3.1-8] Each SUBSCRIBE hears retained messages anew."""
        self.join("publisher").publish("home/a", b"kept", retain=True)
        peer = self.join("c1")
        for _ in range(3):
            peer.subscribe("home/a")
            self.assertEqual(peer.messages(), [Publish("home/a", b"kept", retain=True)])

    def test_retained_for_an_overlap(self) -> None:
        """[MQTT-3.3.1-6] A second filter that matches the same topic hears it as well."""
        self.join("publisher").publish("home/a", b"kept", retain=True)
        peer = self.hearer("home/a", name="c1")
        self.assertEqual(peer.payloads(), [b"kept"])
        peer.subscribe("home/+")
        self.assertEqual(peer.messages(), [Publish("home/a", b"kept", retain=True)])

    def test_the_flow_goes_on(self) -> None:
        """[MQTT-3.8.4-3] What was under way when a filter was renewed is not lost."""
        peer = self.hearer("home/a", qos=1, name="c1")
        self.announce("home/a", b"one", 1)
        peer.say(Subscribe(9, (("home/a", 1),)))
        self.announce("home/a", b"two", 1)
        self.assertEqual(peer.payloads(), [b"one", b"two"])

    def test_overlaps(self) -> None:
        """[MQTT-3.3.5-1] With overlapping filters the highest QoS holds."""
        peer = self.join("c1")
        for topic_filter, qos in (("home/#", 0), ("home/a", 1), ("+/a", 2), ("home/+", 0)):
            peer.subscribe(topic_filter, qos=qos)
        for qos in (2, 1, 0):
            self.announce("home/a", b"x", qos)
            heard = peer.messages()
            self.assertEqual(max(message.qos for message in heard), qos)
            peer.acknowledge(heard)
            self.assertEqual(len(heard), 1)

    def test_the_lower_qos(self) -> None:
        """[MQTT-3.8.4-6] A message is delivered with the lower of its QoS and what was granted."""
        peers = [self.hearer("home/a", qos=granted, name=f"h{granted}") for granted in range(3)]
        publisher = self.join("publisher")
        for qos in (0, 1, 2):
            publisher.publish("home/a", b"x", qos)
            for granted, peer in enumerate(peers):
                [heard] = peer.messages()
                self.assertEqual(heard.qos, min(qos, granted))
                peer.acknowledge([heard])


class UnsubscribeTests(ConformanceCase):
    """How a subscription ends."""

    def test_answer(self) -> None:
        """[MQTT-3.10.4-4] [MQTT-2.3.1-7] UNSUBACK with the identifier, once."""
        peer = self.hearer("home/a", name="c1")
        for number in (1, 0x1234, 0xFFFF):
            peer.say(Unsubscribe(number, ("home/a",)))
            self.assertEqual(peer.raw(), b"\xb0\x02" + number.to_bytes(2, "big"))

    def test_nothing_to_remove(self) -> None:
        """[MQTT-3.10.4-5] UNSUBACK comes for a filter that nobody asked for, too."""
        peer = self.join("c1")
        peer.say(Unsubscribe(3, ("home/never", "#")))
        self.assertEqual(peer.hear(), [UnsubAck(3)])

    def test_text_is_compared(self) -> None:
        """[MQTT-3.10.4-1] Only the filter that is the same text goes, whatever matches it."""
        peer = self.hearer("home/+", name="c1")
        peer.unsubscribe("home/a", "home/#", "#", "+/+", "home/+/", "Home/+")
        peer.hear()
        self.announce("home/a")
        self.assertEqual(len(peer.messages()), 1)
        peer.unsubscribe("home/+")
        peer.hear()
        self.announce("home/a")
        self.assertEqual(peer.messages(), [])

    def test_nothing_new(self) -> None:
        """[MQTT-3.10.4-2] After UNSUBACK nothing more is added."""
        peer = self.hearer("home/a", qos=1, name="c1")
        peer.say(Unsubscribe(3, ("home/a",)))
        self.assertEqual(peer.hear(), [UnsubAck(3)])
        self.announce("home/a", qos=1)
        self.announce("home/a", qos=0)
        self.assertEqual(peer.hear(), [])

    def test_nothing_new_for_who_is_away(self) -> None:
        """[MQTT-3.10.4-2] Nor for a session whose client is away."""
        peer = self.hearer("home/a", "home/b", qos=1, name="c1", clean=False)
        peer.unsubscribe("home/a")
        peer.leave()
        self.announce("home/a", b"no", 1)
        self.announce("home/b", b"yes", 1)
        self.assertEqual(self.join("c1", clean=False).payloads(), [b"yes"])

    def test_what_has_begun_is_completed(self) -> None:
        """[MQTT-3.10.4-3] Deliveries of QoS 1 and 2 that have begun are completed."""
        peer = self.hearer("home/a", qos=2, name="c1", clean=False)
        self.announce("home/a", b"one", 1)
        self.announce("home/a", b"two", 2)
        one, two = peer.messages()
        peer.unsubscribe("home/a")
        peer.hear()
        assert two.packet_id is not None
        peer.say(PubRec(two.packet_id))
        self.assertEqual(peer.hear(), [PubRel(two.packet_id)])
        peer.say(PubComp(two.packet_id))
        peer.vanish()
        again = self.join("c1", clean=False).messages()
        self.assertEqual([(m.payload, m.packet_id) for m in again], [(b"one", one.packet_id)])

    def test_several_filters(self) -> None:
        """[MQTT-3.10.4-6] Several filters go at once, with one UNSUBACK."""
        peer = self.hearer("home/a", "home/b", "home/c", name="c1")
        peer.say(Unsubscribe(3, ("home/a", "home/x", "home/c")))
        self.assertEqual(peer.hear(), [UnsubAck(3)])
        for topic in ("home/a", "home/b", "home/c"):
            self.announce(topic)
        self.assertEqual([message.topic for message in peer.messages()], ["home/b"])

    def test_an_overlap_stays(self) -> None:
        """[MQTT-3.10.4-1] What another filter of the client matches is still heard."""
        peer = self.hearer("home/a", "home/+", name="c1")
        peer.unsubscribe("home/a")
        peer.hear()
        self.announce("home/a")
        self.assertEqual(len(peer.messages()), 1)
