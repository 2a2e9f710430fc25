"""Tests for L{bumper_tw.web.user_data}: what is on disk, whatever it is."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.people import Kept, People
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.web.site import build_site
from bumper_tw.web.user_data import PREFIX, UserDataRoutes, entry, value_in
from tests.web.browser import Browser


class UnreadableTests(SynchronousTestCase):
    """Values that no client could read."""

    def setUp(self) -> None:
        clock = Clock()
        self.people = People(clock, MemoryRecordStore())
        routes = UserDataRoutes(self.people, lambda _: "anna", lambda _: "Home").routes()
        self.browser = Browser(build_site(routes, clock), clock)

    def test_refused(self) -> None:
        """A number beyond any is not kept, and the list is as good as before."""
        for body in (b'{"key":"a","data":1e999}', b'{"key":"a","data":[-1e999]}'):
            headers = [("Content-Type", "application/json")]
            self.browser.ask("POST", PREFIX + "set", body, headers)
        page = self.browser.post(PREFIX + "list", {})
        self.assertEqual((page.status, page.json["data"]), (200, []))

    def test_on_disk(self) -> None:
        """What an earlier version has kept all the same is nothing; the others are there."""
        for key, text in {"a": "Infinity", "b": "{", "c": "\ud800", "d": "7"}.items():
            self.successResultOf(self.people.keep("anna", key, text))
        found = self.browser.post(PREFIX + "list", {}).json["data"]
        self.assertEqual([each["data"] for each in found], [None, None, None, 7])
        page = self.browser.post(PREFIX + "map/get", {"key": "a"})
        self.assertIsNone(page.json["data"]["data"])
        self.assertIsNone(value_in(Kept("a", "NaN", 1.0, 2.0)))
        self.assertEqual(entry(Kept("a", "1", 1.0, 2.0))["updateTime"], 2000)
