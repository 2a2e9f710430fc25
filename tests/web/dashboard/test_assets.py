"""Tests for L{bumper_tw.web.dashboard.assets}."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.assets import asset_routes, files
from bumper_tw.web.pictures import DRAWN
from bumper_tw.web.site import build_site
from tests.web.browser import Browser


class AssetTests(SynchronousTestCase):
    """What browsers load besides the pages."""

    def setUp(self) -> None:
        self.ours = True
        site = build_site(asset_routes(self.here), Clock())
        self.browser = Browser(site)

    def here(self, _: Call) -> bool:
        return self.ours

    def test_every_file(self) -> None:
        """Each is there, as what it is, with a tag; who has it gets nothing."""
        for name in files():
            page = self.browser.get(f"/page/{name}")
            self.assertEqual(page.status, 200, name)
            self.assertIn(page.headers["content-type"].partition(";")[0].partition("/")[0],
                          {"text", "image"})  # fmt: skip
            known = [("If-None-Match", page.headers["etag"])]
            self.assertEqual(self.browser.get(f"/page/{name}", headers=known).status, 304)

    def test_drawings(self) -> None:
        """Every kind of robot has its drawing, without scripts in it."""
        for name in (*DRAWN.values(), "robot"):
            page = self.browser.get(f"/page/robot-{name}.svg")
            self.assertEqual(page.headers["content-type"], "image/svg+xml")
            self.assertTrue(page.body.startswith(b"<svg"))
            self.assertNotIn(b"<script", page.body)

    def test_elsewhere(self) -> None:
        """Under a name that is not ours there are none."""
        self.ours = False
        self.assertEqual(self.browser.get("/page/robot-vacuum.svg").status, 404)

    def test_nothing_else(self) -> None:
        """No way leads out of the folder."""
        for path in ("/page/", "/page/../frame.xml", "/page/%2e%2e%2fapi.py", "/page/vacuum.png"):
            self.assertEqual(self.browser.get(path).status, 404, path)
