"""What every XML command gets to see, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

from bumper_tw.simulator.floorplan import pack, trace
from bumper_tw.simulator.identity import Identity, Profile
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.state import RobotState
from bumper_tw.simulator.xml_text import Node

Attributes = dict[str, object]
OK: Attributes = {"ret": "ok"}
LATEST_POINTS = 20


@frozen
class Reply:
    """What goes into and between the C{ctl} tags of a reply."""

    attributes: Attributes = field(factory=lambda: dict(OK))
    inside: tuple[str, ...] = ()


@define
class XmlContext:
    """
    One XML robot as its commands see it.

    @ivar wants_trace: somebody asked for the path, so C{trace} events are sent
    """

    machine: Machine
    identity: Identity
    profile: Profile
    wants_trace: bool = False

    @property
    def state(self) -> RobotState:
        """The variables of the robot."""
        return self.machine.state

    def speed_name(self) -> str:
        """Spell the suction."""
        return "strong" if self.state.speed == 1 else "standard"

    def trace(self) -> Attributes:
        """Describe the end of the path (mqtt.md 8.2, C{trace})."""
        plan = self.machine.plan
        first = max(len(plan.path) - LATEST_POINTS, 0)
        points = plan.path[first:]
        last = first + max(len(points) - 1, 0)
        return {"trid": plan.trace_id, "tf": first, "tt": last, "tr": pack(trace(points))}


XmlCommand = Callable[[XmlContext, Node], Reply]


def ok(**attributes: object) -> Reply:
    """Give a successful reply with attributes."""
    return Reply({**OK, **attributes})


def inside(*children: str) -> Reply:
    """Give a successful reply with child elements."""
    return Reply(inside=children)


def fail(errno: object, **attributes: object) -> Reply:
    """Give a refusal."""
    return Reply({"ret": "fail", "errno": errno, **attributes})
