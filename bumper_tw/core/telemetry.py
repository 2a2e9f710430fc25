"""Reports on their way: numbered, the newest of each kind kept, told to everybody."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.interfaces import ITelemetry, Undo
from bumper_tw.readings import Report

Listener = Callable[[Report], None]


@implementer(ITelemetry)
class Telemetry:
    """All in memory; what goes to disk is a listener's business."""

    _log = Logger()

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Report]] = {}
        self._listeners: list[Listener] = []
        self._numbers = count(1)

    def warm(self, reports: Iterable[Report]) -> None:
        """Start from what an earlier run left on disk; numbers go on from there."""
        newest = 0
        for report in reports:
            self._latest.setdefault(report.did, {})[report.kind] = report
            newest = max(newest, report.number)
        self._numbers = count(newest + 1)

    def record(self, report: Report) -> None:
        kinds = self._latest.setdefault(report.did, {})
        older = kinds.get(report.kind)
        reading = report.reading.merged(older.reading if older else None)
        report = Report(report.did, reading, report.at, next(self._numbers))
        kinds[report.kind] = report
        for listener in list(self._listeners):
            self._tell(listener, report)

    def _tell(self, listener: Listener, report: Report) -> None:
        """A listener that breaks must not keep the report from the others."""
        try:
            listener(report)
        except Exception:  # noqa: BLE001 - a bulkhead of the architecture
            self._log.failure("a listener failed on {kind}", kind=report.kind)

    def listen(self, listener: Listener) -> Undo:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def latest(self, did: str) -> Sequence[Report]:
        return list(self._latest.get(did, {}).values())

    def forget(self, did: str) -> None:
        """A robot is no longer ours."""
        self._latest.pop(did, None)
