"""What gives way in the journal of the broker when the disk does not keep up."""

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.mqtt_batch import WEIGHT
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.errors import StorageError
from bumper_tw.kept import (
    Change,
    Ended,
    Left,
    Opened,
    Queued,
    Received,
    Retained,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.values import Message
from tests.core.journals import FULL, SlowStore, ended, owed
from tests.samples import ALICE


class Key(str):
    """The key of a session, which says when somebody looks it up."""

    __slots__ = ("looks",)

    looks: list[None]

    def __hash__(self) -> int:
        self.looks.append(None)
        return super().__hash__()


class GivingWayTests(SynchronousTestCase):
    """A disk that does not keep up."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), SlowStore()
        self.journal = Journal(self.clock, self.store, linger=0.05, retry=1.0, most=20 * WEIGHT)

    def fill(self, count: int = 40, key: str = "z") -> None:
        """Note so many messages that one session is owed."""
        for packet_id in range(1, count + 1):
            self.journal.note(*owed(key, packet_id=packet_id))

    def test_bounded(self) -> None:
        """When too much waits, the oldest give way, which is said once and counted."""
        made = [Settled("a", number) for number in range(200)]
        with capturedLogs() as logged:
            for change in made:
                self.journal.note(change)
                self.assertLessEqual(self.journal.pending, 21 * WEIGHT)
        self.assertEqual([event["log_level"] for event in logged], [LogLevel.error])
        self.clock.advance(1)
        kept = self.store.applied[-1]
        self.assertEqual(kept, made[-len(kept) :])
        self.assertEqual(self.journal.dropped + len(kept), 200)
        self.store.done()
        self.assertEqual(self.journal.pending, 0)

    def test_bounded_under_way(self) -> None:
        """What is under way takes room, but leaves half of it."""
        self.journal.write(*owed("a"), *owed("b") * 21)
        self.fill(11)
        self.assertEqual(self.journal.dropped, 0)
        for count in range(200):
            self.journal.note(Settled("a", count))
            self.assertLessEqual(self.journal.pending, (23 + 11) * WEIGHT)

    def test_losers(self) -> None:
        """Who waits for what gave way is told soon, and nobody else."""
        self.journal.write(*ended("x"))
        lost, other = self.journal.write(*owed("a")), self.journal.write(Subscribed("b", "#", 1))
        self.fill()
        self.assertNoResult(lost)
        self.clock.advance(0)
        self.failureResultOf(lost, StorageError)
        self.store.done()
        self.assertNoResult(other)
        self.store.done()
        self.successResultOf(other)

    def test_lasting(self) -> None:
        """What a session consists of never gives way, however much there is."""
        made: list[Change] = []
        for key in map(str, range(30)):
            made += [Opened(key, ALICE, key), Subscribed(key, "a", 1), Unsubscribed(key, "b")]
            made += [Left(key, 1.5, 0), Ended(f"gone {key}")]
        self.journal.note(*ended("x"))
        self.clock.advance(1)
        for change in made:
            self.journal.note(change)
            self.fill(2)
        self.store.done()
        self.clock.advance(1)
        kept = [change for change in self.store.applied[-1] if not isinstance(change, Queued)]
        self.assertEqual(kept, made)

    def test_line(self) -> None:
        """Who waits behind that to owe something to the same session is told, too."""
        self.journal.write(*ended("x"))
        first = self.journal.write(*owed("a"))
        self.fill(17)
        behind, others = self.journal.write(*owed("b", "a")), self.journal.write(*owed("d"))
        farther = self.journal.write(*owed("b", packet_id=2))
        self.clock.advance(0)
        for each in (first, behind, farther):
            self.failureResultOf(each, StorageError)
        late = self.journal.write(*owed("a", packet_id=3))
        self.store.done()
        self.store.done()
        for each in (others, late):
            self.successResultOf(each)

    def test_line_under_way(self) -> None:
        """They are told even if transactions end before anybody could be told."""
        self.journal.write(*ended("x"))
        first = self.journal.write(*owed("a"))
        self.fill(17)
        behind = self.journal.write(*owed("a", packet_id=2))
        self.store.done()
        farther = self.journal.write(*owed("a", packet_id=3))
        self.store.done()
        self.clock.advance(0)
        for each in (first, behind, farther):
            self.failureResultOf(each, StorageError)
        self.store.done()
        self.assertEqual(self.journal.pending, 0)

    def test_bare(self) -> None:
        """Who waits for all before it is told when some of that is lost."""
        self.journal.write(*ended("x"))
        self.journal.write(Received("a", 1)).addErrback(lambda _: None)
        again = self.journal.write()
        self.fill()
        self.clock.advance(0)
        self.failureResultOf(again, StorageError)

    def test_refused_as_well(self) -> None:
        """Who lost something is told once, even if the disk refuses before."""
        self.journal.write(*ended("x")).addErrback(lambda _: None)
        lost = self.journal.write(*owed("a"))
        self.fill()
        self.store.done(FULL)
        self.assertEqual(str(self.failureResultOf(lost, StorageError).value), str(FULL))
        self.clock.advance(0.5)
        self.assertEqual(self.clock.getDelayedCalls()[0].getTime(), 1.0)

    def test_last_word(self) -> None:
        """Who waits for a last word is told when what came instead of it is lost."""
        self.journal.write(*ended("x"))
        word = Retained(Message("lamp", b"", retain=True), 1.5)
        first = self.journal.write(word)
        for _ in range(25):
            self.journal.note(word)
        self.assertEqual(self.journal.dropped, 0)
        self.fill(60)
        self.clock.advance(0)
        self.failureResultOf(first, StorageError)

    def test_flush(self) -> None:
        """A flush does not hide that something is lost, and the next one is about what is new."""
        self.fill()
        flushed = self.journal.flush()
        self.store.done()
        self.failureResultOf(flushed, StorageError)
        self.successResultOf(self.journal.flush())

    def test_crowded(self) -> None:
        """It is said long before, and earlier while the disk refuses."""
        journal = Journal(self.clock, self.store, most=160 * WEIGHT)
        journal.note(*ended("x") * 40)
        self.assertFalse(journal.crowded)
        journal.note(*ended("x"))
        self.assertTrue(journal.crowded)
        self.clock.advance(1)
        self.store.done()
        journal.note(*ended("x") * 11)
        self.clock.advance(1)
        self.store.done(FULL)
        self.assertTrue(journal.crowded)
        self.clock.advance(1)
        self.store.done()
        self.assertFalse(journal.crowded)

    def test_effort(self) -> None:
        """However much is under way or never gives way, a change is looked at a few times."""
        looks: list[None] = []
        self.fill(15)
        self.clock.advance(1)
        for number in range(1000):
            key = Key(number)
            key.looks = looks
            self.journal.note(Ended(key))
        self.assertEqual(len(self.store.under_way), 1)
        self.assertLess(len(looks), 10_000)

    def test_effort_again(self) -> None:
        """That a transaction failed does not make anybody look more often."""
        looks: list[None] = []
        for number in range(256):
            key = Key(number)
            key.looks = looks
            self.journal.note(Ended(key))
        self.clock.advance(1)
        looks.clear()
        for _ in range(10):
            self.store.done(FULL)
            self.journal.note(Ended("a"))
            self.clock.advance(1)
        self.assertEqual(len(looks), 0)

    def test_overtaken(self) -> None:
        """What others have overtaken gives way first, and nobody has lost anything."""
        self.journal.write(*ended("a"))
        written = self.journal.write(*owed("b"))
        for number in range(200):
            self.journal.note(Opened("c", ALICE, "app"), Left("c", number, 0))
            self.assertLessEqual(self.journal.pending, 24 * WEIGHT)
        self.store.done()
        self.store.done()
        self.successResultOf(written)
        self.assertEqual(self.store.applied[-1][-1], Left("c", 199, 0))
        self.assertEqual((self.journal.pending, self.journal.dropped), (0, 0))

    def test_larger_than_all(self) -> None:
        """One call always has room, however large it is."""
        written = self.journal.write(*ended("a"), *ended("b") * 100)
        self.store.done()
        self.successResultOf(written)
        self.assertEqual(self.journal.dropped, 0)
