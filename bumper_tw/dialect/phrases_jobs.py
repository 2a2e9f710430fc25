"""Jobs in JSON and in XML: orders, what goes on, what has been (mqtt.md 7.4 and 8.3)."""

from typing import Any

from bumper_tw.dialect import lenient
from bumper_tw.dialect.controls import pieces
from bumper_tw.dialect.first_generation import knows_act
from bumper_tw.dialect.job_lists import ENDS, question
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import (
    Answers,
    Phrase,
    Situation,
    Translator,
    ask,
    ask_inside,
    asking,
    chosen,
    fields,
    inner,
    order,
    present,
    query,
    word,
)
from bumper_tw.dialect.reports_json import NO_JOB
from bumper_tw.errors import BadRequest
from bumper_tw.values import DeviceId

#: Type, act, and what else there is to say of a C{clean} element.
Job = tuple[str, str, dict[str, object]]

#: What is not a start (mqtt.md 8.3).
ACTS: dict[str, Job] = {
    "pause": ("auto", "p", {}),
    "resume": ("auto", "r", {}),
    "stop": ("stop", "h", {}),
}

#: What comes nearest to a pause where there is none: such a robot goes by the type, and would
#: begin to clean with another one.
HALT: Job = ("stop", "p", {})

#: Types of job without a place, and where the place of the others is written.
PLAIN = {"auto": "auto", "spot": "spot", "border": "border", "singleroom": "singleroom"}
PLACES = {"spotarea": "mid", "customarea": "p"}

#: C{errno} of a robot that is in its dock already, and what JSON robots say (mqtt.md 7.1, 8.3).
DOCKED = {"8": 30007}

#: C{clean@st} and C{clean@type}, if there is no C{st}, as C{state} and C{motionState}.
STEPS = {"s": ("clean", "working"), "r": ("clean", "working"), "p": ("clean", "pause")}
IDLE = ("idle", "")

#: What can be moved, both spellings of a turn among it (xmpp.md 13.2).
MOVES = {
    each: each
    for each in (
        "forward",
        "backward",
        "SpinLeft",
        "SpinRight",
        "TurnAround",
        "trunAround",
        "stop",
    )
}


def clean(data: object, situation: Situation) -> Phrase:
    """C{clean}, and C{clean_V2} with type and place in C{content}."""
    act = fields(data).get("act")
    if act == "start":
        job = start(fields(data))
    elif isinstance(act, str) and act in ACTS:
        pauses = act != "pause" or knows_act(situation.model, situation.company)
        job = ACTS[act] if pauses else HALT
    else:
        raise BadRequest(f"act is none of start, {', '.join(ACTS)}")
    kind, letter, where = job
    return order(
        ask_inside("Clean", "clean", type=kind, act=letter, speed=situation.speed, **where)
    )


def start(data: dict[str, Any]) -> Job:
    """A new job."""
    content = data.get("content")
    job = content if isinstance(content, dict) else {**data, "value": content}
    kind = lenient.text(job.get("type")) or "auto"
    if kind == "freeClean":
        return rooms(word(job, "value"))
    count = lenient.natural(job.get("count")) or 1
    folded = kind.lower()
    if folded in PLAIN:
        return PLAIN[folded], "s", {}
    if folded in PLACES:
        return "SpotArea", "s", {"deep": count, PLACES[folded]: word(job, "value")}
    raise BadRequest(f"no job of the type {kind} in XML")


def rooms(value: str) -> Job:
    """C{freeClean}: how often, and which rooms (mqtt.md 7.4)."""
    count, _, mids = value.partition(",")
    if not (count.isascii() and count.isdigit() and mids):
        raise BadRequest("value is not a count and rooms")
    return "SpotArea", "s", {"deep": int(count), "mid": mids}


def charge(data: object, _: Situation) -> Phrase:
    """Go home."""
    if fields(data).get("act", "go") != "go":
        raise BadRequest("act is not go")
    return order(ask_inside("Charge", "charge", type="go"), DOCKED)


def move(data: object, _: Situation) -> Phrase:
    """Steer by hand."""
    return order(ask_inside("Move", "move", action=chosen(data, "act", MOVES)))


def place(job: Element) -> tuple[str, str]:
    """Type and place of a job as JSON robots call them."""
    kind = lenient.text(job.get("type"))
    if job.get("p"):
        return "customArea", job.get("p")
    if kind.lower() == "spotarea":
        return "spotArea", job.get("mid")
    return kind, ""


def doing(job: Element) -> tuple[str, str]:
    """C{state} and C{motionState} of a job; the oldest robots tell by the type alone."""
    step, kind = job.get("st"), job.get("type").lower()
    if step:
        return STEPS.get(step, IDLE)
    return STEPS["s"] if kind in PLAIN or kind in PLACES else IDLE


def info(said: Answers, second: bool) -> dict[str, Any]:
    """
    C{getCleanInfo}: what goes on.  XML robots tell apart what they do and whether they are on
    their way home.

    @param second: whether for C{getCleanInfo_V2}.
    """
    job = inner(present(said[0]), "clean")
    dock = said[1].child("charge") if said[1] else None
    state, motion = doing(job)
    if dock is not None and dock.get("type") == "Going":
        state = motion = "goCharging"
    trigger = "app" if job.get("rsn", "tr") == "a" else "none"
    if not motion:
        return {"trigger": trigger, "state": state}
    number, (kind, where) = job.get("cs", "s"), place(job)
    one = {"id": number, "type": kind, "content": where}
    two = {"cid": number, "content": {"type": kind, "value": where}}
    detail = {"router": "plan", **(two if second else one), "count": 1, "motionState": motion}
    return {"trigger": trigger, "state": state, "cleanState": detail}


def asks_info(second: bool) -> Translator:
    """How to ask what goes on."""
    questions = (ask("GetCleanState"), ask("GetChargeState"))
    phrase = Phrase(questions, lambda said: info(said, second), needs_first=True)
    return lambda _, __: phrase


def stats(ctl: Element) -> dict[str, Any]:
    """C{getStats}: the job in hand, or none."""
    job = inner(ctl, "clean")
    begun = lenient.seconds(job.get("s", "sts"))
    return {
        "area": lenient.natural(job.get("a")) or 0,
        "time": lenient.natural(job.get("t", "l")) or 0,
        "cid": job.get("cs") or (NO_JOB if begun is None else str(begun)),
        "start": str(begun or 0),
        "type": place(job)[0],
    }


def totals(ctl: Element) -> dict[str, Any]:
    """C{getTotalStats}."""
    area, time, count = (lenient.natural(ctl.get(name)) for name in ("a", "l", "c"))
    return {"area": area or 0, "time": time or 0, "count": count or 0}


def logs(ctl: Element) -> dict[str, Any]:
    """C{getCleanLogs}: in the words of C{log.do} (http-devices.md 5.2)."""
    found = (each for each in ctl.children if each.name == "CleanSt")
    return {"logs": [log(each) for each in found if lenient.seconds(each.get("s"))]}


def log(each: Element) -> dict[str, Any]:
    """One job that is over."""
    return {
        "ts": lenient.seconds(each.get("s")),
        "last": lenient.natural(each.get("l")) or 0,
        "area": lenient.natural(each.get("a")) or 0,
        "type": lenient.text(each.get("type")),
        "stopReason": ENDS.get(each.get("f"), -2),
        "imageUrl": "",
    }


def ask_logs(data: object, situation: Situation) -> Phrase:
    """How to ask for what has been; not all lines call it the same."""
    name = question(DeviceId("", situation.model, "")).name
    count = lenient.natural(fields(data).get("count")) or 30
    return asking(ask(name, count=min(count, 100)), logs)


def schedules(ctl: Element) -> list[dict[str, Any]]:
    """C{getSched}: entries with hour and minute, or with both in C{t} (xmpp.md 13.2)."""
    return [schedule(index, each) for index, each in enumerate(listed(ctl, "s"))]


def listed(ctl: Element, name: str) -> list[Element]:
    """Its children of that name."""
    return [child for child in ctl.children if child.name == name]


def schedule(index: int, each: Element) -> dict[str, Any]:
    """One entry; what it does stays as the robot wrote it."""
    hour, _, minute = each.get("t").partition(":")
    does = each.child("ctl")
    return {
        "sid": each.get("n"),
        "enable": lenient.natural(each.get("o")) or 0,
        "hour": lenient.natural(each.get("h") or hour) or 0,
        "minute": lenient.natural(each.get("m") or minute) or 0,
        "repeat": each.get("r"),
        "index": index,
        "content": {"name": "clean", "jsonStr": "".join(pieces(does)) if does else ""},
    }


#: Everything about jobs.
JOBS: dict[str, Translator] = {
    "clean": clean,
    "clean_V2": clean,
    "charge": charge,
    "move": move,
    "getCleanInfo": asks_info(second=False),
    "getCleanInfo_V2": asks_info(second=True),
    "getStats": query(ask("GetCleanState"), stats),
    "getTotalStats": query(ask("GetCleanSum"), totals),
    "getCleanLogs": ask_logs,
    "getSched": query(ask("GetSched"), schedules),
    "getSched_V2": query(ask("GetSched"), schedules),
}
