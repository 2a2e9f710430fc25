"""A copy of the database while the server writes to it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

from attrs import frozen

from bumper_tw.errors import BumperError, StorageError
from bumper_tw.storage.connection import explain, open_file, refusal
from bumper_tw.storage.migrations import OURS, known, version

#: Seconds that somebody else may keep the whole file for himself.
PATIENCE = 30.0


class _TooLong(Exception):
    """Somebody else does not let go of the database."""


@frozen
class Figures:
    """
    What is in a database.

    @ivar schema: the version of its tables.
    """

    schema: int
    robots: int
    users: int

    def told(self) -> str:
        """For people."""
        return f"{counted(self.robots, 'robot')} and {counted(self.users, 'account')}"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def copy_database(
    source: Path, target: Path, clock: Callable[[], float] = monotonic, patience: float = PATIENCE
) -> None:
    """
    Copy the database as it is at one moment, by SQLite's own means: whoever writes meanwhile
    does not wait, and nothing of a half transaction gets in.  The copy is one file.

    @param target: must not be there.
    @raise StorageError: one of the two cannot be used, and why.
    """
    deadline = clock() + patience

    def look(status: int, _left: int, _all: int) -> None:
        # SQLite would try for ever.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and clock() > deadline:
            raise _TooLong

    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(open_file(source)) as here, closing(open_file(target)) as there:
            # Whether it survives a power cut is seen to when it is whole.
            there.execute("PRAGMA synchronous = OFF")
            here.backup(there, progress=look)
            there.execute("PRAGMA journal_mode = DELETE").fetchall()
    except _TooLong:
        raise StorageError(
            f"{source} is in use by another program for more than {patience:g} s; "
            "find out which, and try again"
        ) from None
    except sqlite3.Error as error:
        full = (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL
        raise StorageError(explain(target if full else source, error)) from error


def examined(path: Path, shown: str) -> Figures:
    """
    Look through a copy that nobody else uses.

    @param shown: what it is called for people.
    @raise BumperError: it is damaged, of another program, or newer than this one.
    """
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, isolation_level=None, uri=True)) as connection:
            return _examined(connection, shown)
    except sqlite3.Error as error:
        why = refusal(error) and f"({error})"
        raise StorageError(f"{shown} is damaged {why or '(a table is missing)'}") from error


def _examined(connection: sqlite3.Connection, shown: str) -> Figures:
    if _number(connection, "PRAGMA application_id") != OURS:
        raise BumperError(f"{shown} is not a database of this program")
    schema, newest = version(connection), known()[-1].version
    if not 0 < schema <= newest:
        raise BumperError(
            f"{shown} was written by a newer bumper_tw (version {schema}, this one knows "
            f"{newest}); install that one first"
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StorageError(f"{shown} is damaged ({' '.join(str(verdict).split())[:200]})")
    robots = _number(connection, "SELECT count(*) FROM devices")
    return Figures(schema, robots, _number(connection, "SELECT count(*) FROM users"))


def _number(connection: sqlite3.Connection, query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    return int(value)
