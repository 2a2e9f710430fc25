"""The map on the page of a robot."""

from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.core.maps import Shapes
from bumper_tw.readings import Point as Spot
from bumper_tw.values import Device
from bumper_tw.web.dashboard.frame import Visit, template
from bumper_tw.web.dashboard.map_drawing import TURNED, corners, drawing, steps, svg
from bumper_tw.web.dashboard.map_sight import MapSight, picture_url
from bumper_tw.web.dashboard.map_view import Seen

#: The robot and its dock, about ten units wide.
ROBOT = "M0 -5A5 5 0 1 1 -0.01 -5ZM-1.5 -3L4 0L-1.5 3Z"
DOCK = "M-4 -4H4V1L0 5L-4 1Z"

#: Of what is seen, so many robots have room side by side, and lines of text one above the other.
ROBOTS, LINES = 22, 26


OFF = "There is no map yet, and the robot is offline. Switch it on to see its map."
SOME = (
    "Some robots make their map only while they clean, and simple ones make none that they "
    "could send."
)

#: Why there is no map: by whether the robot is online, and whether it was asked.
MISSING = {
    (False, False): OFF,
    (False, True): OFF,
    (True, False): f"There is no map yet. The robot is being asked for it. {SOME}",
    (True, True): f"The robot was asked for its map, and has sent none. {SOME}",
}


class MapPanel(Element):
    """
    The panel.

    @param seen: the map, as soon as it is known.
    @param online: whether the robot can be asked for it.
    @param asked: whether it was, and has had its time.
    """

    def __init__(
        self, device: Device, seen: Deferred[Seen], online: bool, asked: bool = False
    ) -> None:
        super().__init__(template("map"))
        self._device, self._seen, self._online, self._asked = device, seen, online, asked

    @renderer
    def root(self, _: "IRequest | None", tag: Tag) -> Tag:
        """All of it, marked with the robot it is about."""
        return tag(**{"data-did": self._device.id.did})

    @renderer
    def map(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """What is known of the map."""
        return tag(self._seen.addCallback(self._shown))

    def _shown(self, seen: Seen) -> Flattenable:
        if not seen.known.is_known:
            return svg("p", self._missing(), class_="quiet", id="map-words")
        words = seen.words()
        return (drawn(seen, words), svg("p", words, class_="quiet", id="map-words"))

    def _missing(self) -> str:
        return MISSING[self._online, self._asked]


class MapPanels:
    """Makes the panel for a robot."""

    def __init__(self, sight: MapSight) -> None:
        self._sight = sight

    def panel(self, device: Device, _: Visit) -> MapPanel:
        """The panel; the robot is asked for what is new, as somebody looks at it now."""
        sight, did = self._sight, device.id.did
        asked = sight.was_asked(did)
        sight.look(did)
        return MapPanel(device, sight.seen(device), sight.is_online(did), asked)


def drawn(seen: Seen, words: str) -> Tag:
    """The map."""
    view, name = seen.view(), f"Map of {seen.name}"
    known, size = seen.known, view.size / ROBOTS / 10
    turned = svg(
        "g",
        svg("g", shapes(known.zones, "zone"), class_="zones"),
        svg("g", rooms(seen), class_="rooms"),
        svg("path", d=steps(seen.trace()), class_="trace", fill="none",
            vector_effect="non-scaling-stroke"),
        svg("g", shapes(known.walls, "wall"), class_="walls"),
        svg("g", (symbol("dock", DOCK, dock, size) for dock in seen.docks), class_="docks"),
        symbol("robot", ROBOT, seen.robot, size),
        transform=TURNED,
    )  # fmt: skip
    more = {"data_revision": known.revision, "data_tid": known.trace.tid}
    line = round(view.size / LINES)
    lettered = svg("g", names(seen), class_="names", font_size=line, stroke_width=line // 6)
    return drawing(
        view, name, floor(seen), turned, lettered, described=words, class_="map", **more
    )


def floor(seen: Seen) -> Tag:
    """The picture; it is here even if there is none yet."""
    found = seen.picture
    if found is None:
        return svg("image", class_="floor")
    return svg(
        "image",
        class_="floor",
        href=picture_url(seen.did, found),
        x=found.left,
        y=-found.top,
        width=found.right - found.left,
        height=found.top - found.bottom,
        preserveAspectRatio="none",
        image_rendering="pixelated",
    )


def rooms(seen: Seen) -> Iterator[Tag]:
    """Each room with an outline; they can be chosen by their checkboxes, too."""
    for room in seen.known.rooms:
        if room.outline:
            named = svg("title", room.label)
            yield svg("polygon", named, points=corners(seen.outline(room)), class_="room",
                      data_room=room.id, vector_effect="non-scaling-stroke")  # fmt: skip


def names(seen: Seen) -> Iterator[Tag]:
    """What rooms are called, in their middle."""
    for room in seen.known.rooms:
        if room.middle is not None:
            x, y = room.middle
            yield svg("text", room.label, x=x, y=-y, text_anchor="middle")


def shapes(found: Shapes, kind: str) -> Iterator[Tag]:
    """Walls and zones; a wall has two ends only."""
    for points in found.values():
        name = "polyline" if len(points) == 2 else "polygon"
        yield svg(name, points=corners(points), class_=kind, vector_effect="non-scaling-stroke")


def symbol(name: str, path: str, spot: Spot | None, size: float) -> Tag:
    """
    Something on the map; hidden if nobody knows where it is.

    @param size: of its units, in millimetres.
    """
    drawn = svg(
        "path", d=path, class_=name, vector_effect="non-scaling-stroke", fill_rule="evenodd"
    )
    if spot is None:
        return svg("g", drawn, class_=name, visibility="hidden", data_size=round(size, 2))
    at = f"translate({spot.x} {spot.y}) rotate({spot.angle}) scale({size:.2f})"
    return svg("g", drawn, class_=name, transform=at, data_size=round(size, 2))
