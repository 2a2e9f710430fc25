"""Which of two spellings a class of robots understands: nobody but the robots can tell."""

from collections.abc import Sequence
from typing import TypeVar

from bumper_tw.core.commands import Ending
from bumper_tw.dialect.actions import Order
from bumper_tw.readings import Notice, Report
from bumper_tw.values import DeviceId

K = TypeVar("K")
V = TypeVar("V")

#: Commands with a second spelling.  Questions show nothing: there are robots that answer them in
#: both, and take orders in one (robots.md 5.4).
SPELLINGS = frozenset({"clean", "clean_V2", "stationAction", "setAutoEmpty"})

#: What only robots tell whose station empties the bin (mqtt.md 7.3).
OF_STATIONS = frozenset({"onStationState", "getStationState", "onAutoEmpty", "getAutoEmpty"})

#: As many classes, and robots, are remembered.
MOST = 1000


class RobotWays:
    """
    Remembers, as long as the server runs, what robots of a class have understood; and what one of
    them has, so that an odd one is no trouble for the others.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], None] = {}
        self._own: dict[tuple[str, str], bool] = {}
        self._stations: dict[str, None] = {}

    def heard(self, ending: Ending) -> None:
        """A command has ended, whoever gave it."""
        name, body = ending.command.name, ending.body
        if name in SPELLINGS and body is not None and b'"code":0' in packed(body):
            self.learn(ending.command.device, name)

    def learn(self, device: DeviceId, way: str) -> None:
        """A robot understands a spelling, and others of its class will."""
        if (device.model, way) not in self._known:
            make_room(self._known)
            self._known[device.model, way] = None
        self._note(device, way, True)

    def unlearn(self, device: DeviceId, way: str) -> None:
        """
        A robot does not understand a spelling, or is silent.

        That of one that it has understood before is forgotten, and no more: it may just be busy.
        """
        if not self._own.pop((device.did, way), False):
            self._note(device, way, False)

    def _note(self, device: DeviceId, way: str, understood: bool) -> None:
        if (device.did, way) not in self._own:
            make_room(self._own)
        self._own[device.did, way] = understood

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
        for name in SPELLINGS:
            self._own.pop((did, name), None)

    def of(self, device: DeviceId, orders: Sequence[Order]) -> Sequence[Order]:
        """
        The spellings to try: the one that is known to be understood, or all of them.

        @param orders: the most likely first.
        """
        own = {order.name: self._own.get((device.did, order.name)) for order in orders}
        mine = [order for order in orders if own[order.name]]
        likely = [order for order in orders if own[order.name] is not False]
        known = mine or [each for each in likely if (device.model, each.name) in self._known]
        rest = [order for order in orders if own[order.name] is False]
        return known[:1] or [*likely, *rest]


def packed(body: bytes) -> bytes:
    """The beginning of an answer without blanks; its code stands at the front or the end."""
    found = body if len(body) <= 600 else body[:300] + body[-300:]
    return found.replace(b" ", b"")


def make_room(known: dict[K, V]) -> None:
    """The oldest goes when there are too many."""
    if len(known) >= MOST:
        known.pop(next(iter(known)))
