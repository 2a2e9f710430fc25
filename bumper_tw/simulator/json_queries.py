"""Queries of JSON robots: table name -> function; events carry the same (mqtt.md 7.3, 7.4)."""

from __future__ import annotations

from bumper_tw.simulator.json_context import Code, Command, Context, Fail, names
from bumper_tw.simulator.machine import LOW_BATTERY
from bumper_tw.simulator.state import Activity, Job, Life, Place

NO_JOB = "111"
"""The C{cid} while there was no job; it must not create a log (robots.md 5.1)."""


def battery(context: Context, _data: object) -> object:
    value = context.state.battery
    return {"value": value, "isLow": int(value <= LOW_BATTERY)}


def charge_state(context: Context, _data: object) -> object:
    return {"isCharging": int(context.state.docked), "mode": "slot"}


def clean_info(context: Context, _data: object) -> object:
    return _clean_info(context, {"id": _cid(context)}, _flat_content(context))


def clean_info_v2(context: Context, _data: object) -> object:
    job = context.state.job
    content = {"type": job.kind if job else "auto", "value": job.content if job else ""}
    return _clean_info(context, {"cid": _cid(context)}, {"content": content})


def _clean_info(context: Context, ids: dict[str, object], content: dict[str, object]) -> object:
    state = context.state
    info: dict[str, object] = {"trigger": state.trigger, "state": STATES[state.activity]}
    if state.job is not None or state.activity is Activity.RETURNING:
        motion = MOTIONS.get(state.activity, "")
        info["cleanState"] = {
            **ids,
            "router": "plan",
            **content,
            "count": 1,
            "motionState": motion,
        }
    return info


def _flat_content(context: Context) -> dict[str, object]:
    job = context.state.job
    return {"type": job.kind if job else "auto", "content": job.content if job else ""}


def _cid(context: Context) -> str:
    job = context.state.job or context.state.last_job
    return job.cid if job else NO_JOB


STATES = {
    Activity.IDLE: "idle",
    Activity.CLEANING: "clean",
    Activity.PAUSED: "clean",
    Activity.RETURNING: "goCharging",
    Activity.ERROR: "idle",
}
MOTIONS = {
    Activity.CLEANING: "working",
    Activity.PAUSED: "pause",
    Activity.RETURNING: "goCharging",
}


def stats(context: Context, _data: object) -> object:
    job = context.state.job or context.state.last_job
    if job is None:
        return {"area": 0, "time": 0, "cid": NO_JOB, "start": "0", "type": "auto"}
    return {
        "area": job.area,
        "time": job.time,
        **_job(job),
        "enablePowerMop": 0,
        "powerMopType": 1,
        "aiopen": 0,
        "aitypes": [],
        "avoidCount": 0,
    }


def report_stats(context: Context, data: object) -> object:
    """Begin or end of a job (mqtt.md 7.3, events 5 and 5b)."""
    job = context.state.job or context.state.last_job
    if job is None:
        return stats(context, data)
    common = {**_job(job), "mapCount": 12}
    if job.stop_reason is None:
        return {**common, "stop": 0}
    return {
        **common,
        "stop": 1,
        "stopReason": job.stop_reason.value,
        "area": job.area,
        "time": job.time,
        "content": job.content,
        "aiavoid": 0,
        "aitypes": [],
        "avoidCount": 0,
    }


def _job(job: Job) -> dict[str, object]:
    return {"cid": job.cid, "start": str(job.start), "type": job.kind}


def total_stats(context: Context, _data: object) -> object:
    totals = context.state.totals
    return {"area": totals.area, "time": totals.time, "count": totals.count}


def life_span(context: Context, data: object) -> object:
    life = context.state.life
    wanted = names(data) or list(life)
    return [_life(name, life[name]) for name in wanted if name in life]


def _life(name: str, life: Life) -> dict[str, object]:
    return {"type": name, "left": life.left, "total": life.total}


def speed(context: Context, _data: object) -> object:
    return {"speed": context.state.speed}


def water_info(context: Context, _data: object) -> object:
    state = context.state
    return {"enable": state.mop, "amount": state.water, "type": 1, "sweepType": 1}


def volume(context: Context, _data: object) -> object:
    return {"volume": context.state.volume, "total": 10}


def error(context: Context, _data: object) -> object:
    return {"code": list(context.state.errors) or [0]}


def position(context: Context, data: object) -> object:
    wanted = names(data) or ["deebotPos", "chargePos"]
    parts = {"deebotPos": _robot_place(context), "chargePos": [_dock(context.state.dock)]}
    chosen = {name: part for name, part in parts.items() if name in wanted}
    return {**chosen, "mid": context.machine.plan.mid}


def _robot_place(context: Context) -> dict[str, int]:
    state, now = context.state, context.machine.now()
    pos = state.pos
    return {"x": pos.x, "y": pos.y, "a": pos.a, "invalid": int(now < state.lifted_until)}


def _dock(dock: Place) -> dict[str, int]:
    return {"x": dock.x, "y": dock.y, "a": dock.a, "t": 1}


def net_info(context: Context, _data: object) -> object:
    who = context.identity
    return {"ip": who.ip, "ssid": who.ssid, "rssi": "-58", "mac": who.mac}


def sleep(context: Context, _data: object) -> object:
    return {"enable": context.state.sleeping}


def time_zone(context: Context, _data: object) -> object:
    return {"tzm": zone(context)}


def zone(context: Context) -> int:
    """Minutes east of UTC; 480 until somebody sets it (robots.md 5.1)."""
    return 480 if context.state.tz is None else context.state.tz


def ota(context: Context, _data: object) -> object:
    return {
        "status": "idle",
        "ver": context.identity.fw,
        "progress": 0,
        "result": "",
        "isForce": 0,
        "supportAuto": 1,
        "autoSwitch": 0,
    }


def schedules(context: Context, _data: object) -> object:
    return list(context.state.schedules)


def relocation_state(context: Context, _data: object) -> object:
    busy = context.machine.timers.running("relocation")
    return {"state": "start" if busy else "ok", "mode": "manu"}


def station_state(context: Context, _data: object) -> object:
    if not context.profile.station:
        raise Fail(Code.UNSUPPORTED)
    busy = int(context.machine.timers.running("station"))
    return {"state": busy, "content": {"type": busy, "motionState": busy, "error": []}}


def work_state(context: Context, _data: object) -> object:
    activity = context.state.activity
    return {
        "robotState": {"state": activity.value},
        "stationState": {"state": "idle"},
        "paused": int(activity is Activity.PAUSED),
    }


QUERIES: dict[str, Command] = {
    "getBattery": battery,
    "getChargeState": charge_state,
    "getCleanInfo": clean_info,
    "getCleanInfo_V2": clean_info_v2,
    "getStats": stats,
    "getTotalStats": total_stats,
    "getLifeSpan": life_span,
    "getSpeed": speed,
    "getWaterInfo": water_info,
    "getVolume": volume,
    "getError": error,
    "getPos": position,
    "getNetInfo": net_info,
    "getSleep": sleep,
    "getTimeZone": time_zone,
    "getOta": ota,
    "getSched": schedules,
    "getSched_V2": schedules,
    "getRelocationState": relocation_state,
    "getStationState": station_state,
    "getWorkState": work_state,
}
