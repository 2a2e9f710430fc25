"""What we know already of what an older Bumper knows."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Cursor
from tempfile import TemporaryDirectory

from attrs import frozen

from bumper_tw.app.cli_certs import hand_over
from bumper_tw.errors import StartError, StorageError
from bumper_tw.storage import accounts, cleaning, devices, records
from bumper_tw.storage.connection import MEMORY, explain
from bumper_tw.storage.migrations import DATABASE, known, migrate, upgrade, version
from bumper_tw.values import CleaningLog, Device, Home, Token, User

#: Where it is remembered whose robots are.
OWNERS = "owners"

#: What SQLite has beside a database that somebody has open, or that was not closed.
LOG = "-wal"


def make_folder(folder: Path) -> None:
    """
    Make a folder that is missing, for the user that the server runs as: whom the one above it
    belongs to, when root does this before the first start.

    @raise StartError: it cannot be made.
    """
    if folder.exists():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as why:
        raise StartError(f"{folder} cannot be made: {why.strerror}") from why
    hand_over(folder.parent, [folder])


@frozen
class Ours:
    """
    What we know.

    @ivar owners: uids by did.
    @ivar jobs: those of them that were asked for, by id.
    """

    devices: Mapping[str, Device]
    users: Mapping[str, User]
    tokens: Mapping[str, Token]
    homes: Mapping[str, Home]
    owners: Mapping[str, str]
    jobs: Mapping[str, CleaningLog]


def ours(cursor: Cursor, jobs: Iterable[str]) -> Ours:
    """
    Look at the database.

    @param jobs: the ids of the cleaning jobs that matter.
    """
    users, tokens, homes = accounts.load(cursor)
    owned = records.load(cursor, OWNERS)
    return Ours(
        {device.id.did: device for device in devices.load(cursor)},
        {user.uid: user for user in users},
        {token.digest: token for token in tokens},
        {home.id: home for home in homes},
        {did: str(each.get("uid", "")) for did, each in owned.items() if isinstance(each, dict)},
        dict(_jobs(cursor, jobs)),
    )


def _jobs(cursor: Cursor, ids: Iterable[str]) -> Iterator[tuple[str, CleaningLog]]:
    for each in dict.fromkeys(ids):
        row = cursor.execute(cleaning.ONE, {"id": each}).fetchone()
        if row is not None:
            yield each, cleaning.from_row(row)


@contextmanager
def untouched(path: Path, served: bool) -> Iterator[Cursor]:
    """
    A look at our database that changes nothing, not even the time of a file.

    @param served: whether a server has it open.
    @raise StorageError: it cannot be read.
    @raise StartError: it is not ours, or damaged.
    """
    with TemporaryDirectory(prefix="bumper-") as folder:
        try:
            with closing(_opened(path, served, Path(folder) / DATABASE)) as connection:
                yield connection.cursor()
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error):
                raise StorageError(explain(path, error)) from error
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def _opened(path: Path, served: bool, copy: Path) -> sqlite3.Connection:
    if not path.exists():
        empty = sqlite3.connect(MEMORY)
        upgrade(empty, known())
        return empty
    if not served and not _size(path.with_name(path.name + LOG)):
        # As it stands: SQLite makes no files beside one that is said never to change.
        settled = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        if version(settled) == known()[-1].version:
            return settled
        settled.close()
    copy.touch(mode=0o600)
    _copy(path, served, copy)
    migrate(copy)
    return sqlite3.connect(copy)


def _copy(path: Path, served: bool, copy: Path) -> None:
    if not served:
        for end in ("", LOG):
            if path.with_name(path.name + end).exists():
                shutil.copyfile(path.with_name(path.name + end), copy.with_name(copy.name + end))
        return
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(copy)) as new:
        source.backup(new)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
