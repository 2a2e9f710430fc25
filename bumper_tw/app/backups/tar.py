"""
The little of tar that a backup is made of: plain files, one after the other.

Every program that knows tar can read what is written here.  What is read has to be, byte for
byte, what we would have written: so nothing in an archive can be changed without being noticed.
"""

from collections.abc import Iterator
from typing import Protocol

from bumper_tw.app.backups.manifest import LARGEST, NAME, Refused

BLOCK = 512

#: What is read and written at once.
PIECE = 1 << 18

#: Two empty blocks are the end.
END = bytes(2 * BLOCK)

PLAIN, LONG_NAME = b"0", b"L"

#: As long is a name that has room in the header itself.
SHORT = 100


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Writable(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


def heading(name: str, size: int, mode: int, time: int) -> bytes:
    """What stands before the bytes of a file; longer names as GNU tar has them."""
    encoded = name.encode()
    if len(encoded) <= SHORT:
        return _header(encoded, size, mode, time, PLAIN)
    held = encoded + b"\0"
    long = _header(b"././@LongLink", len(held), 0, 0, LONG_NAME) + held + padding(len(held))
    return long + _header(encoded[:SHORT], size, mode, time, PLAIN)


def _header(name: bytes, size: int, mode: int, time: int, kind: bytes) -> bytes:
    owner = b"%07o\0%07o\0" % (0, 0)
    front = name.ljust(SHORT, b"\0") + b"%07o\0" % mode + owner + b"%011o\0%011o\0" % (size, time)
    magic = b"ustar  \0" if kind == LONG_NAME else b"ustar\x0000"
    back = (kind + bytes(SHORT) + magic).ljust(BLOCK - len(front) - 8, b"\0")
    total = sum(front) + 8 * 0x20 + sum(back)
    return front + b"%06o\0 " % total + back


def padding(size: int) -> bytes:
    """What fills the last block of a file."""
    return bytes(-size % BLOCK)


def exactly(source: Readable, size: int) -> bytes:
    """
    So many bytes, of which there are not many.

    @raise Refused: there are fewer.
    """
    held = b"".join(pieces(source, size))
    if len(held) < size:
        raise Refused("its end is missing")
    return held


def pieces(source: Readable, size: int) -> Iterator[bytes]:
    """The next C{size} bytes, or as many as there are, a piece at a time."""
    while size > 0 and (piece := source.read(min(size, PIECE))):
        size -= len(piece)
        yield piece


def first(source: Readable) -> tuple[bytes, int]:
    """
    The manifest of an archive, which comes first.

    @return: with the time that all headers have.
    @raise Refused: there is something else.
    """
    head = exactly(source, BLOCK)
    try:
        size, time = int(head[124:135], 8), int(head[136:147], 8)
    except ValueError:
        size = time = -1
    if not (0 < size <= LARGEST and head == heading(NAME, size, 0o600, max(time, 0))):
        raise Refused("it is not a backup of this program")
    text = exactly(source, size)
    end_of_file(source, size)
    return text, time


def end_of_file(source: Readable, size: int) -> None:
    """
    Read what fills the last block of a file.

    @raise Refused: there is something in it.
    """
    filled = padding(size)
    if exactly(source, len(filled)) != filled:
        raise Refused("it is damaged between two files")


def end(source: Readable) -> None:
    """
    Read the end of an archive.

    @raise Refused: it goes on, or stops before.
    """
    if exactly(source, len(END)) != END or source.read(1):
        raise Refused("it is damaged at its end")
