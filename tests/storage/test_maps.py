"""Maps in files."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, execute
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StorageError
from bumper_tw.storage.maps import FOLDER, LARGEST, MapFiles

T = TypeVar("T")


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """There are no threads here."""
    return execute(work)


class MapFilesTests(SynchronousTestCase):
    """A folder on a disk."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        self.data.mkdir()
        self.files = MapFiles(at_once, self.data, most=3)

    def save(self, did: str, body: bytes = b"a map") -> None:
        """Write one."""
        self.successResultOf(self.files.save(did, body))

    def load(self, did: str) -> bytes:
        """Read one."""
        return self.successResultOf(self.files.load(did))

    def test_round_trip(self) -> None:
        """The newest is there, for nobody but us; nothing else is left."""
        self.save("did1", b"old")
        self.save("did1", b"new")
        self.assertEqual((self.load("did1"), self.load("did2")), (b"new", b""))
        [file] = (self.data / FOLDER).iterdir()
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_names(self) -> None:
        """Whatever a robot calls itself, its file is in the folder."""
        for did in ("../../etc/passwd", "..", "a/b", "<script>", "\u202e", "a b", "%2e"):
            self.save(did, did.encode())
            self.assertEqual(self.load(did), did.encode())
            self.assertEqual([each.name for each in self.data.iterdir()], [FOLDER])

    def test_no_name(self) -> None:
        """What no file can be called is not kept."""
        for did in ("", "x" * 300, "\0" * 200):
            self.failureResultOf(self.files.save(did, b"x"), StorageError)
            self.assertEqual(self.load(did), b"")
            self.successResultOf(self.files.forget(did))

    def test_most(self) -> None:
        """There are so many files at most."""
        for number in range(6):
            self.save(f"did{number}")
        self.assertEqual(len(list((self.data / FOLDER).iterdir())), 3)
        self.assertEqual(self.load("did5"), b"a map")

    def test_large(self) -> None:
        """What is too large was not written by us."""
        self.save("did1", bytes(LARGEST + 1))
        self.assertEqual(self.load("did1"), b"")

    def test_forget(self) -> None:
        """Nothing is left of a robot that is gone."""
        self.save("did1")
        self.successResultOf(self.files.forget("did1"))
        self.successResultOf(self.files.forget("did1"))
        self.assertEqual(self.load("did1"), b"")

    def test_refused(self) -> None:
        """A disk that refuses is told of."""
        (self.data / FOLDER).write_text("in the way")
        self.failureResultOf(self.files.save("did1", b"x"), StorageError)
        self.assertEqual(self.load("did1"), b"")
