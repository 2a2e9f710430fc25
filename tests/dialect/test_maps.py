"""Maps as robots send them."""

import base64
import json
import struct

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect import maps
from bumper_tw.simulator.floorplan import known_floor, pack
from tests.core.atlas import bomb, snake, traced

EMPTY = "XQAABAAQJwAAAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7Jhr4BS5///7YiAAA="
TRACE = "XQAABAAUAAAAAABpAVwIIECnRgJHzBwdxZ6AgR3//8mkAAA="

MAJOR = {"mid": "12", "pieceWidth": 100, "pieceHeight": 100, "cellWidth": 8, "cellHeight": 8,
         "pixel": 50, "type": "ol", "value": ",".join(["1295764014"] * 64)}  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


class UnpackTests(SynchronousTestCase):
    """Compressed values (mqtt.md 7.6)."""

    def test_empty_piece(self) -> None:
        """The published example is 10 000 zero bytes, with the published checksum."""
        cells = maps.piece(maps.Grid(), EMPTY)
        self.assertEqual((cells, maps.checksum(cells)), (bytes(10_000), 1295764014))
        self.assertEqual(maps.EMPTY, 1295764014)

    def test_spaces(self) -> None:
        """Line ends within the letters do not matter."""
        self.assertEqual(maps.unpack(f" {EMPTY[:20]}\r\n{EMPTY[20:]} ", 10_000), bytes(10_000))

    @given(st.binary(min_size=1, max_size=2000))
    def test_round_trip(self, plain: bytes) -> None:
        """What a robot packs comes out, if there is room for exactly that."""
        self.assertEqual(maps.unpack(pack(plain), len(plain)), plain)
        with self.assertRaises(ValueError):
            maps.unpack(pack(plain), len(plain) - 1)

    def test_bomb(self) -> None:
        """What says that it is large is not touched; what says less than there is, is refused."""
        for claimed in (10_000_000, 0xFFFFFFFF):
            with self.assertRaisesRegex(ValueError, "more than"):
                maps.unpack(base64.b64encode(bomb(10_000_000, claimed)).decode(), 10_000)
        lying = base64.b64encode(bomb(10_000_000, 10_000)).decode()
        with self.assertRaises(ValueError):
            maps.unpack(lying, 10_000)

    def test_dictionary(self) -> None:
        """A dictionary of four gigabytes costs no more than what comes out."""
        raw = bytearray(base64.b64decode(EMPTY))
        raw[1:5] = b"\xff\xff\xff\xff"
        self.assertEqual(len(maps.unpack(base64.b64encode(bytes(raw)).decode(), 10_000)), 10_000)

    def test_short(self) -> None:
        """What is cut off anywhere is refused, and so is a piece of another size."""
        raw = base64.b64decode(EMPTY)
        for size in range(len(raw) - 12):
            with self.assertRaises(ValueError):
                maps.unpack(base64.b64encode(raw[:size]).decode(), 10_000)
        with self.assertRaisesRegex(ValueError, "9999 cells"):
            maps.piece(maps.Grid(), pack(bytes(9999)))

    @given(st.text(max_size=200) | st.none() | st.integers() | st.lists(st.text(), max_size=2))
    @example("ä" * 100)
    @example("A" * 100_000)
    def test_garbage(self, text: object) -> None:
        """Whatever it is, it is unpacked or refused."""
        try:
            self.assertLessEqual(len(maps.unpack(text, 100)), 100)
        except ValueError:
            return

    @given(st.binary(max_size=300), st.integers(0, 300))
    def test_noise(self, noise: bytes, size: int) -> None:
        """Noise behind a good header is refused, or has the size it says."""
        raw = b"\x5d\0\0\4\0" + struct.pack("<I", size) + noise
        try:
            self.assertEqual(len(maps.unpack(base64.b64encode(raw).decode(), 300)), size)
        except ValueError:
            return


class MajorTests(SynchronousTestCase):
    """C{getMajorMap}."""

    def test_map(self) -> None:
        """Measures and checksums; the place of a piece is column by column."""
        found = maps.major(MAJOR)
        self.assertEqual(found.grid, maps.Grid("12"))
        self.assertEqual(found.sums, (maps.EMPTY,) * 64)
        self.assertEqual(
            [found.grid.place(n) for n in (0, 7, 8, 27)], [(0, 0), (0, 7), (1, 0), (3, 3)]
        )

    def test_numbers_as_texts(self) -> None:
        """XML robots spell numbers."""
        spelled = {name: str(value) for name, value in MAJOR.items()}
        self.assertEqual(maps.major(spelled), maps.major(MAJOR))

    def test_impossible(self) -> None:
        """Maps of no size, of any size, and with another number of checksums are refused."""
        for wrong in (
            {"pieceWidth": 0},
            {"pieceWidth": 201},
            {"pieceHeight": 10**9},
            {"cellWidth": 33},
            {"cellHeight": -8},
            {"pixel": float("nan")},
            {"pixel": "x"},
            {"value": "1,2,3"},
            {"value": ",".join(["-1"] * 64)},
            {"value": ",".join([str(2**32)] * 64)},
            {"value": "1," * 10**6},
            {"value": ["1"] * 64},
            {"value": None},
        ):
            with self.assertRaises(ValueError, msg=str(wrong)[:60]):
                maps.major({**MAJOR, **wrong})

    @given(values)
    def test_garbage(self, data: object) -> None:
        """Whatever a robot says, it is a map or refused."""
        for read in (maps.major, maps.trace, maps.xml_trace):
            with self.assertRaises(ValueError):
                read(data)
        self.assertEqual(maps.active_map(data), maps.active_map(data).strip("\0"))

    def test_active(self) -> None:
        """The map in use; an empty slot is none."""
        entry = {"mid": "12", "using": 1}
        self.assertEqual(maps.active_map({"info": [{"mid": "7", "using": 0}, entry]}), "12")
        self.assertEqual(maps.active_map({"info": [{"mid": "0", "using": 1}]}), "")
        self.assertEqual(maps.active_map({"info": "x"}), "")


class TraceTests(SynchronousTestCase):
    """Paths."""

    def test_published(self) -> None:
        """The published example: 10 mm units, and a pen that is up."""
        found = maps.points(maps.unpack(TRACE, 20))
        self.assertEqual(found, ((0, 0, 0), (120, -50, 0), (240, -100, 0), (240, 400, 1)))

    def test_json(self) -> None:
        """An event says what of the path it is."""
        found = maps.trace(traced(snake(20), start=220, tid="311", total=240))
        self.assertEqual((found.tid, found.start, found.total), ("311", 220, 240))
        self.assertEqual(list(found.points), snake(20))

    def test_xml(self) -> None:
        """XML robots say from where to where."""
        found = maps.xml_trace({"trid": "63", "tf": "16", "tt": "17", "tr": TRACE})
        self.assertEqual((found.tid, found.start, found.total), ("63", 16, 20))

    def test_bad(self) -> None:
        """Half a point, a million points, and places before the first are refused."""
        good = traced(snake(3))
        for wrong in (
            {"traceValue": pack(bytes(7))},
            {"traceValue": pack(bytes(5_000_000))},
            {"traceStart": -1},
            {"traceStart": 10**12},
            {"totalCount": "many"},
        ):
            with self.assertRaises(ValueError):
                maps.trace({**good, **wrong})


class QuestionTests(SynchronousTestCase):
    """Asking, and what is answered."""

    def test_question(self) -> None:
        """With an envelope; without arguments there is no body."""
        asked = json.loads(maps.question({"mid": "1"}, 12.5))
        self.assertEqual((asked["header"]["ts"], asked["body"]), (12500, {"data": {"mid": "1"}}))
        self.assertNotIn("body", json.loads(maps.question(None, 0)))

    def test_answer(self) -> None:
        """The data; nothing of a refusal, and of what is no answer."""
        self.assertEqual(maps.answer(b'{"body":{"code":0,"data":{"a":1}}}'), {"a": 1})
        self.assertIsNone(maps.answer(b'{"body":{"code":20011,"msg":"fail"}}'))
        self.assertIsNone(maps.answer(b"[]"))
        with self.assertRaises(ValueError):
            maps.answer(b"nonsense")

    def test_plan(self) -> None:
        """Pieces of the simulator fit their checksums."""
        plan = known_floor()
        for index, crc in enumerate(plan.checksums()):
            cells = maps.piece(maps.Grid(), plan.packed_piece(index))
            self.assertEqual(maps.checksum(cells), crc)
