"""Start-up brings the file to the present, or says in one sentence why it cannot."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.storage.connection import open_file
from bumper_tw.storage.migrations import OURS, Migration, known, migrate, version

FIRST = Migration(1, "CREATE TABLE notes (value TEXT) STRICT;")
SECOND = Migration(2, "ALTER TABLE notes ADD COLUMN at REAL; UPDATE notes SET at = 1;")
BROKEN = Migration(2, "DELETE FROM notes; SELECT nonsense;")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as another program sees it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def read_only(path: Path) -> sqlite3.Connection:
    """What root, whom no permission stops, would see on a read-only disk."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", isolation_level=None, uri=True)


class MigrationTests(SynchronousTestCase):
    """An empty or older file becomes a present one."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "data" / "bumper.db"

    def rows(self) -> list[tuple[object, ...]]:
        """What is in the file."""
        with opened(self.path) as connection:
            return connection.execute("SELECT * FROM notes").fetchall()

    def old(self, value: str) -> None:
        """An older database with something in it."""
        migrate(self.path, [FIRST])
        with opened(self.path) as connection:
            connection.execute("INSERT INTO notes VALUES (:value)", {"value": value})

    def test_numbered(self) -> None:
        """The steps that come with the program count from one without a gap."""
        steps = known()
        self.assertEqual([step.version for step in steps], list(range(1, len(steps) + 1)))
        self.assertTrue(all(step.sql.strip() for step in steps))

    def test_fresh(self) -> None:
        """A directory and a file are made, for our eyes only, and marked as ours."""
        migrate(self.path)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.path.parent.stat().st_mode & 0o777, 0o700)
        with opened(self.path) as connection:
            self.assertEqual(version(connection), known()[-1].version)
            self.assertEqual(connection.execute("PRAGMA application_id").fetchone(), (OURS,))
            self.assertEqual(connection.execute("PRAGMA journal_mode").fetchone(), ("wal",))

    def test_nothing_held(self) -> None:
        """Nothing stays open over the fork, so no log is left beside the file."""
        migrate(self.path)
        self.assertEqual([each.name for each in self.path.parent.iterdir()], ["bumper.db"])

    def test_again(self) -> None:
        """A present file is left as it is, and not copied."""
        self.old("kept")
        migrate(self.path, [FIRST])
        self.assertEqual(self.rows(), [("kept",)])
        self.assertEqual([each.name for each in self.path.parent.iterdir()], ["bumper.db"])

    def test_older(self) -> None:
        """An older file gets what is missing, and a copy of it stays, as private as it was."""
        self.old("kept")
        migrate(self.path, [FIRST, SECOND])
        self.assertEqual(self.rows(), [("kept", 1.0)])
        copy = self.path.with_name("bumper.db.v1.bak")
        with opened(copy) as connection:
            self.assertEqual(connection.execute("SELECT * FROM notes").fetchall(), [("kept",)])
            self.assertEqual(version(connection), 1)
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)

    def test_copy_replaced(self) -> None:
        """A copy from another day, or the rest of one, gives way."""
        self.old("kept")
        for name in ("bumper.db.v1.bak", "bumper.db.v1.bak.new"):
            self.path.with_name(name).write_bytes(b"rest")
        migrate(self.path, [FIRST, SECOND])
        names = sorted(each.name for each in self.path.parent.iterdir())
        self.assertEqual(names, ["bumper.db", "bumper.db.v1.bak"])
        with opened(self.path.with_name("bumper.db.v1.bak")) as connection:
            self.assertEqual(connection.execute("SELECT * FROM notes").fetchall(), [("kept",)])

    def test_broken_step(self) -> None:
        """A step that fails changes nothing."""
        self.old("kept")
        error = self.assertRaises(StartError, migrate, self.path, [FIRST, BROKEN])
        self.assertIn(str(self.path), str(error))
        self.assertEqual(self.rows(), [("kept",)])
        with opened(self.path) as connection:
            self.assertEqual(version(connection), 1)


class RefusalTests(SynchronousTestCase):
    """What cannot be used ends the start with one sentence, and stays as it was."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "bumper.db"
        migrate(self.path)

    def refused(self, *words: str) -> None:
        """The start ends with one line that names the file and has these words."""
        error = str(self.assertRaises(StartError, migrate, self.path))
        for word in (str(self.path), *words):
            self.assertIn(word, error)
        self.assertNotIn("\n", error)

    def untouched(self, *words: str) -> None:
        """It is refused without changing a byte."""
        before = self.path.read_bytes()
        self.refused(*words)
        self.assertEqual(self.path.read_bytes(), before)

    def test_future(self) -> None:
        """A database of a newer program is not touched."""
        with opened(self.path) as connection:
            connection.execute("PRAGMA user_version = 999")
        self.untouched("newer bumper_tw (version 999", "install")

    def test_not_a_database(self) -> None:
        """Neither is any other file."""
        self.path.write_bytes(b"robots = 2\n" * 200)
        self.untouched("is not a database", "move it aside")

    def test_other_program(self) -> None:
        """Nor the database of another program."""
        self.path.unlink()
        with opened(self.path) as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
        self.untouched("another program", "choose another file")

    def test_damaged(self) -> None:
        """A file whose pages are scrambled is found out."""
        content = bytearray(self.path.read_bytes())
        content[4096:] = b"\xa5" * len(content[4096:])
        self.path.write_bytes(content)
        self.untouched("is damaged", "backup")

    def test_cut_short(self) -> None:
        """So is one that lost its end."""
        content = self.path.read_bytes()
        self.path.write_bytes(content[: len(content) // 2])
        self.untouched("is damaged", "backup")

    def test_in_use(self) -> None:
        """Somebody who writes at this moment is named as the reason."""

        def impatient(path: Path) -> sqlite3.Connection:
            connection = open_file(path)
            connection.execute("PRAGMA busy_timeout = 0")
            return connection

        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            error = self.assertRaises(StartError, migrate, self.path, None, impatient)
        self.assertIn("in use by another program", str(error))

    def test_read_only_disk(self) -> None:
        """A file that can only be read is found out, even if there is nothing to migrate."""
        error = self.assertRaises(StartError, migrate, self.path, None, read_only)
        self.assertIn(f"{self.path} cannot be written", str(error))

    def test_read_only_directory(self) -> None:
        """A directory that can only be read is named, with what to do."""
        if os.geteuid() == 0:
            raise SkipTest("root may write everywhere; see the read-only disk instead")
        self.path.unlink()
        self.path.parent.chmod(0o500)
        self.addCleanup(self.path.parent.chmod, 0o700)
        self.refused("cannot be made", "may write")

    def test_directory_is_a_file(self) -> None:
        """A directory that cannot be made is named, with what to do."""
        self.path = self.path / "deeper" / "bumper.db"
        self.refused("cannot be made", "Not a directory", "choose")

    def test_parent_is_a_file(self) -> None:
        """So is one in whose place there is a file."""
        self.path = self.path / "bumper.db"
        self.refused("cannot be made", "choose")

    def test_file_is_a_directory(self) -> None:
        """A directory in the place of the file is refused."""
        self.path = self.path.parent
        self.refused("cannot be opened")
