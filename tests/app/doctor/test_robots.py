"""Tests for L{bumper_tw.app.doctor.robots}."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor import robots
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.snapshot import ListenerSeen, RobotSeen
from tests.app.doctor.cases import (
    BOX,
    DUSTY,
    LISTENERS,
    NOW,
    ROBOT,
    announcing,
    contact,
    seen,
    well,
)

#: A DEEBOT T10 PLUS.
T10 = "p95mgv"


class RobotCase(SynchronousTestCase):
    """A house with robots."""

    def setUp(self) -> None:
        self.house = well(Path(self.mktemp()))

    def with_robots(self, *them: RobotSeen) -> Evidence:
        """The house with other ones."""
        return seen(self.house, robots=them)


class SilentTests(RobotCase):
    """L{robots.silent}."""

    def test_well(self) -> None:
        """One that reports, or has only just come, or is away, or was here before the server."""
        for robot in (
            DUSTY,
            evolve(DUSTY, since=NOW - 5, heard=0),
            evolve(DUSTY, online=False, heard=0),
            evolve(DUSTY, since=0, heard=0),
        ):
            self.assertIs(robots.silent(self.with_robots(robot)).sound, True)

    def test_mute(self) -> None:
        """One that has not said a word since it came; what it said before does not count."""
        for heard in (0.0, NOW - 4000):
            verdict = robots.silent(self.with_robots(evolve(DUSTY, heard=heard)))
            self.assertIs(verdict.sound, False)
            self.assertIn("Dusty", verdict.sentence)
            self.assertIn(DUSTY.did, verdict.remedy)

    def test_no_server(self) -> None:
        """Nobody knows."""
        self.assertIsNone(robots.silent(evolve(self.house, snapshot=None)).sound)


class OfflineTests(RobotCase):
    """L{robots.offline}."""

    gone = evolve(DUSTY, online=False)

    def test_well(self) -> None:
        """All are here, or there are none."""
        self.assertIs(robots.offline(self.house).sound, True)
        self.assertIs(robots.offline(self.with_robots()).sound, True)
        self.assertIsNone(robots.offline(evolve(self.house, snapshot=None)).sound)

    def test_gone(self) -> None:
        """One is not, and nothing is known of why."""
        came = contact(1, "ok", robot=DUSTY.did)
        verdict = robots.offline(seen(self.with_robots(self.gone), contacts=(came,)))
        self.assertIs(verdict.sound, False)
        self.assertIn(DUSTY.did, verdict.sentence)
        self.assertIn("switched on", verdict.remedy)

    def test_why(self) -> None:
        """The last that came from its address says why."""
        came = (contact(1, "ok", robot=DUSTY.did), contact(2, "robot-pins"))
        verdict = robots.offline(seen(self.with_robots(self.gone), contacts=came))
        self.assertIn(f"{ROBOT}: robot-pins", verdict.sentence)
        self.assertEqual(verdict.remedy, "mend robot-pins")

    def test_beside_other_programs(self) -> None:
        """What another program on this box met with says nothing of a robot that is there, too."""
        here = {"host": "127.0.0.1", "local": "127.0.0.1"}
        came = contact(1, "ok", robot=DUSTY.did, **here)
        house = self.with_robots(self.gone)
        found = robots.offline(seen(house, contacts=(came, contact(2, "untrusted-ca", **here))))
        self.assertNotIn("untrusted-ca", found.sentence)
        broke = contact(3, "violation", robot=DUSTY.did, **here)
        found = robots.offline(seen(house, contacts=(came, broke)))
        self.assertIn("violation", found.sentence)

    def test_just_started(self) -> None:
        """After a start robots take a while; one that came and went does not count as that."""
        house = evolve(seen(self.with_robots(self.gone), started=NOW - 10))
        self.assertIs(robots.offline(house).sound, False)
        house = seen(house, robots=(evolve(self.gone, since=0),))
        self.assertIsNone(robots.offline(house).sound)


class FirmwareTests(RobotCase):
    """L{robots.firmware}."""

    def test_pins(self) -> None:
        """Software that is known to check certificates is told of while the robot is away."""
        robot = evolve(DUSTY, model=T10, firmware="1.7.5", online=False)
        verdict = robots.firmware(self.with_robots(robot))
        self.assertIs(verdict.sound, False)
        self.assertIn("Dusty", verdict.sentence)
        self.assertIs(robots.firmware(self.with_robots(evolve(robot, online=True))).sound, True)
        older = evolve(robot, firmware="1.7.2")
        self.assertIs(robots.firmware(self.with_robots(older)).sound, True)


class HomeAssistantTests(RobotCase):
    """L{robots.home_assistant}."""

    def test_strings(self) -> None:
        """What has to be typed there, for this box."""
        verdict = robots.home_assistant(self.house)
        self.assertIsNone(verdict.sound)
        self.assertIn(f"http://{BOX}:8007", verdict.sentence)
        self.assertIn(f"mqtts://{BOX}:8883", verdict.sentence)

    def test_one_port(self) -> None:
        """The port for everything is good for MQTT; HTTP has to be clear."""
        few = (LISTENERS[0], ListenerSeen("web", "tcp:80", False, 80))
        sentence = robots.home_assistant(seen(self.house, listeners=few)).sentence
        self.assertIn(f"http://{BOX}:80,", sentence)
        self.assertIn(f"mqtts://{BOX}:443,", sentence)
        lacking = robots.home_assistant(seen(self.house, listeners=few[:1]))
        self.assertIn("needs a listener", lacking.sentence)

    def test_six(self) -> None:
        """An IPv6 address stands in brackets."""
        sentence = robots.home_assistant(announcing("fd00::7", self.house)).sentence
        self.assertIn("http://[fd00::7]:8007", sentence)
