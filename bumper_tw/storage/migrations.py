"""Numbered files in C{sql/}, applied in order at start-up, before the process forks."""

import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from importlib.resources import files
from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from bumper_tw.errors import StartError, StorageError
from bumper_tw.storage import snapshots
from bumper_tw.storage.connection import DAMAGED, configure, explain, open_file

#: STRICT tables came with this version of SQLite.
OLDEST = (3, 37, 0)

#: The database in its folder.
DATABASE = "bumper.db"

#: In the folder of the database while a restore moves things there.
RESTORING = "restore-under-way.json"

#: As many copies of databases from before a migration are kept.
COPIES = 3

#: What such a copy is called.
COPY = re.compile(re.escape(DATABASE) + r"\.v(\d{1,9})\.bak")

#: Marks a database as ours (C{PRAGMA application_id}); the letters C{bump}.
OURS = 0x62756D70

#: Bytes up to which the whole file is looked through at each start: some seconds on an SD card.
CHECKED = 64 * 1024 * 1024


@frozen
class Migration:
    """
    One step from a version of the schema to the next.

    @ivar version: the version it leads to.
    """

    version: int
    sql: str

    def script(self) -> str:
        """All of it as one transaction that also records the version."""
        marks = f"PRAGMA application_id = {OURS};\nPRAGMA user_version = {self.version};"
        return f"BEGIN IMMEDIATE;\n{self.sql}\n{marks}\nCOMMIT;"


def known() -> list[Migration]:
    """The steps that come with this version of the program, the first first."""
    found = files("bumper_tw.storage").joinpath("sql").iterdir()
    named = sorted((file.name, file) for file in found if file.name.endswith(".sql"))
    return [
        Migration(int(name.partition("_")[0]), file.read_text("utf-8")) for name, file in named
    ]


def migrate(
    path: Path,
    migrations: Sequence[Migration] | None = None,
    opener: Callable[[Path], sqlite3.Connection] = open_file,
) -> None:
    """
    Make the database, or bring an older one to the present; a copy of that one stays beside
    it as C{bumper.db.v1.bak}.  Holds nothing open afterwards.

    @param migrations: the steps; those that come with the program if C{None}.
    @raise StartError: the database cannot be used, and why.
    """
    _must_be_settled(path)
    try:
        _make_room(path)
        with closing(opener(path)) as connection:
            _bring_up(connection, path, known() if migrations is None else migrations)
    except OSError as error:
        place = error.filename or path
        raise StartError(
            f"{path} cannot be made ({place}: {error.strerror}); "
            "choose a directory that the server may write in [storage]"
        ) from error
    except sqlite3.Error as error:
        raise StartError(explain(path, error)) from error


def upgrade(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """
    Apply what is missing, each step as one transaction.

    @raise sqlite3.Error: a step failed, and nothing of it was kept.
    """
    present = version(connection)
    for migration in migrations:
        if migration.version > present:
            connection.executescript(migration.script())


def version(connection: sqlite3.Connection) -> int:
    """The version of the schema; 0 for an empty database."""
    return _number(connection, "PRAGMA user_version")


def _must_be_settled(path: Path) -> None:
    if os.path.lexists(path.with_name(RESTORING)):
        folder = path.parent.absolute()
        raise StartError(
            f"a restore into {folder} was cut short, and is half done; run "
            f'"bumper restore --put-back --data {folder}" to have everything as it was before, '
            "or the same restore once more"
        )


def _make_room(path: Path) -> None:
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StartError(f"SQLite {sqlite3.sqlite_version} is too old; install {needed} or newer")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Password hashes are nobody else's business; SQLite gives its log the same mode.
        path.touch(mode=0o600)


def _bring_up(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    # Nothing may change the file before it has proved to be ours.
    _check_owner(connection, path)
    _check_health(connection, path)
    present, newest = version(connection), migrations[-1].version
    if present > newest:
        raise StartError(
            f"{path} was written by a newer bumper_tw (version {present}, this one knows "
            f"{newest}); install that one again, or go back to {_way_back(path, newest)}"
        )
    _check_writable(connection, present)
    if 0 < present < newest:
        copy = path.with_name(f"{path.name}.v{present}.bak")
        _set_aside(path, copy)
        _drop_older(copy)
        Logger().info(
            "{path} goes from version {present} to {newest}; as it was, it stays in {copy}",
            path=str(path),
            present=present,
            newest=newest,
            copy=str(copy),
        )
    configure(connection)
    upgrade(connection, migrations)


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if tables and _number(connection, "PRAGMA application_id") != OURS:
        raise StartError(
            f"{path} is the database of another program; choose another file in [storage]"
        )


def _check_health(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > CHECKED:
        return
    damage = snapshots.damage(connection)
    if damage:
        raise StartError(f"{path} {DAMAGED} ({damage})")


def _check_writable(connection: sqlite3.Connection, present: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # On a read-only disk the line above is as good as BEGIN; only a write is refused.
    connection.execute(f"PRAGMA user_version = {present}")
    connection.execute("ROLLBACK")


def _set_aside(path: Path, copy: Path) -> None:
    # A copy cut short must not take the place of a good one.
    fresh = copy.with_name(f"{copy.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        snapshots.copy(path, fresh)
        _keep(fresh)
        fresh.replace(copy)
        _keep(copy.parent)
    except StorageError as error:
        raise StartError(str(error)) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _keep(path: Path) -> None:
    """Have it on the disk before anything else is changed."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copies(folder: Path) -> list[tuple[int, Path]]:
    """Copies from before migrations, with their versions, the latest first."""
    named = [(COPY.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted([(int(found[1]), path) for found, path in named if found], reverse=True)


def _drop_older(copy: Path) -> None:
    """There is room for few; the one that was just made stays."""
    others = [path for _, path in _copies(copy.parent) if path != copy]
    for path in others[COPIES - 1 :]:
        with suppress(OSError):
            path.unlink()


def _way_back(path: Path, newest: int) -> str:
    """What the owner of a database that is too new can restore."""
    for known_version, copy in _copies(path.parent):
        if known_version <= newest:
            return f'how it was before that one came: "bumper restore --force {copy}"'
    return 'a backup of before that one came: "bumper restore --force FILE"'


def _number(connection: sqlite3.Connection, query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    return int(value)
