"""Looking at a database that others may be using, or that may be no good; and copying it."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import frozen

from bumper_tw.errors import StorageError
from bumper_tw.storage.connection import PATIENCE, explain, open_file

#: The version of the database program.
SQLITE = sqlite3.sqlite_version

#: Seconds that somebody else may keep the whole file for himself while it is copied.
PATIENCE_COPY = 30.0

#: Instructions of SQLite, in thousands, that counting may take: some seconds.
MOST_WORK = 300_000


class _TooLong(Exception):
    """Somebody else does not let go of the database."""


@frozen
class State:
    """
    What kind of file a database is.

    @ivar owner: which program it belongs to (C{PRAGMA application_id}).
    @ivar schema: the version of its tables.
    @ivar damage: what is wrong with it; empty if nothing is.
    """

    owner: int
    schema: int
    damage: str


@contextmanager
def open_to_read(path: Path, settled: bool = False) -> Iterator[sqlite3.Connection]:
    """
    A database, which is not changed: it may be damaged, or of another version.

    @param settled: nobody else uses it; then SQLite makes no files beside it.
    @raise StorageError: it cannot be read, now or later.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if settled else ''}"
    try:
        opened = sqlite3.connect(uri, timeout=PATIENCE, isolation_level=None, uri=True)
        with closing(opened) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StorageError(explain(path, error)) from error


def copy(
    source: Path,
    target: Path,
    clock: Callable[[], float] = monotonic,
    patience: float = PATIENCE_COPY,
) -> None:
    """
    Copy a database as it is at one moment, by SQLite's own means: whoever writes meanwhile does
    not wait, and nothing of a half transaction gets in.  The copy is one file for our eyes only;
    whether it survives a power cut is for whoever wants that.

    @param target: must not be there.
    @raise StorageError: one of the two cannot be used, and why.
    @raise OSError: the copy cannot be made.
    """
    deadline = clock() + patience

    def look(status: int, _left: int, _all: int) -> None:
        # SQLite would try for ever.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and clock() > deadline:
            raise _TooLong

    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(open_file(source)) as here, closing(open_file(target)) as there:
            there.execute("PRAGMA synchronous = OFF")
            here.backup(there, progress=look)
            # Then it is one file, without a log beside it.
            there.execute("PRAGMA journal_mode = DELETE").fetchall()
    except _TooLong:
        raise StorageError(
            f"{source} is in use by another program for more than {patience:g} s; "
            "find out which, and try again"
        ) from None
    except sqlite3.Error as error:
        full = (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL
        raise StorageError(explain(target if full else source, error)) from error


def state(path: Path, settled: bool = False, largest: int | None = None) -> State:
    """
    What kind of file it is.

    @param settled: see L{open_to_read}.
    @param largest: a larger file is not looked through, in bytes.
    @raise StorageError: it cannot be read.
    """
    with open_to_read(path, settled) as connection:
        owner, schema = (
            _number(connection, f"PRAGMA {name}") for name in ("application_id", "user_version")
        )
        skipped = largest is not None and path.stat().st_size > largest
        return State(owner, schema, "" if skipped else damage(connection))


def damage(connection: sqlite3.Connection) -> str:
    """
    What is wrong with a database; empty if nothing is.

    @raise sqlite3.Error: it cannot be read.
    """
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return "" if verdict == "ok" else " ".join(str(verdict).split())[:200]


def counts(path: Path, tables: Iterable[str] = (), settled: bool = False) -> dict[str, int]:
    """
    How many rows there are, by table.

    @param tables: those that have to be there; all that there are if none is named.
    @raise StorageError: it cannot be read, one is missing, or it takes too long.
    """
    with open_to_read(path, settled) as connection:
        _bound(connection)
        named = list(tables) or sorted(_tables(connection))
        return {name: _number(connection, f"SELECT count(*) FROM {name}") for name in named}  # noqa: S608 - a name


def rows(path: Path, tables: Iterable[str], most: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """
    The rows of tables, by the names of their columns; those of a table that is not there are none.

    @param most: of each table.
    @raise StorageError: it cannot be read.
    """
    with open_to_read(path) as connection:
        connection.row_factory = sqlite3.Row
        there = set(_tables(connection))
        for table in filter(there.__contains__, tables):
            query = f"SELECT * FROM {table} LIMIT {most:d}"  # noqa: S608 - a name
            for row in connection.execute(query):
                yield table, dict(row)


def shelf(path: Path, name: str, most: int) -> list[str]:
    """
    What is on a shelf, as JSON, the first record first.

    @raise StorageError: it cannot be read.
    """
    query = "SELECT value FROM records WHERE shelf = ? ORDER BY place LIMIT ?"
    with open_to_read(path) as connection:
        return [str(row[0]) for row in connection.execute(query, (name, most))]


def _tables(connection: sqlite3.Connection) -> Iterator[str]:
    """Those with names that can stand in a query as they are."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    names = [str(row[0]) for row in connection.execute(query)]
    return filter(str.isidentifier, names)


def _bound(connection: sqlite3.Connection) -> None:
    """Let nothing take for ever."""
    left = MOST_WORK

    def tick() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(tick, 1000)


def _number(connection: sqlite3.Connection, query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    return int(value)
