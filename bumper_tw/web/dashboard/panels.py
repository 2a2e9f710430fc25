"""The parts of a robot's page that are about commands, what it told, its firmware and its name."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.core.command_log import CommandLog, Entry
from bumper_tw.core.updates import Attempt, Updates
from bumper_tw.interfaces import ITelemetry
from bumper_tw.readings import Report, to_values
from bumper_tw.values import Device
from bumper_tw.web.dashboard.action_panel import ActionPanel
from bumper_tw.web.dashboard.actions import ActionRoutes
from bumper_tw.web.dashboard.frame import Visit, template
from bumper_tw.web.dashboard.house_parts import moment
from bumper_tw.web.dashboard.words import readable

#: Characters of one raw report on a page: maps are longer than anybody reads.
LONGEST = 4000

#: What commands are shown in red by.
TROUBLE = {"timeout", "refused", "offline", "garbled", "unsendable", "busy", "failed"}


class Panel(Element):
    """A section of the page of one robot."""

    NAME = ""

    def __init__(self, device: Device) -> None:
        super().__init__(template(self.NAME))
        self._device = device

    @renderer
    def panel(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The whole of it."""
        return tag.fillSlots(did=self._device.id.did, **self.slots())

    def slots(self) -> dict[str, Any]:
        """What stands in it once."""
        return {}


class CommandPanel(Panel):
    """The last commands."""

    NAME = "commands"

    def __init__(self, device: Device, entries: Sequence[Entry]) -> None:
        super().__init__(device)
        self._entries = entries

    @renderer
    def none(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Said while there is nothing."""
        return tag(hidden="hidden") if self._entries else tag

    @renderer
    def rows(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """One for each."""
        for entry in self._entries:
            yield tag.clone().fillSlots(
                number=str(entry.number),
                outcome=entry.outcome,
                at=moment(entry.at, ago=True),
                what=f"{what} " if (what := readable(entry.what)) else "",
                name=readable(entry.name),
                words=told(entry),
                seconds=f"{entry.seconds:.2f}",
                by=readable(entry.by),
            )


def told(entry: Entry) -> Flattenable:
    """The outcome, in red when it is trouble."""
    words = readable(entry.words, 200)
    return tags.span(words, class_="badge bad") if entry.outcome in TROUBLE else words


class TelemetryPanel(Panel):
    """What a robot has told, as it is."""

    NAME = "telemetry"

    def __init__(self, device: Device, reports: Sequence[Report], now: float) -> None:
        super().__init__(device)
        self._reports, self._now = reports, now

    def slots(self) -> dict[str, Any]:
        return {"api": f"/api/robots/{quote(self._device.id.did, safe='')}/status"}

    @renderer
    def none(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Said while there is nothing."""
        return tag(hidden="hidden") if self._reports else tag

    @renderer
    def reports(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """One for each kind."""
        for report in self._reports:
            age = max(0.0, self._now - report.at)
            yield tag.clone().fillSlots(
                kind=report.kind, age=f"{age:.0f} s ago", values=raw(report)
            )


def raw(report: Report) -> str:
    """The values of a report, without what no document may hold, and not without end."""
    text = json.dumps(to_values(report.reading), ensure_ascii=True, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters)"


class FirmwarePanel(Panel):
    """Versions, what was refused, and what is let through."""

    NAME = "firmware"

    def __init__(self, device: Device, attempts: Sequence[Attempt], allowed: bool) -> None:
        super().__init__(device)
        self._attempts, self._allowed = attempts, allowed

    def slots(self) -> dict[str, Any]:
        return {
            "version": readable(self._device.firmware) or "not known yet",
            "allowed": allowed_words(self._allowed, sum(each.count for each in self._attempts)),
        }

    @renderer
    def attempts(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when there are some."""
        return tag if self._attempts else ""

    @renderer
    def rows(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """One for each kind of attempt."""
        for each in self._attempts:
            yield tag.clone().fillSlots(
                last=moment(each.last),
                module=readable(f"{each.kind} {each.module}"),
                version=readable(each.version) or "-",
                count=str(each.count),
            )

    @renderer
    def allow(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The button, unless that is done."""
        return tag(hidden="hidden") if self._allowed else tag

    @renderer
    def refuse(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The button that takes it back."""
        return tag if self._allowed else tag(hidden="hidden")


def allowed_words(allowed: bool, refused: int) -> str:
    """What of updates, in words."""
    if allowed:
        return "The next update it asks for is let through, within a day."
    times = "once" if refused == 1 else f"{refused} times"
    return f"Refused {times}." if refused else "It has not asked for any."


class NamePanel(Panel):
    """Its names, and how it is removed."""

    NAME = "naming"

    def __init__(self, device: Device, called: str) -> None:
        super().__init__(device)
        self._called = called

    def slots(self) -> dict[str, Any]:
        device = self._device
        return {
            "name": self._called,
            "nick": readable(device.nick),
            "id": readable(device.id.did),
            "serial": readable(device.name) or "-",
            "model": readable(device.id.model),
        }


@frozen
class RobotPanels:
    """
    All of these for the page of a robot, each as a callable of a robot and a visit.

    @ivar routes: what can be done.
    """

    clock: IReactorTime
    telemetry: ITelemetry
    updates: Updates
    log: CommandLog
    routes: ActionRoutes

    def actions(self, device: Device, _: Visit) -> Element:
        """What can be done with it."""
        return ActionPanel(self.routes.offered(device))

    def commands(self, device: Device, _: Visit) -> Element:
        """What was done."""
        return CommandPanel(device, self.log.of(device.id.did))

    def told(self, device: Device, _: Visit) -> Element:
        """What it has told."""
        reports = self.telemetry.latest(device.id.did)
        return TelemetryPanel(device, reports, self.clock.seconds())

    def firmware(self, device: Device, _: Visit) -> Element:
        """Its firmware."""
        did = device.id.did
        return FirmwarePanel(device, self.updates.of(did), self.updates.allowed(did))

    def naming(self, device: Device, _: Visit) -> Element:
        """Its name."""
        return NamePanel(device, self.routes.called(device))
