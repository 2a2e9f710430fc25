"""Tests for L{bumper_tw.app.levels} and L{bumper_tw.app.cli_log}."""

import json
import sys
from io import StringIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import cli_log
from bumper_tw.app.asking import NotAsked
from bumper_tw.app.control import LIMITS
from bumper_tw.app.kinds import LEVELS
from bumper_tw.app.levels import LevelRoutes, changed
from bumper_tw.app.logs import Threshold
from bumper_tw.app.settings import LogSettings, Settings
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.web.site import build_site
from tests.app.test_cli import Case
from tests.web.browser import Browser, Page


class WordsTests(SynchronousTestCase):
    """What words mean."""

    NOW = LogSettings(level="warn", levels={"web": "error"})

    def after(self, *words: str) -> tuple[str, dict[str, str]]:
        """The levels after some words."""
        found = changed(
            words, self.NOW, lambda: LogSettings(level="info", levels={"dns": "debug"})
        )
        return found.level, dict(found.levels)

    def test_words(self) -> None:
        """A part, everything, back to the settings; from left to right."""
        self.assertEqual(self.after("mqtt=debug"), ("warn", {"web": "error", "mqtt": "debug"}))
        self.assertEqual(self.after("info"), ("info", {}))
        self.assertEqual(self.after("reset"), ("info", {"dns": "debug"}))
        self.assertEqual(self.after("debug", "web=warn"), ("debug", {"web": "warn"}))

    def test_mistyped(self) -> None:
        """Whoever mistypes something hears what is near."""
        for word, hint in (
            ("mqt=debug", "did you mean mqtt?"),
            ("mqtt=debgu", "did you mean debug?"),
            ("inof", "did you mean info?"),
            ("rest", "did you mean reset?"),
            ("web=", "unknown"),
            ("=", "unknown"),
        ):
            wrong = self.assertRaises(BadRequest, self.after, word)
            self.assertIn(hint, str(wrong), word)

    @given(st.lists(st.text(max_size=300), max_size=5))
    def test_anything(self, words: list[str]) -> None:
        """Any words are levels afterwards, or wrong in a short sentence."""
        try:
            level, levels = self.after(*words)
        except BadRequest as why:
            self.assertLess(len(str(why)), 200)
        else:
            self.assertIn(level, LEVELS)
            self.assertTrue(set(levels.values()) <= set(LEVELS))


class RouteTests(SynchronousTestCase):
    """Over the control socket."""

    def setUp(self) -> None:
        self.threshold = Threshold(LogSettings(level="info", levels={"web": "error"}))
        self.before: Any = lambda: LogSettings(level="warn")
        routes = LevelRoutes(self.threshold, self.read).routes()
        self.browser = Browser(build_site(routes, Clock(), LIMITS))

    def read(self) -> LogSettings:
        """The levels in the settings."""
        found: LogSettings = self.before()
        return found

    def post(self, *words: object) -> Page:
        """Ask for other levels."""
        return self.browser.post("/api/log", {"words": words})

    def hidden(self, part: str, level: Any) -> bool:
        """Whether such a line is not written."""
        return self.threshold.hides(f"bumper_tw.{part}.x", level)

    def test_show(self) -> None:
        """The levels, and nothing has changed."""
        found = self.browser.get("/api/log").json
        self.assertEqual((found["level"], found["levels"]), ("info", {"web": "error"}))
        self.assertIn("mqtt", found["parts"])

    def test_change(self) -> None:
        """A change holds at once, is told back, and is one line of the log."""
        self.assertTrue(self.hidden("mqtt", LogLevel.debug))
        with capturedLogs() as events:
            self.assertEqual(self.post("mqtt=debug").json["levels"]["mqtt"], "debug")
        self.assertFalse(self.hidden("mqtt", LogLevel.debug))
        self.assertTrue(self.hidden("web", LogLevel.warn))
        lines = [formatEvent(each) for each in events if "levels" in each]
        line = "log levels: info, web=error, mqtt=debug, until the next start or reload"
        self.assertEqual(lines, [line])

    def test_told_when_it_is_seen(self) -> None:
        """The line is written as long as it is worth writing before, or afterwards."""
        seen: list[bool] = []

        def look(event: Any) -> None:
            if "levels" in event:
                seen.append(not self.hidden("app", LogLevel.info))

        watch: Any = look
        globalLogPublisher.addObserver(watch)
        self.addCleanup(globalLogPublisher.removeObserver, watch)
        self.post("error")
        self.post("info")
        self.assertEqual(seen, [True, True])

    def test_reset(self) -> None:
        """Back to the settings, as they are by now."""
        self.assertEqual(self.post("reset").json["level"], "warn")
        self.assertFalse(self.hidden("web", LogLevel.warn))

    def test_reset_to_nonsense(self) -> None:
        """Settings that have become wrong are said to be, and the levels stay."""

        def wrong() -> LogSettings:
            raise StartError("bumper.toml: no such key")

        self.before = wrong
        page = self.post("reset")
        self.assertEqual((page.status, page.json["error"]), (400, "bumper.toml: no such key"))
        self.assertEqual(self.threshold.settings.level, "info")

    def test_refused(self) -> None:
        """What is no list of words changes nothing, and neither does a GET."""
        for words in ([], [1], ["x"] * 51, ["mqtt=debug", "nonsense"]):
            self.assertEqual(self.post(*words).status, 400, words)
        self.assertEqual(self.browser.post("/api/log", {"words": "info"}).status, 400)
        self.assertEqual(self.browser.post("/api/log", {}).status, 400)
        self.browser.get("/api/log?words=debug")
        self.assertEqual(self.threshold.settings.level, "info")

    def test_large(self) -> None:
        """A request that is too long is not read."""
        page = self.browser.ask("POST", "/api/log", json.dumps({"words": "x" * 9999}).encode())
        self.assertEqual(page.status, 413)


class CommandTests(Case):
    """C{bumper log}."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[Any] = []
        state: dict[str, Any]
        state = self.state = {
            "level": "info",
            "levels": {"mqtt": "debug"},
            "parts": [],
            "file": "",
        }

        def ask(settings: Settings, path: str, seconds: float) -> Any:
            return state

        def tell(settings: Settings, path: str, document: Any, seconds: float) -> Any:
            self.told.append(document)
            return state

        self.patch(cli_log, "ask", ask)
        self.patch(cli_log, "tell", tell)
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)

    def test_show(self) -> None:
        """The parts that differ, and all others, beside what is in the settings."""
        self.assertEqual(cli_log.main([]), 0)
        lines = [line.split("  ") for line in self.out.getvalue().splitlines()]
        plain = [[word.strip() for word in line if word.strip()] for line in lines]
        self.assertEqual(plain[1:], [["mqtt", "debug", "info"], ["all others", "info", "info"]])
        self.assertEqual(self.told, [])

    def test_change(self) -> None:
        """The words go to the server."""
        self.assertEqual(cli_log.main(["mqtt=debug", "web=warn"]), 0)
        self.assertEqual(self.told, [{"words": ["mqtt=debug", "web=warn"]}])

    def test_hostile_server(self) -> None:
        """A server that somebody has taken over does not steer the terminal of who asks it."""
        evil = "\x1b]0;owned\x07\x9b2J"
        self.state["level"] = evil
        self.assertEqual(cli_log.main([]), 0)
        self.assertEqual(self.out.getvalue().split()[-2:], ["?]0;owned??2J", "info"])

        def ask(settings: Settings, path: str, seconds: float) -> Any:
            raise NotAsked(f"the server refuses {path}: {evil}")

        self.patch(cli_log, "ask", ask)
        self.assertEqual(cli_log.main([]), 1)
        said = "bumper: the server refuses /api/log: ?]0;owned??2J\n"
        self.assertEqual(self.err.getvalue(), said)

    def test_mistyped(self) -> None:
        """A word that means nothing gets nowhere."""
        self.assertEqual(cli_log.main(["mqtt=loud"]), 1)
        self.assertIn("loud is unknown", self.err.getvalue())
        self.assertEqual(self.told, [])
