"""What is to be seen on a map, whoever draws it: the page, or a script."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from bumper_tw.core.maps import RobotMap, Shapes
from bumper_tw.core.maps_paths import simplified
from bumper_tw.dialect.maps import Point, TracePoint
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.readings import Point as Spot
from bumper_tw.readings import Position
from bumper_tw.web.dashboard.map_drawing import View, around
from bumper_tw.web.dashboard.map_image import Picture

#: Points of a path that go to a browser, and those of them that are as the robot sent them.
POINTS, RECENT = 4_000, 400
#: Corners of all rooms.
CORNERS = 4_000


@frozen
class Seen:
    """
    A map, with who is on it.

    @ivar name: of the robot.
    """

    did: str
    name: str
    known: RobotMap
    picture: Picture | None
    position: Position

    @property
    def robot(self) -> Spot | None:
        """Where the robot is, if it is sure."""
        place = self.position.robot
        return place if place is not None and place.valid else None

    @property
    def docks(self) -> list[Spot]:
        """Where it charges."""
        return [dock for dock in self.position.docks if dock.valid]

    def trace(self) -> list[TracePoint]:
        """Where it has been; not more points than a browser draws easily."""
        points = self.known.trace.points
        return [*simplified(points[:-RECENT], POINTS - RECENT), *points[-RECENT:]]

    def outline(self, room: Room) -> Sequence[Point]:
        """Where a room ends; many rooms with many corners have fewer of them each."""
        most = CORNERS // len(self.known.rooms)
        return room.outline[:: -(-len(room.outline) // most) or 1]

    def view(self) -> View:
        """All of it."""
        return around(self._edges())

    def _edges(self) -> Iterator[Point]:
        if self.picture is not None:
            yield self.picture.left, self.picture.bottom
            yield self.picture.right, self.picture.top
        for room in self.known.rooms:
            yield from self.outline(room)
        for shapes in (self.known.walls, self.known.zones):
            for points in shapes.values():
                yield from points
        yield from ((x, y) for x, y, _ in self.known.trace.points)
        yield from ((spot.x, spot.y) for spot in (self.robot, *self.docks) if spot is not None)

    def words(self) -> str:
        """What is seen, for whoever does not see it."""
        names = [room.label for room in self.known.rooms]
        rooms = f"{len(names)} {'room' if len(names) == 1 else 'rooms'}: {listed(names)}. "
        return (rooms if names else "") + self._whereabouts()

    def _whereabouts(self) -> str:
        robot = self.robot
        if robot is None:
            return "It is not known where the robot is now."
        inside = room_at(self.known.rooms, (robot.x, robot.y))
        where = f" in the room “{inside.label}”" if inside else ""
        if not self.docks:
            return f"The robot is{where or ' on the map'}."
        dock = self.docks[0]
        far = ((robot.x - dock.x) ** 2 + (robot.y - dock.y) ** 2) ** 0.5 / 1000
        near = "at its dock" if far < 0.5 else f"{far:.1f} metres from its dock"
        return f"The robot is{where and where + ','} {near}."


def listed(names: Sequence[str]) -> str:
    """Names as people say them one after the other."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def room_at(rooms: Sequence[Room], point: Point) -> Room | None:
    """The room in which a point is."""
    return next((room for room in rooms if is_inside(room.outline, point)), None)


def is_inside(outline: Sequence[Point], point: Point) -> bool:
    """Whether a point is in a polygon: a line from it crosses the outline an odd time."""
    x, y = point
    crossed = 0
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], *outline[:1]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossed += 1
    return crossed % 2 == 1


def map_values(seen: Seen, url: str) -> dict[str, Any]:
    """
    A map as JSON.

    @param url: of its picture.
    """
    known, trace, view = seen.known, seen.known.trace, seen.view()
    return {
        "did": seen.did,
        "known": known.is_known,
        "revision": known.revision,
        "mid": known.grid.mid,
        "pixel": known.grid.pixel,
        "picture": picture_values(seen.picture, url),
        "view": [view.left, view.bottom, view.right, view.top],
        "rooms": [room_values(room, seen.outline(room)) for room in known.rooms],
        "walls": shape_values(known.walls),
        "zones": shape_values(known.zones),
        "trace": {"tid": trace.tid, "total": trace.end, "points": seen.trace()},
        "robot": spot_values(seen.robot),
        "docks": [spot_values(dock) for dock in seen.docks],
        "words": seen.words(),
    }


def picture_values(picture: Picture | None, url: str) -> dict[str, Any] | None:
    """Where the picture is, on the map and on this box."""
    if picture is None:
        return None
    edges = ("left", "bottom", "right", "top", "width", "height")
    return {"url": url, **{edge: getattr(picture, edge) for edge in edges}}


def room_values(room: Room, outline: Sequence[Point]) -> dict[str, Any]:
    """A room."""
    return {
        "id": room.id,
        "name": room.label,
        "outline": outline,
        "centre": room.middle,
    }


def shape_values(shapes: Shapes) -> list[dict[str, Any]]:
    """Walls or zones."""
    return [{"id": name, "points": points} for name, points in shapes.items()]


def spot_values(spot: Spot | None) -> dict[str, int] | None:
    """Where something is, and which way it looks."""
    return None if spot is None else {"x": spot.x, "y": spot.y, "angle": spot.angle}
