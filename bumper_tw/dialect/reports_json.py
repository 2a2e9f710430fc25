"""JSON reports: the envelope, and one small decoder per subject (mqtt.md 7)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from bumper_tw.dialect.lenient import (
    entries,
    fields,
    flag,
    natural,
    number,
    percent,
    seconds,
    text,
)
from bumper_tw.readings import (
    Activity,
    Battery,
    Charge,
    Clean,
    Errors,
    FanSpeed,
    Firmware,
    LifeSpan,
    MapData,
    Network,
    Notice,
    Part,
    Point,
    Position,
    Reading,
    Sleep,
    Stats,
    Totals,
    Volume,
    Water,
)

#: Reads C{body.data} of one subject: the robot's name for it, and the data.
Decoder = Callable[[str, Any], Iterator[Reading]]

#: How an event is called that answers no question.
EVENT = re.compile(r"(on|off|report)(?=[A-Z])")

#: What a robot gives as job while it has none (mqtt.md 11).
NO_JOB = "111"

#: How pictures of jobs are called.
PICTURE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")

#: Error numbers that mean all is well (mqtt.md 7.3, 8.3).
NO_ERROR = {0, 100}

#: C{state} of a cleaning report (mqtt.md 7.3).  A mop is dried in the dock.
STATES = {
    "idle": Activity.IDLE,
    "clean": Activity.CLEANING,
    "pause": Activity.PAUSED,
    "goCharging": Activity.RETURNING,
    "washing": Activity.WASHING,
    "drying": Activity.DOCKED,
}

#: C{motionState} of a job that is not over (mqtt.md 7.3).
MOTIONS = {
    "working": Activity.CLEANING,
    "pause": Activity.PAUSED,
    "goCharging": Activity.RETURNING,
}

#: C{robotState.state} of the newest models (mqtt.md 7.3); only the first was seen on a wire.
WORK_STATES = {"cleaning": Activity.CLEANING, **STATES}


def readings(name: str, payload: dict[str, Any]) -> Iterator[Reading]:
    """The state in a payload, then the firmware version from its header (mqtt.md 7.1)."""
    yield from state(name, content(payload))
    version = text(fields(payload.get("header")).get("fwVer"))
    if version:
        yield Firmware(version)


def content(payload: dict[str, Any]) -> Any:
    """
    What is in the envelope.

    Platform commands and scripts use none (mqtt.md 7.5).  Diagnostics have a list for a body.

    @return: C{None} if there is nothing, or if the robot reports a failure.
    """
    if payload.get("ret", "ok") != "ok":
        return None
    if "body" not in payload and "header" not in payload:
        return {key: value for key, value in payload.items() if key != "ret"}
    body = payload.get("body")
    return answer(body) if isinstance(body, dict) else body


def answer(body: dict[str, Any]) -> Any:
    """The data of a body; C{None} if there is none or it tells of a failure."""
    return body.get("data") if number(body.get("code", 0)) == 0 else None


def state(name: str, data: Any) -> Iterator[Reading]:
    """The readings in the data of one event or reply."""
    if data is not None:
        yield from decoder(name)(name, data)


def decoder(name: str) -> Decoder:
    """The decoder of an event or reply, by the spellings it may have (mqtt.md 7.2)."""
    base = name.removesuffix("_V2")
    query = EVENT.sub("get", base, count=1)
    for spelling in (name, base, query, base[:1].lower() + base[1:]):
        if spelling in DECODERS:
            return DECODERS[spelling]
    return notice


def notice(name: str, data: Any) -> Iterator[Reading]:
    """What no other decoder knows.  An empty reply is an acknowledgement, not news."""
    if data or EVENT.match(name):
        yield Notice(name, data)


def piece(name: str, data: Any) -> Iterator[Reading]:
    """A piece of map or trace; only clients understand it (mqtt.md 7.6)."""
    if data:
        yield MapData(name, data)


def battery(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 1."""
    charge = percent(fields(data).get("value"))
    if charge is not None:
        yield Battery(charge, bool(flag(fields(data).get("isLow"))))


def charging(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 2."""
    plugged = flag(fields(data).get("isCharging"))
    if plugged is not None:
        yield Charge(plugged, text(fields(data).get("mode")))


def clean(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 3; the second version moves the type into C{content}."""
    data = fields(data)
    job = fields(data.get("cleanState"))
    what = fields(job.get("content"))
    trigger = text(data.get("trigger"))
    word, doing = activity(trigger, text(data.get("state")), text(job.get("motionState")))
    if word or doing:
        job_id = text(job.get("cid")) or text(job.get("id"))
        job_type = text(job.get("type")) or text(what.get("type"))
        yield Clean(doing, word, job_type, job_id, trigger)


def activity(trigger: str, word: str, motion: str) -> tuple[str, Activity | None]:
    """The word that decides, and what it means (mqtt.md 7.3 and 11)."""
    if trigger == "alert":
        return word, Activity.ERROR
    if word == "clean" and motion:
        return motion, MOTIONS.get(motion)
    return word, STATES.get(word)


def work(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 24."""
    data = fields(data)
    word = text(fields(data.get("robotState")).get("state"))
    station = text(fields(data.get("stationState")).get("state"))
    if station == "washing":
        yield Clean(Activity.WASHING, station)
    elif word:
        paused = WORK_STATES.get(word) is Activity.CLEANING and flag(data.get("paused"))
        yield Clean(Activity.PAUSED if paused else WORK_STATES.get(word), word)


def stats(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 4 and 5; without a job or a start it belongs to no cleaning (11)."""
    data = fields(data)
    job, start = text(data.get("cid")), seconds(data.get("start"))
    if job in {"", NO_JOB} or start is None:
        return
    yield Stats(
        job,
        start,
        area=natural(data.get("area")),
        duration=natural(data.get("time")),
        type=text(data.get("type")) or None,
        stopped=bool(flag(data.get("stop"))),
        stop_reason=number(data.get("stopReason")),
        extras=tuple(extras(data)),
    )


def extras(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What only the cleaning log keeps (http-devices.md 5.1)."""
    for name, read in EXTRAS.items():
        value = read(data.get(name))
        if value is not None and value != "":
            yield name, value


def detected(value: Any) -> list[int] | None:
    """The kinds of obstacle that were seen; C{None} if it is no list of them."""
    if not isinstance(value, list):
        return None
    return [kind for kind in map(number, entries(value)) if kind is not None]


def picture(value: Any) -> str:
    """
    What a picture of the job is called.  Its address is at the vendor's, where nobody should
    look for it; only the last part tells one picture from another.
    """
    name = text(value).partition("?")[0].rpartition("/")[2]
    return name if PICTURE.fullmatch(name) else ""


EXTRAS: dict[str, Callable[[Any], Any]] = {
    "aiavoid": number,
    "aitypes": detected,
    "avoidCount": number,
    "enablePowerMop": number,
    "powerMopType": number,
    "aiopen": number,
    "mapCount": number,
    "content": text,
    "imageUrl": picture,
}


def totals(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.4, C{getTotalStats}."""
    data = fields(data)
    area, time = natural(data.get("area")), natural(data.get("time"))
    count = natural(data.get("count"))
    if area is not None and time is not None and count is not None:
        yield Totals(area, time, count)


def errors(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 6.  A list of words we do not know must not look like all is well."""
    said = entries(fields(data).get("code"))
    codes = [code for code in map(number, said) if code is not None]
    if codes or not said:
        yield Errors(tuple(code for code in codes if code not in NO_ERROR))


def position(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 8: either half may be missing, or come as an object or a list."""
    robots = points(fields(data).get("deebotPos"))
    docks = points(fields(data).get("chargePos"))
    if robots or docks:
        yield Position(robots[0] if robots else None, docks)


def points(value: Any) -> tuple[Point, ...]:
    """The places in one half of a position."""
    places = map(point, entries(value, limit=8))
    return tuple(place for place in places if place is not None)


def point(value: Any) -> Point | None:
    """One place, if it says where it is."""
    value = fields(value)
    x, y = number(value.get("x")), number(value.get("y"))
    if x is None or y is None:
        return None
    return Point(x, y, number(value.get("a")) or 0, not flag(value.get("invalid")))


def life_span(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.4, C{getLifeSpan}."""
    parts = tuple(part for part in map(consumable, entries(data)) if part is not None)
    if parts:
        yield LifeSpan(parts)


def consumable(value: Any) -> Part | None:
    """One consumable, if it says what it is and how much is left."""
    value = fields(value)
    type_, left = text(value.get("type"), limit=64).strip(), natural(value.get("left"))
    if not type_ or left is None:
        return None
    return Part(type_, left, natural(value.get("total")) or None)


def fan_speed(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 9."""
    speed = text(fields(data).get("speed"))
    if speed:
        yield FanSpeed(speed)


def water(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 10."""
    amount, mounted = natural(fields(data).get("amount")), flag(fields(data).get("enable"))
    if amount is not None or mounted is not None:
        yield Water(amount, mounted)


def volume(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 21."""
    loudness = natural(fields(data).get("volume"))
    if loudness is not None:
        yield Volume(loudness, natural(fields(data).get("total")))


def sleep(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 11."""
    asleep = flag(fields(data).get("enable"))
    if asleep is not None:
        yield Sleep(asleep)


def network(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.3, 26; and the short names of 7.4, C{GetNetInfo}."""
    data = fields(data)
    found = Network(
        text(data.get("ip")) or text(data.get("wi")),
        text(data.get("ssid")) or text(data.get("s")),
        number(data.get("rssi", data.get("st"))),
        text(data.get("mac")) or text(data.get("wm")),
    )
    if found != Network():
        yield found


def bundle(_: str, data: Any) -> Iterator[Reading]:
    """mqtt.md 7.4, C{getInfo}: single replies by the names of their commands."""
    for name, part in list(fields(data).items())[:64]:
        if decoder(name) is not bundle:
            yield from state(name, answer(fields(part)))


#: Every subject by the query for it, to which L{decoder} reduces the names of events.
DECODERS: dict[str, Decoder] = {
    "getBattery": battery,
    "getChargeState": charging,
    "getCleanInfo": clean,
    "getWorkState": work,
    "getStats": stats,
    "getTotalStats": totals,
    "getError": errors,
    "getPos": position,
    "getLifeSpan": life_span,
    "getSpeed": fan_speed,
    "getWaterInfo": water,
    "getVolume": volume,
    "getSleep": sleep,
    "getNetInfo": network,
    "getInfo": bundle,
    "getCachedMapInfo": piece,
    "getMajorMap": piece,
    "getMinorMap": piece,
    "getMapInfo": piece,
    "getMapSet": piece,
    "getMapSubSet": piece,
    "getMapTrace": piece,
}
