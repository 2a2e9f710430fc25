"""Tests for L{bumper_tw.core.sharing}."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.sharing import Shared
from bumper_tw.errors import StorageError


class SharedTests(SynchronousTestCase):
    """L{Shared}."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.looks: list[Deferred[str]] = []
        self.shared = Shared(self.clock, self.look, 10.0)

    def look(self) -> Deferred[str]:
        """A look that takes its time."""
        self.looks.append(Deferred())
        return self.looks[-1]

    def test_one_at_a_time(self) -> None:
        """Whoever asks meanwhile gets the same, and so do those who ask soon after."""
        first, second = self.shared.get(), self.shared.get()
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback("seen")
        for asked in (first, second, self.shared.get()):
            self.assertEqual(self.successResultOf(asked), "seen")
        self.clock.advance(10)
        self.assertNoResult(self.shared.get())
        self.assertEqual((len(self.looks), self.shared.last), (2, "seen"))

    def test_clock_set_back(self) -> None:
        """What was seen in the future is not kept until then."""
        self.clock.advance(1000)
        self.shared.get()
        self.looks[0].callback("seen")
        self.clock.rightNow = 0.0
        self.assertNoResult(self.shared.get())

    def test_hang_up(self) -> None:
        """Whoever does not wait takes nothing from the others."""
        first, second = self.shared.get(), self.shared.get()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback("seen")
        self.assertEqual(self.successResultOf(second), "seen")

    def test_all_hang_up(self) -> None:
        """The look goes on, and no other one begins beside it."""
        first = self.shared.get()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second = self.shared.get()
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback("seen")
        self.assertEqual(self.successResultOf(second), "seen")

    def test_failure(self) -> None:
        """One that fails is everybody's who waited, and the next one is made again."""
        first, second = self.shared.get(), self.shared.get()
        self.looks[0].errback(StorageError("no"))
        for asked in (first, second):
            self.failureResultOf(asked, StorageError)
        self.assertNoResult(self.shared.get())
        self.assertEqual(len(self.looks), 2)

    def test_breaks_at_once(self) -> None:
        """Also one that fails before it begins."""

        def breaks() -> Deferred[str]:
            raise StorageError("no")

        self.failureResultOf(Shared(self.clock, breaks, 10.0).get(), StorageError)

    def test_refresh(self) -> None:
        """Nobody waits for that, and it is not made more often; a failure of it is logged."""
        first = self.shared.get()
        self.looks[0].callback("seen")
        self.assertEqual(self.successResultOf(first), "seen")
        self.shared.refresh()
        self.assertEqual(len(self.looks), 1)
        self.clock.advance(10)
        self.shared.refresh()
        self.shared.refresh()
        self.assertEqual((len(self.looks), self.shared.last), (2, "seen"))
        self.looks.pop().errback(StorageError("no"))
        self.looks.clear()
        self.assertEqual(len(self.flushLoggedErrors(StorageError)), 1)
