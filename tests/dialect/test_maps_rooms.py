"""Rooms, walls and zones as robots send them."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.maps_rooms import (
    MOST_CORNERS,
    MOST_ROOMS,
    Room,
    corners,
    members,
    members_v2,
    name_of,
    room,
    shape,
)
from bumper_tw.simulator.floorplan import known_floor, pack
from tests.dialect.test_maps import values


class MemberTests(SynchronousTestCase):
    """C{getMapSet}, in both ways."""

    def test_old(self) -> None:
        """Ids, and names if there are any."""
        said = {"msid": "8", "subsets": [{"mssid": "3", "name": ""}, {"mssid": 5, "name": "Hall"}]}
        found = members(said)
        self.assertEqual((found.msid, found.rooms), ("8", (Room("3"), Room("5", "Hall"))))

    def test_new(self) -> None:
        """Names and middles."""
        found = members_v2({"msid": "8", "type": "ar", "subsets": known_floor().packed_rooms()})
        self.assertEqual(found.rooms[0], Room("3", "Kitchen", (), (-1500, -250)))
        self.assertEqual(len(found.rooms), 3)

    def test_new_walls(self) -> None:
        """Corners in a row, sometimes behind another number, or as one text."""
        rows = [
            ["0", "1", "2", "3", "4"],
            ["1", "9", "1", "2", "3", "4"],
            ["2", "[5,6,7,8]"],
            ["3", "x", "y"],
        ]
        found = members_v2({"msid": "8", "type": "vw", "subsets": pack(json.dumps(rows).encode())})
        self.assertEqual([each.id for each in found.rooms], ["0", "1", "2", "3"])
        line = ((1, 2), (3, 4))
        self.assertEqual(dict(found.shapes), {"0": line, "1": line, "2": ((5, 6), (7, 8))})

    def test_unnamed(self) -> None:
        """A room without a name is called by its kind, or by its number."""
        rows = [["1", "", "6"], ["2", "", "99"]]
        said = {"type": "ar", "subsets": pack(json.dumps(rows).encode())}
        self.assertEqual([each.label for each in members_v2(said).rooms], ["Bathroom", "Room 2"])

    def test_many(self) -> None:
        """Nobody has a thousand rooms."""
        said = {"subsets": [{"mssid": str(n)} for n in range(1000)]}
        self.assertEqual(len(members(said).rooms), MOST_ROOMS)

    @given(values)
    def test_garbage(self, data: object) -> None:
        """Whatever is in a list, it is read or refused."""
        self.assertLessEqual(len(members(data).rooms), MOST_ROOMS)
        try:
            members_v2({"subsets": pack(json.dumps(data).encode())})
        except ValueError:
            return


class RoomTests(SynchronousTestCase):
    """C{getMapSubSet}."""

    def test_room(self) -> None:
        """The outline, and the middle of it."""
        found = room({"mssid": "3", "name": "Kitchen", "value": "0,0;0,2000;4000,2000;4000,0"})
        self.assertEqual(found.outline, ((0, 0), (0, 2000), (4000, 2000), (4000, 0)))
        self.assertEqual(found.middle, (2000, 1000))

    def test_compressed(self) -> None:
        """The newest robots compress it."""
        found = shape({"value": pack(b"1,2;3,4"), "compress": 1})
        self.assertEqual(found, ((1, 2), (3, 4)))
        with self.assertRaises(ValueError):
            shape({"value": "1,2;3,4", "compress": 1})

    def test_wall(self) -> None:
        """Walls are lists."""
        self.assertEqual(corners("[-2500,-500,-1200,-500]"), ((-2500, -500), (-1200, -500)))

    def test_nowhere(self) -> None:
        """What is no number, or out of all proportion, is left out; so is half a point."""
        self.assertEqual(corners("1,2;nan,3;inf,1;99999999,0;1e400,1;4,5;6"), ((1, 2), (4, 5)))
        self.assertEqual(corners(None), ())
        self.assertEqual(corners("1," * 200_000), ())

    def test_jagged(self) -> None:
        """A room with very many corners has fewer of them, all around it."""
        found = corners(";".join(f"{n},{n % 7}" for n in range(20_000)))
        self.assertLessEqual(len(found), MOST_CORNERS)
        self.assertEqual((found[0][0], found[-1][0] > 19_900), (0, True))

    def test_no_id(self) -> None:
        """What has no id cannot be a room."""
        with self.assertRaises(ValueError):
            room({"name": "Kitchen"})

    @given(st.text(max_size=300))
    def test_names(self, text: str) -> None:
        """Names are one line of 64 letters at most, whatever letters these are."""
        found = name_of(text)
        self.assertTrue(len(found) <= 64 and len(found.splitlines()) <= 1 and "\0" not in found)
