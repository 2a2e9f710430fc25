"""The robots' own MQTT codec."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.mqtt import BadPacket, Message, Splitter, message, packet, publish

BODIES = st.lists(st.binary(max_size=300), max_size=5)


class SplitterTests(SynchronousTestCase):
    """Bytes in, packets out."""

    @given(BODIES, st.integers(min_value=1, max_value=50))
    def test_any_fragmentation(self, bodies: list[bytes], size: int) -> None:
        """However the stream is cut, the packets are the same."""
        stream, splitter = b"".join(packet(0x30, body) for body in bodies), Splitter()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        heard = [body for piece in pieces for _, body in splitter.feed(piece)]
        self.assertEqual(heard, bodies)

    def test_length_forms(self) -> None:
        """Lengths take one to four bytes."""
        for size, head in ((127, 2), (128, 3), (16383, 3), (16384, 4), (2097151, 4)):
            raw = packet(0x30, bytes(size))
            self.assertEqual(len(raw) - size, head)
            self.assertEqual([len(body) for _, body in Splitter().feed(raw)], [size])

    def test_bad_length(self) -> None:
        """A fifth length byte and a huge packet are refused before anything is kept."""
        for raw in (b"\x30\xff\xff\xff\xff", b"\x30\xff\xff\xff\x7f"):
            with self.assertRaises(BadPacket):
                list(Splitter().feed(raw))


class MessageTests(SynchronousTestCase):
    """PUBLISH."""

    def test_round_trip(self) -> None:
        """Topic and payload come back."""
        [(first, body)] = Splitter().feed(publish("a/b", b"payload"))
        self.assertEqual(message(first & 15, body), Message("a/b", b"payload"))

    def test_qos1(self) -> None:
        """QoS 1 carries a packet id, retain is seen."""
        heard = message(3, b"\0\1a\0\7x")
        self.assertEqual(heard, Message("a", b"x", 1, True, 7))

    @given(st.integers(min_value=0, max_value=15), st.binary(max_size=12))
    def test_garbage(self, flags: int, body: bytes) -> None:
        """Garbage is a message or a named error."""
        try:
            self.assertIsInstance(message(flags, body), Message)
        except BadPacket as error:
            self.assertIn(str(error), ("publish", "topic"))
