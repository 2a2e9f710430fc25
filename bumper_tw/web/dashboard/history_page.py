"""What a robot has done so far, as people see it: charts, and a page for each cleaning."""

from collections.abc import Callable, Container, Iterator, Sequence
from urllib.parse import quote

from attrs import frozen
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.readings import Totals
from bumper_tw.values import CleaningLog, Device
from bumper_tw.web.dashboard.battery_chart import Charge, battery
from bumper_tw.web.dashboard.chart_days import Wall, by_day, work_of
from bumper_tw.web.dashboard.charts import area_bars, calendar, minute_bars, table
from bumper_tw.web.dashboard.frame import template
from bumper_tw.web.dashboard.history_words import end_words, kind_words, moment, stamp

#: Jobs that are read for one answer: five a day for a year and more.
MOST = 2000

#: Jobs that stand in the table.
LAST = 50

#: Where the picture of a job is on this box; C{None} if it is not here.
Pictured = Callable[[CleaningLog], str | None]


@frozen
class Past:
    """
    What is known of one robot's history.

    @ivar name: what the robot is called.
    @ivar logs: the newest first.
    @ivar totals: what the robot itself has counted, if it has told.
    @ivar traced: when those jobs began of which it is known where the robot was.
    @ivar now: seconds since the epoch.
    """

    device: Device
    name: str
    logs: Sequence[CleaningLog]
    charges: Sequence[Charge]
    totals: Totals | None
    traced: Container[int]
    now: float

    @property
    def place(self) -> str:
        """What stands for the robot in a path."""
        return quote(self.device.id.did, safe="")


class HistoryPage(Element):
    """The content of the page."""

    def __init__(self, past: Past, wall: Wall, pictured: Pictured) -> None:
        super().__init__(template("history"))
        self._past, self._wall, self._pictured = past, wall, pictured
        self._days, self._today = by_day(past.logs, wall), wall(past.now).date()

    @renderer
    def history(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        past = self._past
        return tag.fillSlots(
            sheet=f"/api/robots/{past.place}/cleanings.csv",
            now=moment(past.now, self._wall),
        )

    @renderer
    def totals(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """What was done since the robot was made, or since this box knows it."""
        for name, value in totals(self._past):
            tag(tags.div(tags.dt(name), tags.dd(value)))
        return tag

    @renderer
    def calendar(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """The last twelve months."""
        return calendar(self._days, self._today)

    @renderer
    def area(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """The area of each week."""
        return area_bars(self._days, self._today)

    @renderer
    def minutes(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """The time of each week."""
        return minute_bars(self._days, self._today)

    @renderer
    def battery(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """The last week."""
        return battery(self._past.charges, self._past.now, self._wall)

    @renderer
    def jobs(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """The last cleanings."""
        if not self._past.logs:
            return tags.p("No cleaning is known yet: the robot tells of each one.", class_="quiet")
        heads = ("Start", "Time", "Area", "What", "How it ended", "Map")
        return table("Table of the last cleanings", heads, map(self._row, self._past.logs[:LAST]))

    def _row(self, log: CleaningLog) -> tuple[Flattenable, ...]:
        start = tags.time(
            moment(log.started_at, self._wall), datetime=stamp(log.started_at, self._wall)
        )
        facts = (minutes_words(log), area_words(log), kind_words(log), end_words(log))
        return (start, *facts, self._picture(log))

    def _picture(self, log: CleaningLog) -> Flattenable:
        if self._pictured(log) is None and log.started_at not in self._past.traced:
            return ""
        href = f"/robots/{self._past.place}/history/{log.started_at}"
        label = f"Look at the cleaning of {moment(log.started_at, self._wall)}"
        return tags.a("Look", href=href, **{"aria-label": label})


class JobPage(Element):
    """
    The content of the page of one cleaning.

    @param covered: where the robot was, drawn; C{None} when that is not known.
    @param pictured: where the robot's own picture is; C{None} for nowhere.
    """

    def __init__(
        self,
        past: Past,
        log: CleaningLog,
        wall: Wall,
        covered: Tag | None,
        pictured: str | None,
    ) -> None:
        super().__init__(template("history_job"))
        self._past, self._log, self._wall = past, log, wall
        self._covered, self._pictured = covered, pictured

    @renderer
    def cleaning(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        return tag.fillSlots(name=self._past.name, history=f"/robots/{self._past.place}/history")

    @renderer
    def facts(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """In words and numbers."""
        log = self._log
        told = (
            ("Start", moment(log.started_at, self._wall)),
            ("Time", minutes_words(log)),
            ("Area", area_words(log)),
            ("What", kind_words(log)),
            ("How it ended", end_words(log)),
        )
        return tag(
            *(tags.div(tags.dt(name), tags.dd(value or "Not told")) for name, value in told)
        )

    @renderer
    def area(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """Where the robot was."""
        unknown = tags.p("Nobody knows: the robot has not told its way.", class_="quiet")
        return unknown if self._covered is None else self._covered

    @renderer
    def pictured(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is one."""
        return "" if self._pictured is None else tag.fillSlots(picture=self._pictured)


def minutes_words(log: CleaningLog) -> str:
    """How long it took; empty if that is not known."""
    return "" if log.duration is None else f"{work_of(log).minutes} min"


def area_words(log: CleaningLog) -> str:
    """How much was cleaned; empty if that is not known."""
    return "" if log.area is None else f"{work_of(log).area} m²"


def totals(past: Past) -> Iterator[tuple[str, str]]:
    """What has been done in all, each with its name."""
    if past.totals is not None:
        yield "Cleanings", str(past.totals.count)
        yield "Area", f"{past.totals.area} m²"
        yield "Time", f"{round(past.totals.duration / 3600)} h"
    count = len(past.logs)
    known = "1 cleaning" if count == 1 else f"{count} cleanings"
    yield "Known to this box", known if count < MOST else f"{MOST} cleanings, or more"
