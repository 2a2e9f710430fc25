"""
Which robots' software accepts only the vendor's certificates, as far as anybody has said.

What is known is little, and of single versions; C{data/firmware.csv} has a line for each name
and the first version that it is about.
"""

import csv
import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path

from attrs import frozen

KNOWN = Path(__file__).with_name("data") / "firmware.csv"

NUMBERS = re.compile(r"[0-9]{1,9}")

#: As many numbers of a version as count.
PARTS = 4


class Trust(Enum):
    """Whose certificates a robot accepts."""

    ANY = "any"
    PINS = "pins"
    UNKNOWN = ""


@frozen
class Line:
    """
    What is known of robots whose name begins so, from a version on.

    @ivar name: in capitals.
    """

    name: str
    since: tuple[int, ...]
    trust: Trust


def trust(name: str, version: str) -> Trust:
    """
    What a robot accepts.

    @param name: what a shop calls it.
    @param version: of its software; empty when it has not said.
    """
    has = numbers(version)
    fit = [line for line in lines() if _is(name.upper(), line.name) and has >= line.since]
    best = max(fit, key=lambda line: (len(line.name), line.since), default=None)
    return best.trust if best else Trust.UNKNOWN


def _is(name: str, begins: str) -> bool:
    """Whether a name begins with whole words of another: a T90 is no T9."""
    return f"{name} ".startswith(f"{begins} ")


def numbers(version: str) -> tuple[int, ...]:
    """A version, to be compared; what is no number in it does not count."""
    return tuple(map(int, NUMBERS.findall(version[:64])[:PARTS]))


@cache
def lines() -> tuple[Line, ...]:
    """All that is known."""
    return tuple(_read())


def _read() -> Iterator[Line]:
    with KNOWN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Line(row["name"].upper(), numbers(row["from"]), Trust(row["trust"]))
