"""Tests for L{bumper_tw.core.shelf}: records in memory and on disk."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred, fail
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.shelf import Shelf, key_of
from bumper_tw.errors import StorageError
from bumper_tw.storage.memory_records import MemoryRecordStore


@frozen
class Plant:
    """Something to keep."""

    name: str
    leaves: int = 0
    colours: tuple[str, ...] = ()


@define
class MoodyStore(MemoryRecordStore):
    """A disk that is full now and then."""

    full: bool = False
    asked: int = 0

    def save(self, shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        self.asked += 1
        return fail(StorageError("full")) if self.full else super().save(shelf, records)

    def remove(self, shelf: str, keys: Iterable[str]) -> Deferred[None]:
        self.asked += 1
        return fail(StorageError("full")) if self.full else super().remove(shelf, keys)


class ShelfTests(SynchronousTestCase):
    """A shelf with room for three plants."""

    def setUp(self) -> None:
        self.store = MemoryRecordStore()
        self.shelf = self.fresh()

    def fresh(self) -> Shelf[Plant]:
        """The shelf as the next start finds it."""
        shelf = Shelf(self.store, "plants", Plant, most=3)
        self.successResultOf(shelf.load(self.store))
        return shelf

    def test_put(self) -> None:
        """What is put there is there, at once and after a start."""
        plant = Plant("aloe", 7, ("green", "white"))
        self.successResultOf(self.shelf.put("a", plant))
        for shelf in (self.shelf, self.fresh()):
            self.assertEqual((shelf.get("a"), shelf.get("b")), (plant, None))
            self.assertEqual(shelf.items(), [("a", plant)])
            self.assertIn("a", shelf)

    def test_drop(self) -> None:
        """What is dropped is gone, the others stay."""
        for name in "abc":
            self.shelf.put(name, Plant(name))
        self.successResultOf(self.shelf.drop("b", "nobody"))
        self.successResultOf(self.shelf.drop_where(lambda plant: plant.name == "c"))
        self.assertEqual(list(self.shelf), [Plant("a")])
        self.assertEqual(list(self.fresh()), [Plant("a")])

    def test_full(self) -> None:
        """The oldest makes room; what is replaced does not."""
        for name in "abcac":
            self.shelf.put(name, Plant(name, 1))
        self.assertEqual(len(self.shelf), 3)
        self.shelf.put("d", Plant("d"))
        for shelf in (self.shelf, self.fresh()):
            self.assertEqual([key for key, _ in shelf.items()], ["b", "c", "d"])

    def test_versions(self) -> None:
        """What another version wrote is read as far as possible; the rest is told and left out."""
        self.store.save(
            "plants", {"a": {"name": "aloe", "pot": "red"}, "b": {"leaves": 1}, "c": 3}
        )
        with capturedLogs() as said:
            shelf = self.fresh()
        self.assertEqual(shelf.items(), [("a", Plant("aloe"))])
        self.assertEqual([each["log_level"] for each in said], [LogLevel.warn] * 2)

    def test_drop_twice(self) -> None:
        """Who names the same one twice drops it once, and nothing stays behind."""
        for name in "ab":
            self.shelf.put(name, Plant(name))
        self.successResultOf(self.shelf.drop("a", "a", "b"))
        self.assertEqual((list(self.shelf), list(self.fresh())), ([], []))
        self.assertTrue(all(self.shelf.is_saved(name) for name in "ab"))

    def test_keys(self) -> None:
        """Two names make one key that no two others make."""
        self.assertNotEqual(key_of("a", "bc"), key_of("ab", "c"))
        self.assertRaises(ValueError, key_of, "a\nb", "c")


class RefusedTests(SynchronousTestCase):
    """A disk that refuses some of it."""

    def setUp(self) -> None:
        self.store = MoodyStore()
        self.shelf = Shelf(self.store, "plants", Plant, most=3)
        self.successResultOf(self.shelf.put("a", Plant("aloe")))
        self.store.full = True
        self.failureResultOf(self.shelf.drop("a"), StorageError)
        self.failureResultOf(self.shelf.put("b", Plant("begonia")), StorageError)

    def on_disk(self) -> list[str]:
        """What the next start finds."""
        found: dict[str, Any] = self.successResultOf(self.store.load("plants"))
        return list(found)

    def test_told(self) -> None:
        """What the disk has refused is not saved; what it was never asked for is."""
        saved = [self.shelf.is_saved(key) for key in "abc"]
        self.assertEqual((saved, self.shelf.refused), ([False, False, True], True))
        self.assertEqual(self.on_disk(), ["a"])

    def test_drop_again(self) -> None:
        """Whoever drops the same again is told no before it is gone, and yes then."""
        self.failureResultOf(self.shelf.drop("a"), StorageError)
        self.store.full = False
        self.successResultOf(self.shelf.drop("a"))
        self.assertEqual((self.on_disk(), self.shelf.refused), (["b"], False))

    def test_with_the_next(self) -> None:
        """The next change brings along what was refused, and then there is nothing to do."""
        self.store.full = False
        self.successResultOf(self.shelf.put("c", Plant("cactus")))
        self.assertEqual(sorted(self.on_disk()), ["b", "c"])
        self.store.asked = 0
        self.successResultOf(self.shelf.flush())
        self.successResultOf(self.shelf.drop("a"))
        self.assertEqual(self.store.asked, 0)

    def test_flush(self) -> None:
        """So does a flush, as often as it takes."""
        self.failureResultOf(self.shelf.flush(), StorageError)
        self.store.full = False
        self.successResultOf(self.shelf.flush())
        self.assertEqual((self.on_disk(), self.shelf.is_saved("a")), (["b"], True))

    def test_load(self) -> None:
        """What is not on disk yet stays as it is when the disk is read."""
        self.successResultOf(self.shelf.load(self.store))
        self.assertEqual(list(self.shelf), [Plant("begonia")])

    def test_bounded(self) -> None:
        """A disk that stays full does not fill the memory."""
        for number in range(50):
            self.failureResultOf(self.shelf.put(str(number), Plant("weed")), StorageError)
        saved = [number for number in range(50) if self.shelf.is_saved(str(number))]
        self.assertEqual(saved, list(range(44)))
