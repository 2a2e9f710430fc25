"""The floor as a picture: a small PNG with a palette, made of what robots send (mqtt.md 7.6)."""

import struct
import zlib
from collections.abc import Iterator

from attrs import frozen

from bumper_tw.core.maps import RobotMap
from bumper_tw.dialect.maps import Grid

#: Colours of cells by their number, with how much of the ground they hide; they can be told
#: apart on a light ground and on a dark one.
UNKNOWN = (0, 0, 0, 0)
FLOOR = (96, 152, 196, 105)
WALL = (124, 138, 150, 255)
CARPET = (150, 112, 196, 125)
NOT_SCANNED = (150, 150, 150, 60)
OBSTACLE = (206, 132, 40, 200)
PALETTE = (UNKNOWN, FLOOR, WALL, CARPET, NOT_SCANNED, OBSTACLE)

#: Cells by their number: newer robots give those of each room a number of their own.
SHOWN = bytes(value if value < len(PALETTE) else 1 for value in range(256))

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Eight bits a dot, with a palette (PNG, 11.2.1).
INDEXED = bytes((8, 3, 0, 0, 0))

#: Bytes of a picture; what is no floor does not get more than that.
LARGEST = 200_000


@frozen
class Picture:
    """
    A picture of a floor.

    @ivar left: where it is, in millimetres; so are the others.
    @ivar width: in dots, of which each is a cell, if that is not too much.
    @ivar revision: of the map, where it was last seen to change.
    """

    png: bytes
    left: int
    bottom: int
    right: int
    top: int
    width: int
    height: int
    revision: int


def picture(found: RobotMap) -> Picture | None:
    """The floor as far as it is known; C{None} if nothing is."""
    grid, pieces = found.grid, found.pieces
    rows = {y: row for y, row in enumerate(cells(grid, pieces)) if row.strip(b"\0")}
    if not rows:
        return None
    left = min(len(row) - len(row.lstrip(b"\0")) for row in rows.values())
    right = max(len(row.rstrip(b"\0")) for row in rows.values())
    low, high = min(rows), max(rows) + 1
    blank = bytes(right - left)
    shown = [rows[y][left:right] if y in rows else blank for y in range(high - 1, low - 1, -1)]
    body = png(shown)
    while len(body) > LARGEST:
        shown = [row[::2] for row in shown[::2]]
        body = png(shown)
    across, up = grid.width * grid.columns // 2, grid.height * grid.rows // 2
    return Picture(
        body,
        (left - across) * grid.pixel,
        (low - up) * grid.pixel,
        (right - across) * grid.pixel,
        (high - up) * grid.pixel,
        len(shown[0]),
        len(shown),
        found.drawn,
    )


def cells(grid: Grid, pieces: dict[int, bytes]) -> Iterator[bytes]:
    """The rows of the whole map, the lowest first: pieces come in columns, and so do cells."""
    blank, nothing = bytes(grid.width), bytes(grid.width * grid.columns)
    for row in range(grid.rows):
        band = [pieces.get(column * grid.rows + row) for column in range(grid.columns)]
        if not any(band):
            yield from [nothing] * grid.height
            continue
        for y in range(grid.height):
            line = (blank if each is None else each[y :: grid.height] for each in band)
            yield b"".join(line).translate(SHOWN)


def png(rows: list[bytes]) -> bytes:
    """
    A PNG file.

    @param rows: numbers of colours, the upmost row first.
    """
    size = struct.pack(">II", len(rows[0]), len(rows))
    colours = bytes(part for colour in PALETTE for part in colour[:3])
    alpha = bytes(colour[3] for colour in PALETTE)
    # Each row begins with the number of its filter, which is none.
    plain = b"".join(b"\0" + row for row in rows)
    return SIGNATURE + b"".join((
        chunk(b"IHDR", size + INDEXED),
        chunk(b"PLTE", colours),
        chunk(b"tRNS", alpha),
        chunk(b"IDAT", zlib.compress(plain, 1)),
        chunk(b"IEND", b""),
    ))  # fmt: skip


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG file (PNG, 5.3)."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
