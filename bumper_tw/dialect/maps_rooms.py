"""What robots say of the rooms of a map, and of where they must not go (mqtt.md 7.4)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen

from bumper_tw.dialect import lenient
from bumper_tw.dialect.maps import FARTHEST, Point, unpack

#: Rooms, virtual walls and zones without a mop, as robots call them.
ROOMS, WALLS, NO_MOP = "ar", "vw", "mw"

#: Nobody has more rooms; walls and zones there are as many at most.
MOST_ROOMS = 64
#: Corners of a room; of an outline with more some are left out.
MOST_CORNERS = 500
#: As long may an outline be, however it is written.
MOST_OUTLINE = 200_000
#: The same for a list of rooms.
MOST_LIST = 100_000

#: Kinds of rooms by their number, for those that have no name (mqtt.md 7.4, "subtype").
KINDS = {
    "1": "Living room",
    "2": "Dining room",
    "3": "Bedroom",
    "4": "Study",
    "5": "Kitchen",
    "6": "Bathroom",
    "7": "Laundry",
    "8": "Lounge",
    "9": "Store room",
    "10": "Children's room",
    "11": "Sunroom",
    "12": "Corridor",
    "13": "Balcony",
    "14": "Gym",
}


@frozen
class Room:
    """
    A room, as far as the robot says.

    @ivar id: what commands know it by.
    @ivar name: what people call it; may be empty.
    @ivar centre: where to write the name.
    """

    id: str
    name: str = ""
    outline: tuple[Point, ...] = ()
    centre: Point | None = None

    @property
    def label(self) -> str:
        """What it is called on a page."""
        return self.name or f"Room {self.id}"

    @property
    def middle(self) -> Point | None:
        """Where its name is written; C{None} if nobody knows where the room is."""
        if self.centre is not None or not self.outline:
            return self.centre
        across, up = zip(*self.outline, strict=True)
        return (min(across) + max(across)) // 2, (min(up) + max(up)) // 2


@frozen
class Members:
    """
    What belongs to a set of rooms, walls or zones.

    @ivar msid: the name of the set.
    @ivar rooms: with what is known of each already; walls have only an id.
    @ivar shapes: where walls and zones are, by id, if the list says that already.
    """

    msid: str
    rooms: tuple[Room, ...]
    shapes: tuple[tuple[str, tuple[Point, ...]], ...] = ()


def members(data: object) -> Members:
    """C{getMapSet}: names of rooms are not always in it."""
    said = lenient.fields(data)
    found = map(lenient.fields, lenient.entries(said.get("subsets"), MOST_ROOMS))
    named = ((lenient.text(each.get("mssid"), 32), name_of(each.get("name"))) for each in found)
    rooms = tuple(Room(mssid, name) for mssid, name in named if mssid)
    return Members(lenient.text(said.get("msid"), 32), rooms)


def members_v2(data: object) -> Members:
    """
    C{getMapSet_V2}: lists of texts, compressed.

    @raise ValueError: that cannot be read.
    """
    said = lenient.fields(data)
    listed = lenient.load(unpack(said.get("subsets"), MOST_LIST))
    found = [row for row in rows(listed) if lenient.text(row[0], 32)]
    msid = lenient.text(said.get("msid"), 32)
    if said.get("type", ROOMS) == ROOMS:
        return Members(msid, tuple(map(listed_room, found)))
    ids = tuple(Room(lenient.text(row[0], 32)) for row in found)
    shapes = [(lenient.text(row[0], 32), listed_shape(row)) for row in found]
    return Members(msid, ids, tuple((mssid, shape) for mssid, shape in shapes if shape))


def rows(listed: object) -> Iterator[list[Any]]:
    """The lists in a list, which have something in them."""
    for row in listed[:MOST_ROOMS] if isinstance(listed, list) else ():
        if isinstance(row, list) and row:
            yield row


def listed_room(row: Sequence[Any]) -> Room:
    """Id, name, kind; and where its middle is, as the sixth and the seventh."""
    name = name_of(row[1]) if len(row) > 1 else ""
    kind = lenient.text(row[2], 8) if len(row) > 2 else ""
    centre = point(row[5], row[6]) if len(row) > 6 else None
    return Room(lenient.text(row[0], 32), name or KINDS.get(kind, ""), (), centre)


def listed_shape(row: Sequence[Any]) -> tuple[Point, ...]:
    """Where a wall or a zone is: a list as text, or the numbers of the row, in pairs."""
    for each in row[1:]:
        if isinstance(each, str) and each.startswith("["):
            return corners(each)
    numbers = [lenient.number(each) for each in row[1:]]
    # Some have a number before the points.
    even = numbers[len(numbers) % 2 :][: 2 * MOST_CORNERS]
    return tuple(paired(even)) if None not in even else ()


def room(data: object) -> Room:
    """
    C{getMapSubSet} of a room.

    @raise ValueError: it has no id, or an outline that cannot be read.
    """
    said = lenient.fields(data)
    mssid = lenient.text(said.get("mssid"), 32)
    if not mssid:
        raise ValueError("a room without an id")
    name = name_of(said.get("name")) or KINDS.get(lenient.text(said.get("subtype"), 8), "")
    return Room(mssid, name, shape(said))


def shape(data: object) -> tuple[Point, ...]:
    """
    Where a room, a wall or a zone is, from C{getMapSubSet}.

    @raise ValueError: it is compressed, and cannot be read.
    """
    said = lenient.fields(data)
    value = said.get("value")
    if lenient.flag(said.get("compress")):
        value = unpack(value, MOST_OUTLINE).decode("ascii", "replace")
    return corners(value)


def corners(value: object) -> tuple[Point, ...]:
    """
    Points, written C{x,y;x,y} or C{[x,y,x,y]}; what is too far away, or no number, is left out.
    """
    if not isinstance(value, str) or len(value) > MOST_OUTLINE:
        return ()
    numbers = value.strip(" []").replace(";", ",").split(",")
    return thinned(tuple(paired(map(lenient.number, numbers))))


def paired(numbers: Iterable[int | None]) -> Iterator[Point]:
    """Two by two."""
    each = iter(numbers)
    for x, y in zip(each, each, strict=False):
        found = point(x, y)
        if found is not None:
            yield found


def point(x: object, y: object) -> Point | None:
    """A point of a house."""
    across, up = lenient.number(x), lenient.number(y)
    if across is None or up is None or max(abs(across), abs(up)) > FARTHEST:
        return None
    return across, up


def thinned(outline: tuple[Point, ...]) -> tuple[Point, ...]:
    """An outline of not too many corners, evenly left out."""
    step = -(-len(outline) // MOST_CORNERS) or 1
    return outline[::step]


def name_of(value: object) -> str:
    """What a room is called, in one line."""
    return " ".join(lenient.text(value, 64).replace("\0", " ").split())
