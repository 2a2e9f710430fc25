"""What a robot has done so far: pages for people, the same as JSON and as a table for programs."""

from collections.abc import Callable, Container, Sequence
from datetime import datetime

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.template import Tag

from bumper_tw.core.fleet import Fleet
from bumper_tw.errors import BadRequest, DeviceUnknown
from bumper_tw.interfaces import ICleaningLogStore, ITelemetry, ITelemetryStore
from bumper_tw.readings import Battery, Report, Totals
from bumper_tw.values import OWNER, CleaningLog, Device, Principal
from bumper_tw.web.api import failure, number
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.battery_chart import DAYS, Charge
from bumper_tw.web.dashboard.chart_days import DAY, Wall
from bumper_tw.web.dashboard.frame import Admit, Visit, page_failure, shown
from bumper_tw.web.dashboard.history_page import MOST, HistoryPage, JobPage, Past, Pictured
from bumper_tw.web.dashboard.history_words import job, moment, sheet
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.routes import GET, Route

#: Jobs in one answer of the API, if nobody says how many.
SOME = 50

#: Reports of the charge that are read: one a minute for half of the time.
REPORTS = 5000

CSV = "text/csv; charset=utf-8"

#: Where a robot was in a job, drawn; C{None} when that is not known.
Covered = Callable[[str, CleaningLog], Tag | None]

#: When those jobs of a robot began of which that is known.
Traced = Callable[[str], Container[int]]


def uncovered(_: str, __: CleaningLog) -> Tag | None:
    """Nobody knows."""
    return None


def untraced(_: str) -> Container[int]:
    """Of none."""
    return ()


@frozen
class HistoryRoutes:
    """
    The page, and what is behind it.

    @ivar guard: tells who asks the API.
    @ivar admit: tells whose visit it is.
    @ivar here: whether somebody calls this box by a name of its own.
    """

    clock: IReactorTime
    fleet: Fleet
    logs: ICleaningLogStore
    reports: ITelemetryStore
    telemetry: ITelemetry
    guard: Callable[[Call], Principal]
    admit: Admit
    here: Callable[[Call], bool]
    pictured: Pictured
    covered: Covered = uncovered
    traced: Traced = untraced
    wall: Wall = field(default=lambda at: datetime.fromtimestamp(at).astimezone())

    def routes(self) -> tuple[Route, ...]:
        """C{/robots/<did>/history}, a page for each job, and two below C{/api}."""
        robot = "/api/robots/<did>/cleanings"
        return (
            Route("/robots/<did>/history", GET, self.page, page_failure, here=self.here),
            Route("/robots/<did>/history/<start>", GET, self.one, page_failure, here=self.here),
            Route(robot, GET, self.cleanings, failure),
            Route(robot + ".csv", GET, self.sheet, failure),
        )

    def page(self, call: Call) -> Deferred[Answer]:
        """The page."""
        visit = self.admit(call)
        device = self.fleet.robot(OWNER, call.segments["did"])
        return Deferred.fromCoroutine(self._past(device)).addCallback(self._shown, visit)

    async def _past(self, device: Device) -> Past:
        did, now = device.id.did, self.clock.seconds()
        logs = await self.logs.logs(did, MOST)
        since = now - (DAYS + 1) * DAY
        reports = await self.reports.history(did, Battery.kind, since, REPORTS)
        latest = (report.reading for report in self.telemetry.latest(did))
        counted = next((each for each in latest if isinstance(each, Totals)), None)
        name = self._name(device)
        return Past(device, name, logs, charges(reports), counted, self.traced(did), now)

    def _name(self, device: Device) -> str:
        return name_of(device, self.fleet.registry.devices())

    def _shown(self, past: Past, visit: Visit) -> Deferred[Answer]:
        page = HistoryPage(past, self.wall, self.pictured)
        return shown(visit, f"{past.name}: history", page)

    def one(self, call: Call) -> Deferred[Answer]:
        """
        The page of one job.

        @return: fails with L{DeviceUnknown} if the robot has not begun any then.
        """
        visit = self.admit(call)
        device = self.fleet.robot(OWNER, call.segments["did"])
        read = self.logs.logs(device.id.did, MOST)
        return read.addCallback(self._one, device, call.segments["start"], visit)

    def _one(
        self, logs: Sequence[CleaningLog], device: Device, start: str, visit: Visit
    ) -> Deferred[Answer]:
        log = next((each for each in logs if str(each.started_at) == start), None)
        if log is None:
            raise DeviceUnknown("this robot has not begun any cleaning then")
        past = Past(device, self._name(device), logs, (), None, (), self.clock.seconds())
        covered, pictured = self.covered(device.id.did, log), self.pictured(log)
        page = JobPage(past, log, self.wall, covered, pictured)
        return shown(visit, f"Cleaning of {moment(log.started_at, self.wall)}", page)

    def cleanings(self, call: Call) -> Deferred[Answer]:
        """The jobs, the newest first."""
        did = self._asked(call)
        limit = int(number(call.query("limit", str(SOME)), "limit"))
        before = number(call.query("before", "0"), "before")
        if not 1 <= limit <= MOST:
            raise BadRequest(f"limit is not between 1 and {MOST}")
        read = self.logs.logs(did, MOST if before else limit)
        return read.addCallback(self._rendered, before, limit)

    def _rendered(self, logs: Sequence[CleaningLog], before: float, limit: int) -> Answer:
        wanted = [log for log in logs if not before or log.started_at < before][:limit]
        return json_answer({"cleanings": [job(log, self.pictured(log)) for log in wanted]})

    def sheet(self, call: Call) -> Deferred[Answer]:
        """The same as a table."""
        headers = (
            ("Content-Disposition", 'attachment; filename="cleanings.csv"'),
            ("Cache-Control", "no-store"),
        )
        read = self.logs.logs(self._asked(call), MOST)
        made = read.addCallback(lambda logs: sheet(logs, self.wall))
        return made.addCallback(Answer, content_type=CSV, headers=headers)

    def _asked(self, call: Call) -> str:
        return self.fleet.robot(self.guard(call).name, call.segments["did"]).id.did


def charges(reports: Sequence[Report]) -> list[Charge]:
    """What was told of the battery."""
    return [
        Charge(report.at, report.reading.percent)
        for report in reports
        if isinstance(report.reading, Battery)
    ]
