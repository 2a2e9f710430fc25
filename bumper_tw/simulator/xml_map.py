"""Map commands of XML robots: table name -> function (mqtt.md 8.3)."""

from __future__ import annotations

from bumper_tw.simulator.floorplan import CELL, GRID, PIECES, SIDE
from bumper_tw.simulator.xml_context import OK, Reply, XmlCommand, XmlContext, fail, ok
from bumper_tw.simulator.xml_text import Node, write

ROOMS, WALLS = ("sa", "ar"), ("vw", "mw")


def whole_map(context: XmlContext, _node: Node) -> Reply:
    plan = context.machine.plan
    sums = ",".join(map(str, plan.checksums()))
    return ok(i=plan.mid, w=SIDE, h=SIDE, r=GRID, c=GRID, p=CELL, m=sums)


def map_piece(context: XmlContext, node: Node) -> Reply:
    number = node.get("pid")
    if not (number.isascii() and number.isdigit() and len(number) < 3 and int(number) < PIECES):
        return fail(1)
    plan = context.machine.plan
    return ok(i=plan.mid, p=plan.packed_piece(int(number)))


def map_set(context: XmlContext, node: Node) -> Reply:
    plan, kind = context.machine.plan, node.get("tp", "sa")
    if kind not in ROOMS + WALLS:
        return fail(1)
    members = list(plan.rooms if kind in ROOMS else plan.walls)
    rows = tuple(write("m", {"mid": mid, "p": 1}) for mid in members)
    return Reply({**OK, "tp": kind, "msid": plan.msid}, rows)


def map_member(context: XmlContext, node: Node) -> Reply:
    plan, mid = context.machine.plan, node.get("mid")
    if node.get("tp") in ROOMS and mid in plan.rooms:
        return ok(m=plan.rooms[mid].outline())
    if node.get("tp") in WALLS and mid in plan.walls:
        return ok(m=plan.walls[mid])
    return fail(1)


def start_trace(context: XmlContext, _node: Node) -> Reply:
    context.wants_trace = True
    return ok(**context.trace())


MAP_COMMANDS: dict[str, XmlCommand] = {
    "GetMapM": whole_map,
    "PullMP": map_piece,
    "GetMapSet": map_set,
    "PullM": map_member,
    "GetMapSt": lambda _context, _node: ok(st="built", method="auto"),
    "GetTrM": start_trace,
    "RenameM": lambda _context, _node: ok(),
}
