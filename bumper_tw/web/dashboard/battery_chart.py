"""The charge of a robot's battery over the last days."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from attrs import frozen
from twisted.web.template import Tag

from bumper_tw.web.dashboard.chart_days import Wall, midnight, readable
from bumper_tw.web.dashboard.charts import (
    HEIGHT,
    INNER,
    MONTHS,
    WIDTH,
    chart,
    day_words,
    empty,
    level,
    levels,
    picture,
    shape,
    table,
    text,
)

TITLE = "Charge in %, the last 7 days"

DAYS = 7

#: Points that are drawn at most.
POINTS = 500

#: After as many seconds without a word nobody knows what was between.
SILENCE = 6 * 3600.0


@frozen
class Charge:
    """
    One report.

    @ivar at: seconds since the epoch.
    """

    at: float
    percent: int


@frozen
class Frame:
    """From when to when it is drawn."""

    begin: float
    end: float

    def place(self, at: float) -> float:
        """How far to the right a time is."""
        left, _, right, _ = INNER
        return left + (WIDTH - left - right) * (at - self.begin) / (self.end - self.begin)


def battery(charges: Sequence[Charge], now: float, wall: Wall) -> Tag:
    """
    The line, with gaps where nothing was heard.

    @param charges: in any order.
    """
    today = wall(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    frame = Frame(midnight(days[0], wall), midnight(today + timedelta(days=1), wall))
    found = sorted((each for each in charges if is_told(each, frame)), key=lambda each: each.at)
    if not found:
        return empty(TITLE, "The robot has not told its charge in this time.")
    last, low = found[-1], min(each.percent for each in found)
    told = f"Now {last.percent} %, at least {low} % in these days."
    drawn = picture("battery", TITLE, told, (WIDTH, HEIGHT))(*levels(100))
    drawn(*(day_line(day, frame, wall) for day in days))
    drawn(*(stretch(each, frame) for each in stretches(thinned(found, POINTS))))
    rows = [
        (day_words(day), f"{low} %", f"{high} %") for day, low, high in extremes(found, days, wall)
    ]
    return chart(TITLE, drawn, table=table(TITLE, ("Day", "Lowest", "Highest"), rows))


def is_told(charge: Charge, frame: Frame) -> bool:
    """Whether it is to be drawn; no battery holds more than all."""
    inside = frame.begin <= charge.at < frame.end
    return readable(charge.at) and inside and 0 <= charge.percent <= 100


def day_line(day: date, frame: Frame, wall: Wall) -> Tag:
    """Where a day begins, with its name."""
    x = frame.place(midnight(day, wall))
    line = shape("path", class_="level", d=f"M{x:.1f},{INNER[1]}V{HEIGHT - INNER[3]}")
    words = f"{day.day} {MONTHS[day.month - 1]}" if day.day == 1 or day.weekday() == 0 else day.day
    return shape("g")(line, text(x + 3, HEIGHT - 8, str(words)))


def thinned(charges: Sequence[Charge], most: int) -> list[Charge]:
    """
    No more than that, with every low and every peak: of each part of the time the lowest and the
    highest.

    @param charges: the oldest first.
    """
    if len(charges) <= most:
        return list(charges)
    begin, whole = charges[0].at, charges[-1].at - charges[0].at or 1.0
    parts: dict[int, list[Charge]] = {}
    for each in charges:
        part = min(most // 2 - 1, int((each.at - begin) / whole * (most // 2)))
        parts.setdefault(part, []).append(each)
    return [each for part in parts.values() for each in ends(part)]


def ends(part: Sequence[Charge]) -> list[Charge]:
    """The lowest and the highest, in the order of their times."""
    low = min(part, key=lambda each: each.percent)
    high = max(part, key=lambda each: each.percent)
    return [low] if low is high else sorted((low, high), key=lambda each: each.at)


def stretches(charges: Sequence[Charge]) -> Iterator[list[Charge]]:
    """Those that belong together: no long silence is between two of them."""
    together: list[Charge] = []
    for each in charges:
        if together and each.at - together[-1].at > SILENCE:
            yield together
            together = []
        together.append(each)
    if together:
        yield together


def stretch(charges: Sequence[Charge], frame: Frame) -> Tag:
    """A line; of one report alone, a dot."""
    points = [f"{frame.place(each.at):.1f},{level(each.percent, 100):.1f}" for each in charges]
    if len(points) == 1:
        x, _, y = points[0].partition(",")
        return shape("circle", class_="dot", cx=x, cy=y, r=2)
    return shape("polyline", class_="line", points=" ".join(points))


def extremes(
    charges: Sequence[Charge], days: Sequence[date], wall: Wall
) -> list[tuple[date, int, int]]:
    """
    The lowest and the highest of each day that has any.

    @param charges: the oldest first.
    """
    ends = [bisect_left(charges, midnight(day, wall), key=lambda each: each.at) for day in days]
    parts = (charges[begin:end] for begin, end in pairwise((*ends, len(charges))))
    told = ((day, [each.percent for each in part]) for day, part in zip(days, parts, strict=True))
    return [(day, min(part), max(part)) for day, part in told if part]
