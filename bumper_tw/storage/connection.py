"""The connection to the database file: how it is opened, what can go wrong, and transactions."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen
from twisted.python.failure import Failure

from bumper_tw.errors import StorageError

T = TypeVar("T")

#: What a piece of work is done with.
Cursor = sqlite3.Cursor

#: What C{path} means when there is no file.
MEMORY = Path(":memory:")

#: Seconds to wait for another program that writes, such as a backup.
PATIENCE = 5.0

#: WAL lets readers in while we write, and survives a kill; NORMAL spares flash memory the
#: fsync of every commit, and only a power cut may cost the last moments, unless L{Durable}
#: work was among them.
SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA journal_size_limit = 16777216",
)

NO_SPACE = "cannot grow because the disk is full; free some space"
NO_WRITING = (
    "cannot be written; give the user that runs the server write access to it and its directory"
)
NO_OPENING = (
    "cannot be opened; check that it is a file, and that the server may write it and its directory"
)
IN_USE = "is in use by another program; stop that one first"
DAMAGED = "is damaged; put a backup in its place, or move it aside to start with an empty one"

#: What the disk may have against us, by primary result code, and what the owner can do.
#: Every other error of SQLite is a mistake of ours.
REFUSALS = {
    sqlite3.SQLITE_PERM: NO_WRITING,
    sqlite3.SQLITE_READONLY: NO_WRITING,
    sqlite3.SQLITE_BUSY: IN_USE,
    sqlite3.SQLITE_LOCKED: IN_USE,
    sqlite3.SQLITE_PROTOCOL: IN_USE,
    sqlite3.SQLITE_CANTOPEN: NO_OPENING,
    sqlite3.SQLITE_FULL: NO_SPACE,
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk",
    sqlite3.SQLITE_NOMEM: "does not fit into memory; stop other programs",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: "is not a database; move it aside to start with an empty one",
}


def refusal(error: sqlite3.Error) -> str | None:
    """What the disk has against us; C{None} when the statement was at fault."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return REFUSALS.get(code & 0xFF)


def explain(path: Path, error: sqlite3.Error) -> str:
    """One sentence for the owner: which file, why not, and what to do."""
    return f"{path} {refusal(error) or 'cannot be used'} ({error})"


def open_file(path: Path) -> sqlite3.Connection:
    """
    Open a file that is there, without touching it.

    A file that vanished is not replaced by an empty one.

    @raise sqlite3.Error: it cannot be opened.
    """
    target = ":memory:" if path == MEMORY else f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(target, timeout=PATIENCE, isolation_level=None, uri=True)


def opener(cache: int) -> Callable[[Path], sqlite3.Connection]:
    """
    How to open files of which not too much shall stay in memory.

    @param cache: as much of a file, in bytes.
    """

    def opened(path: Path) -> sqlite3.Connection:
        connection = open_file(path)
        try:
            # Less than nothing: in KiB instead of pages.
            connection.execute(f"PRAGMA cache_size = -{cache // 1024}").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return opened


def configure(connection: sqlite3.Connection) -> None:
    """
    Settle how a connection writes.

    @raise sqlite3.Error: the file does not allow it.
    """
    for statement in SETTINGS:
        connection.execute(statement).fetchall()


@frozen
class Durable(Generic[T]):
    """
    A work function whose results outlive a power cut; decorates it.

    For what a peer forgets as soon as we have told it: it cannot tell us again.  A transaction
    with such work in it waits for the disk, and so does all that came before it.
    """

    function: Callable[..., T]

    def __call__(self, cursor: sqlite3.Cursor, *arguments: Any) -> T:
        return self.function(cursor, *arguments)


@define(eq=False)
class Work:
    """One piece of work on the database; C{skipped} when nobody wants it any more."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    skipped: bool = False

    @property
    def durable(self) -> bool:
        """Whether its commit must wait for the disk."""
        return isinstance(self.function, Durable) and not self.skipped

    def run(self, cursor: sqlite3.Cursor) -> Any:
        """Do it."""
        return self.function(cursor, *self.arguments)


@define(eq=False)
class Transactions:
    """
    One connection, opened when it is needed and again after trouble.

    Belongs to the thread that runs the first transaction.

    @ivar opener: makes a connection to a file.
    """

    path: Path
    opener: Callable[[Path], sqlite3.Connection] = open_file
    _connection: sqlite3.Connection | None = field(default=None, init=False)

    def run(self, works: Sequence[Work]) -> list[Any]:
        """
        Do all of C{works} in one transaction, each under a savepoint.

        @return: for each its result, or a L{Failure} with what it raised.
        @raise StorageError: the disk refuses; nothing of it is kept.
        """
        try:
            return self._commit(self.connection(), works)
        except sqlite3.Error as error:
            self._abandon()
            raise StorageError(explain(self.path, error)) from error

    def connection(self) -> sqlite3.Connection:
        """
        The connection, opened if need be.

        @raise sqlite3.Error: it cannot be opened.
        """
        if self._connection is None:
            self._connection = self.opener(self.path)
            configure(self._connection)
        return self._connection

    def close(self) -> None:
        """
        Write everything into the one file, and let go of it.

        @raise StorageError: it did not work; what was committed is safe in the log beside it.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with closing(connection):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise StorageError(explain(self.path, error)) from error

    def _commit(self, connection: sqlite3.Connection, works: Sequence[Work]) -> list[Any]:
        # SQLite takes no notice of this inside a transaction.
        safety = "FULL" if any(work.durable for work in works) else "NORMAL"
        connection.execute(f"PRAGMA synchronous = {safety}")
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [None if work.skipped else attempt(connection, work) for work in works]
        connection.execute("COMMIT")
        return outcomes

    def _abandon(self) -> None:
        # A connection that has seen the disk fail is not to be trusted; closing rolls back.
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def attempt(connection: sqlite3.Connection, work: Work) -> Any:
    """
    The result of C{work}, or a L{Failure} with what it raised, rolled back alone.

    @raise sqlite3.Error: the disk refuses, and so to everybody in the transaction.
    """
    connection.execute("SAVEPOINT work")
    try:
        with closing(connection.cursor()) as cursor:
            outcome = work.run(cursor)
    except Exception as raised:
        # Whatever it is belongs to whoever asked, and must not end the thread.
        if isinstance(raised, sqlite3.Error) and refusal(raised):
            raise
        outcome = Failure()
        connection.execute("ROLLBACK TO work")
    connection.execute("RELEASE work")
    return outcome
