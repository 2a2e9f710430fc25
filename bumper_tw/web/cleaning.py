"""Cleaning logs over the vendor's API (http-devices.md 5)."""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from bumper_tw.dialect.envelopes import app_ok, iot_failed
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import ICleaningLogStore
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import CleaningLog
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, POST, Route
from bumper_tw.web.told import natural

#: Jobs in one answer, if it is not said how many; robots keep as many themselves.
USUAL = 30
#: As many there may be.
MAX_LOGS = 1000
#: Jobs that begin so many seconds apart by two clocks, ours and the robot's, are the same.
NEAR = 60
#: Jobs that one request may delete.
MAX_REMOVED = 500

#: What clients read besides, and what stands there when the robot has said nothing.
EXTRAS: dict[str, object] = {
    "aiavoid": 0,
    "aitypes": [],
    "avoidCount": None,
    "enablePowerMop": None,
    "powerMopType": None,
    "aiopen": None,
}
#: C{stopReason} of a job that has none (http-devices.md 5.1).
NO_REASON = -2


class CleaningRoutes:
    """
    Shows jobs from the store, and those that only the robot remembers.

    @param remembered: the jobs that a robot itself knows of; it never fails.
    @param permits: who may do what with a robot.
    @param guard: lets those through who may use the portal, and says who it is.
    @param picture: where on this box the picture of a job is; C{None} if it is not here.
    """

    def __init__(
        self,
        store: ICleaningLogStore,
        remembered: Callable[[str], Deferred[list[CleaningLog]]],
        permits: IPermits,
        guard: Callable[[Call], str],
        picture: Callable[[CleaningLog], str | None] = lambda _: None,
    ) -> None:
        self._store, self._remembered = store, remembered
        self._permits, self._guard, self._picture = permits, guard, picture

    def routes(self) -> tuple[Route, ...]:
        """LG01 to LG03."""
        results = "/app/dln/api/log/clean_result/"
        return (
            Route("/api/lg/log.do", POST, self.logs, iot_failure),
            Route(results + "list", ANY, self.results, portal_failure),
            Route(results + "del", ANY, self.remove, portal_failure),
        )

    def logs(self, call: Call) -> Answer | Deferred[Answer]:
        """LG01: of a robot nobody knows there are none."""
        uid, did = self._guard(call), call.optional("did", "")
        if call.optional("td", "") != "GetCleanLogs" or not did:
            return render_logs([])
        return self._jobs(call, uid, did, USUAL).addCallback(render_logs)

    def results(self, call: Call) -> Answer | Deferred[Answer]:
        """LG02; an app that wants fewer or more says how many."""
        uid, did = self._guard(call), call.query("did")
        if call.query("logType") != "clean" or not did:
            return render_results([])
        size = natural(call.query("size"), USUAL, MAX_LOGS)
        return self._jobs(call, uid, did, size).addCallback(render_results)

    def _jobs(self, call: Call, uid: str, did: str, most: int) -> Deferred[list[CleaningLog]]:
        found = Deferred.fromCoroutine(self._known(uid, did, most))
        return found.addCallback(lambda jobs: [self._shown(call.base_url, job) for job in jobs])

    def _shown(self, base_url: str, log: CleaningLog) -> CleaningLog:
        """A job with the address of its picture, as far as that is here."""
        path = self._picture(log) if log.image_url else None
        return evolve(log, image_url=path and base_url + path)

    async def _known(self, uid: str, did: str, most: int) -> list[CleaningLog]:
        if not self._permits.may_use(uid, did):
            return []
        stored = await self._store.logs(did, most)
        return merged(stored, await self._remembered(did))[:most]

    def remove(self, call: Call) -> Deferred[Answer]:
        """LG03: of the asker's own robots, by the first part of each id."""
        uid, ids = self._guard(call), call.field("logIds", list)
        if len(ids) > MAX_REMOVED or not all(isinstance(each, str) for each in ids):
            raise BadRequest("logIds is not a list of ids")
        mine = [each for each in ids if self._permits.may_keep(uid, each.partition("@")[0])]
        return self._store.remove(mine).addCallback(removed)


def merged(stored: Sequence[CleaningLog], told: Sequence[CleaningLog]) -> list[CleaningLog]:
    """The newest jobs of both lists, each once."""
    left = list(told)
    every = [completed(log, take_same(log, left)) for log in stored] + left
    return sorted(every, key=lambda log: log.started_at, reverse=True)


def take_same(log: CleaningLog, told: list[CleaningLog]) -> CleaningLog:
    """Take out of a list what is the same job by the robot's clock; C{log} if nothing is."""

    def apart(each: CleaningLog) -> int:
        return abs(each.started_at - log.started_at)

    nearest = min(told, key=apart, default=None)
    if nearest is None or apart(nearest) > NEAR:
        return log
    told.remove(nearest)
    return nearest


def completed(stored: CleaningLog, told: CleaningLog) -> CleaningLog:
    """A job with what the robot knows of it and has not reported; both counts only grow."""
    return evolve(
        stored,
        type=stored.type or told.type,
        duration=largest(stored.duration, told.duration),
        area=largest(stored.area, told.area),
        stop_reason=told.stop_reason if stored.stop_reason is None else stored.stop_reason,
    )


def largest(*numbers: int | None) -> int | None:
    """The largest of those that are known."""
    return max((each for each in numbers if each is not None), default=None)


def job(log: CleaningLog) -> dict[str, Any]:
    """
    One job as clients read it.  No picture is C{null}: one client downloads whatever else
    stands there.
    """
    known = {name: log.extras.get(name, default) for name, default in EXTRAS.items()}
    return {
        "id": log.id,
        "ts": log.started_at,
        "last": log.duration,
        "area": log.area,
        "type": log.type,
        "stopReason": NO_REASON if log.stop_reason is None else log.stop_reason,
        "imageUrl": log.image_url or None,
        **known,
    }


def render_logs(logs: Sequence[CleaningLog]) -> Answer:
    """The jobs as C{log.do} wraps them."""
    return json_answer({"ret": "ok", "logs": [job(log) for log in logs]})


def render_results(logs: Sequence[CleaningLog]) -> Answer:
    """The jobs in S3, each with its robot."""
    return json_answer(app_ok([{**job(log), "did": log.device.did} for log in logs]))


def removed(_: None) -> Answer:
    """S3 without data."""
    return json_answer({"code": 0, "message": "success", "ret": "ok"})


def iot_failure(_: Call, why: Exception) -> Answer:
    """E7."""
    return json_answer(iot_failed(str(why)))
