"""Where a backup is written to: a new file, whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from bumper_tw.errors import BadRequest, StorageError


@contextmanager
def new_file(path: Path, replace: bool) -> Iterator[BinaryIO]:
    """
    A file for our eyes only, which gets its name when all is in it and on the disk.

    @param replace: whether one with that name gives way.
    @raise BadRequest: there is one already.
    @raise StorageError: it cannot be written; nothing is left of it.
    """
    must_be_new(path, replace)
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        # Links are not followed, and what is there already is not ours.
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _named(draft, path, replace)
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def must_be_new(path: Path, replace: bool) -> None:
    """
    Look before there is much work.

    @raise BadRequest: there is something with that name.
    @raise StorageError: we may not look.
    """
    try:
        folder = path.is_dir()
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    if folder:
        raise BadRequest(f"{path} is a folder; name a file in it")
    if os.path.lexists(path) and not replace:
        raise BadRequest(f"{path} is there already; --force writes over it")


def unwritable(path: Path, error: OSError) -> str:
    """One sentence about what the disk has against it."""
    said = f"{path} cannot be written: {error.strerror or error}"
    if isinstance(error, PermissionError):
        return f"{said}; let your shell write it: (umask 077; bumper backup - > {path})"
    return said


def _named(draft: Path, path: Path, replace: bool) -> None:
    must_be_new(path, replace)
    draft.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
