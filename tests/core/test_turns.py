"""A few pieces of slow work at a time."""

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.turns import OneByOne, Turns
from bumper_tw.errors import LoginRefused


class TurnsTests(SynchronousTestCase):
    """Who works, who waits, and who is sent away."""

    def setUp(self) -> None:
        self.turns = Turns(at_once=2, waiting=3)
        self.working: list[Deferred[str]] = []

    def work(self) -> Deferred[str]:
        """Something that takes its time."""
        done: Deferred[str] = Deferred()
        self.working.append(done)
        return done

    def test_result(self) -> None:
        """What the work returns comes back, and so does its failure."""
        first, second = self.turns.run(self.work), self.turns.run(self.work)
        self.working[0].callback("done")
        self.working[1].errback(ValueError())
        self.assertEqual(self.successResultOf(first), "done")
        self.failureResultOf(second, ValueError)

    def test_few_at_once(self) -> None:
        """The third waits until one of two is done."""
        for _ in range(3):
            self.assertNoResult(self.turns.run(self.work))
        self.assertEqual(len(self.working), 2)
        self.working[1].callback("done")
        self.assertEqual(len(self.working), 3)

    def test_bounded(self) -> None:
        """Whoever comes when too many wait is refused, and is welcome later."""
        for _ in range(5):
            self.assertNoResult(self.turns.run(self.work))
        self.failureResultOf(self.turns.run(self.work), LoginRefused)
        self.working[0].callback("done")
        self.assertNoResult(self.turns.run(self.work))

    def test_cancelled_while_waiting(self) -> None:
        """Who gives up in the queue costs no turn."""
        answers = [self.turns.run(self.work) for _ in range(4)]
        answers[2].cancel()
        self.failureResultOf(answers[2], CancelledError)
        self.working[0].callback("done")
        self.working[1].callback("done")
        self.assertEqual(len(self.working), 3)

    def test_cancelled_while_working(self) -> None:
        """Work goes on when nobody waits for it, and its turn lasts until it is done."""
        gone = [self.turns.run(self.work) for _ in range(2)]
        for answer in gone:
            answer.cancel()
            self.failureResultOf(answer, CancelledError)
        self.turns.run(self.work)
        self.assertEqual(len(self.working), 2)
        self.working[0].callback("done")
        self.assertEqual(len(self.working), 3)

    def test_work_that_breaks(self) -> None:
        """Work that raises gives its turn back like any other."""

        def broken() -> Deferred[str]:
            raise ValueError

        for _ in range(5):
            self.failureResultOf(self.turns.run(broken), ValueError)
        self.assertNoResult(self.turns.run(self.work))
        self.assertEqual(len(self.working), 1)

    def test_one_by_one(self) -> None:
        """Work that is done alone takes one turn at a time, and leaves the others."""
        alone = OneByOne(self.turns, waiting=2)
        answers = [alone.run(self.work) for _ in range(3)]
        self.failureResultOf(alone.run(self.work), LoginRefused)
        self.assertEqual(len(self.working), 1)
        self.turns.run(self.work)
        self.turns.run(self.work)
        self.assertEqual(len(self.working), 2)
        answers[1].cancel()
        self.failureResultOf(answers[1], CancelledError)
        self.working[0].callback("done")
        self.assertEqual(self.successResultOf(answers[0]), "done")
        self.assertEqual(len(self.working), 3)
        self.working[1].callback("done")
        self.assertEqual(len(self.working), 4)

    def test_many_at_once(self) -> None:
        """However many wait for work that is done at once, all get their turn."""
        turns, first = Turns(1), Deferred[int]()
        answers = [turns.run(lambda: first)]
        answers += [turns.run(lambda: succeed(1)) for _ in range(900)]
        first.callback(1)
        self.assertEqual([self.successResultOf(each) for each in answers], [1] * 901)
        self.assertEqual(self.successResultOf(turns.run(lambda: succeed(2))), 2)
