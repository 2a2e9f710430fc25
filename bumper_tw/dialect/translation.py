"""
Commands in JSON for robots that speak XML, and their answers (mqtt.md 7 and 8, xmpp.md 13).

Scripts, tiles and home automation name their commands in JSON; a robot of either generation
answers them in the same words.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import frozen

from bumper_tw.dialect import lenient, markup
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import Answers, Phrase, Question, Situation, Translator, fields
from bumper_tw.dialect.phrases_jobs import JOBS
from bumper_tw.dialect.phrases_maps import MAPS
from bumper_tw.dialect.phrases_state import STATE
from bumper_tw.errors import BadRequest
from bumper_tw.readings import FanSpeed, Reading, Water

#: C{code} of a refusal that has no number (mqtt.md 7.1).
REFUSED = 20003

#: What is said of a robot that gives no reason, as robots themselves do.
FAIL = "fail"

#: What a refusal means that has another meaning as a C{code}, by C{errno} (xmpp.md 12).
MEANINGS = {"5": "it waits for somebody to press its button"}

#: Every command that has an equivalent; all but the one that contains others.
COMMANDS: dict[str, Translator] = {**JOBS, **STATE, **MAPS}

#: Asks for several things at once (mqtt.md 7.4).
BUNDLE = "getInfo"


@frozen
class Bundle:
    """Several commands in one, by their names."""

    parts: dict[str, Phrase]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All that has to be asked."""
        return tuple(each for part in self.parts.values() for each in part.questions)


def is_json(name: str) -> bool:
    """Whether a command is named as JSON robots name them: in XML all begin with a capital."""
    return name[:1].islower()


def translate(name: str, body: bytes, situation: Situation) -> Phrase | Bundle:
    """
    What to ask an XML robot.

    @param body: the payload in JSON, as for a JSON robot.
    @raise BadRequest: there is no equivalent, or the payload cannot be read.
    """
    data = arguments(body)
    if name == BUNDLE:
        return bundle(data, situation)
    translator = COMMANDS.get(name)
    if translator is None:
        raise BadRequest(f"{name} has no equivalent in XML")
    return translator(data, situation)


def bundle(data: object, situation: Situation) -> Bundle:
    """
    C{getInfo}; what has no equivalent is left out.

    @raise BadRequest: nothing is left.
    """
    names = [name for name in lenient.entries(data) if isinstance(name, str) and name in COMMANDS]
    if not names:
        raise BadRequest("getInfo asks for nothing that has an equivalent in XML")
    return Bundle({name: COMMANDS[name](None, situation) for name in names})


def arguments(body: bytes) -> Any:
    """
    What a command in JSON says besides its name; C{None} for nothing.

    @raise BadRequest: it is no JSON object.
    """
    try:
        payload = lenient.load(body or b"{}")
    except ValueError as wrong:
        raise BadRequest(f"the payload cannot be read: {wrong}") from wrong
    if not isinstance(payload, dict):
        raise BadRequest("the payload is not a JSON object")
    if "body" in payload or "header" in payload:
        return fields(payload.get("body")).get("data")
    return payload or None


def is_empty(body: bytes) -> bool:
    """
    Whether a command in JSON has no arguments.

    @raise BadRequest: it is no JSON object.
    """
    return not arguments(body)


def element(body: bytes) -> Element:
    """
    An XML robot's answer.

    @raise ValueError: it is none.
    """
    found = markup.parse(body)
    if found.name != "ctl":
        raise ValueError("not a ctl element")
    return found


def setting(name: str, asked: bytes, said: bytes) -> Reading | None:
    """What an XML robot was set to by a command that it has answered; C{None} if it was not."""
    try:
        return SETTINGS[name](element(asked)) if is_ok(element(said)) else None
    except ValueError:
        return None


def suction(asked: Element) -> Reading | None:
    """C{SetCleanSpeed} (mqtt.md 8.3)."""
    speed = lenient.text(asked.get("speed"))
    return FanSpeed(speed) if speed else None


def water(asked: Element) -> Reading | None:
    """C{SetWaterPermeability} (mqtt.md 8.3)."""
    amount = lenient.natural(asked.get("v"))
    return None if amount is None else Water(amount)


#: What is set by which command; robots report none of it by themselves.
SETTINGS: dict[str, Callable[[Element], Reading | None]] = {
    "SetCleanSpeed": suction,
    "SetWaterPermeability": water,
}


def answer(asked: Phrase | Bundle, said: Answers, now: float, firmware: str) -> bytes:
    """
    What a JSON robot would have answered.

    @param said: an answer for each question; C{None} for those that failed.
    @param now: seconds since the epoch.
    @raise ValueError: what has to be in an answer is not there.
    """
    body = result(asked, said) if isinstance(asked, Phrase) else bundled(asked, said)
    header = {"pri": 1, "ts": str(int(now * 1000)), "ver": "0.0.1"}
    return to_json({"header": header | ({"fwVer": firmware} if firmware else {}), "body": body})


def bundled(asked: Bundle, said: Answers) -> dict[str, Any]:
    """Each part with a code of its own; one that was not answered is left out."""
    answers, data = iter(said), {}
    for name, part in asked.parts.items():
        own = taken(answers, len(part.questions))
        if is_answered(part, own):
            data[name] = result(part, own)
    return {"code": 0, "msg": "ok", "data": data}


def taken(answers: Iterator[Element | None], count: int) -> Sequence[Element | None]:
    """The next so many."""
    return [next(answers) for _ in range(count)]


def is_answered(asked: Phrase | Bundle, said: Answers) -> bool:
    """Whether enough questions have an answer."""
    if isinstance(asked, Phrase) and asked.needs_first:
        return said[0] is not None
    return any(each is not None for each in said)


def result(asked: Phrase, said: Answers) -> dict[str, Any]:
    """The body of one answer."""
    refusal = refused(asked, said)
    if refusal is not None:
        return {"code": code(asked, refusal), "msg": reason(refusal)}
    data = asked.read([each if each is None or is_ok(each) else None for each in said])
    return {"code": 0, "msg": "ok"} | ({} if data is None else {"data": data})


def refused(asked: Phrase, said: Answers) -> Element | None:
    """The refusal, if nothing was done."""
    counted = said[:1] if asked.needs_first else said
    if any(each is not None and is_ok(each) for each in counted):
        return None
    return next((each for each in counted if each is not None), None)


def is_ok(said: Element) -> bool:
    """Whether a robot did what it was asked."""
    return said.get("ret") in {"", "ok"}


def code(asked: Phrase, refusal: Element) -> int:
    """The number of a refusal."""
    errno = refusal.get("errno")
    return asked.codes.get(errno) or lenient.number(errno) or REFUSED


def reason(refusal: Element) -> str:
    """Why a robot refuses, in its words, or in ours for what its number means."""
    return lenient.text(refusal.get("error")) or MEANINGS.get(refusal.get("errno"), FAIL)


def platform_answer(said: Element) -> bytes:
    """What a robot behind MQTT answers to a command without an envelope (mqtt.md 7.5)."""
    values = {name: value for name, value in said.plain().items() if name not in {"td", "id"}}
    return to_json({"ret": "ok", **values})
