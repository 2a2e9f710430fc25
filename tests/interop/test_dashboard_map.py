"""The map, as a browser has drawn it, beside the floor that the simulator's robots have."""

from bumper_tw.simulator.floorplan import CELL, FLOOR, ROOMS, UNKNOWN, WALL, Room
from tests.interop.browser_case import DESK, BrowserCase

#: How much of the ground the picture hides where there is something of a kind.
HIDES = {UNKNOWN: 0, FLOOR: 105, WALL: 255}

#: The opacity of each dot of the picture, the upmost row first, as the browser has decoded it.
DOTS = """
async () => {
  const shown = document.querySelector("svg.map image.floor");
  const picture = new Image();
  picture.src = shown.href.baseVal;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const box = ["x", "y", "width", "height"].map((each) => shown[each].baseVal.value);
  return { width: canvas.width, box, dots: [...data].filter((_, at) => at % 4 === 3) };
}
"""

#: What room is where a point of the house, in millimetres, is seen.
ROOM_AT = """
([x, y]) => {
  const map = document.querySelector("svg.map");
  map.scrollIntoView({ block: "center" });
  const seen = new DOMPoint(x, -y).matrixTransform(map.getScreenCTM());
  const found = document.elementsFromPoint(seen.x, seen.y);
  return found.map((each) => each.dataset.room).find(Boolean) ?? "";
}
"""

#: Where the robot is drawn; and how long its way is, in letters.
ROBOT = "(document.querySelector('svg.map g.robot')?.getAttribute('transform') ?? '')"
WAY = "(document.querySelector('svg.map path.trace')?.getAttribute('d') ?? '').length"


def cell(x: int, y: int) -> int:
    """What there is at a point of the house, in millimetres: what was drawn last."""
    kinds = [kind(room, x, y) for room in ROOMS]
    return next((each for each in reversed(kinds) if each != UNKNOWN), UNKNOWN)


def kind(room: Room, x: int, y: int) -> int:
    """The same for one room: a wall is as thick as one cell, within the room."""
    inside = room.left <= x < room.right and room.bottom <= y < room.top
    near = min(x - room.left, room.right - 1 - x, y - room.bottom, room.top - 1 - y)
    return UNKNOWN if not inside else WALL if near < CELL else FLOOR


def house() -> tuple[int, int, int, int]:
    """Left, bottom, width and height of all rooms, in millimetres."""
    left, bottom = min(r.left for r in ROOMS), min(r.bottom for r in ROOMS)
    right, top = max(r.right for r in ROOMS), max(r.top for r in ROOMS)
    return left, bottom, right - left, top - bottom


class MapTests(BrowserCase):
    """A robot that knows where it is."""

    def setUp(self) -> None:
        super().setUp()
        self.did = self.robots(self.ports.mqtt, xml=0, speed=8).json[0].did
        self.tab = self.owner(f"/robots/{self.did}", viewport=DESK)

    def test_floor(self) -> None:
        """Each dot of the picture is what the simulator has there, and lies where it is."""
        self.clean()
        left, bottom, width, height = house()
        expected = [
            HIDES[cell(x, y)]
            for y in range(bottom + height - CELL, bottom - CELL, -CELL)
            for x in range(left, left + width, CELL)
        ]
        # It has yet to see a corner of its house.
        whole = f"dots.filter(Boolean).length === {sum(map(bool, expected))}"
        self.tab.until(
            f"document.querySelector('svg.map') && ({DOTS})().then(({{dots}}) => {whole})"
        )
        found = self.tab.look(DOTS)
        self.assertEqual(found["box"], [left, -bottom - height, width, height])
        self.assertEqual(found["width"], width // CELL)
        pairs = enumerate(zip(found["dots"], expected, strict=True))
        self.assertEqual([at for at, (dot, wanted) in pairs if dot != wanted], [])
        for room in ROOMS:
            self.assertEqual(self.tab.look(ROOM_AT, room.centre()), room.mssid)
        self.picture(self.tab, "map")
        self.quiet()

    def clean(self) -> None:
        """Set it to work."""
        self.state(self.tab, self.did, "idle", "docked", "charging")
        self.tab.page.get_by_role("button", name="Clean", exact=True).first.click()
        self.state(self.tab, self.did, "cleaning")

    def test_moves(self) -> None:
        """While it works, it and its way are drawn on, without a reload."""
        self.clean()
        places, ways = set(), set()
        for _ in range(4):
            place = self.tab.look(ROBOT)
            self.tab.until(f"{ROBOT} !== '' && {ROBOT} !== `{place}`")
            places.add(self.tab.look(ROBOT))
            ways.add(self.tab.look(WAY))
        self.assertEqual(len(places), 4)
        self.assertGreater(max(ways), min(ways))
        self.quiet()

    def test_room(self) -> None:
        """
        A room that is pressed on the map is chosen in the form, and is what gets cleaned; on the
        first visit, too, when the map comes after the page.
        """
        self.tab.until("document.querySelector('svg.map [data-room]') !== null")
        room = ROOMS[1]
        self.tab.look(ROOM_AT, room.centre())
        box = self.tab.page.locator(f"svg.map [data-room='{room.mssid}']").bounding_box()
        self.tab.page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
        chosen = f"document.querySelector('input[name=rooms][value=\"{room.mssid}\"]').checked"
        self.tab.until(chosen)
        self.tab.page.click("form[data-action=rooms] button[type=submit]")
        self.state(self.tab, self.did, "cleaning")
        self.quiet()
