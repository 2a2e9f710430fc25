"""Paths of robots."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.maps_paths import (
    MOST,
    NEAR,
    Path,
    distance,
    read,
    simplified,
    straightened,
    written,
)
from bumper_tw.dialect.maps import Trace, TracePoint
from tests.core.atlas import snake

spots = st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767), st.integers(0, 1))
ways = st.lists(spots.map(lambda each: (each[0] * 10, each[1] * 10, each[2])), max_size=60)


def part(points: list[TracePoint], start: int, count: int, tid: str = "1") -> Trace:
    """What an event has of a path."""
    some = tuple(points[start : start + count])
    return Trace(tid, start, start + len(some), some)


class PathTests(SynchronousTestCase):
    """A path that comes in parts."""

    def setUp(self) -> None:
        self.path, self.way = Path(), snake(1000)

    def test_parts(self) -> None:
        """Parts that overlap become one path, and each is news."""
        for end in range(20, 201, 3):
            self.assertTrue(self.path.take(part(self.way, end - 20, 20)))
        self.assertEqual(self.path.points, self.way[: self.path.end])
        self.assertTrue(self.path.is_whole)

    def test_again(self) -> None:
        """What is known is no news, and takes nothing away."""
        self.path.take(part(self.way, 0, 200))
        self.assertFalse(self.path.take(part(self.way, 100, 20)))
        self.assertFalse(self.path.take(part(self.way, 180, 20)))
        self.assertEqual(self.path.points, self.way[:200])

    def test_gap(self) -> None:
        """Across what was missed nothing is drawn."""
        self.path.take(part(self.way, 0, 20))
        self.path.take(part(self.way, 50, 20))
        self.path.take(part(self.way, 60, 20))
        [left, jumped] = self.path.points[19:21]
        self.assertEqual((left, jumped), (self.way[19], (*self.way[50][:2], 1)))
        self.assertEqual(self.path.points[21:], self.way[51:80])
        self.assertFalse(self.path.is_whole)

    def test_late(self) -> None:
        """Who comes in the middle can be told the beginning."""
        self.path.take(part(self.way, 300, 20))
        self.path.replace("1", self.way[:310])
        self.assertEqual(self.path.points, self.way[:320])
        self.assertTrue(self.path.is_whole)

    def test_another(self) -> None:
        """Another name is another path; so is one that begins anew."""
        self.path.take(part(self.way, 0, 200))
        self.path.take(part(self.way, 0, 5))
        self.assertEqual(len(self.path.points), 5)
        self.path.take(part(self.way, 0, 10, "2"))
        self.assertEqual((self.path.tid, len(self.path.points)), ("2", 10))

    def test_million(self) -> None:
        """A robot that never ends fills no memory, and goes on where it is."""
        for start in range(0, 1_000_000, 2000):
            way = tuple(snake(2000, start))
            self.path.take(Trace("1", start, start + 2000, way))
        self.assertLessEqual(len(self.path.points), MOST)
        self.assertEqual(self.path.end, 1_000_000)
        self.assertEqual(self.path.points[-2000:], snake(2000, 998_000))

    def test_long(self) -> None:
        """A long path is simplified, but lacks nothing; one that has lost points does."""
        for start in range(0, 2 * MOST, 500):
            self.path.take(Trace("1", start, start + 500, tuple(snake(500, start))))
        self.assertLess(len(self.path.points), MOST)
        self.assertTrue(self.path.is_whole)
        self.path.take(part(snake(3 * MOST), 3 * MOST - 9, 9))
        self.assertFalse(self.path.is_whole)

    def test_walk(self) -> None:
        """Places become a path; standing still does not."""
        told = [self.path.walk("a", *spot) for spot in ((0, 0), (0, 0), (500, 0))]
        self.assertEqual(told, [True, False, True])
        self.assertEqual(self.path.points, [(0, 0, 1), (500, 0, 0)])
        self.path.walk("b", 1, 1)
        self.assertEqual(self.path.points, [(1, 1, 1)])

    @given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 100)), max_size=20))
    def test_any_order(self, parts: list[tuple[int, int]]) -> None:
        """Whatever comes in whatever order, points are some of the way, in its order."""
        path = Path()
        for start, count in parts:
            path.take(part(self.way, start, count))
        places = [self.way.index((x, y, 0)) for x, y, _ in path.points]
        self.assertEqual(places, sorted(places))


class SimplifiedTests(SynchronousTestCase):
    """Fewer points."""

    def test_straight(self) -> None:
        """A straight way needs few points, a corner stays."""
        way = [(100 * n, 0, 0) for n in range(11)] + [(1000, 100 * n, 0) for n in range(1, 11)]
        found = straightened(way, NEAR)
        self.assertIn((1000, 0, 0), found)
        self.assertLess(len(found), 8)

    def test_limit(self) -> None:
        """However jagged, there are not more than asked for."""
        self.assertLessEqual(len(simplified(snake(50_000), 500)), 500)

    def test_far(self) -> None:
        """What is still too long is thinned out evenly; its end is not cut off."""
        lifted = [(100 * n, 300 * (n % 2), 1) for n in range(50_000)]
        for way in (snake(50_000), lifted):
            found = simplified(way, 500)
            places = [x // 100 for x, _, _ in found]
            steps = {later - before for before, later in pairwise(places)}
            self.assertEqual((len(found), places[0], max(steps) - min(steps) < 100),
                             (500, 0, True))  # fmt: skip
            self.assertGreater(places[-1], 49_000)

    @given(ways)
    def test_ends(self, way: list[TracePoint]) -> None:
        """The first and the last point stay, and every place where the pen was up."""
        found = simplified(way, 1000)
        self.assertEqual((found[:1], found[-1:]), (way[:1], way[-1:]))
        self.assertEqual([p for p in found if p[2]], [p for p in way if p[2]])

    def test_distance(self) -> None:
        """From a line between two points, not from one without ends."""
        self.assertEqual(distance((0, 0, 0), (100, 0, 0), (50, 30, 0)), 30)
        self.assertEqual(distance((0, 0, 0), (100, 0, 0), (140, 0, 0)), 40)
        self.assertEqual(distance((0, 0, 0), (0, 0, 0), (3, 4, 0)), 7)


class WrittenTests(SynchronousTestCase):
    """Paths as text."""

    @given(ways)
    def test_round_trip(self, way: list[TracePoint]) -> None:
        """What is written is read again."""
        self.assertEqual(read(written(way)), way)

    def test_small(self) -> None:
        """A usual point takes few letters."""
        self.assertLess(len(written(snake(1000))), 4200)

    @given(st.text(max_size=40) | st.binary(max_size=40).map(lambda b: b.hex()))
    def test_garbage(self, text: str) -> None:
        """Whatever it is, it is a path or refused."""
        try:
            self.assertIsInstance(read(text), list)
        except ValueError:
            return
