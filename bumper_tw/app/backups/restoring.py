"""
Putting back what an archive holds.

Nothing is changed before all of it was read and found to be right.  Then it is unpacked beside
what is there, and takes its place by renaming; what was there stays aside.
"""

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from bumper_tw.app.backups import plan as plans
from bumper_tw.app.backups.archive import Archive, Memory, Nowhere, Sink
from bumper_tw.app.backups.bare import Bare
from bumper_tw.app.backups.checks import must_be_whole, must_fit
from bumper_tw.app.backups.copying import Figures, examined
from bumper_tw.app.backups.drafts import Drafts
from bumper_tw.app.backups.manifest import BASE, CERTS, CONFIG, Manifest, Member, Refused
from bumper_tw.app.backups.plan import DRAFT, Plan
from bumper_tw.app.backups.swap import Swap, nothing, told
from bumper_tw.app.backups.targets import Targets, Wishes, targets
from bumper_tw.app.backups.ways import inside
from bumper_tw.app.config import FILE_LIMIT
from bumper_tw.app.running import must_not_run
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.pki.directory import CA
from bumper_tw.storage.migrations import DATABASE, RESTORING

#: How people and systems end a program.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What must not be done beside a server.
RESTORE = "restore"

#: What stays free on a disk.
SPARE = 1 << 20


@frozen
class Verified:
    """An archive of which every byte was read and is right, and where it would go."""

    archive: Archive | Bare
    manifest: Manifest
    targets: Targets


def verified(archive: Archive | Bare, wishes: Wishes) -> Verified:
    """
    Read all of an archive; nothing is written anywhere.

    @raise Refused: something in it is wrong.
    @raise BumperError: something else is; the text says what.
    """
    bare = isinstance(archive, Bare)
    manifest, held = checked(archive)
    return Verified(archive, manifest, targets(wishes, manifest, held, bare))


def checked(archive: Archive | Bare) -> tuple[Manifest, dict[str, bytes]]:
    """
    Read all of an archive.

    @return: also its small files, by their names.
    @raise Refused: something in it is wrong.
    """
    small = Memory(is_small)
    manifest = archive.read(small)
    if not isinstance(archive, Bare):
        must_be_whole(manifest)
    held = {name: bytes(text) for name, text in small.held.items()}
    must_fit(held)
    return manifest, held


@frozen
class Only:
    """Takes one file, and forgets the others."""

    name: str
    sink: Sink

    def __call__(self, member: Member) -> Sink:
        """Take one."""
        return self.sink if member.name == self.name else Nowhere()


def show(archive: Archive | Bare, name: str, target: Sink) -> None:
    """
    Write one file of an archive to C{target}, once all of it is known to be right.

    @raise BadRequest: there is no such file.
    """
    manifest, _ = checked(archive)
    if manifest.find(name) is None:
        raise BadRequest(f"there is no {name!r} in it; tar tf FILE lists a backup without a seal")
    if archive.read(Only(name, target)) != manifest:
        raise Refused("it has changed while it was read")


def is_small(member: Member) -> bool:
    """Whether it may be looked at in memory."""
    return member.name.startswith((f"{CERTS}/", f"{CONFIG}/")) and member.size <= FILE_LIMIT


def tried(found: Verified) -> Figures:
    """
    Look into the database of an archive without putting it anywhere.

    @raise BumperError: it cannot be used.
    """
    with TemporaryDirectory(prefix="bumper-") as folder:
        place = Path(folder) / DATABASE
        try:
            with place.open("xb") as target:
                found.archive.read(Only(BASE, target))
        except OSError as error:
            raise StorageError(f"its database cannot be looked at: {told(error)}") from error
        return fitting(found.manifest, place)


def fitting(manifest: Manifest, place: Path) -> Figures:
    """
    What is in a database that was unpacked.

    @raise BumperError: it cannot be used, or is not that of this archive.
    """
    figures = examined(place, f"{BASE} in the backup")
    if figures.schema != manifest.schema:
        raise Refused("its database is not the one it was made with")
    return figures


@frozen
class Restored:
    """
    What became of it.

    @ivar figures: what is in the database now.
    @ivar said: what else there is to say.
    """

    plan: Plan
    figures: Figures
    said: tuple[str, ...]


def restore(
    found: Verified, force: bool, now: datetime, step: Callable[[str], None] = nothing
) -> Restored:
    """
    Put everything in its place.

    @param force: whether a database or an authority may be replaced.
    @param step: is told what comes before anything is changed.
    @raise BumperError: it is not possible; then all is as it was.
    """
    where = found.targets
    must_not_run(where.settings, RESTORE)
    swap = Swap(where.data, step)
    with ExitStack() as stack:
        try:
            for folder in where.all_folders():
                with inside(folder, make=True):
                    pass
            stack.enter_context(alone(where.data))
            said = put_back(where.data, where.known, step)
            must_be_allowed(where, force)
            plan = Plan(stamp(where, now), tuple(where.moves(found.manifest)))
            figures = drafted(found, swap)
        except OSError as error:
            raise StorageError(f"nothing is restored: {told(error)}") from error
        with undisturbed():
            swap.carry_out(plan, lambda: must_not_run(where.settings, RESTORE))
    return Restored(plan, figures, tuple(said))


def drafted(found: Verified, swap: Swap) -> Figures:
    """
    Unpack everything beside what is there.

    @raise BumperError: something is not as it was before; nothing is left of it.
    @raise OSError: the disk refuses; nothing is left of it.
    """
    where = found.targets
    folders = where.all_folders()
    swap.drop_drafts(folders)
    must_have_room(where.data, found.manifest.bytes)
    drafts, figures = Drafts(where.folders, where.files), None
    try:
        swap.step("unpack")
        drafts.prepare()
        if found.archive.read(drafts) != found.manifest:
            raise Refused("it has changed while it was read")
        # One call instead of one for each of many files.
        os.sync()
        figures = fitting(found.manifest, where.data / DRAFT / BASE)
    finally:
        drafts.close()
        if figures is None:
            swap.drop_drafts(folders)
    return figures


def stamp(where: Targets, now: datetime) -> str:
    """A time for names, which nothing there has yet."""
    first = f"{now:%Y%m%d-%H%M%S}"
    names = (first if number == 1 else f"{first}-{number}" for number in count(1))
    return next(
        name
        for name in names
        if not any(
            os.path.lexists(folder / Plan(name, ()).aside_name) for folder in where.all_folders()
        )
    )


def put_back(
    data: Path, folders: Collection[Path] | None, step: Callable[[str], None] = nothing
) -> list[str]:
    """
    Undo what a restore has left that was cut short.

    @param folders: where it may have moved something; C{None} for anywhere.
    @return: what there is to say about it; nothing if there was none.
    @raise StorageError: it cannot be undone.
    """
    plan = plans.read(data / RESTORING, folders)
    if plan is None:
        return []
    try:
        Swap(data, step).put_back(plan)
    except OSError as error:
        raise StorageError(f"what was there cannot be put back: {told(error)}") from error
    return ["a restore that was cut short is undone: everything is as it was before it"]


def must_be_allowed(where: Targets, force: bool) -> None:
    """
    Nobody loses his robots because of a wrong folder.

    @raise BadRequest: there is something already.
    """
    places = [where.data / DATABASE]
    if not where.bare:
        places.append(where.certs / CA)
    for place in places:
        if os.path.lexists(place) and not force:
            raise BadRequest(
                f"there is {place} already; --force puts the backup in its place, and keeps what "
                "is there beside it"
            )


def must_have_room(folder: Path, needed: int) -> None:
    """@raise StorageError: there is too little."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise StorageError(
            f"there is too little room in {folder}: {needed >> 20} MiB are needed, and "
            f"{free >> 20} MiB are free"
        )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Nobody ends this in between, short of pulling the plug."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """
    Keep others away who want to restore something.

    @raise BadRequest: somebody does already.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadRequest(f"another restore into {folder} is going on") from None
    else:
        yield
    finally:
        os.close(handle)
