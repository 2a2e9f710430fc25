"""The doctor's rounds in a running server: what has changed goes into the journal and the log."""

from collections.abc import Callable
from itertools import groupby

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.doctor.finding import Finding, Findings
from bumper_tw.front.journal import Journal

#: Seconds after the start, when robots are back, and between rounds.
FIRST, INTERVAL = 30.0, 3600.0


class Changes:
    """Tells the journal what was not so before."""

    _log = Logger()

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wrong: dict[str, frozenset[str]] = {}

    def heard(self, findings: Findings) -> None:
        """One examination is over."""
        for check, found in groupby(findings, key=lambda each: each.check):
            self._compare(check, tuple(found))

    def _compare(self, check: str, found: Findings) -> None:
        """
        @param found: by one check.
        """
        before = self._wrong.pop(check, frozenset())
        failed = [each for each in found if each.failed]
        if failed:
            self._wrong[check] = frozenset(each.topic for each in failed)
            self._worse(failed, before)
        elif before:
            self._note(found[0])

    def _worse(self, failed: list[Finding], before: frozenset[str]) -> None:
        for finding in failed:
            if not before:
                self._warn(finding)
            if finding.topic not in before:
                self._note(finding)

    def _warn(self, finding: Finding) -> None:
        self._log.warn(
            "{check}: {sentence}; {remedy}",
            check=finding.check,
            sentence=finding.sentence,
            remedy=finding.remedy,
        )

    def _note(self, finding: Finding) -> None:
        self._journal.note(finding.check, not finding.failed, finding.sentence, finding.remedy)


class Rounds(Service):
    """Has the checks made some time after the start, and every hour."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, look: Callable[[], Deferred[Findings]]) -> None:
        self.setName("doctor")
        self._clock, self._look = clock, look
        self._first: IDelayedCall | None = None
        self._loop = LoopingCall(self._examine)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._first = self._clock.callLater(FIRST, self._begin)

    def _begin(self) -> None:
        self._first = None
        self._loop.start(INTERVAL)

    def _examine(self) -> Deferred[None]:
        return self._look().addCallbacks(lambda _: None, self._failed)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("the doctor failed", failure)

    def stopService(self) -> None:
        super().stopService()
        first, self._first = self._first, None
        if first is not None:
            first.cancel()
        if self._loop.running:
            self._loop.stop()
