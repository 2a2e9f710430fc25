"""The doctor: one examination at a time, and its result for a while."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bumper_tw.app.doctor.finding import Finding

Findings = tuple[Finding, ...]

#: Seconds for which findings are good.
KEPT = 10.0


class Doctor:
    """Makes the checks when somebody asks, and shares the result among all who ask meanwhile."""

    def __init__(
        self,
        clock: IReactorTime,
        look: Callable[[], Deferred[Findings]],
        heard: Callable[[Findings], None],
    ) -> None:
        """
        @param look: makes the checks.
        @param heard: is told of every result.
        """
        self._clock, self._look, self._heard = clock, look, heard
        self._last: Findings | None = None
        self._taken, self._looking = 0.0, False
        self._waiting: list[Deferred[Findings]] = []

    def findings(self) -> Deferred[Findings]:
        """What the checks say now, or said some seconds ago."""
        fresh = 0 <= self._clock.seconds() - self._taken < KEPT
        if self._last is not None and fresh:
            return succeed(self._last)
        return self._asked()

    def _asked(self) -> Deferred[Findings]:
        waiter: Deferred[Findings] = Deferred(self._waiting_no_more)
        self._waiting.append(waiter)
        if not self._looking:
            self._looking = True
            self._look().addCallbacks(self._done, self._failed)
        return waiter

    def _waiting_no_more(self, waiter: Deferred[Findings]) -> None:
        """Whoever hangs up; the examination goes on, for the others and for the next one."""
        self._waiting.remove(waiter)

    def _done(self, findings: Findings) -> None:
        self._last, self._taken = findings, self._clock.seconds()
        self._heard(findings)
        for waiter in self._all_waiting():
            waiter.callback(findings)

    def _failed(self, failure: Failure) -> None:
        for waiter in self._all_waiting():
            waiter.errback(failure)

    def _all_waiting(self) -> list[Deferred[Findings]]:
        self._looking, waiting, self._waiting = False, self._waiting, []
        return waiting
