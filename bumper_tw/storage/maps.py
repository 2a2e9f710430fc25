"""Maps of robots on disk: C{maps/<robot>} in the data directory."""

from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from bumper_tw.errors import StorageError
from bumper_tw.storage.files import LONGEST, InThread, discard, folder_name, write

#: The folder below the data directory.
FOLDER = "maps"

#: How many robots have a map there; beyond that the file that was written first goes.
MOST = 1000
#: No map is larger; what is was not written by us.
LARGEST = 1 << 20


class MapFiles:
    """One file for each robot."""

    def __init__(self, in_thread: InThread, data: Path, most: int = MOST) -> None:
        """
        @param data: the data directory; a relative one is looked up now.
        """
        self._in_thread, self._most = in_thread, most
        self._folder = data.absolute() / FOLDER

    def save(self, did: str, body: bytes) -> Deferred[None]:
        """
        Write the map of a robot in the place of the one before.

        @return: fails with L{StorageError<bumper_tw.errors.StorageError>} when the disk refuses.
        """
        if not is_name(did):
            return fail(StorageError("no robot has such an id"))
        path, most = self._path(did), self._most
        return self._in_thread(lambda: put(path, body, most)).addErrback(self._refused)

    def _refused(self, failure: Failure) -> None:
        failure.trap(OSError)
        raise StorageError(f"a map cannot be written: {failure.getErrorMessage()}")

    def load(self, did: str) -> Deferred[bytes]:
        """What was written; nothing if nothing was, or it cannot be read."""
        if not is_name(did):
            return succeed(b"")
        path = self._path(did)
        return self._in_thread(lambda: read(path))

    def forget(self, did: str) -> Deferred[None]:
        """Remove it."""
        if not is_name(did):
            return succeed(None)
        path = self._path(did)
        return self._in_thread(lambda: discard([path]))

    def _path(self, did: str) -> Path:
        return self._folder / folder_name(did)


def is_name(did: str) -> bool:
    """Whether a file can be called so."""
    return 0 < len(folder_name(did)) <= LONGEST


def put(path: Path, body: bytes, most: int) -> None:
    """
    Write a file; the oldest make room for a new one.

    @raise OSError: the disk refuses.
    """
    others = [each for each in path.parent.glob("*") if each.is_file() and each != path]
    oldest = sorted(others, key=lambda each: each.stat().st_mtime)
    write(path, body, oldest[: max(0, len(oldest) - most + 1)])


def read(path: Path) -> bytes:
    """What is in a file; nothing if there is none, or it cannot be read."""
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST + 1)
    except OSError:
        return b""
    return found if len(found) <= LARGEST else b""
