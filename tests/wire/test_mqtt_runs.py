"""Tests for L{bumper_tw.wire.mqtt_runs}."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode, publish_bytes
from bumper_tw.wire.mqtt_packets import PingReq, Publish
from bumper_tw.wire.mqtt_runs import Run, cut_run

LARGEST = 2**21
ONE = publish_bytes("a/b", b"x" * 20)
OTHER = publish_bytes("a/c", b"x" * 20)

#: Publications that look alike often, and other packets now and then.
STREAMS = st.lists(
    st.builds(
        publish_bytes,
        st.sampled_from(["a", "a/b", "b/a"]),
        st.sampled_from([b"", b"x", b"y", b"z" * 200, b"\x30\x03\x00\x01a"]),
        st.just(0),
        st.booleans(),
    )
    | st.just(encode(PingReq()))
    | st.just(publish_bytes("a", b"x", 1, packet_id=7)),
    max_size=12,
)


class CutTests(SynchronousTestCase):
    """What belongs to a run."""

    def test_one(self) -> None:
        """One packet is a run of one."""
        self.assertEqual(cut_run(ONE, 0, LARGEST), Run(b"a/b", len(ONE), 1))

    def test_alike(self) -> None:
        """Packets of one topic and length belong together, whatever their payloads are."""
        data = ONE + ONE[:-1] + b"y" + OTHER
        self.assertEqual(cut_run(data, 0, LARGEST), Run(b"a/b", 2 * len(ONE), 2))
        self.assertEqual(cut_run(data, 2 * len(ONE), LARGEST), Run(b"a/c", len(data), 1))

    def test_incomplete(self) -> None:
        """What has not come whole does not belong to it."""
        data = ONE + ONE[:-1]
        self.assertEqual(cut_run(data, 0, LARGEST), Run(b"a/b", len(ONE), 1))
        for length in range(len(ONE)):
            self.assertIsNone(cut_run(ONE[:length], 0, LARGEST))

    def test_long(self) -> None:
        """A length of several bytes is read."""
        for size in (128, 20_000, 1_100_000):
            packet = publish_bytes("t", bytes(size))
            self.assertEqual(cut_run(packet, 0, LARGEST), Run(b"t", len(packet), 1))

    def test_left_to_others(self) -> None:
        """What needs more than passing on, or is wrong, is no run."""
        for data in (
            publish_bytes("a", b"x", retain=True),
            publish_bytes("a", b"x", 1, packet_id=1),
            encode(PingReq()),
            b"\x30\x03\x00\x05abc",
            b"\x30\x02\x00\x00\x30",
            b"\x30\xff\xff\xff\xff\x7f" + bytes(40),
            b"\x30\xff\xff\xff",
            publish_bytes("a", bytes(LARGEST)),
        ):
            self.assertIsNone(cut_run(data, 0, LARGEST))

    def test_long_way_to_say_a_size(self) -> None:
        """A length that takes more bytes than it needs is not passed on, but read."""
        for length in b"\x86\x00", b"\x86\x80\x00", b"\x86\x80\x80\x00", b"\x80\x81\x00":
            size = length[0] & 127 | (length[1] & 127) << 7
            packet = Publish("a/b", bytes(size - 5))
            data = b"\x30" + length + encode(packet)[-size:]
            self.assertIsNone(cut_run(data + data, 0, LARGEST))
            self.assertEqual(list(PacketBuffer(LARGEST).feed(data + data)), [packet] * 2)

    @given(STREAMS, st.integers(0, 10))
    def test_agrees(self, packets: list[bytes], cut: int) -> None:
        """A run is exactly the packets that the strict reader finds in it."""
        stream = b"".join(packets)
        stream = stream[: len(stream) - cut]
        at = 0
        while at < len(stream):
            run = cut_run(stream, at, LARGEST)
            if run is None:
                break
            found = list(PacketBuffer(LARGEST).feed(stream[at : run.end]))
            self.assertEqual(len(found), run.packets)
            for packet in found:
                assert isinstance(packet, Publish)
                self.assertEqual((packet.topic, packet.qos), (run.topic.decode(), 0))
                self.assertEqual(packet.retain, False)
            at = run.end
        # The rest starts with something else, or is not whole.
        rest = list(PacketBuffer(LARGEST).feed(stream[at:]))[:1]
        self.assertTrue(all(not _is_plain(packet) for packet in rest))

    @given(st.binary(max_size=40))
    def test_garbage(self, garbage: bytes) -> None:
        """In garbage a run is found only where the strict reader has no objection but to text."""
        run = cut_run(garbage, 0, LARGEST)
        if run is None:
            return
        try:
            found = list(PacketBuffer(LARGEST).feed(garbage[: run.end]))
        except ProtocolViolation:
            self.assertTrue(
                not run.topic.isascii() or not run.topic or set(run.topic) & set(b"+#\0")
            )
        else:
            self.assertEqual(len(found), run.packets)


def _is_plain(packet: object) -> bool:
    return isinstance(packet, Publish) and packet.qos == 0 and not packet.retain
