"""Tests for L{bumper_tw.web.unknown}: whoever looks for a page of ours, and everybody else."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.unknown import UnknownPaths
from bumper_tw.storage.memory_records import MemoryRecordStore
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.frame import page_failure
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.site import build_site
from bumper_tw.web.unknown import UnknownAnswers
from tests.web.browser import Browser

BROWSER = (("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),)


class AstrayTests(SynchronousTestCase):
    """A site with one page, at which somebody asks for another."""

    def setUp(self) -> None:
        clock = Clock()
        page = Route(
            "/house", GET, lambda _: Answer(b"the house"), page_failure, here=self.is_called
        )
        self.paths = UnknownPaths(clock, MemoryRecordStore())
        self.answers = UnknownAnswers(clock, self.paths, lambda: lambda _: False, True)
        self.answers.pages = page
        site = build_site([page], clock)
        site.unknown = self.answers
        self.browser = Browser(site, clock)

    @staticmethod
    def is_called(call: Call) -> bool:
        """By its own name."""
        return call.host == "box.lan"

    def test_browser(self) -> None:
        """A browser is shown a page of ours, and nobody's list has what was typed."""
        for path in ("/hose", "/house/journl", "/a/b"):
            page = self.browser.get(path, headers=BROWSER)
            self.assertEqual(page.status, 404)
            self.assertIn(b"There is no such page.", page.body)
            self.assertIn("text/html", page.headers["content-type"])
        self.assertEqual(self.paths.report(), [])

    def test_others(self) -> None:
        """Robots, apps and scripts hear what they always did."""
        asked = (
            self.browser.get("/hose"),
            self.browser.get("/hose", headers=BROWSER, host="portal-eu.ecouser.net"),
            self.browser.ask("POST", "/hose", headers=BROWSER),
            self.browser.get("/api/hose", headers=BROWSER),
            self.browser.get("/v1/private/eu/en/d/a/1/c/1/user/hose", headers=BROWSER),
        )
        self.assertEqual([page.headers["content-type"][:9] for page in asked], ["applicati"] * 5)
        self.assertEqual(len(self.paths.report()), 4)

    def test_no_pages(self) -> None:
        """Where there are no pages, there is none for that either."""
        self.answers.pages = None
        self.assertEqual(self.browser.get("/hose", headers=BROWSER).json["code"], 404)
