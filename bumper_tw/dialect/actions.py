"""
What an owner does with a robot, and the command of each deed in JSON names (mqtt.md 7.4).

Robots that speak XML are asked in the same names: L{bumper_tw.core.translation} has theirs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from bumper_tw.dialect.action_arguments import (
    COUNT,
    LEVELS,
    ROOMS,
    VOLUMES,
    WATERS,
    ZONES,
    Argument,
    Given,
    Traits,
    is_json,
)
from bumper_tw.errors import BadRequest

#: What category of robots has a job to begin; the rest only tells something.
MOVING = {"DEEBOT", "GOATBOT", "WINBOT", "AIRBOT", "POOLBOT", "UNKNOWN"}
#: What drives home, and
HOMING = {"DEEBOT", "GOATBOT", "AIRBOT", "UNKNOWN"}
#: what sucks; of a robot that no catalogue knows, it is the most likely thing.
VACUUMS = {"DEEBOT", "UNKNOWN"}
MOWER = "GOATBOT"

#: C{code} of a robot that is to go home, and is there (mqtt.md 7.1).
THERE_ALREADY = 30007
#: C{code} of a robot that does not know a command, or not with this argument.
UNKNOWN_TASK = 20003
#: The sound to find a robot by.
I_AM_HERE = 30
#: What shops write on robots whose station empties the bin.
STATIONS = ("OMNI", "PLUS", "+")
#: What C{getLifeSpan} asks for where a robot wants names.
PARTS = ["brush", "sideBrush", "heap"]


@frozen
class Order:
    """One command; C{data} as in C{body.data}, C{None} for no arguments."""

    name: str
    data: Any = None


#: The command of a deed, the most likely spelling first: which one a robot knows, only it can
#: tell.  Of a L{Action.all_of_them}, all.
Spell = Callable[[Mapping[str, Any], Traits], tuple[Order, ...]]


def holds(traits: Traits) -> bool:
    """Whether a job can be interrupted: the oldest robots forget it when they are to pause."""
    return traits.knows_act


def always(_: Traits) -> bool:
    """Whatever it is."""
    return True


@frozen
class Action:
    """
    One deed.

    @ivar name: in paths.
    @ivar label: on a button.
    @ivar arguments: what there is to choose, for one robot.
    @ivar fits: whether a robot can do that, as far as one can tell.
    @ivar shown: whether it is offered; a robot that only stops takes C{pause} all the same.
    @ivar all_of_them: whether its orders belong together; otherwise one of them is enough.
    """

    name: str
    label: str
    spell: Spell
    fits: Callable[[Traits], bool]
    arguments: tuple[Argument, ...] = ()
    all_of_them: bool = False
    shown: Callable[[Traits], bool] = always
    labels: Mapping[str, str] = field(factory=dict)

    def called(self, traits: Traits) -> str:
        """What it is called for one robot."""
        return self.labels.get(traits.category, self.label)

    def orders(self, given: object, traits: Traits) -> tuple[Order, ...]:
        """
        The commands for what was chosen.

        @param given: by name; C{None} for nothing.
        @raise BadRequest: something is missing, unknown, or out of range.
        """
        return self.spell(self.checked(given, traits), traits)

    def checked(self, given: object, traits: Traits) -> Given:
        """
        What was chosen, in proper kinds, and the usual where it was not.

        @raise BadRequest: as for L{orders}.
        """
        values = {} if given is None else given
        if not isinstance(values, dict):
            raise BadRequest("arguments is not an object")
        known = {argument.name for argument in self.arguments}
        strange = next((name for name in values if name not in known), None)
        if strange is not None:
            raise BadRequest(f"{self.name} has no argument {str(strange)[:40]}")
        return {each.name: each.checked(values.get(each.name), traits) for each in self.arguments}


def job(act: str, kind: str = "", value: str = "", count: int = 0) -> Spell:
    """A command about a job, in both spellings (mqtt.md 7.4, C{clean} and C{clean_V2})."""
    return lambda _, traits: jobs(traits, act, kind, value, count)


def jobs(traits: Traits, act: str, kind: str, value: str, count: int) -> tuple[Order, ...]:
    """The spellings of one job, the most likely first."""
    old: dict[str, Any] = {"act": act}
    content: dict[str, Any] = {"type": kind} if act != "resume" else {}
    if kind:
        old["type"] = kind
    if value:
        old |= {"content": value, "count": count}
        content |= {"value": value, "count": count}
    first, second = Order("clean", old), {"act": act, "content": content}
    if traits.category == MOWER:
        # Mowers have the new arguments under the old name (http-devices.md 3.5).
        return (Order("clean", second),)
    return (Order("clean_V2", second), first) if is_json(traits) else (first,)


def in_rooms(given: Mapping[str, Any], traits: Traits) -> tuple[Order, ...]:
    """A job in some rooms."""
    return jobs(traits, "start", "spotArea", ",".join(given["rooms"]), given["count"])


def in_zones(given: Mapping[str, Any], traits: Traits) -> tuple[Order, ...]:
    """A job in rectangles; several are one behind the other, as points of an outline are."""
    zones = (",".join(map(str, zone)) for zone in given["zones"])
    return jobs(traits, "start", "customArea", ";".join(zones), given["count"])


def plain(name: str, data: Any = None) -> Spell:
    """What is always the same."""
    orders = (Order(name, data),)
    return lambda _, __: orders


def setting(command: str, key: str, argument: str) -> Spell:
    """A command with one number."""
    return lambda given, _: (Order(command, {key: given[argument]}),)


def empty(_: Mapping[str, Any], __: Traits) -> tuple[Order, ...]:
    """What empties the bin: newer stations by the first, older ones by the second."""
    newer = Order("stationAction", {"act": 1, "type": 1})
    return (newer, Order("setAutoEmpty", {"act": "start"}))


def ask_all(_: Mapping[str, Any], traits: Traits) -> tuple[Order, ...]:
    """All that a card shows."""
    names = ("getBattery", "getChargeState", "getCleanInfo", "getError")
    orders = [Order(name) for name in names]
    if traits.category in VACUUMS:
        orders += [Order("getSpeed"), Order("getWaterInfo"), Order("getLifeSpan", PARTS)]
    orders += [Order("getStats"), Order("getTotalStats"), Order("getNetInfo")]
    orders.append(Order("getOta"))
    newer = [Order("getCleanInfo_V2"), Order("getVolume")] if is_json(traits) else []
    return (*orders, *newer)


def moves(traits: Traits) -> bool:
    """Whether it has jobs."""
    return traits.category in MOVING


def knows_places(traits: Traits) -> bool:
    """Whether a job may have a place."""
    return traits.category in VACUUMS and traits.knows_act


ACTIONS: tuple[Action, ...] = (
    Action("clean", "Clean", job("start", "auto"), moves, labels={MOWER: "Mow"}),
    Action("pause", "Pause", job("pause"), moves, shown=holds),
    Action("resume", "Go on", job("resume"), moves, shown=holds),
    Action("stop", "Stop", job("stop"), moves),
    Action(
        "dock",
        "Send home",
        plain("charge", {"act": "go"}),
        lambda traits: traits.category in HOMING,
    ),
    Action(
        "locate",
        "Find it by sound",
        plain("playSound", {"sid": I_AM_HERE, "count": 1}),
        lambda traits: traits.category in HOMING,
    ),
    Action(
        "spot",
        "Clean this spot",
        job("start", "spot"),
        lambda traits: traits.category in VACUUMS,
    ),
    Action(
        "empty",
        "Empty the bin",
        empty,
        lambda traits: is_json(traits) and traits.station,
    ),
    Action("refresh", "Ask how it is", ask_all, lambda _: True, all_of_them=True),
    Action(
        "suction",
        "Suction",
        setting("setSpeed", "speed", "level"),
        lambda traits: traits.category in VACUUMS,
        (LEVELS,),
    ),
    Action(
        "water",
        "Water",
        setting("setWaterInfo", "amount", "level"),
        lambda traits: "water" in traits.seen,
        (WATERS,),
    ),
    Action(
        "volume",
        "Volume",
        setting("setVolume", "volume", "level"),
        lambda traits: is_json(traits) and "volume" in traits.seen,
        (VOLUMES,),
    ),
    Action("rooms", "Clean rooms", in_rooms, knows_places, (ROOMS, COUNT)),
    Action("zone", "Clean a zone", in_zones, knows_places, (ZONES, COUNT)),
)

BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}


def possible(traits: Traits) -> tuple[Action, ...]:
    """What a robot can do, whether it is connected or not."""
    return tuple(each for each in ACTIONS if each.fits(traits) and each.shown(traits))


def named(name: str, traits: Traits) -> Action:
    """
    One of these.

    @raise BadRequest: there is none of that name, or not for this robot.
    """
    action = BY_NAME.get(name)
    if action is None:
        raise BadRequest(f"the actions are {', '.join(BY_NAME)}")
    if not action.fits(traits):
        raise BadRequest(f"this robot is not known to be one that can do {name}")
    return action


def has_station(name: str) -> bool:
    """
    Whether a robot empties itself, by what a shop calls it.

    @param name: as in the catalogue.
    """
    return any(word in name.upper() for word in STATIONS)
