"""What requests say whose fields no document names: read leniently, wherever it stands."""

from typing import Any

from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import BadRequest
from bumper_tw.web.call import Call
from bumper_tw.web.guard import fields_of

#: As many ids in one request.
MAX_IDS = 500

#: How clients spell that something is on, and that it is off.
ON = frozenset({"y", "yes", "1", "true", "on", "open", "enable", "enabled"})
OFF = frozenset({"n", "no", "0", "false", "off", "close", "closed", "disable", "disabled"})


def value_of(call: Call, *names: str) -> Any:
    """
    What the first of these names that is there stands for, in the body and then in the query.

    @return: C{None} when there is none.
    @raise BadRequest: there are more query parameters than anybody sends.
    """
    body = fields_of(call)
    for name in names:
        if body.get(name) is not None:
            return body[name]
    return next((text for text in map(call.query, names) if text), None)


def told(call: Call, *names: str) -> str:
    """The same as a text; empty when it is missing, or no text, number or switch."""
    return text_in(value_of(call, *names))


def text_in(value: object) -> str:
    """A text, number or switch as a text; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def told_ids(call: Call, *names: str) -> list[str] | None:
    """
    Ids, however they are listed: an array (of texts, numbers, or objects with an C{id}), the
    same as text, or with commas between.

    @return: C{None} when there is nothing of these names.
    @raise BadRequest: there are too many.
    """
    value = value_of(call, *names)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = listed(value)
    each = value if isinstance(value, list) else [value]
    if len(each) > MAX_IDS:
        raise BadRequest("too many ids")
    return [text for text in map(id_in, each) if text]


def listed(text: str) -> list[Any]:
    """The entries of a list that came as a text."""
    if text.startswith("["):
        try:
            value = parse_json(text.encode("utf-8", "replace"))
        except ValueError:
            return []
        return value if isinstance(value, list) else []
    return [part.strip() for part in text.split(",")]


def id_in(value: object) -> str:
    """An id, or the one of an object."""
    return text_in(value.get("id") if isinstance(value, dict) else value)


def switch_in(value: object) -> bool | None:
    """Whether something is to be on; C{None} when that is not said."""
    word = text_in(value).strip().lower()
    return True if word in ON else False if word in OFF else None


def natural(text: str, default: int, most: int) -> int:
    """A number from 1 to C{most}."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    return min(number, most) or default
