"""Reports on their way to the disk, and what happens when it is in a bad mood."""

from collections.abc import Sequence
from sqlite3 import Cursor

from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.errors import StorageError
from bumper_tw.interfaces import ITelemetryStore
from bumper_tw.readings import Battery, Errors, MapData, Report
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.telemetry import CHUNK, ReportWriter, TelemetryStore


def battery(number: int) -> Report:
    """A report that is told from others by its number."""
    return Report("dusty", Battery(number % 100), float(number), number)


def batteries(count: int) -> list[Report]:
    """Reports numbered from zero."""
    return [battery(number) for number in range(count)]


def spoil(cursor: Cursor) -> None:
    """Readings as versions before and after this one might have written them."""
    rows = [
        {"kind": "odour", "reading": "{}"},
        {"kind": "battery", "reading": '{"charge": 1}'},
        {"kind": "clean", "reading": "not JSON"},
        {"kind": "errors", "reading": "[]"},
    ]
    for table in ("latest", "history"):
        cursor.executemany(
            f"INSERT INTO {table} (did, kind, at, number, reading)"
            " VALUES ('rusty', :kind, 9, 9, :reading)",
            rows,
        )


class TelemetryStoreTests(SynchronousTestCase):
    """What only the SQL store has to prove."""

    def setUp(self) -> None:
        self.database = InlineDatabase()
        self.addCleanup(self.database.close)
        self.store = TelemetryStore(self.database)

    def test_unreadable(self) -> None:
        """What cannot be read any more is skipped with one line in the log."""
        self.successResultOf(self.store.append([battery(1)]))
        self.successResultOf(self.database.interact(spoil))
        with capturedLogs() as logged:
            self.assertEqual(self.successResultOf(self.store.latest()), [battery(1)])
            self.assertEqual(self.successResultOf(self.store.history("rusty", "", 0, 9)), [])
        self.assertEqual([event["count"] for event in logged], [4, 4])

    def test_nothing_to_do(self) -> None:
        """Reports that are not kept do not trouble the database."""
        self.successResultOf(self.database.close())
        appended = self.store.append([Report("dusty", MapData("m", ""), 1)])
        self.successResultOf(appended)

    def test_prune_in_pieces(self) -> None:
        """Much is dropped in several transactions, and counted in one number."""
        self.successResultOf(self.store.append(batteries(CHUNK * 2 + 10)))
        self.assertEqual(self.successResultOf(self.store.prune(CHUNK + 5, 7)), CHUNK * 2 + 3)
        left = self.successResultOf(self.store.history("dusty", "", 0, 99))
        self.assertEqual(len(left), 7)

    def test_indexes(self) -> None:
        """No question about the history sorts it or reads all of it."""
        plans = self.successResultOf(self.database.interact(explain))
        self.assertEqual([plan for plan in plans if "SCAN" in plan or "TEMP" in plan], [])


def explain(cursor: Cursor) -> list[str]:
    """How the two questions about the history are answered."""
    plans = []
    for kind in ("", "AND kind = 'battery'"):
        cursor.execute(
            f"EXPLAIN QUERY PLAN SELECT * FROM history WHERE did = 'a' {kind} AND at >= 0"
            " ORDER BY at DESC, id DESC LIMIT 9"
        )
        plans += [row[-1] for row in cursor]
    return plans


@implementer(ITelemetryStore)
@define
class Moody:
    """
    A store that takes its time, or refuses.

    @ivar mood: what the next appends come to; C{None} leaves them open in C{asked}.
    """

    mood: Exception | str | None = "fine"
    kept: list[Report] = field(factory=list)
    tries: list[int] = field(factory=list)
    asked: list[tuple[list[Report], Deferred[None]]] = field(factory=list)

    def append(self, reports: Sequence[Report]) -> Deferred[None]:
        self.tries.append(len(reports))
        if isinstance(self.mood, Exception):
            return fail(self.mood)
        if self.mood is None:
            self.asked.append((list(reports), Deferred()))
            return self.asked[-1][1]
        self.kept.extend(reports)
        return succeed(None)

    def answer(self) -> None:
        """Keep what was asked first."""
        reports, waiter = self.asked.pop(0)
        self.kept.extend(reports)
        waiter.callback(None)

    def latest(self) -> Deferred[list[Report]]:
        raise NotImplementedError

    def history(self, did: str, kind: str, since: float, limit: int) -> Deferred[list[Report]]:
        raise NotImplementedError

    def prune(self, before: float, keep: int) -> Deferred[int]:
        raise NotImplementedError

    def forget(self, did: str) -> Deferred[None]:
        raise NotImplementedError


FULL = StorageError("bumper.db cannot grow because the disk is full; free some space")


class ReportWriterTests(SynchronousTestCase):
    """Reports reach the store in batches, in order, one batch at a time."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), Moody()
        self.writer = ReportWriter(self.clock, self.store, batch=3, interval=1.0, backlog=5)

    def add(self, *numbers: int) -> None:
        """Reports arrive."""
        for number in numbers:
            self.writer.add(battery(number))

    def kept(self) -> list[int]:
        """What the store has."""
        return [report.number for report in self.store.kept]

    def test_waits_a_moment(self) -> None:
        """A few reports wait for one another, not longer than the interval."""
        self.add(1)
        self.clock.advance(0.9)
        self.add(2)
        self.assertEqual(self.store.tries, [])
        self.clock.advance(0.1)
        self.assertEqual(self.store.tries, [2])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unchanged(self) -> None:
        """What says the same as before is written again only after ten minutes."""
        first = Report("dusty", Battery(80), 1000.0, 1)
        for at, reading in ((1001.0, Battery(80)), (1599.0, Battery(80)), (1600.0, Battery(80))):
            self.writer.add(first)
            self.writer.add(evolve(first, at=at, reading=reading))
        self.successResultOf(self.writer.flush())
        self.assertEqual([report.at for report in self.store.kept], [1000.0, 1600.0])

    def test_change_and_back(self) -> None:
        """Every change is written, also a change back; other robots have their own."""
        for did, percent in (("dusty", 80), ("dusty", 79), ("rusty", 80), ("dusty", 80)):
            self.writer.add(Report(did, Battery(percent), 1000.0, 1))
        self.successResultOf(self.writer.flush())
        self.assertEqual(len(self.store.kept), 4)

    def test_forgotten(self) -> None:
        """What a forgotten robot said is not written any more, and not remembered either."""
        reports = [Report(did, Battery(80), 1000.0, 1) for did in ("dusty", "rusty")]
        for report in reports:
            self.writer.add(report)
        self.writer.forget("dusty")
        self.writer.forget("nobody")
        self.successResultOf(self.writer.flush())
        self.assertEqual(self.store.kept, [reports[1]])
        for report in reports:
            self.writer.add(report)
        self.successResultOf(self.writer.flush())
        self.assertEqual(self.store.kept, [reports[1], reports[0]])
        self.assertEqual(self.writer.dropped, 0)

    def test_forgotten_alone(self) -> None:
        """When nothing is left to write, nothing is written and no timer stays."""
        self.add(1)
        self.writer.forget(battery(1).did)
        self.clock.advance(1)
        self.assertEqual((self.store.tries, self.clock.getDelayedCalls()), ([], []))

    def test_full_batch(self) -> None:
        """A full batch does not wait, and leaves no timer behind."""
        self.add(1, 2, 3)
        self.assertEqual(self.kept(), [1, 2, 3])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_kept(self) -> None:
        """What is not kept on disk is passed over."""
        self.writer.add(Report("dusty", MapData("m", ""), 1))
        self.assertEqual(self.writer.waiting, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_at_a_time(self) -> None:
        """While the store is busy nothing else is asked of it."""
        self.store.mood = None
        self.add(1, 2, 3, 4, 5, 6, 7)
        self.clock.advance(5)
        self.assertEqual(self.store.tries, [3])
        self.store.answer()
        self.assertEqual(self.store.tries, [3, 3])
        self.store.answer()
        self.assertEqual(self.store.tries, [3, 3])
        self.clock.advance(1)
        self.store.answer()
        self.assertEqual(self.kept(), [1, 2, 3, 4, 5, 6, 7])

    def test_refused(self) -> None:
        """Refused reports are tried again after the interval, in their order, until it works."""
        self.store.mood = FULL
        self.add(1, 2, 3, 4)
        self.clock.advance(1)
        self.assertEqual(self.store.tries, [3, 3])
        self.store.mood = "fine"
        self.clock.advance(1)
        self.assertEqual(self.kept(), [1, 2, 3])
        self.clock.advance(1)
        self.assertEqual(self.kept(), [1, 2, 3, 4])
        self.assertEqual((self.writer.waiting, self.writer.dropped), (0, 0))

    def test_backlog(self) -> None:
        """When too much waits, the oldest gives way and is counted."""
        self.store.mood = FULL
        self.add(*range(1, 10))
        self.assertEqual((self.writer.waiting, self.writer.dropped), (5, 4))
        self.store.mood = "fine"
        self.clock.pump([1, 1])
        self.assertEqual(self.kept(), [5, 6, 7, 8, 9])

    def test_backlog_meanwhile(self) -> None:
        """What comes back from a slow refusal does not push the backlog over its limit."""
        self.store.mood = None
        self.add(*range(1, 9))
        self.assertEqual(self.writer.waiting, 8)
        self.store.asked.pop()[1].errback(FULL)
        self.assertEqual((self.writer.waiting, self.writer.dropped), (5, 3))

    def test_says_it_once(self) -> None:
        """A failure is logged once, and its end once."""
        self.store.mood = FULL
        with capturedLogs() as logged:
            self.add(1, 2, 3)
            self.clock.pump([1, 1, 1])
            self.store.mood = "fine"
            self.clock.pump([1, 1])
            self.add(4, 5, 6)
        levels = [event["log_level"] for event in logged]
        self.assertEqual(levels, [LogLevel.error, LogLevel.info])

    def test_our_mistake(self) -> None:
        """Reports that no store will ever take are dropped, with a traceback, not retried."""
        self.store.mood = LookupError("no such column")
        self.add(1, 2, 3)
        self.assertEqual(len(self.flushLoggedErrors(LookupError)), 1)
        self.assertEqual((self.writer.waiting, self.writer.dropped), (0, 3))
        self.store.mood = "fine"
        self.add(4, 5, 6)
        self.assertEqual(self.kept(), [4, 5, 6])

    def test_flush(self) -> None:
        """Flushing writes everything at once, however much it is."""
        self.store.mood = None
        self.add(1, 2, 3, 4, 5)
        flushed = self.writer.flush()
        self.store.answer()
        self.assertNoResult(flushed)
        self.store.answer()
        self.successResultOf(flushed)
        self.assertEqual(self.kept(), [1, 2, 3, 4, 5])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flush_nothing(self) -> None:
        """With nothing to write it fires at once."""
        self.successResultOf(self.writer.flush())
        self.assertEqual(self.store.tries, [])

    def test_flush_few(self) -> None:
        """A few reports do not wait for their timer."""
        self.add(1)
        self.successResultOf(self.writer.flush())
        self.assertEqual(self.kept(), [1])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flush_refused(self) -> None:
        """When the disk refuses, the one who stops us hears it and need not wait."""
        self.store.mood = FULL
        self.add(1)
        self.failureResultOf(self.writer.flush(), StorageError)
        self.assertEqual(self.writer.waiting, 1)

    @given(st.lists(st.sampled_from(["add", "tick", "full", "fine"]), max_size=60))
    def test_order(self, steps: list[str]) -> None:
        """Whatever the disk does, reports arrive in order, once, and none is unaccounted for."""
        self.setUp()
        number = 0
        for step in steps:
            if step == "add":
                number += 1
                self.add(number)
            elif step == "tick":
                self.clock.advance(1)
            else:
                self.store.mood = FULL if step == "full" else "fine"
        self.store.mood = "fine"
        self.successResultOf(self.writer.flush())
        self.assertEqual(self.kept(), sorted(set(self.kept())))
        self.assertEqual(len(self.kept()) + self.writer.dropped, number)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WriterAndStoreTests(SynchronousTestCase):
    """The writer over the real store."""

    def test_together(self) -> None:
        """Reports of a busy minute are in the history afterwards, the newest in the latest."""
        database = InlineDatabase()
        store, clock = TelemetryStore(database), Clock()
        writer = ReportWriter(clock, store)
        for report in batteries(450):
            writer.add(report)
        writer.add(Report("dusty", Errors(()), 999.0, 999))
        self.successResultOf(writer.flush())
        history = self.successResultOf(store.history("dusty", "battery", 0, 1000))
        self.assertEqual(history, batteries(450)[::-1])
        latest = self.successResultOf(store.latest())
        self.assertEqual([report.number for report in latest], [449, 999])
