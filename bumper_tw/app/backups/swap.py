"""
Putting what is new in the place of what is old, by renaming, so that a power cut at any moment
leaves all of the one or what it takes to get back there.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from attrs import frozen

from bumper_tw.app.backups.plan import DRAFT, Move, Plan
from bumper_tw.app.backups.ways import inside
from bumper_tw.errors import BumperError, StorageError
from bumper_tw.storage.migrations import RESTORING


def nothing(_: str) -> None:
    """Nobody wants to know."""


@frozen
class Swap:
    """
    Changes the disk.

    @ivar data: the folder where the plan is written down; the server looks for it there.
    @ivar step: is told what comes before anything is changed.
    """

    data: Path
    step: Callable[[str], None] = nothing

    @property
    def marker(self) -> Path:
        """Where the plan is while it is under way."""
        return self.data / RESTORING

    def carry_out(self, plan: Plan, go_on: Callable[[], None]) -> None:
        """
        Do it all, or nothing.

        @param go_on: raises a L{BumperError} if it must not be done after all.
        @raise StorageError: the disk refuses; all is as it was.
        """
        try:
            self._write_down(plan)
            go_on()
            for move in plan.moves:
                self._exchange(plan, move)
            self._settle([*plan.folders(), *plan.kept()])
            self._cross_out()
        except OSError as error:
            self._put_back_if_possible(plan, told(error))
            raise StorageError(f"nothing is restored: {told(error)}") from error
        except BumperError as error:
            self._put_back_if_possible(plan, str(error))
            raise
        self.drop_drafts(plan.folders())

    def _put_back_if_possible(self, plan: Plan, first: str) -> None:
        try:
            self.put_back(plan)
        except OSError as error:
            raise StorageError(
                f"the restore was cut short ({first}), and cannot be undone "
                f"({told(error)}); see to that, then run: bumper restore --put-back"
            ) from error

    def put_back(self, plan: Plan) -> None:
        """
        Undo as much as was done of a plan; it can be done again if it is cut short, too.

        @raise OSError: the disk refuses.
        """
        if not self.marker.exists():
            self.drop_drafts(plan.folders())
            return
        for move in reversed(plan.moves):
            self._return(plan, move)
        self._settle(plan.folders())
        for folder in plan.kept():
            self.step(f"remove {folder}")
            with suppress(OSError), inside(folder.parent) as at:
                os.rmdir(folder.name, dir_fd=at)
        self._cross_out()
        self.drop_drafts(plan.folders())

    def _return(self, plan: Plan, move: Move) -> None:
        aside = plan.aside(move)
        if move.draft and not os.path.lexists(move.fresh) and os.path.lexists(move.place):
            self._leave(move.place, move.fresh)
        if not (move.had and os.path.lexists(aside)):
            return
        if is_same(aside, move.place):
            # Renaming does nothing with two names of one file.
            self._remove(aside)
        else:
            self._rename(aside, move.place)

    def drop_drafts(self, folders: Iterable[Path]) -> None:
        """What is left of drafts is of no use."""
        for folder in folders:
            draft = folder / DRAFT
            if not os.path.lexists(draft):
                continue
            self.step(f"remove {draft}")
            with suppress(OSError), inside(folder) as at:
                if draft.is_dir() and not draft.is_symlink():
                    # Links in it are not followed.
                    shutil.rmtree(DRAFT, ignore_errors=True, dir_fd=at)
                else:
                    os.unlink(DRAFT, dir_fd=at)

    def _write_down(self, plan: Plan) -> None:
        new = self.data / DRAFT / RESTORING
        self.step(f"write {new}")
        self._make(new.parent)
        with inside(new.parent) as at:
            handle = os.open(new.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=at)
        with os.fdopen(handle, "wb") as stream:
            stream.write(plan.text())
            stream.flush()
            os.fsync(stream.fileno())
        self._rename(new, self.marker)
        self._settle([self.data])

    def _exchange(self, plan: Plan, move: Move) -> None:
        if move.had:
            aside = plan.aside(move)
            self.step(f"make {aside.parent}")
            self._make(aside.parent)
            if move.draft:
                self._leave(move.place, aside)
            else:
                self._rename(move.place, aside)
        if move.draft:
            self._rename(move.fresh, move.place)

    def _leave(self, old: Path, new: Path) -> None:
        """Give a file a second name, so that there is one at its place until the next comes."""
        self.step(f"link {old} {new}")
        with suppress(OSError), inside(new.parent) as there, inside(old.parent) as here:
            if S_ISREG(os.lstat(old.name, dir_fd=here).st_mode):
                os.link(
                    old.name, new.name, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False
                )
                return
        self._rename(old, new)

    def _rename(self, old: Path, new: Path) -> None:
        self.step(f"rename {old} {new}")
        with inside(new.parent) as there, inside(old.parent) as here:
            os.rename(old.name, new.name, src_dir_fd=here, dst_dir_fd=there)

    def _remove(self, path: Path) -> None:
        self.step(f"remove {path}")
        with inside(path.parent) as at:
            os.unlink(path.name, dir_fd=at)

    def _make(self, folder: Path) -> None:
        with suppress(FileExistsError), inside(folder.parent) as at:
            os.mkdir(folder.name, 0o700, dir_fd=at)

    def _cross_out(self) -> None:
        self._remove(self.marker)
        with suppress(OSError):
            # If it comes back after a power cut, all is put back.
            self._settle([self.data])

    def _settle(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            self.step(f"sync {folder}")
            with inside(folder) as at:
                handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def is_same(one: Path, other: Path) -> bool:
    """Whether these are two names of one file."""
    if not (os.path.lexists(one) and os.path.lexists(other)):
        return False
    return os.path.samestat(one.lstat(), other.lstat())


def told(error: OSError) -> str:
    """Which file, and what the disk has against it."""
    return f"{error.filename or 'the disk'}: {error.strerror or error}"
