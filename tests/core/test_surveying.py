"""Asking robots for their maps: when, and how long."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from bumper_tw.core.surveying import ENDS, PATIENCE, PAUSE, Surveyor
from bumper_tw.errors import BadRequest, CommandFailed
from bumper_tw.readings import Report, Stats
from bumper_tw.values import Command
from tests.core.survey_case import SurveyCase, silent


class ManyTests(SurveyCase):
    """Several who ask."""

    def test_shared(self) -> None:
        """Who asks meanwhile shares the survey; who hangs up does not end it."""
        self.robot.is_slow = True
        first, second, third = (self.surveyor.survey(self.did) for _ in range(3))
        second.cancel()
        self.failureResultOf(second)
        while self.robot.waiting:
            self.robot.answer()
        self.assertEqual((self.successResultOf(first), self.successResultOf(third)), (True, True))
        self.assertEqual(self.count("getMajorMap"), 1)

    def test_pause(self) -> None:
        """Not more often than every ten seconds."""
        self.assertEqual([self.survey(), self.survey()], [True, False])
        self.clock.advance(PAUSE)
        self.assertTrue(self.survey())

    def test_offline(self) -> None:
        """A robot that is away is not asked, and neither is one that nobody knows."""
        self.detach()
        self.assertFalse(self.survey())
        self.assertFalse(self.successResultOf(self.surveyor.survey("nobody")))
        self.assertEqual(self.robot.heard, [])

    def test_leaves(self) -> None:
        """A robot that leaves meanwhile ends the survey; nothing is left behind."""
        self.robot.is_slow = True
        asked = self.surveyor.survey(self.did)
        self.detach()
        self.commands.detached(self.device.id)
        self.assertFalse(self.successResultOf(asked))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent(self) -> None:
        """A robot that does not answer is soon let alone."""
        self.robot.says = dict.fromkeys(
            ("getCachedMapInfo", "getMajorMap", "getMapSet", "getMapSet_V2"), silent
        )
        asked = self.surveyor.survey(self.did)
        for _ in range(3):
            self.clock.advance(PATIENCE)
        self.assertFalse(self.successResultOf(asked))
        self.assertEqual(len(self.robot.heard), 3)

    def test_stale(self) -> None:
        """A map that is another is asked for, if somebody looks at it."""
        self.watched = False
        self.surveyor.stale(self.did)
        self.assertEqual(self.robot.heard, [])
        self.watched = True
        self.surveyor.stale(self.did)
        self.assertIn("getMajorMap", self.robot.names)


class EndTests(SurveyCase):
    """Jobs that are over."""

    def test_many(self) -> None:
        """A robot whose jobs never stop ending is asked for the paths of some."""
        self.surveyor.ended = lambda did, job: told.append(job.started_at)
        told: list[int] = []
        for start in range(1, 500):
            self.surveyor.heard(Report(self.did, Stats(str(start), start, stopped=True), 0))
        self.assertEqual(told, list(range(1, ENDS + 1)))
        self.clock.advance(60)
        self.surveyor.heard(Report(self.did, Stats("x", 900, stopped=True), 0))
        self.assertEqual(told[-1], 900)


class BrokenCommands:
    """Commands that fail in ways nobody has thought of."""

    def __init__(self, why: Exception) -> None:
        self.why = why

    def send(self, command: Command, timeout: float | None = None) -> Deferred[Any]:
        """Fails."""
        result: Deferred[Any] = Deferred()
        result.errback(self.why)
        return result


class BrokenTests(SurveyCase):
    """What goes wrong besides."""

    def ask(self, why: Exception) -> bool:
        """Ask by way of something that is broken."""
        commands: Any = BrokenCommands(why)
        surveyor = Surveyor(self.clock, self.registry, commands, self.book)
        return self.successResultOf(surveyor.survey(self.did))

    def test_failures(self) -> None:
        """Failures that have a name are nobody's business; our own mistakes are logged."""
        with capturedLogs() as logs:
            self.assertEqual(
                (self.ask(CommandFailed("x")), self.ask(BadRequest("x"))), (False, True)
            )
        self.assertEqual(logs, [])
        self.assertFalse(self.ask(ZeroDivisionError("oh")))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
