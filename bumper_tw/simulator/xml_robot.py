"""The words of an XML robot: events, and commands as one table (mqtt.md 8, robots.md 6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from zope.interface import implementer

from bumper_tw.simulator.dialect import Event, IDialect, Unfit
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Identity, Profile
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.platform import PLATFORM, decode, encode
from bumper_tw.simulator.state import Activity, Job, RobotState
from bumper_tw.simulator.xml_commands import COMMANDS
from bumper_tw.simulator.xml_context import XmlCommand, XmlContext
from bumper_tw.simulator.xml_text import BadXml, Node, read, write

Attributes = dict[str, object]
GREETINGS = ("BatteryInfo", "ChargeState", "SleepStatus")


def _battery(context: XmlContext) -> str:
    return write("battery", {"power": f"{context.state.battery:03d}"})


def _charge(context: XmlContext) -> str:
    state = context.state
    kind = "SlotCharging" if state.docked else "Idle"
    if state.activity is Activity.RETURNING:
        kind = "Going"
    return write("charge", {"type": kind, "h": "", "r": "", "s": "", "g": "0"})


def _clean(letter: str, context: XmlContext) -> str:
    state = context.state
    job = state.job or state.last_job
    attributes: Attributes = {
        "type": job.kind if job else "auto",
        "speed": context.speed_name(),
        "st": letter,
        "rsn": "a",
        "a": "",
        "l": "",
        "sts": "",
    }
    return write("clean", attributes)


def _job_start(job: Job) -> Attributes:
    return {"act": "s", "type": job.kind, "cs": job.cid}


def _job_end(job: Job) -> Attributes:
    return {
        "act": "h",
        "type": job.kind,
        "sts": job.start,
        "cs": job.cid,
        "area": job.area,
        "last": job.time,
        "mapCount": 12,
    }


def _job_report(context: XmlContext) -> Attributes:
    job = context.state.job or context.state.last_job
    if job is None:
        return {}
    return _job_end(job) if job.stop_reason else _job_start(job)


def _progress(context: XmlContext) -> Attributes:
    job = context.state.job
    if job is None:
        return {}
    return {"a": job.area, "s": job.start, "l": job.time, "t": "", "type": job.kind}


def _position(context: XmlContext) -> Attributes:
    pos = context.state.pos
    return {"t": "p", "p": f"{pos.x},{pos.y}", "a": pos.a, "valid": 1}


def _errors(context: XmlContext) -> Attributes:
    state = context.state
    return {"old": _numbers(state.cleared), "new": _numbers(state.errors) or "100"}


def _numbers(errors: list[int]) -> str:
    return ",".join(map(str, errors))


def _piece(context: XmlContext) -> Attributes:
    plan, index = context.machine.plan, context.machine.piece
    return {"i": plan.mid, "pid": index, "p": plan.packed_piece(index)}


def _sleep(state: RobotState) -> Attributes:
    return {"st": state.sleeping}


INSIDE: dict[str, Callable[[XmlContext], str]] = {
    "BatteryInfo": _battery,
    "ChargeState": _charge,
}
"""Events with a child element, by name."""

AROUND: dict[str, Callable[[XmlContext], Attributes]] = {
    "CleanReportServer": _job_report,
    "BigDataCleanInfoReport": _job_report,
    "CleanSt": _progress,
    "Pos": _position,
    "errors": _errors,
    "MapP": _piece,
    "SleepStatus": lambda context: _sleep(context.state),
    "DustCaseST": lambda context: {"st": context.state.bin},
    "WaterBoxInfo": lambda context: {"on": context.state.mop},
    "trace": lambda context: context.trace(),
}
"""Events with attributes only, by name."""

CLEAN_LETTERS = {
    Happening.STARTED: "s",
    Happening.PAUSED: "p",
    Happening.RESUMED: "r",
    Happening.JOB_ENDED: "h",
}
EVENTS: dict[Happening, tuple[str, ...]] = {
    Happening.JOB_STARTED: ("CleanReportServer",),
    Happening.UNDOCKED: ("ChargeState",),
    Happening.JOB_ENDED: ("CleanReportServer", "BigDataCleanInfoReport"),
    Happening.GOING: ("ChargeState",),
    Happening.DOCKED: ("ChargeState", "SleepStatus"),
    Happening.MOVED: ("Pos",),
    Happening.MAPPED: ("MapP",),
    Happening.PROGRESS: ("CleanSt",),
    Happening.BATTERY: ("BatteryInfo",),
    Happening.SLEEP: ("SleepStatus",),
    Happening.ERROR: ("errors",),
    Happening.BIN: ("DustCaseST",),
    Happening.WATER: ("WaterBoxInfo",),
}


@implementer(IDialect)
class XmlDialect:
    """Commands and events of one XML robot."""

    def __init__(self, machine: Machine, identity: Identity, profile: Profile) -> None:
        self._context = XmlContext(machine, identity, profile)

    def greetings(self) -> list[str]:
        return list(GREETINGS)

    def report(self, name: str) -> Event:
        if name == "CleanReport":
            return self._event(name, {}, partial(_clean, "h")(self._context))
        if name in INSIDE:
            return self._event(name, {}, INSIDE[name](self._context))
        return self._event(name, AROUND[name](self._context))

    def events(self, happening: Happening) -> list[Event]:
        letter = CLEAN_LETTERS.get(happening)
        first = []
        if letter is not None:
            first = [self._event("CleanReport", {}, _clean(letter, self._context))]
        traced = happening is Happening.TRACED and self._context.wants_trace
        names = ("trace",) if traced else EVENTS.get(happening, ())
        return first + [self.report(name) for name in names]

    def answer(self, command: str, letter: str, payload: bytes) -> bytes | None:
        if command in PLATFORM and letter == "j":
            return encode(
                PLATFORM[command](self._context.machine, self._context.identity, decode(payload))
            )
        if letter != "x":
            return None
        try:
            node = read(payload)
        except BadXml as error:
            raise Unfit(f"payload is not one XML element: {error}") from error
        return self._obey(COMMANDS.get(command), node)

    def _obey(self, action: XmlCommand | None, node: Node) -> bytes | None:
        if action is None:
            fails = self._context.profile.unknown_fails
            return write("ctl", {"ret": "fail", "errno": "1"}).encode() if fails else None
        reply = action(self._context, node)
        echoed: Attributes = {key: value for key, value in node.attributes.items() if key == "id"}
        return write("ctl", {**echoed, **reply.attributes}, *reply.inside).encode()

    def _event(self, name: str, attributes: Attributes, inside: str = "") -> Event:
        stamp = int(self._context.machine.now() * 1000)
        return Event(name, write("ctl", {"ts": stamp, "td": name, **attributes}, inside).encode())
