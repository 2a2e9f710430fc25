"""Which of two spellings a class of robots understands: nobody but the robots can tell."""

from collections.abc import Sequence
from typing import TypeVar

from bumper_tw.core.commands import Ending
from bumper_tw.dialect.actions import Order
from bumper_tw.readings import Notice, Report

K = TypeVar("K")

#: Commands with a second spelling.  Questions show nothing: there are robots that answer them in
#: both, and take orders in one (robots.md 5.4).
SPELLINGS = frozenset({"clean", "clean_V2", "stationAction", "setAutoEmpty"})

#: What only robots tell whose station empties the bin (mqtt.md 7.3).
OF_STATIONS = frozenset({"onStationState", "getStationState", "onAutoEmpty", "getAutoEmpty"})

#: As many classes, and robots, are remembered.
MOST = 1000


class RobotWays:
    """Remembers, as long as the server runs, what robots of a class have understood."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], None] = {}
        self._stations: dict[str, None] = {}

    def heard(self, ending: Ending) -> None:
        """A command has ended, whoever gave it."""
        name, body = ending.command.name, ending.body
        if name in SPELLINGS and body is not None and b'"code":0' in packed(body):
            self.learn(ending.command.device.model, name)

    def learn(self, model: str, way: str) -> None:
        """Robots of a class understand a spelling."""
        if (model, way) not in self._known:
            make_room(self._known)
            self._known[model, way] = None

    def unlearn(self, model: str, way: str) -> None:
        """Robots of a class do not, or not any more."""
        self._known.pop((model, way), None)

    def reported(self, report: Report) -> None:
        """A robot has told something."""
        reading = report.reading
        told = isinstance(reading, Notice) and reading.name in OF_STATIONS
        if told and report.did not in self._stations:
            make_room(self._stations)
            self._stations[report.did] = None

    def has_station(self, did: str) -> bool:
        """Whether a robot has told of a station that empties its bin."""
        return did in self._stations

    def forget(self, did: str) -> None:
        """A robot is gone."""
        self._stations.pop(did, None)

    def of(self, model: str, orders: Sequence[Order]) -> Sequence[Order]:
        """
        The spellings to try: the one that is known to be understood, or all of them.

        @param orders: the most likely first.
        """
        known = [order for order in orders if (model, order.name) in self._known]
        return known[:1] or orders


def packed(body: bytes) -> bytes:
    """The beginning of an answer without blanks; its code stands at the front or the end."""
    found = body if len(body) <= 600 else body[:300] + body[-300:]
    return found.replace(b" ", b"")


def make_room(known: dict[K, None]) -> None:
    """The oldest goes when there are too many."""
    if len(known) >= MOST:
        known.pop(next(iter(known)))
