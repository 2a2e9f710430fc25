"""Commands of XML robots: table name -> function (mqtt.md 8.3, robots.md 6.3)."""

from __future__ import annotations

from collections.abc import Callable

from bumper_tw.simulator.identity import LifeShape
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.state import Activity, Job, Life, Refusal, Refused
from bumper_tw.simulator.xml_context import (
    Attributes,
    Reply,
    XmlCommand,
    XmlContext,
    fail,
    inside,
    ok,
)
from bumper_tw.simulator.xml_map import MAP_COMMANDS
from bumper_tw.simulator.xml_text import Node, escape, write

SPEEDS = {"standard": 0, "strong": 1}
PARTS = {"Brush": "brush", "SideBrush": "sideBrush", "DustCaseHeap": "heap"}
SWITCHES = ("b", "g", "s")


def _refusal(context: XmlContext, refused: Refused) -> Reply:
    if refused.reason is Refusal.DOCKED:
        return fail(8)
    if refused.reason is Refusal.IN_ERROR:
        return fail(context.state.errors[-1] if context.state.errors else 100, error=str(refused))
    # JSON robots have a number for it; 5 is what an XMPP robot that is wedged says (xmpp.md 12).
    return Reply({"ret": "fail", "error": str(refused)})


def clean(context: XmlContext, node: Node) -> Reply:
    asked = node.child("clean") or Node("clean")
    kind, act = asked.get("type", "auto"), asked.get("act", "s")
    if asked.get("speed") in SPEEDS:
        context.state.speed = SPEEDS[asked.get("speed")]
    if kind == "stop":
        act = "h"
    try:
        _clean(context.machine, act, kind, asked.get("mid") or asked.get("p"))
    except Refused as refused:
        return _refusal(context, refused)
    return ok()


def _clean(machine: Machine, act: str, kind: str, content: str) -> None:
    if act == "s":
        machine.start(kind, content)
    elif act in ACTS:
        ACTS[act](machine)


ACTS: dict[str, Callable[[Machine], None]] = {
    "p": Machine.pause,
    "r": Machine.resume,
    "h": Machine.stop,
}


def charge(context: XmlContext, _node: Node) -> Reply:
    try:
        context.machine.charge()
    except Refused as refused:
        return _refusal(context, refused)
    return ok()


def clean_state(context: XmlContext, _node: Node) -> Reply:
    state, job = context.state, context.state.job
    attributes: Attributes = {
        "type": job.kind if job else "auto",
        "speed": context.speed_name(),
        "st": LETTERS.get(state.activity, "h"),
        **(_running(job) if job else {"t": "", "a": "", "s": "", "tr": ""}),
    }
    return inside(write("clean", attributes))


def _running(job: Job) -> Attributes:
    where = "p" if job.content.count(",") == 3 else "mid"
    place: Attributes = {where: job.content} if job.content else {}
    return {"t": job.time, "a": job.area, "s": job.start, "tr": "a", **place}


LETTERS = {Activity.CLEANING: "s", Activity.PAUSED: "p"}


def charge_state(context: XmlContext, _node: Node) -> Reply:
    kind = "SlotCharging" if context.state.docked else "Idle"
    if context.state.activity is Activity.RETURNING:
        kind = "Going"
    return inside(write("charge", {"type": kind, "g": "0"}))


def battery(context: XmlContext, _node: Node) -> Reply:
    return inside(write("battery", {"power": f"{context.state.battery:03d}"}))


def life_span(context: XmlContext, node: Node) -> Reply:
    kind = node.get("type").strip()
    life = context.state.life.get(PARTS.get(kind, ""))
    if life is None:
        return fail(1)
    return ok(**LIFE_SHAPES[context.profile.life_shape](kind, life))


def _percent(kind: str, life: Life) -> Attributes:
    return {"type": kind, "val": life.left * 100 // life.total, "total": 100}


LIFE_SHAPES: dict[LifeShape, Callable[[str, Life], Attributes]] = {
    LifeShape.LEFT_TOTAL: lambda kind, life: {
        "type": kind,
        "left": life.left,
        "total": life.total,
    },
    LifeShape.LEFT: lambda kind, life: {"type": kind, "left": life.left},
    LifeShape.VAL_TOTAL: _percent,
    LifeShape.BLANK: lambda kind, life: {
        "type": f"{kind} ",
        "left": life.left,
        "total": life.total,
    },
}


def reset_life_span(context: XmlContext, node: Node) -> Reply:
    life = context.state.life.get(PARTS.get(node.get("type").strip(), ""))
    if life is None:
        return fail(1)
    life.left = life.total
    return ok()


def set_speed(context: XmlContext, node: Node) -> Reply:
    if node.get("speed") not in SPEEDS:
        return fail(1)
    context.state.speed = SPEEDS[node.get("speed")]
    return ok()


def set_water(context: XmlContext, node: Node) -> Reply:
    if node.get("v") not in ("1", "2", "3", "4"):
        return fail(1)
    context.state.water = int(node.get("v"))
    return ok()


def position(context: XmlContext, _node: Node) -> Reply:
    pos, now = context.state.pos, context.machine.now()
    valid = int(now >= context.state.lifted_until)
    return ok(t="p", p=f"{pos.x},{pos.y}", a=pos.a, valid=valid)


def dock_position(context: XmlContext, _node: Node) -> Reply:
    dock = context.state.dock
    return ok(p=f"{dock.x},{dock.y}", a=dock.a)


def errors(context: XmlContext, _node: Node) -> Reply:
    return ok(errs=",".join(map(str, context.state.errors)))


def clean_sum(context: XmlContext, _node: Node) -> Reply:
    totals = context.state.totals
    return ok(a=totals.area, l=totals.time, c=totals.count)


def clean_logs(context: XmlContext, _node: Node) -> Reply:
    job = context.state.last_job
    if job is None:
        return ok()
    row = {"s": job.start, "a": job.area, "l": job.time, "t": "a", "f": "s"}
    return inside(write("CleanSt", dict(row)))


def switch(context: XmlContext, node: Node) -> Reply:
    name = node.get("t")
    if name not in SWITCHES:
        return fail(1)
    return ok(on=context.state.switches.get(name, {}).get("on", "0"))


def set_switch(context: XmlContext, node: Node) -> Reply:
    name, value = node.get("t"), node.get("on")
    if name not in SWITCHES or value not in ("0", "1"):
        return fail(1)
    context.state.switches[name] = {"on": value}
    return ok()


def version(context: XmlContext, node: Node) -> Reply:
    name = escape(node.get("name", "FW"))
    return inside(f"<ver name='{name}'>{escape(context.identity.fw)}</ver>")


def set_time(context: XmlContext, node: Node) -> Reply:
    seconds = (node.child("time") or Node("time")).get("t")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        return fail(1)
    context.machine.set_clock(int(seconds))
    return ok()


def move(context: XmlContext, node: Node) -> Reply:
    action = (node.child("move") or Node("move")).get("action")
    if action not in MOVES:
        return fail(1)
    context.machine.step_aside(*MOVES[action])
    return ok()


MOVES = {
    "forward": (100, 0),
    "backward": (-100, 0),
    "SpinLeft": (0, 15),
    "SpinRight": (0, -15),
    "TurnAround": (0, 180),
    "trunAround": (0, 180),
    "stop": (0, 0),
}


def nothing(_context: XmlContext, _node: Node) -> Reply:
    return ok()


COMMANDS: dict[str, XmlCommand] = {
    "Clean": clean,
    "Charge": charge,
    "GetCleanState": clean_state,
    "GetChargeState": charge_state,
    "GetBatteryInfo": battery,
    "GetLifeSpan": life_span,
    "ResetLifeSpan": reset_life_span,
    "GetCleanSpeed": lambda context, _node: ok(speed=context.speed_name()),
    "SetCleanSpeed": set_speed,
    "GetWaterPermeability": lambda context, _node: ok(v=context.state.water),
    "SetWaterPermeability": set_water,
    "GetWaterBoxInfo": lambda context, _node: ok(on=context.state.mop),
    "PlaySound": nothing,
    "GetNetInfo": lambda context, _node: ok(wi=context.identity.ip, s=context.identity.ssid),
    "GetPos": position,
    "GetChargerPos": dock_position,
    "GetSleepStatus": lambda context, _node: ok(st=context.state.sleeping),
    "GetError": errors,
    "GetCleanSum": clean_sum,
    "GetCleanLogs": clean_logs,
    "GetLogs": clean_logs,
    "GetOnOff": switch,
    "SetOnOff": set_switch,
    "GetSched": nothing,
    "GetVersion": version,
    "SetTime": set_time,
    "Move": move,
    "SetLifeSpan": nothing,
    **MAP_COMMANDS,
}
