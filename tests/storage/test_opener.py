"""How much of the database is in memory."""

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StorageError
from bumper_tw.storage.connection import Transactions, Work, open_file, opener


def cache_size(cursor: sqlite3.Cursor) -> int:
    """What SQLite is told: KiB when it is negative."""
    (size,) = cursor.execute("PRAGMA cache_size").fetchone()
    return int(size)


class OpenerTests(SynchronousTestCase):
    """The limit of the cache."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.touch()

    def test_size(self) -> None:
        """Every connection has the limit that it was to have."""
        transactions = Transactions(self.path, opener(512_000))
        self.addCleanup(transactions.close)
        self.assertEqual(transactions.run([Work(cache_size)]), [-500])

    def test_usual(self) -> None:
        """The default is what SQLite takes by itself."""
        with closing(open_file(self.path)) as plain:
            usual = cache_size(plain.cursor())
        with closing(opener(2_048_000)(self.path)) as told:
            self.assertEqual(cache_size(told.cursor()), usual)

    def test_damaged(self) -> None:
        """A file that is no database is refused in the words of the others."""
        self.path.write_bytes(b"something else altogether " * 100)
        transactions = Transactions(self.path, opener(512_000))
        error = self.assertRaises(StorageError, transactions.run, [Work(cache_size)])
        self.assertIn("is not a database", str(error))
