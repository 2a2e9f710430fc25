"""Transitions, rates and a whole job without any wire."""

from __future__ import annotations

import random

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.floorplan import known_floor
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.machine import Machine
from bumper_tw.simulator.state import (
    NEXT,
    Activity,
    Refusal,
    Refused,
    RobotState,
    StopReason,
    Trigger,
)
from bumper_tw.simulator.timers import Timers


@define(eq=False)
class Bench:
    """A machine with everything it told."""

    clock: Clock = field(factory=Clock)
    told: list[tuple[float, Happening]] = field(factory=list)
    machine: Machine = field(init=False)

    def __attrs_post_init__(self) -> None:
        timers, rng = Timers(self.clock), random.Random(1)
        self.machine = Machine(RobotState(), known_floor(), timers, self.clock.seconds, rng)
        self.machine.listen(lambda what: self.told.append((self.clock.seconds(), what)))
        self.machine.boot()

    @property
    def state(self) -> RobotState:
        return self.machine.state

    def run(self, seconds: float) -> None:
        self.clock.pump([0.1] * round(seconds * 10))

    def heard(self) -> list[Happening]:
        """Take what was told since the last call."""
        told, self.told[:] = [what for _, what in self.told], []
        return told


class TransitionTests(SynchronousTestCase):
    """The table of robots.md 2.3, through the public verbs."""

    def setUp(self) -> None:
        self.bench = Bench()
        self.machine, self.state = self.bench.machine, self.bench.state

    def refusal(self, verb: str) -> Refusal:
        """Call something that is refused."""
        with self.assertRaises(Refused) as caught:
            getattr(self.machine, verb)()
        reason: Refusal = caught.exception.reason
        return reason

    def reach(self, activity: Activity) -> None:
        """Bring the robot into a state."""
        if activity is not Activity.IDLE:
            self.machine.start()
            self.bench.run(5)
        if activity is Activity.PAUSED:
            self.machine.pause()
        elif activity is Activity.RETURNING:
            self.machine.charge()
        elif activity is Activity.ERROR:
            self.machine.fault(105)
        self.assertIs(self.state.activity, activity)

    def test_start(self) -> None:
        """Starting on the dock makes a job at once and leaves the dock after two seconds."""
        self.machine.start("spotArea", "3,5")
        job = self.state.job
        assert job is not None
        self.assertEqual((job.kind, job.content, job.area, job.time), ("spotArea", "3,5", 0, 0))
        self.assertIn(len(job.cid), (9, 10))
        self.bench.run(1.9)
        self.assertTrue(self.state.docked)
        self.bench.run(0.2)
        self.assertFalse(self.state.docked)

    def test_charge_on_the_dock(self) -> None:
        """A docked robot refuses to go to its dock."""
        self.assertIs(self.refusal("charge"), Refusal.DOCKED)

    def test_pause_and_resume(self) -> None:
        """A paused job stands still, and goes on as the same job by resume and by start."""
        self.reach(Activity.PAUSED)
        job, before = self.state.job, self.state.job and self.state.job.time
        self.bench.run(30)
        assert job is not None
        self.assertEqual(job.time, before)
        self.machine.resume()
        self.bench.run(2)
        self.machine.pause()
        self.machine.start()
        self.assertIs(self.state.job, job)
        self.assertIs(self.state.activity, Activity.CLEANING)

    def test_resume_without_job(self) -> None:
        """Resume without a pause starts a job."""
        self.machine.resume()
        self.assertIs(self.state.activity, Activity.CLEANING)

    def test_stop(self) -> None:
        """Stop ends the job with reason 2, while cleaning and while paused."""
        for activity in (Activity.CLEANING, Activity.PAUSED):
            self.reach(activity)
            self.machine.stop()
            self.assertIs(self.state.activity, Activity.IDLE)
            self.assertIs(self.ended(), StopReason.BY_USER)

    def test_charge(self) -> None:
        """Charge ends the job with reason 2 and reaches the dock in 20 seconds."""
        self.reach(Activity.CLEANING)
        self.machine.charge()
        self.assertIs(self.state.activity, Activity.RETURNING)
        self.assertIs(self.ended(), StopReason.BY_USER)
        self.bench.run(20.2)
        self.assertEqual((self.state.docked, self.state.activity), (True, Activity.IDLE))
        self.assertEqual((self.state.pos.x, self.state.pos.y), (0, 0))

    def test_stop_on_the_way_home(self) -> None:
        """A robot stopped on its way home is idle beside the dock, and may be sent again."""
        for verb in ("stop", "pause"):
            self.reach(Activity.RETURNING)
            getattr(self.machine, verb)()
            self.assertEqual((self.state.activity, self.state.docked), (Activity.IDLE, False))
            self.machine.charge()
            self.bench.run(21)
            self.assertTrue(self.state.docked)

    def test_fault(self) -> None:
        """A fault ends the job with reason 3; nothing starts until it is cleared."""
        self.reach(Activity.ERROR)
        self.assertIs(self.ended(), StopReason.FAULT)
        self.assertEqual(self.state.errors, [105])
        for verb in ("start", "resume", "charge"):
            self.assertIs(self.refusal(verb), Refusal.IN_ERROR)
        self.machine.clear_fault()
        self.assertEqual((self.state.errors, self.state.activity), ([], Activity.IDLE))

    def test_busy(self) -> None:
        """Another kind of job is refused; the same kind changes nothing."""
        self.reach(Activity.CLEANING)
        job = self.state.job
        with self.assertRaises(Refused) as caught:
            self.machine.start("spotArea", "3")
        self.assertIs(caught.exception.reason, Refusal.BUSY)
        self.machine.start("auto")
        self.assertIs(self.state.job, job)

    def test_low_battery(self) -> None:
        """At 15 percent the robot goes home with reason 1."""
        self.state.battery = 16
        self.reach(Activity.CLEANING)
        self.bench.run(116)
        self.assertEqual((self.state.battery, self.state.activity), (15, Activity.RETURNING))
        self.assertIs(self.ended(), StopReason.FINISHED)

    def test_table_leads_back(self) -> None:
        """From every state a way leads to idle, and a fault is possible everywhere."""
        for activity in Activity:
            self.assertIs(NEXT[activity, Trigger.FAULT], Activity.ERROR)
        ways = {before for (before, _), after in NEXT.items() if after is Activity.IDLE}
        self.assertEqual(ways, set(Activity) - {Activity.IDLE})

    def ended(self) -> StopReason | None:
        """How the last job ended."""
        assert self.state.last_job is not None
        return self.state.last_job.stop_reason


class JobTests(SynchronousTestCase):
    """Twelve square metres from the dock to the dock."""

    def setUp(self) -> None:
        self.bench = Bench()
        self.bench.machine.start()
        self.bench.run(741)

    def when(self, happening: Happening) -> list[float]:
        """Times of one happening, in tenths of a second."""
        return [round(time, 1) for time, what in self.bench.told if what is happening]

    def test_order(self) -> None:
        """The milestones come in the documented order at the documented times."""
        milestones = [
            (Happening.STARTED, 0.3),
            (Happening.JOB_STARTED, 0.4),
            (Happening.UNDOCKED, 2.0),
            (Happening.JOB_ENDED, 720.0),
            (Happening.LEAVING, 720.1),
            (Happening.DOCKED, 740.0),
            (Happening.SETTLED, 740.1),
        ]
        names = [name for name, _ in milestones]
        told = [(what, round(time, 1)) for time, what in self.bench.told if what in names]
        self.assertEqual([what for what, _ in told], names)
        for (_, real), (_, wanted) in zip(told, milestones, strict=True):
            self.assertAlmostEqual(real, wanted, delta=0.25)

    def test_progress(self) -> None:
        """Every 60 seconds a square metre, every 120 a percent, every 10 a piece."""
        counts = [
            len(self.when(Happening.METRE)),
            len(self.when(Happening.BATTERY)),
            len(self.when(Happening.MAPPED)),
        ]
        self.assertEqual(counts, [12, 6, 72])
        self.assertEqual(self.bench.state.battery, 81)

    def test_sums(self) -> None:
        """The job enters the totals and wears the parts."""
        state = self.bench.state
        self.assertEqual(
            (state.totals.area, state.totals.time, state.totals.count), (3132, 210720, 189)
        )
        self.assertEqual(state.life["brush"].left, 13228)

    def test_next_job_starts_later(self) -> None:
        """Two jobs never share their start second."""
        self.bench.machine.start()
        self.bench.machine.stop()
        first = self.bench.state.last_job
        self.bench.machine.start()
        assert first is not None
        assert self.bench.state.job is not None
        self.assertGreater(self.bench.state.job.start, first.start)


class RestTests(SynchronousTestCase):
    """What a robot does on its dock."""

    def test_charging(self) -> None:
        """The battery gains a percent every 90 seconds up to 100, then sleep comes."""
        bench = Bench()
        bench.state.battery = 98
        bench.clock.pump([90, 90])
        self.assertEqual((bench.state.battery, bench.heard()), (100, [Happening.BATTERY] * 2))
        bench.clock.advance(599)
        self.assertEqual(bench.state.sleeping, 0)
        bench.clock.advance(1)
        self.assertEqual(bench.state.sleeping, 1)
        self.assertEqual([w for w in bench.heard() if w is Happening.SLEEP], [Happening.SLEEP])

    def test_job_wakes(self) -> None:
        """A sleeping robot wakes for a job."""
        bench = Bench()
        bench.state.sleeping = 1
        bench.machine.start()
        self.assertEqual((bench.state.sleeping, bench.heard()), (0, [Happening.SLEEP]))

    def test_diagnostics(self) -> None:
        """Diagnostics come every 15 minutes."""
        bench = Bench()
        bench.clock.pump([900, 900])
        self.assertEqual(bench.heard().count(Happening.DIAGNOSTICS), 2)

    def test_halt(self) -> None:
        """A halted machine has no timer."""
        bench = Bench()
        bench.machine.start()
        bench.machine.halt()
        self.assertEqual(bench.clock.getDelayedCalls(), [])

    def test_skew(self) -> None:
        """The clock of the robot is wrong until it is set."""
        bench = Bench()
        bench.state.skew = 1000
        self.assertEqual(bench.machine.now(), 1000)
        bench.machine.set_clock(5)
        bench.clock.advance(1)
        self.assertEqual(bench.machine.now(), 6)
