"""PUBLISH: its flags, its topic, its answers (MQTT 3.1.1, 3.3)."""

from bumper_tw.wire.mqtt_packets import PubAck, PubComp, Publish, PubRec, PubRel, Subscribe
from tests.mqtt.conformance.case import ConformanceCase, packet, publish

TOPIC = b"home/a"


class FlagTests(ConformanceCase):
    """What the first byte says."""

    def test_dup_without_qos(self) -> None:
        """[MQTT-3.3.1-2] [MQTT-2.2.2-2] DUP with QoS 0 ends the connection."""
        for first in (0x38, 0x39):
            self.refused(self.join("c1"), publish(first, TOPIC, b"x"))

    def test_dup_stays_behind(self) -> None:
        """[MQTT-3.3.1-3] DUP of what comes in is not in what goes out."""
        hearer = self.hearer("home/a", qos=2)
        peer = self.join("c1")
        for qos, first in ((1, 0x3A), (2, 0x3C)):
            peer.send(publish(first, TOPIC, b"\x00\x07x"))
            [heard] = hearer.messages()
            self.assertEqual((heard.qos, heard.dup), (qos, False))
            hearer.acknowledge([heard])

    def test_qos_3(self) -> None:
        """[MQTT-3.3.1-4] QoS 3 ends the connection, and is not delivered."""
        hearer = self.hearer("home/a")
        for first in (0x36, 0x37, 0x3E, 0x3F):
            self.refused(self.join("c1"), publish(first, TOPIC, b"\x00\x07x"))
        self.assertEqual(hearer.messages(), [])

    def test_no_identifier(self) -> None:
        """[MQTT-2.3.1-1] A PUBLISH above QoS 0 has an identifier, which is not 0."""
        for first in (0x32, 0x34):
            self.refused(self.join("c1"), publish(first, TOPIC, b"\x00\x00x"))
            self.refused(self.join("c1"), publish(first, TOPIC, b""))
            self.refused(self.join("c1"), publish(first, TOPIC, b"\x01"))

    def test_qos_0_has_no_identifier(self) -> None:
        """[MQTT-2.3.1-5] [MQTT-4.3.1-1] A QoS 0 message goes out without one, and without DUP."""
        hearer = self.hearer("home/a", qos=2)
        self.join("c1").publish("home/a", b"\x00\x01x")
        self.assertEqual(hearer.raw(), b"\x30\x0b\x00\x06home/a\x00\x01x")


class TopicTests(ConformanceCase):
    """Where it goes."""

    def test_a_topic_that_is_no_text(self) -> None:
        """[MQTT-3.3.2-1] [MQTT-1.5.3-1] Bad UTF-8 in a topic ends the connection."""
        for bad in (b"home/\xff", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"home/\xc3"):
            self.refused(self.join("c1"), publish(0x30, bad, b"x"))

    def test_no_topic(self) -> None:
        """[MQTT-3.3.2-1] A PUBLISH that is too short for its topic ends the connection."""
        for body in (b"", b"\x00", b"\x00\x07home/a", b"\xff\xffhome/a"):
            self.refused(self.join("c1"), packet(0x30, body))

    def test_a_topic_with_wildcards(self) -> None:
        """[MQTT-3.3.2-2] [MQTT-4.7.1-1] Wildcards in a topic end the connection."""
        hearer = self.hearer("#")
        for bad in (b"home/+", b"home/#", b"#", b"+", b"home/a+", b"a#b"):
            self.refused(self.join("c1"), publish(0x30, bad, b"x"))
        self.assertEqual(hearer.messages(), [])

    def test_deliveries_match(self) -> None:
        """[MQTT-3.3.2-3] Only what matches is delivered, under the name it was published to."""
        hearer = self.hearer("home/+/b", "home/x")
        peer = self.join("c1")
        for topic in ("home/a/b", "home/x", "home/a", "home/a/b/c", "home", "x", "home/X"):
            peer.publish(topic)
        self.assertEqual([m.topic for m in hearer.messages()], ["home/a/b", "home/x"])

    def test_any_payload(self) -> None:
        """A payload is any bytes, or none."""
        hearer = self.hearer("home/a")
        peer = self.join("c1")
        for payload in (b"", b"\x00\xff\xfe", bytes(range(256)) * 300):
            peer.publish("home/a", payload)
            self.assertEqual(hearer.payloads(), [payload])

    def test_whoever_published_hears_it_too(self) -> None:
        """[MQTT-4.5.0-1] A client with a matching subscription hears itself."""
        peer = self.hearer("home/a")
        peer.publish("home/a", b"echo")
        self.assertEqual(peer.payloads(), [b"echo"])


class AnswerTests(ConformanceCase):
    """What answers it."""

    def test_qos_0(self) -> None:
        """[MQTT-3.3.4-1] Nothing answers QoS 0."""
        peer = self.join("c1")
        peer.say(Publish("home/a", b"x"))
        self.assertEqual(peer.raw(), b"")

    def test_qos_1(self) -> None:
        """[MQTT-3.3.4-1] [MQTT-4.3.2-2] [MQTT-2.3.1-6] PUBACK with its identifier, once."""
        peer = self.join("c1")
        for number in (1, 0x1234, 0xFFFF):
            peer.say(Publish("home/a", b"x", 1, packet_id=number))
            self.assertEqual(peer.raw(), b"\x40\x02" + number.to_bytes(2, "big"))

    def test_qos_2(self) -> None:
        """[MQTT-3.3.4-1] [MQTT-4.3.3-2] [MQTT-2.3.1-6] PUBREC, and PUBCOMP after PUBREL."""
        peer = self.join("c1")
        for number in (1, 0x1234, 0xFFFF):
            peer.say(Publish("home/a", b"x", 2, packet_id=number))
            self.assertEqual(peer.raw(), b"\x50\x02" + number.to_bytes(2, "big"))
            peer.say(PubRel(number))
            self.assertEqual(peer.raw(), b"\x70\x02" + number.to_bytes(2, "big"))

    def test_nobody_listens(self) -> None:
        """[MQTT-3.3.4-1] The answer does not depend on subscribers."""
        peer = self.join("c1")
        peer.say(Publish("home/nobody", b"", 1, packet_id=5))
        self.assertEqual(peer.hear(), [PubAck(5)])
        self.hearer("home/nobody", qos=1)
        peer.say(Publish("home/nobody", b"", 1, packet_id=5))
        self.assertEqual(peer.hear(), [PubAck(5)])

    def test_what_is_not_allowed(self) -> None:
        """[MQTT-3.3.5-2] A forbidden message is acknowledged, and goes nowhere."""
        hearer = self.hearer("#")
        peer = self.join("c1")
        peer.say(Publish("$SYS/a", b"x", 1, retain=True, packet_id=1))
        peer.say(Publish("$SYS/a", b"x", 2, packet_id=2))
        peer.say(PubRel(2))
        self.assertEqual(peer.hear(), [PubAck(1), PubRec(2), PubComp(2)])
        self.assertEqual(hearer.messages(), [])
        self.assertFalse(peer.closed)

    def test_in_one_piece(self) -> None:
        """[MQTT-4.6.0-2] [MQTT-4.6.0-3] Answers of one kind are in the order of the questions."""
        peer = self.join("c1")
        numbers = [9, 3, 7, 1]
        peer.say(*(Publish("home/a", b"x", 1, packet_id=n) for n in numbers))
        self.assertEqual(peer.hear(), [PubAck(n) for n in numbers])
        peer.say(*(Publish("home/a", b"x", 2, packet_id=n) for n in numbers))
        self.assertEqual(peer.hear(), [PubRec(n) for n in numbers])

    def test_mixed(self) -> None:
        """[MQTT-4.6.0-2] [MQTT-4.6.0-3] Also when both kinds and other packets are mixed."""
        peer = self.join("c1")
        peer.say(
            Publish("home/a", b"x", 1, packet_id=4),
            Publish("home/a", b"x", 2, packet_id=3),
            Publish("home/a", b"x", 0),
            Publish("home/a", b"x", 1, packet_id=2),
            Subscribe(8, (("home/b", 0),)),
            Publish("home/a", b"x", 2, packet_id=1),
        )
        answers = peer.hear()
        self.assertEqual([a for a in answers if isinstance(a, PubAck)], [PubAck(4), PubAck(2)])
        self.assertEqual([a for a in answers if isinstance(a, PubRec)], [PubRec(3), PubRec(1)])
        self.assertEqual(len(answers), 5)


class RetainTests(ConformanceCase):
    """What is kept for those who come later."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = self.join("c1")

    def test_it_is_kept_with_its_qos(self) -> None:
        """[MQTT-3.3.1-5] [MQTT-3.3.1-8] Who subscribes later hears it, with RETAIN."""
        for qos in (0, 1, 2):
            self.peer.publish("home/a", b"kept", qos, retain=True)
            self.assertEqual(self.retained("home/a"), [(b"kept", qos)])

    def test_nobody_hears_more_than_was_granted(self) -> None:
        """[MQTT-3.8.4-6] A retained message, too, is delivered with the lower QoS."""
        self.peer.publish("home/a", b"kept", 2, retain=True)
        hearer = self.join("hearer")
        for granted in (0, 1, 2):
            hearer.subscribe("home/a", qos=granted)
            [heard] = hearer.messages()
            self.assertEqual((heard.qos, heard.retain), (granted, True))
            hearer.acknowledge([heard])

    def test_the_last_one_of_each_topic(self) -> None:
        """[MQTT-3.3.1-6] A new subscription hears the last message of all that matches."""
        for topic, payload in (("home/a", b"1"), ("home/a", b"2"), ("home/b/c", b"3")):
            self.peer.publish(topic, payload, retain=True)
        self.peer.publish("garden/a", b"4", retain=True)
        self.assertEqual(self.retained("home/a"), [(b"2", 0)])
        self.assertEqual(sorted(self.retained("home/#")), [(b"2", 0), (b"3", 0)])
        self.assertEqual(sorted(self.retained("+/a")), [(b"2", 0), (b"4", 0)])
        self.assertEqual(self.retained("home/+/c"), [(b"3", 0)])
        self.assertEqual(self.retained("home/+/+/#"), [(b"3", 0)])
        self.assertEqual(len(self.retained("#")), 3)
        self.assertEqual(self.retained("home/c"), [])

    def test_the_last_one_has_qos_0(self) -> None:
        """[MQTT-3.3.1-7] A QoS 0 message takes the place of one with QoS 2."""
        self.peer.publish("home/a", b"old", 2, retain=True)
        self.peer.publish("home/a", b"new", 0, retain=True)
        self.assertNotIn(b"old", [payload for payload, _ in self.retained("home/a")])
        self.assertEqual(self.retained("home/a"), [(b"new", 0)])

    def test_live(self) -> None:
        """[MQTT-3.3.1-9] Who has subscribed already hears it without RETAIN."""
        hearer = self.hearer("home/a", qos=2)
        for qos in (0, 1, 2):
            self.peer.publish("home/a", b"live", qos, retain=True)
            [heard] = hearer.messages()
            self.assertEqual((heard.payload, heard.qos, heard.retain), (b"live", qos, False))
            hearer.acknowledge([heard])

    def test_empty(self) -> None:
        """[MQTT-3.3.1-10] [MQTT-3.3.1-11] An empty one is heard like others, and clears."""
        hearer = self.hearer("home/a")
        self.peer.publish("home/a", b"kept", 1, retain=True)
        self.peer.publish("home/a", b"", retain=True)
        self.assertEqual(hearer.messages(), [Publish("home/a", b"kept"), Publish("home/a", b"")])
        self.assertEqual(self.retained("home/a"), [])

    def test_empty_from_the_start(self) -> None:
        """[MQTT-3.3.1-11] An empty one is not kept where there was none, whatever its QoS."""
        for qos in (0, 1, 2):
            self.peer.publish("home/a", b"", qos, retain=True)
            self.assertEqual(self.retained("home/a"), [])

    def test_empty_clears_one_topic(self) -> None:
        """[MQTT-3.3.1-10] Its neighbours, parents and children stay."""
        for topic in ("home", "home/a", "home/a/b", "home/b"):
            self.peer.publish(topic, topic.encode(), retain=True)
        self.peer.publish("home/a", b"", retain=True)
        kept = sorted(payload for payload, _ in self.retained("#"))
        self.assertEqual(kept, [b"home", b"home/a/b", b"home/b"])

    def test_without_the_flag(self) -> None:
        """[MQTT-3.3.1-12] Without RETAIN nothing is kept, replaced or removed."""
        self.peer.publish("home/a", b"passing", 1)
        self.assertEqual(self.retained("home/a"), [])
        self.peer.publish("home/a", b"kept", 1, retain=True)
        self.peer.publish("home/a", b"passing", 2)
        self.peer.publish("home/a", b"", 1)
        self.assertEqual(self.retained("home/a"), [(b"kept", 1)])

    def test_it_outlives_its_session(self) -> None:
        """[MQTT-3.1.2-7] It stays when whoever published it is gone, and its session too."""
        self.peer.publish("home/a", b"kept", 1, retain=True)
        self.peer.leave()
        self.join("c1").leave()
        self.assertEqual(self.retained("home/a"), [(b"kept", 1)])

    def test_qos_2_twice(self) -> None:
        """[MQTT-4.3.3-2] A repetition does not bring back what was replaced meanwhile."""
        self.peer.say(Publish("home/a", b"first", 2, retain=True, packet_id=7))
        self.join("c2").publish("home/a", b"second", 1, retain=True)
        self.peer.say(Publish("home/a", b"first", 2, retain=True, dup=True, packet_id=7))
        self.assertEqual(self.retained("home/a"), [(b"second", 1)])
