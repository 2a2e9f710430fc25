"""When pictures of floors are drawn."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.maps import RobotMap
from bumper_tw.web.dashboard.map_easels import PAUSE, PICTURES, Drawings
from bumper_tw.web.dashboard.map_image import Picture
from tests.core.atlas import Threads, at_once

FLOOR = bytes([1]) * 10_000


class DrawingCase(SynchronousTestCase):
    """Somebody who looks at the map of a robot."""

    def setUp(self) -> None:
        self.clock, self.threads = Clock(), Threads()
        self.drawings = Drawings(self.clock, self.threads)
        self.known = RobotMap(pieces={27: FLOOR}, drawn=1)

    def ask(self, did: str = "did1") -> Deferred[Picture | None]:
        """See the picture."""
        return self.drawings.of(did, self.known)

    def change(self) -> None:
        """The map is another."""
        self.known.drawn += 1
        self.known.put(self.known.drawn % 64, FLOOR)

    def revision(self, asked: Deferred[Picture | None]) -> int:
        """Of the picture that came."""
        found = self.successResultOf(asked)
        assert found is not None
        return found.revision


class DrawingTests(DrawingCase):
    """One robot."""

    def test_shared(self) -> None:
        """It is drawn once, in a thread, and whoever asks meanwhile gets the same."""
        asked = [self.ask(), self.ask()]
        self.assertEqual(len(self.threads.waiting), 1)
        self.threads.work()
        asked.append(self.ask())
        self.assertEqual([self.revision(each) for each in asked], [1, 1, 1])
        self.assertEqual(self.threads.waiting, [])

    def test_changed(self) -> None:
        """Nobody gets a picture that is older than the question."""
        first = self.ask()
        self.change()
        second = self.ask()
        self.threads.work()
        self.assertEqual(self.revision(first), 1)
        self.assertNoResult(second)
        self.clock.advance(PAUSE)
        self.threads.work()
        self.assertEqual(self.revision(second), 2)

    def test_seldom(self) -> None:
        """However often a map changes, it is drawn once in a second, for all who ask."""
        drawings, asked = Drawings(self.clock, at_once), []
        for _ in range(100):
            self.change()
            asked.append(drawings.of("did1", self.known))
            self.clock.advance(0.1)
        self.clock.advance(PAUSE)
        revisions = {self.revision(each) for each in asked}
        self.assertLessEqual(len(revisions), 11)
        self.assertEqual(max(revisions), self.known.drawn)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unhurt(self) -> None:
        """What changes while it is drawn is not on the picture."""
        asked = self.ask()
        self.known.pieces.clear()
        self.threads.work()
        self.assertEqual(self.revision(asked), 1)

    def test_nothing(self) -> None:
        """That there is nothing to draw is remembered as well."""
        self.known = RobotMap()
        asked = self.ask()
        self.threads.work()
        self.assertIsNone(self.successResultOf(asked))
        self.assertIsNone(self.successResultOf(self.ask()))

    def test_hung_up(self) -> None:
        """Who hangs up takes it from nobody else."""
        first, second = self.ask(), self.ask()
        first.cancel()
        self.failureResultOf(first)
        self.threads.work()
        self.assertEqual(self.revision(second), 1)

    def test_failed(self) -> None:
        """Whoever waits is told of what went wrong; after that it is tried again."""
        asked = self.ask()
        _, done = self.threads.waiting.pop()
        done.errback(ValueError("no memory"))
        self.failureResultOf(asked, ValueError)
        again = self.ask()
        self.clock.advance(PAUSE)
        self.threads.work()
        self.assertEqual(self.revision(again), 1)


class ManyTests(DrawingCase):
    """Many robots."""

    def test_apart(self) -> None:
        """None waits for another."""
        self.ask("did1")
        self.ask("did2")
        self.assertEqual(len(self.threads.waiting), 2)

    def test_bound(self) -> None:
        """Pictures of too many robots are not kept; what is drawn comes nevertheless."""
        asked = [self.ask(f"did{n}") for n in range(PICTURES + 5)]
        while self.threads.waiting:
            self.threads.work()
        self.assertEqual([self.revision(each) for each in asked], [1] * len(asked))
        self.assertEqual(len(self.drawings._easels), PICTURES)
