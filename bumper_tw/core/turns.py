"""A few pieces of slow work at a time, and a bounded queue in front of them."""

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.python.failure import Failure

from bumper_tw.errors import LoginRefused

T = TypeVar("T")

#: One for each core of the smallest board at a time; behind them waits a household, and more
#: than one address may have connections.
AT_ONCE, WAITING = 2, 1000


@define(eq=False)
class Place:
    """Work in the queue, and who waits for it."""

    work: Callable[[], Deferred[Any]]
    answer: Deferred[Any]


class Turns:
    """
    Whose turn it is.  One of these is for all hashing: the threads and cores are the same.

    A turn lasts until the work is done, also when nobody waits for it any more: who hangs up
    and comes again does not get a second thread.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free, self._waiting = at_once, waiting
        self._queue: dict[Place, None] = {}
        self._calling = False

    def run(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """
        Call C{work} when its turn has come.

        @return: what it returned, and fails as it did; with L{LoginRefused} when too many
            wait.  Cancelled while it waits, it gives up its place.
        """
        if len(self._queue) >= self._waiting:
            return fail(LoginRefused("too many passwords are being checked"))
        answer: Deferred[T] = Deferred(lambda _: self._queue.pop(place, None))
        place = Place(work, answer)
        self._queue[place] = None
        self._call()
        return answer

    def _call(self) -> None:
        """Call whose turn it is; in a loop, for work may be done at once, and many wait."""
        if self._calling:
            return
        self._calling = True
        while self._free and self._queue:
            place = next(iter(self._queue))
            del self._queue[place]
            self._free -= 1
            # Not chained to the answer: cancelling must not reach the work.
            maybeDeferred(place.work).addBoth(self._done, place)
        self._calling = False

    def _done(self, result: object | Failure, place: Place) -> None:
        # First, so that the next one finds what this one has learnt.
        try:
            if not place.answer.called:
                place.answer.callback(result)
        finally:
            self._free += 1
            self._call()


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
