"""
The journal on disk, for after the server is gone: a line for what has ended.

What one address does again within a minute is one line more, at the end of it, with a C{count}.
"""

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.logfile import LogFile

from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact, Outcome
from bumper_tw.front.journal import Entry, Remark
from bumper_tw.front.story import INDENT
from bumper_tw.front.thrift import BYTES, MINUTE, Minute, Repeated

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

#: What a remark about itself is called.
CHECK = "journal-file"

#: As many are written before others get their turn.
AT_ONCE = 20

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
    Writes the journal down, as far as L{Minute} has room for it.

    When the disk refuses, the log says so once, and again when it has taken something since.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, chronicle: Chronicle, folder: Path) -> None:
        """
        @param folder: which is there.
        """
        self._clock, self._chronicle, self._folder = clock, chronicle, folder
        self._waiting: dict[int, Entry] = {}
        self._minute = Minute(clock.seconds() + MINUTE)
        self._timer: IDelayedCall | None = None
        self._file: LogFile | None = None
        self._broken = False
        self._unwatch = chronicle.journal.watch(self._heard)

    def stop(self) -> None:
        """Write what there is, and nothing more."""
        self._unwatch()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._write(self._take(WAITING))
        self._end_minute()
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
            self._minute.lost += 1
        self._wake(SOON)

    def _wake(self, seconds: float) -> None:
        """Write in as many seconds at the latest."""
        if self._timer is None or not self._timer.active():
            self._timer = self._clock.callLater(seconds, self._turn)
        elif self._timer.getTime() > self._clock.seconds() + seconds:
            self._timer.reset(seconds)

    def _turn(self) -> None:
        """Write some of what waits."""
        if self._clock.seconds() >= self._minute.ends:
            self._end_minute()
        self._write(self._take(AT_ONCE))
        if self._waiting:
            self._wake(0)
        elif self._minute.has_news():
            self._wake(self._minute.ends - self._clock.seconds())

    def _end_minute(self) -> None:
        ended, self._minute = self._minute, Minute(self._clock.seconds() + MINUTE)
        for seen in ended.repeated():
            # The rest is for what is new.
            if self._minute.room < BYTES // 2:
                ended.lost += seen.times
            else:
                self._write_line(self._repeated(seen))
        if ended.lost:
            self._write_line(self._chronicle.entry(self._loss(ended.lost)))

    def _repeated(self, seen: Repeated) -> dict[str, Any]:
        entry = self._chronicle.entry(seen.last)
        again = f"{INDENT}That was the last of {seen.times} more like the one before, in a minute."
        return {**entry, "story": f"{entry['story']}\n{again}", "count": seen.times}

    def _loss(self, lost: int) -> Remark:
        said = f"{lost} connections were not written down, because there were too many in a minute"
        return Remark(self._chronicle.journal.revision, self._clock.seconds(), CHECK, False, said)

    def _take(self, most: int) -> list[Entry]:
        """Of what waits, what has waited longest."""
        numbers = list(islice(self._waiting, most))
        return [self._waiting.pop(number) for number in numbers]

    def _write(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Remark):
                self._write_line(self._chronicle.entry(entry))
            elif not self._minute.is_enough_of(entry):
                self._look(entry)

    def _look(self, contact: Contact) -> None:
        kind = (contact.host, contact.robot, self._chronicle.diagnosis(contact).name)
        self._minute.looked_at(contact, kind)
        is_known = self._minute.is_repeated(contact, kind)
        if not is_known and self._write_line(self._chronicle.entry(contact)):
            self._minute.wrote(contact, kind)

    def _write_line(self, entry: dict[str, Any]) -> bool:
        """
        Write it down, if there is room.

        @return: whether it was.
        """
        line = self._line(entry)
        if not self._minute.takes(len(line)):
            return False
        try:
            self._open().write(line)
        except OSError as why:
            self._complain(why)
            return False
        self._broken = False
        return True

    def _line(self, entry: dict[str, Any]) -> str:
        # After a failure there may be half a line before it.
        begin = "\n" if self._broken else ""
        return f"{begin}{json.dumps(entry, separators=(',', ':'))}\n"

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
