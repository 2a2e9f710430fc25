"""Cleaning logs, made from what robots report about their jobs."""

from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger

from bumper_tw.interfaces import ICleaningLogStore
from bumper_tw.readings import Report, Stats
from bumper_tw.values import CleaningLog, DeviceId

T = TypeVar("T")

#: Under what a report has the name of a picture of the job.
IMAGE = "imageUrl"

#: As many reports about jobs may wait for the disk.
MOST_WRITING = 1000


class CleaningLogs:
    """
    Listens to telemetry and keeps one log per job (mqtt.md 11).

    @ivar address: tells a robot's full address by its did.
    """

    _log = Logger()

    def __init__(self, store: ICleaningLogStore, address: Callable[[str], DeviceId]) -> None:
        self._store, self.address = store, address
        self._writing = 0

    def heard(self, report: Report) -> None:
        """Note what a report says about a job; other reports are none of our business."""
        if not isinstance(report.reading, Stats):
            return
        log = cleaning_log(self.address(report.did), report.reading)
        if self._writing >= MOST_WRITING:
            self._lost("the disk is too slow", log.id)
            return
        self._writing += 1
        self._store.record(log).addBoth(self._written).addErrback(self._lost, log.id)

    def _written(self, result: T) -> T:
        self._writing -= 1
        return result

    def _lost(self, failure: object, log_id: str) -> None:
        self._log.error("cleaning log {id} not saved: {why}", id=log_id, why=failure)


def cleaning_log(device: DeviceId, stats: Stats) -> CleaningLog:
    """The log entry that one report makes or completes."""
    extras = dict(stats.extras)
    image = extras.pop(IMAGE, None)
    return CleaningLog(
        device=device,
        job=stats.job,
        started_at=stats.started_at,
        type=stats.type,
        duration=stats.duration,
        area=stats.area,
        stop_reason=stats.stop_reason,
        image_url=image or None,
        extras=extras,
    )
