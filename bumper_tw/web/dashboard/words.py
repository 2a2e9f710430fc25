"""What robots say in numbers and in names of their own, in words for people."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from types import MappingProxyType

from bumper_tw.core.messages import percent_left
from bumper_tw.readings import Battery, Network, Part, Stats, Totals, Water
from bumper_tw.web.consumables import CONSUMABLES
from bumper_tw.web.message_texts import part_type

#: Characters of a name on a page.
LONGEST = 80
#: As many are looked at of what somebody else has written.
LOOKED_AT = 1000
#: As many errors are told of at the same time; the newest.
MOST_ERRORS = 3
#: Of what is more than this, a page says only that it is more.
LARGEST = 10**9

#: What a robot is doing, by the states of a card.
STATES = MappingProxyType(
    {
        "cleaning": "Cleaning",
        "paused": "Paused",
        "returning": "On its way home",
        "docked": "At the dock",
        "charging": "At the dock, charging",
        "idle": "Standing still",
        "washing": "Washing its mop",
        "error": "Needs your help",
        "offline": "Not connected for now",
        "unknown": "Connected",
    }
)
FULL, ASLEEP = "At the dock, fully charged", "Asleep"

#: Suction in numbers (mqtt.md 7.3, 9), and in the words of XML robots (mqtt.md 8.2).
SUCTION = MappingProxyType(
    {
        "1000": "Quiet",
        "0": "Standard",
        "1": "Strong",
        "2": "Strongest",
        "standard": "Standard",
        "strong": "Strong",
    }
)
#: Water flow (mqtt.md 7.3, 10).
WATER = MappingProxyType({1: "Low", 2: "Medium", 3: "High", 4: "Very high"})

#: Parts that wear off, by the names robots have for them (mqtt.md 7.4).
PARTS = MappingProxyType(
    {part.type: part.name.capitalize() for part in CONSUMABLES}
    | {
        "roundMop": "Mop",
        "dustBucket": "Dust bin",
        "dustCaseHeap": "Filter",
        "cleaningSolution": "Cleaning solution",
        "autoWater_cleaningFluid": "Cleaning solution",
        "heavyDutyCleaningSolution": "Strong cleaning solution",
        "blade": "Blades",
        "lensBrush": "Lens brush",
        "spHeap": "Sponge filter",
        "strainer": "Strainer",
        "handFilter": "Filter of the handheld",
        "dustContainerFilter": "Filter of the dust bin",
        "mopWashingTray": "Tray for washing the mop",
        "sewageBox": "Waste water tank",
        "waterSink": "Water basin",
        "uv": "UV lamp",
        "humidify": "Humidifier",
        "wbCare": "Care of the window robot",
        "weedRope": "Trimmer line",
        "trimmerBrush": "Trimmer brush",
    }
)

#: How strong a signal is, from so many dBm on.
SIGNALS = ((-60, "strong"), (-72, "fair"), (-LARGEST, "weak"))


def readable(text: object, limit: int = LONGEST) -> str:
    """
    What somebody else has written, in one line that ends, without what turns the direction of
    writing or is not seen at all.
    """
    short = str(text)[:LOOKED_AT]
    if not short.isprintable():
        short = "".join(map(visible, short))
    return " ".join(short.split())[:limit].rstrip()


def visible(letter: str) -> str:
    """A letter, if it is one that is seen; a space for whatever is as wide."""
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else ""


def whole(value: object) -> int | None:
    """A number that counts something, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return min(LARGEST, int(value)) if value >= 0 else None


def joined(*words: str) -> str:
    """Words with commas between them, without those that are empty."""
    return ", ".join(filter(None, words))


def battery_words(battery: Battery | None, charging: bool, online: bool) -> str:
    """Charge, and what else there is to say of it; empty if nothing is known."""
    if battery is None:
        return ""
    charge = f"{percentage(battery.percent)} %"
    if not online:
        return f"{charge} when last seen"
    low = battery.low and not charging
    return joined(charge, "low" if low else "", "charging" if charging else "")


def percentage(value: object) -> int:
    """A number from 0 to 100."""
    return min(100, whole(value) or 0)


def error_words(codes: Iterable[int], texts: Mapping[str, Sequence[str]]) -> str:
    """
    Errors by their numbers, the current one in front.

    @param codes: the current one last (mqtt.md 7.3, 6).
    @param texts: title and body by number; an empty one for all others.
    """
    current = list(dict.fromkeys(reversed(list(codes))))[:MOST_ERRORS]
    return " ".join(error_sentence(code, texts) for code in current)


def error_sentence(code: int, texts: Mapping[str, Sequence[str]]) -> str:
    """One error: what it is, and what to do about it."""
    title, body = texts.get(str(code)) or texts[""]
    return f"{title}. {body}".replace("{about}", readable(code))


def alert_words(value: str) -> str:
    """What an XMPP robot alarms its vendor about, which has no number (xmpp.md 8.5)."""
    said = readable(value)
    return f"It calls for help: {said}." if said else "It calls for help."


def suction_words(speed: str) -> str:
    """How strongly it sucks; what we have no word for as the robot says it."""
    return SUCTION.get(speed) or readable(speed)


def water_level(water: Water | None) -> int | None:
    """Water flow, if it is one of the four that there are."""
    amount = None if water is None else water.amount
    return amount if amount in WATER else None


def water_words(level: int | None, mop: bool | None) -> str:
    """How much water there is for the mop, if it has one."""
    mounted = "no mop mounted" if mop is False else ""
    return joined(WATER.get(level or 0, ""), mounted)


def job_words(job: Stats) -> str:
    """How much of a job is done."""
    area, seconds = whole(job.area), whole(job.duration)
    square = "" if area is None else f"{area:,} m²"
    return " in ".join(filter(None, (square, "" if seconds is None else lasting(seconds))))


def lasting(seconds: int) -> str:
    """A time as people say it."""
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60} min" if minutes < 6000 else f"{minutes // 60:,} h"


def totals_words(totals: Totals | None) -> str:
    """What a robot has done in its life."""
    if totals is None:
        return ""
    area, seconds, count = map(whole, (totals.area, totals.duration, totals.count))
    jobs = "" if count is None else f"{count:,} {plural(count, 'job')}"
    square = "" if area is None else f"{area:,} m²"
    return joined(jobs, square, "" if seconds is None else lasting(seconds))


def plural(count: int, noun: str) -> str:
    """One, or several of them."""
    return noun if count == 1 else f"{noun}s"


def network_words(network: Network | None) -> str:
    """How it is connected."""
    if network is None:
        return ""
    name, address = readable(network.ssid), readable(network.address)
    return joined(f"Wi-Fi “{name}”" if name else "", signal_words(network.rssi), address)


def signal_words(rssi: int | None) -> str:
    """How well it hears the access point; XML robots give the strength without its sign."""
    if not isinstance(rssi, int) or not rssi:
        return ""
    strength = -min(abs(rssi), LARGEST)
    word = next(word for least, word in SIGNALS if strength >= least)
    return f"{word} signal ({strength} dBm)"


def blocked_words(refused: int, allowed: bool) -> str:
    """What became of the updates that a robot wanted to have."""
    if allowed:
        return "The next update is let through"
    return f"{refused:,} {plural(refused, 'update')} refused" if refused else ""


def part_name(type_: str) -> str:
    """A part that wears off; what we have no name for as the robot calls it."""
    return PARTS.get(part_type(type_)) or readable(type_) or "A part"


def part_words(part: Part) -> str:
    """How much of a part is left."""
    percent = percent_left(part)
    if percent is not None:
        return f"{percent} % left"
    minutes = whole(part.left) or 0
    return f"about {minutes // 60:,} h left"
