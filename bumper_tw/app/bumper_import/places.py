"""Where an older Bumper keeps what: its database, its certificates, its passwords."""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from bumper_tw.dialect.bumper_db import MAX_BYTES
from bumper_tw.errors import BadRequest

#: What its database is called, and the folders that it keeps things in.
DATABASE, DATA, CERTS = "bumper.db", "data", "certs"

#: Accounts of local MQTT clients, as user:hash lines.
PASSWORDS = "passwd"


@frozen
class Places:
    """
    Where things are.

    @ivar certs: folders that may have its certificates, the likeliest first.
    @ivar passwords: C{None} if there are none.
    """

    database: Path
    certs: tuple[Path, ...]
    passwords: Path | None = None


def places(given: Path, certs: Path | None = None) -> Places:
    """
    Find everything.

    @param given: the folder of the other Bumper, its data folder, or its database.
    @param certs: the folder of its certificates, if somebody has said so.
    @raise BadRequest: there is no database.
    """
    database = next(filter(_is_file, _databases(given)), None)
    if database is None:
        raise BadRequest(
            f"there is no {DATABASE} in {given} nor in {given / DATA}; give the folder of the "
            'other Bumper, or its data folder. To take over its authority only: "bumper certs '
            'import FOLDER"'
        )
    passwords = database.with_name(PASSWORDS)
    folders = (certs,) if certs is not None else tuple(_certs(given, database.parent))
    return Places(database, folders, passwords if _is_file(passwords) else None)


def _databases(given: Path) -> Iterator[Path]:
    yield given
    yield given / DATABASE
    yield given / DATA / DATABASE


def _certs(given: Path, data: Path) -> Iterator[Path]:
    """Beside the database, below what was given, and beside the data folder."""
    likely = (data / CERTS, given / CERTS, data, given, data.absolute().parent / CERTS)
    yield from dict.fromkeys(likely)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # One that may not be looked into.
        return False


def held(path: Path) -> bytes:
    """
    What is in a database, or one byte more than there may be.

    @raise BadRequest: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as why:
        raise BadRequest(f"{path} cannot be read: {why.strerror}") from why
