"""What people call what a command has a robot do, whoever sends it and in either generation."""

from collections.abc import Callable, Mapping
from typing import Any

from bumper_tw.dialect import lenient, translation
from bumper_tw.dialect.action_arguments import JSON_LEVELS, WATER_LEVELS, Choice
from bumper_tw.dialect.markup import Element
from bumper_tw.errors import BadRequest
from bumper_tw.values import Command, PayloadKind

#: Bytes of a command that is looked at: orders are short.
LONGEST = 4000

#: Jobs by their type, in small letters, and what is not the start of one (mqtt.md 7.4, 8.3).
JOBS = {
    "auto": "Clean",
    "spot": "Clean this spot",
    "border": "Clean along the walls",
    "spotarea": "Clean rooms",
    "customarea": "Clean a zone",
    "freeclean": "Clean rooms",
}
ACTS = {"pause": "Pause", "resume": "Go on", "stop": "Stop"}
LETTERS = {"p": "pause", "r": "resume", "h": "stop"}

#: Orders without a choice.
PLAIN = {
    "charge": "Send home",
    "playsound": "Find it by sound",
    "stationaction": "Empty the bin",
    "setautoempty": "Empty the bin",
}


def deed(command: Command) -> str:
    """What a command is about, in words; empty for questions, and what there are none for."""
    if len(command.body) > LONGEST:
        return ""
    name = command.name.lower()
    try:
        if command.kind is PayloadKind.XML:
            return in_xml(name, translation.element(command.body))
        return in_json(name, lenient.fields(translation.arguments(command.body)))
    except (BadRequest, ValueError):
        return PLAIN.get(name, "")


def in_json(name: str, data: Mapping[str, Any]) -> str:
    """A command in JSON, by its name in small letters."""
    said = CHOSEN.get(name)
    if name in {"clean", "clean_v2"}:
        content = data.get("content")
        kind = content.get("type") if isinstance(content, dict) else data.get("type")
        return job(data.get("act"), kind)
    return said(data) if said else PLAIN.get(name, "")


def in_xml(name: str, ctl: Element) -> str:
    """A command in XML, by its name in small letters."""
    clean = ctl.child("clean")
    if name == "clean" and clean is not None:
        kind = "customarea" if clean.get("p") else clean.get("type")
        act = "h" if kind == "stop" else clean.get("act")
        return job(LETTERS.get(act, "start"), kind)
    if name == "setcleanspeed":
        return f"Suction: {ctl.get('speed')[:20].capitalize()}"
    if name == "setwaterpermeability":
        return f"Water: {called(ctl.get('v'), WATER_LEVELS)}"
    return PLAIN.get(name, "")


def job(act: object, kind: object) -> str:
    """A job, and what is to become of it."""
    if act == "start":
        return JOBS.get(str(kind)[:20].lower(), "Clean")
    return ACTS.get(act, "") if isinstance(act, str) else ""


def called(value: object, choices: tuple[Choice, ...]) -> str:
    """A number by its word."""
    number, text = lenient.number(value), lenient.text(value)[:20]
    return next((each.label for each in choices if each.value == number), text)


#: Settings, with what they are set to.
CHOSEN: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "setspeed": lambda data: f"Suction: {called(data.get('speed'), JSON_LEVELS)}",
    "setwaterinfo": lambda data: f"Water: {called(data.get('amount'), WATER_LEVELS)}",
    "setvolume": lambda data: f"Volume: {called(data.get('volume'), ())}",
}
