"""Tests for L{bumper_tw.app.doctor.doctor}, C{rounds}, C{checks} and C{snapshot}."""

import json
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.checks import NAMES, examine
from bumper_tw.app.doctor.doctor import KEPT, Doctor, Findings
from bumper_tw.app.doctor.finding import Finding, report
from bumper_tw.app.doctor.rounds import FIRST, INTERVAL, Changes, Rounds
from bumper_tw.app.doctor.snapshot import parse, to_json
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.front.journal import Journal, Remark
from tests.app.doctor.cases import at_once, contact, seen, well

WELL = Finding("disk", True, "there is room")
FULL = Finding("disk", False, "it is full", "make room")


class ExaminationTests(SynchronousTestCase):
    """L{examine}."""

    def test_all(self) -> None:
        """Every check says something, under its name, once; a good house has no failures."""
        house = well(Path(self.mktemp()))
        found = self.successResultOf(Deferred.fromCoroutine(examine(house, at_once)))
        self.assertEqual(tuple(each.check for each in found), NAMES)
        self.assertEqual(len(NAMES), len(set(NAMES)))
        self.assertEqual([each for each in found if each.failed], [])
        for each in found:
            self.assertNotEqual(each.sentence, "")

    def test_report(self) -> None:
        """For programs, with the number of failures."""
        told = report((WELL, FULL), running=True)
        self.assertEqual(told["failures"], 1)
        self.assertEqual(told["findings"][1]["remedy"], "make room")
        self.assertEqual(json.loads(json.dumps(told)), told)


class SnapshotTests(SynchronousTestCase):
    """What travels as JSON is the same afterwards."""

    def test_round_trip(self) -> None:
        """Records become JSON and records again."""
        house = seen(well(Path(self.mktemp())), contacts=(contact(1, "ok"),))
        assert house.snapshot is not None
        self.assertEqual(parse(json.loads(json.dumps(to_json(house.snapshot)))), house.snapshot)

    def test_other_versions(self) -> None:
        """More than we know is left out; less than we need is an error with a name."""
        given = {"version": "9", "started": 1.0, "new": 1, "robots": [{"did": "x", "hat": "red"}]}
        self.assertEqual(parse(given).robots[0].did, "x")
        lacking: tuple[object, ...] = ({}, [], None)
        for wrong in (*lacking, {"version": "9", "started": 1, "robots": [{}]}):
            self.assertRaises(BadRequest, parse, wrong)


class DoctorTests(SynchronousTestCase):
    """L{Doctor}."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.looks: list[Deferred[Findings]] = []
        self.heard: list[Findings] = []
        self.doctor = Doctor(self.clock, self.look, self.heard.append)

    def look(self) -> Deferred[Findings]:
        """An examination that takes its time."""
        self.looks.append(Deferred())
        return self.looks[-1]

    def test_one_at_a_time(self) -> None:
        """Whoever asks meanwhile gets the same result, and so do those who ask soon after."""
        first, second = self.doctor.findings(), self.doctor.findings()
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback((WELL,))
        for asked in (first, second, self.doctor.findings()):
            self.assertEqual(self.successResultOf(asked), (WELL,))
        self.assertEqual(self.heard, [(WELL,)])
        self.clock.advance(KEPT)
        self.assertNoResult(self.doctor.findings())
        self.assertEqual(len(self.looks), 2)

    def test_hang_up(self) -> None:
        """Whoever does not wait takes nothing from the others."""
        first, second = self.doctor.findings(), self.doctor.findings()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback((WELL,))
        self.assertEqual(self.successResultOf(second), (WELL,))

    def test_all_hang_up(self) -> None:
        """The examination goes on, and no other one begins beside it."""
        first = self.doctor.findings()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second = self.doctor.findings()
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback((WELL,))
        self.assertEqual(self.successResultOf(second), (WELL,))

    def test_failure(self) -> None:
        """One that fails is everybody's, and the next one is made again."""
        first = self.doctor.findings()
        self.looks[0].errback(StorageError("no"))
        self.failureResultOf(first, StorageError)
        self.assertNoResult(self.doctor.findings())
        self.assertEqual(len(self.looks), 2)


class ChangeTests(SynchronousTestCase):
    """L{Changes}: the journal hears of what is new."""

    def setUp(self) -> None:
        self.journal = Journal(Clock(), 10)
        self.changes = Changes(self.journal)

    def remarks(self) -> list[tuple[str, bool, str, str]]:
        """What is in the journal."""
        return [
            (each.check, each.sound, each.sentence, each.remedy)
            for each in self.journal
            if isinstance(each, Remark)
        ]

    def test_changes(self) -> None:
        """A failure is noted once, another sentence of it again, and that it is over."""
        self.changes.heard((WELL,))
        self.assertEqual(self.remarks(), [])
        for _ in range(3):
            self.changes.heard((FULL,))
        self.assertEqual(self.remarks(), [("disk", False, "it is full", "make room")])
        self.changes.heard((Finding("disk", False, "it is broken", "buy one"),))
        self.assertEqual(self.remarks()[1:], [("disk", False, "it is broken", "buy one")])
        for _ in range(3):
            self.changes.heard((WELL,))
        self.assertEqual(self.remarks()[2:], [("disk", True, "there is room", "")])


class RoundTests(SynchronousTestCase):
    """L{Rounds}."""

    def setUp(self) -> None:
        self.clock, self.made = Clock(), 0
        self.next: Deferred[Findings] | None = None
        self.rounds = Rounds(self.clock, self.look)

    def look(self) -> Deferred[Findings]:
        """Counts the examinations."""
        self.made += 1
        result: Deferred[Findings] = Deferred()
        if self.next is None:
            result.callback(())
        else:
            self.next.chainDeferred(result)
        return result

    def test_times(self) -> None:
        """Some time after the start, and every hour."""
        self.rounds.startService()
        self.clock.advance(FIRST - 1)
        self.assertEqual(self.made, 0)
        self.clock.advance(1)
        self.assertEqual(self.made, 1)
        self.clock.advance(INTERVAL)
        self.assertEqual(self.made, 2)
        self.rounds.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_early(self) -> None:
        """Nothing is left when the server stops before that."""
        self.rounds.startService()
        self.rounds.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failure(self) -> None:
        """One that breaks is logged, and the next one comes all the same."""
        self.next = Deferred()
        self.next.errback(ZeroDivisionError())
        self.rounds.startService()
        self.clock.advance(FIRST)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.next = None
        self.clock.advance(INTERVAL)
        self.assertEqual(self.made, 2)
        self.rounds.stopService()
