"""Tests for L{bumper_tw.core.shelf}: records in memory and on disk."""

from attrs import frozen
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.shelf import Shelf, key_of
from bumper_tw.storage.memory_records import MemoryRecordStore


@frozen
class Plant:
    """Something to keep."""

    name: str
    leaves: int = 0
    colours: tuple[str, ...] = ()


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

    def test_keys(self) -> None:
        """Two names make one key that no two others make."""
        self.assertNotEqual(key_of("a", "bc"), key_of("ab", "c"))
        self.assertRaises(ValueError, key_of, "a\nb", "c")
