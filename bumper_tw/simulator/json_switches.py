"""The many small settings of JSON robots: one table makes get, set and event (mqtt.md 7.4)."""

from __future__ import annotations

from functools import partial

from bumper_tw.simulator.json_actions import work_station
from bumper_tw.simulator.json_context import Code, Command, Context, Fail, member

ON_OFF = (
    "BreakPoint",
    "CarpertPressure",
    "TrueDetect",
    "AdvancedMode",
    "MultiMapState",
    "CleanPreference",
    "BorderSwitch",
    "SafeProtect",
    "VoiceAssistantState",
    "MoveupWarning",
    "CrossMapBorderWarning",
)

SWITCHES: dict[str, dict[str, object]] = {
    **{name: {"enable": 0} for name in ON_OFF},
    "BorderSpin": {"enable": 0, "type": 1},
    "ChildLock": {"on": 0},
    "Efficiency": {"efficiency": 0},
    "CleanCount": {"count": 1},
    "WorkMode": {"mode": 0},
    "SweepMode": {"type": 0},
    "CustomAreaMode": {"sweepMode": 0},
    "CutDirection": {"angle": 90},
    "AutoEmpty": {"enable": 0, "status": 0, "frequency": "auto"},
    "WashInfo": {"interval": 15, "mode": 0},
    "WashInterval": {"interval": 15},
    "DryingDuration": {"duration": 120},
    "Block": {"enable": 0, "start": "22:00", "end": "8:00"},
}
"""Name without C{get}, C{set} or C{on}, and the first values."""

LARGEST_NUMBER = 1440
LONGEST_TEXT = 16


def read(name: str, context: Context, _data: object) -> object:
    """Give the present values of one switch."""
    return {**SWITCHES[name], **context.state.switches.get(name, {})}


def write(name: str, context: Context, data: object) -> None:
    """
    Change those values the switch has.

    @raise Fail: none of them given, or one of the wrong type or size
    """
    if name == "AutoEmpty" and member(data, "act") == "start" and context.profile.station:
        work_station(context, data)
        return
    known = SWITCHES[name]
    changes = {key: member(data, key) for key in known if member(data, key) is not None}
    if not changes or not all(_fits(known[key], value) for key, value in changes.items()):
        raise Fail(Code.UNSUPPORTED)
    context.state.switches.setdefault(name, {}).update(changes)
    context.announce(f"on{name}")


def _fits(old: object, new: object) -> bool:
    if isinstance(new, bool) or type(new) is not type(old):
        return False
    return len(new) <= LONGEST_TEXT if isinstance(new, str) else _in_range(new)


def _in_range(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= LARGEST_NUMBER


READS: dict[str, Command] = {f"get{name}": partial(read, name) for name in SWITCHES}
WRITES: dict[str, Command] = {f"set{name}": partial(write, name) for name in SWITCHES}
