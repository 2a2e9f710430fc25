"""
The way to a folder, on which no link is followed.

Whoever owns one of the folders on it, such as a server that was taken over, cannot lead us
elsewhere, not even while we are under way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bumper_tw.errors import BadRequest

#: A folder, and no link to one, to be passed through, and to be given away.
WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
INTO = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def inside(folder: Path, make: bool = False) -> Iterator[int]:
    """
    A folder, for functions that take C{dir_fd}.

    @param folder: from the root on, as L{settled} gives it.
    @param make: those that are missing, of whoever has the one above.
    @raise OSError: there is no such way; also one from what is done inside, with the whole path.
    """
    at, place = os.open("/", WAY), Path("/")
    try:
        for name in folder.parts[1:]:
            below = _descended(at, place / name, make)
            os.close(at)
            at, place = below, place / name
        with _blaming(folder):
            yield at
    finally:
        os.close(at)


def _descended(at: int, place: Path, make: bool) -> int:
    with _blaming(place.parent):
        try:
            return os.open(place.name, WAY, dir_fd=at)
        except FileNotFoundError:
            if not make:
                raise
        except NotADirectoryError as error:
            raise NotADirectoryError(error.errno, "a link, or no folder", place.name) from None
        os.mkdir(place.name, 0o700, dir_fd=at)
        below = os.open(place.name, INTO, dir_fd=at)
        if os.geteuid() == 0:
            above = os.fstat(at)
            os.fchown(below, above.st_uid, above.st_gid)
        return below


@contextmanager
def _blaming(folder: Path) -> Iterator[None]:
    """Errors name the whole path, not only its end."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str) and "/" not in error.filename:
            raise OSError(error.errno, error.strerror, str(folder / error.filename)) from error
        raise


def settled(path: Path, data: Path) -> Path:
    """
    Where a folder or a file really is.

    @param data: the data folder.  In there the server could have made a link; elsewhere only its
        owner could.
    @raise BadRequest: below C{data} there is a link on the way.
    """
    path, data = path.absolute(), data.absolute()
    if path == data or not path.is_relative_to(data) or ".." in path.relative_to(data).parts:
        return path.resolve()
    for each in (path, *path.parents):
        if each == data:
            break
        if each.is_symlink():
            raise BadRequest(
                f"{each} is a link, which is not followed; put there what it leads to, or say in "
                "the settings where that is"
            )
    return data.resolve() / path.relative_to(data)
