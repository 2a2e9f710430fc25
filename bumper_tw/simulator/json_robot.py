"""The words of a JSON robot: envelope, events and commands (mqtt.md 7, robots.md 5)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from zope.interface import implementer

from bumper_tw.simulator.dialect import Event, IDialect
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Generation, Identity, Profile
from bumper_tw.simulator.json_actions import ACTIONS, STATION_ACTIONS, clean, clean_v2
from bumper_tw.simulator.json_context import Command, Context, Fail, member, names
from bumper_tw.simulator.json_map import (
    MAP_COMMANDS,
    NEW_MAP_COMMANDS,
    OLD_MAP_COMMANDS,
    changed_set,
    discovered_piece,
    latest_trace,
)
from bumper_tw.simulator.json_queries import QUERIES, report_stats, zone
from bumper_tw.simulator.json_switches import READS, WRITES
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.platform import PLATFORM, decode, encode, network

CLEANS: dict[Generation, dict[str, Command]] = {
    Generation.OLD: {"clean": clean, **OLD_MAP_COMMANDS},
    Generation.NEW: {"clean_V2": clean_v2, **NEW_MAP_COMMANDS},
}
"""Commands only one generation knows; the other stays silent (robots.md 5.4)."""

CLEAN_INFO = "onCleanInfo"
EVENTS: dict[Happening, tuple[str, ...]] = {
    Happening.STARTED: (CLEAN_INFO,),
    Happening.JOB_STARTED: ("reportStats",),
    Happening.UNDOCKED: ("onChargeState",),
    Happening.PAUSED: (CLEAN_INFO,),
    Happening.RESUMED: (CLEAN_INFO,),
    Happening.JOB_ENDED: ("reportStats",),
    Happening.LEAVING: (CLEAN_INFO,),
    Happening.HALTED: (CLEAN_INFO,),
    Happening.DOCKED: ("onChargeState",),
    Happening.SETTLED: (CLEAN_INFO,),
    Happening.MOVED: ("onPos",),
    Happening.TRACED: ("onMapTrace",),
    Happening.MAPPED: ("onMinorMap",),
    Happening.METRE: ("onStats",),
    Happening.BATTERY: ("onBattery",),
    Happening.SLEEP: ("onSleep",),
    Happening.ERROR: ("onError",),
    Happening.LIFE: ("onLifeSpan",),
    Happening.WATER: ("onWaterInfo",),
    Happening.DIAGNOSTICS: ("onFwBuryPoint-bd_sysinfo",),
}
"""What is not here, an XML robot alone reports."""

GREETINGS = (
    "onFwBuryPoint-bd_basicinfo-evt",
    "onBattery",
    "onChargeState",
    CLEAN_INFO,
    "onSleep",
    "onError",
    "onStats",
)


def _basic_info(context: Context) -> object:
    return [{"sn": context.identity.sn, "fwVer": context.identity.fw, "uptime": "1"}]


def _system_info(context: Context) -> object:
    now = int(context.machine.now())
    pos = context.state.pos
    return [
        {
            "signal": -51,
            "uptime": str(minute * 60),
            "pos": f"{pos.x},{pos.y}",
            "isvalid": 1,
            "mapid": context.machine.plan.mid,
            "ts": str((now - (14 - minute) * 60) * 1000),
        }
        for minute in range(15)
    ]


DIAGNOSTICS: dict[str, Callable[[Context], object]] = {
    "onFwBuryPoint-bd_basicinfo-evt": _basic_info,
    "onFwBuryPoint-bd_sysinfo": _system_info,
}
"""Events whose body is an array (mqtt.md 7.3, 32)."""

REPORTS: dict[str, Command] = {
    "reportStats": report_stats,
    "onMapTrace": latest_trace,
    "onMinorMap": discovered_piece,
    "onMapSet": changed_set,
    "onMapSet_V2": changed_set,
}
"""Events that differ from the query of the same name."""


@implementer(IDialect)
class JsonDialect:
    """Commands and events of one JSON robot."""

    def __init__(
        self,
        machine: Machine,
        identity: Identity,
        profile: Profile,
        send: Callable[[Event], None],
    ) -> None:
        """
        @param send: called with events that commands cause
        """
        announce = partial(_announce, self, send)
        self._context = Context(machine, identity, profile, announce)
        self._new = profile.generation is Generation.NEW
        self._commands = _commands(profile)
        self._header: dict[str, object] = {
            "pri": 1,
            "tzm": 480,
            "ts": "0",
            "ver": "0.0.1",
            "fwVer": identity.fw,
            "hwVer": "0.1.1",
            **({"wkVer": "0.1.60"} if self._new else {}),
        }

    def greetings(self) -> list[str]:
        return list(GREETINGS)

    def events(self, happening: Happening) -> list[Event]:
        return [self.report(name) for name in EVENTS.get(happening, ())]

    def report(self, name: str) -> Event:
        diagnostics = DIAGNOSTICS.get(name)
        if diagnostics is not None:
            return self._event(name, diagnostics(self._context))
        known = "onCleanInfo_V2" if self._new and name == CLEAN_INFO else name
        value = REPORTS.get(known) or self._commands[f"get{known[2:]}"]
        return self._event(known, {"data": value(self._context, None)})

    def answer(self, command: str, letter: str, payload: bytes) -> bytes | None:
        bodyless = PLATFORM.get(command)
        if letter == "x":
            return XML_ANSWERS[command](self._context) if command in XML_ANSWERS else None
        request = decode(payload)
        if bodyless is not None:
            return encode(bodyless(self._context.machine, self._context.identity, request))
        body = self._obey(command, member(request.get("body"), "data"))
        return None if body is None else self._envelope(body)

    def _obey(self, command: str, data: object) -> dict[str, object] | None:
        if command == "getInfo":
            return {"code": 0, "msg": "ok", "data": self._bundle(data)}
        action = self._commands.get(command)
        if action is None:
            return {"code": 20003, "msg": "fail"} if self._context.profile.unknown_fails else None
        try:
            result = action(self._context, data)
        except Fail as fail:
            return {"code": int(fail.code), "msg": fail.msg}
        done: dict[str, object] = {"code": 0, "msg": "ok"}
        return done if result is None else {**done, "data": result}

    def _bundle(self, data: object) -> dict[str, object]:
        wanted = [name for name in names(data) if name.startswith("get") and name != "getInfo"]
        return {name: self._obey(name, None) for name in wanted if name in self._commands}

    def _event(self, name: str, body: object) -> Event:
        return Event(name, self._envelope(body))

    def _envelope(self, body: object) -> bytes:
        context = self._context
        stamp = str(int(context.machine.now() * 1000))
        return encode(
            {"header": {**self._header, "tzm": zone(context), "ts": stamp}, "body": body}
        )


def _announce(dialect: JsonDialect, send: Callable[[Event], None], name: str) -> None:
    send(dialect.report(name))


def _commands(profile: Profile) -> dict[str, Command]:
    station = STATION_ACTIONS if profile.station else {}
    queries = {k: v for k, v in QUERIES.items() if profile.station or k != "getStationState"}
    own = CLEANS[profile.generation]
    return {**queries, **READS, **WRITES, **ACTIONS, **MAP_COMMANDS, **station, **own}


def _version(context: Context) -> bytes:
    return f"<ctl ret='ok'><ver name='FW'>{context.identity.fw}</ver></ctl>".encode()


XML_ANSWERS: dict[str, Callable[[Context], bytes]] = {
    "GetVersion": _version,
    "GetNetInfo": lambda context: encode(network(context.machine, context.identity, None)),
}
"""All that a JSON robot says when it is asked in XML (robots.md 4.2)."""
