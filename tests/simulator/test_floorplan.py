"""The test map against the values of the protocol reference."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.floorplan import (
    EMPTY_CRC,
    FLOOR,
    WALL,
    Floorplan,
    TracePoint,
    known_floor,
    pack,
    trace,
    unpack,
)

EMPTY = "XQAABAAQJwAAAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7Jhr4BS5///7YiAAA="
TRACE = "XQAABAAUAAAAAABpAVwIIECnRgJHzBwdxZ6AgR3//8mkAAA="


class PackTests(SynchronousTestCase):
    """Compressed values (mqtt.md 7.6)."""

    def test_empty_piece(self) -> None:
        """10 000 zero bytes give the known text and the known checksum."""
        self.assertEqual(pack(bytes(10_000)), EMPTY)
        self.assertEqual(zlib.crc32(bytes(10_000)), EMPTY_CRC)

    def test_trace(self) -> None:
        """Four points give the known text."""
        points = [
            TracePoint(0, 0),
            TracePoint(12, -5),
            TracePoint(24, -10),
            TracePoint(24, 40, pen_up=True),
        ]
        self.assertEqual(pack(trace(points)), TRACE)

    @given(st.binary(max_size=300))
    def test_round_trip(self, plain: bytes) -> None:
        """Whatever is packed comes back."""
        self.assertEqual(unpack(pack(plain)), plain)


class FloorplanTests(SynchronousTestCase):
    """Pieces and rooms."""

    def test_unseen_map(self) -> None:
        """A new map is 64 empty pieces."""
        plan = Floorplan()
        self.assertEqual(plan.checksums(), [1295764014] * 64)
        self.assertEqual(plan.packed_piece(27), EMPTY)

    def test_checksums_fit_pieces(self) -> None:
        """The list of checksums describes the pieces handed out."""
        plan = known_floor()
        pieces = [unpack(plan.packed_piece(index)) for index in range(64)]
        self.assertEqual(plan.checksums(), [zlib.crc32(piece) for piece in pieces])
        self.assertEqual({len(piece) for piece in pieces}, {10_000})

    def test_discovery(self) -> None:
        """Every inhabited piece is discovered in turn, then the round begins again."""
        plan = Floorplan()
        inhabited = plan.inhabited()
        found = [plan.discover() for _ in range(len(inhabited) + 1)]
        self.assertEqual(found, [*inhabited, inhabited[0]])
        sums = plan.checksums()
        self.assertNotIn(EMPTY_CRC, [sums[index] for index in inhabited])

    def test_rooms_have_walls(self) -> None:
        """A piece with a room shows floor and wall, nothing else but unknown."""
        plan = known_floor()
        shown = set(plan.piece(plan.inhabited()[0]))
        self.assertEqual(shown, {0, FLOOR, WALL})

    def test_forget(self) -> None:
        """A cleared map has neither rooms nor pieces."""
        plan = known_floor()
        plan.forget()
        self.assertEqual((plan.checksums(), plan.rooms), ([EMPTY_CRC] * 64, {}))
        self.assertEqual(plan.discover(), 0)

    def test_room_list(self) -> None:
        """The compressed list names all rooms."""
        self.assertIn(b'["3","Kitchen","5"', unpack(known_floor().packed_rooms()))
