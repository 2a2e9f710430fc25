"""How often something may happen to each of many things: at once, but not all the time."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Pace:
    """
    Calls for a name, the first time at once; then so seldom that the last wish is still heard.
    """

    def __init__(self, clock: IReactorTime, seconds: float, call: Callable[[str], bool]) -> None:
        """
        @param seconds: between two calls for the same name.
        @param call: does it, and says whether it counts; what does not count may come again.
        """
        self._clock, self._seconds, self._call = clock, seconds, call
        self._last: dict[str, float] = {}
        self._later: dict[str, IDelayedCall] = {}

    def want(self, name: str) -> None:
        """Something is new about this one."""
        if name in self._later:
            return
        past = self._clock.seconds() - self._last.get(name, float("-inf"))
        # A clock that was set back would make it wait for as long.
        if 0 <= past < self._seconds:
            self._later[name] = self._clock.callLater(self._seconds - past, self._due, name)
        else:
            self._do(name)

    def _due(self, name: str) -> None:
        del self._later[name]
        self._do(name)

    def _do(self, name: str) -> None:
        if self._call(name):
            self._last[name] = self._clock.seconds()

    def forget(self, name: str) -> None:
        """There is no such thing any more."""
        self._last.pop(name, None)
        waiting = self._later.pop(name, None)
        if waiting is not None:
            waiting.cancel()

    def stop(self) -> None:
        """What was wished for does not happen any more."""
        for name in list(self._later):
            self.forget(name)
