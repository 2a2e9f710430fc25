"""The map on the page of a robot, and what is drawn."""

import re
from xml.etree import ElementTree as ET

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Flattenable, flattenString

from bumper_tw.core.maps import RobotMap
from bumper_tw.core.maps_paths import Path
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.readings import Point, Position
from bumper_tw.simulator.floorplan import known_floor
from bumper_tw.values import Device, DeviceId
from bumper_tw.web.dashboard.frame import Visit
from bumper_tw.web.dashboard.map_drawing import around, covered, span
from bumper_tw.web.dashboard.map_image import picture
from bumper_tw.web.dashboard.map_panel import MapPanel, MapPanels
from bumper_tw.web.dashboard.map_view import Seen, is_inside, listed, map_values, room_at
from tests.core.atlas import snake
from tests.web.dashboard.map_house import MapCase

DUSTY = Device(DeviceId("did1", "yna5xi", "res1"), nick="Dusty")
SQUARE = ((0, 0), (0, 2000), (2000, 2000), (2000, 0))
HERE = Position(Point(1500, 1000, 90), (Point(0, 0),))

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "\u202egnirob\u202c",
    "]]>&amp;<!--",
    "a\0b\x1b",
    "y" * 10_000,
)


def flat_map() -> RobotMap:
    """The map of a flat."""
    plan = known_floor()
    found = RobotMap(pieces={index: plan.piece(index) for index in plan.seen}, revision=7)
    found.rooms = (Room("3", "Kitchen", SQUARE), Room("5", "", (), (4000, 4000)))
    found.walls = {"0": ((0, 0), (900, 0))}
    found.zones = {"1": SQUARE}
    found.path = Path("9", snake(40))
    return found


def seen(found: RobotMap, name: str = "Dusty", position: Position = HERE) -> Seen:
    """A map that somebody looks at."""
    return Seen("did1", name, found, picture(found), position)


class PanelCase(SynchronousTestCase):
    """A panel as it goes to browsers."""

    def text(self, content: Flattenable) -> str:
        """The HTML."""
        return self.successResultOf(flattenString(None, content)).decode()

    def panel(self, sight: Seen, online: bool = True) -> str:
        """The panel of a map."""
        return self.text(MapPanel(DUSTY, succeed(sight), online))

    def tree(self, html: str) -> ET.Element:
        """What can be read as XML has no tag that was not meant."""
        return ET.fromstring(html)


class PanelTests(PanelCase):
    """The panel."""

    def test_whole(self) -> None:
        """All that is known is drawn, without any script."""
        svg = self.tree(self.panel(seen(flat_map()))).find(".//svg")
        assert svg is not None
        classes = [each.get("class") for each in svg.iter() if each.get("class")]
        for name in ("floor", "room", "wall", "zone", "trace", "robot", "dock", "names"):
            self.assertIn(name, classes)
        self.assertEqual([each.text for each in svg.iter("text")], ["Kitchen", "Room 5"])
        [polygon] = [each for each in svg.iter("polygon") if each.get("class") == "room"]
        self.assertEqual(polygon.get("data-room"), "3")
        image = svg.find("image")
        assert image is not None
        self.assertEqual(image.get("href"), "/api/robots/did1/map.png?revision=0")

    def test_turned(self) -> None:
        """What is farther up in the house is farther up on the page."""
        html = self.panel(seen(flat_map()))
        left, top, width, height = map(int, re.findall(r'viewBox="([^"]+)"', html)[0].split())
        self.assertLess(top, -4000)
        self.assertTrue(left < 0 < left + width and top < 0 < top + height)
        self.assertIn('x="4000" y="-4000"', html)
        self.assertIn('<g transform="scale(1 -1)">', html)
        self.assertIn('transform="translate(1500 1000) rotate(90)', html)

    def test_said(self) -> None:
        """Whoever does not see it is told what is seen."""
        svg = self.tree(self.panel(seen(flat_map()))).find(".//svg")
        assert svg is not None
        where = "The robot is in the room “Kitchen”, 1.8 metres from its dock."
        words = f"2 rooms: Kitchen and Room 5. {where}"
        self.assertEqual((svg.get("role"), svg.findtext("title")), ("img", "Map of Dusty"))
        self.assertEqual(svg.findtext("desc"), words)

    def test_none(self) -> None:
        """There is no map: it is said why."""
        online, offline = (self.panel(seen(RobotMap()), on) for on in (True, False))
        asked = self.text(MapPanel(DUSTY, succeed(seen(RobotMap())), True, True))
        self.assertIn("has sent none", asked)
        self.assertIn("is being asked", online)
        self.assertIn("offline", offline)
        self.assertNotIn("<svg", online + offline)

    def test_lost(self) -> None:
        """A robot that does not know where it is, is not drawn anywhere."""
        lost = Position(Point(1, 2, 3, False))
        html = self.panel(seen(flat_map(), position=lost))
        self.assertIn('class="robot" visibility="hidden"', html)
        self.assertIn("not known where the robot is", html)

    def test_policy(self) -> None:
        """Nothing of it needs what the pages forbid."""
        html = self.panel(seen(flat_map()))
        self.assertIsNone(re.search(r"<script|\sstyle=|\son[a-z]+=|javascript:", html))

    def test_hostile(self) -> None:
        """Whatever names are, they stay text."""
        for name in HOSTILE:
            found = flat_map()
            found.rooms = (Room(name, name, SQUARE),)
            found.walls = {name: SQUARE}
            found.path.tid = name
            device = evolve(DUSTY, id=DeviceId(name, "x", "y"))
            html = self.text(MapPanel(device, succeed(seen(found, name)), True))
            self.assertNotIn("<script", html)
            self.assertNotIn("<img", html)
            self.assertNotIn("<!--", html)
            tree = self.tree(re.sub("[\0\x1b]", "", html))
            text = re.sub("[\0\x1b]", "", name)
            self.assertEqual(tree.findtext(".//text"), text)

    @given(st.lists(st.tuples(*[st.integers(-(10**6), 10**6)] * 2), max_size=12))
    def test_any_rooms(self, corners: list[tuple[int, int]]) -> None:
        """Rooms of any shape can be drawn, and a point is in them or not."""
        found = RobotMap(rooms=(Room("1", "x", tuple(corners)),), revision=1)
        self.assertIn("<svg", self.panel(seen(found)))


class PanelsTests(MapCase):
    """The panel, from the server."""

    def test_asked(self) -> None:
        """Whoever looks at a robot has it asked for its map, and not again at once."""
        _, who = self.robot()
        device = self.house.facts.registry.device(who.did)
        panels = MapPanels(self.sight)
        first = self.successResultOf(flattenString(None, panels.panel(device, Visit())))
        self.assertIn(b"is being asked", first)
        self.run_for(12)
        second = self.successResultOf(flattenString(None, panels.panel(device, Visit())))
        self.assertIn(b"<svg", second)
        self.assertFalse(self.successResultOf(self.maps.survey(who.did, 60)))


class ViewTests(SynchronousTestCase):
    """What is seen."""

    def test_inside(self) -> None:
        """A point is in a room, or beside it."""
        ell = ((0, 0), (0, 20), (10, 20), (10, 10), (20, 10), (20, 0))
        for point, inside in (
            ((5, 15), True),
            ((15, 15), False),
            ((15, 5), True),
            ((-1, 5), False),
        ):
            self.assertEqual(is_inside(ell, point), inside, point)
        self.assertFalse(is_inside((), (0, 0)))
        self.assertIsNone(room_at((), (0, 0)))

    def test_listed(self) -> None:
        """Names as people say them."""
        self.assertEqual([listed("abc"[:n]) for n in range(4)], ["", "a", "a and b", "a, b and c"])

    def test_view(self) -> None:
        """Nothing is a small square around the dock; a far corner is seen."""
        view = around([])
        self.assertEqual((view.left, view.right, view.size), (-1000, 1000, 2000))
        self.assertEqual(span([0, 9000]), (-300, 9300))

    def test_long_path(self) -> None:
        """A browser does not get more points than it draws easily; the newest as they came."""
        found = RobotMap()
        found.path = Path("1", snake(20_000))
        points = map_values(seen(found), "")["trace"]["points"]
        self.assertLessEqual(len(points), 4000)
        self.assertEqual(points[-400:], snake(20_000)[-400:])

    def test_many_corners(self) -> None:
        """So it is with corners of rooms; a usual room has all of its own."""
        found = RobotMap()
        jagged = tuple((x, y) for x, y, _ in snake(500))
        found.rooms = (Room("1", "", jagged),)
        self.assertEqual(map_values(seen(found), "")["rooms"][0]["outline"], jagged)
        found.rooms = tuple(Room(str(n), "", jagged) for n in range(64))
        rooms = map_values(seen(found), "")["rooms"]
        self.assertLessEqual(sum(len(room["outline"]) for room in rooms), 4000)


class CoveredTests(PanelCase):
    """Where a robot was in a job."""

    def test_drawn(self) -> None:
        """As wide as it cleans, and not where it was carried."""
        html = self.text(covered([(0, 0, 0), (1000, 0, 0), (5000, 5000, 1), (5000, 6000, 0)]))
        self.assertEqual(html.count('d="M0 0l1000 0M5000 5000l0 1000"'), 2)
        self.assertIn('stroke-width="300"', html)
        self.assertIn("<title>Where the robot has been</title>", html)

    def test_rooms(self) -> None:
        """It is seen in what room that was; all of them are in view."""
        away = ((20_000, 0), (24_000, 0), (24_000, 3000), (20_000, 3000))
        rooms = (Room("1", "<b>Hall", away), Room("2", "Nowhere"))
        html = self.text(covered([(0, 0, 0), (1000, 0, 0)], rooms=rooms))
        self.assertIn('points="20000,0 24000,0 24000,3000 20000,3000"', html)
        self.assertIn("&lt;b&gt;Hall</text>", html)
        self.assertNotIn("Nowhere", html)
        left, _, width, _ = map(int, html.split('viewBox="')[1].split('"')[0].split())
        self.assertTrue(left < 0 and left + width > 24_000)
