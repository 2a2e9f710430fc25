"""Reports on disk, and the writer that brings them there in batches."""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from sqlite3 import Cursor
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IDatabase, ITelemetryStore
from bumper_tw.readings import Report, from_values, to_values

#: Rows that one transaction drops, so that a login need not wait for a big clean-up.
CHUNK = 2000

ADD = """
    INSERT INTO history (did, kind, at, number, reading)
    VALUES (:did, :kind, :at, :number, :reading)
"""

RENEW = """
    INSERT INTO latest (did, kind, at, number, reading)
    VALUES (:did, :kind, :at, :number, :reading)
    ON CONFLICT (did, kind) DO UPDATE SET
        at = excluded.at, number = excluded.number, reading = excluded.reading
"""

LATEST = "SELECT did, kind, at, number, reading FROM latest ORDER BY did, kind"

OF_ROBOT = """
    SELECT did, kind, at, number, reading FROM history
    WHERE did = :did AND at >= :since ORDER BY at DESC, id DESC LIMIT :limit
"""

OF_KIND = """
    SELECT did, kind, at, number, reading FROM history
    WHERE did = :did AND kind = :kind AND at >= :since ORDER BY at DESC, id DESC LIMIT :limit
"""

DROP_OLD = """
    DELETE FROM history WHERE id IN (
        SELECT id FROM history WHERE at < :before ORDER BY at, id LIMIT :count
    )
"""

DROP_OLDEST = """
    DELETE FROM history WHERE id IN (SELECT id FROM history ORDER BY at, id LIMIT :count)
"""


@frozen
class Found:
    """What a query brought: reports, and why the others could not be read."""

    reports: list[Report] = field(factory=list)
    unreadable: list[str] = field(factory=list)


@implementer(ITelemetryStore)
@frozen
class TelemetryStore:
    """
    Reports in a database.

    Pruning thins out the history only; the newest of each kind stays until its robot goes.
    """

    _log = Logger()
    database: IDatabase

    def append(self, reports: Sequence[Report]) -> Deferred[None]:
        kept = [report for report in reports if report.reading.kept]
        return self.database.interact(append, kept) if kept else succeed(None)

    def latest(self) -> Deferred[list[Report]]:
        return self.database.interact(latest).addCallback(self._readable)

    def history(self, did: str, kind: str, since: float, limit: int) -> Deferred[list[Report]]:
        found = self.database.interact(history, did, kind, since, limit)
        return found.addCallback(self._readable)

    def prune(self, before: float, keep: int) -> Deferred[int]:
        return Deferred.fromCoroutine(self._prune(before, keep))

    def forget(self, did: str) -> Deferred[None]:
        return self.database.interact(forget, did)

    async def _prune(self, before: float, keep: int) -> int:
        gone = 0
        dropped = CHUNK
        while dropped == CHUNK:
            dropped = await self.database.interact(prune, before, keep, CHUNK)
            gone += dropped
        return gone

    def _readable(self, found: Found) -> list[Report]:
        if found.unreadable:
            self._log.warn(
                "skipped {count} stored reports that cannot be read, the first: {why}",
                count=len(found.unreadable),
                why=found.unreadable[0],
            )
        return found.reports


def to_row(report: Report) -> dict[str, Any]:
    """The columns of a report."""
    return {
        "did": report.did,
        "kind": report.kind,
        "at": report.at,
        "number": report.number,
        "reading": json.dumps(to_values(report.reading), separators=(",", ":")),
    }


def from_rows(rows: Iterable[Sequence[Any]]) -> Found:
    """Reports from their columns."""
    found = Found()
    for did, kind, at, number, reading in rows:
        try:
            found.reports.append(Report(did, from_values(kind, json.loads(reading)), at, number))
        except ValueError as wrong:
            found.unreadable.append(f"{kind} of {did}: {wrong}")
    return found


def append(cursor: Cursor, reports: Sequence[Report]) -> None:
    """Add to the history, and renew the newest."""
    rows = [to_row(report) for report in reports]
    cursor.executemany(ADD, rows)
    newest = {(row["did"], row["kind"]): row for row in rows}
    cursor.executemany(RENEW, list(newest.values()))


def latest(cursor: Cursor) -> Found:
    """The newest of each kind for every robot."""
    return from_rows(cursor.execute(LATEST))


def history(cursor: Cursor, did: str, kind: str, since: float, limit: int) -> Found:
    """The newest reports of one robot."""
    values = {"did": did, "kind": kind, "since": since, "limit": limit}
    return from_rows(cursor.execute(OF_KIND if kind else OF_ROBOT, values))


def prune(cursor: Cursor, before: float, keep: int, most: int) -> int:
    """Drop at most C{most} rows that are too old or too many; how many went."""
    old = cursor.execute(DROP_OLD, {"before": before, "count": most}).rowcount
    (rows,) = cursor.execute("SELECT count(*) FROM history").fetchone()
    surplus = min(rows - keep, most - old)
    if surplus <= 0:
        return old
    return old + cursor.execute(DROP_OLDEST, {"count": surplus}).rowcount


def forget(cursor: Cursor, did: str) -> None:
    """Drop everything about one robot."""
    cursor.execute("DELETE FROM latest WHERE did = :did", {"did": did})
    cursor.execute("DELETE FROM history WHERE did = :did", {"did": did})


class ReportWriter:
    """
    Gathers reports and appends them in batches, one at a time and in order.

    While the store refuses, reports wait, the oldest giving way when they become too many.
    What says the same as before is written only now and then: clients ask robots the same
    every minute, and a disk in a router is not made for that.

    @ivar dropped: reports that never reached the store.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: ITelemetryStore,
        batch: int = 200,
        interval: float = 1.0,
        backlog: int = 5000,
        repeat: float = 600.0,
    ) -> None:
        """
        @param batch: reports in one append.
        @param interval: seconds that a report waits for others, and between two tries.
        @param backlog: reports that may wait.
        @param repeat: seconds after which an unchanged reading is written again.
        """
        self.dropped = 0
        self._clock, self._store = clock, store
        self._batch, self._interval, self._backlog = batch, interval, backlog
        self._repeat = repeat
        self._last: dict[str, dict[str, Report]] = {}
        self._waiting: deque[Report] = deque()
        self._flying: list[Report] = []
        self._timer: IDelayedCall | None = None
        self._failing = False
        self._flushing: list[Deferred[None]] = []

    @property
    def waiting(self) -> int:
        """How many reports are not on disk yet."""
        return len(self._waiting) + len(self._flying)

    def add(self, report: Report) -> None:
        """Write it soon; what is not kept on disk is passed over."""
        if not report.reading.kept or self._is_known(report):
            return
        self._last.setdefault(report.did, {})[report.kind] = report
        self._waiting.append(report)
        self._give_way()
        self._go_on()

    def forget(self, did: str) -> None:
        """A robot is no longer ours: what it said is not written any more."""
        if self._last.pop(did, None) is not None:
            self._waiting = deque(each for each in self._waiting if each.did != did)

    def _is_known(self, report: Report) -> bool:
        """Whether the last report of this kind said the same, not long ago."""
        last = self._last.get(report.did, {}).get(report.kind)
        return (
            last is not None
            and last.reading == report.reading
            and 0 <= report.at - last.at < self._repeat
        )

    def flush(self) -> Deferred[None]:
        """
        Write what waits.

        @return: fires when all is on disk; fails with what the store failed with.
        """
        flushed: Deferred[None] = Deferred()
        self._flushing.append(flushed)
        self._stop_timer()
        self._go_on()
        return flushed

    def _go_on(self) -> None:
        if self._flying:
            return
        if self._flushing or (len(self._waiting) >= self._batch and not self._failing):
            self._write()
        elif self._waiting and self._timer is None:
            self._timer = self._clock.callLater(self._interval, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._flying:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            self._flushed(None)
            return
        self._stop_timer()
        count = min(self._batch, len(self._waiting))
        self._flying = [self._waiting.popleft() for _ in range(count)]
        written = self._store.append(self._flying)
        written.addCallbacks(self._written, self._refused)
        written.addErrback(lambda failure: self._log.failure("writing reports broke", failure))

    def _written(self, _: None) -> None:
        if self._failing:
            self._log.info("reports are written again; {count} were lost", count=self.dropped)
        self._failing, self._flying = False, []
        self._go_on()

    def _refused(self, failure: Failure) -> None:
        flown, self._flying = self._flying, []
        if failure.check(StorageError):
            self._waiting.extendleft(reversed(flown))
            self._give_way()
        else:
            # No disk was at fault, so the same reports would fail for ever.
            self._log.failure("reports cannot be written", failure)
            self.dropped += len(flown)
        self._report_trouble(failure)
        self._flushed(failure)
        self._go_on()

    def _report_trouble(self, failure: Failure) -> None:
        if failure.check(StorageError) and not self._failing:
            self._log.error("reports wait for the disk: {why}", why=failure.getErrorMessage())
            self._failing = True

    def _give_way(self) -> None:
        while len(self._waiting) > self._backlog:
            self._waiting.popleft()
            self.dropped += 1

    def _flushed(self, outcome: Failure | None) -> None:
        flushing, self._flushing = self._flushing, []
        for each in flushing:
            each.callback(outcome)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
