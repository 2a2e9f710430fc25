"""A backup that is made for a browser: in a thread, into a file that has no name any more."""

import os
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.backups.backing_up import Order
from bumper_tw.app.backups.output import new_file
from bumper_tw.app.backups.passphrases import proper
from bumper_tw.app.backups.sources import Sources
from bumper_tw.app.settings import Settings
from bumper_tw.core.passwords import InThread
from bumper_tw.errors import BadRequest, RobotBusy, StorageError

#: How a draft begins; what a server left that was killed is dropped at the next start.
DRAFT = ".page-backup-"

BUSY = "a backup is being made or fetched already; wait until it is done"


class Finished(FileIO):
    """A file that tells when it is closed; nothing is left of it then."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.when_closed: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Once; also when nobody has asked for it."""
        if not self.closed:
            super().close()
            self.when_closed()


@frozen
class Handed:
    """
    A backup, to be sent.

    @ivar file: whoever has it closes it.
    @ivar size: in bytes.
    @ivar sealed: whether it takes a passphrase to read it.
    """

    file: Finished
    size: int
    sealed: bool


class BackupDesk:
    """Makes one backup at a time."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        settings: Settings,
        settings_file: Path | None,
        in_thread: InThread,
    ) -> None:
        """
        @param settings_file: where the settings were read from, if from any file.
        """
        self._clock, self._settings, self._file = clock, settings, settings_file
        self._in_thread, self._busy = in_thread, False

    def tidy(self) -> None:
        """Drop what an earlier run has left; for the start."""
        folder = self._settings.storage.directory
        # A file that is not finished has a further dot in front.
        for path in folder.glob(f"*{DRAFT}*"):
            with suppress(OSError):
                path.unlink()

    def make(self, passphrase: str, files: bool = True) -> Deferred[Handed]:
        """
        Make one.  If whoever asked is gone when it is made, nothing is left of it.

        @param passphrase: empty for an archive that everybody can read.
        @param files: whether to take what robots and apps have left here.
        @return: fails with L{BadRequest}, L{RobotBusy} while there is another, and
            L{StorageError}.
        """
        if self._busy:
            return fail(RobotBusy(BUSY))
        if passphrase:
            try:
                proper(passphrase)
            except BadRequest as why:
                return fail(why)
        self._busy = True
        waiter: Deferred[Handed] = Deferred()
        made = self._in_thread(lambda: self._made(passphrase, files))
        made.addCallbacks(self._hand, self._failed, (waiter,), {}, (waiter,), {})
        return waiter

    def _made(self, passphrase: str, files: bool) -> Handed:
        """In a thread."""
        folder = self._settings.storage.directory.absolute()
        path = folder / f"{DRAFT}{token_hex(8)}.tar"
        sources = Sources(self._settings, self._file, files)
        order = Order(sources, folder, passphrase, self._clock.seconds)
        try:
            order.carry_out(new_file(path, replace=False), path)
            file = Finished(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error
        finally:
            with suppress(OSError):
                path.unlink()
        return Handed(file, os.fstat(file.fileno()).st_size, bool(passphrase))

    def _hand(self, handed: Handed, waiter: Deferred[Handed]) -> None:
        handed.file.when_closed = self._done
        if waiter.called:
            handed.file.close()
            return
        self._log.info("a backup is made for the owner, {size} bytes", size=handed.size)
        waiter.callback(handed)

    def _failed(self, failure: Failure, waiter: Deferred[Handed]) -> None:
        self._done()
        if not waiter.called:
            waiter.errback(failure)

    def _done(self) -> None:
        self._busy = False


#: What the owner can send to somebody who helps: its name, and the bytes.
Bundle = Callable[[], "tuple[str, bytes]"]


class BundleDesk:
    """Makes what is sent to whoever helps; one at a time, in a thread."""

    def __init__(self, bundle: Bundle, in_thread: InThread) -> None:
        """
        @param bundle: see L{bumper_tw.app.dashboard_support}; it blocks.
        """
        self._bundle, self._in_thread, self._busy = bundle, in_thread, False

    def make(self) -> Deferred[tuple[str, bytes]]:
        """
        Make one.

        @return: fails with L{RobotBusy} while there is another.
        """
        if self._busy:
            return fail(RobotBusy("another one is being made; wait until it is done"))
        self._busy = True
        return self._in_thread(self._bundle).addBoth(self._done)

    def _done(self, result: Any) -> Any:
        self._busy = False
        return result
