"""
Charts of one robot's history, drawn here as SVG: no script is needed to see them.

Each is a picture with a title and a description in words, and has the same in a table below.
Colours come from the style sheet, by class.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from twisted.web.template import Flattenable, Tag, tags

from bumper_tw.web.dashboard.chart_days import NOTHING, Work, monday, months, of_month, weeks

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun",
          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # fmt: skip

#: Weeks of the calendar: of a year, and as many as a phone has room for.
YEAR, QUARTER = 53, 14

#: Weeks that have a bar.
BARS = 26

#: A square of the calendar with the room around it; and what is left of, and above, all of them.
CELL, LEFT, TOP = 12, 26, 16

#: How many shades the calendar has besides the one for nothing.
SHADES = 4

#: The size of all other charts, in units that are pixels on a phone.
WIDTH, HEIGHT = 360, 170

#: What is left around what is drawn in them: left, top, right and below.
INNER = (34, 10, 8, 24)


def shape(name: str, **attributes: object) -> Tag:
    """An element of SVG; an underscore behind a name, or in it for a hyphen, is Python's."""
    spelled = {n.rstrip("_").replace("_", "-"): str(value) for n, value in attributes.items()}
    return Tag(name)(**spelled)


def text(x: float, y: float, words: str, **attributes: object) -> Tag:
    """Words in a chart."""
    return shape("text", x=f"{x:g}", y=f"{y:g}", **attributes)(words)


def picture(name: str, title: str, told: str, size: tuple[int, int]) -> Tag:
    """
    An empty picture.

    @param name: no other on the page is called the same.
    @param told: what there is to see, for whoever cannot.
    """
    drawn = shape(
        "svg",
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{name}-title {name}-told",
        class_="drawn",
    )
    return drawn(shape("title", id=f"{name}-title")(title), shape("desc", id=f"{name}-told")(told))


def chart(title: str, *drawn: Flattenable, table: Flattenable) -> Tag:
    """A chart with its table."""
    words = tags.details(tags.summary("The same as a table"), table)
    return tags.figure(tags.figcaption(title), *drawn, words, class_="chart")


def empty(title: str, why: str) -> Tag:
    """What stands in place of a chart of nothing."""
    return tags.figure(tags.figcaption(title), tags.p(why, class_="quiet"), class_="chart empty")


def table(name: str, heads: Sequence[str], rows: Iterable[Sequence[Flattenable]]) -> Tag:
    """
    A table whose first column names the rows.

    @param name: of the table, for whoever does not see where it is; it may have to be scrolled.
    """
    head = tags.tr(*(tags.th(each, scope="col") for each in heads))
    body = (
        tags.tr(tags.th(row[0], scope="row"), *(tags.td(each) for each in row[1:])) for row in rows
    )
    whole = tags.table(tags.thead(head), tags.tbody(*body))
    scrolled = {"class": "table-wrap", "role": "region", "tabindex": "0", "aria-label": name}
    return tags.div(whole)(**scrolled)


def day_words(day: date) -> str:
    """A day, as people write it."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


# The calendar


def calendar(days: Mapping[date, Work], today: date) -> Tag:
    """Twelve months, a square for each day; on a phone the last three."""
    first = next(weeks(today, YEAR))
    shown = {day: work for day, work in days.items() if first <= day <= today and work.jobs}
    title = "Days of cleaning"
    if not shown:
        return empty(title, "No cleaning in the last twelve months.")
    most = max(weight(work) for work in shown.values())
    rows = (
        (f"{MONTHS[m.month - 1]} {m.year}", str(w.jobs), f"{w.area} m²", f"{w.minutes} min")
        for m, w in ((m, of_month(m, shown)) for m in months(today, 12))
    )
    return chart(
        title,
        squares("year", shown, most, today, YEAR),
        squares("quarter", shown, most, today, QUARTER),
        table=table(title, ("Month", "Cleanings", "Area", "Time"), rows),
    )


def weight(work: Work) -> int:
    """By what a square is shaded: the area, or the time of a robot that does not tell it."""
    return work.area or work.minutes


def shade(work: Work, most: int) -> int:
    """Which shade it is; only what is nothing has none."""
    return 0 if not work.jobs else max(1, min(SHADES, -(-weight(work) * SHADES // max(1, most))))


def squares(name: str, shown: Mapping[date, Work], most: int, today: date, count: int) -> Tag:
    """As many weeks side by side, the days of each below each other."""
    columns = list(weeks(today, count))
    inside = {day: work for day, work in shown.items() if day >= columns[0]}
    told = f"{len(inside)} days with a cleaning since {day_words(columns[0])}."
    size = (LEFT + count * CELL, TOP + 7 * CELL)
    drawn = picture(f"calendar-{name}", "Calendar of cleanings", told, size)
    # One path for each shade: squares by themselves would be most of the page.
    paths = dict.fromkeys(range(SHADES + 1), "")
    for day in every_day(columns[0], today):
        paths[shade(inside.get(day, NOTHING), most)] += square(day, columns[0])
    for shaded, path in paths.items():
        drawn(shape("path", class_=f"shade{shaded}", d=path))
    for row, word in ((0, "Mon"), (2, "Wed"), (4, "Fri")):
        drawn(text(0, TOP + row * CELL + 9, word))
    drawn(*month_names(columns))
    return tags.div(drawn, class_=f"calendar {name}")


def every_day(first: date, last: date) -> Iterable[date]:
    """All days from one to another."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def square(day: date, first: date) -> str:
    """Where a day is drawn, as part of a path."""
    column, row = (monday(day) - first).days // 7, day.weekday()
    return f"M{LEFT + column * CELL},{TOP + row * CELL}h10v10h-10z"


def month_names(columns: Sequence[date]) -> Iterable[Tag]:
    """Above the first full week of each month."""
    for place, first in enumerate(columns[:-1]):
        if first.day <= 7:
            yield text(LEFT + place * CELL, 10, MONTHS[first.month - 1])


# Bars


def bars(title: str, unit: str, values: Sequence[tuple[date, int]]) -> Tag:
    """A bar for each week, the newest at the right."""
    if not any(value for _, value in values):
        return empty(title, "Nothing in the last half year.")
    top = ceiling(max(value for _, value in values))
    total = sum(value for _, value in values)
    told = f"{total} {unit} in {len(values)} weeks; {values[-1][1]} {unit} in the last one."
    name = "bars-area" if unit == "m²" else "bars-time"
    drawn = picture(name, title, told, (WIDTH, HEIGHT))(*levels(top))
    left, _, right, _ = INNER
    step = (WIDTH - left - right) / len(values)
    for place, (first, value) in enumerate(values):
        x = left + place * step
        if value:
            words = f"Week of {day_words(first)}: {value} {unit}"
            drawn(bar(x + 1, level(value, top), step - 2)(shape("title")(words)))
        if first.day <= 7:
            drawn(text(x, HEIGHT - 8, MONTHS[first.month - 1]))
    rows = ((day_words(first), f"{value} {unit}") for first, value in values)
    return chart(title, drawn, table=table(title, ("Week of", "Sum"), rows))


def bar(x: float, y: float, width: float) -> Tag:
    """From there down to the bottom."""
    return shape("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}",
                 height=f"{max(1.0, level(0, 1) - y):.1f}", class_="bar")  # fmt: skip


def ceiling(value: int) -> int:
    """The end of a scale: a round number that is no less."""
    unit = 1
    while unit * 10 <= value:
        unit *= 10
    return next(unit * n for n in (1, 2, 3, 4, 5, 6, 8, 10) if unit * n >= value)


def level(value: float, top: float) -> float:
    """How far down a value is drawn."""
    _, above, _, below = INNER
    return HEIGHT - below - (HEIGHT - above - below) * value / top


def levels(top: int) -> Iterable[Tag]:
    """Lines across, with what they stand for."""
    left, _, right, _ = INNER
    for value in (0, top / 2, top):
        y = level(value, top)
        yield shape("path", class_="level", d=f"M{left},{y:.1f}H{WIDTH - right}")
        yield text(left - 4, y + 4, f"{value:g}", text_anchor="end")


def weekly(days: Mapping[date, Work], today: date) -> Sequence[tuple[date, Work]]:
    """What was done in each of the last weeks."""
    found = dict.fromkeys(weeks(today, BARS), NOTHING)
    for day, work in days.items():
        first = monday(day)
        if first in found:
            found[first] += work
    return list(found.items())


def area_bars(days: Mapping[date, Work], today: date) -> Tag:
    """The area of each week."""
    values = [(first, work.area) for first, work in weekly(days, today)]
    return bars("Area per week, in m²", "m²", values)


def minute_bars(days: Mapping[date, Work], today: date) -> Tag:
    """The time of each week."""
    values = [(first, work.minutes) for first, work in weekly(days, today)]
    return bars("Time per week, in minutes", "min", values)
