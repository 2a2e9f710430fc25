"""A robot's card: all that there is to say of it on one page, in words and in values."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from bumper_tw.core.messages import percent_left
from bumper_tw.core.updates import Updates
from bumper_tw.dialect import models
from bumper_tw.interfaces import IDeviceRegistry, ITelemetry
from bumper_tw.readings import (
    Battery,
    Charge,
    Clean,
    FanSpeed,
    Firmware,
    LifeSpan,
    Network,
    Part,
    Stats,
    Totals,
    Volume,
    Water,
)
from bumper_tw.values import Device
from bumper_tw.web.api import PROTOCOLS
from bumper_tw.web.dashboard import words
from bumper_tw.web.dashboard.states import Said, error_text, said, state_of, state_text
from bumper_tw.web.pictures import DRAWN, NEUTRAL

#: A card is flat JSON.
Card = dict[str, Any]

#: Percent at which a part is soon to be replaced.
LOW = 10
#: States in which there is a job.
AT_WORK = {"cleaning", "paused", "returning", "washing", "charging", "error"}


class Refusals:
    """
    How often each robot was refused an update.

    There may be a thousand records, and a card is made whenever a robot speaks: so they are
    counted only after another was noted.
    """

    def __init__(self, updates: Updates) -> None:
        self._updates = updates
        self._noted = -1
        self._of: Counter[str] = Counter()

    def __call__(self, did: str) -> int:
        noted = self._updates.counts.total()
        if noted != self._noted:
            self._count(noted)
        return self._of[did]

    def _count(self, noted: int) -> None:
        self._noted, self._of = noted, Counter()
        for attempt in self._updates.attempts():
            self._of[attempt.did] += attempt.count


@frozen
class Cards:
    """
    Makes cards.

    @ivar errors: title and body of each error by its number; an empty one for all others.
    @ivar refused: how many updates a robot was refused.
    @ivar allowed: whether the next one is let through.
    """

    registry: IDeviceRegistry
    telemetry: ITelemetry
    errors: Mapping[str, Sequence[str]]
    refused: Callable[[str], int]
    allowed: Callable[[str], bool]

    def card(self, did: str) -> Card:
        """
        The card of one robot.

        @raise DeviceUnknown: it is none.
        """
        return self.of(self.registry.device(did))

    def of(self, device: Device) -> Card:
        """The card of a robot, as things are."""
        did = device.id.did
        known = said(self.telemetry.latest(did))
        online = self.registry.online(did)
        refused, allowed = self.refused(did), self.allowed(did)
        return {
            **identity(device, known, self.registry.devices()),
            **condition(known, online, self.errors),
            **settings(known),
            "blocked": refused,
            "blocked_text": words.blocked_words(refused, allowed),
            "update_allowed": allowed,
        }


def identity(device: Device, known: Said, every: Iterable[Device]) -> Card:
    """
    What a robot is.

    @param every: all robots of the house.
    """
    model, firmware = models.model(device.id.model), known.of(Firmware)
    category = models.UNKNOWN if model is None else model.category
    name, product = called(device, every), device.id.model if model is None else model.name
    product = words.readable(product)
    version = device.firmware or ("" if firmware is None else firmware.version)
    return {
        "did": device.id.did,
        "name": name,
        "model": product,
        "model_text": "" if name.startswith(product) else product,
        "category": category,
        "image": f"/page/robot-{DRAWN.get(category, NEUTRAL)}.svg",
        "protocol": PROTOCOLS[device.company],
        "firmware": words.readable(version),
    }


def called(device: Device, every: Iterable[Device]) -> str:
    """What a robot is called on pages: with the end of its number, if others are called alike."""
    name, number = words.readable(device.nick) or product_of(device), device.name or device.id.did
    if not name:
        return f"Robot {words.readable(number, 24)}"
    alike = any(each.id.did != device.id.did and is_called_alike(each, device) for each in every)
    return f"{name} {words.readable(number)[-4:]}" if alike else name


def is_called_alike(one: Device, other: Device) -> bool:
    """Whether two robots have the same name, or none and the same product."""
    if one.nick != other.nick:
        return False
    return bool(one.nick or one.id.model == other.id.model or product_of(one) == product_of(other))


def product_of(device: Device) -> str:
    """What shops call a robot; empty if no catalogue knows it."""
    model = models.model(device.id.model)
    return "" if model is None else words.readable(model.name)


def condition(known: Said, online: bool, errors: Mapping[str, Sequence[str]]) -> Card:
    """How a robot is, and what it does."""
    wrong = error_text(known, errors)
    state = state_of(known, online, bool(wrong))
    battery, charge = known.of(Battery), known.of(Charge)
    charging = online and charge is not None and charge.charging
    return {
        "online": online,
        "online_text": "Connected" if online else words.STATES["offline"],
        "state": state,
        "state_text": state_text(state, known),
        "battery": None if battery is None else words.percentage(battery.percent),
        "battery_text": words.battery_words(battery, charging, online),
        "charging": charging,
        "error": bool(wrong),
        "error_text": wrong,
        "seen_at": known.seen_at,
        **job_of(known, state),
    }


def job_of(known: Said, state: str) -> Card:
    """The job in hand, if there is one."""
    job, clean = known.of(Stats), known.of(Clean)
    other = job and clean and clean.job and job.job and clean.job != job.job
    if job is None or job.stopped or other or state not in AT_WORK:
        return {"job": None, "job_text": ""}
    done = {"area": words.whole(job.area), "seconds": words.whole(job.duration)}
    return {"job": done, "job_text": words.job_words(job)}


def settings(known: Said) -> Card:
    """How a robot is set, and what wears off."""
    fan, water, volume = known.of(FanSpeed), known.of(Water), known.of(Volume)
    level, mop = words.water_level(water), None if water is None else water.mounted
    parts = known.of(LifeSpan)
    return {
        "suction": None if fan is None else words.readable(fan.speed),
        "suction_text": "" if fan is None else words.suction_words(fan.speed),
        "water": level,
        "water_text": words.water_words(level, mop),
        "mop": mop,
        "volume": None if volume is None else words.whole(volume.volume),
        "network_text": words.network_words(known.of(Network)),
        "parts": [] if parts is None else [part_of(part) for part in parts.parts],
        "totals_text": words.totals_words(known.of(Totals)),
    }


def part_of(part: Part) -> Card:
    """A part that wears off."""
    percent = percent_left(part)
    return {
        "type": words.readable(part.type),
        "name": words.part_name(part.type),
        "percent": percent,
        "text": words.part_words(part),
        "low": percent is not None and percent <= LOW,
    }
