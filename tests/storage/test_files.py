"""Tests for L{bumper_tw.storage.files}: what is left here, and what the owner has put there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.people_interfaces import IFiles
from bumper_tw.storage.files import (
    AT_ONCE,
    BEGUN,
    Files,
    OwnFirmware,
    Quota,
    begin,
    folder_name,
)

NOW = 1_795_000_000.0
QUOTA = Quota(each=100, owner=250, all=400)


def at_once(work: Callable[[], Any]) -> Deferred[Any]:
    """No thread at all."""
    return maybeDeferred(work)


class Slow:
    """A thread that begins when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def __call__(self, work: Callable[[], Any]) -> Deferred[Any]:
        later: Deferred[Any] = Deferred()
        self.waiting.append((work, later))
        return later

    def work(self) -> None:
        """Do the oldest piece of work."""
        work, later = self.waiting.pop(0)
        later.callback(work())


class FilesTests(SynchronousTestCase):
    """A folder with little room."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.data = Path(self.mktemp())
        self.data.mkdir()
        self.files = Files(self.clock, at_once, self.data, QUOTA)

    def keep(self, owner: str, size: int, what: str = "map") -> str:
        """Leave a file; each is a second younger than the last."""
        self.clock.advance(1)
        return self.successResultOf(self.files.keep(owner, what, b"x" * size))

    def on_disk(self) -> set[str]:
        """The names of all files."""
        return {path.name for path in self.data.glob("files/*/*")}

    def test_interface(self) -> None:
        """It is what others rely on."""
        verifyObject(IFiles, self.files)

    def test_keep(self) -> None:
        """What was left can be listed and read, also after a start, by nobody but us."""
        key = self.keep("did1", 7)
        found = self.files.find(key)
        assert found is not None
        self.assertEqual((found.owner, found.what, found.size), ("did1", "map", 7))
        [path] = self.data.glob("files/*/*")
        self.assertEqual((path.stat().st_mode & 0o777, path.parent.name), (0o600, "did1"))
        again = Files(self.clock, at_once, self.data, QUOTA)
        again.look()
        for files in (self.files, again):
            self.assertEqual(self.successResultOf(files.read(key)), b"x" * 7)
            self.assertEqual([file.key for file in files.of("did1")], [key])
            self.assertEqual(files.of("did2"), [])

    def test_too_large(self) -> None:
        """One that is too large is not kept; one that just fits is."""
        self.failureResultOf(self.files.keep("did1", "map", b"x" * 101), BadRequest)
        self.keep("did1", 100)
        self.assertEqual(len(self.on_disk()), 1)

    def test_robot_quota(self) -> None:
        """The oldest of the same robot make room; others' stay."""
        other = self.keep("did2", 50)
        first, second, third = (self.keep("did1", 100) for _ in range(3))
        self.assertEqual(self.on_disk(), {other, second, third})
        self.assertIsNone(self.files.find(first))

    def test_whole_quota(self) -> None:
        """When everything is full, the oldest of all make room."""
        keys = [self.keep(f"did{number}", 100) for number in range(6)]
        self.assertEqual(self.on_disk(), set(keys[2:]))

    def test_largest(self) -> None:
        """When everything is full, whoever has most makes room, and not whoever was first."""
        files = Files(self.clock, at_once, self.data, Quota(each=100, owner=250, all=400))
        self.files = files
        small = self.keep("did1", 20)
        for number in range(2, 9):
            self.keep(f"did{number}", 100)
        self.assertIsNotNone(files.find(small))
        self.assertEqual(len(self.on_disk()), 4)

    def test_holder(self) -> None:
        """Several may have the room of one."""
        self.files = Files(self.clock, at_once, self.data, QUOTA, lambda did: did[:4])
        keys = [self.keep(f"did1{number}", 100) for number in range(3)]
        self.assertEqual(self.on_disk(), set(keys[1:]))

    def test_unwritten(self) -> None:
        """Nobody sees a file before it is there; asking for it does no harm."""
        slow = Slow()
        files = Files(self.clock, slow, self.data)
        kept = files.keep("did1", "map", b"x")
        [key] = files._files
        self.assertEqual((files.of("did1"), files.find(key)), ([], None))
        self.failureResultOf(files.read(key), BadRequest)
        slow.work()
        self.assertEqual(self.successResultOf(kept), key)
        self.assertEqual([file.key for file in files.of("did1")], [key])

    def test_forgotten_meanwhile(self) -> None:
        """A robot that is forgotten while its file is written leaves nothing."""
        for order in (0, 1):
            slow = Slow()
            files = Files(self.clock, slow, self.data)
            kept, gone = files.keep("did1", "map", b"x"), files.forget("did1")
            slow.waiting.insert(0, slow.waiting.pop(order))
            while slow.waiting:
                slow.work()
            self.successResultOf(gone)
            self.successResultOf(kept)
            self.assertEqual(list(self.data.glob("files/*")), [])

    def test_folders(self) -> None:
        """A folder goes with the last file in it, now or at the next start."""
        for number in range(6):
            self.keep(f"did{number}", 100)
        self.successResultOf(self.files.forget("did5"))
        (self.data / "files" / "empty").mkdir()
        self.files.look()
        names = sorted(path.name for path in self.data.glob("files/*"))
        self.assertEqual(names, ["did2", "did3", "did4"])

    def test_folder_goes(self) -> None:
        """A folder that goes between being made and being used is made again."""
        folder = self.data / "files" / "did1"
        tries: list[Path] = []

        class Going(type(folder)):  # type: ignore[misc]  # the class depends on the system
            """A folder that somebody removes at once."""

            def mkdir(self, *arguments: Any, **options: Any) -> None:
                Path(self).mkdir(*arguments, **options)
                tries.append(self)
                if len(tries) == 1:
                    self.rmdir()

            @property
            def parent(self) -> Any:
                return type(self)(Path(self).parent)

        os.close(begin(Going(folder / "key")))
        self.assertEqual((len(tries), (folder / "key").exists()), (2, True))

    def test_at_once(self) -> None:
        """Only so many are written at a time; the next one has to come again."""
        slow = Slow()
        files = Files(self.clock, slow, self.data)
        kept = [files.keep("did1", "map", b"x") for _ in range(AT_ONCE)]
        self.failureResultOf(files.keep("did1", "map", b"x"), BadRequest)
        slow.work()
        self.successResultOf(kept[0])
        self.assertNoResult(files.keep("did1", "map", b"x"))

    def test_disk_full(self) -> None:
        """What cannot be written is not listed, and nothing of it stays."""

        def full(work: Callable[[], Any]) -> Deferred[Any]:
            def fails() -> Any:
                work()
                raise OSError(28, "No space left on device")

            return maybeDeferred(fails)

        files = Files(self.clock, full, self.data)
        why = self.failureResultOf(files.keep("did1", "map", b"x"), StorageError)
        self.assertIn("No space left", why.getErrorMessage())
        self.assertEqual(files.of("did1"), [])

    def test_half_written(self) -> None:
        """What a power cut left half written goes at the next start; so does no other file."""
        key = self.keep("did1", 1)
        [path] = self.data.glob("files/*/*")
        path.with_name(key + BEGUN).write_bytes(b"half")
        path.with_name("notes.txt").write_text("the owner's")
        self.files.look()
        self.assertEqual(self.on_disk(), {key, "notes.txt"})
        self.assertEqual([file.key for file in self.files.of("did1")], [key])

    def test_removed_by_hand(self) -> None:
        """The owner may remove a file: then it is not there."""
        key = self.keep("did1", 1)
        [path] = self.data.glob("files/*/*")
        path.unlink()
        self.failureResultOf(self.files.read(key), BadRequest)
        self.assertIsNone(self.files.find(key))

    def test_links(self) -> None:
        """A link in the folder leads nowhere."""
        self.keep("did1", 1)
        [path] = self.data.glob("files/*/*")
        link = path.with_name("1795000009000-map-" + "0" * 16)
        os.symlink("/etc/passwd", link)
        self.files.look()
        self.failureResultOf(self.files.read(link.name), BadRequest)

    def test_forget(self) -> None:
        """With a robot its files go."""
        self.keep("did1", 1)
        other = self.keep("did2", 1)
        self.successResultOf(self.files.forget("did1"))
        self.assertEqual(self.on_disk(), {other})

    def test_unknown(self) -> None:
        """A key that was never given opens nothing, wherever it points to."""
        for key in ("", "..", "../../etc/passwd", "1-map-0"):
            self.failureResultOf(self.files.read(key), BadRequest)

    @settings(max_examples=50)
    @given(st.text(min_size=1, max_size=60), st.text(max_size=60))
    def test_names(self, owner: str, what: str) -> None:
        """Whatever a robot is called and calls its file, it stays below the folder."""
        name = folder_name(owner)
        self.assertNotIn("/", name)
        self.assertNotIn(name, {"", ".", ".."})
        if len(name) > 200:
            return
        key = self.keep(owner, 1, what)
        again = Files(self.clock, at_once, self.data, QUOTA)
        again.look()
        self.assertEqual(again.find(key), self.files.find(key))

    def test_beside_a_server(self) -> None:
        """A command that looks as well leaves alone what somebody is writing."""
        folder = self.data / "files" / "dusty"
        folder.mkdir(parents=True)
        begun = folder / "1-map-0.part"
        begun.write_bytes(b"half")
        other = Files(self.clock, at_once, self.data, QUOTA)
        other.look(alone=False)
        self.assertTrue(begun.exists())
        other.look()
        self.assertFalse(begun.exists())

    def test_no_names(self) -> None:
        """Nobody is called so."""
        for name in ("", "ä" * 100):
            self.failureResultOf(self.files.keep(name, "map", b"x"), BadRequest)


class FirmwareTests(SynchronousTestCase):
    """What the owner has put there for robots of a class."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        folder = self.data / "firmware" / "yna5xi"
        folder.mkdir(parents=True)
        self.file = folder / "latest.json"
        self.file.write_text('{"version":"2","fw0":{}}')
        self.own = OwnFirmware(self.data)

    def test_latest(self) -> None:
        """A robot of that class gets it, for the module that it describes."""
        self.assertEqual(self.own.latest("yna5xi", "fw0"), b'{"version":"2","fw0":{}}')
        for model, module in (("yna5xi", "AIConfig"), ("ls1ok3", "fw0"), ("../yna5xi", "fw0")):
            self.assertIsNone(self.own.latest(model, module))

    def test_unreadable(self) -> None:
        """What is no JSON object, or too large to be one, is as good as nothing."""
        for text in ("", "[]", "{", '{"fw0":"%s"}' % ("x" * 70_000)):
            self.file.write_text(text)
            self.assertIsNone(self.own.latest("yna5xi", "fw0"), text[:9])
