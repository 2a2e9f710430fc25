"""Tests for L{bumper_tw.app.doctor.checks}, C{rounds} and C{snapshot}."""

import json
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor.checks import NAMES, examine
from bumper_tw.app.doctor.finding import Finding, Findings, report
from bumper_tw.app.doctor.rounds import FIRST, INTERVAL, Changes, Rounds
from bumper_tw.app.doctor.snapshot import parse, to_json
from bumper_tw.errors import BadRequest
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

    def test_several(self) -> None:
        """Each thing that one check finds is noted once, also when its sentence changes."""
        first = Finding("logins", False, "X at 10:00", "mend", about="X")
        second = Finding("logins", False, "Y at 10:00", "mend", about="Y")
        self.changes.heard((first, second, WELL))
        self.changes.heard((evolve(first, sentence="X at 11:00"), second, WELL))
        self.assertEqual([each[2] for each in self.remarks()], ["X at 10:00", "Y at 10:00"])
        self.changes.heard((second, WELL))
        self.changes.heard((first, second, WELL))
        self.assertEqual([each[2] for each in self.remarks()][2:], ["X at 10:00"])


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
