"""What a robot last said of itself, in the words it would use (mqtt.md 7.3)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.readings import (
    Activity,
    Battery,
    Charge,
    Clean,
    Errors,
    FanSpeed,
    LifeSpan,
    Network,
    Reading,
    Report,
    Sleep,
    Stats,
    Totals,
    Volume,
    Water,
)

#: The state and the motion that robots report for what they do (mqtt.md 11).
STATES: dict[Activity, tuple[str, str]] = {
    Activity.CLEANING: ("clean", "working"),
    Activity.PAUSED: ("clean", "pause"),
    Activity.RETURNING: ("goCharging", ""),
    Activity.WASHING: ("washing", ""),
}


def number(text: str) -> int | str:
    """A number, if that is what the robot meant."""
    return int(text) if text.isdecimal() and text.isascii() else text


def clean(reading: Clean) -> dict[str, Any]:
    """The job in hand."""
    trigger = reading.trigger or "app"
    state, motion = STATES.get(reading.activity or Activity.IDLE, ("idle", ""))
    if not motion:
        return {"trigger": trigger, "state": state}
    job = {"motionState": motion, "cid": reading.job, "type": reading.type or "auto"}
    return {"trigger": trigger, "state": state, "cleanState": job}


def stats(reading: Stats) -> dict[str, Any]:
    """The job so far."""
    return {
        "area": reading.area,
        "time": reading.duration,
        "cid": reading.job,
        "start": str(reading.started_at),
        "type": reading.type,
    }


#: Each kind of reading: what robots call it, without C{on} or C{get}, and how it looks.
SHAPES: dict[type[Reading], tuple[str, Callable[[Any], Any]]] = {
    Battery: ("Battery", lambda r: {"value": r.percent, "isLow": int(r.low)}),
    Charge: ("ChargeState", lambda r: {"isCharging": int(r.charging), "mode": r.mode or "slot"}),
    Clean: ("CleanInfo", clean),
    Errors: ("Error", lambda r: {"code": list(r.codes) or [0]}),
    FanSpeed: ("Speed", lambda r: {"speed": number(r.speed)}),
    LifeSpan: (
        "LifeSpan",
        lambda r: [{"type": p.type, "left": p.left, "total": p.total} for p in r.parts],
    ),
    Network: (
        "NetInfo",
        lambda r: {"ip": r.address, "ssid": r.ssid, "rssi": r.rssi, "mac": r.mac},
    ),
    Sleep: ("Sleep", lambda r: {"enable": int(r.asleep)}),
    Stats: ("Stats", stats),
    Totals: (
        "TotalStats",
        lambda r: {"area": r.area, "time": r.duration, "count": r.count},
    ),
    Volume: ("Volume", lambda r: {"volume": r.volume, "total": r.maximum}),
    Water: ("WaterInfo", lambda r: {"amount": r.amount, "enable": int(bool(r.mounted))}),
}


def bare_name(name: str) -> str:
    """C{onBattery}, C{getBattery}, C{GetBatteryInfo} and C{getBattery_V2} without the frills."""
    name = name.removesuffix("_V2")
    if name.startswith("on"):
        name = name[2:]
    elif name[:3].lower() == "get":
        name = name[3:]
    return "Battery" if name == "BatteryInfo" else name


def iso(at: float) -> str:
    """A time as the app expects it: UTC, with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def prop_list(names: Iterable[str], reports: Iterable[Report]) -> list[dict[str, str]]:
    """
    The properties that the robot has reported; the others are left out.

    @param names: as the app asks for them, such as C{onBattery}.
    @param reports: the newest of each kind.
    """
    known = {}
    for report in reports:
        shape = SHAPES.get(type(report.reading))
        if shape is not None:
            name, render = shape
            value = to_json({"body": {"data": render(report.reading)}}).decode("utf-8")
            known[name] = {"value": value, "ts": iso(report.at)}
    return [{"key": n, **known[bare_name(n)]} for n in names if bare_name(n) in known]
