"""Tests for L{bumper_tw.app.doctor.readiness}."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.readiness import (
    ASKED_FOR,
    DNS_SECONDS,
    LEAST_ROOM,
    WRITTEN_SECONDS,
    Readiness,
)
from bumper_tw.app.doctor.snapshot import ListenerSeen
from bumper_tw.errors import StorageError
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.records import RecordStore
from tests.app.doctor.cases import BOX, LISTENERS, announcing, everywhere, lookup, well


class FullDisk(RecordStore):
    """Nothing can be written."""

    def save(self, shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        """Refuse it."""
        return fail(StorageError("/var/lib/bumper/bumper.db cannot grow"))


class ReadinessTests(SynchronousTestCase):
    """What has to be right is looked at, and what is not is said."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.listeners: tuple[ListenerSeen, ...] = LISTENERS
        self.days, self.room = 100.0, LEAST_ROOM
        self.house = evolve(
            well(Path(self.mktemp())), lookup=lookup({None: everywhere(BOX, ASKED_FOR)})
        )
        self.asked = 0
        self.database = InlineDatabase()
        self.readiness = self.made(True)

    def made(self, needed: bool, records: RecordStore | None = None) -> Readiness:
        """One that looks at what the test has."""
        return Readiness(
            self.clock,
            lambda: self.listeners,
            records or RecordStore(self.database),
            lambda: self.room,
            lambda: self.days,
            self.evidence,
            needed,
        )

    def evidence(self) -> Evidence:
        """What names are judged by; counts how often that is."""
        self.asked += 1
        return self.house

    def wrong(self) -> dict[str, str]:
        """What is not right, with the reason."""
        found = self.successResultOf(self.readiness.look())
        self.assertEqual(list(found), ["listeners", "database", "certificate", "dns"])
        return {name: health.why for name, health in found.items() if not health.ok}

    def test_well(self) -> None:
        """All is right, and something was really written."""
        self.assertEqual(self.wrong(), {})
        kept = self.successResultOf(RecordStore(self.database).load("health"))
        self.assertEqual(kept, {"written": 0})

    def test_listeners(self) -> None:
        """One that is closed is wrong, unless nobody insists on it."""
        closed = ListenerSeen("web", "tcp:80", False, bound=False, optional=True)
        self.listeners = (*LISTENERS, closed)
        self.assertEqual(self.wrong(), {})
        self.listeners = (*LISTENERS, evolve(closed, optional=False))
        self.assertIn("tcp:80", self.wrong()["listeners"])

    def test_written_seldom(self) -> None:
        """Who asks often makes nobody write often; that there is room is looked at each time."""
        store = RecordStore(self.database)
        self.assertEqual(self.wrong(), {})
        self.clock.advance(WRITTEN_SECONDS - 1)
        self.assertEqual(self.wrong(), {})
        self.assertEqual(self.successResultOf(store.load("health")), {"written": 0})
        self.room = LEAST_ROOM - 1
        self.assertIn("full", self.wrong()["database"])
        self.room = LEAST_ROOM
        self.clock.advance(1)
        self.assertEqual(self.wrong(), {})
        kept = {"written": int(WRITTEN_SECONDS)}
        self.assertEqual(self.successResultOf(store.load("health")), kept)

    def test_no_folder(self) -> None:
        """Nothing can be written where there is nothing."""

        def gone() -> int:
            raise FileNotFoundError(2, "No such file or directory", "/var/lib/bumper")

        self.readiness.room = gone
        self.assertNotIn("/", self.wrong()["database"])

    def test_database(self) -> None:
        """A disk that refuses; where the file is, is nobody's business."""
        self.readiness = self.made(True, FullDisk(self.database))
        self.assertNotIn("/", self.wrong()["database"])
        self.readiness.records = RecordStore(self.database)
        self.assertEqual(self.wrong(), {})

    def test_certificate(self) -> None:
        """Two weeks are needed."""
        self.days = 14.0
        self.assertIn("14 days", self.wrong()["certificate"])

    def test_dns(self) -> None:
        """Names that lead elsewhere are asked for again after a minute, and not before."""
        self.house = evolve(
            self.house, lookup=lookup({None: everywhere("203.0.113.9", ASKED_FOR)})
        )
        self.assertIn("203.0.113.9", self.wrong()["dns"])
        self.house = evolve(self.house, lookup=lookup({None: everywhere(BOX, ASKED_FOR)}))
        self.clock.advance(DNS_SECONDS - 1)
        self.assertIn("dns", self.wrong())
        self.assertEqual(self.asked, 1)
        self.clock.advance(1)
        self.assertEqual(self.wrong(), {})
        self.assertEqual(self.asked, 2)

    def test_in_the_background(self) -> None:
        """Who asks while names are looked up gets what was found before."""
        self.assertEqual(self.wrong(), {})
        waiting: Deferred[tuple[str, ...]] = Deferred()
        self.house = evolve(self.house, lookup=lambda *_: waiting)
        self.clock.advance(DNS_SECONDS)
        self.assertEqual(self.wrong(), {})
        self.clock.advance(DNS_SECONDS)
        self.assertEqual(self.wrong(), {})
        self.assertEqual(self.asked, 2)

    def test_not_needed(self) -> None:
        """Nobody is asked when the owner says so, or when robots are simulated."""
        self.house = evolve(self.house, lookup=lookup({}))
        self.readiness = self.made(False)
        self.assertEqual(self.wrong(), {})
        self.house = announcing("127.0.0.1", self.house)
        self.readiness = self.made(True)
        self.assertEqual(self.wrong(), {})
