"""The page of one robot."""

from collections.abc import Mapping
from typing import Any

from attrs import define
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Flattenable, tags

from bumper_tw.errors import DeviceUnknown
from bumper_tw.values import Device, DeviceId
from bumper_tw.web.dashboard.frame import Visit, robot_path
from bumper_tw.web.dashboard.robot import RobotPage
from tests.web.browser import Page
from tests.web.dashboard.reading import (
    HOSTILE,
    Node,
    admitted,
    browser,
    card,
    faults,
    here,
    read,
)

PARTS: list[dict[str, Any]] = [
    {"type": "brush", "name": "Main brush", "percent": 71, "text": "71 %", "low": False},
    {"type": "heap", "name": "Filter", "percent": None, "text": "unknown", "low": False},
]


@define
class One:
    """There is one robot."""

    did: str

    def __call__(self, did: str) -> Device:
        if did != self.did:
            raise DeviceUnknown(f"no robot {did} is known here")
        return Device(DeviceId(did, "ls1ok3", "r"))


def panel(device: Device, visit: Visit) -> Flattenable:
    """Something that somebody else shows."""
    return tags.section(f"{device.id.did} {visit.csrf}", id="panel")


def late(device: Device, _: Visit) -> Flattenable:
    """Something that has to be looked up first."""
    return succeed(tags.section(device.id.did, id="late"))


class RobotPageTests(SynchronousTestCase):
    """What is seen."""

    def ask(self, path: str, **changed: Any) -> Page:
        """The answer, with a robot whose card is changed that way."""
        values: Mapping[str, Any] = card(**changed)
        page = RobotPage(
            admitted, here, One(values["did"]), lambda _: values, [panel], [late], ["robot.js"]
        )
        return browser(*page.routes()).get(path)

    def page(self, **changed: Any) -> Node:
        """The page as it is read; nothing is ever wrong with it."""
        path = robot_path(changed.get("did", "d1"))
        answer = self.ask(path, **changed)
        self.assertEqual(answer.status, 200, path)
        page = read(answer.body)
        self.assertEqual(faults(page), [])
        return page

    def test_status(self) -> None:
        """It is called like the robot, and says how that is."""
        page = self.page(blocked_text="2 updates were kept away.", job_text="24 m²")
        self.assertEqual(page.one("h1").text, "Dusty")
        self.assertEqual(page.one("title").text, "Dusty · bumper_tw")
        self.assertEqual(page.one(id="robot")["data-did"], "d1")
        status = page.one(id="status")
        self.assertEqual(status["data-state"], "cleaning")
        said = {node["data-field"]: node.text for node in status.all() if node.get("data-field")}
        self.assertEqual(said["blocked_text"], "2 updates were kept away.")
        self.assertEqual(said["job_text"], "24 m²")
        self.assertEqual(said["suction_text"], "Max")
        links = [link["href"] for link in page.one(id="main").all("a")]
        self.assertEqual(links, ["/", "/robots/d1/history"])

    def test_nothing_known(self) -> None:
        """What a robot has not told has no label."""
        page = self.page(suction_text="", water_text="")
        shown = [part["data-part"] for part in page.all("div") if self.is_shown(part)]
        self.assertEqual(shown, ["battery_text", "model", "firmware", "seen_at"])

    @staticmethod
    def is_shown(part: Node) -> bool:
        """Whether something depends on a value, and there is one."""
        return "data-part" in part.attributes and "hidden" not in part.attributes

    def test_panels(self) -> None:
        """What others show stands where it was put, even when it has to be looked up."""
        page = self.page()
        wide, narrow = page.all("div", class_="column")
        self.assertEqual(wide.one(id="panel").text, "d1 a-token")
        self.assertEqual(narrow.one(id="late").text, "d1")

    def test_scripts(self) -> None:
        """The scripts of the panels come after those of the page."""
        sources = [script["src"] for script in self.page().all("script")]
        self.assertEqual(sources, ["/page/live.js", "/page/status.js", "/page/robot.js"])

    def test_parts(self) -> None:
        """Parts that wear out are listed with what is left; without any, there is no list."""
        section = self.page(parts=PARTS).one(id="parts")
        lines = section.one("ul").all("li")
        self.assertEqual(
            [line.one("p").text for line in lines], ["Main brush71 %", "Filterunknown"]
        )
        meters = [line.one("meter") for line in lines]
        self.assertEqual([meter["value"] for meter in meters], ["71", "0"])
        self.assertEqual([meter["aria-label"] for meter in meters], ["Main brush", "Filter"])
        self.assertIn("hidden", self.page().one(id="parts").attributes)

    def test_unknown(self) -> None:
        """For a robot that nobody knows there is a page, too, that says so."""
        answer = self.ask("/robots/other")
        self.assertEqual(answer.status, 404)
        page = read(answer.body)
        self.assertEqual(faults(page), [])
        self.assertIn("No robot other is known here.", page.one("main").text)

    def test_hostile(self) -> None:
        """Whatever a robot is called, the page says it, and does nothing of it."""
        for text in HOSTILE:
            parts = [{**PARTS[0], "name": text, "text": text}]
            fields = dict.fromkeys(("name", "state_text", "network_text", "firmware"), text)
            page = self.page(**fields, parts=parts)
            self.assertIn(
                page.one("h1").text, {text, text.strip(), text.replace("\x00", "\ufffd")}
            )
            self.assertEqual(len(page.all("script")), 3)

    def test_hostile_ids(self) -> None:
        """Whatever id a robot has, its page is found, and what that links to belongs to it."""
        for did in (text for text in HOSTILE if "/" not in text and len(text) < 1000):
            page = self.page(did=did)
            self.assertEqual(page.one(id="robot")["data-did"], did)
            [link] = page.all("a", class_="button")
            self.assertEqual(link["href"], f"{robot_path(did)}/history")
