"""Pictures of robots, and what they are made from."""

import zlib
from struct import unpack

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import models, pairing
from bumper_tw.errors import StartError
from bumper_tw.web import pictures
from bumper_tw.web.consumables import CONSUMABLES
from bumper_tw.web.pictures import (
    DRAWN,
    GUIDES,
    NEUTRAL,
    PARTS,
    PATHS,
    PICTURES,
    Picture,
    PictureRoutes,
)
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page
from tools.pictures import PNG_BEGINS, SIZE, png, rendered, shapes

#: Bytes of a picture: apps show dozens of them in one list.
LARGEST = 10_000


def fetch(path: str, *headers: tuple[str, str], method: str = "GET") -> Page:
    """What a client gets from there."""
    routes = PictureRoutes(pictures.load()).routes()
    return Browser(build_site(list(routes), Clock(), Limits())).ask(method, path, headers=headers)


def drawing(page: Page) -> str:
    """The drawing that a page shows."""
    return next(name for name, each in pictures.load().items() if each.body == page.body)


def pixels(picture: bytes) -> bytes:
    """The rows of a PNG of ours as they are, each with a byte in front (ISO/IEC 15948)."""
    assert picture.startswith(PNG_BEGINS)
    at, data = len(PNG_BEGINS), b""
    while at < len(picture):
        size, kind = unpack(">I4s", picture[at : at + 8])
        body = picture[at + 8 : at + 8 + size]
        [checksum] = unpack(">I", picture[at + 8 + size : at + 12 + size])
        assert checksum == zlib.crc32(kind + body)
        data += body if kind == b"IDAT" else b""
        at += 12 + size
    return zlib.decompress(data)


class RouteTests(SynchronousTestCase):
    """What clients see."""

    def test_paths(self) -> None:
        """Every path has a picture for every id."""
        for path in PATHS:
            page = fetch(path.replace("<", "").replace(">", ""))
            self.assertEqual((page.status, page.headers["content-type"]), (200, "image/png"), path)
            self.assertEqual(drawing(page), NEUTRAL)

    def test_categories(self) -> None:
        """The icon of a robot shows one of its kind."""
        for class_id, expected in (("yna5xi", "vacuum"), ("5xu9h3", "mower")):
            model = models.model(class_id)
            assert model is not None
            for front in ("/api/pim/file/get/", "/api/pim/api/pim/file/get/", "/pim/images/"):
                self.assertEqual(drawing(fetch(front + model.icon_id)), expected)
            name = f"{model.icon_id}.png"
            self.assertEqual(drawing(fetch(f"/public/{class_id}/x")), expected)
            self.assertEqual(drawing(fetch(f"/public/x/{name}")), expected)
            self.assertEqual(drawing(fetch(f"/upload/global/2024/01/02/{name}")), expected)

    def test_by_query(self) -> None:
        """A product may be named in many ways."""
        path = "/api/pim/product/image"
        for query in ("mid=yna5xi", "pid=5c19a91ca1e6ee000178224a", "materialNo=110-1820-0101"):
            self.assertEqual(drawing(fetch(f"{path}?{query}")), "vacuum", query)
        self.assertEqual(drawing(fetch(f"{path}?mid=nothing&pid=")), NEUTRAL)

    def test_guides(self) -> None:
        """The pages of the wizard have pictures of their own."""
        for known, name in GUIDES.items():
            self.assertRegex(known, r"\A[0-9a-f]{24}\Z")
            self.assertEqual(drawing(fetch(f"/api/pim/file/get/{known}")), name)

    def test_parts(self) -> None:
        """Each part that wears off has one, too."""
        shown = [drawing(fetch(f"/api/pim/file/get/{each.icon}")) for each in CONSUMABLES]
        self.assertEqual(sorted(shown), sorted(PARTS.values()))

    def test_everything(self) -> None:
        """Whatever can be paired and has a category has a picture of its kind."""
        shown = pictures.drawings()
        for robot in pairing.table().flat:
            if robot.category in DRAWN:
                self.assertEqual(shown[robot.icon_id], DRAWN[robot.category])

    def test_kept(self) -> None:
        """An app need not fetch it again, and may ask whether it has changed."""
        page = fetch("/pim/images/x")
        self.assertIn("max-age=", page.headers["cache-control"])
        tag = page.headers["etag"]
        self.assertRegex(tag, r'\A"[0-9a-f]{16}"\Z')
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = fetch("/pim/images/x", ("If-None-Match", known))
            self.assertEqual((again.status, again.body), (304, b""), known)
            self.assertEqual(again.headers["etag"], tag)
        self.assertEqual(fetch("/pim/images/x", ("If-None-Match", '"x"')).status, 200)

    def test_methods(self) -> None:
        """What the reference takes any method for, POST gets, too; C{HEAD} has no body."""
        self.assertEqual(fetch("/pim/images/x", method="POST").status, 200)
        self.assertEqual(fetch("/api/pim/product/image", method="POST").status, 405)
        self.assertEqual(fetch("/pim/images/x", method="HEAD").status, 200)

    def test_missing(self) -> None:
        """A picture that is not there ends the start."""
        self.assertRaises(StartError, pictures.read, "nothing")


class FileTests(SynchronousTestCase):
    """The files that are shipped."""

    def test_all(self) -> None:
        """Each drawing has its picture, each picture its drawing, and each is in use."""
        used = {*DRAWN.values(), *PARTS.values(), *GUIDES.values(), NEUTRAL}
        for end in ("svg", "png"):
            self.assertEqual({path.stem for path in PICTURES.glob(f"*.{end}")}, used)

    def test_fresh(self) -> None:
        """The pictures are what the tool makes from the drawings."""
        for path in sorted(PICTURES.glob("*.svg")):
            made = png(rendered(path.read_text("utf-8")))
            shipped = path.with_suffix(".png").read_bytes()
            self.assertEqual(pixels(made), pixels(shipped), f"python -m tools.pictures: {path}")

    def test_small(self) -> None:
        """They are square, of the right size, and not too heavy."""
        for path in PICTURES.glob("*.png"):
            body = path.read_bytes()
            self.assertEqual(unpack(">II", body[16:24]), (SIZE, SIZE))
            self.assertLess(len(body), LARGEST)
            self.assertEqual(len(pixels(body)), SIZE * (SIZE * 4 + 1))

    def test_no_links(self) -> None:
        """A drawing leads nowhere, and runs nothing."""
        for path in PICTURES.glob("*.svg"):
            text = path.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
            for word in ("://", "href", "script", "url("):
                self.assertNotIn(word, text, path.name)


class ToolTests(SynchronousTestCase):
    """The tool that makes them."""

    def draw(self, *elements: str) -> dict[tuple[int, int], tuple[int, ...]]:
        """The pixels of a drawing, by place."""
        inside = "".join(elements)
        drawn = rendered(f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>')
        size = range(SIZE)
        return {
            (x, y): tuple(drawn[(y * SIZE + x) * 4 : (y * SIZE + x) * 4 + 4])
            for x in size
            for y in size
        }

    def test_box(self) -> None:
        """A box covers what is in it; half a pixel is half of it."""
        drawn = self.draw('<rect x="10" y="20" width="4.5" height="2" fill="#ff0000"/>')
        red = (255, 0, 0, 255)
        self.assertEqual(
            (drawn[10, 20], drawn[13, 21], drawn[14, 21]), (red, red, (255, 0, 0, 128))
        )
        self.assertEqual({drawn[9, 20], drawn[15, 20], drawn[10, 22], drawn[0, 0]}, {(0,) * 4})

    def test_round(self) -> None:
        """A circle has a middle and no corners; so has a box with round ones."""
        for element in (
            '<circle cx="50" cy="50" r="20" fill="#00ff00"/>',
            '<ellipse cx="50" cy="50" rx="20" ry="20" fill="#00ff00"/>',
            '<rect x="30" y="30" width="40" height="40" rx="20" fill="#00ff00"/>',
        ):
            drawn = self.draw(element)
            self.assertEqual((drawn[50, 50], drawn[31, 31]), ((0, 255, 0, 255), (0,) * 4))

    def test_edges(self) -> None:
        """A line is as thick as it says, and a polygon ends at its edges."""
        drawn = self.draw(
            '<line x1="0" y1="10" x2="9" y2="10" stroke="#0000ff" stroke-width="2"/>'
        )
        blue = (0, 0, 255, 255)
        self.assertEqual((drawn[4, 9], drawn[4, 10], drawn[4, 11]), (blue, blue, (0,) * 4))
        drawn = self.draw('<polygon points="0,0 100,0 0,100" fill="#0000ff"/>')
        self.assertEqual((drawn[10, 10], drawn[90, 90]), (blue, (0,) * 4))

    def test_above(self) -> None:
        """What comes later is above."""
        box = '<rect x="0" y="0" width="9" height="9" fill="{}"/>'
        drawn = self.draw(box.format("#111111"), box.format("#222222"))
        self.assertEqual(drawn[4, 4], (0x22, 0x22, 0x22, 255))

    def test_outside(self) -> None:
        """What is beyond the border is not drawn."""
        drawn = self.draw('<rect x="-50" y="-50" width="500" height="60" fill="#111111"/>')
        self.assertEqual((drawn[191, 9][3], drawn[191, 10][3]), (255, 0))

    def test_unknown(self) -> None:
        """What cannot be drawn is said, and not left out."""
        text = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1 1"/></svg>'
        self.assertRaises(ValueError, shapes, text)

    def test_picture(self) -> None:
        """A tag tells two pictures apart."""
        tags = {pictures.read(name).tag for name in ("robot", "vacuum")}
        self.assertEqual(len(tags), 2)
        self.assertEqual(Picture(b"a", '"t"').answer("").body, b"a")
