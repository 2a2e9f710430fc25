"""Values as robots write them: JSON text and its numbers, flags and words, read leniently."""

import json
from itertools import chain
from math import isfinite
from typing import Any

#: No report is longer; the broker's own limit is the same (mqtt.md 3.6).
MAX_BYTES = 1 << 20

#: Levels of objects and lists; the deepest known report has six.
MAX_DEPTH = 32

#: Objects and lists in one payload; diagnostics in batches have a few hundred.
MAX_PARTS = 10_000

#: Characters of a word that is kept.
MAX_TEXT = 200

#: What clocks in seconds do not reach; larger values are milliseconds (mqtt.md 11).
MILLISECONDS = 10**11

#: Whole numbers that every JSON reader and SQLite agree about.
LARGEST = 2**53

#: What some firmwares put around a payload.
BLANK = " \t\r\n\0"


def decoded(body: bytes) -> str:
    """
    The text of a payload; bytes that are not UTF-8, as in foreign network names, are replaced.

    @raise ValueError: it is too long to be a report.
    """
    if len(body) > MAX_BYTES:
        raise ValueError("payload too long")
    return body.decode("utf-8", "replace").strip(BLANK)


def finite(text: str) -> float:
    """
    A fraction.

    @raise ValueError: it is too large for one, or not a number at all.
    """
    value = float(text)
    if not isfinite(value):
        raise ValueError("number out of range")
    return value


#: Robots may leave control characters in strings; C{NaN} and its kin are no JSON.
DECODER = json.JSONDecoder(parse_float=finite, parse_constant=finite, strict=False)


def load(body: bytes) -> Any:
    """
    Read a JSON payload.

    @return: a value that can be written again, as UTF-8 and without deep recursion.
    @raise ValueError: it is not JSON, too long, of too many parts or nested too deeply.
    """
    text = decoded(body)
    # The count is never less than the depth, and much cheaper.
    parts = text.count("{") + text.count("[")
    if parts > MAX_PARTS:
        raise ValueError("payload of too many parts")
    try:
        value = DECODER.decode(text)
    except RecursionError as deep:
        raise ValueError("payload nested too deeply") from deep
    if parts > MAX_DEPTH and not is_shallow(value):
        raise ValueError("payload nested too deeply")
    return without_surrogates(value) if "\\ud" in text or "\\uD" in text else value


def is_shallow(value: object) -> bool:
    """Are there at most C{MAX_DEPTH} levels in it?"""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = list(chain.from_iterable(map(children, level)))
        if not level:
            return True
    return False


def children(value: object) -> list[object]:
    """What is directly inside an object or a list."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def without_surrogates(value: Any) -> Any:
    """The same value with each half of a broken character replaced, so that it has UTF-8."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def number(value: object) -> int | None:
    """A whole number, however it is written: C{87}, C{87.0}, C{"087"}, C{true}."""
    if isinstance(value, str):
        value = parsed(value)
    if isinstance(value, float):
        value = int(value) if isfinite(value) else None
    return int(value) if isinstance(value, int) and -LARGEST <= value <= LARGEST else None


def parsed(value: str) -> float | None:
    """The number that a short string spells."""
    try:
        return float(value) if len(value) <= 32 else None
    except ValueError:
        return None


def natural(value: object) -> int | None:
    """A number that counts or measures something: never negative."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def percent(value: object) -> int | None:
    """A number from 0 to 100."""
    found = natural(value)
    return found if found is not None and found <= 100 else None


def seconds(value: object) -> int | None:
    """
    A moment, written in seconds or in milliseconds (mqtt.md 11).

    @return: seconds since the epoch; C{None} for a moment that robots use as "never".
    """
    found = natural(value)
    if found is not None and found > MILLISECONDS:
        found //= 1000
    return found or None


def flag(value: object) -> bool | None:
    """A switch: C{1}, C{"1"}, C{true}."""
    found = number(value)
    return None if found is None else found != 0


def text(value: object, limit: int = MAX_TEXT) -> str:
    """A word of at most C{limit} characters; numbers are spelt; empty for anything else."""
    if isinstance(value, str):
        return value[:limit]
    found = None if isinstance(value, bool) else number(value)
    return "" if found is None else str(found)


def fields(value: object) -> dict[str, Any]:
    """The fields of an object; none, if it is something else."""
    return value if isinstance(value, dict) else {}


def entries(value: object, limit: int = 64) -> list[Any]:
    """The first entries of a list; a lone value is a list of one."""
    return value[:limit] if isinstance(value, list) else [value]
