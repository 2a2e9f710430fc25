"""Keeps the feed to what robots say, and to their coming and going."""

from typing import Any

from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IFeed, ITelemetry, Undo
from bumper_tw.readings import DeviceInfo, MapData, Notice, Point, Position, Report
from bumper_tw.values import Device
from bumper_tw.web.dashboard.cards import Card, Cards
from bumper_tw.web.dashboard.pace import Pace

#: Seconds between two changes of one thing of one robot.
PAUSE = 0.1
#: Seconds after which pages are told that a robot spoke again, if it said nothing new.
SEEN = 30.0

#: What no card tells of, and robots say often.
ELSEWHERE = {Position.kind, MapData.kind, Notice.kind, DeviceInfo.kind}

#: What else the feed may have about a robot.
PARTS = ("robot", "place", "trace", "map")


class CardFeed:
    """
    Puts a card when it has changed, and where a robot is when it has moved.

    In the same turn of the reactor, unless the robot had so much to say that pages have just
    been told; then soon, all at once.
    """

    def __init__(
        self,
        clock: IReactorTime,
        feed: IFeed,
        cards: Cards,
        registry: DeviceRegistry,
        telemetry: ITelemetry,
    ) -> None:
        self._feed, self._cards = feed, cards
        self._registry, self._telemetry = registry, telemetry
        self._shown: dict[str, Card] = {}
        self._places: dict[str, dict[str, Any]] = {}
        self._pace = Pace(clock, PAUSE, self._put_card)
        self._moves = Pace(clock, PAUSE, self._put_place)
        self._undo: list[Undo] = []
        registry.when_forgotten(self._forgotten)

    def start(self) -> None:
        """From now on."""
        self._undo = [self._telemetry.listen(self._heard), self._registry.watch(self._changed)]

    def stop(self) -> None:
        """No more."""
        while self._undo:
            self._undo.pop()()
        self._pace.stop()
        self._moves.stop()

    def refresh(self, did: str) -> None:
        """Something may be new about a robot that it has not said itself."""
        self._pace.want(did)

    def _heard(self, report: Report) -> None:
        if report.kind == Position.kind:
            self._moves.want(report.did)
        if report.kind not in ELSEWHERE or self._is_late(report):
            self._pace.want(report.did)

    def _is_late(self, report: Report) -> bool:
        """Whether it was long ago that pages were told when a robot spoke."""
        shown = self._shown.get(report.did)
        return shown is None or abs(report.at - (shown["seen_at"] or 0)) >= SEEN

    def _changed(self, device: Device, _online: bool) -> None:
        self._feed.drop(f"gone {device.id.did}")
        self._pace.want(device.id.did)

    def _put_card(self, did: str) -> bool:
        try:
            card = self._cards.card(did)
        except DeviceUnknown:
            return False
        if not self._is_news(card):
            return False
        self._shown[did] = card
        self._feed.put(f"robot {did}", "robot", card)
        return True

    def _is_news(self, card: Card) -> bool:
        """Whether a card says more than the last, or at least that a robot is there still."""
        shown = self._shown.get(card["did"])
        if shown is None or card | {"seen_at": shown["seen_at"]} != shown:
            return True
        past: float = abs((card["seen_at"] or 0) - (shown["seen_at"] or 0))
        return past >= SEEN

    def _put_place(self, did: str) -> bool:
        try:
            self._registry.device(did)
        except DeviceUnknown:
            return False
        readings = (report.reading for report in self._telemetry.latest(did))
        position = next((each for each in readings if isinstance(each, Position)), Position())
        value = place(did, position)
        if self._places.get(did) == value:
            return False
        self._places[did] = value
        self._feed.put(f"place {did}", "place", value)
        return True

    def _forgotten(self, did: str) -> None:
        self._pace.forget(did)
        self._moves.forget(did)
        self._shown.pop(did, None)
        self._places.pop(did, None)
        for part in PARTS:
            self._feed.drop(f"{part} {did}")
        self._feed.put(f"gone {did}", "gone", {"did": did})


def place(did: str, position: Position) -> dict[str, Any]:
    """Where a robot and its docks are, as far as it is sure itself."""
    robot = position.robot
    docks = [spot(dock) for dock in position.docks if dock.valid]
    sure = robot is not None and robot.valid
    return {"did": did, "robot": spot(robot) if robot and sure else None, "docks": docks}


def spot(point: Point) -> dict[str, int]:
    """A place in millimetres, and degrees."""
    return {"x": point.x, "y": point.y, "angle": point.angle}
