"""One look at something that costs time, shared by all who ask meanwhile or soon after."""

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


class Shared(Generic[T]):
    """
    Looks when somebody asks, never twice at the same time.

    @ivar last: what was seen last; C{None} before the first look is over.
    """

    def __init__(
        self, clock: IReactorTime, look: Callable[[], Deferred[T]], seconds: float
    ) -> None:
        """
        @param seconds: for which a look is good enough; one that failed is good for those only
            who waited for it.
        """
        self._clock, self._look, self._seconds = clock, look, seconds
        self.last: T | None = None
        self._taken, self._looking = 0.0, False
        self._waiting: list[Deferred[T]] = []

    def get(self) -> Deferred[T]:
        """What is seen now, or was seen some seconds ago."""
        fresh = 0 <= self._clock.seconds() - self._taken < self._seconds
        if self.last is not None and fresh:
            return succeed(self.last)
        # Whoever hangs up; the look goes on, for the others and for the next one.
        waiter: Deferred[T] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        self._begin()
        return waiter

    def refresh(self) -> None:
        """Look again if it is time to, and leave what comes of it to those who ask later."""
        if not 0 <= self._clock.seconds() - self._taken < self._seconds:
            self._begin()

    def _begin(self) -> None:
        if not self._looking:
            self._looking = True
            maybeDeferred(self._look).addCallbacks(self._seen, self._failed)

    def _seen(self, found: T) -> None:
        self.last, self._taken = found, self._clock.seconds()
        for waiter in self._all_waiting():
            waiter.callback(found)

    def _failed(self, why: Failure) -> Failure | None:
        waiting = self._all_waiting()
        for waiter in waiting:
            waiter.errback(why)
        return None if waiting else why

    def _all_waiting(self) -> list[Deferred[T]]:
        self._looking, waiting, self._waiting = False, self._waiting, []
        return waiting
