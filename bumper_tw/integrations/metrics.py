"""
Figures for Prometheus: in its text format, or as OpenMetrics.

Nothing is kept here that a part of the server counts anyhow: it is read when somebody asks.  All
of it is in a registry of our own; what the library puts into its global one is never told.
"""

from collections.abc import Callable, Iterable

from attrs import frozen
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry
from twisted.internet.interfaces import IReactorTime

#: What all names begin with: also those of the process, as the file of C{bumper metrics} is told
#: beside those of the program that reads it.
PREFIX = "bumper"

#: For so many seconds figures are as good as new: who asks more often gets the same text, so that
#: a flood of questions costs no more than one.
FRESH = 1.0

#: How the formats are called.
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text"

#: Gives the figures of one part.
Read = Callable[[], Iterable[Metric]]


@frozen
class Part(Collector):
    """A part that is asked when somebody wants to know."""

    read: Read

    def collect(self) -> Iterable[Metric]:
        """Prometheus' library asks for the figures."""
        return self.read()


class Metrics:
    """All figures."""

    def __init__(self, parts: Iterable[Read], proc: str = "/proc") -> None:
        """
        @param proc: where the system tells of processes.
        """
        self._registry = CollectorRegistry()
        for read in parts:
            self._registry.register(Part(read))
        ProcessCollector(PREFIX, proc=proc, registry=self._registry)

    def text(self, is_open: bool = False) -> bytes:
        """
        All figures as they are now.

        @param is_open: as OpenMetrics, not in Prometheus' own format.
        """
        generate = openmetrics.generate_latest if is_open else generate_latest
        return generate(self._registry)


class Rendering:
    """Figures for whoever asks, in the format that he understands."""

    def __init__(self, metrics: Metrics, clock: IReactorTime) -> None:
        self._metrics, self._clock = metrics, clock
        self._kept: dict[bool, tuple[float, bytes]] = {}

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """
        All figures, as they were up to L{FRESH} ago.

        @param accept: which formats are understood, as the header of that name says it.
        @return: the text, and the name of its format.
        """
        # Of the library's own way of choosing, some releases fail on odd versions.
        kinds = {each.partition(";")[0].strip().lower() for each in accept.split(",")}
        if OPEN_METRICS in kinds:
            return self._text(True), openmetrics.CONTENT_TYPE_LATEST
        return self._text(False), TEXT

    def _text(self, is_open: bool) -> bytes:
        now = self._clock.seconds()
        when, text = self._kept.get(is_open, (-FRESH, b""))
        # The clock may have been set.
        if not 0 <= now - when < FRESH:
            text = self._metrics.text(is_open)
            self._kept[is_open] = now, text
        return text
