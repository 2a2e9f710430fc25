"""How figures look to Prometheus: families of values, made when somebody asks."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

#: The values of the labels of one series.
Labels = tuple[str, ...]


class Buckets:
    """
    How many of what was observed were at most as large as what; a few numbers, however many come.

    @ivar total: all that was observed, added up.
    """

    def __init__(self, bounds: Iterable[float]) -> None:
        """
        @param bounds: the ends of the buckets, the lowest first.
        """
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def told(self) -> list[tuple[str, float]]:
        """The ends of the buckets, each with how many were not above it."""
        found, below = [], 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            below += count
            found.append((floatToGoString(bound), float(below)))
        return found


def gauge(name: str, about: str, value: float) -> Metric:
    """One value, which goes up and down."""
    return GaugeMetricFamily(name, about, value)


def gauges(name: str, about: str, labels: Iterable[str], values: Mapping[Labels, float]) -> Metric:
    """
    Several of a kind.

    @param labels: their names; their values are the keys.
    """
    family = GaugeMetricFamily(name, about, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def counter(name: str, about: str, value: float) -> Metric:
    """One value, which only goes up, and begins anew when the server does."""
    return CounterMetricFamily(name, about, value)


def counters(
    name: str, about: str, labels: Iterable[str], values: Mapping[Labels, float]
) -> Metric:
    """Several of a kind; see L{gauges}."""
    family = CounterMetricFamily(name, about, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def histogram(name: str, about: str, buckets: Buckets) -> Metric:
    """How large something was."""
    return HistogramMetricFamily(name, about, buckets.told(), buckets.total)


def histograms(
    name: str, about: str, labels: Iterable[str], values: Mapping[Labels, Buckets]
) -> Metric:
    """Several of a kind; see L{gauges}."""
    family = HistogramMetricFamily(name, about, labels=tuple(labels))
    for key, buckets in values.items():
        family.add_metric(key, buckets.told(), buckets.total)
    return family


def word(text: str) -> str:
    """The value of an enumeration as a label has it."""
    return text.replace(" ", "_") or "none"
