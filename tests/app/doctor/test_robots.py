"""Tests for L{bumper_tw.app.doctor.robots}."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor import robots
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import moment, named
from bumper_tw.app.doctor.snapshot import ListenerSeen, RobotSeen
from tests.app.doctor.cases import (
    BOX,
    DUSTY,
    LISTENERS,
    NOW,
    PHONE,
    ROBOT,
    announcing,
    contact,
    seen,
    well,
)

#: Where everything comes from that goes through Docker.
INSIDE = "172.17.0.1"

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
        until = moment(DUSTY.since, NOW)
        self.assertIn(f"is not connected; it was here until {until}", verdict.sentence)

    def test_until_when(self) -> None:
        """Of one that was away before the start it is known when it was heard, if at all."""
        for robot, words in (
            (evolve(self.gone, since=0), f"was heard last at {moment(DUSTY.heard, NOW)}"),
            (evolve(self.gone, since=0, heard=0), "has not come since the server was started"),
        ):
            self.assertIn(words, robots.offline(self.with_robots(robot)).sentence)

    def test_several(self) -> None:
        """Each has a reason of its own; those without one are told together."""
        them = [evolve(self.gone, did=f"E{number}", name="") for number in range(1, 5)]
        came = (
            contact(1, "ok", robot="E1"),
            contact(2, "robot-pins"),
            contact(3, "refused", PHONE, claim="client id E2@yna5xi/x, user E2"),
        )
        verdict = robots.offline(seen(self.with_robots(*them), contacts=came))
        first, second, others = named("offline", verdict)
        self.assertIn(f"E1 is not connected: {ROBOT}: robot-pins", first.sentence)
        self.assertEqual((first.remedy, first.hosts), ("mend robot-pins", (ROBOT,)))
        self.assertIn("E2 is not connected", second.sentence)
        self.assertEqual(second.remedy, "mend refused")
        self.assertIn("2 robots are not connected: E3 was here until", others.sentence)
        self.assertIn("E4", others.sentence)

    def test_neighbours(self) -> None:
        """What befell another one behind the same address is no reason."""
        came = (
            contact(1, "ok", INSIDE, robot=DUSTY.did),
            contact(2, "robot-pins", INSIDE),
        )
        verdict = robots.offline(seen(self.with_robots(self.gone), contacts=came))
        self.assertNotIn("robot-pins", verdict.sentence)

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
        ends = {line.split()[-1] for line in verdict.lines}
        self.assertLessEqual({f"http://{BOX}:8007", f"mqtts://{BOX}:8883"}, ends)

    def test_one_port(self) -> None:
        """The port for everything is good for MQTT; HTTP has to be clear."""
        few = (LISTENERS[0], ListenerSeen("web", "tcp:80", False, 80))
        lines = robots.home_assistant(seen(self.house, listeners=few)).lines
        ends = {line.split()[-1] for line in lines}
        self.assertLessEqual({f"http://{BOX}:80", f"mqtts://{BOX}:443"}, ends)
        lacking = robots.home_assistant(seen(self.house, listeners=few[:1]))
        self.assertIn("needs a listener", lacking.sentence)

    def test_six(self) -> None:
        """An IPv6 address stands in brackets."""
        lines = robots.home_assistant(announcing("fd00::7", self.house)).lines
        self.assertIn("http://[fd00::7]:8007", "\n".join(lines))
