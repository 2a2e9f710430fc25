"""The C{com:ctl} words of an XMPP robot, where they differ from other XML robots (xmpp.md 13)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve

from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Identity, Profile
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.state import Activity
from bumper_tw.simulator.xml_commands import COMMANDS
from bumper_tw.simulator.xml_context import Attributes, Reply, XmlCommand, XmlContext, inside, ok
from bumper_tw.simulator.xml_text import Node, write
from bumper_tw.simulator.xmpp_profile import XmppProfile
from bumper_tw.simulator.xmpp_users import USER_COMMANDS, UserList

NO_ERROR = 100
WEDGED = 5
HALTED = "h"
LETTERS = {Activity.CLEANING: "s", Activity.PAUSED: "p"}

EVENT_NAMES = {"GetCleanState": "CleanReport", "GetError": "error", "GetVersion": "version"}
"""What a query is answered with when it has no id; otherwise its name without C{Get}."""


def _error(context: XmlContext, _ctl: Node) -> Reply:
    return ok(errs=_numbers(context))


def _numbers(context: XmlContext) -> str:
    return ",".join(map(str, context.state.errors)) or str(NO_ERROR)


def _nothing(_context: XmlContext, _ctl: Node) -> Reply:
    return ok()


def _clean(context: XmlContext, letter: str = "") -> str:
    # These robots tell by the type that they have stopped, as they are told to (xmpp.md 13.2).
    state = context.state
    step, job = letter or LETTERS.get(state.activity, HALTED), state.job or state.last_job
    attributes: Attributes = {
        "type": job.kind if job and step != HALTED else "stop",
        "speed": context.speed_name(),
        "st": step,
        "t": job.time if job else 0,
        "a": job.area if job else 0,
    }
    return write("clean", attributes)


def _clean_state(context: XmlContext, _ctl: Node) -> Reply:
    return inside(_clean(context))


TABLE: dict[str, XmlCommand] = {
    **COMMANDS,
    "GetCleanState": _clean_state,
    "GetError": _error,
    "GetLog": _nothing,
    "GetAlerts": _nothing,
    "AddSched": _nothing,
    "ModSched": _nothing,
    "DelSched": _nothing,
    "EmptyLog": _nothing,
}


def _battery(context: XmlContext) -> str:
    return write("battery", {"power": f"{context.state.battery:03d}"})


def _charge(context: XmlContext) -> str:
    kind = "SlotCharging" if context.state.docked else "Idle"
    if context.state.activity is Activity.RETURNING:
        kind = "Going"
    return write("charge", {"type": kind, "h": "0", "r": "a"})


CLEAN_LETTERS = {
    Happening.STARTED: "s",
    Happening.PAUSED: "p",
    Happening.RESUMED: "r",
    Happening.JOB_ENDED: HALTED,
}
INSIDE: dict[str, Callable[[XmlContext], str]] = {
    "BatteryInfo": _battery,
    "ChargeState": _charge,
    "CleanReport": _clean,
}
"""Events with a child element, by name."""

AROUND: dict[str, Callable[[XmlContext], Attributes]] = {
    "error": lambda context: {"errs": _numbers(context)},
    "SleepStatus": lambda context: {"st": context.state.sleeping},
    "WaterBoxInfo": lambda context: {"on": context.state.mop},
    "DustCaseST": lambda context: {"st": context.state.bin},
}
"""Events with attributes only, by name."""

EVENTS = {
    Happening.UNDOCKED: "ChargeState",
    Happening.GOING: "ChargeState",
    Happening.DOCKED: "ChargeState",
    Happening.BATTERY: "BatteryInfo",
    Happening.ERROR: "error",
    Happening.SLEEP: "SleepStatus",
    Happening.BIN: "DustCaseST",
    Happening.WATER: "WaterBoxInfo",
}

NO_MORE_ERRORS = write("ctl", {"td": "error", "errs": NO_ERROR}).encode()
WHEEL: Attributes = {"td": "error", "error": "WheelAbnormal", "errno": 103}
WHEEL_ERROR = write("ctl", WHEEL).encode()


@define
class XmppDialect:
    """Commands and events of one XMPP robot."""

    _context: XmlContext
    _users: UserList

    @classmethod
    def of(
        cls, machine: Machine, who: Identity, profile: XmppProfile, users: UserList
    ) -> XmppDialect:
        """Make the words of one robot."""
        habits = Profile(life_shape=profile.life_shape)
        return cls(XmlContext(machine, who, habits), users)

    def knows(self, command: str) -> bool:
        """Tell whether the robot has ever heard of a command."""
        return command in TABLE or command in USER_COMMANDS

    def obey(self, command: str, ctl: Node) -> Reply:
        """Do what was asked for."""
        if command in USER_COMMANDS:
            return USER_COMMANDS[command](self._users, ctl)
        return TABLE[command](self._context, ctl)

    def report(self, name: str) -> bytes:
        """Put the present value into an event, by its name on the wire."""
        if name in INSIDE:
            return _event(name, {}, INSIDE[name](self._context))
        return _event(name, AROUND[name](self._context))

    def event(self, happening: Happening) -> bytes | None:
        """Put what happened into words; often there are none."""
        letter = CLEAN_LETTERS.get(happening)
        if letter is not None:
            return _event("CleanReport", {}, _clean(self._context, letter))
        name = EVENTS.get(happening)
        return None if name is None else self.report(name)


def _event(name: str, attributes: Attributes, inside: str = "") -> bytes:
    return write("ctl", {"td": name, **attributes}, inside).encode()


def answer(command: str, ctl_id: str, reply: Reply) -> bytes | None:
    """
    Write the answer to a command (robots.md 7.3, 2).

    @param ctl_id: of the command; without it a query is answered like an event
    @return: L{None} when the acknowledgement is all there is
    """
    if ctl_id:
        reply = evolve(reply, attributes={"id": ctl_id, **reply.attributes})
    elif reply.attributes.get("ret") == "ok":
        if not command.startswith("Get"):
            return None
        name = EVENT_NAMES.get(command, command.removeprefix("Get"))
        rest = {key: value for key, value in reply.attributes.items() if key != "ret"}
        reply = evolve(reply, attributes={"td": name, **rest})
    return write("ctl", reply.attributes, *reply.inside).encode()
