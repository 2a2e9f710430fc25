"""What there is to choose when a robot is told to do something: kinds, ranges and words."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from attrs import frozen

from bumper_tw.dialect.first_generation import knows_act
from bumper_tw.dialect.phrases_state import NUMBERS
from bumper_tw.errors import BadRequest
from bumper_tw.values import Company, PayloadKind

#: As many rooms, or rectangles, in one job.
MAX_ROOMS, MAX_ZONES = 50, 5
#: Millimetres from the origin of a map; no home is larger.
FARTHEST = 100_000
#: How loud a robot is at the most, when it does not say.
LOUDEST = 10

#: An id of a room that can stand in a list with commas (mqtt.md 7.4).
A_ROOM = re.compile(r"[A-Za-z0-9_-]{1,32}").fullmatch

#: Arguments that were looked at.
Given = dict[str, Any]


@frozen
class Choice:
    """One of a few values."""

    value: int
    label: str


#: Suction by the generation of the robot (mqtt.md 7.3, 9; 8.3).
JSON_LEVELS = (Choice(1000, "Quiet"), Choice(0, "Standard"), Choice(1, "Strong"),
               Choice(2, "Strongest"))  # fmt: skip
XML_LEVELS = (Choice(0, "Standard"), Choice(1, "Strong"))
WATER_LEVELS = (Choice(1, "Low"), Choice(2, "Medium"), Choice(3, "High"), Choice(4, "Very high"))


@frozen
class Traits:
    """
    What it depends on what a robot can be told.

    @ivar model: its class, C{category} what the catalogue calls such robots.
    @ivar seen: the kinds of readings it has sent.
    @ivar suction: as it names it; empty when it has not said.
    @ivar rooms: the names of its rooms by id; C{None} as long as nobody knows its map.
    @ivar station: whether it has one that empties its bin.
    """

    model: str = ""
    category: str = "UNKNOWN"
    company: Company = Company.MQTT
    kind: PayloadKind = PayloadKind.JSON
    seen: frozenset[str] = frozenset()
    suction: str = ""
    water: int | None = None
    volume: int | None = None
    loudest: int = LOUDEST
    rooms: Mapping[str, str] | None = None
    station: bool = False

    @property
    def knows_act(self) -> bool:
        """Whether it can pause, and knows rooms and rectangles: the oldest robots do not."""
        return knows_act(self.model, self.company)


def is_json(traits: Traits) -> bool:
    """Whether the robot itself speaks JSON."""
    return traits.kind is PayloadKind.JSON


#: What is chosen, as the robot has to be told it.
Check = Callable[[Any, Traits], Any]


@frozen
class Argument:
    """
    One thing to choose.

    @ivar kind: C{choice}, C{number}, C{rooms} or C{zones}.
    @ivar check: raises L{BadRequest} for what cannot be chosen; gets C{None} for nothing.
    @ivar choices: of a C{choice}.
    @ivar range: the least and the most of a C{number}, and of how many.
    @ivar current: what it is now, if that is known.
    """

    name: str
    label: str
    kind: str
    check: Check
    choices: Callable[[Traits], tuple[Choice, ...]] = lambda _: ()
    range: Callable[[Traits], tuple[int, int] | None] = lambda _: None
    current: Callable[[Traits], int | None] = lambda _: None

    def checked(self, value: object, traits: Traits) -> Any:
        """
        A value that a robot can be told.

        @raise BadRequest: it is none.
        """
        return self.check(value, traits)


def whole(value: object, name: str) -> int:
    """
    A whole number, which a form may have spelt.

    @raise BadRequest: it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
        return int(value)
    if isinstance(value, float) and isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"{name} is not a whole number")
    return value


def between(value: object, name: str, least: int, most: int) -> int:
    """
    A whole number in a range.

    @raise BadRequest: it is outside, or none.
    """
    found = whole(value, name)
    if not least <= found <= most:
        raise BadRequest(f"{name} is not between {least} and {most}")
    return found


def levels(traits: Traits) -> tuple[Choice, ...]:
    """How strong a robot can be set."""
    return JSON_LEVELS if is_json(traits) else XML_LEVELS


def one_of(value: object, choices: tuple[Choice, ...]) -> int:
    """
    One of a few numbers.

    @raise BadRequest: it is none of them.
    """
    found = whole(value, "level")
    if found not in {choice.value for choice in choices}:
        told = ", ".join(f"{choice.value} ({choice.label})" for choice in choices)
        raise BadRequest(f"level is none of {told}")
    return found


def suction_now(traits: Traits) -> int | None:
    """How strong it is set, as a number in either generation."""
    said = traits.suction
    return NUMBERS.get(said, int(said) if re.fullmatch(r"[0-9]{1,4}", said) else None)


def rooms_of(traits: Traits) -> Mapping[str, str]:
    """The rooms that can be chosen, by id."""
    return {room: name for room, name in (traits.rooms or {}).items() if A_ROOM(room)}


def check_rooms(value: object, traits: Traits) -> list[str]:
    """
    Ids of rooms, each once.

    @raise BadRequest: they are none, too many, or none of the robot's.
    """
    if not isinstance(value, list) or not value:
        raise BadRequest("rooms is not a list with at least one room")
    if len(value) > MAX_ROOMS:
        raise BadRequest(f"rooms has more than {MAX_ROOMS}")
    found = list(dict.fromkeys(room_id(each) for each in value))
    known = rooms_of(traits)
    strange = [room for room in found if traits.rooms and room not in known]
    if strange:
        raise BadRequest(f"the robot has no room {strange[0]}")
    return found


def room_id(value: object) -> str:
    """
    An id, which may look like a number.

    @raise BadRequest: it is none.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not A_ROOM(text):
        raise BadRequest("a room is not the id of one")
    return text


def check_zones(value: object, _: Traits) -> list[list[int]]:
    """
    Rectangles by two corners, in millimetres of the map.

    @raise BadRequest: they are none, too many, too far away, or without an area.
    """
    if not isinstance(value, list) or not value:
        raise BadRequest("zones is not a list with at least one rectangle")
    if len(value) > MAX_ZONES:
        raise BadRequest(f"zones has more than {MAX_ZONES}")
    return [rectangle(each) for each in value]


def rectangle(value: object) -> list[int]:
    """
    Two corners.

    @raise BadRequest: they are none.
    """
    if not isinstance(value, list) or len(value) != 4:
        raise BadRequest("a zone is not four numbers: x1, y1, x2, y2 in millimetres")
    x1, y1, x2, y2 = (between(each, "a zone", -FARTHEST, FARTHEST) for each in value)
    if x1 == x2 or y1 == y2:
        raise BadRequest("a zone has no area")
    return [x1, y1, x2, y2]


def check_count(value: object, _: Traits) -> int:
    """How often; once when nobody says."""
    return 1 if value is None else between(value, "count", 1, 2)


def check_volume(value: object, traits: Traits) -> int:
    """How loud."""
    return between(value, "level", 0, traits.loudest)


LEVELS = Argument(
    "level",
    "Suction",
    "choice",
    lambda value, traits: one_of(value, levels(traits)),
    choices=levels,
    current=suction_now,
)
WATERS = Argument(
    "level",
    "Water",
    "choice",
    lambda value, _: one_of(value, WATER_LEVELS),
    choices=lambda _: WATER_LEVELS,
    current=lambda traits: traits.water,
)
VOLUMES = Argument(
    "level",
    "Volume",
    "number",
    check_volume,
    range=lambda traits: (0, traits.loudest),
    current=lambda traits: traits.volume,
)
ROOMS = Argument("rooms", "Rooms", "rooms", check_rooms, range=lambda _: (1, MAX_ROOMS))
ZONES = Argument("zones", "Zones", "zones", check_zones, range=lambda _: (1, MAX_ZONES))
COUNT = Argument(
    "count", "How often", "number", check_count, range=lambda _: (1, 2), current=lambda _: 1
)
