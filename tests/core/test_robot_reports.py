"""What robots say of themselves, and what follows from it."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.robot_reports import RobotReports
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.readings import Activity, Charge, Clean, Reading, Report, Stats
from bumper_tw.storage.memory import MemoryDeviceStore
from tests.samples import RUSTY, RUSTY_DEVICE, RecordingLink

GOING = (Charge(charging=False, mode="Going"), Clean(Activity.RETURNING, "Going"))


class HomeTests(SynchronousTestCase):
    """The way home is a state of the charge in XML, and of the job for everybody else."""

    def setUp(self) -> None:
        clock, telemetry = Clock(), Telemetry()
        registry = DeviceRegistry(clock, MemoryDeviceStore())
        registry.attach(RUSTY_DEVICE, RecordingLink())
        self.heard: list[Report] = []
        telemetry.listen(self.heard.append)
        self.reports = RobotReports(clock, registry, telemetry)

    def said(self, *readings: Reading) -> list[Reading]:
        """What becomes known when a robot says something."""
        self.heard.clear()
        self.reports.record(RUSTY.did, readings)
        return [report.reading for report in self.heard]

    def test_docked(self) -> None:
        """It ends in the dock, and not again each time the robot says so."""
        self.said(*GOING)
        plugged = Charge(charging=True, mode="SlotCharging")
        self.assertEqual(self.said(plugged), [plugged, Clean(Activity.DOCKED, "SlotCharging")])
        self.assertEqual(self.said(plugged), [plugged])

    def test_stopped(self) -> None:
        """Or somewhere else, if the robot is stopped on its way."""
        self.said(*GOING)
        idle = Charge(charging=False, mode="Idle")
        self.assertEqual(self.said(idle), [idle, Clean(Activity.IDLE, "Idle")])

    def test_not_going(self) -> None:
        """Otherwise the state of the charge says nothing about the job (mqtt.md 11)."""
        for doing in (
            Clean(Activity.CLEANING, "s", "auto"),
            Clean(Activity.RETURNING, "goCharging"),
        ):
            self.said(doing)
            for mode in ("Idle", "SlotCharging", "slot"):
                charge = Charge(charging=mode != "Idle", mode=mode)
                self.assertEqual(self.said(charge), [charge])

    def test_job(self) -> None:
        """The job that was heard of last."""
        self.assertIsNone(self.reports.job(RUSTY.did))
        self.said(Stats("1", 5), Stats("2", 6), GOING[0])
        self.assertEqual(self.reports.job(RUSTY.did), Stats("2", 6))
