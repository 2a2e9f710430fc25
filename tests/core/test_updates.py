"""Tests for L{bumper_tw.core.updates}: who asked for newer software, and who may have it."""

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.tallies import HOUR
from bumper_tw.core.updates import ALLOWED_FOR, LONGEST, MOST, Updates
from bumper_tw.errors import StorageError
from bumper_tw.storage.memory_records import MemoryRecordStore
from tests.core.test_shelf import MoodyStore

NOW = 1_795_000_000.0


class UpdatesTests(SynchronousTestCase):
    """Attempts of robots and of others."""

    def setUp(self) -> None:
        self.clock, self.store = Clock(), MemoryRecordStore()
        self.clock.advance(NOW)
        self.updates = Updates(self.clock, self.store)

    def ask(self, did: str = "did1", peer: str = "192.168.7.33", version: str = "1.2") -> None:
        """Somebody asks."""
        self.updates.note("firmware", peer, did, "yna5xi", "fw0", version)

    def fresh(self) -> Updates:
        """The same as the next start finds it."""
        updates = Updates(self.clock, self.store)
        self.successResultOf(updates.load(self.store))
        return updates

    def test_noted(self) -> None:
        """The same question again is counted, and said once."""
        with capturedLogs() as said:
            self.ask()
            self.clock.advance(60)
            self.ask(peer="192.168.7.34")
        [attempt] = self.updates.of("did1")
        self.assertEqual(
            (attempt.kind, attempt.module, attempt.version), ("firmware", "fw0", "1.2")
        )
        self.assertEqual((attempt.first, attempt.last, attempt.count), (NOW, NOW + 60, 2))
        self.assertEqual(attempt.peer, "")
        self.assertEqual(
            [formatEvent(event) for event in said],
            ["did1 asks for a newer firmware fw0 than 1.2: it has to stay"],
        )

    def test_told_apart(self) -> None:
        """Another version, another robot or an unknown one is another attempt."""
        self.ask()
        self.ask(version="1.3")
        self.ask("did2")
        self.ask("", "192.168.7.33")
        self.ask("", "192.168.7.34")
        self.assertEqual([len(self.updates.of(did)) for did in ("did1", "did2", "")], [2, 1, 2])
        self.assertEqual(len(self.updates.attempts()), 5)

    def test_bounded(self) -> None:
        """Whoever invents attempts crowds out his own, not those of others."""
        self.ask()
        for number in range(MOST + 50):
            self.clock.advance(HOUR)
            self.ask("", "192.168.7.66", str(number))
        self.assertEqual(len(self.updates.attempts()), MOST)
        self.assertEqual(len(self.updates.of("did1")), 1)

    def test_flood(self) -> None:
        """Within an hour there are only so many new ones of one address."""
        for number in range(MOST):
            self.ask("", "192.168.7.66", str(number))
        self.assertLess(len(self.updates.attempts()), 100)
        self.ask()
        self.assertEqual(len(self.updates.of("did1")), 1)

    def test_tidy(self) -> None:
        """What a stranger says is short, and one line."""
        self.ask("", version="1\n2\x1b[31m" + "x" * 500)
        [attempt] = self.updates.attempts()
        self.assertTrue(attempt.version.startswith("12[31mx"))
        self.assertLessEqual(len(attempt.version), LONGEST)

    def test_kept(self) -> None:
        """Attempts and what was allowed survive a restart; a robot that is gone leaves nothing."""
        self.ask()
        self.ask("did2")
        self.successResultOf(self.updates.allow("did1"))
        later = self.fresh()
        self.assertEqual(later.attempts(), self.updates.attempts())
        self.assertTrue(later.allowed("did1"))
        self.successResultOf(later.forget("did1"))
        for updates in (later, self.fresh()):
            self.assertEqual((updates.of("did1"), updates.allowed("did1")), ([], False))
            self.assertEqual(len(updates.of("did2")), 1)

    def test_take(self) -> None:
        """What was allowed is let through once, and that is said."""
        self.assertIsNone(self.updates.take("did1", lambda: b"new"))
        self.updates.allow("did1")
        self.assertIsNone(self.updates.take("did2", lambda: b"new"))
        with capturedLogs() as said:
            self.assertEqual(self.updates.take("did1", lambda: b"new"), b"new")
            self.assertIsNone(self.updates.take("did1", lambda: b"new"))
        self.assertEqual(
            [formatEvent(event) for event in said], ["did1 gets the update that was allowed once"]
        )
        self.assertFalse(self.fresh().allowed("did1"))

    def test_nothing_there(self) -> None:
        """Without a file it stays allowed, and the log says what is missing."""
        self.updates.allow("did1")
        with capturedLogs() as said:
            self.assertIsNone(self.updates.take("did1", lambda: None))
        self.assertIn("there is none for it", formatEvent(said[0]))
        self.assertTrue(self.updates.allowed("did1"))

    def test_expires(self) -> None:
        """What is not used within a day is not allowed any more."""
        self.updates.allow("did1")
        self.clock.advance(ALLOWED_FOR)
        self.assertIsNone(self.updates.take("did1", lambda: b"new"))


class RefusedTests(SynchronousTestCase):
    """A disk that is full for a while."""

    def setUp(self) -> None:
        self.store = MoodyStore()
        self.updates = Updates(Clock(), self.store)

    def test_taken_stays_taken(self) -> None:
        """What was allowed once is used, even if the disk is read again before it knows."""
        self.successResultOf(self.updates.allow("did1"))
        self.store.full = True
        self.assertEqual(self.updates.take("did1", lambda: b"found"), b"found")
        self.successResultOf(self.updates.load(self.store))
        self.assertFalse(self.updates.allowed("did1"))
        self.store.full = False
        self.successResultOf(self.updates.flush())
        self.assertEqual(self.successResultOf(self.store.load("updates allowed")), {})

    def test_counts(self) -> None:
        """What was counted is written with the next flush, if this one fails."""
        for _ in range(3):
            self.updates.note("firmware", "192.0.2.1", "did1")
        self.store.full = True
        self.failureResultOf(self.updates.flush(), StorageError)
        self.successResultOf(self.updates.load(self.store))
        self.store.full = False
        self.successResultOf(self.updates.flush())
        [kept] = self.successResultOf(self.store.load("update attempts")).values()
        self.assertEqual(
            (kept["count"], [each.count for each in self.updates.attempts()]), (3, [3])
        )
