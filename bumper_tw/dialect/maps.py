"""What robots say of their maps: pieces, paths and what is compressed (mqtt.md 7.6, 8.2)."""

import lzma
import struct
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from attrs import frozen

from bumper_tw.dialect import lenient
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.reports_json import content

#: CRC-32 of a usual piece that was never seen: 10 000 zero bytes.
EMPTY = 1295764014

#: Robots shorten the header of an LZMA stream to so many bytes; four zeros belong behind it.
HEADER = 9
#: Smallest dictionary there is, and what a stream needs of memory besides its dictionary.
SMALLEST, BESIDES = 4096, 1 << 20

#: As many cells may a map have along one edge: eighty metres, at the usual 50 mm.
MOST_CELLS = 1600
#: As many pieces it may be cut into, along one edge.
MOST_PIECES = 32
#: Points in one message; clients ask for 200, and events bring 20.
MOST_POINTS = 2000
#: Nothing in a house is so many millimetres from the dock.
FARTHEST = 327_680

#: A trace has so many bytes for a point, and millimetres for each of its units.
STEP, UNIT = 5, 10
#: The bit that says: not connected with the point before.
PEN_UP = 0x80

#: Millimetres, counted from where the map began: mostly at the dock.
Point = tuple[int, int]
#: The same with 1 when nothing leads to it from the point before.
TracePoint = tuple[int, int, int]


@frozen
class Grid:
    """
    How a map is cut into pieces.

    @ivar mid: the name of the map.
    @ivar width: cells of a piece from left to right, and C{height} from bottom to top.
    @ivar columns: pieces from left to right, and C{rows} from bottom to top.
    @ivar pixel: millimetres along the edge of a cell.
    """

    mid: str = ""
    width: int = 100
    height: int = 100
    columns: int = 8
    rows: int = 8
    pixel: int = 50

    @property
    def pieces(self) -> int:
        """How many there are."""
        return self.columns * self.rows

    @property
    def cells(self) -> int:
        """How many each of them has."""
        return self.width * self.height

    def place(self, index: int) -> tuple[int, int]:
        """The column and the row of a piece: 8 x column + row (mqtt.md 7.6)."""
        return divmod(index, self.rows)

    def same_cut(self, other: "Grid") -> bool:
        """Whether the pieces of another map would fit here."""
        ours = (self.width, self.height, self.columns, self.rows)
        return ours == (other.width, other.height, other.columns, other.rows)


@frozen
class Major:
    """The whole map in short: of each piece the CRC-32 of its cells."""

    grid: Grid
    sums: tuple[int, ...]


@frozen
class Trace:
    """
    A part of a path.

    @ivar tid: the name of the path; another begins with each job.
    @ivar start: the place of the first of these points among all of them.
    @ivar total: how many points the path has.
    """

    tid: str
    start: int
    total: int
    points: tuple[TracePoint, ...]


def unpack(text: object, most: int) -> bytes:
    """
    What a robot has compressed (mqtt.md 7.6).

    @param most: bytes that may come out of it.
    @raise ValueError: it is nothing of that kind, or more.
    """
    raw = decoded(text, 2 * most + 1024)
    if len(raw) <= HEADER:
        raise ValueError("too short for a compressed value")
    size = int.from_bytes(raw[5:HEADER], "little")
    if size > most:
        raise ValueError(f"{size} bytes are more than {most}")
    return inflated(raw, size)


def decoded(text: object, most: int) -> bytes:
    """
    Base64.

    @raise ValueError: it is none, or longer than C{most} characters.
    """
    if not isinstance(text, str) or len(text) > most:
        raise ValueError("no compressed value, or a long one")
    return b64decode("".join(text.split()).encode("ascii", "replace"), validate=True)


def inflated(raw: bytes, size: int) -> bytes:
    """
    Decompress.

    @raise ValueError: not so many bytes come out of it.
    """
    # Robots name a dictionary of any size; none beyond what comes out is ever looked into.
    room = max(size, SMALLEST)
    begin = raw[:1] + struct.pack("<IQ", room, size)
    decoder = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=room + BESIDES)
    try:
        plain = decoder.decompress(begin + raw[HEADER:], max_length=size)
    except (lzma.LZMAError, EOFError) as wrong:
        raise ValueError(f"nothing that was compressed: {wrong}") from wrong
    if len(plain) != size:
        raise ValueError("a compressed value that is not whole")
    return plain


def piece(grid: Grid, text: object) -> bytes:
    """
    The cells of a piece: column by column from the left, each from below.

    @raise ValueError: it is none, or does not have the right size.
    """
    cells = unpack(text, grid.cells)
    if len(cells) != grid.cells:
        raise ValueError(f"a piece of {len(cells)} cells, not {grid.cells}")
    return cells


def checksum(cells: bytes) -> int:
    """The number by which a piece is known to have changed."""
    return crc32(cells)


def within(data: Mapping[str, Any], name: str, least: int, most: int, usual: int) -> int:
    """
    A number from what a robot said, or the usual one if it says nothing.

    @raise ValueError: it is out of range.
    """
    value = lenient.number(data.get(name, usual))
    if value is None or not least <= value <= most:
        raise ValueError(f"{name} is none of {least} to {most}")
    return value


def grid(data: Mapping[str, Any]) -> Grid:
    """
    The measures of a map, from C{getMajorMap}.

    @raise ValueError: they are impossible.
    """
    found = Grid(
        lenient.text(data.get("mid"), 64),
        within(data, "pieceWidth", 1, MOST_CELLS, 100),
        within(data, "pieceHeight", 1, MOST_CELLS, 100),
        within(data, "cellWidth", 1, MOST_PIECES, 8),
        within(data, "cellHeight", 1, MOST_PIECES, 8),
        within(data, "pixel", 1, 1000, 50),
    )
    if max(found.width * found.columns, found.height * found.rows) > MOST_CELLS:
        raise ValueError("a map larger than any house")
    return found


def major(data: object) -> Major:
    """
    C{getMajorMap} and C{onMajorMap}.

    @raise ValueError: it cannot be read, or has not as many numbers as pieces.
    """
    said = lenient.fields(data)
    cut, value = grid(said), said.get("value")
    if not isinstance(value, str) or len(value) > 12 * MOST_PIECES**2:
        raise ValueError("a map without numbers")
    sums = tuple(lenient.natural(each.strip()) for each in value.split(","))
    known = tuple(each for each in sums if each is not None and each < 1 << 32)
    if len(known) != cut.pieces or len(sums) != cut.pieces:
        raise ValueError(f"not the numbers of {cut.pieces} pieces")
    return Major(cut, known)


def active_map(data: object) -> str:
    """The name of the map in use, from C{getCachedMapInfo}; empty if there is none."""
    entries = lenient.entries(lenient.fields(data).get("info"))
    used = (each for each in map(lenient.fields, entries) if lenient.flag(each.get("using")))
    names = (lenient.text(each.get("mid"), 64) for each in used)
    return next((name for name in names if name not in {"", "0"}), "")


def points(plain: bytes) -> tuple[TracePoint, ...]:
    """
    The points of a path: each two numbers of 16 bits in 10 mm, and a byte of flags.

    @raise ValueError: it has not so many bytes.
    """
    if len(plain) % STEP:
        raise ValueError("half a point")
    found = struct.iter_unpack("<hhB", plain)
    return tuple((x * UNIT, y * UNIT, int(flags & PEN_UP > 0)) for x, y, flags in found)


def trace(data: object) -> Trace:
    """
    C{onMapTrace} and C{getMapTrace} (mqtt.md 7.3, 13).

    @raise ValueError: it is none.
    """
    said = lenient.fields(data)
    found = points(unpack(said.get("traceValue"), MOST_POINTS * STEP))
    start = within(said, "traceStart", 0, 1 << 24, 0)
    total = within(said, "totalCount", 0, 1 << 24, start + len(found))
    return Trace(lenient.text(said.get("tid"), 64), start, max(total, start + len(found)), found)


def xml_trace(data: object) -> Trace:
    """
    C{trace} of XML robots, and what they answer to C{GetTrM} (mqtt.md 8.2).

    @raise ValueError: it is none.
    """
    said = lenient.fields(data)
    found = points(unpack(said.get("tr"), MOST_POINTS * STEP))
    start = within(said, "tf", 0, 1 << 24, 0)
    return Trace(lenient.text(said.get("trid"), 64), start, start + len(found), found)


def question(data: object, now: float) -> bytes:
    """
    A question about maps, as it goes to JSON robots (mqtt.md 7.1).

    @param now: seconds since the epoch.
    """
    header = {"pri": "1", "ts": int(now * 1000), "tzm": 480, "ver": "0.0.50"}
    return to_json({"header": header, **({} if data is None else {"body": {"data": data}})})


def answer(body: bytes) -> Any:
    """
    What a robot has answered; C{None} when it refuses.

    @raise ValueError: that cannot be read.
    """
    said = lenient.load(body)
    return content(said) if isinstance(said, dict) else None
