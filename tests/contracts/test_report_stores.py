"""What every store of reports and cleaning jobs does, in memory and in SQL alike."""

from typing import TYPE_CHECKING

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.interfaces import ICleaningLogStore, ITelemetryStore
from bumper_tw.readings import (
    Activity,
    Battery,
    Clean,
    Errors,
    LifeSpan,
    MapData,
    Notice,
    Part,
    Position,
    Reading,
    Report,
    Stats,
    Water,
)
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.memory import MemoryCleaningLogStore, MemoryTelemetryStore
from bumper_tw.storage.telemetry import TelemetryStore
from bumper_tw.values import CleaningLog, DeviceId

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object

DUSTY = DeviceId("dusty", "yna5xi", "atom")
SANDY = DeviceId("sandy", "p95mgv", "x")

JOB = CleaningLog(DUSTY, "c1", 1000, type="auto")


def battery(percent: int, at: float, did: str = "dusty") -> Report:
    """A report that is told from others by its charge."""
    return Report(did, Battery(percent), at, number=percent)


class TelemetryStoreContract(Contract):
    """What any L{ITelemetryStore} does."""

    def make(self) -> ITelemetryStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def append(self, *reports: Report) -> None:
        """Put reports in."""
        self.assertIsNone(self.successResultOf(self.store.append(reports)))

    def latest(self) -> list[Report]:
        """The newest of each kind."""
        return self.successResultOf(self.store.latest())

    def percents(self, kind: str = "battery", since: float = 0, limit: int = 99) -> list[int]:
        """The numbers of dusty's history."""
        found = self.successResultOf(self.store.history("dusty", kind, since, limit))
        return [report.number for report in found]

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(ITelemetryStore, self.store))

    def test_empty(self) -> None:
        """A fresh store has nothing, and takes nothing for an answer."""
        self.append()
        self.assertEqual(self.latest(), [])
        self.assertEqual(self.percents(), [])

    def test_whole(self) -> None:
        """Readings of every shape come back as they were, with time and number."""
        readings: list[Reading] = [
            Clean(Activity.CLEANING, "clean", "auto", "c1", "app"),
            LifeSpan((Part("brush", 60, 18000), Part("heap", 50))),
            Errors((3, 100)),
            Water(None, True),
            Stats("c1", 1000, 12, 60, "auto", True, 1, (("aitypes", [1, 2]), ("x", None))),
        ]
        sent = [Report("dusty", each, 10.25 + n, n) for n, each in enumerate(readings)]
        self.append(*sent)
        self.assertCountEqual(self.latest(), sent)
        history = self.successResultOf(self.store.history("dusty", "", 0, 99))
        self.assertEqual(history, sent[::-1])

    def test_latest_wins(self) -> None:
        """The last one appended is the newest, in one batch or in two."""
        self.append(battery(80, 1), battery(79, 2), battery(50, 2, "sandy"))
        self.assertEqual(self.latest(), [battery(79, 2), battery(50, 2, "sandy")])
        self.append(battery(78, 3))
        self.assertEqual(self.latest(), [battery(78, 3), battery(50, 2, "sandy")])

    def test_clock_set_back(self) -> None:
        """When our clock was ahead, what comes later is still the newest."""
        self.append(battery(80, 1000))
        self.append(battery(79, 10))
        self.assertEqual(self.latest(), [battery(79, 10)])

    def test_fleeting(self) -> None:
        """What is not kept never reaches the disk."""
        fleeting = (Position(), MapData("m", "AA=="), Notice("n", {}))
        self.append(*(Report("dusty", each, 1) for each in fleeting))
        self.assertEqual(self.latest(), [])
        self.assertEqual(self.percents(kind=""), [])

    def test_history(self) -> None:
        """A history is of one robot and kind, the newest first, and ends at its limits."""
        self.append(battery(1, 10), battery(2, 20), battery(3, 20), battery(4, 30))
        self.append(battery(5, 40, "sandy"), Report("dusty", Errors((3,)), 15, 6))
        self.assertEqual(self.percents(), [4, 3, 2, 1])
        self.assertEqual(self.percents(since=20), [4, 3, 2])
        self.assertEqual(self.percents(limit=1), [4])
        self.assertEqual(self.percents(limit=0), [])
        self.assertEqual(self.percents(kind="errors"), [6])
        self.assertEqual(self.percents(kind=""), [4, 3, 2, 6, 1])
        self.assertEqual(self.percents(kind="", since=12, limit=4), [4, 3, 2, 6])

    def test_prune_old(self) -> None:
        """What is too old goes; what we know last about a robot stays."""
        self.append(battery(1, 10), battery(2, 20), battery(3, 30, "sandy"))
        self.assertEqual(self.successResultOf(self.store.prune(20, 99)), 1)
        self.assertEqual(self.percents(), [2])
        self.assertEqual(self.successResultOf(self.store.prune(99, 99)), 2)
        self.assertEqual(self.percents(), [])
        self.assertEqual(self.latest(), [battery(2, 20), battery(3, 30, "sandy")])

    def test_prune_surplus(self) -> None:
        """Of all robots together no more than the newest are kept."""
        self.append(battery(3, 30), battery(1, 10), battery(2, 20), battery(4, 15, "sandy"))
        self.assertEqual(self.successResultOf(self.store.prune(0, 2)), 2)
        self.assertEqual(self.percents(), [3, 2])
        self.assertEqual(self.successResultOf(self.store.prune(0, 2)), 0)
        self.assertEqual(self.successResultOf(self.store.prune(0, 0)), 2)

    def test_forget(self) -> None:
        """A forgotten robot leaves nothing; the others are not touched."""
        self.append(battery(1, 10), battery(2, 20, "sandy"))
        self.successResultOf(self.store.forget("dusty"))
        self.assertEqual(self.latest(), [battery(2, 20, "sandy")])
        self.assertEqual(self.percents(kind=""), [])
        self.assertEqual(len(self.successResultOf(self.store.history("sandy", "", 0, 9))), 1)


class CleaningLogStoreContract(Contract):
    """What any L{ICleaningLogStore} does."""

    def make(self) -> ICleaningLogStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def record(self, *logs: CleaningLog) -> None:
        """Put jobs in."""
        for log in logs:
            self.successResultOf(self.store.record(log))

    def logs(self, did: str = "dusty", limit: int = 99) -> list[CleaningLog]:
        """What is in the store."""
        return self.successResultOf(self.store.logs(did, limit))

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(ICleaningLogStore, self.store))

    def test_whole(self) -> None:
        """Every field of a job comes back."""
        whole = CleaningLog(
            DUSTY, "c1", 1000, "auto", 60, 5, 1, "http://map", {"aitypes": [1], "aiopen": 0}
        )
        self.record(whole)
        self.assertEqual(self.logs(), [whole])

    def test_known_stays(self) -> None:
        """What a later report does not say stays; what it says is taken."""
        begun = evolve(JOB, duration=60, area=5, extras={"aiavoid": 1, "content": "1,2"})
        ended = CleaningLog(
            DUSTY, "c1", 1000, stop_reason=1, extras={"aiavoid": 2, "content": None}
        )
        self.record(begun, ended)
        extras = {"aiavoid": 2, "content": "1,2"}
        self.assertEqual(self.logs(), [evolve(begun, stop_reason=1, extras=extras)])

    def test_duration_never_shrinks(self) -> None:
        """A late report of the start does not make a job shorter."""
        self.record(evolve(JOB, duration=60), evolve(JOB, duration=10))
        self.assertEqual(self.logs()[0].duration, 60)
        self.record(evolve(JOB, duration=61))
        self.assertEqual(self.logs()[0].duration, 61)

    def test_newest_first(self) -> None:
        """The jobs of one robot, the newest first, at most as many as asked for."""
        other = CleaningLog(SANDY, "c1", 5000)
        jobs = [evolve(JOB, started_at=at) for at in (2000, 1000, 3000)]
        self.record(*jobs, other)
        self.assertEqual([log.started_at for log in self.logs()], [3000, 2000, 1000])
        self.assertEqual([log.started_at for log in self.logs(limit=1)], [3000])
        self.assertEqual(self.logs("sandy"), [other])
        self.assertEqual(self.logs("nobody"), [])

    def test_remove(self) -> None:
        """Jobs go by their id; unknown ones and none at all are fine."""
        later = evolve(JOB, started_at=2000)
        self.record(JOB, later)
        self.successResultOf(self.store.remove([]))
        self.successResultOf(self.store.remove([JOB.id, "dusty@9@atom"]))
        self.assertEqual(self.logs(), [later])

    def test_forget(self) -> None:
        """A forgotten robot leaves nothing; the others are not touched."""
        other = CleaningLog(SANDY, "c1", 500)
        self.record(JOB, evolve(JOB, started_at=2000), other)
        for did in ("dusty", "nobody"):
            self.successResultOf(self.store.forget(did))
        self.assertEqual((self.logs(), self.logs("sandy")), ([], [other]))

    def test_prune(self) -> None:
        """Each robot keeps its newest jobs."""
        jobs = [evolve(JOB, started_at=at) for at in (1000, 2000, 3000)]
        other = CleaningLog(SANDY, "c1", 500)
        self.record(*jobs, other)
        self.assertEqual(self.successResultOf(self.store.prune(2)), 1)
        self.assertEqual(self.logs(), [jobs[2], jobs[1]])
        self.assertEqual(self.logs("sandy"), [other])
        self.assertEqual(self.successResultOf(self.store.prune(2)), 0)


class MemoryTelemetryStoreTests(TelemetryStoreContract, SynchronousTestCase):
    """Reports in lists."""

    def make(self) -> ITelemetryStore:
        return MemoryTelemetryStore()


class SqlTelemetryStoreTests(TelemetryStoreContract, SynchronousTestCase):
    """Reports in SQL."""

    def make(self) -> ITelemetryStore:
        return TelemetryStore(InlineDatabase())


class MemoryCleaningLogStoreTests(CleaningLogStoreContract, SynchronousTestCase):
    """Jobs in a dictionary."""

    def make(self) -> ICleaningLogStore:
        return MemoryCleaningLogStore()


class SqlCleaningLogStoreTests(CleaningLogStoreContract, SynchronousTestCase):
    """Jobs in SQL."""

    def make(self) -> ICleaningLogStore:
        return CleaningLogStore(InlineDatabase())


class TelemetryAgreementTests(SynchronousTestCase):
    """Memory and SQL give the same answers to anything."""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["dusty", "sandy"]),
                st.one_of(st.builds(Battery, st.integers(0, 9)), st.just(Errors((1,)))),
                st.integers(0, 5),
            )
        ),
        st.integers(0, 6),
        st.integers(0, 10),
    )
    def test_same(
        self, told: list[tuple[str, Battery | Errors, int]], before: int, keep: int
    ) -> None:
        """Whatever is appended and pruned, what is left is the same."""
        reports = [Report(did, what, at, n) for n, (did, what, at) in enumerate(told)]
        database = InlineDatabase()
        stores: list[ITelemetryStore] = [MemoryTelemetryStore(), TelemetryStore(database)]
        answers = [self.answers(store, reports, before, keep) for store in stores]
        self.successResultOf(database.close())
        self.assertEqual(answers[0], answers[1])

    def answers(
        self, store: ITelemetryStore, reports: list[Report], before: int, keep: int
    ) -> list[object]:
        """Everything a store says about some reports."""
        self.successResultOf(store.append(reports))
        return [
            self.successResultOf(store.latest()),
            self.successResultOf(store.history("dusty", "", 2, 4)),
            self.successResultOf(store.prune(before, keep)),
            self.successResultOf(store.history("dusty", "battery", 0, 99)),
            self.successResultOf(store.history("sandy", "", 0, 99)),
        ]
