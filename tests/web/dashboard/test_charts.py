"""Tests for L{bumper_tw.web.dashboard.charts} and its neighbours: what is drawn of the past."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Tag, flattenString

from bumper_tw.values import CleaningLog
from bumper_tw.web.dashboard.battery_chart import DAYS, POINTS, SILENCE, Charge, battery, thinned
from bumper_tw.web.dashboard.chart_days import (
    DAY,
    Work,
    by_day,
    midnight,
    monday,
    months,
    weeks,
)
from bumper_tw.web.dashboard.charts import (
    QUARTER,
    SHADES,
    YEAR,
    area_bars,
    calendar,
    ceiling,
    minute_bars,
    shade,
)
from tests.samples import DUSTY

#: A Wednesday.
TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC).timestamp()

#: When summer time ended in 2026, and began (directive 2000/84/EC).
AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()
SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()


def berlin(at: float) -> datetime:
    """The time in the middle of Europe in 2026."""
    hours = 2 if SPRING <= at < AUTUMN else 1
    return datetime.fromtimestamp(at, timezone(timedelta(hours=hours)))


def utc(at: float) -> datetime:
    """The time in winter in Greenwich."""
    return datetime.fromtimestamp(at, UTC)


def drawn(tag: Tag) -> ElementTree.Element:
    """What a browser gets; fails if it is not well-formed."""
    written: list[bytes] = []
    flattenString(None, tag).addCallback(written.append)
    return ElementTree.fromstring(written[0])


def words(element: ElementTree.Element) -> str:
    """All text in it."""
    return " ".join("".join(element.itertext()).split())


def log(at: float, area: int | None = 20, seconds: int | None = 1800) -> CleaningLog:
    """A job."""
    return CleaningLog(DUSTY, "1", int(at), "auto", seconds, area, 1)


class DaysTests(SynchronousTestCase):
    """Days by the clock on the wall."""

    def test_midnight(self) -> None:
        """Days begin at midnight there, also those that have 23 or 25 hours."""
        for day in (date(2026, 3, 29), date(2026, 10, 25)):
            for n in range(-2, 3):
                each = day + timedelta(days=n)
                self.assertEqual(berlin(midnight(each, berlin)).isoformat()[:16], f"{each}T00:00")
        lengths = [
            midnight(day + timedelta(days=1), berlin) - midnight(day, berlin)
            for day in (date(2026, 3, 29), date(2026, 10, 25), TODAY)
        ]
        self.assertEqual(lengths, [23 * 3600, 25 * 3600, 24 * 3600])

    @given(st.integers(0, 365), st.integers(-12 * 4, 14 * 4))
    def test_any_offset(self, back: int, quarters: int) -> None:
        """So they do wherever the house is."""
        zone = timezone(timedelta(minutes=15 * quarters))
        day = TODAY - timedelta(days=back)
        found = datetime.fromtimestamp(midnight(day, lambda at: utc(at).astimezone(zone)), zone)
        self.assertEqual((found.date(), found.hour, found.minute), (day, 0, 0))

    def test_day_of_job(self) -> None:
        """A job counts for the day on the wall on which it began."""
        late = datetime(2026, 11, 17, 23, 30, tzinfo=UTC).timestamp()
        self.assertEqual(list(by_day([log(late)], utc)), [date(2026, 11, 17)])
        self.assertEqual(list(by_day([log(late)], berlin)), [date(2026, 11, 18)])

    def test_sum(self) -> None:
        """Jobs of one day are added up; what a robot has not told counts nothing."""
        days = by_day([log(NOW), log(NOW - 60), log(NOW, None, None)], utc)
        self.assertEqual(days, {TODAY: Work(3, 3600, 40)})

    @given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
    def test_absurd(self, at: int, number: int) -> None:
        """Whatever a robot says, there is a sum, and it is one of this world."""
        for work in by_day([log(at, number, number)], utc).values():
            self.assertTrue(0 <= work.area <= 10_000 and 0 <= work.seconds <= DAY)

    def test_weeks(self) -> None:
        """Weeks begin on Mondays, months on the first, and the newest is the last."""
        self.assertEqual(monday(TODAY), date(2026, 11, 16))
        found = list(weeks(TODAY, 3))
        self.assertEqual(found, [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)])
        self.assertEqual(list(months(date(2026, 1, 31), 2)), [date(2025, 12, 1), date(2026, 1, 1)])


class CalendarTests(SynchronousTestCase):
    """A square for each day."""

    def squares(self, tag: Tag, kind: str) -> dict[str, int]:
        """How many there are of each shade in the calendar of a year or a quarter."""
        [box] = [e for e in drawn(tag).iter("div") if e.get("class") == f"calendar {kind}"]
        paths = {e.get("class") or "": e.get("d") or "" for e in box.iter("path")}
        return {shade: path.count("M") for shade, path in paths.items() if path}

    def test_empty(self) -> None:
        """Without any cleaning there is a sentence, and nothing is drawn."""
        page = drawn(calendar({}, TODAY))
        self.assertIn("No cleaning", words(page))
        self.assertEqual(list(page.iter("svg")), [])
        old = {TODAY - timedelta(days=500): Work(1, 60, 5)}
        self.assertIn("No cleaning", words(drawn(calendar(old, TODAY))))

    def test_squares(self) -> None:
        """There is one for each day up to today, darker for more."""
        days = {TODAY: Work(1, 60, 40), TODAY - timedelta(days=200): Work(1, 60, 10)}
        found = self.squares(calendar(days, TODAY), "year")
        self.assertEqual(sum(found.values()), (YEAR - 1) * 7 + 3)
        self.assertEqual((found["shade4"], found["shade1"]), (1, 1))
        phone = self.squares(calendar(days, TODAY), "quarter")
        self.assertEqual(phone, {"shade0": (QUARTER - 1) * 7 + 2, "shade4": 1})

    def test_shades(self) -> None:
        """All shades are used, nothing but nothing has none, and more is never lighter."""
        found = [shade(Work(1, 0, area), 100) for area in range(101)]
        self.assertEqual(found, sorted(found))
        self.assertEqual(set(found), set(range(1, SHADES + 1)))
        self.assertEqual(shade(Work(), 100), 0)
        self.assertEqual(shade(Work(1, 600, 0), 0), SHADES)

    def test_no_area(self) -> None:
        """Robots that tell only times are shown by these."""
        days = {TODAY: Work(1, 3600), TODAY - timedelta(days=1): Work(1, 600)}
        found = self.squares(calendar(days, TODAY), "year")
        self.assertEqual((found["shade4"], found["shade1"]), (1, 1))

    def test_table(self) -> None:
        """The same is there in words: a table by month, a title and a description."""
        page = drawn(calendar({TODAY: Work(2, 3600, 40)}, TODAY))
        [body] = page.iter("tbody")
        rows = [words(row) for row in body]
        self.assertEqual(len(rows), 12)
        self.assertEqual(rows[-1], "Nov 2026240 m²60 min")
        for svg in page.iter("svg"):
            self.assertEqual([e.tag for e in svg][:2], ["title", "desc"])
            names = {e.get("id") for e in svg}
            self.assertTrue(set((svg.get("aria-labelledby") or "").split()) <= names)

    def test_once(self) -> None:
        """No two elements of a page have the same id."""
        days = {TODAY: Work(2, 3600, 40)}
        every = [calendar(days, TODAY), area_bars(days, TODAY), minute_bars(days, TODAY)]
        every.append(battery([Charge(NOW, 50)], NOW, utc))
        ids = [e.get("id") for tag in every for e in drawn(tag).iter() if e.get("id")]
        self.assertEqual(len(ids), len(set(ids)))


class BarsTests(SynchronousTestCase):
    """Sums by week."""

    def test_empty(self) -> None:
        """Without any there is a sentence."""
        self.assertIn("Nothing", words(drawn(area_bars({}, TODAY))))

    def test_heights(self) -> None:
        """A bar for each week with something, as high as its share; the tallest fits."""
        days = {TODAY: Work(1, 0, 40), TODAY - timedelta(days=7): Work(1, 0, 20)}
        older, newer = drawn(area_bars(days, TODAY)).iter("rect")
        self.assertEqual(float(newer.get("height") or 0), 2 * float(older.get("height") or 0))
        self.assertLess(float(older.get("x") or 0), float(newer.get("x") or 0))
        self.assertIn("40 m²", words(newer))

    @given(st.integers(0, 10**9))
    def test_ceiling(self, value: int) -> None:
        """The scale ends at a round number that is no less, and not far away."""
        top = ceiling(value)
        self.assertTrue(value <= top <= max(1, 2 * value))
        self.assertRegex(str(top), r"\A(10|[1-9])0*\Z")

    def test_minutes(self) -> None:
        """Times are told in minutes."""
        page = words(drawn(minute_bars({TODAY: Work(1, 1800, 0)}, TODAY)))
        self.assertIn("30 min", page)


class BatteryTests(SynchronousTestCase):
    """The charge of seven days."""

    def lines(self, charges: Sequence[Charge]) -> list[int]:
        """How many points each line has."""
        found = drawn(battery(charges, NOW, berlin)).iter("polyline")
        return [len((line.get("points") or "").split()) for line in found]

    def test_empty(self) -> None:
        """Nothing known is said; what is older, to come or impossible is not known."""
        for charges in (
            [],
            [Charge(NOW - DAYS * DAY, 50)],
            [Charge(NOW + DAY, 50), Charge(float("inf"), 5), Charge(float("nan"), 5)],
            [Charge(NOW, 101), Charge(NOW, -1), Charge(NOW, 10**400)],
        ):
            self.assertIn("not told", words(drawn(battery(charges, NOW, berlin))))

    def test_gap(self) -> None:
        """Where the robot was silent for long there is no line, and one report alone is a dot."""
        first = [Charge(NOW - 40 * 3600 + n * 600, 50 + n) for n in range(5)]
        second = [Charge(NOW - 3600 + n * 600, 80) for n in range(3)]
        self.assertEqual(self.lines([*second, *first]), [5, 3])
        self.assertEqual(self.lines([Charge(NOW, 50), Charge(NOW - SILENCE, 60)]), [2])
        page = drawn(battery([Charge(NOW, 50)], NOW, berlin))
        self.assertEqual(len(list(page.iter("circle"))), 1)

    @given(st.lists(st.integers(0, 100), min_size=1, max_size=3000))
    def test_thinned(self, percents: list[int]) -> None:
        """However many reports there are, few are drawn; the lowest and the highest among them."""
        charges = [Charge(NOW - 200_000 + n, percent) for n, percent in enumerate(percents)]
        kept = thinned(charges, POINTS)
        self.assertLessEqual(len(kept), POINTS)
        self.assertEqual(kept, sorted(kept, key=lambda each: each.at))
        shown = {each.percent for each in kept}
        self.assertTrue({min(percents), max(percents)} <= shown)

    def test_one_moment(self) -> None:
        """Thousands of reports of one moment are no trouble."""
        charges = [Charge(NOW, n % 101) for n in range(3000)]
        self.assertEqual(len(thinned(charges, POINTS)), 2)

    def test_within(self) -> None:
        """Nothing is drawn outside of the picture."""
        charges = [Charge(NOW - n * 3600, n % 101) for n in range(160)]
        page = drawn(battery(charges, NOW, berlin))
        [size] = [e.get("viewBox") or "" for e in page.iter("svg")]
        _, _, width, height = map(float, size.split())
        for line in page.iter("polyline"):
            for x, y in re.findall(r"([\d.]+),([\d.]+)", line.get("points") or ""):
                self.assertTrue(0 <= float(x) <= width and 0 <= float(y) <= height)

    def test_table(self) -> None:
        """The lowest and the highest of each day of which anything is known."""
        charges = [Charge(NOW, 80), Charge(NOW - 3600, 60), Charge(NOW - DAY, 30)]
        [body] = drawn(battery(charges, NOW, berlin)).iter("tbody")
        rows = [[words(cell) for cell in row] for row in body]
        self.assertEqual(rows, [["17 Nov 2026", "30 %", "30 %"], ["18 Nov 2026", "60 %", "80 %"]])
