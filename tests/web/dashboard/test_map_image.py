"""The floor as a picture, compared with the plan it was made of, dot by dot."""

import struct
import zlib
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.maps import RobotMap
from bumper_tw.dialect.maps import Grid
from bumper_tw.simulator.floorplan import CELL, ORIGIN
from bumper_tw.web.dashboard.map_image import LARGEST, PALETTE, picture
from tests.web.dashboard.map_house import KINDS, MapCase, seen_cells


def chunks(png: bytes) -> dict[bytes, bytes]:
    """The parts of a PNG file, each with the right checksum."""
    found, at = {}, 8
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(png):
        [size], kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body, [crc] = png[at + 8 : at + 8 + size], struct.unpack(">I", png[at + 8 + size :][:4])
        assert crc == zlib.crc32(kind + body)
        found[kind] = body
        at += size + 12
    return found


def dots(png: bytes) -> list[bytes]:
    """The rows of a picture, the upmost first."""
    parts = chunks(png)
    width, height, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    plain = zlib.decompress(parts[b"IDAT"])
    assert len(plain) == height * (width + 1)
    rows = [plain[n : n + width + 1] for n in range(0, len(plain), width + 1)]
    assert all(row[0] == 0 for row in rows)
    return [row[1:] for row in rows]


class SimulatedTests(MapCase):
    """Robots with a known floor."""

    def compare(self, kind: str) -> None:
        """Every dot is what the robot has there, and nothing of it is missing."""
        robot, who = self.robot(kind)
        plan = robot.machine.plan
        plan.seen.update(plan.inhabited())
        self.assertTrue(self.survey(who))
        found = self.get(f"{who.did}/map").json
        box = found["picture"]
        page = self.get(f"{who.did}/map.png")
        rows = dots(page.body)
        left, top = box["left"] // CELL + ORIGIN, box["top"] // CELL + ORIGIN - 1
        drawn = {
            (left + x, top - y): value
            for y, row in enumerate(rows)
            for x, value in enumerate(row)
            if value
        }
        self.assertEqual(drawn, seen_cells(plan))
        self.assertEqual((len(rows[0]), len(rows)), (box["width"], box["height"]))
        self.assertEqual(page.headers["content-type"], "image/png")

    def test_every_dot(self) -> None:
        """All robots that have maps."""
        for kind in KINDS:
            with self.subTest(kind):
                self.setUp()
                self.compare(kind)


class PictureTests(SynchronousTestCase):
    """Pieces that were made for it."""

    def test_nothing(self) -> None:
        """There is no picture of nothing."""
        self.assertIsNone(picture(RobotMap()))
        self.assertIsNone(picture(RobotMap(pieces={3: bytes(10_000)})))

    def test_one_cell(self) -> None:
        """The one cell right above the middle of the map is one dot, from 0 to 50 mm."""
        cells = bytearray(10_000)
        cells[0] = 2
        found = picture(RobotMap(pieces={4 * 8 + 4: bytes(cells)}))
        assert found is not None
        self.assertEqual((found.left, found.bottom, found.right, found.top), (0, 0, 50, 50))
        self.assertEqual(dots(found.png), [b"\x02"])

    def test_order(self) -> None:
        """Cells come column by column, each from below; pictures row by row, from above."""
        grid = Grid("m", width=2, height=3, columns=1, rows=1)
        found = picture(RobotMap(grid, {0: bytes([1, 2, 3, 4, 5, 1])}))
        assert found is not None
        self.assertEqual(dots(found.png), [bytes([3, 1]), bytes([2, 5]), bytes([1, 4])])

    def test_numbers_of_rooms(self) -> None:
        """What newer robots give a number of its own is floor."""
        found = picture(RobotMap(Grid("m", 2, 1, 1, 1), {0: bytes([6, 255])}))
        assert found is not None
        self.assertEqual(dots(found.png), [b"\1\1"])

    def test_noise(self) -> None:
        """What is no floor is drawn coarsely: its picture stays small, and is where it was."""
        noise = bytes(crc32(n.to_bytes(2, "big")) % 6 for n in range(10_000))
        pieces = {n: noise[n:] + noise[:n] for n in range(256)}
        found = picture(RobotMap(Grid("m", columns=16, rows=16), pieces))
        assert found is not None
        self.assertLessEqual(len(found.png), LARGEST)
        edge = 16 * 100 * 50 // 2
        edges = (found.left, found.bottom, found.right, found.top)
        self.assertEqual(edges, (-edge, -edge, edge, edge))
        rows = dots(found.png)
        self.assertEqual((len(rows), len(rows[0])), (found.height, found.width))
        self.assertLess(found.width, 1600)

    def test_colours(self) -> None:
        """What is not known is not seen; everything else is, and in its own colour."""
        found = picture(RobotMap(Grid("m", 1, 1, 1, 1), {0: b"\1"}))
        assert found is not None
        parts = chunks(found.png)
        self.assertEqual(parts[b"tRNS"][0], 0)
        self.assertTrue(all(parts[b"tRNS"][1:]))
        self.assertEqual(len(set(PALETTE)), 6)

    @given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.data())
    def test_any_cut(self, w: int, h: int, columns: int, rows: int, data: st.DataObject) -> None:
        """Wherever a cell is, however the map is cut, it is drawn where it is."""
        grid = Grid("m", w, h, columns, rows)
        x = data.draw(st.integers(0, w * columns - 1))
        y = data.draw(st.integers(0, h * rows - 1))
        cells = bytearray(w * h)
        cells[x % w * h + y % h] = 2
        found = picture(RobotMap(grid, {x // w * rows + y // h: bytes(cells)}))
        assert found is not None
        self.assertEqual(found.left, (x - w * columns // 2) * 50)
        self.assertEqual(found.bottom, (y - h * rows // 2) * 50)
        self.assertEqual(dots(found.png), [b"\2"])
