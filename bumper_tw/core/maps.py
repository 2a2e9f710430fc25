"""The newest map of each robot, in memory."""

from collections.abc import Callable
from itertools import chain
from typing import Any

from attrs import define, evolve, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from bumper_tw.core.allowance import Allowance
from bumper_tw.core.maps_paths import Path
from bumper_tw.dialect import lenient, maps
from bumper_tw.dialect.maps import Grid, Major, Point, Trace, TracePoint
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.interfaces import IFeed
from bumper_tw.readings import Activity, Clean, MapData, Position, Report, Stats

#: Robots whose maps are in memory, and bytes that all of these may have.
MOST, ROOM = 100, 64 << 20

#: Seconds within which changes of one map are told as one.
TOGETHER = 0.5

#: What a point of a path takes in memory, about.
POINT = 120

#: After so many new points it is looked whether there is still room for all of them.
OFTEN = 1000

#: Messages that a robot may send for its map at once, and the seconds until as many more may come;
#: one with many points counts once more for each so many of them.
MESSAGES, WHILE, MANY = 100, 5.0, 100

#: How a path is called that is made of the places where a robot was.
WALKED = "positions of "

#: Where something must not be crossed or wetted, by the robot's name for it.
Shapes = dict[str, tuple[Point, ...]]


@define(eq=False)
class RobotMap:
    """
    What is known of one map.

    @ivar pieces: cells by the number of the piece; what has nothing in it is not here.
    @ivar revision: rises with each change of anything but the path; no two maps of a robot have
        the same, later ones included.
    @ivar drawn: the revision of the last change that is seen on the picture.
    @ivar woken: whether it has been looked what is on disk of it.
    @ivar v2: whether the robot is known to list its rooms in the newer way.
    """

    grid: Grid = field(factory=Grid)
    pieces: dict[int, bytes] = field(factory=dict)
    rooms: tuple[Room, ...] = ()
    walls: Shapes = field(factory=dict)
    zones: Shapes = field(factory=dict)
    path: Path = field(factory=Path)
    walked: Path = field(factory=Path)
    job: str = ""
    cleaning: bool = False
    revision: int = 0
    drawn: int = 0
    woken: bool = False
    v2: bool | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        cells = self.grid.cells * len(self.pieces)
        points = len(self.path.points) + len(self.walked.points)
        shapes = chain(self.walls.values(), self.zones.values(), (r.outline for r in self.rooms))
        return cells + POINT * (points + sum(map(len, shapes)))

    @property
    def trace(self) -> Path:
        """Where the robot went in its last job: by its own account, if it gave one."""
        return self.path if self.path.points else self.walked

    @property
    def is_known(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.pieces or self.rooms or self.trace.points)

    def copy(self) -> "RobotMap":
        """The map as it is now, for a thread that takes its time."""
        return evolve(
            self,
            pieces=dict(self.pieces),
            walls=dict(self.walls),
            zones=dict(self.zones),
            path=evolve(self.path, points=list(self.path.points)),
            walked=evolve(self.walked, points=list(self.walked.points)),
        )

    def wanted(self, major: Major) -> list[int]:
        """
        Take up what a robot says of its map as a whole.

        @return: the pieces that are not here as they are there.
        """
        if self.grid.mid not in {"", major.grid.mid} or not major.grid.same_cut(self.grid):
            self.pieces.clear()
            self.rooms, self.walls, self.zones = (), {}, {}
        self.grid = major.grid
        empty = maps.checksum(bytes(major.grid.cells))
        for index in [i for i in self.pieces if major.sums[i] == empty]:
            del self.pieces[index]
        return [i for i, crc in enumerate(major.sums) if crc != empty and self.crc(i) != crc]

    def crc(self, index: int) -> int | None:
        """The checksum of a piece; C{None} if it is not here."""
        cells = self.pieces.get(index)
        return None if cells is None else maps.checksum(cells)

    def put(self, index: int, cells: bytes) -> bool:
        """
        Take a piece.

        @return: whether it is another than before.
        @raise ValueError: the map has no piece of that number.
        """
        if not 0 <= index < self.grid.pieces:
            raise ValueError(f"there is no piece {index}")
        before = self.pieces.pop(index, None)
        if any(cells):
            self.pieces[index] = cells
        return before != self.pieces.get(index)


class MapBook:
    """
    Maps by robot.

    @ivar stale: is told of a robot which says that its map is another now, but not what it is.
    @ivar changed: is told of a robot whose map is not as it was.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, feed: IFeed, most: int = MOST, room: int = ROOM
    ) -> None:
        """
        @param feed: what pages that are open are told.
        """
        self._clock, self._feed, self._most, self._room = clock, feed, most, room
        #: The one that was looked at last is the last.
        self._maps: dict[str, RobotMap] = {}
        self._allowed: dict[str, Allowance] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._added = 0
        self.stale: Callable[[str], object] = _nobody
        self.changed: Callable[[str], object] = _nobody

    def __contains__(self, did: str) -> bool:
        return did in self._maps

    def dids(self) -> list[str]:
        """Whose maps are here; the one that was looked at last is the last."""
        return list(self._maps)

    @property
    def size(self) -> int:
        """How many bytes all of them take, about."""
        return sum(each.size for each in self._maps.values())

    def find(self, did: str) -> RobotMap | None:
        """The map of a robot, if there is one; somebody looks at it."""
        found = self._maps.pop(did, None)
        if found is not None:
            self._maps[did] = found
        return found

    def of(self, did: str) -> RobotMap:
        """The map of a robot; a new one has nothing on it."""
        found = self._maps.get(did)
        if found is None:
            found = self._maps[did] = RobotMap()
            self._allowed[did] = Allowance(self._clock, MESSAGES, WHILE)
            self._make_room()
        return found

    def put(self, did: str, kept: RobotMap) -> None:
        """Take up a map that was kept; what has come since is newer."""
        here = self.of(did)
        if here.grid.mid in {"", kept.grid.mid} and here.grid.same_cut(kept.grid):
            here.grid, here.pieces = kept.grid, kept.pieces | here.pieces
            for name in ("rooms", "walls", "zones"):
                setattr(here, name, getattr(here, name) or getattr(kept, name))
        if not here.trace.points:
            here.path = kept.path
        here.revision = here.drawn = max(here.revision, kept.revision) + 1
        self._make_room()

    def forget(self, did: str) -> None:
        """A robot is gone."""
        timer = self._timers.pop(did, None)
        if timer is not None:
            timer.cancel()
        self._allowed.pop(did, None)
        if self._maps.pop(did, None) is not None:
            self._feed.drop(f"map {did}")
            self._feed.drop(f"trace {did}")

    def _make_room(self) -> None:
        """What was looked at longest ago goes; the disk still has it."""
        while len(self._maps) > 1 and (len(self._maps) > self._most or self.size > self._room):
            self.forget(next(iter(self._maps)))

    def touch(self, did: str, drawn: bool = False) -> None:
        """A map has changed: it gets another revision, and whoever sees it is told, soon."""
        found = self.of(did)
        found.revision = max(found.revision + 1, int(self._clock.seconds()))
        if drawn:
            found.drawn = found.revision
        self.changed(did)
        if did not in self._timers:
            self._timers[did] = self._clock.callLater(TOGETHER, self._tell, did)

    def _tell(self, did: str) -> None:
        del self._timers[did]
        revision = self.of(did).revision
        self._feed.put(f"map {did}", "map", {"did": did, "revision": revision})

    def stop(self) -> None:
        """Nobody is told anything any more."""
        while self._timers:
            self._timers.popitem()[1].cancel()

    def piece(self, did: str, index: int, value: object) -> None:
        """
        A robot has sent a piece of its map.

        @param value: as it is on the wire.
        @raise ValueError: it is none, or none of this map.
        """
        found = self.of(did)
        if found.put(index, maps.piece(found.grid, value)):
            self.touch(did, drawn=True)
            self._make_room()

    def trace(self, did: str, trace: Trace) -> None:
        """A robot has sent a part of its path."""
        found = self.of(did)
        self._allowed[did].take(len(trace.points) // MANY)
        if found.path.take(trace):
            self._show(did, trace)

    def whole(self, did: str, tid: str, points: list[TracePoint]) -> None:
        """A robot has sent its path from the first point on."""
        path = self.of(did).path
        path.replace(tid, points)
        last = Trace(tid, path.end - 1, path.end, tuple(path.points[-1:]))
        self._show(did, last)

    def _show(self, did: str, trace: Trace) -> None:
        """Whoever has missed points before these asks for all of them."""
        value = {"did": did, "tid": trace.tid, "total": trace.total, "start": trace.start}
        points = [list(each) for each in trace.points]
        self._feed.put(f"trace {did}", "trace", {**value, "points": points})
        self.changed(did)
        self._added += len(points)
        if self._added > OFTEN:
            self._added = 0
            self._make_room()

    def place(self, did: str, position: Position) -> None:
        """A robot says where it is: while it cleans, that is its path, if it tells no other."""
        found, robot = self._maps.get(did), position.robot
        if found is None or robot is None or not (robot.valid and found.cleaning):
            return
        if not self._may(did):
            return
        walked = found.walked
        far = max(abs(robot.x), abs(robot.y)) > maps.FARTHEST
        if far or found.path.points or not walked.walk(WALKED + found.job, robot.x, robot.y):
            return
        self._show(did, Trace(walked.tid, walked.end - 1, walked.end, (walked.points[-1],)))

    def job(self, did: str, stats: Stats) -> None:
        """A job is on: another one begins with an empty path."""
        found = self.of(did)
        name = stats.job or str(stats.started_at)
        if found.job != name and not stats.stopped:
            found.job, found.path, found.walked = name, Path(), Path()

    def heard(self, report: Report) -> None:
        """Take up what is about maps."""
        match report.reading:
            case MapData(name=name, data=data):
                self._map_data(report.did, name, data)
            case Position() as position:
                self.place(report.did, position)
            case Clean(activity=activity):
                self._doing(report.did, activity)
            case Stats() as stats if stats.started_at > 0:
                self.job(report.did, stats)
            case _:
                pass

    def _may(self, did: str) -> bool:
        """Whether a robot has not said too much already: what it says now is not on its map."""
        self.of(did)
        allowed = self._allowed[did]
        if allowed.left < 1:
            return False
        allowed.take()
        return True

    def _doing(self, did: str, activity: Activity | None) -> None:
        if activity is Activity.CLEANING or did in self._maps:
            self.of(did).cleaning = activity is Activity.CLEANING

    def _map_data(self, did: str, name: str, data: Any) -> None:
        told = EVENTS.get(name)
        if told is not None and self._may(did):
            try:
                told(self, did, data)
            except ValueError as why:
                self._log.debug("{did} sent a {name} that makes no sense: {why}",
                                did=did, name=name, why=why)  # fmt: skip


def _nobody(_: str) -> None:
    """Is told, and does nothing about it."""


def new_piece(book: MapBook, did: str, data: Any) -> None:
    """C{onMinorMap} (mqtt.md 7.3, 14)."""
    said = lenient.fields(data)
    index = maps.within(said, "pieceIndex", 0, maps.MOST_PIECES**2, -1)
    check_map(book, did, said.get("mid"))
    book.piece(did, index, said.get("pieceValue"))


def new_xml_piece(book: MapBook, did: str, data: Any) -> None:
    """C{MapP} (mqtt.md 8.2)."""
    said = lenient.fields(data)
    index = maps.within(said, "pid", 0, maps.MOST_PIECES**2, -1)
    check_map(book, did, said.get("i"))
    book.piece(did, index, said.get("p"))


def check_map(book: MapBook, did: str, mid: object) -> None:
    """
    See to it that a piece belongs to the map that we have.

    @raise ValueError: it is of another one; that will be asked for.
    """
    ours, theirs = book.of(did).grid.mid, lenient.text(mid, 64)
    if ours and theirs not in {"", ours}:
        book.stale(did)
        raise ValueError("a piece of another map")


def new_map(book: MapBook, did: str, data: Any) -> None:
    """C{onMajorMap}: says what has changed; that has to be asked for."""
    if book.of(did).wanted(maps.major(data)):
        book.stale(did)


#: What robots say of their maps unasked, by its name.  Answers come by another way.
EVENTS: dict[str, Callable[[MapBook, str, Any], object]] = {
    "onMinorMap": new_piece,
    "MapP": new_xml_piece,
    "onMapTrace": lambda book, did, data: book.trace(did, maps.trace(data)),
    "trace": lambda book, did, data: book.trace(did, maps.xml_trace(data)),
    "onMajorMap": new_map,
    "onMapSet": lambda book, did, _: book.stale(did),
    "onMapSet_V2": lambda book, did, _: book.stale(did),
    "onCachedMapInfo": lambda book, did, _: book.stale(did),
}
