"""Maps on disk."""

import json
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.maps import MapBook, RobotMap
from bumper_tw.core.maps_kept import BETWEEN, LARGEST, MapKeeper, packed, unpacked
from bumper_tw.core.maps_paths import Path
from bumper_tw.core.passwords import InThread
from bumper_tw.dialect.maps import Grid
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.errors import StorageError
from bumper_tw.simulator.floorplan import known_floor, pack
from tests.core.atlas import MemoryFolder, NotedFeed, Threads, at_once, snake

DID = "did1"
FLOOR = bytes([1]) * 10_000


def a_map() -> RobotMap:
    """A map with everything on it."""
    plan = known_floor()
    return RobotMap(
        Grid("12"),
        {index: plan.piece(index) for index in plan.seen},
        (Room("3", "<b>Küche", ((0, 0), (9, 0), (9, 9)), (4, 4)), Room("5")),
        {"0": ((0, 0), (5, 5))},
        {"1": ((1, 1), (2, 2), (3, 1))},
        Path("7", snake(50)),
        revision=77,
    )


class FullFolder(MemoryFolder):
    """A disk that is full."""

    def save(self, did: str, body: bytes) -> Deferred[None]:
        return fail(StorageError("full"))


class PackedTests(SynchronousTestCase):
    """One map as a file."""

    def test_round_trip(self) -> None:
        """All of it comes back."""
        before, after = a_map(), unpacked(packed(a_map()))
        for name in ("grid", "pieces", "rooms", "walls", "zones", "revision"):
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        self.assertEqual(after.path.points, before.path.points)
        self.assertFalse(after.path.is_whole)

    def test_size(self) -> None:
        """The map of a flat takes a few kilobytes."""
        self.assertLess(len(packed(a_map())), 6_000)

    @given(st.binary(max_size=200))
    def test_garbage(self, body: bytes) -> None:
        """What is no map is refused."""
        with self.assertRaises(ValueError):
            unpacked(body)

    def test_wrong(self) -> None:
        """What looks like a map and is none is refused, and so is what never ends."""
        good = json.loads(zlib.decompress(packed(a_map())))
        changes: tuple[dict[str, Any], ...] = (
            {"grid": [0, 1, 1, 1, 1]},
            {"grid": [100, 100, 8, 8]},
            {"grid": [10**9, 100, 8, 8, 50]},
            {"grid": [100, 100, "8", 8, 50]},
            {"pieces": {"99": good["pieces"]["27"]}},
            {"pieces": {"1": "AAAA"}},
            {"pieces": []},
            {"rooms": [["1"]]},
            {"walls": {"0": [[1]]}},
            {"path": "A"},
        )
        for wrong in changes:
            with self.assertRaises(ValueError, msg=str(wrong)[:50]):
                unpacked(zlib.compress(json.dumps({**good, **wrong}).encode()))
        with self.assertRaises(ValueError):
            unpacked(zlib.compress(bytes(100_000_000)))


class KeeperTests(SynchronousTestCase):
    """When maps are read and written."""

    def setUp(self) -> None:
        self.clock, self.folder = Clock(), MemoryFolder()
        self.open()

    def open(self, in_thread: InThread = at_once) -> None:
        """The server starts."""
        self.book = MapBook(self.clock, NotedFeed())
        self.keeper = MapKeeper(self.clock, self.book, self.folder, in_thread)

    def known(self) -> RobotMap:
        """What is known of the map."""
        return self.successResultOf(self.keeper.known(DID))

    def test_restart(self) -> None:
        """The map is there after a restart, with a revision of its own."""
        self.book.put(DID, a_map())
        self.keeper.changed(DID)
        self.successResultOf(self.keeper.stop())
        self.open()
        found = self.known()
        self.assertEqual(found.pieces, a_map().pieces)
        self.assertGreater(found.revision, 77)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_seldom(self) -> None:
        """However often it changes, it is written once in ten minutes."""
        self.known()
        for minute in range(30):
            self.book.piece(DID, minute, pack(FLOOR))
            self.clock.advance(60)
        self.assertEqual((self.folder.writes, BETWEEN), (3, 600))

    def test_overlay(self) -> None:
        """A piece that comes before the disk is read does not lose the others."""
        self.folder.files[DID] = packed(a_map())
        self.book.piece(DID, 0, pack(FLOOR))
        found = self.known()
        self.assertEqual(found.pieces, {**a_map().pieces, 0: FLOOR})
        self.assertEqual([room.id for room in found.rooms], ["3", "5"])

    def test_other_map(self) -> None:
        """What is on disk of another map than the robot has now is left alone."""
        self.folder.files[DID] = packed(a_map())
        self.book.of(DID).grid = Grid("13")
        self.assertEqual(self.known().pieces, {})

    def test_unread(self) -> None:
        """What cannot be read is told, and there is no map."""
        self.folder.files[DID] = b"nonsense"
        with capturedLogs() as logs:
            self.assertFalse(self.known().is_known)
        self.assertEqual(len(logs), 1)

    def test_too_large(self) -> None:
        """A map of noise is not written."""
        noise = [zlib.crc32(bytes([n % 256, n // 256])) % 251 for n in range(10_000)]
        for index in range(64):
            cells = bytes((each * (index + 1)) % 251 for each in noise)
            self.book.piece(DID, index, pack(cells))
        self.assertGreater(len(packed(self.book.of(DID))), LARGEST)
        self.successResultOf(self.keeper.stop())
        self.assertEqual(self.folder.files, {})

    def test_thread(self) -> None:
        """Maps are packed in a thread, one after the other and each once, as they were then."""
        threads = Threads()
        self.open(threads)
        for did in (DID, "did2"):
            self.book.piece(did, 0, pack(FLOOR))
        self.clock.advance(BETWEEN)
        self.assertEqual((len(threads.waiting), self.folder.files), (1, {}))
        self.book.piece(DID, 1, pack(FLOOR))
        threads.work()
        self.assertEqual(list(unpacked(self.folder.files[DID]).pieces), [0])
        self.assertEqual((list(self.folder.files), len(threads.waiting)), ([DID], 1))
        threads.work()
        self.assertEqual((list(self.folder.files), threads.waiting), ([DID, "did2"], []))

    def test_forget_meanwhile(self) -> None:
        """A robot that goes while its map is packed leaves nothing behind."""
        threads = Threads()
        self.open(threads)
        self.book.piece(DID, 0, pack(FLOOR))
        self.clock.advance(BETWEEN)
        gone = self.keeper.forget(DID)
        self.assertNoResult(gone)
        threads.work()
        self.successResultOf(gone)
        self.assertEqual(self.folder.files, {})

    def test_full(self) -> None:
        """A disk that is full is told of, and nothing else happens."""
        self.folder = FullFolder()
        self.open()
        self.book.piece(DID, 0, pack(FLOOR))
        with capturedLogs() as logs:
            self.successResultOf(self.keeper.stop())
        self.assertEqual(len(logs), 1)

    def test_forget(self) -> None:
        """Nothing is left of a robot that is gone."""
        self.folder.files[DID] = packed(a_map())
        self.known()
        self.successResultOf(self.keeper.forget(DID))
        self.assertEqual(self.folder.files, {})
