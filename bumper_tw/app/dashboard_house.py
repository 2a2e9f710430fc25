"""How the house is, put together for its page; and news of it for pages that are open."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import asdict, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw import __version__
from bumper_tw.app.dashboard_services import listener_entry
from bumper_tw.app.doctor.finding import Finding, Findings
from bumper_tw.app.lifecycle import Doors
from bumper_tw.core.sharing import Shared
from bumper_tw.errors import DeviceUnknown
from bumper_tw.front.journal import Entry, Journal, Remark
from bumper_tw.interfaces import IDeviceRegistry, IFeed
from bumper_tw.values import Device
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.health import Health

A_DAY = 86_400.0

#: Seconds that news wait for more of them.
PAUSE = 1.0

#: The check that misses robots.
OFFLINE = "offline"

#: What the id of a robot may be in a sentence; alone, and in brackets behind its name.
WORD, BRACKETS = re.compile(r"[\w-]+"), re.compile(r" \(([\w-]+)\)")


@frozen
class Wellness:
    """
    Looks at everything.

    @ivar report: what the doctor finds.
    @ivar ready: what has to be right, by name.
    @ivar expires: when the server certificate ceases to hold.
    @ivar doors: gives the listeners, once they are there.
    @ivar started: seconds since 1970.
    @ivar proc: where the kernel shows its processes.
    """

    clock: IReactorTime
    report: Callable[[], Deferred[Mapping[str, Any]]]
    ready: Callable[[], Deferred[dict[str, Health]]]
    registry: IDeviceRegistry
    expires: Callable[[], datetime]
    doors: Callable[[], Doors]
    started: float
    proc: Path = Path("/proc")

    def look(self) -> Deferred[dict[str, Any]]:
        """All of it; looks that are some seconds old are good enough."""
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> dict[str, Any]:
        found, ready = await self.report(), await self.ready()
        now, robots = self.clock.seconds(), list(self.registry.devices())
        online = sum(self.registry.online(robot.id.did) for robot in robots)
        return {
            "at": now,
            "version": __version__,
            "started": self.started,
            "memory": memory(self.proc),
            "robots": {"known": len(robots), "online": online},
            "certificate_days": (self.expires().timestamp() - now) / A_DAY,
            "ready": all(each.ok for each in ready.values()),
            "checks": {name: asdict(each) for name, each in ready.items()},
            "findings": [self._named(each, robots) for each in found["findings"]],
            "failures": found["failures"],
            "listeners": [
                {"serve": at.serve, **listener_entry(at, door)} for at, door in self.doors()
            ],
        }

    @staticmethod
    def _named(finding: Mapping[str, Any], robots: Sequence[Device]) -> dict[str, Any]:
        return {**finding, "sentence": by_name(str(finding["sentence"]), robots)}


@frozen
class Notices:
    """
    What is wrong, in sentences, for the first page.

    @ivar findings: what the doctor found; it is looked at again whenever somebody wants to know.
    """

    findings: Shared[Findings]
    registry: IDeviceRegistry

    def __call__(self) -> list[str]:
        """What is at hand; what comes of the new look is for the next who asks."""
        self.findings.refresh()
        robots = list(self.registry.devices())
        found = [each for each in self.findings.last or () if each.failed]
        return [by_name(each.sentence, robots) for each in found if not self._is_over(each)]

    def _is_over(self, finding: Finding) -> bool:
        """Whether it misses robots that have come back meanwhile."""
        if finding.check != OFFLINE:
            return False
        words = set(finding.topic.split())
        missed = [did for each in self.registry.devices() if (did := each.id.did) in words]
        return bool(missed) and all(map(self.registry.online, missed))


@frozen
class Names:
    """What robots are called on pages, by their dids."""

    registry: IDeviceRegistry

    def __call__(self, did: str) -> str:
        """The did itself, if there is no such robot any more."""
        try:
            return name_of(self.registry.device(did))
        except DeviceUnknown:
            return did


def by_name(sentence: str, robots: Iterable[Device]) -> str:
    """The same with robots called as they are on pages, and not by their ids."""
    names = {each.id.did: name_of(each) for each in robots}
    alone = BRACKETS.sub(lambda found: "" if found[1] in names else found[0], sentence)
    return WORD.sub(lambda found: names.get(found[0], found[0]), alone)


def memory(proc: Path) -> int:
    """How many bytes of memory this process takes; 0 where nobody says."""
    try:
        text = (proc / "self/status").read_text("utf-8", "replace")
    except OSError:
        return 0
    for line in text.splitlines():
        match line.split():
            case ["VmRSS:", kilobytes, "kB"] if kilobytes.isdecimal():
                return int(kilobytes) * 1024
    return 0


class HealthFeed(Service):
    """Tells pages how the house is when the doctor has noted something new."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, journal: Journal, wellness: Wellness, feed: "IFeed"
    ) -> None:
        self.setName("health for pages")
        self._clock, self._journal, self._wellness = clock, journal, wellness
        self._feed = feed
        self._timer: IDelayedCall | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._journal.watch(self._heard)

    def stopService(self) -> None:
        super().stopService()
        self._unwatch()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _heard(self, entry: Entry) -> None:
        if isinstance(entry, Remark) and self._timer is None:
            self._timer = self._clock.callLater(PAUSE, self._look)

    def _look(self) -> None:
        self._timer = None
        self._wellness.look().addCallbacks(self._tell, self._failed)

    def _tell(self, found: dict[str, Any]) -> None:
        self._feed.put("health", "health", found)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("nobody could look at the house", failure)
