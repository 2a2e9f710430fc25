"""What a simulated robot knows and which state follows which (robots.md 2.2, 2.3)."""

from __future__ import annotations

from enum import Enum

from attrs import define, field


class Activity(Enum):
    """What the robot is doing."""

    IDLE = "idle"
    CLEANING = "cleaning"
    PAUSED = "paused"
    RETURNING = "returning"
    ERROR = "error"


class Trigger(Enum):
    """What makes it do something else."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CHARGE = "charge"
    WORK_DONE = "work done"
    BATTERY_LOW = "battery low"
    FAULT = "fault"
    ARRIVED = "arrived"
    CLEARED = "cleared"


NEXT: dict[tuple[Activity, Trigger], Activity] = {
    (Activity.IDLE, Trigger.START): Activity.CLEANING,
    (Activity.IDLE, Trigger.CHARGE): Activity.RETURNING,
    (Activity.CLEANING, Trigger.PAUSE): Activity.PAUSED,
    (Activity.CLEANING, Trigger.STOP): Activity.IDLE,
    (Activity.CLEANING, Trigger.CHARGE): Activity.RETURNING,
    (Activity.CLEANING, Trigger.WORK_DONE): Activity.RETURNING,
    (Activity.CLEANING, Trigger.BATTERY_LOW): Activity.RETURNING,
    (Activity.PAUSED, Trigger.START): Activity.CLEANING,
    (Activity.PAUSED, Trigger.RESUME): Activity.CLEANING,
    (Activity.PAUSED, Trigger.STOP): Activity.IDLE,
    (Activity.PAUSED, Trigger.CHARGE): Activity.RETURNING,
    (Activity.RETURNING, Trigger.START): Activity.CLEANING,
    (Activity.RETURNING, Trigger.STOP): Activity.IDLE,
    (Activity.RETURNING, Trigger.PAUSE): Activity.IDLE,
    (Activity.RETURNING, Trigger.ARRIVED): Activity.IDLE,
    (Activity.ERROR, Trigger.CLEARED): Activity.IDLE,
    **{(before, Trigger.FAULT): Activity.ERROR for before in Activity},
}
"""What is not here leaves the robot as it was."""


class Refusal(Enum):
    """Why a robot will not; the dialects give each its own code."""

    DOCKED = "already on the dock"
    IN_ERROR = "in an error state"
    BUSY = "busy with another job"


class Refused(Exception):
    """The robot does not do what was asked."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class StopReason(Enum):
    """How a job ended (mqtt.md 7.3)."""

    FINISHED = 1
    BY_USER = 2
    FAULT = 3


@define
class Job:
    """
    One cleaning.

    @ivar cid: 9 or 10 digits
    @ivar start: epoch seconds
    @ivar content: rooms or rectangle, as the command spelled them
    @ivar area: cleaned so far, in square metres
    @ivar time: worked so far, in seconds
    @ivar target: square metres after which it is finished
    """

    cid: str
    start: int
    kind: str = "auto"
    content: str = ""
    area: int = 0
    time: int = 0
    target: int = 12
    stop_reason: StopReason | None = None


@define
class Life:
    """One consumable, in minutes."""

    left: int
    total: int

    def wear(self) -> None:
        """Use up one minute."""
        self.left = max(self.left - 1, 0)


@define
class Totals:
    """Lifetime sums: square metres, seconds, jobs."""

    area: int = 3120
    time: int = 210_000
    count: int = 188


@define
class Place:
    """
    Where something stands.

    @ivar x: millimetres, like C{y}
    @ivar a: degrees
    """

    x: int = 0
    y: int = 0
    a: int = 0


def new_life() -> dict[str, Life]:
    """Give the wear of a robot that is a few months old, by JSON name."""
    return {"brush": Life(13240, 18000), "sideBrush": Life(5310, 9000), "heap": Life(3200, 7200)}


@define
class RobotState:
    """
    Every variable of one robot.

    @ivar speed: 1000 quiet, 0 standard, 1 and 2 stronger
    @ivar water: 1-4
    @ivar errors: current error numbers, C{cleared} those before the last change
    @ivar tz: minutes east of UTC, L{None} until somebody sets it
    @ivar skew: seconds the clock of the robot is ahead
    @ivar trigger: what caused the current activity, as C{CleanInfo} spells it
    """

    battery: int = 87
    docked: bool = True
    activity: Activity = Activity.IDLE
    trigger: str = "none"
    job: Job | None = None
    last_job: Job | None = None
    speed: int = 0
    water: int = 2
    mop: int = 0
    bin: int = 1
    volume: int = 4
    errors: list[int] = field(factory=list)
    cleared: list[int] = field(factory=list)
    life: dict[str, Life] = field(factory=new_life)
    totals: Totals = field(factory=Totals)
    pos: Place = field(factory=Place)
    dock: Place = field(factory=Place)
    lifted_until: float = 0.0
    sleeping: int = 0
    tz: int | None = None
    skew: float = 0.0
    switches: dict[str, dict[str, object]] = field(factory=dict)
    schedules: list[dict[str, object]] = field(factory=list)
