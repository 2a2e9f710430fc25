"""SIGHUP takes up the owner's answers, in the server as it is put together."""

import json
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import Settings
from bumper_tw.errors import StartError
from tests.flows.house import House
from tests.web.browser import Browser


class SignalTests(SynchronousTestCase):
    """A house whose data directory has answers."""

    def setUp(self) -> None:
        data = Path(self.mktemp())
        self.answers = data / "answers"
        self.answers.mkdir(parents=True)
        settings = Settings()
        self.settings = evolve(settings, storage=evolve(settings.storage, directory=data))

    def write(self, *entries: dict[str, Any]) -> None:
        """The owner's file."""
        (self.answers / "mine.json").write_text(json.dumps(entries), "utf-8")

    def test_taken_up(self) -> None:
        """What is there at the start, and what is there later."""
        entry = {"path": "/api/notice/app", "envelope": "bare", "body": "{account}"}
        self.write(entry)
        house = House(self.settings)
        browser = Browser(house.site)
        self.assertEqual(browser.get("/api/notice/app").json["data"], "bumper")
        self.write({**entry, "body": "tea"})
        house.site.reload()
        self.assertEqual(browser.get("/api/notice/app").json["data"], "tea")
        self.write({**entry, "path": "/api/appsvr/service/list"})
        self.assertRaises(StartError, house.site.reload)
        self.assertEqual(browser.get("/api/notice/app").json["data"], "tea")

    def test_start(self) -> None:
        """A mistake ends the start, with a sentence."""
        self.write({"path": "/x", "envelope": "dance"})
        with self.assertRaisesRegex(StartError, "mine.json: entry 1: there is no envelope dance"):
            House(self.settings)
