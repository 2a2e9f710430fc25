"""Topics: which filter hears which name, and in which order (MQTT 3.1.1, 4.5 to 4.7)."""

from bumper_tw.core.mqtt_access import AccessList
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.storage.memory import MemoryMqttStore
from bumper_tw.wire.mqtt_packets import PubAck, Publish, PubRec, PubRel, SubAck, Subscribe
from tests.mqtt.clients import World
from tests.mqtt.conformance.case import ConformanceCase, Peer, field, packet, publish

#: A filter, what it hears, and what it does not.
MATCHES = (
    (
        "sport/tennis/#",
        "sport/tennis sport/tennis/a sport/tennis/a/b sport/tennis/",
        "sport a/sport",
    ),
    ("sport/#", "sport sport/ sport/a/b", "sports sports/a"),
    ("#", "a a/b /a / a//b", ""),
    ("sport/+", "sport/ sport/a", "sport sport/a/b sport/a/"),
    ("sport/+/x", "sport/a/x sport//x", "sport/x sport/a/b/x sport/a/x/"),
    ("+", "a abc", "/a a/ a/b"),
    ("+/+", "/a a/b / a/", "a a/b/c //"),
    ("/+", "/a /", "a a/b //"),
    ("+/tennis/#", "a/tennis /tennis a/tennis/b/c", "tennis a/b/tennis"),
    ("+/+/#", "a/b /a a/b/c/d", "a"),
    ("/", "/", "a/ /a //"),
    ("a//b", "a//b", "a/b a/x/b"),
    ("a/", "a/", "a a//"),
    ("Accounts", "Accounts", "ACCOUNTS accounts"),
    ("a/b", "a/b", "a a/ a/b/ a/bc A/b"),
)

#: Names that look the same, or nearly so.
ALIKE = ("\u00e9", "e\u0301", "E\u0301", "\ufeffe", "e", "e ", " e", "\u212b", "\u00c5", "e\u200b")

#: Filters that are none.
BAD_FILTERS = (b"a#", b"a/#/b", b"#/a", b"a/b#", b"##", b"a+", b"+a", b"a/+b", b"a/b+/c", b"++")


class MatchTests(ConformanceCase):
    """What a filter hears."""

    def test_each(self) -> None:
        """[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-3.3.2-3] Wildcards stand for whole levels."""
        publisher = self.join("publisher")
        for topic_filter, hears, misses in MATCHES:
            peer = self.hearer(topic_filter, name="c1")
            for topic in (hears + " " + misses).split():
                publisher.publish(topic)
            heard = [message.topic for message in peer.messages()]
            self.assertEqual((topic_filter, heard), (topic_filter, hears.split()))
            peer.leave()

    def test_retained(self) -> None:
        """[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-3.3.1-6] The same holds for what is retained."""
        publisher = self.join("publisher")
        for topic_filter, hears, misses in MATCHES:
            for topic in (hears + " " + misses).split():
                publisher.publish(topic, topic.encode(), retain=True)
            told = sorted(payload.decode() for payload, _ in self.retained(topic_filter))
            self.assertEqual((topic_filter, told), (topic_filter, sorted(hears.split())))
            for topic in (hears + " " + misses).split():
                publisher.publish(topic, b"", retain=True)

    def test_filters_that_are_none(self) -> None:
        """[MQTT-4.7.1-2] [MQTT-4.7.1-3] A misplaced wildcard is refused, or the end."""
        for number, bad in enumerate(BAD_FILTERS):
            peer = self.join(f"c{number}")
            peer.send(packet(0x82, b"\x00\x01" + field(bad) + b"\x00"))
            self.assertTrue(peer.closed or peer.hear() == [SubAck(1, (0x80,))], bad)
            self.announce(bad.decode().replace("+", "x").replace("#", "x"))
            self.assertEqual(peer.hear(), [])

    def test_dollar_elsewhere(self) -> None:
        """[MQTT-4.7.2-1] A dollar sign in another place is a character like others."""
        peer = self.hearer("#", name="c1")
        self.announce("home/$SYS")
        self.announce("a$")
        self.assertEqual([message.topic for message in peer.messages()], ["home/$SYS", "a$"])

    def test_nothing_is_normalised(self) -> None:
        """[MQTT-4.7.3-4] [MQTT-1.5.3-3] Names that only look the same are different."""
        peers = [self.hearer(name, name=f"c{n}") for n, name in enumerate(ALIKE)]
        for name in ALIKE:
            self.announce(name, name.encode())
        for name, peer in zip(ALIKE, peers, strict=True):
            self.assertEqual(peer.messages(), [Publish(name, name.encode())])

    def test_any_character(self) -> None:
        """[MQTT-1.5.3-1] [MQTT-1.5.3-3] Text outside ASCII goes through byte by byte."""
        hearer = self.hearer("#", name="c1")
        peer = self.join("c2")
        for topic in ("\ufeffhome", "stra\u00dfe/\U0001f600", "a b", "\u4e2d/\u6587"):
            peer.publish(topic)
            self.assertIn(topic.encode(), hearer.raw())

    def test_nothing(self) -> None:
        """[MQTT-4.7.3-1] Neither names nor filters are empty."""
        self.refused(self.join("c1"), publish(0x30, b"", b"x"))
        self.refused(self.join("c1"), publish(0x32, b"", b"\x00\x01x"))
        peer = self.join("c2")
        peer.send(packet(0x82, b"\x00\x01" + field(b"") + b"\x00"))
        self.assertTrue(peer.closed or peer.hear() == [SubAck(1, (0x80,))])

    def test_nul(self) -> None:
        """[MQTT-4.7.3-2] [MQTT-1.5.3-2] U+0000 in a name or a filter ends the connection."""
        self.refused(self.join("c1"), publish(0x30, b"a\0b", b"x"))
        self.refused(self.join("c2"), packet(0x82, b"\x00\x01" + field(b"a\0b") + b"\x00"))
        self.refused(self.join("c3"), packet(0xA2, b"\x00\x01" + field(b"a\0b")))


class DollarTests(ConformanceCase):
    """Topics that start with a dollar sign, where the owner's rules open them to everybody."""

    RULES = "user house\ntopic readwrite #\ntopic readwrite $SYS/#\ntopic readwrite $x/#\n"

    def server(self) -> World:
        world = super().server()
        rules = MqttRules(world.registry, AccessList.parse(self.RULES, "rules"))
        world.broker = MqttBroker(world.clock, rules, Journal(world.clock, MemoryMqttStore()))
        world.factory.broker = world.broker
        return world

    def test_wildcards(self) -> None:
        """[MQTT-4.7.2-1] A wildcard in the first level does not hear topics that start with $."""
        peer = self.hearer("#", "+/a", "+/+", "+/#", name="c1")
        publisher = self.join("publisher")
        for topic in ("$SYS/a", "$SYS", "$x/a", "home/a"):
            self.announce(topic)
            publisher.publish(topic)
            publisher.publish(topic, qos=1)
        self.assertEqual({message.topic for message in peer.messages()}, {"home/a"})

    def test_by_name(self) -> None:
        """[MQTT-4.7.2-1] A filter that starts with the same level does; behind it + and # work."""
        peer = self.hearer("$SYS/#", "$x/+", name="c1")
        publisher = self.join("publisher")
        for topic in ("$SYS/a/b", "$x/a", "$SYS", "$x/a/b"):
            publisher.publish(topic)
        heard = [message.topic for message in peer.messages()]
        self.assertEqual(heard, ["$SYS/a/b", "$x/a", "$SYS"])

    def test_retained(self) -> None:
        """[MQTT-4.7.2-1] The same holds for what is retained."""
        publisher = self.join("publisher")
        publisher.publish("$x/a", b"hidden", retain=True)
        publisher.publish("home/a", b"shown", retain=True)
        for wildcard in ("#", "+/a", "+/+", "+/#"):
            self.assertEqual(self.retained(wildcard), [(b"shown", 0)])
        self.assertEqual(self.retained("$x/#"), [(b"hidden", 0)])


class EverybodyTests(ConformanceCase):
    """Whoever has asked for a message gets it."""

    def test_all_of_them(self) -> None:
        """[MQTT-4.5.0-1] Each client with a matching subscription hears each message once."""
        peers = [
            self.hearer("home/a", qos=2, name="c1"),
            self.hearer("home/+", qos=2, name="c2", clean=False),
            self.hearer("#", "home/#", "home/a", qos=2, name="c3"),
        ]
        away = self.hearer("home/a", qos=2, name="c4", clean=False)
        away.leave()
        publisher = self.join("publisher")
        for qos in (0, 1, 2):
            publisher.publish("home/a", b"%d" % qos, qos)
        for peer in peers:
            self.assertEqual(peer.payloads(), [b"0", b"1", b"2"])
        self.assertEqual(self.join("c4", clean=False).payloads()[-2:], [b"1", b"2"])

    def test_a_slow_one(self) -> None:
        """[MQTT-4.5.0-1] That somebody does not acknowledge is nobody else's delay."""
        slow = self.hearer("home/a", qos=2, name="c1")
        quick = self.hearer("home/a", qos=2, name="c2")
        publisher = self.join("publisher")
        for count in range(50):
            publisher.publish("home/a", b"%d" % count, 1)
            messages = quick.messages()
            self.assertEqual([m.payload for m in messages], [b"%d" % count])
            quick.acknowledge(messages)
        self.assertLess(len(slow.messages()), 50)


class OrderTests(ConformanceCase):
    """Nothing overtakes."""

    def order(self, peer: Peer, qos: int) -> list[bytes]:
        """The payloads that came with one QoS, in their order, to the end."""
        heard: list[bytes] = []
        while fresh := peer.messages():
            heard += [message.payload for message in fresh if message.qos == qos]
            peer.acknowledge(fresh)
        return heard

    def test_each_qos(self) -> None:
        """[MQTT-4.6.0-5] [MQTT-4.6.0-6] Messages of one client on one topic keep their order."""
        expected = [b"%d" % count for count in range(100)]
        publisher = self.join("publisher")
        for qos in (0, 1, 2):
            peers = [self.hearer("home/+", qos=qos, name=f"c{n}") for n in range(3)]
            for payload in expected:
                publisher.publish("home/a", payload, qos)
            for peer in peers:
                self.assertEqual(self.order(peer, qos), expected)
                peer.leave()

    def test_two_clients(self) -> None:
        """[MQTT-4.6.0-6] Those of two clients may mix, each in its own order."""
        peer = self.hearer("home/a", qos=1)
        one, two = self.join("c1"), self.join("c2")
        for count in range(30):
            one.publish("home/a", b"1 %d" % count, 1)
            two.publish("home/a", b"2 %d" % count, 1)
        heard = self.order(peer, 1)
        for origin in (b"1", b"2"):
            expected = [b"%b %d" % (origin, count) for count in range(30)]
            self.assertEqual([each for each in heard if each.startswith(origin)], expected)

    def test_qos_2_that_end_in_another_order(self) -> None:
        """[MQTT-4.6.0-6] The order is that of PUBLISH, whenever PUBREL comes."""
        hearer = self.hearer("home/a", qos=2)
        peer = self.join("c1")
        numbers = [5, 2, 9]
        peer.say(*(Publish("home/a", b"%d" % n, 2, packet_id=n) for n in numbers))
        peer.say(*(PubRel(n) for n in reversed(numbers)))
        self.assertEqual(self.order(hearer, 2), [b"5", b"2", b"9"])

    def test_pubrels(self) -> None:
        """[MQTT-4.6.0-4] [MQTT-4.6.0-6] PUBRELs are in the order of PUBRECs."""
        peer = self.hearer("home/a", qos=2)
        for _ in range(5):
            self.announce("home/a", qos=2)
        numbers = [message.packet_id or 0 for message in peer.messages()]
        shuffled = [numbers[n] for n in (3, 0, 4, 1, 2)]
        peer.say(*map(PubRec, shuffled))
        self.assertEqual(peer.hear(), [PubRel(n) for n in shuffled])

    def test_answers_and_deliveries(self) -> None:
        """[MQTT-4.6.0-6] A subscription holds from where it stands among other packets."""
        peer = self.join("c1")
        peer.say(
            Publish("home/a", b"before", 1, packet_id=1),
            Subscribe(2, (("home/a", 0),)),
            Publish("home/a", b"behind", 1, packet_id=3),
        )
        heard = peer.hear()
        self.assertEqual(
            [each for each in heard if isinstance(each, Publish)], [Publish("home/a", b"behind")]
        )
        self.assertEqual(
            [each for each in heard if isinstance(each, PubAck)], [PubAck(1), PubAck(3)]
        )
