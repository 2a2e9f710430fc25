"""Changes of the broker go to disk in order, many together."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_batch import WEIGHT, condensed
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.kept import (
    Change,
    Ended,
    Forgotten,
    Left,
    Opened,
    Queued,
    Released,
    Retained,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.values import Message
from tests.core.journals import FULL, QuickStore, SlowStore, ended
from tests.samples import ALICE


class GroupTests(SynchronousTestCase):
    """One transaction at a time, and what comes meanwhile goes together."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), SlowStore()
        self.journal = Journal(self.clock, self.store, linger=0.05, retry=1.0)
        self.order: list[str] = []

    def write(self, *keys: str) -> Deferred[None]:
        """Write changes, and note when that is done."""
        written = self.journal.write(*ended(*keys))
        written.addCallback(lambda _: self.order.append("".join(keys)))
        return written

    def test_at_once(self) -> None:
        """What somebody waits for departs at once, and is done when the store says so."""
        written = self.write("a", "b")
        self.assertEqual(self.store.applied, [ended("a", "b")])
        self.assertNoResult(written)
        self.store.done()
        self.successResultOf(written)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_meanwhile(self) -> None:
        """What comes while one is under way goes next, together, and is done in order."""
        self.write("a")
        self.write("b")
        self.journal.note(*ended("c"))
        self.write("d")
        self.assertEqual(self.store.applied, [ended("a")])
        self.store.done()
        self.assertEqual(self.store.applied, [ended("a"), ended("b", "c", "d")])
        self.assertEqual(self.order, ["a"])
        self.store.done()
        self.assertEqual(self.order, ["a", "b", "d"])
        self.assertEqual(self.store.under_way, [])

    def test_told_in_order(self) -> None:
        """Whoever writes when it is told does not overtake those who have not been told yet."""
        first = self.write("a")
        first.addCallback(lambda _: self.journal.note(*ended("c")))
        first.addCallback(lambda _: self.journal.flush())
        second = self.journal.flush()
        second.addCallback(lambda _: self.order.append(f"applied {len(self.store.applied)}"))
        self.write("b")
        self.store.done()
        self.assertEqual(self.store.applied[1:], [ended("b", "c")])
        self.assertEqual(self.order, ["a", "applied 1"])

    def test_lonely(self) -> None:
        """What nobody waits for waits a moment for company, but not for ever."""
        self.journal.note(*ended("a"))
        self.clock.advance(0.04)
        self.journal.note(*ended("b"))
        self.assertEqual(self.store.applied, [])
        self.clock.advance(0.01)
        self.assertEqual(self.store.applied, [ended("a", "b")])
        self.store.done()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_company(self) -> None:
        """It goes with the next that somebody waits for."""
        self.journal.note(*ended("a"))
        self.write("b")
        self.assertEqual(self.store.applied, [ended("a", "b")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_noted_meanwhile(self) -> None:
        """What is noted while one is under way waits its moment afterwards."""
        self.write("a")
        self.journal.note(*ended("b"))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.store.done()
        self.assertEqual(self.store.applied, [ended("a")])
        self.clock.advance(0.05)
        self.assertEqual(self.store.applied, [ended("a"), ended("b")])

    def test_cancelled(self) -> None:
        """Whoever does not wait any longer does not stop the change, nor the others."""
        first, second = self.write("a"), self.write("b")
        first.addErrback(lambda _: None).cancel()
        self.store.done()
        self.store.done()
        self.successResultOf(second)
        self.assertEqual(self.store.applied, [ended("a"), ended("b")])

    def test_flush_nothing(self) -> None:
        """With nothing to write, a flush is done."""
        self.successResultOf(self.journal.flush())
        self.assertEqual(self.store.applied, [])

    def test_flush_notes(self) -> None:
        """A flush does not wait for company."""
        self.journal.note(*ended("a"))
        flushed = self.journal.flush()
        self.assertEqual(self.store.applied, [ended("a")])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.store.done()
        self.successResultOf(flushed)

    def test_flush_under_way(self) -> None:
        """It is done with the last that was written before, and needs none of its own."""
        self.write("a")
        first = self.journal.flush()
        self.journal.note(*ended("b"))
        second = self.journal.flush()
        self.store.done()
        self.successResultOf(first)
        self.assertNoResult(second)
        self.store.done()
        self.successResultOf(second)
        self.assertEqual(self.store.applied, [ended("a"), ended("b")])

    def test_pending(self) -> None:
        """What is not on disk yet is counted with who waits, a payload for many only once."""
        news = Message("news", b"x" * 5000, 1)
        self.journal.note(*(Queued(key, 1, 1, news) for key in "abc"))
        self.write("d")
        self.assertEqual(self.journal.pending, 5 * WEIGHT + 5000)
        self.journal.note(Retained(Message("word", b"on", retain=True), 1.5))
        self.store.done()
        self.assertEqual(self.journal.pending, WEIGHT + 2)
        self.clock.advance(1)
        self.store.done()
        self.assertEqual(self.journal.pending, 0)


class QuickTests(SynchronousTestCase):
    """A store that answers at once."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), QuickStore()
        self.journal = Journal(self.clock, self.store)

    def test_long_conversation(self) -> None:
        """Somebody who writes whenever it is told does not use up the stack."""
        left = 5000

        def again(_: None) -> None:
            nonlocal left
            left -= 1
            if left:
                self.journal.write(*ended("a")).addCallback(again)

        begin: Deferred[None] = Deferred()
        self.store.first.append(begin)
        self.journal.write(*ended("a")).addCallback(again)
        begin.callback(None)
        self.assertEqual((left, len(self.store.all)), (0, 5000))

    @given(st.lists(st.sampled_from(["write", "note", "flush", "wait", "fill", "clear"])))
    def test_nothing_lost(self, steps: Sequence[str]) -> None:
        """Whatever the disk did, in the end all of it is there once, in the order of calls."""
        clock, store = Clock(), QuickStore()
        journal = Journal(clock, store)
        calls = {
            "write": lambda key: journal.write(*ended(key)).addErrback(lambda _: None),
            "note": lambda key: journal.note(*ended(key)),
            "flush": lambda _: journal.flush().addErrback(lambda _: None),
            "wait": lambda _: clock.advance(1.5),
            "fill": lambda _: setattr(store, "trouble", FULL),
            "clear": lambda _: setattr(store, "trouble", None),
        }
        for number, step in enumerate(steps):
            calls[step](str(number))
        store.trouble = None
        self.successResultOf(journal.flush())
        made = [str(number) for number, step in enumerate(steps) if step in {"write", "note"}]
        self.assertEqual(store.all, made)
        self.assertEqual((journal.pending, journal.dropped), (0, 0))
        self.assertEqual(clock.getDelayedCalls(), [])


class CondensedTests(SynchronousTestCase):
    """What has been overtaken need not be written."""

    def left(self, *made: Change) -> Sequence[Change]:
        """What remains of changes."""
        return condensed(made)

    def test_ended(self) -> None:
        """An end stands for all that was before, and for nothing that comes after."""
        here, subscribed = Opened("a", ALICE, "app"), Subscribed("a", "b", 1)
        made: list[Change] = [here, subscribed, Ended("a"), here, subscribed]
        self.assertEqual(self.left(*made), made[2:])

    def test_settled(self) -> None:
        """What is settled need not be owed before; what is released must be."""
        owed = Queued("a", 1, 1, Message("news", b"1", 2))
        released, settled = Released("a", 1), Settled("a", 1)
        self.assertEqual(self.left(owed, released, settled), [settled])
        self.assertEqual(self.left(settled, owed, released, released), [owed, released])

    def test_connections(self) -> None:
        """Of many connections the first and the last count."""
        here, gone = Opened("a", ALICE, "app"), Left("a", 1.5, 0)
        made: list[Change] = [here, gone] * 5
        self.assertEqual(self.left(*made), [here, here, gone])
        self.assertEqual(self.left(*made, here), [here, here])

    def test_others(self) -> None:
        """What is about something else stays."""
        made: list[Change] = [
            Retained(Message("a", b"1", retain=True), 1.5),
            Retained(Message("b", b"1", retain=True), 1.5),
            *ended("a", "b"),
            Settled("c", 1),
            Settled("c", 2),
            Forgotten("c", 1),
            Unsubscribed("c", "a"),
            Unsubscribed("c", "b"),
        ]
        self.assertEqual(self.left(*made), made)
        self.assertEqual(self.left(*made, *made[:2]), [*made[2:], *made[:2]])
