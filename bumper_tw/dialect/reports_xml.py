"""XML reports: one small decoder per subject (mqtt.md 8, xmpp.md 13.2)."""

from collections.abc import Callable, Iterator

from bumper_tw.dialect.lenient import flag, natural, number, percent, seconds, text
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.reports_json import NO_ERROR, NO_JOB
from bumper_tw.readings import (
    Activity,
    Battery,
    Charge,
    Clean,
    DeviceInfo,
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
    Water,
)

#: Reads a C{ctl} element: the robot's name for the subject, and the element.
Decoder = Callable[[str, Element], Iterator[Reading]]

#: Attributes that are about the message, not about the robot.
ENVELOPE = {"td", "ts", "id", "ret"}

#: The child that an answer has, and the event that says the same (mqtt.md 8.3).
INSIDE = {
    "battery": "BatteryInfo",
    "charge": "ChargeState",
    "clean": "CleanReport",
    "ver": "version",
}

#: The same for attributes that no other answer has together.
MARKS: dict[frozenset[str], str] = {
    frozenset({"errs"}): "error",
    frozenset({"type", "left"}): "LifeSpan",
    frozenset({"type", "val"}): "LifeSpan",
    frozenset({"a", "l", "c"}): "CleanSum",
    frozenset({"t", "p", "a", "valid"}): "Pos",
    frozenset({"wi"}): "NetInfo",
    frozenset({"speed"}): "CleanSpeed",
    frozenset({"v"}): "WaterPermeability",
}

#: C{clean@st} (mqtt.md 8.2).
STEPS = {
    "s": Activity.CLEANING,
    "r": Activity.CLEANING,
    "p": Activity.PAUSED,
    "h": Activity.IDLE,
}

#: C{clean@type} that ends a job, whatever its type was.
NO_TYPE = "stop"

#: C{clean@type} where there is no C{st}, as from the oldest robots (xmpp.md 13.2).
TYPES = {
    "auto": Activity.CLEANING,
    "border": Activity.CLEANING,
    "spot": Activity.CLEANING,
    "singleroom": Activity.CLEANING,
    "spotarea": Activity.CLEANING,
    NO_TYPE: Activity.IDLE,
}

#: C{charge@type}, and whether current flows (mqtt.md 11).
CHARGES = {"SlotCharging": True, "WireCharging": True, "Going": False, "Idle": False}


def readings(name: str, ctl: Element) -> Iterator[Reading]:
    """
    The state in one C{ctl} element.

    @param name: the event or the command; if it is empty, C{td} tells, or what is in it: an
        answer over XMPP does not say what the question was.
    """
    if ctl.get("ret") in {"", "ok"}:
        name = name or text(ctl.get("td")) or subject(ctl)
        if name:
            yield from DECODERS.get(name.removeprefix("Get"), notice)(name, ctl)


def subject(ctl: Element) -> str:
    """What an answer is about, by what only answers about that have; empty for any other."""
    inside = {child.name for child in ctl.children}
    known = [name for child, name in INSIDE.items() if child in inside]
    known += [name for marks, name in MARKS.items() if marks <= ctl.attributes.keys()]
    return known[0] if known else ""


def told(ctl: Element) -> dict[str, object]:
    """An element as JSON values, without its envelope."""
    return {key: value for key, value in ctl.plain().items() if key not in ENVELOPE}


def notice(name: str, ctl: Element) -> Iterator[Reading]:
    """What no other decoder knows.  C{ret='ok'} alone is an acknowledgement, not news."""
    data = told(ctl)
    if data or not ctl.get("ret"):
        yield Notice(name, data)


def piece(name: str, ctl: Element) -> Iterator[Reading]:
    """A piece of map or trace; only clients understand it (mqtt.md 7.6)."""
    data = told(ctl)
    if data:
        yield MapData(name, data)


def battery(_: str, ctl: Element) -> Iterator[Reading]:
    """C{<battery power='087'/>}: percent, may be zero-padded."""
    charge = percent(inner(ctl, "battery").get("power"))
    if charge is not None:
        yield Battery(charge)


def inner(ctl: Element, name: str) -> Element:
    """The child of that name; an empty one if there is none."""
    return ctl.child(name) or Element(name)


def charging(name: str, ctl: Element) -> Iterator[Reading]:
    """C{<charge type='SlotCharging'/>}; one that goes to its dock is charged by nothing yet."""
    mode = text(inner(ctl, "charge").get("type"))
    if mode not in CHARGES:
        yield from notice(name, ctl)
        return
    yield Charge(CHARGES[mode], mode)
    if mode == "Going":
        yield Clean(Activity.RETURNING, mode)


def clean(_: str, ctl: Element) -> Iterator[Reading]:
    """
    C{<clean type='auto' speed='standard' st='s' rsn='a'/>}, and the job so far in it if it
    tells when that began: C{a} area, C{t} or C{l} seconds, C{s} or C{sts} start.
    """
    job = inner(ctl, "clean")
    step, type_ = text(job.get("st")), text(job.get("type"))
    doing = STEPS.get(step) if step else TYPES.get(type_.lower())
    if step or type_:
        trigger = text(job.get("rsn", "tr"))
        yield Clean(doing, step or type_, type_, text(job.get("cs")), trigger)
    yield from fan_speed("", job)
    start, last = seconds(job.get("sts", "s")), job.get("l", "t")
    yield from stats(job, text(job.get("cs")), start, last, doing is Activity.IDLE)


def boundary(_: str, ctl: Element) -> Iterator[Reading]:
    """C{CleanReportServer}: a job starts (C{act='s'}) or ends (C{'h'})."""
    job, act = text(ctl.get("cs")), ctl.get("act")
    if job not in {"", NO_JOB} and act in {"s", "h"}:
        yield from stats(ctl, job, seconds(ctl.get("sts")), ctl.get("last"), act == "h")


def progress(_: str, ctl: Element) -> Iterator[Reading]:
    """C{CleanSt}: every ten seconds; most robots do not tell the number of the job."""
    job = text(ctl.get("cs"))
    if job != NO_JOB:
        yield from stats(ctl, job, seconds(ctl.get("s")), ctl.get("l"), False)


def stats(
    ctl: Element, job: str, start: int | None, last: str, stopped: bool
) -> Iterator[Reading]:
    """A job so far; without its start it belongs to no cleaning (mqtt.md 11)."""
    if start is None:
        return
    area, maps = natural(ctl.get("area", "a")), natural(ctl.get("mapCount"))
    kind = text(ctl.get("type")) or NO_TYPE
    yield Stats(
        job,
        start,
        area=area,
        duration=natural(last),
        type=kind if kind.lower() != NO_TYPE else None,
        stopped=stopped,
        extras=() if maps is None else (("mapCount", maps),),
    )


def totals(_: str, ctl: Element) -> Iterator[Reading]:
    """C{GetCleanSum}: C{a} area, C{l} seconds, C{c} jobs."""
    area, time, count = (natural(ctl.get(name)) for name in ("a", "l", "c"))
    if area is not None and time is not None and count is not None:
        yield Totals(area, time, count)


def errors(_: str, ctl: Element) -> Iterator[Reading]:
    """C{new}, C{errs} or C{errno}: numbers with commas; empty is well (mqtt.md 8.2)."""
    if not {"new", "errs", "errno"} & ctl.attributes.keys():
        return
    said = [word for word in ctl.get("new", "errs", "errno")[:400].split(",") if word.strip()]
    codes = [code for code in map(number, said) if code is not None]
    if codes or not said:
        yield Errors(tuple(code for code in codes if code not in NO_ERROR))


def position(_: str, ctl: Element) -> Iterator[Reading]:
    """C{p='1240,-655' a='90' valid='1'}."""
    place = point(ctl)
    if place is not None:
        yield Position(place)


def dock(_: str, ctl: Element) -> Iterator[Reading]:
    """C{GetChargerPos}: C{p='0,0' a='0'}."""
    place = point(ctl)
    if place is not None:
        yield Position(docks=(place,))


def point(ctl: Element) -> Point | None:
    """One place, if it says where it is."""
    x, _, y = ctl.get("p").partition(",")
    across, along = number(x), number(y)
    if across is None or along is None:
        return None
    return Point(across, along, number(ctl.get("a")) or 0, flag(ctl.get("valid")) is not False)


def life_span(_: str, ctl: Element) -> Iterator[Reading]:
    """
    The four shapes of mqtt.md 8.3, C{GetLifeSpan}: C{left} is minutes, C{val} percent
    unless C{total} says of what.  One model puts a blank behind the type.
    """
    left, value = natural(ctl.get("left")), natural(ctl.get("val"))
    total = natural(ctl.get("total")) or (100 if left is None else None)
    remaining = value if left is None else left
    type_ = text(ctl.get("type")).strip()
    if type_ and remaining is not None:
        yield LifeSpan((Part(type_, remaining, total),))


def fan_speed(_: str, element: Element) -> Iterator[Reading]:
    """C{speed='standard'}."""
    speed = text(element.get("speed"))
    if speed:
        yield FanSpeed(speed)


def flow(_: str, ctl: Element) -> Iterator[Reading]:
    """C{GetWaterPermeability}: C{v='2'}."""
    amount = natural(ctl.get("v"))
    if amount is not None:
        yield Water(amount)


def tank(_: str, ctl: Element) -> Iterator[Reading]:
    """C{WaterBoxInfo}: C{on='1'}."""
    mounted = flag(ctl.get("on"))
    if mounted is not None:
        yield Water(mounted=mounted)


def sleep(_: str, ctl: Element) -> Iterator[Reading]:
    """C{SleepStatus}: C{st='1'}."""
    asleep = flag(ctl.get("st"))
    if asleep is not None:
        yield Sleep(asleep)


def network(_: str, ctl: Element) -> Iterator[Reading]:
    """C{GetNetInfo}: C{wi} address, C{s} network, C{st} strength, C{wm} hardware address."""
    address, ssid, mac = (text(ctl.get(name)) for name in ("wi", "s", "wm"))
    found = Network(address, ssid, number(ctl.get("st")), mac)
    if found != Network():
        yield found


def firmware(_: str, ctl: Element) -> Iterator[Reading]:
    """C{<ver name='FW'>1.4.2</ver>}."""
    version = text(inner(ctl, "ver").text)
    if version and inner(ctl, "ver").get("name") in {"", "FW"}:
        yield Firmware(version)


def device_info(_: str, ctl: Element) -> Iterator[Reading]:
    """C{GetDeviceInfo}: nobody knows what is in it (xmpp.md 5.3)."""
    data = told(ctl)
    if data:
        yield DeviceInfo(data)


#: Every subject by its event; a query is called the same with C{Get} in front, or listed.
DECODERS: dict[str, Decoder] = {
    "BatteryInfo": battery,
    "ChargeState": charging,
    "CleanReport": clean,
    "CleanState": clean,
    "CleanReportServer": boundary,
    "CleanSt": progress,
    "CleanSum": totals,
    "errors": errors,
    "error": errors,
    "Error": errors,
    "Pos": position,
    "CleanedPos": position,
    "ChargerPos": dock,
    "LifeSpan": life_span,
    "CleanSpeed": fan_speed,
    "WaterPermeability": flow,
    "WaterBoxInfo": tank,
    "SleepStatus": sleep,
    "NetInfo": network,
    "DeviceInfo": device_info,
    "Version": firmware,
    "version": firmware,
    "MapP": piece,
    "PullMP": piece,
    "MapM": piece,
    "MapSet": piece,
    "PullM": piece,
    "TrM": piece,
    "trace": piece,
    "CleanedMap": piece,
    "CleanedMapSet": piece,
    "CleanedTrace": piece,
}
