"""Cleaning jobs in the words of their owner, and as rows of a table for other programs."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

from bumper_tw.front.contact import clean
from bumper_tw.values import CleaningLog
from bumper_tw.web.dashboard.chart_days import MOST_SECONDS, Wall, readable, within, work_of
from bumper_tw.web.dashboard.charts import day_words

#: What a robot was to clean, by its own word in small letters (mqtt.md 7.3, 8).
KINDS = {
    "auto": "Everywhere",
    "spotarea": "Rooms",
    "singleroom": "One room",
    "freeclean": "Rooms in your order",
    "customarea": "Zones",
    "area": "Zones",
    "border": "Along the walls",
    "edge": "Along the walls",
    "spot": "One spot",
    "mappoint": "A point on the map",
    "singlepoint": "A point on the map",
    "qcclean": "Quick clean",
    "comeclean": "Called to a place",
    "entrust": "As the robot thinks best",
    "move": "Drove somewhere",
}

#: How a job ended (mqtt.md 7.3); clients have numbers of their own for no end yet.
ENDS = {1: "Finished", 2: "Stopped by somebody", 3: "Stopped, with a warning"}

#: The longest word of a robot's that is shown.
LONGEST = 40

#: What spreadsheets take for a formula, when a cell begins with it.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")

COLUMNS = ("start", "minutes", "area_m2", "kind", "ended", "type", "start_epoch", "seconds")


def kind_words(log: CleaningLog) -> str:
    """What was cleaned."""
    if not log.type:
        return "Not told"
    return KINDS.get(log.type.lower(), clean(log.type, LONGEST))


def end_words(log: CleaningLog) -> str:
    """How it ended."""
    return ENDS.get(log.stop_reason or 0, "Not told")


def moment(at: float, wall: Wall) -> str:
    """A time on the wall, as people write it."""
    if not readable(at):
        return "at an unknown time"
    here = wall(at)
    return f"{day_words(here.date())}, {here:%H:%M}"


def stamp(at: float, wall: Wall) -> str:
    """The same, as programs write it; empty if there is no such time."""
    return wall(at).isoformat(timespec="seconds") if readable(at) else ""


def job(log: CleaningLog, picture: str | None) -> dict[str, Any]:
    """
    A job as JSON has it.

    @param picture: where its picture is.
    """
    return {
        "id": log.id,
        "start": log.started_at,
        "seconds": log.duration,
        "area": log.area,
        "type": None if log.type is None else clean(log.type, LONGEST),
        "kind": kind_words(log),
        "stop_reason": log.stop_reason,
        "ended": end_words(log),
        "picture": picture,
    }


def cells(log: CleaningLog, wall: Wall) -> tuple[str, ...]:
    """A job as a row."""
    seconds = "" if log.duration is None else str(within(log.duration, MOST_SECONDS))
    return (
        stamp(log.started_at, wall),
        "" if log.duration is None else str(work_of(log).minutes),
        "" if log.area is None else str(work_of(log).area),
        kind_words(log),
        end_words(log),
        clean(log.type or "", LONGEST),
        str(log.started_at),
        seconds,
    )


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    is_number = cell.lstrip("-").isdecimal()
    return f"'{cell}" if cell.lstrip().startswith(FORMULAS) and not is_number else cell


def sheet(logs: Iterable[CleaningLog], wall: Wall) -> bytes:
    """All jobs as CSV (RFC 4180), with a mark by which spreadsheets know that it is UTF-8."""
    made = StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(cell) for cell in cells(log, wall)] for log in logs)
    return b"\xef\xbb\xbf" + made.getvalue().encode("utf-8", "replace")
