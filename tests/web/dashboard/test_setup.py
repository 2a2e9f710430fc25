"""Tests for L{bumper_tw.web.dashboard.setup}: the page of the set-up, and what is behind it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.feed import Feed
from bumper_tw.core.setup import DNS, ROBOT, STEPS, TRUST, SetUp
from bumper_tw.errors import Forbidden
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.assets import PAGE
from bumper_tw.web.dashboard.frame import Visit
from bumper_tw.web.dashboard.setup import SCRIPT, SKIP, TAKE_UP, SetUpRoutes, Snippet
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page
from tests.web.trust_case import Outline

NOW = 1_795_000_000.0
HOSTILE = '<script>alert("x")</script><b>'


@define
class SomeBox:
    """A box as it may be."""

    dns: bool = False
    told: str = ""
    given: bool = True
    typed: list[tuple[str, str]] = field(
        factory=lambda: [("mode", "self-hosted"), ("REST URL", "http://192.168.7.2:8007")]
    )

    def addresses(self) -> Sequence[str]:
        return ["192.168.7.2"]

    def names(self) -> Sequence[str]:
        return ["box.lan", HOSTILE]

    def announced(self, local: str) -> str:
        return self.told or local

    def trust_page(self, local: str) -> str:
        return f"http://{local}/ca"

    def answers_dns(self) -> bool:
        return self.dns

    def snippets(self, local: str) -> Sequence[Snippet]:
        text = f'local-data: "ecouser.net A {local}"'
        return [Snippet("unbound", "Unbound", text)] if self.given else []

    def home_assistant(self, local: str) -> Sequence[tuple[str, str]]:
        return self.typed


class SetUpCase(SynchronousTestCase):
    """A site with the set-up alone."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.feed, self.box, self.is_in = Feed("run"), SomeBox(), True
        self.setup = SetUp(self.clock, MemoryRecordStore(), self.feed)
        routes = SetUpRoutes(
            self.setup,
            self.box,
            self.house,
            self.admit,
            lambda _: True,
            lambda at: datetime.fromtimestamp(at, UTC),
        )
        self.browser = Browser(build_site(routes.routes(), self.clock))

    def house(self, _: Call) -> None:
        """Whoever asks."""
        if not self.is_in:
            raise Forbidden("this is about the whole house")

    def admit(self, call: Call) -> Visit:
        """Whoever visits."""
        self.house(call)
        return Visit("a-token", self.feed.position, call.path)

    def page(self) -> Page:
        """The page."""
        page = self.browser.get("/setup")
        self.assertEqual(page.status, 200)
        return page

    def states(self) -> dict[str, str]:
        """How the page shows each step."""
        sections = Outline(self.page().body).all("section")
        return {each["data-step"]: each["data-state"] for each in sections}

    def pass_over(self, step: str, value: Any) -> Page:
        """Pass over a step, or something like it."""
        return self.browser.post(f"/api/setup/{step}/skip", value)


class PageTests(SetUpCase):
    """What people see."""

    def test_fresh(self) -> None:
        """All steps are there, and none is green."""
        self.assertEqual(self.states(), dict.fromkeys(STEPS, "waiting"))
        self.assertIn(b"0 of 5 steps", self.page().body)

    def test_looking(self) -> None:
        """Looking at it changes nothing."""
        for _ in range(3):
            self.page()
        self.assertEqual(self.states(), dict.fromkeys(STEPS, "waiting"))
        self.assertEqual(self.feed.position, "run-0")

    def test_done(self) -> None:
        """A step that was seen to work is green, with the time and who showed it."""
        self.setup.observed(ROBOT, "did1", "the robot Dusty", "192.168.7.40")
        page = self.page()
        self.assertEqual(self.states()[ROBOT], "done")
        for words in ("1 of 5", "Shown by the robot Dusty, at 192.168.7.40", "18 Nov 2026"):
            self.assertIn(words.encode(), page.body)
        times = [each for each in Outline(page.body).all("time") if each["datetime"]]
        self.assertEqual(times[0]["datetime"], datetime.fromtimestamp(NOW, UTC).isoformat())

    def test_skipped(self) -> None:
        """One that is passed over is shown as such, and can be taken up again."""
        self.successResultOf(self.setup.skip(TRUST, True))
        page = self.page()
        self.assertEqual(self.states()[TRUST], "skipped")
        self.assertIn(b"0 of 5", page.body)
        self.assertEqual(page.body.count(TAKE_UP.encode()), 1)
        buttons = [each for each in Outline(page.body).all("button") if "data-skip" in each]
        self.assertEqual({each["data-skip"] for each in buttons}, set(STEPS))

    def test_arrivals(self) -> None:
        """Who has come is there without scripts, with what to do."""
        arrival = {
            "at": NOW,
            "host": "192.168.7.40",
            "who": "a robot",
            "sentence": f"A robot called {HOSTILE} came.",
            "remedy": "switch it off and on",
            "sound": False,
        }
        self.setup.arrived([arrival])
        body = self.page().body.decode()
        self.assertIn("What to do: switch it off and on", body)
        self.assertIn("A robot called &lt;script&gt;", body)

    def test_dns(self) -> None:
        """What to tell others is there, unless this box answers by itself."""
        self.assertIn(b'local-data: "ecouser.net A 192.168.7.2"', self.page().body)
        self.box.dns = True
        page = self.page()
        self.assertNotIn(b"local-data", page.body)
        self.assertIn(b"answers such questions itself", page.body)

    def test_home_assistant(self) -> None:
        """What to type there can be copied; where nothing listens, that is said."""
        self.assertIn(b"http://192.168.7.2:8007", self.page().body)
        self.box.typed = []
        body = self.page().body
        self.assertIn(b"let Home Assistant reach this box", body)
        self.assertNotIn(b"and type:", body)

    def test_copied(self) -> None:
        """Every button that copies has something to copy, and is hidden without scripts."""
        outline = Outline(self.page().body)
        ids = {each["id"] for each in outline.all() if "id" in each}
        buttons = [each for each in outline.all("button") if "data-copy" in each]
        self.assertEqual(len(buttons), 2)
        for each in buttons:
            self.assertIn(each["data-copy"], ids)
            self.assertIn("hidden", each)

    def test_alone(self) -> None:
        """An address that only this box itself reaches is given to nobody as a DNS server."""
        self.box.told = "127.0.0.1"
        for self.box.dns in (True, False):
            body = self.page().body.decode()
            self.assertEqual(body.count("127.0.0.1"), 1)
            self.assertIn("Nobody but this box itself gets there.", body)
            self.assertIn("first have robots told an address", body)
        self.box.told = ""
        self.assertNotIn(b"Nobody but this box", self.page().body)

    def test_no_snippets(self) -> None:
        """Where there is no text to give to a program, nobody is asked to."""
        self.box.given = False
        body = self.page().body
        self.assertNotIn(b"give it this text", body)
        self.assertIn(b"first have robots told an address", body)

    def test_hostile(self) -> None:
        """What others say stays text."""
        self.setup.observed(DNS, 1, f"the app {HOSTILE}", HOSTILE)
        outline = Outline(self.page().body)
        scripts = [each["src"] for each in outline.all("script")]
        self.assertEqual(scripts, ["/page/live.js", "/page/setup.js"])
        self.assertEqual(outline.all("b"), [])

    def test_script(self) -> None:
        """The script finds on the page what it looks for."""
        body = self.page().body.decode()
        for step in STEPS:
            self.assertIn(f'id="step-{step}"', body)
        for name in ("progress", "arrivals"):
            self.assertEqual(body.count(f'id="{name}"'), 1)


class ApiTests(SetUpCase):
    """What programs get."""

    def test_show(self) -> None:
        """How far everything is, as pages hear it, and what this box is called."""
        self.setup.observed(DNS, 1, "the robot Dusty")
        found = self.browser.get("/api/setup").json
        self.assertEqual({**found, **json.loads(json.dumps(self.setup.entry()))}, found)
        self.assertEqual(found["trust_page"], "http://192.168.7.2/ca")
        self.assertEqual(found["home_assistant"][0], {"name": "mode", "value": "self-hosted"})

    def test_dns(self) -> None:
        """What to tell others."""
        [system] = self.browser.get("/api/setup/dns").json["systems"]
        self.assertEqual((system["system"], system["title"]), ("unbound", "Unbound"))

    def test_skip(self) -> None:
        """Who passes over a step is told how everything is now, and so are all pages."""
        answer = self.pass_over(TRUST, {"skipped": True})
        self.assertEqual((answer.status, answer.json["steps"][2]["state"]), (200, "skipped"))
        [change] = self.feed.since("run-0") or []
        self.assertEqual(change.value, answer.json)
        answer = self.pass_over(TRUST, {"skipped": False})
        self.assertEqual(answer.json["steps"][2]["state"], "waiting")

    def test_never_done(self) -> None:
        """Whatever somebody sends, no step is done by it."""
        values: list[Any] = [{"skipped": True, "done": True, "at": 1}, {"done": True}, {}, []]
        for value in values:
            for step in (*STEPS, "all", "%3Cscript%3E"):
                self.pass_over(step, value)
        self.assertFalse(any(self.setup.progress(step).done for step in STEPS))

    def test_wrong(self) -> None:
        """What cannot be understood is told."""
        wrong: tuple[tuple[str, Any], ...] = (
            ("x" * 1000, {"skipped": True}),
            (DNS, {}),
            (DNS, {"skipped": 1}),
        )
        for step, value in wrong:
            self.assertEqual(self.pass_over(step, value).status, 400)

    def test_get_changes_nothing(self) -> None:
        """A link cannot pass over anything."""
        self.assertEqual(self.browser.get(f"/api/setup/{DNS}/skip").status, 405)

    def test_others(self) -> None:
        """Neither is for somebody who has no say in the house."""
        self.is_in = False
        self.assertEqual(self.browser.get("/setup").status, 403)
        self.assertEqual(self.browser.get("/api/setup").status, 403)
        self.assertEqual(self.browser.get("/api/setup/dns").status, 403)
        self.assertEqual(self.pass_over(DNS, {"skipped": True}).status, 403)
        self.assertFalse(self.setup.progress(DNS).skipped)

    def test_labels(self) -> None:
        """The words of the button are the same in the script."""
        text = (PAGE / SCRIPT).read_text("utf-8")
        for words in (SKIP, TAKE_UP):
            self.assertIn(f'"{words}"', text)
