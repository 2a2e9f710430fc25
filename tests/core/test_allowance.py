"""How much may happen within some time."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.allowance import Allowance, Shares


class AllowanceTests(SynchronousTestCase):
    """So much at once, and what is used up comes back."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.allowance = Allowance(self.clock, 4, 60)

    def test_comes_back_evenly(self) -> None:
        """Each that was used is back after its part of the time, and never more than all."""
        for _ in range(4):
            self.allowance.take()
        found = []
        for pause in (0, 14, 1, 15, 30, 1000):
            self.clock.advance(pause)
            found.append(int(self.allowance.left))
        self.assertEqual(found, [0, 0, 1, 2, 4, 4])
        self.assertTrue(self.allowance.whole)

    def test_clock_set_back(self) -> None:
        """A clock that was set back takes nothing away, and it goes on from there."""
        for _ in range(4):
            self.allowance.take()
        self.clock.rightNow = 10.0
        self.assertEqual(self.allowance.left, 0)
        self.clock.advance(15)
        self.assertEqual(self.allowance.left, 1)


class SharesTests(SynchronousTestCase):
    """Nobody gets all of it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.shares = Shares(self.clock, 3, 6, 60)

    def taken(self, name: str, times: int) -> int:
        """How often somebody gets one who asks so often."""
        return sum(self.shares.take(name) for _ in range(times))

    def test_share(self) -> None:
        """One has a share, and the others still have theirs."""
        self.assertEqual([self.taken(name, 10) for name in "aab"], [3, 0, 3])

    def test_common(self) -> None:
        """All together have no more than there is; who got nothing has used up nothing."""
        self.assertEqual([self.taken(name, 2) for name in "abcd"], [2, 2, 2, 0])
        self.clock.advance(30)
        self.assertEqual(self.taken("d", 10), 3)

    def test_several(self) -> None:
        """Several at once are taken whole or not at all."""
        self.assertFalse(self.shares.take("a", 4))
        self.assertTrue(self.shares.take("a", 2))
        self.assertFalse(self.shares.take("a", 2))
        self.assertEqual(self.taken("a", 10), 1)
        self.assertTrue(self.shares.take("b", 3))
        self.assertFalse(self.shares.take("c"))

    @given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from([0, 0, 1, 10, 60]))))
    def test_bounded(self, happenings: list[tuple[int, int]]) -> None:
        """However many names there are, few are remembered, and little is given."""
        clock = Clock()
        shares = Shares(clock, 3, 6, 60)
        given = 0
        for name, pause in happenings:
            clock.advance(pause)
            given += shares.take(str(name))
            self.assertLessEqual(len(shares), 13)
        self.assertLessEqual(given, 6 + clock.seconds() / 10)
