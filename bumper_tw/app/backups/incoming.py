"""A backup that is to be read: a file that was named, or what is sent to us."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from tempfile import TemporaryFile
from typing import BinaryIO

from attrs import frozen

from bumper_tw.app.backups import tar
from bumper_tw.app.backups.bare import MAGIC, Bare
from bumper_tw.app.backups.sealing import HEAD_BYTES
from bumper_tw.errors import BadRequest, StorageError

#: As much is kept of what comes through a pipe, in bytes.
MOST = 8 << 30

#: What to type when only somebody else may open a file.
SEND = "let your shell open it: bumper restore - < {path}"


@frozen
class Incoming:
    """
    A backup that can be read again and again.

    @ivar opener: gives it from its first byte on; one after the other, not two at a time.
    @ivar head: how it begins.
    @ivar path: C{None} if it has no name.
    """

    opener: Callable[[], BinaryIO]
    size: int
    head: bytes
    path: Path | None

    def bare(self) -> Bare:
        """@raise BadRequest: it has no name."""
        if self.path is None:
            raise BadRequest("a copy of the database is not sent, but named: bumper restore FILE")
        return Bare(self.path)


@contextmanager
def named(path: Path) -> Iterator[Incoming]:
    """
    A file with a name.

    @raise BadRequest: it cannot be read, or is none.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        hint = SEND.format(path=path)
        raise BadRequest(f"{path} cannot be read: {error.strerror}; {hint}") from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}") from error
    try:
        if not is_file(handle):
            raise BadRequest(f"{path} is not a file")
        yield _incoming(handle, path)
    finally:
        os.close(handle)


@contextmanager
def sent(stream: BinaryIO) -> Iterator[Incoming]:
    """
    What comes to the standard input; from a pipe it is kept in a file without a name meanwhile.

    @raise BadRequest: nobody sends anything.
    @raise StorageError: there is no room to keep it.
    """
    if stream.isatty():
        raise BadRequest("nothing is sent; say what: bumper restore - < FILE")
    if is_file(stream.fileno()):
        yield _incoming(stream.fileno(), None)
        return
    with TemporaryFile(prefix="bumper-") as kept:
        try:
            _keep(stream, kept)
        except OSError as error:
            raise StorageError(
                f"what is sent cannot be kept for a while: {error.strerror}; put it into a file, "
                "and send that: bumper restore - < FILE"
            ) from error
        yield _incoming(kept.fileno(), None)


def _keep(stream: BinaryIO, kept: BinaryIO) -> None:
    for piece in tar.pieces(stream, MOST):
        kept.write(piece)
    kept.flush()
    if stream.read(1):
        raise BadRequest("what is sent is too large; send a file instead: bumper restore - < FILE")


def _incoming(handle: int, path: Path | None) -> Incoming:
    def again() -> BinaryIO:
        # All of them share one place in the file.
        reader = os.fdopen(os.dup(handle), "rb")
        reader.seek(0)
        return reader

    with again() as reader:
        head = reader.read(max(HEAD_BYTES, len(MAGIC)))
    return Incoming(again, os.fstat(handle).st_size, head, path)


def is_file(handle: int) -> bool:
    """Whether it can be read from its beginning, as often as one likes."""
    return S_ISREG(os.fstat(handle).st_mode)


def is_database(head: bytes) -> bool:
    """Whether a file that begins like this is a copy of the database alone."""
    return head.startswith(MAGIC)
