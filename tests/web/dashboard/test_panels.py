"""The panels of a robot's page, as they go to the browser."""

import re
from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.template import Element, flattenString

from bumper_tw.core.command_log import Entry
from bumper_tw.core.updates import Attempt
from bumper_tw.dialect.action_arguments import Traits
from bumper_tw.dialect.actions import possible
from bumper_tw.readings import Battery, MapData, Notice, Report
from bumper_tw.values import Company, Device, DeviceId, PayloadKind
from bumper_tw.web.dashboard.action_panel import ActionPanel
from bumper_tw.web.dashboard.actions import action_values
from bumper_tw.web.dashboard.panels import (
    CommandPanel,
    FirmwarePanel,
    NamePanel,
    TelemetryPanel,
)

HOSTILE = "<script>alert(1)</script>\"'&\u202e\0" + "x" * 10_000
DEVICE = Device(DeviceId("d1", "yna5xi", "x"), nick="Dusty", name="E0001", firmware="1.8.2")
BAD = Device(DeviceId(f"{HOSTILE[:40]}", HOSTILE, HOSTILE), HOSTILE, nick=HOSTILE)
ENTRY = Entry(7, "d1", "clean_V2", 1000.0, 0.25, "answered", "answered", "page", 60)
EVERYTHING = Traits(
    category="DEEBOT",
    seen=frozenset({"water", "volume"}),
    suction="1",
    water=2,
    volume=4,
    rooms={"3": "Kitchen", "5": ""},
    station=True,
)


def offered(traits: Traits = EVERYTHING, online: bool = True, did: str = "d1") -> dict[str, Any]:
    """What the API says that a robot can do."""
    actions = [action_values(each, traits) for each in possible(traits)]
    return {"did": did, "online": online, "why": "", "actions": actions}


class PanelCase(SynchronousTestCase):
    """How panels are written."""

    def written(self, panel: Element) -> str:
        """A panel as HTML; never with what no page of ours has, or what somebody brought."""
        text = self.successResultOf(flattenString(None, panel)).decode()
        for never in ("<script", "style=", "onclick", "{{"):
            self.assertNotIn(never, text)
        return text


class ActionPanelTests(PanelCase):
    """L{ActionPanel}."""

    def forms(self, text: str) -> list[str]:
        """The actions in it."""
        return re.findall(r'data-action="(\w+)"', text)

    def hidden(self, text: str) -> list[str]:
        """Those that wait for something."""
        tags = re.findall(r"<form[^>]*>", text)
        return [name for tag in tags if " hidden=" in tag for name in self.forms(tag)]

    def test_everything(self) -> None:
        """Every action has a form, with its fields, its button and its other spellings."""
        text = self.written(ActionPanel(offered()))
        actions = [each["name"] for each in offered()["actions"]]
        self.assertEqual(self.forms(text), actions)
        self.assertEqual(text.count('type="submit"'), len(actions))
        self.assertEqual(text.count('class="ways"'), len(actions))
        self.assertIn('<option value="1" selected="selected">Strong</option>', text)
        self.assertIn("Room 5", text)
        self.assertNotIn("disabled", text)

    def test_labels(self) -> None:
        """Every field has a label, and every id is there once."""
        text = self.written(ActionPanel(offered()))
        ids = re.findall(r' id="([^"]+)"', text)
        self.assertEqual(len(ids), len(set(ids)))
        fields = re.findall(r"<(?:input|select)[^>]*>", text)
        for each in fields:
            found = re.search(r' id="([^"]+)"', each)
            assert found is not None, each
            self.assertIn(f'for="{found[1]}"', text)

    def test_offline(self) -> None:
        """Of a robot that is away all is seen, nothing can be pressed, and it says why."""
        text = self.written(ActionPanel(offered(online=False)))
        self.assertEqual(text.count('disabled="disabled"'), text.count('type="submit"'))
        self.assertIn("It is not connected", text)
        self.assertNotIn('id="away" hidden', text)

    def test_unknown_map(self) -> None:
        """Without a map there are no rooms to choose as yet; simple robots never have any."""
        text = self.written(ActionPanel(offered(evolve(EVERYTHING, rooms=None))))
        self.assertEqual(self.hidden(text), ["rooms"])
        self.assertIn('<div class="choices"></div>', text)
        self.assertEqual(self.hidden(self.written(ActionPanel(offered()))), [])
        oldest = evolve(EVERYTHING, model="126", company=Company.XMPP, kind=PayloadKind.XML)
        text = self.written(ActionPanel(offered(oldest)))
        self.assertFalse({"rooms", "pause", "resume"} & set(self.forms(text)))

    def test_no_scripts(self) -> None:
        """Where no script runs there is a list of what the robot can do, and nothing else."""
        text = self.written(ActionPanel(offered()))
        [names] = re.findall(r"<noscript>(.*?)</noscript>", text, re.DOTALL)
        labels = [each["label"] for each in offered()["actions"]]
        self.assertEqual(re.findall(r"<li>(.*?)</li>", names), labels)
        self.assertIn('<div class="actions scripted">', text)

    def test_kinds(self) -> None:
        """What robots are decides what is offered."""
        mower = offered(Traits(category="GOATBOT"))
        self.assertEqual(mower["actions"][0]["label"], "Mow")
        self.assertNotIn("suction", self.forms(self.written(ActionPanel(mower))))
        xml = offered(evolve(EVERYTHING, kind=PayloadKind.XML, suction="strong"))
        text = self.written(ActionPanel(xml))
        self.assertIn('<option value="1" selected="selected">Strong</option>', text)
        self.assertNotIn("Strongest", text)
        self.assertNotIn("volume", self.forms(text))
        monitor = offered(Traits(category="Air-Quality-Monitor"))
        self.assertEqual(self.forms(self.written(ActionPanel(monitor))), ["refresh"])

    def test_hostile(self) -> None:
        """Names of rooms and robots are text."""
        traits = evolve(EVERYTHING, rooms={"3": HOSTILE, HOSTILE: "a room"})
        text = self.written(ActionPanel(offered(traits, did=HOSTILE)))
        self.assertIn("&lt;script&gt;alert(1)", text)
        self.assertNotIn("a room", text)


class CommandPanelTests(PanelCase):
    """L{CommandPanel}."""

    def test_rows(self) -> None:
        """Each command in a row; trouble is marked."""
        late = evolve(ENTRY, number=8, outcome="timeout", words="no answer in 10 s")
        text = self.written(CommandPanel(DEVICE, [late, ENTRY]))
        self.assertEqual(re.findall(r'data-number="(\d+)"', text), ["8", "7"])
        self.assertIn('<span class="badge bad">no answer in 10 s</span>', text)
        self.assertIn("0.25", text)
        self.assertRegex(text, r'id="no-commands" hidden="hidden"|hidden="hidden"[^>]*no-commands')

    def test_none(self) -> None:
        """Without any it says so."""
        self.assertNotIn("hidden", self.written(CommandPanel(DEVICE, [])))

    def test_hostile(self) -> None:
        """What robots and clients say is text, and short."""
        entry = evolve(ENTRY, name=HOSTILE, words=HOSTILE, by=HOSTILE, outcome="refused")
        text = self.written(CommandPanel(BAD, [entry]))
        self.assertLess(len(text), 4000)
        self.assertNotIn("\u202e", text.partition("<h2")[2])


class TelemetryPanelTests(PanelCase):
    """L{TelemetryPanel}."""

    def test_reports(self) -> None:
        """Kind, age and values, as they are."""
        text = self.written(TelemetryPanel(DEVICE, [Report("d1", Battery(87), 990.0)], 1000.0))
        self.assertIn("battery", text)
        self.assertIn("10 s ago", text)
        self.assertIn('{"percent": 87, "low": false}', text.replace("&quot;", '"'))
        self.assertIn('href="/api/robots/d1/status"', text)

    def test_none(self) -> None:
        """A robot that never spoke."""
        text = self.written(TelemetryPanel(DEVICE, [], 1000.0))
        self.assertIn("It has not told anything yet.", text)

    def test_hostile(self) -> None:
        """Long values are cut, and markup in them is text."""
        reports = [
            Report("d1", Notice(HOSTILE, {"a": HOSTILE}), 1.0),
            Report("d1", MapData("onMinorMap", "A" * 100_000), 1.0),
        ]
        text = self.written(TelemetryPanel(BAD, reports, 0.0))
        self.assertIn("characters)", text)
        self.assertLess(len(text), 12_000)
        self.assertNotIn("\0", text.partition("<h2")[2])


class FirmwarePanelTests(PanelCase):
    """L{FirmwarePanel}."""

    def attempt(self, **values: Any) -> Attempt:
        """A robot has asked."""
        told: dict[str, Any] = {
            "kind": "firmware",
            "module": "fw0",
            "version": "1.8.2",
            "count": 3,
            "last": 100.0,
        }
        return Attempt(did="d1", **(told | values))

    def test_refused(self) -> None:
        """What it has, and how often it asked."""
        text = self.written(FirmwarePanel(DEVICE, [self.attempt()], allowed=False))
        self.assertIn("<dd>1.8.2</dd>", text)
        self.assertIn("Refused 3 times.", text)
        self.assertIn("firmware fw0", text)

    def test_allowed(self) -> None:
        """One of the two buttons is there."""
        for allowed, gone in ((False, "firmware-refuse"), (True, "firmware-allow")):
            text = self.written(FirmwarePanel(DEVICE, [], allowed))
            [hidden] = re.findall(r'<button [^>]*hidden="hidden"[^>]*>', text)
            self.assertIn(gone, hidden)
            self.assertNotIn("When it asked", text)

    def test_hostile(self) -> None:
        """Versions are text."""
        attempt = self.attempt(module=HOSTILE, version=HOSTILE, last=1e300)
        text = self.written(FirmwarePanel(evolve(BAD, firmware=HOSTILE), [attempt], False))
        self.assertLess(len(text), 6000)


class NamePanelTests(PanelCase):
    """L{NamePanel}."""

    def test_names(self) -> None:
        """What it is called, and by what it is known."""
        text = self.written(NamePanel(DEVICE, "Dusty"))
        self.assertIn('value="Dusty"', text)
        self.assertIn('data-name="Dusty"', text)
        for each in ("d1", "E0001", "yna5xi"):
            self.assertIn(f">{each}</dd>", text)

    def test_hostile(self) -> None:
        """Names are text, in attributes as well."""
        text = self.written(NamePanel(BAD, "Dusty"))
        self.assertLess(len(text), 5000)
        self.assertNotIn('"alert', text)


class ClockTests(SynchronousTestCase):
    """What panels depend on besides."""

    def test_clock(self) -> None:
        """A report from the future is not older than now."""
        panel = TelemetryPanel(DEVICE, [Report("d1", Battery(1), 2000.0)], Clock().seconds())
        text = self.successResultOf(flattenString(None, panel)).decode()
        self.assertIn("0 s ago", text)
