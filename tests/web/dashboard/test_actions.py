"""What an owner has robots do, over the API, at simulated robots of all generations."""

from typing import Any

from bumper_tw.simulator.identity import Kind
from bumper_tw.simulator.state import Activity
from tests.web.dashboard.robots_case import RobotsCase


class DeedCase(RobotsCase):
    """What every robot does."""

    def make(self) -> Any:
        """A robot."""
        return self.mqtt_robot()

    def setUp(self) -> None:
        super().setUp()
        self.robot = self.make()
        self.state = self.robot.state

    def done(self, action: str, **arguments: Any) -> None:
        """The robot says yes to something."""
        page = self.act(action, **arguments)
        self.assertEqual((page.status, page.json["ok"]), (200, True), page.body)


class JsonOldTests(DeedCase):
    """A robot behind MQTT that speaks JSON, of the older generation."""

    def test_job(self) -> None:
        """It cleans, waits, goes on, and stops."""
        self.done("clean")
        self.assertIs(self.state.activity, Activity.CLEANING)
        self.done("pause")
        self.assertIs(self.state.activity, Activity.PAUSED)
        self.done("resume")
        self.assertIs(self.state.activity, Activity.CLEANING)
        self.done("stop")
        self.assertIs(self.state.activity, Activity.IDLE)

    def test_home(self) -> None:
        """It goes home; once it is there, that is no error."""
        self.done("dock")
        self.done("clean")
        self.run_for(5)
        self.done("dock")
        self.assertIs(self.state.activity, Activity.RETURNING)

    def test_rooms(self) -> None:
        """It cleans the rooms that were chosen."""
        self.done("rooms", rooms=["3", 5], count=2)
        job = self.state.job
        self.assertEqual((job.kind.lower(), job.content), ("spotarea", "3,5"))

    def test_zone(self) -> None:
        """It cleans a rectangle."""
        self.done("zone", zones=[[-400, 1200, 900, -300]])
        self.assertEqual(self.state.job.content, "-400,1200,900,-300")

    def test_spot(self) -> None:
        """It cleans where it stands."""
        self.done("spot")
        self.assertEqual(self.state.job.kind.lower(), "spot")

    def test_sound(self) -> None:
        """It says where it is."""
        self.done("locate")

    def test_suction(self) -> None:
        """It is set stronger, and that is what it is set to."""
        self.done("suction", level=1)
        self.assertEqual(self.state.speed, 1)
        self.assertEqual(self.offered("suction")["arguments"][0]["value"], 1)

    def test_water(self) -> None:
        """Once it has told of water it is set wetter."""
        self.assertEqual(self.act("water", level=3).status, 400)
        self.done("refresh")
        self.done("water", level=3)
        self.assertEqual(self.state.water, 3)

    def offered(self, name: str) -> Any:
        """An action as it is offered."""
        answer = self.ask("GET", self.path("/actions")).json
        return next((each for each in answer["actions"] if each["name"] == name), None)

    def test_refresh(self) -> None:
        """It is asked for all that a card shows."""
        page = self.act("refresh")
        self.assertGreater(page.json["reply"]["answered"], 5)
        kinds = {report.kind for report in self.facts.telemetry.latest(self.did)}
        self.assertLessEqual({"battery", "charge", "clean", "fan_speed", "life_span"}, kinds)


class JsonTests(JsonOldTests):
    """What only robots do that speak JSON themselves."""

    def test_volume(self) -> None:
        """It speaks up, as loud as it can."""
        self.done("refresh")
        self.assertEqual(self.offered("volume")["arguments"][0]["most"], 10)
        self.done("volume", level=9)
        self.assertEqual(self.state.volume, 9)

    def test_stronger(self) -> None:
        """It has four levels."""
        self.done("suction", level=1000)
        self.assertEqual(self.state.speed, 1000)


class JsonNewTests(JsonTests):
    """One of the newer generation, which knows jobs by another name."""

    def make(self) -> Any:
        return self.new_robot()


class StationTests(DeedCase):
    """A robot with a station."""

    def make(self) -> Any:
        return self.new_robot(station=True)

    def test_empty(self) -> None:
        """It empties the bin once it has told of a station."""
        self.assertEqual(self.act("empty").status, 400)
        self.robot.report("onStationState")
        self.run_for(1)
        self.done("empty")


class XmlTests(JsonOldTests):
    """A robot behind MQTT that speaks XML."""

    def make(self) -> Any:
        return self.mqtt_robot(Kind.XML)


class XmppTests(DeedCase):
    """A robot of the first generation."""

    def make(self) -> Any:
        return self.xmpp_robot()

    def test_job(self) -> None:
        """It cleans and stops."""
        self.done("clean")
        self.assertIs(self.state.activity, Activity.CLEANING)
        self.done("stop")
        self.assertIs(self.state.activity, Activity.IDLE)

    def test_home(self) -> None:
        """It goes home."""
        self.done("clean")
        self.run_for(5)
        self.done("dock")
        self.assertIs(self.state.activity, Activity.RETURNING)

    def test_sound(self) -> None:
        """It says where it is."""
        self.done("locate")

    def test_refresh(self) -> None:
        """It is asked for what it knows."""
        self.done("refresh")
        kinds = {report.kind for report in self.facts.telemetry.latest(self.did)}
        self.assertLessEqual({"battery", "charge", "clean"}, kinds)

    def test_places(self) -> None:
        """It has no map, so there are no rooms."""
        page = self.act("rooms", rooms=["3"])
        self.assertEqual(page.status, 400)
