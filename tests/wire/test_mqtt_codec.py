"""Bytes to packets and back."""

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_codec import (
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    UNSUBACK,
    PacketBuffer,
    encode,
    publish_bytes,
    refuse_level,
    reply_bytes,
)
from bumper_tw.wire.mqtt_decode import MAX_FILTERS, LimitExceeded, grammar
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)
from tests.wire.strategies import cut, cuts, packets, publishes

MAX_SIZE = 64 * 1024

#: One line per kind of packet and option: how it looks, and what it means.
LITERALS: list[tuple[str, Packet]] = [
    ("10 0c 0004 4d515454 04 02 003c 0000", Connect(keep_alive=60)),
    ("10 0e 0006 4d5149736470 03 00 0000 0000", Connect("MQIsdp", 3, clean=False)),
    (
        "10 1f 0004 4d515454 04 f6 0078 0002 4069 0003 612f62 0001 21 0003 553130 0002 ff00",
        Connect(
            keep_alive=120,
            client_id="@i",
            username="U10",
            password=b"\xff\0",
            will=Will("a/b", b"!", 2, True),
        ),
    ),
    (
        "10 11 0004 4d515454 04 0c 0000 0000 0001 77 0000",
        Connect(clean=False, will=Will("w", b"", 1)),
    ),
    ("10 0f 0004 4d515454 04 82 0000 0000 0001 75", Connect(username="u")),
    ("20 02 00 00", ConnAck(ConnectCode.ACCEPTED)),
    ("20 02 01 00", ConnAck(ConnectCode.ACCEPTED, session_present=True)),
    ("20 02 00 05", ConnAck(ConnectCode.NOT_AUTHORIZED)),
    ("30 07 0003 612f62 6869", Publish("a/b", b"hi")),
    ("31 03 0001 2f", Publish("/", b"", retain=True)),
    ("3a 06 0001 74 0001 21", Publish("t", b"!", 1, dup=True, packet_id=1)),
    ("3d 05 0001 74 ffff", Publish("t", b"", 2, True, True, 0xFFFF)),
    ("30 82 01 0002 c3bc" + " 78" * 126, Publish("ü", b"x" * 126)),
    ("40 02 0102", PubAck(0x102)),
    ("50 02 0001", PubRec(1)),
    ("62 02 0001", PubRel(1)),
    ("70 02 0001", PubComp(1)),
    ("82 0c 000a 0003 612f23 01 0001 2b 00", Subscribe(10, (("a/#", 1), ("+", 0)))),
    ("90 04 000a 01 80", SubAck(10, (1, 0x80))),
    ("a2 08 000b 0001 2b 0001 23", Unsubscribe(11, ("+", "#"))),
    ("b0 02 000b", UnsubAck(11)),
    ("c0 00", PingReq()),
    ("d0 00", PingResp()),
    ("e0 00", Disconnect()),
]

#: What the standard forbids, by name.
VIOLATIONS = {
    "packet type 0": "00 00",
    "packet type 15": "f0 00",
    "flags of CONNECT": "11 00",
    "flags of SUBSCRIBE": "80 00",
    "flags of UNSUBSCRIBE": "a0 00",
    "flags of PUBREL": "60 02 0001",
    "flags of PINGREQ": "c1 00",
    "flags of DISCONNECT": "e2 00",
    "QoS 3": "36 05 0001 74 0001",
    "DUP with QoS 0": "38 03 0001 74",
    "fifth length byte": "30 80808080 01",
    "256 MiB": "30 ffffff7f",
    "over the limit": "30 818004",
    "PUBLISH without anything": "30 00",
    "PUBLISH with half a length": "30 01 00",
    "PUBLISH shorter than its topic": "30 03 0002 74",
    "PUBLISH with an empty topic": "30 03 0000 21",
    "PUBLISH with +": "30 05 0003 612f2b",
    "PUBLISH with #": "30 03 0001 23",
    "PUBLISH with NUL": "30 04 0002 7400",
    "PUBLISH with broken UTF-8": "30 03 0001 ff",
    "PUBLISH with overlong UTF-8": "30 04 0002 c0af",
    "PUBLISH with a surrogate": "30 05 0003 eda080",
    "PUBLISH without packet id": "32 03 0001 74",
    "PUBLISH with half a packet id": "32 04 0001 74 00",
    "PUBLISH with packet id 0": "32 05 0001 74 0000",
    "topic of 513 bytes": "30 8304 0201" + "74" * 513,
    "PUBACK with packet id 0": "40 02 0000",
    "PUBACK too short": "40 01 01",
    "PUBACK too long": "40 03 0001 00",
    "SUBSCRIBE for nothing": "82 02 0001",
    "SUBSCRIBE with packet id 0": "82 06 0000 0001 61 00",
    "SUBSCRIBE with QoS 3": "82 06 0001 0001 61 03",
    "SUBSCRIBE with reserved QoS bits": "82 06 0001 0001 61 80",
    "SUBSCRIBE without QoS": "82 05 0001 0001 61",
    "SUBSCRIBE with an empty filter": "82 05 0001 0000 00",
    "SUBSCRIBE with NUL": "82 06 0001 0001 00 00",
    "filter of 513 bytes": "82 8604 0001 0201" + "74" * 513 + "00",
    "SUBACK without codes": "90 02 0001",
    "SUBACK with code 3": "90 03 0001 03",
    "UNSUBSCRIBE for nothing": "a2 02 0001",
    "UNSUBSCRIBE with an empty filter": "a2 04 0001 0000",
    "UNSUBSCRIBE with trailing bytes": "a2 06 0001 0001 61 00",
    "PINGREQ with a body": "c0 01 00",
    "DISCONNECT with a body": "e0 01 00",
    "CONNACK with reserved bits": "20 02 02 00",
    "CONNACK with code 6": "20 02 00 06",
    "CONNACK refusing a session it has": "20 02 01 05",
    "CONNACK with trailing bytes": "20 03 00 00 00",
    "CONNECT without anything": "10 00",
    "CONNECT of HTTP": "10 0c 0004 48545450 04 02 0000 0000",
    "CONNECT with the reserved flag": "10 0c 0004 4d515454 04 03 0000 0000",
    "CONNECT with will QoS and no will": "10 0c 0004 4d515454 04 0a 0000 0000",
    "CONNECT with will retain and no will": "10 0c 0004 4d515454 04 22 0000 0000",
    "CONNECT with will QoS 3": "10 11 0004 4d515454 04 1e 0000 0000 0001 77 0000",
    "CONNECT with a wildcard will": "10 11 0004 4d515454 04 06 0000 0000 0001 23 0000",
    "CONNECT with a will that is missing": "10 0c 0004 4d515454 04 06 0000 0000",
    "CONNECT with password alone": "10 0e 0004 4d515454 04 42 0000 0000 0000",
    "CONNECT without the user name it has": "10 0c 0004 4d515454 04 82 0000 0000",
    "CONNECT with trailing bytes": "10 0d 0004 4d515454 04 02 0000 0000 00",
    "CONNECT with NUL in the client id": "10 0d 0004 4d515454 04 02 0000 0001 00",
    "CONNECT cut short": "10 0a 0004 4d515454 04 02 0000",
}


def buffer(max_size: int = MAX_SIZE) -> PacketBuffer:
    """What the tests feed."""
    return PacketBuffer(max_size)


class LiteralTests(SynchronousTestCase):
    """Every packet, byte for byte."""

    def test_encode(self) -> None:
        """Each record is written as the standard says."""
        for literal, packet in LITERALS:
            self.assertEqual(encode(packet).hex(), literal.replace(" ", ""))

    def test_decode(self) -> None:
        """Each literal is read as its record."""
        for literal, packet in LITERALS:
            self.assertEqual(list(buffer().feed(bytes.fromhex(literal))), [packet])

    def test_byte_by_byte(self) -> None:
        """All of them in a row, a byte at a time, come out one after the other."""
        stream = bytes.fromhex("".join(literal for literal, _ in LITERALS))
        cutter = buffer()
        heard = [packet for byte in stream for packet in cutter.feed(bytes((byte,)))]
        self.assertEqual(heard, [packet for _, packet in LITERALS])
        self.assertEqual(len(cutter), 0)

    def test_long_way_to_say_a_size(self) -> None:
        """A remaining length with more bytes than it needs is not forbidden in 3.1.1."""
        self.assertEqual(list(buffer().feed(bytes.fromhex("c0 80808000"))), [PingReq()])

    def test_password_stays_secret(self) -> None:
        """A CONNECT can be logged without giving away the password."""
        self.assertNotIn("geheim", repr(Connect(username="u", password=b"geheim")))

    def test_topic_of_full_length(self) -> None:
        """512 bytes of topic are legal, the limit can be set, and it counts bytes."""
        raw = publish_bytes("ü" * 256, b"")
        self.assertEqual(list(buffer().feed(raw)), [Publish("ü" * 256, b"")])
        tight = PacketBuffer(MAX_SIZE, max_topic=511)
        self.assertRaises(ProtocolViolation, list, tight.feed(raw))


class OtherVersionTests(SynchronousTestCase):
    """Clients that speak an MQTT we do not."""

    def test_only_name_and_level(self) -> None:
        """Of another version name and level are read, whatever stands behind them."""
        heard = list(buffer().feed(bytes.fromhex("10 0b 0004 4d515454 05 02 ffffff")))
        self.assertEqual(heard, [Connect("MQTT", 5)])

    def test_spoken(self) -> None:
        """Only the two pairs of name and level that belong together are spoken."""
        pairs = [("MQTT", 4), ("MQIsdp", 3), ("MQTT", 5), ("MQTT", 3), ("MQIsdp", 4)]
        spoken = [Connect(name, level).spoken for name, level in pairs]
        self.assertEqual(spoken, [True, True, False, False, False])

    def test_refusal(self) -> None:
        """Each client is refused in its own language."""
        self.assertEqual(refuse_level(6), encode(ConnAck(ConnectCode.UNACCEPTABLE_LEVEL)))
        self.assertEqual(refuse_level(5).hex(), "2003008400")


class ViolationTests(SynchronousTestCase):
    """What the standard forbids ends in one named error."""

    def test_table(self) -> None:
        """Every violation is refused, whole and byte by byte."""
        for name, literal in VIOLATIONS.items():
            raw = bytes.fromhex(literal)
            for pieces in [raw], [raw[at : at + 1] for at in range(len(raw))]:
                cutter = buffer()
                with self.assertRaises(ProtocolViolation, msg=name):
                    for piece in pieces:
                        self.assertEqual(list(cutter.feed(piece)), [], name)

    def test_before_the_body(self) -> None:
        """A bad header is refused without a byte of the body."""
        for header in "36", "f0", "30818004", "3080808080", "1081a004":
            with self.assertRaises(ProtocolViolation, msg=header):
                list(buffer().feed(bytes.fromhex(header)))

    def test_exact_limit(self) -> None:
        """The limit is for the remaining length, and includes itself."""
        raw = publish_bytes("t", b"x" * 7)
        self.assertEqual(len(list(buffer(10).feed(raw))), 1)
        self.assertRaises(ProtocolViolation, list, buffer(9).feed(raw))

    def test_which_limit(self) -> None:
        """What is only too large names the limit; what is wrong does not."""
        for raw, limit in (
            (publish_bytes("t", bytes(MAX_SIZE)), "max_size"),
            (publish_bytes("t" * 513, b""), "max_topic"),
            (encode(Subscribe(1, (("t" * 513, 0),))), "max_topic"),
        ):
            wrong = self.assertRaises(LimitExceeded, list, buffer().feed(raw))
            self.assertEqual(wrong.limit, limit)
        wrong = self.assertRaises(ProtocolViolation, list, buffer().feed(b"\x30\x02\0\0"))
        self.assertNotIsInstance(wrong, LimitExceeded)

    def test_filters(self) -> None:
        """There is an end to the filters in one packet, and what is behind it is not read."""
        most = [f"home/{number}" for number in range(MAX_FILTERS)]
        for size, legal in ((MAX_FILTERS, True), (MAX_FILTERS + 1, False)):
            # The last one is malformed, if it is read.
            filters = [*most, "\0"][:size]
            for packet in (
                Subscribe(1, tuple((wanted, 1) for wanted in filters)),
                Unsubscribe(1, tuple(filters)),
            ):
                cutter = buffer()
                if legal:
                    self.assertEqual(list(cutter.feed(encode(packet))), [packet])
                else:
                    wrong = self.assertRaises(ProtocolViolation, list, cutter.feed(encode(packet)))
                    self.assertIn(f"more than {MAX_FILTERS} filters", str(wrong))

    def test_limit_can_grow(self) -> None:
        """A new limit and a new grammar hold from the next packet on."""
        cutter = PacketBuffer(4, grammar=grammar(PingReq))
        stream = cutter.feed(encode(PingReq()) + publish_bytes("topic", b""))
        self.assertEqual(next(stream), PingReq())
        cutter.max_size, cutter.grammar = 100, grammar(Publish)
        self.assertEqual(list(stream), [Publish("topic", b"")])

    def test_grammar(self) -> None:
        """A packet out of turn is refused at its first byte."""
        cutter = PacketBuffer(MAX_SIZE, grammar=grammar(Connect))
        self.assertRaises(ProtocolViolation, list, cutter.feed(b"\x30"))

    def test_packets_before_it(self) -> None:
        """What was said before the offence is heard; nothing after it ever is."""
        cutter = buffer()
        stream = cutter.feed(encode(PingReq()) + b"\xff")
        self.assertEqual(next(stream), PingReq())
        self.assertRaises(ProtocolViolation, next, stream)
        self.assertRaises(ProtocolViolation, list, cutter.feed(encode(PingReq())))

    def test_writing(self) -> None:
        """What cannot be written is a C{ValueError}."""
        for packet in (
            Publish("t", b"", packet_id=1),
            Publish("t", b"", qos=1),
            Publish("t", b"", qos=3, packet_id=1),
            Publish("t", b"", dup=True),
            Publish("\ud800", b""),
            Connect(client_id="x" * 0x10000),
        ):
            self.assertRaises(ValueError, encode, packet)


class BufferTests(SynchronousTestCase):
    """How bytes wait."""

    def test_given_up(self) -> None:
        """What an abandoned iteration left is cut by the next."""
        cutter = buffer()
        first = cutter.feed(encode(PubAck(1)) + encode(PubAck(2)))
        self.assertEqual(next(first), PubAck(1))
        self.assertEqual(len(cutter), 4)
        self.assertEqual(list(cutter.feed(encode(PubAck(3)))), [PubAck(2), PubAck(3)])
        self.assertEqual(list(first), [])

    def test_clear(self) -> None:
        """Bytes can be forgotten."""
        cutter = buffer()
        cutter.append(b"\x30")
        cutter.clear()
        self.assertEqual(list(cutter.feed(encode(PingReq()))), [PingReq()])

    def test_clear_during_a_run(self) -> None:
        """Nothing waits after bytes were forgotten while they were handed out."""
        cutter = buffer()
        cutter.append(publish_bytes("t", b"1") + publish_bytes("u", b"2"))
        for _ in cutter.runs():
            cutter.clear()
        self.assertEqual(len(cutter), 0)

    def test_lets_go(self) -> None:
        """Once cut, what was fed is not kept alive, nor by the start of a next packet."""
        cutter = buffer()
        list(cutter.feed(publish_bytes("t", bytes(10_000)) + b"\x30"))
        self.assertEqual(cutter._data, b"\x30")
        list(cutter.feed(b"\x03\0\x01t"))
        self.assertEqual(cutter._data, b"")

    def test_payload_is_bytes(self) -> None:
        """A payload collected in pieces is as immutable as any other."""
        raw = publish_bytes("t", b"payload")
        cutter = buffer()
        list(cutter.feed(raw[:5]))
        [packet] = cutter.feed(raw[5:])
        assert isinstance(packet, Publish)
        self.assertIs(type(packet.payload), bytes)


class PropertyTests(SynchronousTestCase):
    """What holds for anything."""

    @given(packets)
    def test_round_trip(self, packet: Packet) -> None:
        """What is written is read back."""
        self.assertEqual(list(buffer().feed(encode(packet))), [packet])

    @given(publishes)
    def test_fast_path(self, packet: Publish) -> None:
        """The short cut for PUBLISH writes what C{encode} writes."""
        p = packet
        short = publish_bytes(p.topic, p.payload, p.qos, p.retain, p.dup, p.packet_id)
        self.assertEqual(short, encode(packet))

    @given(st.integers(1, 65_535))
    def test_replies(self, packet_id: int) -> None:
        """The short cut for replies writes what C{encode} writes."""
        short = [
            reply_bytes(kind, packet_id) for kind in (PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK)
        ]
        kinds = (PubAck, PubRec, PubRel, PubComp, UnsubAck)
        self.assertEqual(short, [encode(kind(packet_id)) for kind in kinds])

    @given(st.lists(packets, max_size=8), cuts)
    def test_any_fragmentation(self, sent: list[Packet], places: list[int]) -> None:
        """However a stream is cut, the same packets come out."""
        cutter = buffer()
        pieces = cut(b"".join(map(encode, sent)), places)
        heard = [packet for piece in pieces for packet in cutter.feed(piece)]
        self.assertEqual(heard, sent)

    @given(st.binary(max_size=200))
    @example(bytes.fromhex("3002 0000"))
    def test_garbage(self, data: bytes) -> None:
        """Garbage is packets, or silence, or a violation; what is read can be written."""
        heard: list[Packet] = []
        try:
            heard.extend(buffer().feed(data))
        except ProtocolViolation:
            return
        self.assertEqual(list(buffer().feed(b"".join(map(encode, heard)))), heard)

    @given(packets, st.integers(min_value=0), st.integers(1, 255))
    def test_damaged(self, packet: Packet, place: int, mask: int) -> None:
        """A damaged packet is another packet, or silence, or a violation."""
        raw = bytearray(encode(packet))
        raw[place % len(raw)] ^= mask
        try:
            heard = list(buffer().feed(bytes(raw)))
        except ProtocolViolation:
            return
        # A flipped bit may cut one packet into several, and never into itself.
        self.assertNotEqual(heard, [packet])
