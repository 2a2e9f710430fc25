"""
Maps and paths as SVG.

What is drawn is in millimetres, as robots say it; as y grows downwards in SVG, all of it is in a
group that is turned over, but for pictures and texts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from attrs import frozen
from twisted.web.template import Tag

from bumper_tw.core.coverage import Coverage
from bumper_tw.dialect.maps import Point, TracePoint
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.values import CleaningLog

#: Turns over what it is said of.
TURNED = "scale(1 -1)"

#: Millimetres around what is drawn, and as wide and high it is at least.
MARGIN, LEAST = 300, 2000

#: As wide robots clean, and as high names of rooms are, in millimetres.
BROOM, TEXT = 300, 250


@frozen
class View:
    """What of the house is seen, in millimetres."""

    left: int
    bottom: int
    right: int
    top: int

    @property
    def box(self) -> str:
        """The same as SVG has it, turned over."""
        return f"{self.left} {-self.top} {self.right - self.left} {self.top - self.bottom}"

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.right - self.left, self.top - self.bottom)


def around(points: Iterable[Point]) -> View:
    """A view of all of these; of nothing, a small one."""
    found = list(points) or [(0, 0)]
    across, up = zip(*found, strict=True)
    (left, right), (bottom, top) = span(across), span(up)
    return View(left, bottom, right, top)


def span(numbers: Sequence[int]) -> tuple[int, int]:
    """From where to where, with a margin, and not too short."""
    low, high = min(numbers) - MARGIN, max(numbers) + MARGIN
    missing = max(0, LEAST - (high - low)) // 2
    return low - missing, high + missing


def svg(name: str, *content: Any, **attributes: object) -> Tag:
    """
    An element; C{_} stands for C{-} in names of attributes, and C{class_} for C{class}.
    """
    spelled = {
        key.rstrip("_").replace("_", "-"): str(value)
        for key, value in attributes.items()
        if value is not None
    }
    return Tag(name)(*content, **spelled)


def drawing(view: View, title: str, *content: Any, described: str = "", **more: object) -> Tag:
    """
    A drawing with a name for whoever does not see it.

    @param described: what is seen, in a sentence or two.
    """
    named = [svg("title", title), *([svg("desc", described)] if described else [])]
    found = svg("svg", *named, *content, role="img", aria_label=title, **more)
    return found(viewBox=view.box)


def corners(points: Iterable[Point]) -> str:
    """The corners of a polygon."""
    return " ".join(f"{x},{y}" for x, y in points)


def steps(points: Iterable[TracePoint]) -> str:
    """A path; it is interrupted where the robot was carried, or was not heard."""
    return "".join(line(points))


def line(points: Iterable[TracePoint]) -> Iterator[str]:
    """Absolute to where it begins anew, then step by step."""
    last: Point | None = None
    for x, y, up in points:
        if last is None or up:
            yield f"M{x} {y}"
        else:
            yield f"l{x - last[0]} {y - last[1]}"
        last = x, y


def covered(
    points: Sequence[TracePoint],
    title: str = "Where the robot has been",
    rooms: Sequence[Room] = (),
) -> Tag:
    """
    Where a robot was in one job: as wide as it cleans, and the way it took.

    @param rooms: of the map as it is now, to be seen below.
    """
    outlines = [room.outline for room in rooms if room.outline]
    floor = svg("g", *map(outlined, outlines), class_="rooms")
    path = steps(points)
    broad = svg("path", d=path, class_="broad", stroke_width=BROOM, fill="none")
    thin = svg("path", d=path, class_="trace", fill="none", vector_effect="non-scaling-stroke")
    names = svg("g", *map(lettered, rooms), font_size=TEXT, fill="currentColor", opacity=0.7)
    turned = svg("g", floor, broad, thin, transform=TURNED)
    seen = chain(((x, y) for x, y, _ in points), *outlines)
    return drawing(around(seen), title, turned, names, class_="covered")


def outlined(outline: Sequence[Point]) -> Tag:
    """A room, to be looked at only."""
    line = {"fill": "none", "stroke": "currentColor", "stroke_opacity": 0.4}
    return svg("polygon", points=corners(outline), vector_effect="non-scaling-stroke", **line)


def lettered(room: Room) -> Tag | str:
    """What a room is called, in its middle."""
    if room.middle is None:
        return ""
    x, y = room.middle
    return svg("text", room.label, x=x, y=-y, text_anchor="middle")


def nowhere(_: str) -> Sequence[Room]:
    """The rooms of a robot of which none are known."""
    return ()


def covered_area(
    coverage: Coverage, rooms: Callable[[str], Sequence[Room]] = nowhere
) -> Callable[[str, CleaningLog], Tag | None]:
    """
    Draws where a robot was in a job; what it makes is C{None} if nobody knows.

    @param rooms: those on the map of a robot, by did.
    """

    def area(did: str, log: CleaningLog) -> Tag | None:
        points = coverage.path(did, str(log.started_at))
        return covered(points, rooms=rooms(did)) if points else None

    return area
