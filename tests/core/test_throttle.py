"""How often somebody may be wrong."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.throttle import Throttle, TooManyAttempts, who_counts
from bumper_tw.core.turns import Turns


class ThrottleTests(SynchronousTestCase):
    """What counts, and for whom."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock, attempts=3, of_peer=5, seconds=60, peers=2)

    def wrong(self, peer: str, account: str, times: int = 1) -> None:
        """So many attempts fail."""
        for _ in range(times):
            self.throttle.guess(peer, account).wrong()

    def locked(self, peer: str, account: str) -> None:
        """The next attempt is not looked at."""
        self.assertRaises(TooManyAttempts, self.throttle.guess, peer, account)

    def test_limit(self) -> None:
        """One more than allowed is refused, for a minute, for this account and peer only."""
        self.wrong("a", "anna", 3)
        self.locked("a", "anna")
        self.throttle.guess("a", "ben")
        self.throttle.guess("b", "anna")
        self.clock.advance(60)
        self.wrong("a", "anna", 3)
        self.locked("a", "anna")

    def test_limit_of_a_peer(self) -> None:
        """Whoever tries many accounts is stopped at all of them."""
        for account in range(5):
            self.wrong("a", str(account))
        self.locked("a", "anna")
        self.throttle.guess("b", "anna")

    def test_locked_out(self) -> None:
        """A program that goes on with its wrong password does not use up its neighbours' share."""
        self.wrong("a", "anna", 3)
        for _ in range(100):
            self.locked("a", "anna")
        self.wrong("a", "ben")

    def test_asking_costs_nothing(self) -> None:
        """An attempt that is not wrong does not count, nor does one whose verdict is open."""
        for _ in range(100):
            self.throttle.guess("a", "anna")
        self.wrong("a", "anna")
        self.assertEqual(len(self.throttle), 1)

    def test_bounded(self) -> None:
        """No more peers are remembered than allowed, and of names only the beginning."""
        for number in range(100):
            self.wrong(str(number), "anna")
        self.assertEqual(len(self.throttle), 2)
        self.assertEqual(len(self.throttle.guess("a", "x" * 60_000).account), 64)

    def test_networks(self) -> None:
        """Whoever has a network of IPv6 has one share for all of its addresses."""
        for number in range(5):
            self.wrong(f"2001:db8::{number}:1", str(number))
        self.locked("2001:db8::ffff", "anna")
        self.throttle.guess("2001:db8:0:1::1", "anna")
        for peer, counted in (
            ("::ffff:192.168.7.33", "192.168.7.33"),
            ("fe80::1%eth0", "fe80::/64"),
            ("192.168.7.33", "192.168.7.33"),
            ("", ""),
        ):
            self.assertEqual(who_counts(peer), counted)

    def test_clock_set_back(self) -> None:
        """Nobody stays locked out until the clock has caught up."""
        self.clock.advance(1000)
        self.wrong("a", "anna", 3)
        self.clock.rightNow = 0
        self.wrong("a", "anna", 3)
        self.locked("a", "anna")


class GuessTests(SynchronousTestCase):
    """Many guesses at the same time."""

    def setUp(self) -> None:
        self.throttle, self.turns = Throttle(Clock(), attempts=3), Turns()
        self.working: list[Deferred[bool]] = []

    def compare(self) -> Deferred[bool]:
        """Something that takes its time."""
        done: Deferred[bool] = Deferred()
        self.working.append(done)
        return done

    def tried(self, account: str = "anna") -> Deferred[bool]:
        """Somebody brings a password."""
        return self.throttle.guess("a", account).tried(self.turns, self.compare)

    def settle(self, right: bool) -> None:
        """All comparing ends."""
        while self.working:
            self.working.pop(0).callback(right)

    def test_verdict(self) -> None:
        """It is what the comparison says."""
        right = self.tried()
        self.settle(True)
        wrong = self.tried()
        self.settle(False)
        self.assertEqual([self.successResultOf(each) for each in (right, wrong)], [True, False])

    def test_many_right(self) -> None:
        """As many as wait come in when they are right, whatever the limit."""
        answers = [self.tried() for _ in range(50)]
        self.settle(True)
        self.assertEqual([self.successResultOf(answer) for answer in answers], [True] * 50)

    def test_many_wrong(self) -> None:
        """Of those that wait, no more are compared than may be wrong and are at work."""
        answers = [self.tried() for _ in range(50)]
        other = self.tried("ben")
        self.settle(False)
        compared = [a for a in answers if isinstance(getattr(a, "result", None), bool)]
        self.assertEqual(len(compared), 4)
        for answer in set(answers) - set(compared):
            self.failureResultOf(answer, TooManyAttempts)
        self.assertFalse(self.successResultOf(other))

    def test_gave_up_waiting(self) -> None:
        """Whoever hangs up before it was compared was not wrong."""
        held = [self.tried("ben") for _ in range(2)]
        for _ in range(10):
            gone = self.tried()
            gone.cancel()
            self.failureResultOf(gone, CancelledError)
        self.settle(True)
        self.assertEqual([self.successResultOf(answer) for answer in held], [True, True])
        self.assertNoResult(self.tried())

    def test_gone_when_wrong(self) -> None:
        """Whoever does not wait for the verdict was wrong all the same: the work was done."""
        for _ in range(3):
            gone = self.tried()
            gone.cancel()
            self.failureResultOf(gone, CancelledError)
            self.settle(False)
        self.assertRaises(TooManyAttempts, self.tried)
