"""What every JSON command gets to see, and how it reads its arguments."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from attrs import frozen

from bumper_tw.simulator.identity import Identity, Profile
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.state import RobotState


class Code(IntEnum):
    """Failure codes (mqtt.md 7.1)."""

    IN_ERROR = 3
    BUSY = 5
    UNSUPPORTED = 20003
    FAILED = 20011
    OUT_OF_RANGE = 20012
    DOCKED = 30007


class Fail(Exception):
    """A command failed; the reply carries the code and the text."""

    def __init__(self, code: Code, msg: str = "fail") -> None:
        super().__init__(msg)
        self.code, self.msg = code, msg


@frozen
class Context:
    """
    One JSON robot as its commands see it.

    @ivar announce: send an event by name, with the present value
    """

    machine: Machine
    identity: Identity
    profile: Profile
    announce: Callable[[str], None]

    @property
    def state(self) -> RobotState:
        """The variables of the robot."""
        return self.machine.state


Command = Callable[[Context, object], object]
"""Obeys with the arguments; returns reply data, or L{None} for none; raises L{Fail}."""


def member(data: object, key: str) -> object:
    """Take a value out of the arguments, L{None} when there is none."""
    return data.get(key) if isinstance(data, dict) else None


def text(data: object, key: str, default: str = "") -> str:
    """Take a text out of the arguments; numbers become text, as robots are not strict here."""
    value = member(data, key)
    return str(value) if isinstance(value, (str, int)) else default


def whole(data: object, key: str, low: int, high: int) -> int:
    """
    Take a whole number out of the arguments.

    @raise Fail: missing, no number, or out of range
    """
    value = member(data, key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Fail(Code.UNSUPPORTED)
    return value


def names(data: object) -> list[str]:
    """Read a list-style argument."""
    return [str(item) for item in data] if isinstance(data, list) else []
