"""The working life of a robot: jobs, dock, battery and wear (robots.md 2.3, 5.3)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import ClassVar

from bumper_tw.simulator.floorplan import Floorplan, TracePoint
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.state import (
    NEXT,
    Activity,
    Job,
    Place,
    Refusal,
    Refused,
    RobotState,
    StopReason,
    Trigger,
)
from bumper_tw.simulator.timers import Timers

WAY_HOME = 20
"""Seconds from anywhere to the dock."""

METRE = 60
DRAIN = 120
CHARGE = 90
FALLS_ASLEEP = 600
LOW_BATTERY = 15
DIAGNOSTICS = 900
LEAP = 150
"""Units of 10 mm: farther, as to the next room, the path is not drawn."""

LONGEST_PATH = 4000
"""Trace points kept; a longer path forgets its beginning, as the robots' buffer does."""


class Machine:
    """
    One robot without its connection.

    @ivar state: its variables
    @ivar plan: its map
    @ivar piece: the map piece discovered last
    """

    def __init__(
        self,
        state: RobotState,
        plan: Floorplan,
        timers: Timers,
        now: Callable[[], float],
        rng: random.Random,
        undock_after: float = 2.0,
        position_every: int = 1,
    ) -> None:
        """
        @param now: seconds since the epoch on a right clock
        @param undock_after: seconds from the start of a job to leaving the dock
        @param position_every: seconds between two positions
        """
        self.state, self.plan, self.timers = state, plan, timers
        self.piece = 0
        self._now, self._rng = now, rng
        self._undock_after, self._position_every = undock_after, position_every
        self._steps = self._way_home = 0
        self._listeners: list[Callable[[Happening], None]] = []

    def listen(self, listener: Callable[[Happening], None]) -> None:
        """Call somebody with everything that happens from now on."""
        self._listeners.append(listener)

    def tell(self, happening: Happening) -> None:
        """Report something to all listeners."""
        for listener in self._listeners:
            listener(happening)

    def now(self) -> float:
        """Read the robot's own clock: seconds since the epoch, skew included."""
        return self._now() + self.state.skew

    def set_clock(self, seconds: float) -> None:
        """Set the robot's own clock."""
        self.state.skew = seconds - self._now()

    def boot(self) -> None:
        """Begin the periodic life (robots.md 5.2)."""
        self.timers.every(DIAGNOSTICS, lambda: self.tell(Happening.DIAGNOSTICS), "diagnostics")
        self._rest()

    def halt(self) -> None:
        """End every timer."""
        self.timers.drop_all()

    def start(self, kind: str = "auto", content: str = "") -> None:
        """
        Begin a job, or go on with the paused one.

        @raise Refused: in error, or cleaning in another way
        """
        job, activity = self.state.job, self.state.activity
        if activity is Activity.ERROR:
            raise Refused(Refusal.IN_ERROR)
        if activity is Activity.PAUSED:
            self.resume()
        elif job is None:
            self._begin(kind, content)
        elif job.kind != kind:
            raise Refused(Refusal.BUSY)

    def pause(self) -> None:
        """Stay where the robot is; a paused way home is given up."""
        before = self.state.activity
        if self._fire(Trigger.PAUSE):
            self.timers.drop("move")
            self.tell(Happening.PAUSED if before is Activity.CLEANING else Happening.HALTED)

    def resume(self) -> None:
        """
        Go on with the paused job; without one, start (robots.md 5.4).

        @raise Refused: like L{start}
        """
        if self.state.activity is not Activity.PAUSED:
            self.start()
            return
        self._fire(Trigger.RESUME)
        self._move_on()
        self.tell(Happening.RESUMED)

    def stop(self) -> None:
        """Give up whatever the robot is doing."""
        if self._fire(Trigger.STOP):
            self.timers.drop("move")
            self.state.trigger = "none"
            self._end_job(StopReason.BY_USER)
            self.timers.after(0.1, lambda: self.tell(Happening.HALTED), "job")
            self._rest()

    def charge(self) -> None:
        """
        Go to the dock.

        @raise Refused: there already, or in error
        """
        if self.state.activity is Activity.ERROR:
            raise Refused(Refusal.IN_ERROR)
        if self.state.docked and self.state.activity is Activity.IDLE:
            raise Refused(Refusal.DOCKED)
        if self._fire(Trigger.CHARGE):
            self._go_home(StopReason.BY_USER, "app")

    def fault(self, code: int) -> None:
        """Break down with an error number (mqtt.md 8.3)."""
        self._fire(Trigger.FAULT)
        self.timers.drop("move")
        self.state.trigger = "alert"
        self._set_errors([code])
        self._end_job(StopReason.FAULT)
        self.tell(Happening.ERROR)

    def clear_fault(self) -> None:
        """Have the fault repaired by somebody."""
        if self._fire(Trigger.CLEARED):
            self.state.trigger = "none"
            self._set_errors([])
            self.tell(Happening.ERROR)
            self._rest()

    def lift(self) -> None:
        """Be carried off the dock; the position is invalid for ten seconds."""
        self.state.docked = False
        self.state.lifted_until = self.now() + 10 / self.timers.speed

    def insert_bin(self, present: bool) -> None:
        """Have the dust bin put in or taken out."""
        self.state.bin = int(present)
        self.tell(Happening.BIN)

    def mount_mop(self, mounted: bool) -> None:
        """Have the water tank with the mop put on or taken off."""
        self.state.mop = int(mounted)
        self.tell(Happening.WATER)

    def step_aside(self, distance: int, turn: int) -> None:
        """
        Obey a remote control.

        @param distance: millimetres forward
        @param turn: degrees
        """
        pos = self.state.pos
        degrees = (pos.a + turn + 180) % 360 - 180
        self.state.pos = Place(pos.x + distance, pos.y, degrees)
        self.tell(Happening.MOVED)

    def _fire(self, trigger: Trigger) -> bool:
        following = NEXT.get((self.state.activity, trigger))
        if following is not None:
            self.state.activity = following
        return following is not None

    def _begin(self, kind: str, content: str) -> None:
        self._fire(Trigger.START)
        last = self.state.last_job
        # On a fast clock two jobs fall into one second, but logs tell them apart by it.
        start = max(int(self.now()), last.start + 1 if last else 0)
        cid = str(self._rng.randrange(10**8, 4 * 10**9))
        self.state.job, self.state.trigger = Job(cid, start, kind, content), "app"
        self.plan.path.clear()
        self.plan.trace_id += 1
        self._steps = 0
        self._wake()
        self.timers.after(0.3, lambda: self.tell(Happening.STARTED), "job")
        self.timers.after(0.4, lambda: self.tell(Happening.JOB_STARTED), "job")
        if self.state.docked:
            self.timers.after(self._undock_after, self._undock, "job")
        self._move_on()

    def _wake(self) -> None:
        self.timers.drop("rest")
        self.timers.drop("job")
        if self.state.sleeping:
            self.state.sleeping = 0
            self.tell(Happening.SLEEP)

    def _undock(self) -> None:
        self.state.docked = False
        self.timers.drop("rest")
        self.tell(Happening.UNDOCKED)

    def _move_on(self) -> None:
        self.timers.drop("move")
        self.timers.every(1, self._step, "move")

    def _step(self) -> None:
        self._steps += 1
        if self.state.activity is Activity.CLEANING:
            self._clean()
        else:
            self._drive_home()

    def _clean(self) -> None:
        job = self.state.job
        if job is None:
            return
        job.time += 1
        if not self.state.docked and job.time >= 3:
            self._travel(Place(*self.plan.sweep(job.time - 3, job.content)))
        for period, chore in self._CHORES:
            if job.time % period == 0:
                chore(self)
        if job.area >= job.target and self._fire(Trigger.WORK_DONE):
            self._go_home(StopReason.FINISHED, "workComplete")
        elif self.state.battery <= LOW_BATTERY and self._fire(Trigger.BATTERY_LOW):
            self._go_home(StopReason.FINISHED, "none")

    def _travel(self, place: Place) -> None:
        self.state.pos = place
        path = self.plan.path
        path.append(self._traced(place))
        del path[:-LONGEST_PATH]
        if self._steps % self._position_every == 0:
            self.tell(Happening.MOVED)
        if self._steps % 3 == 0:
            self.tell(Happening.TRACED)

    def _traced(self, place: Place) -> TracePoint:
        x, y, path = place.x // 10, place.y // 10, self.plan.path
        leap = not path or max(abs(path[-1].x - x), abs(path[-1].y - y)) > LEAP
        return TracePoint(x, y, leap)

    def _discover(self) -> None:
        self.piece = self.plan.discover()
        self.tell(Happening.PROGRESS)
        self.tell(Happening.MAPPED)

    def _metre(self) -> None:
        if self.state.job is not None:
            self.state.job.area += 1
        for life in self.state.life.values():
            life.wear()
        self.tell(Happening.METRE)

    def _drain(self) -> None:
        self.state.battery = max(self.state.battery - 1, 0)
        self.tell(Happening.BATTERY)

    def _go_home(self, reason: StopReason, trigger: str) -> None:
        self.state.trigger = trigger
        worked = self.state.job is not None
        self._end_job(reason)
        self._way_home = WAY_HOME
        self._move_on()
        self.timers.after(0.1, lambda: self.tell(Happening.LEAVING), "job")
        self.timers.after(0.2, lambda: self.tell(Happening.GOING), "job")
        if worked:
            self.timers.after(0.3, lambda: self.tell(Happening.LIFE), "job")

    def _end_job(self, reason: StopReason) -> None:
        job, totals = self.state.job, self.state.totals
        self.timers.drop("job")
        if job is None:
            return
        job.stop_reason = reason
        self.state.job, self.state.last_job = None, job
        totals.area, totals.time = totals.area + job.area, totals.time + job.time
        totals.count += 1
        self.tell(Happening.JOB_ENDED)

    def _drive_home(self) -> None:
        self._way_home -= 1
        pos, left = self.state.pos, self._way_home
        self._travel(Place(pos.x * left // (left + 1), pos.y * left // (left + 1), pos.a))
        if left <= 0 and self._fire(Trigger.ARRIVED):
            self._arrive()

    def _arrive(self) -> None:
        self.timers.drop("move")
        dock = self.state.dock
        self.state.docked, self.state.trigger = True, "none"
        self.state.pos = Place(dock.x, dock.y, dock.a)
        self.tell(Happening.DOCKED)
        self.timers.after(0.1, lambda: self.tell(Happening.SETTLED), "job")
        self._rest()

    def _rest(self) -> None:
        self.timers.drop("rest")
        if not self.state.docked:
            return
        if self.state.battery < 100:
            self.timers.every(CHARGE, self._fill, "rest")
        else:
            self.timers.after(FALLS_ASLEEP, self._sleep, "rest")

    def _fill(self) -> None:
        self.state.battery += 1
        self.tell(Happening.BATTERY)
        if self.state.battery >= 100:
            self._rest()

    def _sleep(self) -> None:
        self.state.sleeping = 1
        self.tell(Happening.SLEEP)

    def _set_errors(self, errors: list[int]) -> None:
        self.state.cleared, self.state.errors = self.state.errors, errors

    _CHORES: ClassVar[tuple[tuple[int, Callable[[Machine], None]], ...]] = (
        (10, _discover),
        (DRAIN, _drain),
        (METRE, _metre),
    )
    """What recurs while cleaning, with its period in seconds."""
