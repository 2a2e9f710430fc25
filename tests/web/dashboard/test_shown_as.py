"""Actions written for other programs: they do the same, and nothing else whatever names are."""

import json
import re
import shlex
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bumper_tw.dialect import plain
from bumper_tw.dialect.topics import RequestTopic
from bumper_tw.simulator.identity import Kind
from bumper_tw.simulator.state import Activity
from bumper_tw.values import Device, DeviceId, PayloadKind
from bumper_tw.web.dashboard.quoting import inert, yaml_text
from bumper_tw.web.dashboard.robot_traits import name_of
from bumper_tw.web.dashboard.shown_as import Place, Way, Wish, shown_as
from tests.web.dashboard.robots_case import RobotsCase

#: What nobody calls a robot, but somebody might.
HOSTILE = (
    "Dusty'; reboot #\"$(reboot)\" `x` {{ states('x') }} {% raw %} \\ \u202e\n- action: x <b>"
)


def scalar(text: str) -> str:
    """What a text between double quotes says in YAML (1.2, 5.7)."""
    found = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text)
    assert found is not None, text
    return re.sub(r"\\(U[0-9A-F]{8}|u[0-9A-F]{4}|.)", unescaped, found[1])


def unescaped(found: re.Match[str]) -> str:
    """One escape."""
    return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1]


def value_of(text: str, key: str) -> str:
    """The first scalar of that key in lines of YAML."""
    line = next(line for line in text.split("\n") if line.strip().startswith(f"{key}: "))
    return scalar(line.partition(": ")[2])


class WayCase(RobotsCase):
    """How actions are shown."""

    def written(self, action: str, **arguments: Any) -> dict[str, dict[str, str]]:
        """All ways, by their names."""
        query = f"?arguments={quote(json.dumps(arguments))}" if arguments else ""
        page = self.ask("GET", self.path(f"/actions/{action}/as{query}"))
        self.assertEqual(page.status, 200, page.body)
        return {way["name"]: way for way in page.json["ways"]}

    def run_line(self, text: str) -> Any:
        """What a shell would have curl send."""
        # What follows a backslash at the end of a line belongs to it, for a shell.
        words = shlex.split(text.replace("\\\n", " "))
        self.assertEqual(words[:3], ["curl", "-X", "POST"])
        *_, flag, body, url = words
        self.assertEqual(flag, "-d")
        return self.ask("POST", urlsplit(url).path, json.loads(body))


class JsonTests(WayCase):
    """For a robot that speaks JSON."""

    def setUp(self) -> None:
        super().setUp()
        self.robot = self.new_robot()

    def test_curl(self) -> None:
        """The line does what the button does."""
        line = self.written("rooms", rooms=["3", "5"], count=2)["curl"]["text"]
        self.assertIn('"Authorization: Bearer $TOKEN"', line)
        self.assertTrue(self.run_line(line).json["ok"])
        self.run_for(3)
        job = self.robot.state.job
        self.assertEqual(job and job.content, "3,5")

    def test_short(self) -> None:
        """The message under a short topic is one that the broker understands."""
        text = self.written("suction", level=2)["mqtt"]["text"]
        found = re.fullmatch(r"Topic: (\S+)\nPayload: (.*)", text)
        assert found is not None
        said = plain.decode(found[1], found[2].encode())
        self.assertEqual((said.did, said.name), (self.did, "setSpeed"))
        self.assertEqual(json.loads(said.body)["body"], {"data": {"speed": 2}})

    def test_long(self) -> None:
        """What the robot hears is what it would be sent."""
        self.act("clean")
        text = self.written("pause")["mqtt_long"]["text"]
        found = re.fullmatch(r"Topic: (\S+)\nPayload: (.*)", text)
        assert found is not None
        topic = RequestTopic.parse(found[1])
        self.assertEqual((topic.name, topic.kind), ("clean_V2", PayloadKind.JSON))
        self.assertEqual(topic.device.did, self.did)
        data = json.loads(found[2])["body"]["data"]
        self.assertEqual(data, {"act": "pause", "content": {"type": ""}})

    def test_home_assistant(self) -> None:
        """As a command over HTTP, as a vacuum, and as a message."""
        ways = self.written("zone", zones=[[0, 0, 500, -500]])
        text = ways["home_assistant"]["text"]
        body = json.loads(value_of(text, "payload"))
        self.assertEqual(body, {"arguments": {"zones": [[0, 0, 500, -500]], "count": 1}})
        self.assertEqual(urlsplit(value_of(text, "url")).path, self.path("/actions/zone"))
        vacuum = ways["home_assistant_vacuum"]["text"]
        self.assertEqual(value_of(vacuum, "coordinates"), "0,0,500,-500")
        message = ways["home_assistant_mqtt"]["text"]
        said = plain.decode(value_of(message, "topic"), value_of(message, "payload").encode())
        self.assertEqual(said.name, "clean_V2")

    def test_vacuum(self) -> None:
        """What the entity of a vacuum can do by itself."""
        expected = {
            "clean": "vacuum.start",
            "pause": "vacuum.pause",
            "stop": "vacuum.stop",
            "dock": "vacuum.return_to_base",
            "locate": "vacuum.locate",
        }
        for action, service in expected.items():
            text = self.written(action)["home_assistant_vacuum"]["text"]
            self.assertTrue(text.startswith(f"- action: {service}\n"), text)
        self.assertNotIn("home_assistant_vacuum", self.written("spot"))
        strong = self.written("suction", level=2)["home_assistant_vacuum"]["text"]
        self.assertEqual(value_of(strong, "fan_speed"), "max_plus")

    def test_refused(self) -> None:
        """What could not be done is not shown, either."""
        for query in (
            "?arguments=%7B",
            "?arguments=%5B%5D",
            "?arguments=%7B%22rooms%22%3A%5B%5D%7D",
        ):
            page = self.ask("GET", self.path(f"/actions/rooms/as{query}"))
            self.assertEqual((page.status, page.json["reason"]), (400, "bad_request"))

    def test_everything(self) -> None:
        """Each action that is offered can be shown."""
        self.act("refresh")
        arguments: dict[str, dict[str, Any]] = {
            "rooms": {"rooms": ["7"]},
            "zone": {"zones": [[1, 2, 3, 4]]},
        }
        for action in self.ask("GET", self.path("/actions")).json["actions"]:
            level = {"level": 1} if any(a["name"] == "level" for a in action["arguments"]) else {}
            ways = self.written(action["name"], **arguments.get(action["name"], level))
            self.assertLessEqual({"curl", "mqtt", "mqtt_long", "home_assistant"}, set(ways))


class XmlTests(WayCase):
    """For a robot that speaks XML."""

    def test_long(self) -> None:
        """It hears XML, by its own name for that."""
        self.mqtt_robot(Kind.XML)
        text = self.written("rooms", rooms=["3"], count=2)["mqtt_long"]["text"]
        found = re.fullmatch(r"Topic: (\S+)\nPayload: (.*)", text)
        assert found is not None
        topic = RequestTopic.parse(found[1])
        self.assertEqual((topic.name, topic.kind), ("Clean", PayloadKind.XML))
        self.assertIn("mid='3'", found[2].replace('"', "'"))

    def test_xmpp(self) -> None:
        """Behind XMPP it hears nothing over MQTT, but can be told so."""
        robot = self.xmpp_robot()
        ways = self.written("clean")
        self.assertNotIn("mqtt_long", ways)
        self.assertTrue(self.run_line(ways["curl"]["text"]).json["ok"])
        self.run_for(3)
        self.assertIs(robot.state.activity, Activity.CLEANING)


class HostileTests(WayCase):
    """Names that would like to be something else."""

    def shown(self, device: Device) -> dict[str, Way]:
        """One action of a robot."""
        wish = Wish(device, name_of(device), "locate", 'Find "it"', {}, ())
        return {way.name: way for way in shown_as(Place("http://box.lan:8007", 1.0), wish)}

    def test_nick(self) -> None:
        """A name stays a name: in the shell it is not there, in YAML it is quoted."""
        device = Device(DeviceId("d1", "yna5xi", "x"), nick=HOSTILE)
        ways = self.shown(device)
        self.assertNotIn("reboot", ways["curl"].text)
        text = ways["home_assistant"].text
        self.assertNotIn("\u202e", text)
        self.assertTrue(value_of(text, "alias").startswith("Dusty'; reboot"))
        self.assertEqual(len([line for line in text.split("\n") if "- action:" in line]), 2)

    def test_did(self) -> None:
        """An id stands quoted in the path, and in no topic where it cannot."""
        did = "a'b\"c/../{{x}}#?\0é"
        device = Device(DeviceId(did, "yna5xi", "x"))
        ways = self.shown(device)
        self.assertEqual(set(ways), {"curl", "home_assistant", "home_assistant_vacuum"})
        url = shlex.split(ways["curl"].text)[-1]
        self.assertEqual(unquote(urlsplit(url).path.split("/")[3]), did)
        self.assertNotIn("{", value_of(ways["home_assistant"].text, "url"))

    def test_room(self) -> None:
        """A room whose id is more than an id cannot be chosen."""
        self.new_robot()
        self.rooms = {"3,5": "two", "$(x)": "shell", "4": HOSTILE}
        offered = self.ask("GET", self.path("/actions")).json["actions"]
        [rooms] = [each for each in offered if each["name"] == "rooms"]
        self.assertEqual([each["value"] for each in rooms["arguments"][0]["choices"]], ["4"])
        self.assertEqual(self.act("rooms", rooms=["$(x)"]).status, 400)

    def test_far(self) -> None:
        """A robot whose address no topic can carry has no long form."""
        device = Device(DeviceId("d1", "a/b", "x"))
        order = evolve(Wish(device, name_of(device), "locate", "x", {}, ()), orders=())
        ways = shown_as(Place("http://box", 1.0), order)
        self.assertNotIn("mqtt_long", [way.name for way in ways])


class QuotingTests(WayCase):
    """The two ways of quoting that are ours."""

    @given(st.text())
    def test_yaml(self, text: str) -> None:
        """Any text comes back, stands in one line, and does not turn that around."""
        quoted = yaml_text(text)
        self.assertTrue(quoted.isprintable())
        self.assertEqual(scalar(quoted), text)

    @given(st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner)))
    def test_template(self, value: object) -> None:
        """Any JSON comes back, and nothing in it begins a template."""
        text = inert(value)
        self.assertEqual(json.loads(text), value)
        self.assertIsNone(re.search(r"\{\{|\{%|\{#", text))
