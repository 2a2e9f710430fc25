"""The newest map of each robot."""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core import maps
from bumper_tw.core.maps import MapBook, RobotMap
from bumper_tw.dialect.maps import EMPTY, Grid, Major, checksum
from bumper_tw.readings import (
    Activity,
    Battery,
    Clean,
    MapData,
    Point,
    Position,
    Reading,
    Report,
    Stats,
)
from bumper_tw.simulator.floorplan import known_floor, pack
from tests.core.atlas import NotedFeed, snake, traced

DID = "did1"
FLOOR = bytes([1]) * 10_000


def numbers(**known: bytes) -> tuple[int, ...]:
    """Checksums of 64 pieces, of which some have something in them."""
    return tuple(checksum(known[f"p{n}"]) if f"p{n}" in known else EMPTY for n in range(64))


class MapCase(SynchronousTestCase):
    """A book, and robots that talk."""

    def setUp(self) -> None:
        self.clock, self.feed = Clock(), NotedFeed()
        self.clock.advance(1000)
        self.book = MapBook(self.clock, self.feed)
        self.asked: list[str] = []
        self.book.stale = self.asked.append

    def say(self, reading: Reading, did: str = DID) -> None:
        """A robot says something."""
        self.book.heard(Report(did, reading, self.clock.seconds()))

    def event(self, name: str, **data: Any) -> None:
        """A robot says something about its map."""
        self.say(MapData(name, data))

    def piece(self, index: int, cells: bytes = FLOOR, mid: str = "12") -> None:
        """A piece comes unasked."""
        self.event("onMinorMap", mid=mid, pieceIndex=index, pieceValue=pack(cells))


class PieceTests(MapCase):
    """Pieces."""

    def test_piece(self) -> None:
        """A piece is kept, and told of once, soon."""
        self.piece(27)
        self.piece(28)
        self.assertEqual(self.feed.told, [])
        self.clock.advance(maps.TOGETHER)
        found = self.book.of(DID)
        self.assertEqual(found.pieces, {27: FLOOR, 28: FLOOR})
        value = {"did": DID, "revision": found.revision}
        self.assertEqual(self.feed.told, [(f"map {DID}", "map", value)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_revisions(self) -> None:
        """They rise with each change only, and after a restart they go on above the old ones."""
        self.piece(1)
        first = self.book.of(DID).revision
        self.piece(1)
        self.assertEqual(self.book.of(DID).revision, first)
        self.piece(1, bytes([2]) * 10_000)
        self.assertGreater(self.book.of(DID).revision, first)
        self.assertGreaterEqual(first, 1000)

    def test_xml(self) -> None:
        """XML robots have other names for it."""
        self.event("MapP", i="12", pid="27", p=pack(FLOOR))
        self.assertEqual(self.book.of(DID).pieces, {27: FLOOR})

    def test_blank(self) -> None:
        """A piece with nothing in it takes no room, and takes away what was there."""
        self.piece(3)
        self.piece(3, bytes(10_000))
        self.assertEqual(self.book.of(DID).pieces, {})

    def test_strange(self) -> None:
        """Pieces of other sizes, of no place and of no sense change nothing."""
        self.event("onMajorMap", mid="12", value=",".join(["5"] * 64))
        revision = self.book.of(DID).revision
        self.piece(64)
        self.piece(-1)
        for size in range(1, 65):
            self.piece(size - 1, bytes([1]) * size * 100)
        self.event("onMinorMap", pieceIndex=float("nan"), pieceValue=pack(FLOOR))
        self.event("onMinorMap", pieceIndex=1, pieceValue=["x"])
        self.event("onMinorMap")
        self.say(MapData("onMinorMap", "text"))
        self.say(MapData("MapP", None))
        self.say(Battery(3))
        self.assertEqual((self.book.of(DID).pieces, self.book.of(DID).revision), ({}, revision))

    def test_other_map(self) -> None:
        """A piece of another map does not get onto this one; the robot is asked."""
        self.book.of(DID).grid = Grid("12")
        self.piece(1, mid="13")
        self.assertEqual((self.book.of(DID).pieces, self.asked), ({}, [DID]))


class WholeTests(MapCase):
    """The map as a whole."""

    def test_wanted(self) -> None:
        """Only what is not here as it is there."""
        found = RobotMap(Grid("12"), {1: FLOOR, 2: FLOOR, 3: FLOOR})
        other = bytes([2]) * 10_000
        major = Major(Grid("12"), numbers(p1=FLOOR, p2=other, p9=other))
        self.assertEqual(found.wanted(major), [2, 9])
        self.assertEqual(list(found.pieces), [1, 2])

    def test_another(self) -> None:
        """Nothing of a map gets onto another one."""
        found = RobotMap(Grid("12"), {1: FLOOR}, walls={"0": ((0, 0), (1, 1))})
        self.assertEqual(found.wanted(Major(Grid("13"), numbers(p1=FLOOR))), [1])
        self.assertEqual((found.pieces, found.walls), ({}, {}))

    def test_first_pieces(self) -> None:
        """Pieces that came before anybody knew of the map belong to it."""
        found = RobotMap(pieces={1: FLOOR})
        self.assertEqual(found.wanted(Major(Grid("12"), numbers(p1=FLOOR))), [])

    def test_change(self) -> None:
        """A robot that says that something has changed is asked what."""
        plan = known_floor()
        sums = ",".join(map(str, plan.checksums()))
        self.event("onMajorMap", mid="12", value=sums)
        self.say(MapData("onMapSet_V2", {"type": "ar"}))
        self.assertEqual(self.asked, [DID, DID])

    def test_answers(self) -> None:
        """Answers to whoever asked come by another way, and are not read twice."""
        self.event("getMinorMap", pieceIndex=1, pieceValue=pack(FLOOR))
        self.assertEqual(self.book.dids(), [])


class PathTests(MapCase):
    """Where the robot goes."""

    def test_trace(self) -> None:
        """The newest part is told as it came."""
        self.event("onMapTrace", **traced(snake(20)))
        self.event("onMapTrace", **traced(snake(20, 3), start=3))
        [_, second] = self.feed.values("trace")
        self.assertEqual((second["tid"], second["start"], second["total"]), ("1", 3, 23))
        self.assertEqual(second["points"][0], [300, 300, 0])
        self.assertEqual(self.book.of(DID).trace.points, snake(23))

    def test_positions(self) -> None:
        """A robot that tells no path leaves one, while it cleans and is sure where it is."""
        self.say(Position(Point(1, 1)))
        self.say(Clean(Activity.CLEANING))
        self.say(Stats("j", 500))
        for spot in (Point(0, 0), Point(500, 0), Point(9, 9, 0, False), Point(10**9, 0)):
            self.say(Position(spot))
        self.say(Clean(Activity.RETURNING))
        self.say(Position(Point(7, 7)))
        self.assertEqual(self.book.of(DID).trace.points, [(0, 0, 1), (500, 0, 0)])
        self.assertEqual([v["total"] for v in self.feed.values("trace")], [1, 2])

    def test_path_first(self) -> None:
        """What a robot says of its path counts more than where it was seen."""
        self.say(Clean(Activity.CLEANING))
        self.say(Position(Point(0, 0)))
        self.event("onMapTrace", **traced(snake(5)))
        self.say(Position(Point(900, 0)))
        self.assertEqual(self.book.of(DID).trace.points, snake(5))

    def test_next_job(self) -> None:
        """Another job begins with an empty path; more of the same one does not."""
        self.say(Stats("1", 500))
        self.event("onMapTrace", **traced(snake(5)))
        self.say(Stats("1", 500, area=3))
        self.assertEqual(len(self.book.of(DID).trace.points), 5)
        self.say(Stats("1", 500, stopped=True))
        self.say(Stats("2", 900))
        self.assertEqual(self.book.of(DID).trace.points, [])


class AllowanceTests(MapCase):
    """A robot that never stops talking."""

    def flood(self, number: int, points: int = 1, did: str = DID) -> int:
        """A robot tells its path again and again; counts what gets to its map."""
        before = len(self.feed.values("trace"))
        for start in range(0, number * points, points):
            data = traced(snake(points, start % 1000), start)
            self.say(MapData("onMapTrace", data), did)
        return len(self.feed.values("trace")) - before

    def test_messages(self) -> None:
        """What is too much does not get to its map; to those of others everything does."""
        self.assertEqual(self.flood(440), maps.MESSAGES)
        self.assertEqual(self.flood(5, did="did2"), 5)
        self.piece(1)
        self.assertEqual(self.book.of(DID).pieces, {})
        self.clock.advance(1)
        self.assertEqual(self.flood(440), maps.MESSAGES / maps.WHILE)

    def test_newest(self) -> None:
        """What comes later is on the map again."""
        self.flood(440)
        self.clock.advance(maps.WHILE)
        self.piece(1)
        self.assertEqual(self.book.of(DID).pieces, {1: FLOOR})

    def test_long(self) -> None:
        """Messages with many points count more."""
        self.assertLess(self.flood(30, 2000), 7)

    def test_places(self) -> None:
        """Places of a robot that cleans count as well; those of one without a map do not."""
        for cleaning in (False, True):
            if cleaning:
                self.say(Clean(Activity.CLEANING))
            for x in range(440):
                self.say(Position(Point(x, 0)))
        self.assertEqual(len(self.book.of(DID).walked.points), maps.MESSAGES)

    def test_forgotten(self) -> None:
        """Nothing is left of a robot that is gone."""
        self.flood(440)
        self.book.forget(DID)
        self.assertEqual(self.book._allowed, {})


class CopyTests(SynchronousTestCase):
    """A map for a thread."""

    def test_copy(self) -> None:
        """What happens to the map does not happen to the copy."""
        found = RobotMap(Grid("12"), {1: FLOOR}, walls={"0": ((0, 0), (1, 1))})
        found.path.points.append((0, 0, 1))
        copied = found.copy()
        found.put(2, FLOOR)
        found.walls.clear()
        found.path.points.clear()
        found.walked.walk("2", 1, 1)
        self.assertEqual((list(copied.pieces), len(copied.walls)), ([1], 1))
        self.assertEqual((len(copied.path.points), copied.walked.points), (1, []))


class BoundTests(MapCase):
    """There is only so much memory."""

    def test_robots(self) -> None:
        """Of too many robots the one goes that was looked at longest ago."""
        book = MapBook(self.clock, self.feed, most=3)
        for did in "abc":
            book.of(did)
        book.find("a")
        book.of("d")
        self.assertEqual(book.dids(), ["c", "a", "d"])
        self.assertIn("map b", self.feed.dropped)

    def test_bytes(self) -> None:
        """Large maps make room for each other."""
        book = MapBook(self.clock, self.feed, room=1_000_000)
        for did in "abc":
            for index in range(64):
                book.piece(did, index, pack(FLOOR))
        self.assertEqual(book.dids(), ["c"])
        self.assertLessEqual(book.size, 1_000_000)

    def test_paths(self) -> None:
        """So do long paths."""
        book = MapBook(self.clock, self.feed, room=1_000_000)
        for did in "abc":
            for start in range(0, 6000, 2000):
                data = traced(snake(2000, start % 300), start, total=6000)
                book.heard(Report(did, MapData("onMapTrace", data), 0))
        self.assertLessEqual(book.size, 1_000_000)

    def test_forget(self) -> None:
        """Of a robot that is gone nothing is left, and nothing is told."""
        self.piece(1)
        self.book.forget(DID)
        self.book.forget("nobody")
        self.clock.advance(10)
        self.assertEqual((self.book.dids(), self.feed.told), ([], []))
        self.assertEqual(self.feed.dropped, [f"map {DID}", f"trace {DID}"])

    def test_stop(self) -> None:
        """At the end nothing waits any more."""
        self.piece(1)
        self.book.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
