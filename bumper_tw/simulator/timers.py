"""Delays of a robot: on the clock it was given, at its own speed, and gone when it stops."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timers:
    """
    Named and anonymous delays.

    A name holds any number of delays, and L{drop} ends all of them.
    """

    def __init__(self, clock: IReactorTime, speed: float = 1.0) -> None:
        """
        @param speed: how many of its seconds pass in one second of the clock
        """
        self._clock, self.speed = clock, speed
        self._pending: dict[str, set[IDelayedCall]] = {}

    def after(self, seconds: float, action: Callable[[], object], name: str = "") -> None:
        """Do something once."""
        self._call(seconds / self.speed, action, name)

    def every(self, seconds: float, action: Callable[[], object], name: str) -> None:
        """
        Do something again and again until the name is dropped, by the action itself too.

        A late turn does not put off the next one, so that a job lasts as long as it should.
        """
        interval = seconds / self.speed
        due = self._clock.seconds() + interval

        def again() -> None:
            nonlocal due
            due += interval
            self._call(max(due - self._clock.seconds(), 0), again, name)
            action()

        self._call(interval, again, name)

    def _call(self, wait: float, action: Callable[[], object], name: str) -> None:
        def act() -> None:
            pending.discard(call)
            action()

        pending = self._pending.setdefault(name, set())
        call = self._clock.callLater(wait, act)
        pending.add(call)

    def running(self, name: str) -> bool:
        """Tell whether any delay of this name is pending."""
        return bool(self._pending.get(name))

    def drop(self, name: str) -> None:
        """End the delays of one name."""
        for call in self._pending.pop(name, set()):
            call.cancel()

    def drop_all(self) -> None:
        """End every delay."""
        for name in tuple(self._pending):
            self.drop(name)
