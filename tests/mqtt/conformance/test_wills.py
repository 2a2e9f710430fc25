"""Wills: when they are published, and how (MQTT 3.1.1, 3.1.2.5)."""

from bumper_tw.wire.mqtt_packets import Connect, Disconnect, Publish, Will
from tests.mqtt.conformance.case import (
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    ConformanceCase,
    Peer,
    connect,
)

GONE = Will("home/will", b"gone")
SAID = Publish("home/will", b"gone")


class WillTests(ConformanceCase):
    """A client with a will, and somebody who hears it."""

    def setUp(self) -> None:
        super().setUp()
        self.audience = self.listener()

    def listener(self) -> Peer:
        """Somebody who hears wills."""
        peer = self.join("hearer", keep_alive=3000)
        peer.subscribe("home/will", qos=2)
        return peer

    def heard(self) -> list[Publish]:
        """The wills so far."""
        messages = self.audience.messages()
        self.audience.acknowledge(messages)
        return messages

    def test_it_waits(self) -> None:
        """[MQTT-3.1.2-8] As long as the connection is there, nothing is published."""
        peer = self.join("c1", will=GONE)
        peer.publish("home/other")
        self.alive(peer)
        self.assertEqual(self.heard(), [])

    def test_the_connection_is_lost(self) -> None:
        """[MQTT-3.1.2-8] A client that vanishes has its will published."""
        self.join("c1", will=GONE).vanish()
        self.assertEqual(self.heard(), [SAID])

    def test_silence(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-3.1.2-24] So has one that stays silent for too long."""
        self.join("c1", keep_alive=10, will=GONE)
        self.clock.advance(14.9)
        self.assertEqual(self.heard(), [])
        self.clock.advance(0.2)
        self.assertEqual(self.heard(), [SAID])

    def test_a_violation(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-4.8.0-1] And one that is hung up on because of what it said."""
        peer = self.join("c1", will=GONE)
        self.refused(peer, b"\xf0\x00")
        self.assertEqual(self.heard(), [SAID])

    def test_a_second_connect(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-3.1.0-2] And one that says CONNECT twice: of the first one."""
        peer = self.join("c1", will=GONE)
        self.refused(peer, connect(0x06, b"c1", b"home/will", b"another"))
        self.assertEqual(self.heard(), [SAID])

    def test_takeover(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-3.1.4-2] And one whose place another connection takes."""
        self.join("c1", will=GONE)
        newer = self.join("c1", will=Will("home/will", b"newer"))
        self.assertEqual(self.heard(), [SAID])
        newer.vanish()
        self.assertEqual(self.heard(), [Publish("home/will", b"newer")])

    def test_takeover_without_will(self) -> None:
        """[MQTT-3.1.2-12] The will was of the connection: the next one need not have one."""
        self.join("c1", clean=False, will=GONE)
        newer = self.join("c1", clean=False)
        self.assertEqual(self.heard(), [SAID])
        newer.vanish()
        self.assertEqual(self.heard(), [])

    def test_the_server_stops(self) -> None:
        """[MQTT-3.1.2-8] When the server hangs up on everybody, wills still reach the others."""
        peer = self.join("c1", will=GONE)
        self.world.factory.farewell()
        self.assertEqual(self.heard(), [SAID])
        self.assertTrue(peer.closed)
        self.assertTrue(self.audience.closed)

    def test_disconnect(self) -> None:
        """[MQTT-3.14.4-3] [MQTT-3.1.2-10] DISCONNECT discards the will."""
        self.join("c1", will=GONE).leave()
        self.assertEqual(self.heard(), [])

    def test_disconnect_in_a_hurry(self) -> None:
        """[MQTT-3.14.4-3] Also when it comes in one piece with CONNECT, and the end behind it."""
        peer = self.dial("c1")
        peer.say(Connect(client_id="c1", username="house", password=b"s", will=GONE), Disconnect())
        peer.vanish()
        self.assertEqual(self.heard(), [])

    def test_words_behind_disconnect(self) -> None:
        """[MQTT-3.14.4-2] [MQTT-3.14.4-1] What follows DISCONNECT is not heard; it is closed."""
        peer = self.join("c1", will=GONE)
        peer.send(DISCONNECT, b"\x30\x0a\x00\x09home/will", PINGREQ)
        self.assertTrue(peer.closed)
        self.assertNotIn(PINGRESP, peer.raw())
        self.assertEqual(self.heard(), [])

    def test_a_disconnect_that_is_none(self) -> None:
        """[MQTT-3.14.1-1] DISCONNECT with a flag is a violation, after which the will counts."""
        for flags in range(1, 16):
            peer = self.join(f"c{flags}", will=GONE)
            self.refused(peer, bytes((0xE0 | flags, 0)))
            self.assertEqual(self.heard(), [SAID])

    def test_once(self) -> None:
        """[MQTT-3.1.2-10] A will that was published is forgotten, and is not in the session."""
        self.join("c1", clean=False, will=GONE).vanish()
        self.assertEqual(self.heard(), [SAID])
        self.join("c1", clean=False).vanish()
        self.clock.advance(100)
        self.assertEqual(self.heard(), [])

    def test_no_will(self) -> None:
        """[MQTT-3.1.2-12] Without a will nothing is published."""
        everything = self.audience
        everything.subscribe("#", qos=2)
        self.join("c1").vanish()
        self.join("c2", clean=False).vanish()
        self.join("c3").leave()
        self.assertEqual(self.heard(), [])

    def test_its_qos(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-4.5.0-1] A will is a message like others: its QoS is kept."""
        for qos in (0, 1, 2):
            self.join("c1", will=Will("home/will", b"gone", qos)).vanish()
            [said] = self.heard()
            self.assertEqual((said.qos, said.payload), (qos, b"gone"))

    def test_it_waits_for_who_is_away(self) -> None:
        """[MQTT-3.1.2-8] [MQTT-3.1.2-5] A will of QoS 1 waits for those who are away."""
        self.audience.leave()
        away = self.join("away", clean=False)
        away.subscribe("home/will", qos=1)
        away.leave()
        self.join("c1", will=Will("home/will", b"gone", 1)).vanish()
        self.assertEqual(self.join("away", clean=False).payloads(), [b"gone"])

    def test_its_own_subscription(self) -> None:
        """[MQTT-3.1.2-8] Who is away hears its own will when it comes back."""
        peer = self.join("c1", clean=False, will=Will("home/will", b"gone", 1))
        peer.subscribe("home/will", qos=1)
        peer.vanish()
        self.assertEqual(self.join("c1", clean=False).payloads(), [b"gone"])

    def test_not_retained(self) -> None:
        """[MQTT-3.1.2-16] Without will retain nothing is retained, and nothing cleared."""
        self.join("c1", will=GONE).vanish()
        self.assertEqual(self.retained("home/will"), [])
        self.join("c2").publish("home/will", b"kept", retain=True)
        self.join("c1", will=GONE).vanish()
        self.assertEqual(self.retained("home/will"), [(b"kept", 0)])

    def test_retained(self) -> None:
        """[MQTT-3.1.2-17] With will retain it is retained, with its QoS."""
        self.join("c1", will=Will("home/will", b"gone", 1, retain=True)).vanish()
        [said] = self.heard()
        self.assertEqual((said.payload, said.retain), (b"gone", False))
        self.assertEqual(self.retained("home/will"), [(b"gone", 1)])

    def test_retained_and_empty(self) -> None:
        """[MQTT-3.1.2-17] [MQTT-3.3.1-10] An empty retained will clears its topic."""
        self.join("c2").publish("home/will", b"kept", retain=True)
        self.heard()
        self.join("c1", will=Will("home/will", b"", retain=True)).vanish()
        self.assertEqual(self.heard(), [Publish("home/will", b"")])
        self.assertEqual(self.retained("home/will"), [])

    def test_empty(self) -> None:
        """[MQTT-3.1.2-8] A will message may have no bytes."""
        self.join("c1", will=Will("home/will", b"")).vanish()
        self.assertEqual(self.heard(), [Publish("home/will", b"")])

    def test_a_topic_with_wildcards(self) -> None:
        """[MQTT-4.7.1-1] [MQTT-3.1.4-1] The topic of a will is a name, not a filter."""
        for topic in (b"home/+", b"#", b""):
            self.refused(self.dial("c1"), connect(0x06, b"c1", topic, b"gone"))


class KeepAliveTests(ConformanceCase):
    """How long a client may be silent."""

    def test_one_and_a_half(self) -> None:
        """[MQTT-3.1.2-24] The end comes after one and a half keep-alives, not earlier."""
        peer = self.join("c1", keep_alive=100)
        self.clock.advance(149.5)
        self.world.settle()
        self.assertFalse(peer.closed)
        self.clock.advance(1)
        self.world.settle()
        self.assertTrue(peer.closed)

    def test_any_packet_counts(self) -> None:
        """[MQTT-3.1.2-23] [MQTT-3.1.2-24] Every packet starts the time again."""
        peer = self.join("c1", keep_alive=10)
        for packet in (
            PINGREQ,
            b"\x30\x06\x00\x03a/bx",
            b"\x82\x08\x00\x01\x00\x03a/b\x00",
            b"\xa2\x07\x00\x02\x00\x03a/b",
            PINGREQ,
        ):
            self.clock.advance(14)
            peer.send(packet)
            self.assertFalse(peer.closed, packet)
        self.clock.advance(15.5)
        self.world.settle()
        self.assertTrue(peer.closed)

    def test_what_the_server_says_does_not_count(self) -> None:
        """[MQTT-3.1.2-24] Hearing something is no sign of life."""
        peer = self.hearer("home/a", name="c1")
        peer.leave()
        peer = self.join("c1", keep_alive=10)
        peer.subscribe("home/a")
        for _ in range(4):
            self.clock.advance(4)
            self.announce("home/a")
        self.assertTrue(peer.closed)

    def test_half_a_packet(self) -> None:
        """[MQTT-3.1.2-24] Bytes that do not make a packet are no sign of life."""
        peer = self.join("c1", keep_alive=10)
        for byte in b"\x30\x0b\x00\x06ho":
            peer.send(bytes((byte,)))
            self.clock.advance(4)
        self.world.settle()
        self.assertTrue(peer.closed)

    def test_none(self) -> None:
        """A keep-alive of 0 allows silence, for half an hour at least."""
        peer = self.join("c1", keep_alive=0)
        self.clock.advance(1800)
        self.world.settle()
        self.alive(peer)

    def test_ping(self) -> None:
        """[MQTT-3.12.4-1] PINGRESP answers each PINGREQ."""
        peer = self.join("c1")
        peer.send(PINGREQ)
        self.assertEqual(peer.raw(), PINGRESP)
        peer.send(PINGREQ * 3)
        self.assertEqual(peer.raw(), PINGRESP * 3)
