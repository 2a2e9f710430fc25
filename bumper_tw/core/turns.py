"""A few pieces of slow work at a time, and a bounded queue in front of them."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, fail
from twisted.python.failure import Failure

from bumper_tw.errors import LoginRefused

T = TypeVar("T")

#: One for each core of the smallest board at a time; behind them waits a household, and more
#: than one address may have connections.
AT_ONCE, WAITING = 2, 1000


class Turns:
    """
    Whose turn it is.  One of these is for all hashing: the threads and cores are the same.

    A turn lasts until the work is done, also when nobody waits for it any more: who hangs up
    and comes again does not get a second thread.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._turn, self._waiting = DeferredSemaphore(at_once), waiting

    def run(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """
        Call C{work} when its turn has come.

        @return: what it returned, and fails as it did; with L{LoginRefused} when too many
            wait.  Cancelled while it waits, it gives up its place.
        """
        if len(self._turn.waiting) >= self._waiting:
            return fail(LoginRefused("too many passwords are being checked"))
        place = self._turn.acquire()
        answer: Deferred[T] = Deferred(lambda _: place.cancel())
        place.addCallbacks(lambda _: self._start(work, answer), _given_up)
        return answer

    def _start(self, work: Callable[[], Deferred[T]], answer: Deferred[T]) -> None:
        # Not chained to our place in the queue: cancelling must not reach the work.
        Deferred.fromCoroutine(_awaited(work)).addBoth(self._done, answer)

    def _done(self, result: T | Failure, answer: Deferred[T]) -> None:
        # First, so that the next one finds what this one has learnt.
        if not answer.called:
            answer.callback(result)
        self._turn.release()


class OneByOne(Turns):
    """
    Turns among others, for work that must not be done twice at the same time: Python's own
    lock is held by it, and the reactor would wait for both.
    """

    def __init__(self, among: Turns, waiting: int = WAITING) -> None:
        """
        @param among: where each of them takes its turn; only one stands there.
        """
        super().__init__(1, waiting)
        self._among = among

    def run(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        return super().run(lambda: self._among.run(work))


async def _awaited(work: Callable[[], Deferred[T]]) -> T:
    return await work()


def _given_up(failure: Failure) -> None:
    failure.trap(CancelledError)
