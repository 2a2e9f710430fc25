"""Many pieces of work in one transaction, each with a fate of its own."""

import sqlite3
from pathlib import Path
from typing import Any

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StorageError
from bumper_tw.storage.connection import Durable, Transactions, Work, open_file


def add(cursor: sqlite3.Cursor, value: Any) -> int:
    """Keep a value; how many there are then."""
    cursor.execute("INSERT INTO notes VALUES (:value)", {"value": value})
    return len(notes(cursor))


def notes(cursor: sqlite3.Cursor) -> list[Any]:
    """Every value."""
    return [value for (value,) in cursor.execute("SELECT value FROM notes ORDER BY rowid")]


def add_and_fail(cursor: sqlite3.Cursor, value: Any) -> None:
    """Keep a value, and think better of it."""
    add(cursor, value)
    raise LookupError(value)


def lose_all(cursor: sqlite3.Cursor) -> str:
    """What SQLite may do by itself when a disk fails, hidden by a work that goes on."""
    cursor.execute("ROLLBACK")
    return "fine"


def fill(cursor: sqlite3.Cursor) -> None:
    """Write more than fits: the file is not allowed to grow."""
    cursor.execute("PRAGMA max_page_count = 1")
    cursor.execute("INSERT INTO notes VALUES (:value)", {"value": "x" * 100_000})


class TransactionTests(SynchronousTestCase):
    """A batch is one transaction; each piece of work succeeds or fails by itself."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.touch()
        self.statements: list[str] = []
        self.opened = 0
        self.transactions = Transactions(self.path, self.open)
        self.run_all(Work(sqlite3.Cursor.execute, ("CREATE TABLE notes (value UNIQUE)",)))
        self.statements.clear()

    def tearDown(self) -> None:
        self.transactions.close()

    def open(self, path: Path) -> sqlite3.Connection:
        """A connection that writes down what it does."""
        self.opened += 1
        connection = open_file(path)
        connection.set_trace_callback(self.statements.append)
        return connection

    def run_all(self, *works: Work) -> list[Any]:
        """One batch."""
        return self.transactions.run(works)

    def kept(self) -> list[Any]:
        """What another program sees."""
        with sqlite3.connect(self.path) as other:
            return notes(other.cursor())

    def test_one_commit(self) -> None:
        """What waits together is committed together, in the order it came."""
        self.assertEqual(self.run_all(Work(add, ("a",)), Work(add, ("b",))), [1, 2])
        self.assertEqual(self.statements.count("BEGIN IMMEDIATE"), 1)
        self.assertEqual(self.statements.count("COMMIT"), 1)
        self.assertEqual(self.kept(), ["a", "b"])

    def test_one_fails(self) -> None:
        """What raises is rolled back alone; the others are kept."""
        first, failure, last = self.run_all(
            Work(add, ("a",)), Work(add_and_fail, ("b",)), Work(add, ("c",))
        )
        self.assertEqual((first, last), (1, 2))
        self.assertIsInstance(failure, Failure)
        self.assertIsInstance(failure.value, LookupError)
        self.assertEqual(self.kept(), ["a", "c"])

    def test_broken_rule(self) -> None:
        """A constraint is the fault of the work, not of the disk."""
        _, failure = self.run_all(Work(add, ("a",)), Work(add, ("a",)))
        self.assertIsInstance(failure.value, sqlite3.IntegrityError)
        self.assertEqual(self.kept(), ["a"])

    def test_wrong_statement(self) -> None:
        """So is a statement that makes no sense, or a value that cannot be bound."""
        wrong, huge = self.run_all(
            Work(sqlite3.Cursor.execute, ("SELECT nonsense",)), Work(add, (2**70,))
        )
        self.assertIsInstance(wrong.value, sqlite3.OperationalError)
        self.assertIsInstance(huge.value, OverflowError)
        self.assertEqual(self.run_all(Work(add, ("a",))), [1])

    def test_skipped(self) -> None:
        """What nobody wants any more is not done."""
        self.run_all(Work(add, ("a",), skipped=True), Work(add, ("b",)))
        self.assertEqual(self.kept(), ["b"])

    def test_disk_full(self) -> None:
        """A full disk ends the whole batch with a sentence that names the file."""
        works = (Work(add, ("a",)), Work(fill), Work(add, ("b",)))
        error = self.assertRaises(StorageError, self.run_all, *works)
        self.assertIn(f"{self.path} cannot grow", str(error))
        self.assertEqual(self.kept(), [])

    def test_rolled_back_in_secret(self) -> None:
        """When the transaction is gone, nobody is told that it was committed."""
        works = (Work(add, ("a",)), Work(lose_all), Work(add, ("b",)))
        self.assertRaises(StorageError, self.run_all, *works)
        self.assertEqual(self.kept(), [])

    def test_after_trouble(self) -> None:
        """The next batch gets a fresh connection, and works."""
        self.assertRaises(StorageError, self.run_all, Work(fill))
        self.assertEqual(self.run_all(Work(add, ("a",))), [1])
        self.assertEqual(self.opened, 2)

    def test_busy(self) -> None:
        """Another writer that does not let go is named as the reason."""
        self.run_all(Work(sqlite3.Cursor.execute, ("PRAGMA busy_timeout = 0",)))
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        error = self.assertRaises(StorageError, self.run_all, Work(add, ("a",)))
        self.assertIn("in use by another program", str(error))

    def test_vanished(self) -> None:
        """A file that went away is not replaced by an empty one."""
        gone = Path(self.mktemp())
        error = self.assertRaises(StorageError, Transactions(gone).run, [Work(notes)])
        self.assertIn(f"{gone} cannot be opened", str(error))
        self.assertFalse(gone.exists())

    def test_settings(self) -> None:
        """Readers do not wait for the writer, and commits do not wait for the disk."""
        names = ("journal_mode", "synchronous", "foreign_keys")
        connection = self.transactions.connection()
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
        self.assertEqual(found, ["wal", 1, 1])

    def test_close(self) -> None:
        """Closing leaves one file with everything in it; closing again is fine."""
        self.run_all(Work(add, ("a",)))
        self.transactions.close()
        self.transactions.close()
        beside = [each.name for each in self.path.parent.iterdir() if each.name != self.path.name]
        self.assertNotIn(f"{self.path.name}-wal", beside)
        self.assertEqual(self.kept(), ["a"])


@Durable
def promise(cursor: sqlite3.Cursor) -> Any:
    """How the transaction it is in will be committed."""
    return safety(cursor)


def safety(cursor: sqlite3.Cursor) -> Any:
    """The same, without asking for more: 1 is NORMAL, 2 is FULL."""
    return cursor.execute("PRAGMA synchronous").fetchone()[0]


class DurableTests(SynchronousTestCase):
    """Only what must outlive a power cut waits for the disk."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.touch()
        self.transactions = Transactions(self.path)
        self.addCleanup(self.transactions.close)

    def test_alone(self) -> None:
        """Each transaction waits for the disk if there is such work in it, and only then."""
        found = [self.transactions.run([Work(each)]) for each in (safety, promise, safety)]
        self.assertEqual(found, [[1], [2], [1]])

    def test_in_company(self) -> None:
        """One such work is enough for all that goes with it, wherever it stands."""
        works = [Work(safety), Work(promise), Work(safety)]
        self.assertEqual(self.transactions.run(works), [2, 2, 2])

    def test_skipped(self) -> None:
        """Work that nobody wants any more asks for nothing."""
        works = [Work(promise, skipped=True), Work(safety)]
        self.assertEqual(self.transactions.run(works), [None, 1])

    def test_before_the_transaction(self) -> None:
        """It is settled when the transaction begins; later SQLite would take no notice."""
        statements: list[str] = []
        self.transactions.connection().set_trace_callback(statements.append)
        self.transactions.run([Work(promise)])
        self.assertEqual(statements[:2], ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"])

    def test_after_trouble(self) -> None:
        """A fresh connection knows it as well."""
        self.assertRaises(StorageError, self.transactions.run, [Work(lose_all)])
        self.assertEqual(self.transactions.run([Work(promise)]), [2])
