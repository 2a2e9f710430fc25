"""What an event of the log looks like: as JSON, in fields of the journal, behind a priority."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import isfinite
from string import Formatter
from types import MappingProxyType
from typing import Any

from twisted.logger import LogEvent, LogLevel, eventAsText, formatEvent
from twisted.python.failure import Failure

from bumper_tw.dialect.domains import robot_class
from bumper_tw.values import Device, DeviceId, Principal, Role

#: Characters of a message, of a traceback and of one field.
MESSAGE, TRACEBACK, FIELD = 8000, 32_000, 1000

#: As many fields of one event are told.
FIELDS = 30

#: Half of a character, which no file takes and other readers of JSON refuse, becomes a question
#: mark.
WHOLE = dict.fromkeys(range(0xD800, 0xE000), "?")

#: So do control characters, which a terminal would obey.
HARMLESS = {
    **WHOLE,
    **{code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"},
}

#: The priorities of syslog(3) by level.
PRIORITIES: Mapping[Any, int] = MappingProxyType(
    {
        LogLevel.debug: 7,
        LogLevel.info: 6,
        LogLevel.warn: 4,
        LogLevel.error: 3,
        LogLevel.critical: 2,
    }
)

#: What every line of JSON has, and fields of an event are not called.
OWN = ("time", "level", "part", "message", "traceback")

#: Where an event names a robot, and where an address, by the name of its field.
ROBOTS = ("did", "device", "robot", "who", "address")
PEERS = ("peer", "host")

#: What failed without a word of ours (L{twisted.python.log.err}).
UNHANDLED = "Unhandled Error"


def level_of(event: LogEvent) -> Any:
    """How important it is."""
    return event.get("log_level") or LogLevel.info


def part_of(event: LogEvent) -> str:
    """The part of the program that speaks, as in the settings; or another program, or other."""
    namespace = str(event.get("log_namespace") or "")
    first, _, rest = namespace.partition(".")
    ours = rest.partition(".")[0] if first == "bumper_tw" else first
    return "other" if ours in {"", "log_legacy"} else bounded(ours, 60)


def bounded(text: str, most: int) -> str:
    """A text that is not longer than that."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def message_of(event: LogEvent) -> str:
    """What it says, without the traceback."""
    if event.get("log_namespace") == "log_legacy" and event.get("isError"):
        # Its text is the traceback.
        return bounded(str(event.get("why") or UNHANDLED), MESSAGE)
    return bounded(formatEvent(event), MESSAGE)


def traceback_of(event: LogEvent) -> str:
    """Where something failed; empty for an event about something else."""
    failure = event.get("log_failure") or event.get("failure")
    if not isinstance(failure, Failure):
        return ""
    text = eventAsText({"log_failure": failure}, True, False, False).strip("\n")
    # What went wrong stands at the end.
    return text if len(text) <= TRACEBACK else f"...{text[3 - TRACEBACK :]}"


def text_of(event: LogEvent) -> str:
    """Message and traceback; nothing in it steers a terminal."""
    parts = (message_of(event), traceback_of(event))
    return "\n".join(part for part in parts if part).translate(HARMLESS)


def fields_of(event: LogEvent) -> Iterator[tuple[str, Any]]:
    """
    The fields of an event that a program may want by themselves.

    Only what the message names is told, so that nothing gets out which would not anyhow.
    """
    for name in list(dict.fromkeys(_named(event)))[:FIELDS]:
        value = event.get(name)
        if name not in OWN and not name.startswith("log_") and value is not None:
            plain = plain_value(value)
            if plain is not None:
                yield name, plain


def _named(event: LogEvent) -> Iterator[str]:
    """The names in the format."""
    try:
        parsed = list(Formatter().parse(str(event.get("log_format") or "")))
    except ValueError:
        # Not ours: nobody can make a text of it, either.
        return
    for _, name, _, _ in parsed:
        if name and name.isidentifier():
            yield name


def plain_value(value: object) -> str | int | float | bool | None:
    """A value that JSON has, too, or one of our own names; C{None} for any other."""
    if isinstance(value, str):
        return bounded(value, FIELD)
    if isinstance(value, Principal | DeviceId):
        return bounded(str(value), FIELD)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else None
    return value if isinstance(value, float) and isfinite(value) else None


def robot_of(event: LogEvent) -> str:
    """The robot that it names; empty for none."""
    named = dict.fromkeys(_named(event))
    found = (robot_in(name, event.get(name)) for name in ROBOTS if name in named)
    return next(filter(None, found), "")


def robot_in(name: str, value: object) -> str:
    """The id of the robot in one field."""
    if isinstance(value, Device):
        value = value.id
    if isinstance(value, DeviceId):
        return bounded(value.did, FIELD)
    if isinstance(value, Principal):
        return bounded(value.name, FIELD) if value.role is Role.ROBOT else ""
    if not isinstance(value, str) or name == "who":
        return ""
    return _robot_at(value) if name == "address" else bounded(value, FIELD)


def _robot_at(address: str) -> str:
    """The robot of an address of XMPP; empty for that of somebody else."""
    local, _, domain = address[:FIELD].partition("/")[0].rpartition("@")
    return local if robot_class(domain) is not None else ""


def peer_of(event: LogEvent) -> str:
    """The address of the other side that it names; empty for none."""
    named = dict.fromkeys(_named(event))
    values = (event.get(name) for name in PEERS if name in named)
    return next((bounded(value, FIELD) for value in values if value and type(value) is str), "")


def moment(event: LogEvent) -> str:
    """When it was, as RFC 3339 has it, with the offset of the time zone of this box."""
    when = datetime.fromtimestamp(event["log_time"]).astimezone()
    return when.isoformat(timespec="milliseconds")


def json_line(event: LogEvent) -> str | None:
    """An event as one line of JSON; C{None} for one that says nothing."""
    message, traceback = message_of(event), traceback_of(event)
    if not message and not traceback:
        return None
    said: dict[str, Any] = {
        "time": moment(event),
        "level": level_of(event).name,
        "part": part_of(event),
        # Twisted itself names some failures on a line before.
        "message": message or traceback.rpartition("\n")[2],
        **dict(fields_of(event)),
    }
    if traceback:
        said["traceback"] = traceback
    whole = {
        name: value.translate(WHOLE) if isinstance(value, str) else value
        for name, value in said.items()
    }
    # JSON itself leaves one control character as it is.
    return json.dumps(whole).replace("\x7f", "\\u007f") + "\n"


def prefixed(event: LogEvent) -> str | None:
    """
    An event as lines of which each tells its priority (sd-daemon(3)).

    What follows the first one is set in, so that what a peer sent is not taken for another event.
    """
    text = text_of(event)
    if not text:
        return None
    mark = f"<{PRIORITIES[level_of(event)]}>"
    first, *more = text.split("\n")
    lines = [f"{mark}[{part_of(event)}] {first}", *(f"{mark}\t{line}" for line in more)]
    return "".join(f"{line}\n" for line in lines)


def journal_fields(event: LogEvent) -> dict[str, str]:
    """An event as fields of the journal of systemd; empty for one that says nothing."""
    text = text_of(event)
    if not text:
        return {}
    fields = {
        "MESSAGE": text,
        "PRIORITY": str(PRIORITIES[level_of(event)]),
        "SYSLOG_IDENTIFIER": "bumper",
        "BUMPER_PART": part_of(event),
        "ROBOT": robot_of(event).translate(HARMLESS),
        "PEER": peer_of(event).translate(HARMLESS),
    }
    return {name: value for name, value in fields.items() if value}
