"""Reading the clocks of a measurement, whatever is measured."""

from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter, process_time, sleep
from typing import Protocol

from attrs import define, field, frozen

from benchmarks.brokers import Broker
from benchmarks.load import Wire
from benchmarks.server import Cpu

#: The part of a measurement that comes before it.
WARM_UP = 0.2

#: Connections that are there before memory is measured, and seconds that it may settle.
FIRST, SETTLE = 20, 1.0


@frozen
class Figures:
    """
    What came out.

    @ivar figure: how many a second; or bytes for each connection.
    @ivar cpu: seconds of the broker for each delivery or login.
    @ivar busy: the part of the time for which the broker was working, and
    @ivar own: for which we were; close to 1, we are what was measured.
    @ivar p50: seconds under way, if there was one message at a time, and
    @ivar p99: of 99 in 100.
    """

    figure: float
    cpu: float = 0.0
    busy: float = 0.0
    own: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0

    @property
    def errors(self) -> int:
        """All that was wrong."""
        return self.lost + self.doubled + self.wrong


@define
class Watch:
    """Reads clocks at the beginning and the end of a measurement."""

    _broker: Broker
    _done: int
    _began: float = field(factory=perf_counter)
    _own: float = field(factory=process_time)
    _cpu: Cpu = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._cpu = self._broker.cpu()

    def figures(self, done: int) -> Figures:
        """What so many deliveries took."""
        elapsed = perf_counter() - self._began
        cost, own = (self._broker.cpu() - self._cpu).total, process_time() - self._own
        more = done - self._done
        return Figures(more / elapsed, cost / max(1, more), cost / elapsed, own / elapsed)


class Callers(Protocol):
    """
    Clients that come and go.

    @ivar done: logins that came to their end.
    """

    done: int

    def run(self, seconds: float) -> None:
        """Go on for a time."""

    def close(self) -> None:
        """Hang up for all."""


def counted(broker: Broker, calls: Callers, seconds: float) -> Figures:
    """Logins."""
    try:
        calls.run(WARM_UP)
        watch = Watch(broker, calls.done)
        calls.run(seconds)
        return watch.figures(calls.done)
    finally:
        calls.close()


def weighed(broker: Broker, connect: Callable[[int], Wire], count: int) -> Figures:
    """Bytes for each of so many connections, of which each gets a number."""
    with ExitStack() as stack:

        def come(first: int, count: int) -> int:
            for number in range(first, first + count):
                stack.callback(connect(number).close)
            sleep(SETTLE)
            return broker.memory()

        before = come(0, FIRST)
        return Figures((come(FIRST, count) - before) / count)
