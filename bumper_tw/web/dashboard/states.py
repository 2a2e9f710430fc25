"""What a robot does, and what is wrong with it, from the newest that it has said (mqtt.md 11)."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TypeVar

from attrs import frozen

from bumper_tw.readings import (
    Activity,
    Alert,
    Battery,
    Charge,
    Clean,
    Errors,
    Reading,
    Report,
    Sleep,
)
from bumper_tw.web.dashboard import words

R = TypeVar("R", bound=Reading)

#: Seconds for which the alarm of an XMPP robot counts; none says that it is over.
ALARMED = 86_400.0

#: States of a card by what a robot says it does.
DOING = {
    Activity.IDLE: "idle",
    Activity.CLEANING: "cleaning",
    Activity.PAUSED: "paused",
    Activity.RETURNING: "returning",
    Activity.DOCKED: "docked",
    Activity.WASHING: "washing",
    Activity.ERROR: "error",
}
#: What a robot may say of its doing while it charges all the same.
AT_REST = {None, Activity.IDLE, Activity.DOCKED}


@frozen
class Said:
    """The newest that a robot has said of each thing."""

    reports: Mapping[str, Report]

    def of(self, kind: type[R]) -> R | None:
        """The newest reading of a kind."""
        report = self.reports.get(kind.kind)
        return report.reading if report and isinstance(report.reading, kind) else None

    def number(self, kind: type[Reading]) -> int:
        """When it was said, among all that was said; 0 if it was not."""
        report = self.reports.get(kind.kind)
        return 0 if report is None else report.number

    @property
    def seen_at(self) -> float | None:
        """When it spoke last, in seconds since the epoch."""
        times = [report.at for report in self.reports.values() if isfinite(report.at)]
        return max(times, default=None)


def said(reports: Sequence[Report]) -> Said:
    """What is in these reports."""
    return Said({report.kind: report for report in reports})


def error_text(known: Said, texts: Mapping[str, Sequence[str]]) -> str:
    """What is wrong; empty if nothing is."""
    errors, alert = known.of(Errors), known.of(Alert)
    codes = () if errors is None else errors.codes
    if codes:
        return words.error_words(codes, texts)
    if alert is not None and is_alarmed(known):
        return words.alert_words(alert.value or alert.name)
    clean = known.of(Clean)
    stuck = clean is not None and clean.activity is Activity.ERROR
    return "It has stopped, and does not say why. Have a look at it." if stuck else ""


def is_alarmed(known: Said) -> bool:
    """Whether an XMPP robot has done nothing since it has raised an alarm."""
    alarm, seen = known.reports[Alert.kind], known.seen_at or 0.0
    if known.number(Clean) > alarm.number or seen - alarm.at > ALARMED:
        return False
    charge = known.of(Charge)
    return not (charge and charge.charging and known.number(Charge) > alarm.number)


def state_of(known: Said, online: bool, wrong: bool) -> str:
    """The state of a robot (mqtt.md 11): who is away has none, and who is in need no other."""
    if not online:
        return "offline"
    if wrong:
        return "error"
    if is_charging(known):
        battery = known.of(Battery)
        return "docked" if battery is not None and battery.percent >= 100 else "charging"
    clean = known.of(Clean)
    doing = None if clean is None else clean.activity
    if doing is None and clean is None and known.of(Charge) is not None:
        return "idle"
    return "unknown" if doing is None else DOING[doing]


def is_charging(known: Said) -> bool:
    """
    Whether a robot charges, and nothing else.

    That it sets off, or comes home, it says in two reports, of which the newer counts.  A mop is
    washed in the dock.
    """
    clean, charge = known.of(Clean), known.of(Charge)
    if charge is None or not charge.charging:
        return False
    doing = None if clean is None else clean.activity
    newer = known.number(Charge) > known.number(Clean)
    return doing in AT_REST or (newer and doing is not Activity.WASHING)


def state_text(state: str, known: Said) -> str:
    """A state in words."""
    sleep, clean, charge = known.of(Sleep), known.of(Clean), known.of(Charge)
    if state == "docked" and charge is not None and charge.charging:
        return words.FULL
    if state == "idle" and sleep is not None and sleep.asleep:
        return words.ASLEEP
    if state == "unknown" and clean is not None and words.readable(clean.raw):
        return f"Connected; it says “{words.readable(clean.raw)}”"
    return words.STATES[state]
