"""Tests for L{bumper_tw.core.telemetry} and L{bumper_tw.core.cleaning}."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.core.cleaning import MOST_WRITING, CleaningLogs
from bumper_tw.core.telemetry import Telemetry
from bumper_tw.interfaces import ITelemetry
from bumper_tw.readings import MOST_PARTS, Battery, LifeSpan, Part, Reading, Report, Stats
from bumper_tw.storage.memory import MemoryCleaningLogStore
from bumper_tw.values import CleaningLog
from tests.samples import DUSTY


def report(reading: Reading, at: float = 5.0) -> Report:
    """A report of Dusty."""
    return Report(DUSTY.did, reading, at)


class TelemetryTests(SynchronousTestCase):
    """L{Telemetry} numbers, keeps and tells."""

    def setUp(self) -> None:
        self.telemetry = Telemetry()
        self.heard: list[Report] = []
        self.stop = self.telemetry.listen(self.heard.append)

    def test_interface(self) -> None:
        """It is what the gateways expect."""
        self.assertTrue(verifyObject(ITelemetry, self.telemetry))

    def test_numbers_rise(self) -> None:
        """Each report has the next number."""
        self.telemetry.record(report(Battery(80)))
        self.telemetry.record(report(Battery(79)))
        self.assertEqual([r.number for r in self.heard], [1, 2])

    def test_latest_of_each_kind(self) -> None:
        """The newest of each kind is in memory."""
        for reading in (Battery(80), Stats("1", 5), Battery(79)):
            self.telemetry.record(report(reading))
        latest = {r.kind: r.reading for r in self.telemetry.latest(DUSTY.did)}
        self.assertEqual(latest, {"battery": Battery(79), "stats": Stats("1", 5)})

    def test_parts_are_merged(self) -> None:
        """What a robot says piece by piece is one reading."""
        self.telemetry.record(report(LifeSpan((Part("brush", 5),))))
        self.telemetry.record(report(LifeSpan((Part("heap", 7),))))
        [latest] = self.telemetry.latest(DUSTY.did)
        self.assertEqual(latest.reading, LifeSpan((Part("brush", 5), Part("heap", 7))))

    def test_parts_are_bounded(self) -> None:
        """A robot that invents consumables does not fill the memory; the newest stay."""
        for number in range(MOST_PARTS * 2):
            self.telemetry.record(report(LifeSpan((Part(f"part {number}", 5),))))
        [latest] = self.telemetry.latest(DUSTY.did)
        assert isinstance(latest.reading, LifeSpan)
        self.assertEqual(len(latest.reading.parts), MOST_PARTS)
        self.assertEqual(latest.reading.parts[-1].type, f"part {MOST_PARTS * 2 - 1}")

    def test_warm(self) -> None:
        """After a restart the old reports are there, and numbers go on."""
        self.telemetry.warm([Report(DUSTY.did, Battery(50), 5.0, 41)])
        self.telemetry.record(report(Stats("1", 5)))
        self.assertEqual([r.number for r in self.telemetry.latest(DUSTY.did)], [41, 42])

    def test_unlisten(self) -> None:
        """Who stops listening hears nothing more."""
        self.stop()
        self.telemetry.record(report(Battery(80)))
        self.assertEqual(self.heard, [])

    def test_broken_listener(self) -> None:
        """A listener that fails is logged, and the next one hears the report all the same."""
        self.stop()
        self.telemetry.listen(lambda _: 1 / 0)  # type: ignore[arg-type]  # it breaks
        self.telemetry.listen(self.heard.append)
        self.telemetry.record(report(Battery(80)))
        self.assertEqual(len(self.heard), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_forget(self) -> None:
        """Nothing is known of a robot that was removed."""
        self.telemetry.record(report(Battery(80)))
        self.telemetry.forget(DUSTY.did)
        self.assertEqual(self.telemetry.latest(DUSTY.did), [])


class CleaningLogTests(SynchronousTestCase):
    """L{CleaningLogs} makes one log per job."""

    def setUp(self) -> None:
        self.store = MemoryCleaningLogStore()
        self.logs = CleaningLogs(self.store, lambda did: DUSTY)

    def test_start_then_end(self) -> None:
        """The reports of one job make one log; the end knows more than the start."""
        self.logs.heard(report(Stats("122", 1_767_225_600, type="auto")))
        end = Stats("122", 1_767_225_600, 14, 1260, "auto", True, 1, (("avoidCount", 2),))
        self.logs.heard(report(end))
        [log] = self.successResultOf(self.store.logs(DUSTY.did, 10))
        self.assertEqual(log.id, f"{DUSTY.did}@1767225600@{DUSTY.resource}")
        self.assertEqual((log.area, log.duration, log.stop_reason), (14, 1260, 1))
        self.assertEqual(log.extras, {"avoidCount": 2})

    def test_slow_disk(self) -> None:
        """While the disk does not keep up, only so many reports wait for it."""
        stuck: list[Deferred[None]] = []

        class Stuck(MemoryCleaningLogStore):
            def record(self, log: CleaningLog) -> Deferred[None]:
                stuck.append(Deferred())
                return stuck[-1]

        logs = CleaningLogs(Stuck(), lambda did: DUSTY)
        for start in range(MOST_WRITING + 5):
            logs.heard(report(Stats("122", start)))
        self.assertEqual(len(stuck), MOST_WRITING)
        stuck[0].callback(None)
        logs.heard(report(Stats("122", 1)))
        self.assertEqual(len(stuck), MOST_WRITING + 1)

    def test_other_reports(self) -> None:
        """A battery report is no cleaning job."""
        self.logs.heard(report(Battery(80)))
        self.assertEqual(self.successResultOf(self.store.logs(DUSTY.did, 10)), [])
