"""Commands of JSON robots that change something: table name -> function (robots.md 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bumper_tw.simulator.json_context import (
    Code,
    Command,
    Context,
    Fail,
    member,
    text,
    whole,
)
from bumper_tw.simulator.state import Refusal, Refused

REFUSALS = {
    Refusal.DOCKED: Code.DOCKED,
    Refusal.IN_ERROR: Code.IN_ERROR,
    Refusal.BUSY: Code.BUSY,
}
JOB_KINDS = frozenset(
    {
        "auto",
        "spotArea",
        "customArea",
        "spot",
        "mapPoint",
        "singlePoint",
        "area",
        "freeClean",
        "qcClean",
        "comeClean",
        "entrust",
        "move",
    }
)
SPEEDS = (1000, 0, 1, 2)
MOST_SCHEDULES = 32


def _obey(action: Callable[[], None]) -> None:
    try:
        action()
    except Refused as refused:
        raise Fail(REFUSALS[refused.reason]) from refused


def clean(context: Context, data: object) -> None:
    """Old form: type and content beside the act."""
    _clean(context, text(data, "act"), text(data, "type"), text(data, "content"))


def clean_v2(context: Context, data: object) -> None:
    """New form: type and value in C{content}."""
    content = member(data, "content")
    _clean(context, text(data, "act"), text(content, "type"), text(content, "value"))


def _clean(context: Context, act: str, kind: str, content: str) -> None:
    begin = partial(context.machine.start, kind or "auto", content)
    if act not in CLEAN_ACTS and act != "start":
        raise Fail(Code.UNSUPPORTED)
    if act == "start" and (kind or "auto") not in JOB_KINDS:
        raise Fail(Code.UNSUPPORTED)
    _obey(begin if act == "start" else partial(CLEAN_ACTS[act], context))


CLEAN_ACTS: dict[str, Callable[[Context], None]] = {
    "pause": lambda context: context.machine.pause(),
    "resume": lambda context: context.machine.resume(),
    "stop": lambda context: context.machine.stop(),
}


def charge(context: Context, _data: object) -> None:
    _obey(context.machine.charge)


def set_speed(context: Context, data: object) -> None:
    value = whole(data, "speed", 0, 1000)
    if value not in SPEEDS:
        raise Fail(Code.UNSUPPORTED)
    context.state.speed = value
    context.announce("onSpeed")


def set_water(context: Context, data: object) -> None:
    if member(data, "amount") is not None:
        context.state.water = whole(data, "amount", 1, 4)
    elif member(data, "customAmount") is not None:
        whole(data, "customAmount", 0, 50)
    else:
        whole(data, "sweepType", 1, 2)
    context.announce("onWaterInfo")


def set_volume(context: Context, data: object) -> None:
    context.state.volume = whole(data, "volume", 0, 10)
    context.announce("onVolume")


def set_time_zone(context: Context, data: object) -> None:
    context.state.tz = whole(data, "tzm", -1440, 1440)


def reset_life_span(context: Context, data: object) -> None:
    life = context.state.life.get(text(data, "type"))
    if life is None:
        raise Fail(Code.UNSUPPORTED)
    life.left = life.total
    context.announce("onLifeSpan")


def relocate(context: Context, _data: object) -> None:
    timers = context.machine.timers
    timers.drop("relocation")
    timers.after(5, partial(context.announce, "onRelocationState"), "relocation")
    context.announce("onRelocationState")


def work_station(context: Context, _data: object) -> None:
    """Empty the bin for 15 seconds."""
    timers = context.machine.timers
    timers.drop("station")
    timers.after(15, partial(context.announce, "onStationState"), "station")
    context.announce("onStationState")


def move(context: Context, data: object) -> None:
    steps = MOVES.get(text(data, "act"))
    if steps is None:
        raise Fail(Code.UNSUPPORTED)
    context.machine.step_aside(*steps)


MOVES = {
    "forward": (100, 0),
    "backward": (-100, 0),
    "SpinLeft": (0, 15),
    "SpinRight": (0, -15),
    "trunAround": (0, 180),
    "TurnAround": (0, 180),
    "stop": (0, 0),
}


def set_schedule(context: Context, data: object) -> None:
    if not isinstance(data, dict) or text(data, "act") not in ("add", "mod", "del"):
        raise Fail(Code.FAILED)
    others = [s for s in context.state.schedules if s["sid"] != data.get("sid")]
    if data["act"] != "del":
        others.append({"sid": text(data, "sid"), **_without(data, "act", "sid")})
    if len(others) > MOST_SCHEDULES:
        raise Fail(Code.FAILED)
    context.state.schedules[:] = others
    context.announce("onSched_V2")


def _without(data: dict[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in data.items() if key not in keys}


def nothing(context: Context, data: object) -> None:
    """Say that all is well, and do nothing a server could see."""


ACTIONS: dict[str, Command] = {
    "charge": charge,
    "setSpeed": set_speed,
    "setWaterInfo": set_water,
    "setVolume": set_volume,
    "setTimeZone": set_time_zone,
    "resetLifeSpan": reset_life_span,
    "setRelocationState": relocate,
    "setSched_V2": set_schedule,
    "setOta": nothing,
    "playSound": nothing,
    "appping": nothing,
    "move": move,
}

STATION_ACTIONS: dict[str, Command] = {"stationAction": work_station}
"""Only for robots with a station; the others stay silent."""
