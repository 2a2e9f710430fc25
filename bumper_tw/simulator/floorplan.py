"""The test map: rooms, pieces and the compressed forms clients decode (mqtt.md 7.6)."""

from __future__ import annotations

import base64
import json
import lzma
import struct
import zlib
from collections.abc import Iterable

from attrs import define, field, frozen

SIDE = 100
"""Cells along one edge of a piece."""

GRID = 8
PIECES = GRID * GRID
CELL = 50
"""Millimetres along one edge of a cell."""

ORIGIN = SIDE * GRID // 2
"""The cell of the dock, counted from the corner of the map."""

UNKNOWN, FLOOR, WALL = 0, 1, 2
EMPTY_CRC = 1295764014
"""CRC-32 of 10 000 zero bytes: a piece that was never seen (mqtt.md 7.6)."""

DICTIONARY = 0x40000
FILTERS = ({"id": lzma.FILTER_LZMA1, "dict_size": DICTIONARY, "lc": 3, "lp": 0, "pb": 2},)


def pack(plain: bytes) -> str:
    """Compress with the shortened header of the robots and encode as base64 (mqtt.md 7.6)."""
    alone = lzma.compress(plain, format=lzma.FORMAT_ALONE, filters=FILTERS)
    return base64.b64encode(alone[:5] + struct.pack("<I", len(plain)) + alone[13:]).decode()


def unpack(packed: str) -> bytes:
    """
    Undo L{pack}; the size field is believed, so only for our own data.

    @raise ValueError: not base64
    @raise lzma.LZMAError: not a compressed value
    """
    raw = base64.b64decode(packed, validate=True)
    return lzma.decompress(raw[:9] + bytes(4) + raw[9:], format=lzma.FORMAT_ALONE)


@frozen
class TracePoint:
    """
    One point of the path.

    @ivar x: 10 mm
    @ivar y: 10 mm
    @ivar pen_up: not connected to the point before
    """

    x: int
    y: int
    pen_up: bool = False


def trace(points: Iterable[TracePoint]) -> bytes:
    """Lay points out as five bytes each (mqtt.md 7.6)."""
    return b"".join(struct.pack("<hhB", p.x, p.y, 128 if p.pen_up else 0) for p in points)


@frozen
class Room:
    """
    A rectangle on the floor.

    @ivar mssid: number of the room as text
    @ivar subtype: kind of room (mqtt.md 7.4)
    @ivar left: millimetres, like C{bottom}, C{right} and C{top}
    """

    mssid: str
    name: str
    subtype: str
    left: int
    bottom: int
    right: int
    top: int

    def outline(self) -> str:
        """Spell the corners as C{x,y;x,y;...} in millimetres."""
        corners = (
            (self.left, self.bottom),
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
        )
        return ";".join(f"{x},{y}" for x, y in corners)

    def centre(self) -> tuple[int, int]:
        """Find the middle, in millimetres."""
        return (self.left + self.right) // 2, (self.bottom + self.top) // 2

    def cells(self) -> tuple[int, int, int, int]:
        """Give left, bottom, right and top in cells of the map; right and top excluded."""
        return (
            self.left // CELL + ORIGIN,
            self.bottom // CELL + ORIGIN,
            self.right // CELL + ORIGIN,
            self.top // CELL + ORIGIN,
        )


ROOMS = (
    Room("3", "Kitchen", "5", -3000, -2000, 0, 1500),
    Room("5", "Living room", "1", 0, -2000, 6000, 4000),
    Room("7", "Bedroom", "3", -3000, 1500, 0, 6500),
)
NO_ROOM = Room("0", "", "0", -1500, -1500, 1500, 1500)
"""Where a robot without a map goes."""

WALLS = (("0", "[-2500,-500,-1200,-500]"),)


STRIDE, LANE, APART = 250, 300, 250
"""Millimetres: a step, from one lane to the next, and from the walls."""


def _paces(room: Room) -> tuple[int, int]:
    """Count steps along a lane, and lanes; there is one of each at least."""
    along = (room.right - room.left - 2 * APART) // STRIDE + 1
    return max(along, 1), max((room.top - room.bottom - 2 * APART) // LANE + 1, 1)


def _steps(room: Room) -> int:
    along, lanes = _paces(room)
    return along * lanes


def _lawn(room: Room, step: int) -> tuple[int, int, int]:
    along, _ = _paces(room)
    lane, paces = divmod(step, along)
    forward = lane % 2 == 0
    paces = paces if forward else along - 1 - paces
    x, y = room.left + APART + paces * STRIDE, room.bottom + APART + lane * LANE
    return x, y, 0 if forward else 180


@define
class Floorplan:
    """
    The map one robot knows.

    @ivar mid: number of the map as text, and C{msid} that of its room set
    @ivar seen: pieces the robot has discovered
    """

    mid: str = "1204518810"
    msid: str = "8"
    rooms: dict[str, Room] = field(factory=lambda: {room.mssid: room for room in ROOMS})
    walls: dict[str, str] = field(factory=lambda: dict(WALLS))
    seen: set[int] = field(factory=set)
    trace_id: int = 311
    path: list[TracePoint] = field(factory=list)
    _pieces: dict[int, bytes] = field(factory=dict, init=False)
    _packed: dict[int, str] = field(factory=dict, init=False)
    _next: int = field(default=0, init=False)

    def inhabited(self) -> list[int]:
        """List the pieces that show any floor, in order."""
        return [
            index for index in range(PIECES) if any(_overlaps(r, index) for r in self._rooms())
        ]

    def discover(self) -> int:
        """Step to the next piece, beginning again after the last; it is seen from now on."""
        there = self.inhabited() or [0]
        index = there[self._next % len(there)]
        self._next += 1
        self.seen.add(index)
        return index

    def piece(self, index: int) -> bytes:
        """
        Draw one piece, or an empty one when it was not seen yet.

        @param index: 8 x column + row
        @return: 100 x 100 cells, column by column from the left, each from below
        """
        if index not in self.seen:
            return bytes(SIDE * SIDE)
        if index not in self._pieces:
            self._pieces[index] = self._draw(index)
        return self._pieces[index]

    def packed_piece(self, index: int) -> str:
        """Give one piece as it goes on the wire."""
        if index not in self.seen:
            return pack(bytes(SIDE * SIDE))
        if index not in self._packed:
            self._packed[index] = pack(self.piece(index))
        return self._packed[index]

    def checksums(self) -> list[int]:
        """Give the CRC-32 of all pieces."""
        return [
            zlib.crc32(self.piece(index)) if index in self.seen else EMPTY_CRC
            for index in range(PIECES)
        ]

    def cell(self, x: int, y: int) -> int:
        """
        Say what is at a place of the map, as far as the robot has seen it.

        @param x: cells from the left edge of the map
        @param y: cells from its lower edge
        """
        index = x // SIDE * GRID + y // SIDE
        if not (0 <= x < SIDE * GRID and 0 <= y < SIDE * GRID):
            return UNKNOWN
        return self.piece(index)[x % SIDE * SIDE + y % SIDE]

    def sweep(self, step: int, content: str = "") -> tuple[int, int, int]:
        """
        Walk up and down through rooms, like a lawn mower, and begin again after the last.

        @param step: how many steps were made
        @param content: rooms by number, as the command spelled them; all if it names none
        @return: x and y in millimetres, and the direction in degrees
        """
        named = [self.rooms[mssid] for mssid in content.split(",") if mssid in self.rooms]
        rooms = named or self._rooms() or [NO_ROOM]
        step %= sum(map(_steps, rooms))
        for room in rooms:
            if step < _steps(room):
                return _lawn(room, step)
            step -= _steps(room)
        raise AssertionError("there are as many steps as there are")

    def forget(self) -> None:
        """Lose everything, as after C{clearMap}."""
        for collection in (self.rooms, self.walls, self._pieces, self._packed):
            collection.clear()
        self.seen.clear()
        self.path.clear()

    def redraw(self) -> None:
        """Drop drawn pieces after the rooms changed."""
        self._pieces.clear()
        self._packed.clear()

    def packed_rooms(self) -> str:
        """Give the room list of C{getMapSet_V2} (mqtt.md 7.4)."""
        rows = [
            [r.mssid, r.name, r.subtype, "0", "", *map(str, r.centre()), "1-0-2", "0", "0"]
            for r in self._rooms()
        ]
        return pack(json.dumps(rows, separators=(",", ":")).encode())

    def _rooms(self) -> list[Room]:
        return list(self.rooms.values())

    def _draw(self, index: int) -> bytes:
        cells = bytearray(SIDE * SIDE)
        for room in self._rooms():
            _paint(cells, room, index)
        return bytes(cells)


def known_floor() -> Floorplan:
    """Make the map of a robot that has worked here before: all but the last piece seen."""
    plan = Floorplan()
    plan.seen.update(plan.inhabited()[:-1])
    return plan


def _corner(index: int) -> tuple[int, int]:
    return index // GRID * SIDE, index % GRID * SIDE


def _clip(low: int, high: int, start: int) -> range:
    return range(max(low - start, 0), min(high - start, SIDE))


def _overlaps(room: Room, index: int) -> bool:
    (x, y), (left, bottom, right, top) = _corner(index), room.cells()
    return bool(_clip(left, right, x)) and bool(_clip(bottom, top, y))


def _paint(cells: bytearray, room: Room, index: int) -> None:
    (x, y), (left, bottom, right, top) = _corner(index), room.cells()
    columns = _clip(left, right, x)
    if not columns:
        return
    rows = _clip(bottom, top, y)
    for column in columns:
        edge = column + x in (left, right - 1)
        start = column * SIDE
        colour = WALL if edge else FLOOR
        cells[start + rows.start : start + rows.stop] = bytes([colour]) * len(rows)
        for row in (bottom - y, top - 1 - y):
            if row in rows:
                cells[start + row] = WALL
