"""The journal on disk, for after the server is gone: a line for each contact that has ended."""

import json
from pathlib import Path

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.logfile import LogFile

from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact, Outcome
from bumper_tw.front.journal import Entry

#: What it is called.
NAME = "journal.jsonl"

#: Bytes of one file, and how many older ones are kept beside it.
SIZE, KEPT = 1_000_000, 3

#: Nobody but the owner reads it.
MODE = 0o600

#: Seconds until what happened is written, all of it together.
SOON = 1.0

#: As many entries may wait for that; the oldest are lost first.
WAITING = 1000

#: What is written down at once, as it may last.
FAILED = frozenset(Outcome) - {
    Outcome.SILENT,
    Outcome.HANDSHAKE,
    Outcome.SECURED,
    Outcome.CHOSEN,
    Outcome.ACCEPTED,
}


class JournalFile:
    """
    Writes the journal down.

    When the disk refuses, the log says so once, and again when it has taken something since.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, chronicle: Chronicle, folder: Path) -> None:
        """
        @param folder: which is there.
        """
        self._clock, self._chronicle, self._folder = clock, chronicle, folder
        self._waiting: dict[int, Entry] = {}
        self._timer: IDelayedCall | None = None
        self._file: LogFile | None = None
        self._broken = False
        self._unwatch = chronicle.journal.watch(self._heard)

    def stop(self) -> None:
        """Write what there is, and nothing more."""
        self._unwatch()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._write()
        self._close()

    def _heard(self, entry: Entry) -> None:
        if isinstance(entry, Contact):
            if not entry.lasts or entry.outcome in FAILED:
                self._keep(entry.number, entry)
        else:
            # Contacts are numbered from 1 on.
            self._keep(-entry.revision, entry)

    def _keep(self, number: int, entry: Entry) -> None:
        self._waiting[number] = entry
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
        if self._timer is None or not self._timer.active():
            self._timer = self._clock.callLater(SOON, self._write)

    def _write(self) -> None:
        entries, self._waiting = self._waiting.values(), {}
        try:
            for entry in entries:
                self._open().write(self._line(entry))
                self._broken = False
        except OSError as why:
            self._complain(why)

    def _line(self, entry: Entry) -> str:
        # After a failure there may be half a line before it.
        begin = "\n" if self._broken else ""
        return f"{begin}{json.dumps(self._chronicle.entry(entry), separators=(',', ':'))}\n"

    def _open(self) -> LogFile:
        if self._file is None:
            self._file = LogFile(
                NAME, str(self._folder), SIZE, defaultMode=MODE, maxRotatedFiles=KEPT
            )
        return self._file

    def _complain(self, why: OSError) -> None:
        self._close()
        if not self._broken:
            self._broken = True
            self._log.warn(
                "the journal cannot be written to {path}: {why}; it goes on in memory",
                path=str(self._folder / NAME),
                why=why.strerror or str(why),
            )

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                # What it could not write has been told of.
                self._broken = True
