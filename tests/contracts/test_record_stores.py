"""What every store of records does, in dictionaries and in SQL alike."""

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.interfaces import IRecordStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.storage.records import RecordStore

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object


class RecordStoreContract(Contract):
    """What any L{IRecordStore} does."""

    def make(self) -> IRecordStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def load(self, shelf: str = "shelf") -> list[tuple[str, object]]:
        """What is on a shelf, in its order."""
        return list(self.successResultOf(self.store.load(shelf)).items())

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(IRecordStore, self.store))

    def test_empty(self) -> None:
        """A shelf that nobody has used is empty."""
        self.assertEqual(self.load(), [])

    def test_values(self) -> None:
        """What was saved comes back, in its order, whatever JSON can write."""
        saved = {"sandy": {"name": "\u2603", "at": 1.5, "on": True}, "a\nb": [None, "x", {"y": 2}]}
        self.successResultOf(self.store.save("shelf", saved))
        self.assertEqual(self.load(), list(saved.items()))

    def test_shelves(self) -> None:
        """The same key on another shelf is another record."""
        self.store.save("shelf", {"a": 1})
        self.store.save("other", {"a": 2})
        self.successResultOf(self.store.remove("shelf", ["a"]))
        self.assertEqual((self.load(), self.load("other")), ([], [("a", 2)]))

    def test_replaced(self) -> None:
        """A record that is saved again changes and keeps its place."""
        for key, value in (("sandy", "a"), ("dusty", "b"), ("sandy", "c")):
            self.successResultOf(self.store.save("shelf", {key: value}))
        self.assertEqual(self.load(), [("sandy", "c"), ("dusty", "b")])

    def test_removed(self) -> None:
        """Dropping some leaves the others; unknown ones are fine; what is back is the last."""
        self.store.save("shelf", {"a": 1, "b": 2, "c": 3})
        self.successResultOf(self.store.remove("shelf", ["a", "c", "nobody"]))
        self.assertEqual(self.load(), [("b", 2)])
        self.store.save("shelf", {"a": 4})
        self.assertEqual(self.load(), [("b", 2), ("a", 4)])

    def test_is_ours(self) -> None:
        """What was saved and loaded are copies."""
        value = {"list": [1]}
        self.store.save("shelf", {"a": value})
        value["list"].append(2)
        self.successResultOf(self.store.load("shelf")).clear()
        self.assertEqual(self.load(), [("a", {"list": [1]})])


class MemoryRecordStoreTests(RecordStoreContract, SynchronousTestCase):
    """Records in dictionaries."""

    def make(self) -> IRecordStore:
        return MemoryRecordStore()


class SqlRecordStoreTests(RecordStoreContract, SynchronousTestCase):
    """Records in SQL."""

    def make(self) -> IRecordStore:
        return RecordStore(InlineDatabase())
