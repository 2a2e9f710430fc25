"""What decides what a robot can be told: catalogue, what it has reported, its map."""

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from bumper_tw.core.robot_ways import RobotWays
from bumper_tw.dialect import models
from bumper_tw.dialect.action_arguments import LOUDEST, Traits
from bumper_tw.dialect.actions import has_station
from bumper_tw.interfaces import ITelemetry
from bumper_tw.readings import FanSpeed, Reading, Volume, Water
from bumper_tw.values import Device
from bumper_tw.web.dashboard.cards import called

#: The names of the rooms of a robot by id, C{None} as long as nobody knows its map.
Rooms = Callable[[str], Mapping[str, str] | None]


@frozen
class RobotTraits:
    """
    Puts it together.

    @ivar rooms: of a robot, by did.
    """

    telemetry: ITelemetry
    ways: RobotWays
    rooms: Rooms

    def of(self, device: Device) -> Traits:
        """What is known of one robot."""
        did, model = device.id.did, models.model(device.id.model)
        seen = {each.kind: each.reading for each in self.telemetry.latest(did)}
        name, category = ("", models.UNKNOWN) if model is None else (model.name, model.category)
        return Traits(
            model=device.id.model,
            category=category,
            company=device.company,
            kind=device.kind,
            seen=frozenset(seen),
            suction=suction(seen.get(FanSpeed.kind)),
            water=water(seen.get(Water.kind)),
            volume=volume(seen.get(Volume.kind)),
            loudest=loudest(seen.get(Volume.kind)),
            rooms=self.rooms(did),
            station=has_station(name) or self.ways.has_station(did),
        )


def name_of(device: Device, every: Iterable[Device] = ()) -> str:
    """
    What a robot is called on pages, and has to be called by whoever removes it.

    @param every: all robots of the house: two of them may be called alike.
    """
    return called(device, every)


def suction(reading: Reading | None) -> str:
    """How strong it is set."""
    return reading.speed if isinstance(reading, FanSpeed) else ""


def water(reading: Reading | None) -> int | None:
    """How wet it mops."""
    return reading.amount if isinstance(reading, Water) else None


def volume(reading: Reading | None) -> int | None:
    """How loud it is."""
    return reading.volume if isinstance(reading, Volume) else None


def loudest(reading: Reading | None) -> int:
    """How loud it can be: robots have ten steps, unless one says otherwise."""
    most = reading.maximum if isinstance(reading, Volume) else None
    return most if most and 0 < most <= 100 else LOUDEST
