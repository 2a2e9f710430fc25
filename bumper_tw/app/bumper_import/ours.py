"""What we know already of what an older Bumper knows."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from bumper_tw.errors import StorageError
from bumper_tw.storage import accounts, cleaning, devices, records
from bumper_tw.storage.connection import Cursor
from bumper_tw.storage.migrations import DATABASE, known, migrate, version
from bumper_tw.storage.snapshots import copy, open_to_read
from bumper_tw.values import CleaningLog, Device, Home, Token, User

#: Where it is remembered whose robots are.
OWNERS = "owners"

#: What SQLite has beside a database that somebody has open, or that was not closed.
LOG = "-wal"


@frozen
class Ours:
    """
    What we know.

    @ivar guarded: uids of those who have a password.
    @ivar owners: uids by did.
    @ivar jobs: those of them that were asked for, by id.
    """

    devices: Mapping[str, Device]
    users: Mapping[str, User]
    guarded: frozenset[str]
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
        frozenset(accounts.passwords(cursor)),
        {token.digest: token for token in tokens},
        {home.id: home for home in homes},
        {did: str(each.get("uid", "")) for did, each in owned.items() if isinstance(each, dict)},
        cleaning.some(cursor, jobs),
    )


@contextmanager
def untouched(path: Path, served: bool) -> Iterator[Cursor]:
    """
    A look at our database that changes nothing, not even the time of a file.

    @param served: whether a server has it open.
    @raise StorageError: it cannot be read.
    @raise StartError: it is not ours, or damaged.
    """
    with TemporaryDirectory(prefix="bumper-") as folder:
        looked_at = path
        # SQLite makes no files beside one that is said never to change.
        if served or not _is_settled(path):
            looked_at = Path(folder) / DATABASE
            _copy(path, served, looked_at)
            migrate(looked_at)
        with open_to_read(looked_at, settled=True) as connection:
            yield connection.cursor()


def _is_settled(path: Path) -> bool:
    """Whether there is a whole file of this version."""
    if not _size(path) or _size(path.with_name(path.name + LOG)):
        return False
    with open_to_read(path, settled=True) as connection:
        return version(connection) == known()[-1].version


def _copy(path: Path, served: bool, target: Path) -> None:
    if not path.exists():
        return
    try:
        if served:
            copy(path, target)
            return
        target.touch(mode=0o600)
        for end in ("", LOG):
            if path.with_name(path.name + end).exists():
                shutil.copyfile(path.with_name(path.name + end), f"{target}{end}")
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
