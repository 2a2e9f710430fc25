"""
The few small files of the certs directory, written so that a power cut leaves either the
old one or the new one, and private ones so that only their owner reads them.
"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bumper_tw.errors import StartError

#: More than any key or chain needs; who puts a bigger file here is told so.
MAX_BYTES = 256 * 1024

PRIVATE = 0o600
PUBLIC = 0o644
PRIVATE_DIRECTORY = 0o700


def read(path: Path) -> bytes | None:
    """
    What is in the file, or None if there is no such file.

    @raise StartError: It is there and cannot be read, or is far too big.
    """
    try:
        with path.open("rb") as stream:
            held = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from error
    if len(held) > MAX_BYTES:
        raise StartError(f"{path} is too big to be a key or a certificate.")
    return held


def write(path: Path, held: bytes, mode: int, lasting: bool = True) -> None:
    """
    Put C{held} into the file, at once and for good, and make its directory if need be.

    @param mode: L{PRIVATE} or L{PUBLIC}, whatever the umask; there is no moment when the file is
        open to more than that.
    @param lasting: wait for the disk, so that it survives a power cut; without, what is there
        after one may be empty.
    @raise StartError: The disk is full or read-only, or we may not write there.
    """
    try:
        path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        _replace(path, held, mode, lasting)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}.") from error


def aside(path: Path, now: datetime) -> Path | None:
    """
    Give a file that is in the way another name, which says when that was.

    @return: where it is now; C{None} if there was none.
    @raise StartError: We may not.
    """
    kept = path.with_name(f"{path.name}.{now:%Y%m%d-%H%M%S}")
    try:
        path.rename(kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartError(f"{path} cannot be renamed: {error.strerror}.") from error
    return kept


def _replace(path: Path, held: bytes, mode: int, lasting: bool) -> None:
    draft = path.with_name(f".{path.name}.new")
    # A draft is left over only by a crash; its mode is not to be trusted.
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            # Not every file system knows modes; then it is as private as that makes it.
            with suppress(PermissionError):
                os.fchmod(handle, mode)
            stream.write(held)
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    if lasting:
        _settle(path.parent)


def _settle(directory: Path) -> None:
    """Make a rename survive a power cut: it is the directory that has changed."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
