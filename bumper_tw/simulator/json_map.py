"""Map commands of JSON robots: table name -> function (mqtt.md 7.4, robots.md 5.4)."""

from __future__ import annotations

from itertools import islice

from attrs import evolve

from bumper_tw.simulator.floorplan import (
    CELL,
    GRID,
    PIECES,
    SIDE,
    Floorplan,
    Room,
    TracePoint,
    pack,
    trace,
)
from bumper_tw.simulator.json_context import Code, Command, Context, Fail, member, text, whole

ROOMS, VIRTUAL_WALLS = "ar", "vw"
LATEST_POINTS = 20
MOST_POINTS = 1000
MOST_WALLS = 64


def _plan(context: Context, data: object) -> Floorplan:
    plan = context.machine.plan
    if text(data, "mid", plan.mid) != plan.mid:
        raise Fail(Code.FAILED)
    return plan


def cached_map_info(context: Context, _data: object) -> object:
    active = _map_entry(context.machine.plan.mid, 0, 1, "Ground floor")
    return {"enable": 1, "info": [active, _map_entry("0", 1, 0, "")]}


def _map_entry(mid: str, index: int, used: int, name: str) -> dict[str, object]:
    return {
        "mid": mid,
        "index": index,
        "status": used,
        "using": used,
        "built": used,
        "name": name,
        "angle": 0,
        "backupId": "",
    }


def major_map(context: Context, _data: object) -> object:
    plan = context.machine.plan
    return {
        "mid": plan.mid,
        "pieceWidth": SIDE,
        "pieceHeight": SIDE,
        "cellWidth": GRID,
        "cellHeight": GRID,
        "pixel": CELL,
        "type": "ol",
        "value": ",".join(map(str, plan.checksums())),
    }


def minor_map(context: Context, data: object) -> object:
    plan = _plan(context, data)
    index = whole(data, "pieceIndex", 0, PIECES - 1)
    return {
        "mid": plan.mid,
        "type": "ol",
        "pieceIndex": index,
        "pieceValue": plan.packed_piece(index),
    }


def discovered_piece(context: Context, _data: object) -> object:
    """The piece found last, for C{onMinorMap}, which has no type (mqtt.md 7.3)."""
    plan, index = context.machine.plan, context.machine.piece
    return {"mid": plan.mid, "pieceIndex": index, "pieceValue": plan.packed_piece(index)}


def map_trace(context: Context, data: object) -> object:
    path = context.machine.plan.path
    start = whole(data, "traceStart", 0, 1 << 30)
    count = whole(data, "pointCount", 1, MOST_POINTS)
    if not path:
        raise Fail(Code.FAILED, "get traceinfo error")
    if start >= len(path):
        raise Fail(Code.OUT_OF_RANGE, "get pointCount outof range")
    return _trace(context, start, path[start : start + count])


def latest_trace(context: Context, _data: object) -> object:
    """The end of the path, for C{onMapTrace}."""
    path = context.machine.plan.path
    start = max(len(path) - LATEST_POINTS, 0)
    return _trace(context, start, path[start:])


def _trace(context: Context, start: int, points: list[TracePoint]) -> object:
    plan = context.machine.plan
    return {
        "tid": str(plan.trace_id),
        "totalCount": len(plan.path),
        "traceStart": start,
        "pointCount": len(points),
        "traceValue": pack(trace(points)),
    }


def map_set(context: Context, data: object) -> object:
    plan, kind = _plan(context, data), text(data, "type", ROOMS)
    subsets = [_subset(plan, kind, mssid) for mssid in _members(plan, kind)]
    return {**_set_head(plan, kind), "count": len(subsets), "subsets": subsets}


def _subset(plan: Floorplan, kind: str, mssid: str) -> dict[str, object]:
    value = plan.rooms[mssid].outline() if kind == ROOMS else plan.walls[mssid]
    return {"mssid": mssid, "name": "", "totalcount": str(len(value))}


def _members(plan: Floorplan, kind: str) -> list[str]:
    if kind == ROOMS:
        return list(plan.rooms)
    return list(plan.walls) if kind == VIRTUAL_WALLS else []


def _set_head(plan: Floorplan, kind: str) -> dict[str, object]:
    return {"mid": plan.mid, "msid": plan.msid, "type": kind}


def map_set_v2(context: Context, data: object) -> object:
    plan, kind = _plan(context, data), text(data, "type", ROOMS)
    subsets = plan.packed_rooms() if kind == ROOMS else pack(b"[]")
    return {**_set_head(plan, kind), "count": len(_members(plan, kind)), "subsets": subsets}


def map_subset(context: Context, data: object) -> object:
    plan, kind, mssid = _plan(context, data), text(data, "type", ROOMS), text(data, "mssid")
    if mssid not in _members(plan, kind):
        raise Fail(Code.FAILED)
    head = {**_set_head(plan, kind), "mssid": mssid}
    if kind == ROOMS:
        return {**head, **_room(plan, plan.rooms[mssid])}
    return {**head, "value": plan.walls[mssid], "totalCount": "1", "index": 0}


def _room(plan: Floorplan, room: Room) -> dict[str, object]:
    outline = room.outline()
    return {
        "subtype": room.subtype,
        "name": room.name,
        "connections": ",".join(other for other in plan.rooms if other != room.mssid) + ",",
        "totalCount": str(len(outline)),
        "index": 0,
        "value": outline,
        "compress": 0,
    }


def map_info(context: Context, data: object) -> object:
    plan = _plan(context, data)
    outline = ";".join(room.outline() for room in plan.rooms.values()).encode()
    return {
        "mid": plan.mid,
        "outlineVer": "1",
        "info": pack(outline),
        "infoSize": len(outline),
        "batid": "sim",
        "serial": "1",
        "index": "1",
        "type": text(data, "type", "0"),
        "using": 1,
    }


def map_state(context: Context, _data: object) -> object:
    return {"state": "built" if context.machine.plan.rooms else "building"}


def changed_set(context: Context, _data: object) -> object:
    """What C{onMapSet} says; clients query again."""
    return {"mid": context.machine.plan.mid, "type": ROOMS}


def clear_map(context: Context, _data: object) -> None:
    context.machine.plan.forget()
    _announce(context)


def set_map_subset(context: Context, data: object) -> None:
    plan, act = _plan(context, data), text(data, "act")
    change = SUBSET_ACTS.get(act)
    if change is None:
        raise Fail(Code.UNSUPPORTED)
    change(plan, data)
    plan.redraw()
    _announce(context)


def _add_wall(plan: Floorplan, data: object) -> None:
    number = next(n for n in map(str, range(MOST_WALLS + 1)) if n not in plan.walls)
    if len(plan.walls) >= MOST_WALLS:
        raise Fail(Code.FAILED)
    plan.walls[number] = text(data, "value")[:200]


def _delete(plan: Floorplan, data: object) -> None:
    mssid = text(data, "mssid")
    if text(data, "type", ROOMS) == ROOMS:
        plan.rooms.pop(mssid, None)
    else:
        plan.walls.pop(mssid, None)


def _rename(plan: Floorplan, data: object) -> None:
    room = plan.rooms.get(text(data, "mssid"))
    if room is None:
        raise Fail(Code.FAILED)
    plan.rooms[room.mssid] = evolve(room, name=text(data, "name", room.name)[:64])


def _keep(plan: Floorplan, data: object) -> None:
    """Divide leaves the test map alone: its rooms are rectangles."""


SUBSET_ACTS = {"add": _add_wall, "del": _delete, "mod": _rename, "divide": _keep}


def set_map_set(context: Context, data: object) -> None:
    """Merge: the first room named takes over, the others go."""
    plan = _plan(context, data)
    listed = member(data, "mssid") or text(data, "value")
    merged = [part for part in str(listed).split(",") if part in plan.rooms]
    for mssid in islice(merged, 1, None):
        plan.rooms.pop(mssid, None)
    plan.redraw()
    _announce(context)


def _announce(context: Context) -> None:
    new = context.profile.generation.value == "new"
    context.announce("onMapSet_V2" if new else "onMapSet")
    context.announce("onMajorMap")


MAP_COMMANDS: dict[str, Command] = {
    "getCachedMapInfo": cached_map_info,
    "getMajorMap": major_map,
    "getMinorMap": minor_map,
    "getMapTrace": map_trace,
    "getMapState": map_state,
    "clearMap": clear_map,
    "setMapSubSet": set_map_subset,
    "setMapSet": set_map_set,
}

OLD_MAP_COMMANDS: dict[str, Command] = {
    "getMapSet": map_set,
    "getMapSubSet": map_subset,
    "getMapInfo": map_info,
}

NEW_MAP_COMMANDS: dict[str, Command] = {
    "getMapSet": map_set,
    "getMapSubSet": map_subset,
    "getMapSet_V2": map_set_v2,
    "getMapInfo_V2": map_info,
}
