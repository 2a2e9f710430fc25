"""State and settings in JSON and in XML (mqtt.md 7.4 and 8.3)."""

from typing import Any

from bumper_tw.dialect import lenient
from bumper_tw.dialect.first_generation import is_n79
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import (
    Answers,
    Phrase,
    Question,
    Situation,
    Translator,
    argument,
    ask,
    ask_inside,
    chosen,
    fields,
    inner,
    order,
    query,
    whole,
)
from bumper_tw.dialect.reports_json import NO_ERROR
from bumper_tw.errors import BadRequest
from bumper_tw.values import Company

#: A battery with so much or less is low.
LOW = 15

#: Consumables by their names in JSON, and the minutes they last when the robot does not say.
PARTS = {"brush": "Brush", "sideBrush": "SideBrush", "heap": "DustCaseHeap"}
LASTS = {"brush": 18_000, "sideBrush": 9_000, "heap": 7_200}

#: Suction: quiet, standard, max and max+; XML robots know two of them.
SPEEDS = {1000: "standard", 0: "standard", 1: "strong", 2: "strong"}
NUMBERS = {"standard": 0, "strong": 1}

#: C{ChargeState} that is in a dock, and in what (mqtt.md 11).
CHARGING = {"SlotCharging": "slot", "WireCharging": "wire"}

#: The sound to find a robot by.
I_AM_HERE = 30

#: What can be switched, and its letter (mqtt.md 8.3, C{GetOnOff}).
DO_NOT_DISTURB, GO_ON = "b", "g"


def battery(ctl: Element) -> dict[str, Any]:
    """C{getBattery}."""
    value = whole(inner(ctl, "battery"), "power")
    return {"value": value, "isLow": int(value <= LOW)}


def charging(ctl: Element) -> dict[str, Any]:
    """C{getChargeState}."""
    mode = CHARGING.get(inner(ctl, "charge").get("type"))
    return {"isCharging": int(mode is not None), "mode": mode or "slot"}


def errors(ctl: Element) -> dict[str, Any]:
    """C{getError}: the current one last, and 0 for none."""
    codes = [lenient.number(each) for each in ctl.get("errs", "errno").split(",")]
    return {"code": [code for code in codes if code and code not in NO_ERROR] or [0]}


def sleep(ctl: Element) -> dict[str, Any]:
    """C{getSleep}."""
    return {"enable": whole(ctl, "st")}


def speed(ctl: Element) -> dict[str, Any]:
    """C{getSpeed}."""
    return {"speed": NUMBERS.get(ctl.get("speed"), 0)}


def set_speed(data: object, _: Situation) -> Phrase:
    """C{setSpeed}."""
    return order(ask("SetCleanSpeed", speed=chosen(data, "speed", SPEEDS)))


def water(said: Answers) -> dict[str, Any]:
    """C{getWaterInfo}: flow and tank, as far as there are answers."""
    flow, tank = said
    told = {} if flow is None else {"amount": whole(flow, "v")}
    return told if tank is None else {"enable": whole(tank, "on"), **told}


def get_water(_: object, __: Situation) -> Phrase:
    """XML robots are asked for flow and tank apart."""
    return Phrase((ask("GetWaterPermeability"), ask("GetWaterBoxInfo")), water)


def set_water(data: object, _: Situation) -> Phrase:
    """C{setWaterInfo}."""
    return order(ask("SetWaterPermeability", v=argument(data, "amount")))


def network(ctl: Element) -> dict[str, Any]:
    """C{getNetInfo}."""
    names = {"ip": "wi", "ssid": "s", "rssi": "st", "mac": "wm"}
    return {json: ctl.get(xml) for json, xml in names.items()}


def version(ctl: Element) -> dict[str, Any]:
    """C{getOta}: the firmware, and no other."""
    found = inner(ctl, "ver").text
    idle = {"progress": 0, "result": "", "isForce": 0, "supportAuto": 0, "autoSwitch": 0}
    return {"status": "idle", "ver": found, **idle}


def wanted(data: object, known: tuple[str, ...]) -> list[str]:
    """
    Which of several things a command is about: all of them when it does not say.

    @raise BadRequest: none of these.
    """
    asked = data if isinstance(data, list) and data else known
    found = [name for name in known if name in asked]
    if not found:
        raise BadRequest(f"only {', '.join(known)} can be asked for")
    return found


def life_span(data: object, situation: Situation) -> Phrase:
    """C{getLifeSpan}: each part is asked for by itself; what the robot has not is left out."""
    names = wanted(data, tuple(PARTS))
    percent = is_n79(situation.model)
    questions = tuple(ask("GetLifeSpan", type=PARTS[name]) for name in names)

    def read(said: Answers) -> list[dict[str, Any]]:
        return [part(name, ctl, percent) for name, ctl in zip(names, said, strict=True) if ctl]

    return Phrase(questions, read)


def part(name: str, ctl: Element, percent: bool) -> dict[str, Any]:
    """One consumable, of the four shapes of mqtt.md 8.3; clients divide by the total."""
    total = None if percent else lenient.natural(ctl.get("total"))
    if ctl.get("left"):
        left = whole(ctl, "left")
        return {"type": name, "left": left, "total": total or max(left, LASTS[name])}
    return {"type": name, "left": whole(ctl, "val"), "total": total or 100}


def reset_life_span(data: object, situation: Situation) -> Phrase:
    """C{resetLifeSpan}; the oldest line has another word for it (mqtt.md 8.3)."""
    kind = chosen(data, "type", PARTS)
    if is_n79(situation.model):
        return order(ask("SetLifeSpan", type=kind, val=100))
    return order(ask("ResetLifeSpan", type=kind))


def position(data: object, _: Situation) -> Phrase:
    """C{getPos}: robot and dock are asked for apart."""
    names = wanted(data, tuple(PLACES))
    questions = tuple(PLACES[name] for name in names)

    def read(said: Answers) -> dict[str, Any]:
        spots = {name: spot(ctl) for name, ctl in zip(names, said, strict=True) if ctl}
        docks = spots.get("chargePos")
        return spots if docks is None else {**spots, "chargePos": [{**docks, "t": 1}]}

    return Phrase(questions, read)


PLACES: dict[str, Question] = {"deebotPos": ask("GetPos"), "chargePos": ask("GetChargerPos")}


def spot(ctl: Element) -> dict[str, Any]:
    """One place."""
    x, _, y = ctl.get("p").partition(",")
    across, along = lenient.number(x), lenient.number(y)
    if across is None or along is None:
        raise ValueError("no place")
    invalid = int(lenient.flag(ctl.get("valid")) is False)
    return {"x": across, "y": along, "a": lenient.number(ctl.get("a")) or 0, "invalid": invalid}


def play_sound(data: object, situation: Situation) -> Phrase:
    """C{playSound}: 30 says where the robot is; over XMPP that is 0 (xmpp.md 13.2)."""
    sid = lenient.natural(fields(data).get("sid", I_AM_HERE)) or 0
    if sid == I_AM_HERE and situation.company is Company.XMPP:
        sid = 0
    return order(ask("PlaySound", sid=sid))


def set_time_zone(data: object, situation: Situation) -> Phrase:
    """C{setTimeZone}: XML robots are told the time with it, and the zone in hours."""
    hours = f"{argument(data, 'tzm') / 60:+g}"
    return order(ask_inside("SetTime", "time", t=int(situation.now), tz=hours))


def switch(ctl: Element) -> dict[str, Any]:
    """Whether something is on."""
    return {"enable": whole(ctl, "on")}


def turn(letter: str, data: object) -> Phrase:
    """Turn something on or off."""
    return order(ask("SetOnOff", t=letter, on=int(argument(data, "enable") != 0)))


def set_block(data: object, _: Situation) -> Phrase:
    """C{setBlock}: do not disturb; XML robots have no hours for it."""
    given = fields(data)
    if argument(data, "enable") and ("start" in given or "end" in given):
        raise BadRequest("do not disturb has no hours in XML")
    return turn(DO_NOT_DISTURB, data)


def set_break_point(data: object, _: Situation) -> Phrase:
    """C{setBreakPoint}: go on after charging."""
    return turn(GO_ON, data)


#: Everything about state and settings.
STATE: dict[str, Translator] = {
    "getBattery": query(ask("GetBatteryInfo"), battery),
    "getChargeState": query(ask("GetChargeState"), charging),
    "getError": query(ask("GetError"), errors),
    "getSleep": query(ask("GetSleepStatus"), sleep),
    "getSpeed": query(ask("GetCleanSpeed"), speed),
    "setSpeed": set_speed,
    "getWaterInfo": get_water,
    "setWaterInfo": set_water,
    "getNetInfo": query(ask("GetNetInfo"), network),
    "getOta": query(ask("GetVersion", name="FW"), version),
    "getLifeSpan": life_span,
    "resetLifeSpan": reset_life_span,
    "getPos": position,
    "playSound": play_sound,
    "setTimeZone": set_time_zone,
    "getBlock": query(ask("GetOnOff", t=DO_NOT_DISTURB), switch),
    "setBlock": set_block,
    "getBreakPoint": query(ask("GetOnOff", t=GO_ON), switch),
    "setBreakPoint": set_break_point,
}
