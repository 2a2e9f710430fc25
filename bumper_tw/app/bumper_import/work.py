"""An import, from the folder of an older Bumper to what there is to say about it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from json import dumps
from pathlib import Path

from attrs import asdict, evolve, frozen

from bumper_tw.app.bumper_import import authority
from bumper_tw.app.bumper_import.ours import OWNERS, ours, untouched
from bumper_tw.app.bumper_import.places import Places, held, places
from bumper_tw.app.bumper_import.plan import Plan, Wishes, job_ids, plan
from bumper_tw.app.cli_parts import now
from bumper_tw.app.owning import hand_over, make_folder
from bumper_tw.app.running import is_running, must_not_run
from bumper_tw.app.settings import Settings
from bumper_tw.app.taking_over import take
from bumper_tw.dialect.bumper_db import Theirs, read
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.storage import accounts, cleaning, devices, records
from bumper_tw.storage.connection import Cursor, Durable
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate


@frozen
class Wanted:
    """
    What was typed.

    @ivar certs: the folder of their certificates; C{None} to look for it.
    @ivar account: whose the robots are; empty for whomever they were.
    @ivar authority: whether theirs is to be ours.
    """

    folder: Path
    certs: Path | None = None
    account: str = ""
    authority: bool = True
    dry: bool = False


@frozen
class Outcome:
    """
    What came, or would come.

    @ivar authority: C{None} if it was not asked for.
    @ivar said: of the authority, by whoever took it over.
    """

    places: Places
    theirs: Theirs
    plan: Plan
    authority: authority.Theirs | None
    said: tuple[str, ...] = ()


def carry_out(
    settings: Settings, wanted: Wanted, moment: datetime, random_hex: Callable[[int], str]
) -> Outcome:
    """
    Do it, or only tell what would be done.

    @param moment: what time it is, aware of its zone.
    @raise BadRequest: nothing can be taken over, or not all that is wanted; nothing has changed.
    @raise StartError: the same, for a file of ours.
    @raise StorageError: the disk refuses; nothing has changed.
    """
    found, path = places(wanted.folder, wanted.certs), settings.storage.directory / DATABASE
    _check_apart(found.database, path)
    theirs = _read(found.database)
    ca = _authority(found, settings, wanted, moment)
    wishes = wishes_of(settings, wanted.account, moment.timestamp(), random_hex)
    if wanted.dry:
        with untouched(path, is_running(settings)) as cursor:
            return Outcome(found, theirs, compared(cursor, theirs, wishes), ca)
    _check_ready(ca, settings)
    return _taken(Outcome(found, theirs, written(path, theirs, wishes), ca), settings, moment)


def wishes_of(
    settings: Settings, account: str, moment: float, random_hex: Callable[[int], str]
) -> Wishes:
    """What the settings say to an import."""
    return Wishes(
        account,
        moment,
        random_hex,
        settings.identity.robots_of == "owners",
        settings.identity.policy == "strict",
        settings.identity.robots,
        settings.storage.cleaning_logs,
        settings.identity.token_days * 86_400.0,
    )


def _check_apart(theirs: Path, ours: Path) -> None:
    """
    Their database must not be where ours will be.

    @raise BadRequest: it is.
    """
    if theirs.resolve() == ours.resolve():
        raise BadRequest(
            f"{theirs} is where our own database belongs; move the folder of the other Bumper, or "
            "name another data folder for this one: --data FOLDER"
        )


def _read(path: Path) -> Theirs:
    try:
        return read(held(path))
    except BadRequest as wrong:
        said = str(wrong)
        raise BadRequest(said if said.startswith(str(path)) else f"{path} {said}") from wrong


def _authority(
    found: Places, settings: Settings, wanted: Wanted, moment: datetime
) -> authority.Theirs | None:
    if not wanted.authority:
        return None
    return authority.look(found.certs, settings.tls.directory, moment.astimezone(UTC))


def _check_ready(ca: authority.Theirs | None, settings: Settings) -> None:
    """
    Everything that could end an import half way ends it before it has begun.

    @raise BadRequest: saying what.
    """
    must_not_run(settings, "import (--dry-run works beside it)")
    if ca is not None and ca.found is None:
        raise BadRequest(f"nothing was changed: {ca.why}")


def written(path: Path, theirs: Theirs, wishes: Wishes) -> Plan:
    """
    Bring everything into our database, in one transaction.

    @return: what was brought.
    @raise BadRequest: see L{plan}.
    @raise StartError: the database cannot be used.
    @raise StorageError: the disk refuses; nothing has changed.
    """
    make_folder(path.absolute().parent)
    migrate(path)
    with closing(InlineDatabase(path)) as database:
        done = now(database.interact(Durable(import_all), theirs, wishes))
    # What root has made belongs to the user that the server runs as.
    hand_over(path.parent, path.parent.glob(f"{DATABASE}*"))
    return done


def _taken(outcome: Outcome, settings: Settings, moment: datetime) -> Outcome:
    ca = outcome.authority
    if ca is None or ca.found is None or ca.is_ours:
        return outcome
    try:
        said = take(ca.found, settings.tls.directory, moment.astimezone(UTC))
    except StartError as wrong:
        raise StartError(
            f"robots and users are here, but the authority is not: {wrong} Import again when that "
            "is mended: what is here already stays as it is"
        ) from wrong
    return evolve(outcome, said=tuple(said))


def compared(cursor: Cursor, theirs: Theirs, wishes: Wishes) -> Plan:
    """What would come into a database."""
    known = {device.id.did: device for device in devices.load(cursor)}
    every = {**{device.id.did: device for device in theirs.robots}, **known}
    return plan(theirs, ours(cursor, job_ids(theirs, every)), wishes)


def import_all(cursor: Cursor, theirs: Theirs, wishes: Wishes) -> Plan:
    """Bring everything into a database, in the transaction of the cursor."""
    made = compared(cursor, theirs, wishes)
    for device in made.robots:
        devices.save(cursor, devices.to_row(device))
    for statement, values in _people(made):
        accounts.execute(cursor, statement, values)
    for job in made.jobs:
        cleaning.save(cursor, job)
    owned = {owner.did: asdict(owner) for owner in made.owners}
    rows = [{"shelf": OWNERS, "key": did, "value": dumps(each)} for did, each in owned.items()]
    records.save(cursor, rows)
    return made


def _people(made: Plan) -> Iterator[tuple[str, dict[str, object]]]:
    for user in made.users:
        yield accounts.SAVE_USER, asdict(user)
    for home in made.homes:
        yield accounts.SAVE_HOME, asdict(home)
    for token in made.tokens:
        yield accounts.SAVE_TOKEN, asdict(token)
