"""Changes of the broker survive a disk that refuses, or does not keep up."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_batch import WEIGHT
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.errors import StorageError
from tests.core.journals import FULL, SlowStore, ended, owed


class TroubleTests(SynchronousTestCase):
    """A disk that refuses."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), SlowStore()
        self.journal = Journal(self.clock, self.store, linger=0.05, retry=1.0, most=20 * WEIGHT)

    def refused(self, *keys: str) -> None:
        """Write something in vain."""
        written = self.journal.write(*ended(*keys))
        self.store.done(FULL)
        self.failureResultOf(written, StorageError)

    def test_all_are_told(self) -> None:
        """All who wait by then are told, in the order of calls: nothing overtakes the first."""
        order: list[str] = []
        for key in "abc":
            written = self.journal.write(*ended(key))
            written.addErrback(lambda failure, key: order.append(f"{key} {failure.value}"), key)
        self.store.done(FULL)
        self.assertEqual(order, [f"{key} {FULL}" for key in "abc"])
        self.clock.advance(1)
        self.assertEqual(self.store.applied[1:], [ended(*"abc")])

    def test_told_later(self) -> None:
        """Whoever writes because of the failure, or after it, waits for the next try."""
        later: list[Deferred[None]] = []
        first = self.journal.write(*ended("a"))
        first.addErrback(lambda _: later.append(self.journal.write(*ended("c"))))
        second = self.journal.write(*ended("b"))
        self.store.done(FULL)
        self.failureResultOf(second, StorageError)
        self.assertNoResult(later[0])
        self.clock.advance(1)
        self.assertEqual(self.store.applied[1:], [ended(*"abc")])
        self.store.done()
        self.successResultOf(later[0])

    def test_nobody_in_a_hurry(self) -> None:
        """When all are told, the disk has its pause."""
        self.journal.write(*ended("a")).addErrback(lambda _: None)
        self.journal.write(*ended("b")).addErrback(lambda _: None)
        self.store.done(FULL)
        self.clock.advance(0.9)
        self.assertEqual(len(self.store.applied), 1)

    def test_flush_behind(self) -> None:
        """Who flushes meanwhile has a try of its own, and is done when it goes well."""
        written = self.journal.write(*ended("a"))
        self.journal.note(*ended("b"))
        flushed = self.journal.flush()
        self.store.done(FULL)
        self.failureResultOf(written, StorageError)
        self.assertEqual(self.store.applied[1:], [ended(*"ab")])
        self.store.done()
        self.successResultOf(flushed)

    def test_kept(self) -> None:
        """What was refused goes before what came since, when the disk is tried again."""
        self.refused("a")
        self.journal.note(*ended("b"))
        written = self.journal.write(*ended("c"))
        self.assertTrue(self.journal.failing)
        self.assertEqual(self.store.applied, [ended("a")])
        self.clock.advance(1)
        self.assertEqual(self.store.applied[1:], [ended("a", "b", "c")])
        self.store.done()
        self.successResultOf(written)
        self.assertEqual((self.journal.failing, self.journal.pending), (False, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_now_and_then(self) -> None:
        """However much is asked for, a disk that refuses is tried only once a second."""
        self.refused("a")
        for _ in range(8):
            self.clock.advance(0.25)
            self.journal.write(*ended("b")).addErrback(lambda _: None)
            if self.store.under_way:
                self.store.done(FULL)
        self.assertEqual(len(self.store.applied), 3)

    def test_after_trouble(self) -> None:
        """Who came during the try that went well is not kept waiting."""
        self.refused("a")
        self.clock.advance(1)
        self.journal.write(*ended("b"))
        self.store.done()
        self.assertEqual(self.store.applied[2:], [ended("b")])

    def test_one_line(self) -> None:
        """The owner reads one line when it begins, and one when it is over."""
        with capturedLogs() as logged:
            self.refused("a")
            for _ in range(10):
                self.clock.advance(1)
                self.store.done(FULL)
            self.clock.advance(1)
            self.store.done()
        levels = [event["log_level"] for event in logged]
        self.assertEqual(levels, [LogLevel.error, LogLevel.info])
        self.assertEqual(logged[0]["why"], str(FULL))

    def test_flush_refused(self) -> None:
        """A flush tries at once; when it fails, nothing is left that runs."""
        self.refused("a")
        flushed = self.journal.flush()
        self.assertEqual(len(self.store.applied), 2)
        self.store.done(FULL)
        self.failureResultOf(flushed, StorageError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_flush(self) -> None:
        """Whoever comes after that starts it again, with all that waits."""
        self.test_flush_refused()
        written = self.journal.write()
        self.clock.advance(1)
        self.assertEqual(self.store.applied[-1], ended("a"))
        self.store.done()
        self.successResultOf(written)

    def test_bug(self) -> None:
        """What no disk is to blame for is logged and dropped, or it would fail for ever."""
        written = self.journal.write(*ended("a"))
        self.store.done(ZeroDivisionError("oops"))
        self.failureResultOf(written, StorageError)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual((self.journal.pending, self.journal.dropped), (0, 1))
        again = self.journal.write(*ended("b"))
        self.assertEqual(self.store.applied[1:], [ended("b")])
        self.store.done()
        self.successResultOf(again)

    def test_bug_order(self) -> None:
        """Those behind it are told the same, but what they brought is written."""
        first, second = self.journal.write(*ended("a")), self.journal.write(*ended("b"))
        self.store.done(ZeroDivisionError("oops"))
        self.flushLoggedErrors(ZeroDivisionError)
        for each in (first, second):
            self.failureResultOf(each, StorageError)
        self.clock.advance(0.05)
        self.assertEqual(self.store.applied[1:], [ended("b")])


#: A call, and the sessions it is about; or something that happens.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.text("abcd", max_size=6)),
        st.tuples(st.sampled_from(["well", "badly", "wait"]), st.just("")),
    ),
    max_size=60,
)


class Calls:
    """
    Many calls to a journal with little room.

    @ivar made: by number, what sessions were owed something, and what had been told by then.
    @ivar told: by number, whether it went well, and what had been told by then.
    """

    def __init__(self) -> None:
        self.clock, self.store = Clock(), SlowStore()
        self.journal = Journal(self.clock, self.store, most=12 * WEIGHT)
        self.made: dict[int, tuple[str, int]] = {}
        self.told: dict[int, tuple[bool, int]] = {}

    def step(self, step: str, keys: str) -> None:
        """Something happens."""
        if step == "write":
            self.write(keys)
        elif step == "wait":
            self.clock.advance(1)
        elif self.store.under_way:
            self.store.done(None if step == "well" else FULL)

    def write(self, keys: str) -> None:
        """Owe something to some sessions."""
        number = len(self.made)
        self.made[number] = keys, len(self.told)
        written = self.journal.write(*owed(*keys, packet_id=number))
        written.addCallbacks(lambda _: self.tell(number, True), lambda _: self.tell(number, False))

    def tell(self, number: int, good: bool) -> None:
        """A call has its answer."""
        self.told[number] = good, len(self.told)

    def overtaken_by(self, number: int) -> list[int]:
        """Earlier calls about the same that failed, which the caller could not know."""
        keys, known = self.made[number]
        return [
            early
            for early, (good, when) in self.told.items()
            if early < number and not good and when >= known
            if not keys or set(keys) & set(self.made[early][0])
        ]


class OrderTests(SynchronousTestCase):
    """Nothing is kept ahead of what comes again."""

    @given(steps)
    def test_nobody_overtakes(self, steps: Sequence[tuple[str, str]]) -> None:
        """Nobody hears that it went well who called before another in front of it failed."""
        calls = Calls()
        for step, keys in steps:
            calls.step(step, keys)
        for _ in range(3):
            calls.step("wait", "")
            calls.step("well", "")
        self.assertEqual(sorted(calls.told), sorted(calls.made))
        for number, (good, _) in calls.told.items():
            if good:
                self.assertEqual(calls.overtaken_by(number), [])
