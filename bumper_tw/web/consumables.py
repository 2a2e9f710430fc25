"""What wears off, and how much of it is left (http-endpoints.md 9.4)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from bumper_tw.core.messages import percent_left
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import ITelemetry
from bumper_tw.people_interfaces import IPermits
from bumper_tw.readings import LifeSpan, Part
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.message_texts import part_type
from bumper_tw.web.routes import ANY, Route
from bumper_tw.web.told import told


@frozen
class Consumable:
    """
    One kind of part.

    @ivar type: as robots that speak JSON call it.
    @ivar care: what to do about it.
    """

    type: str
    name: str
    sort: int
    id: str
    icon: str
    care: str


CONSUMABLES = (
    Consumable(
        "sideBrush",
        "Side Brush",
        0,
        "62df48fe55e82d6b346214d9",
        "61a5f036ed50344bd5b52819",
        "Pull out hair now and then. Replace it after about 150 hours.",
    ),
    Consumable(
        "brush",
        "Main Brush",
        1,
        "62df495e176a4d3d8780acdc",
        "61a5f0a45afd254c7a5c6959",
        "Cut off what is wound around it. Replace it after about 300 hours.",
    ),
    Consumable(
        "heap",
        "Filter",
        2,
        "6284c3c0dd78021dc557ffbe",
        "61a5f0e472e3052928c1160a",
        "Tap out the dust. Replace it after about 120 hours.",
    ),
    Consumable(
        "dustBag",
        "Dust Bag",
        3,
        "62df49bb55e82d2a2c6214de",
        "61a5f1fded5034391bb5281a",
        "Replace it when it is full, and clean where it sits once a month.",
    ),
    Consumable(
        "oneTimeCloth",
        "Disposable Cleaning Cloth",
        5,
        "6284c3c6dd7802847257ffc3",
        "61d6592cfe802336b9d12e7d",
        "Take a new one each time.",
    ),
    Consumable(
        "unitCare",
        "Other Components",
        6,
        "6284c3c9dd78023a6057ffc5",
        "61a5f38172e305764bc1160c",
        "Wipe sensors and contacts with a dry cloth from time to time.",
    ),
    Consumable(
        "dModule",
        "Air Freshener Capsule",
        7,
        "6284c3ccdd78024ea157ffc7",
        "61d659e6fd39e48ab8132dec",
        "Replace it after about 60 hours.",
    ),
)


class ConsumableRoutes:
    """
    Shows the parts of a robot.

    @param who: the user of the portal who asks.
    """

    def __init__(
        self, telemetry: ITelemetry, permits: IPermits, who: Callable[[Call], str]
    ) -> None:
        self._telemetry, self._permits, self._who = telemetry, permits, who

    def routes(self) -> Iterator[Route]:
        """CO01."""
        yield Route("/api/pim/consumable/getPurchaseUrl", ANY, self.parts, portal_failure)

    def parts(self, call: Call) -> Answer:
        """CO01: with what the robot has reported of them, if it is named."""
        left = self._left(call)
        data = [shown(each, left, call.base_url) for each in CONSUMABLES]
        return json_answer({"code": 0, "msg": "success", "ret": "ok", "data": data})

    def _left(self, call: Call) -> Mapping[str, Part]:
        """The parts of the robot that is named, as far as it is one of whoever asks."""
        did = told(call, "did", "deviceId")
        try:
            may = bool(did) and self._permits.may_use(self._who(call), did)
        except LoginRefused:
            may = False
        reports = self._telemetry.latest(did) if may else ()
        readings = (each.reading for each in reports if isinstance(each.reading, LifeSpan))
        return {part_type(part.type): part for reading in readings for part in reading.parts}


def shown(consumable: Consumable, left: Mapping[str, Part], base_url: str) -> dict[str, Any]:
    """One part; there is no shop to buy it from."""
    icon = f"{base_url}/api/pim/file/get/{consumable.icon}"
    part = left.get(consumable.type)
    percent = None if part is None else percent_left(part)
    said = "" if percent is None else f"{percent} % left. "
    return {
        "id": consumable.id,
        "name": consumable.name,
        "icon": icon,
        "url": "",
        "paramType": "URL",
        "type": consumable.type,
        "sort": consumable.sort,
        "desc": {"images": [icon], "content": said + consumable.care},
        "hasLifeSpan": int(part is not None),
    }
