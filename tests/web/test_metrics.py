"""Tests for L{bumper_tw.web.metrics}: who is told figures, and how."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.throttle import Throttle
from bumper_tw.errors import LoginRefused
from bumper_tw.web.call import Call
from bumper_tw.web.metrics import MetricsRoutes
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page

OWN, ACCOUNTS = "scraper-0123456789", "an account's"
KIND = "text/plain; version=0.0.4; charset=utf-8"


class RouteTests(SynchronousTestCase):
    """The route."""

    def setUp(self) -> None:
        self.clock, self.token = Clock(), OWN.encode()
        self.asked: list[str] = []
        self.routes = MetricsRoutes(
            self.render, self.guard, lambda: self.token, Throttle(self.clock, 3)
        )
        self.site = build_site(self.routes.routes(), self.clock)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Figures."""
        self.asked.append(accept)
        return b"figures\n", KIND

    def guard(self, call: Call) -> None:
        """Somebody has an account."""
        if call.bearer() != ACCOUNTS:
            raise LoginRefused("nobody we know")

    def ask(self, token: str = OWN, method: str = "GET", **more: str) -> Page:
        """Ask with a token."""
        headers = [("Authorization", f"Bearer {token}")] if token else []
        return Browser(self.site).ask(method, "/metrics", headers=[*headers, *more.items()])

    def test_told(self) -> None:
        """With the token, or with an account: the text, as what it is."""
        for token in (OWN, ACCOUNTS):
            page = self.ask(token, Accept="a/b")
            self.assertEqual((page.status, page.body), (200, b"figures\n"))
            self.assertEqual(page.headers["content-type"], KIND)
            self.assertEqual(page.headers["cache-control"], "no-store")
        self.assertEqual(self.asked, ["a/b", "a/b"])
        self.assertEqual(self.routes.refused, 0)

    def test_head(self) -> None:
        """HEAD goes, and nothing else does."""
        self.assertEqual(self.ask(method="HEAD").status, 200)
        page = self.ask(method="POST")
        self.assertEqual((page.status, page.headers["allow"]), (405, "GET, HEAD"))

    def test_nobody(self) -> None:
        """Without a token: 401, which says how; that is no guess."""
        for _ in range(5):
            page = self.ask("")
            self.assertEqual((page.status, page.headers["www-authenticate"]), (401, "Bearer"))
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.routes.refused, 0)

    def test_wrong(self) -> None:
        """
        Wrong tokens count; after some, that of an account does not help for a minute.  Behind one
        address there may be many, so that who has the one for figures is never kept out.
        """
        for wrong in ("x", OWN[:-1], OWN + "x"):
            self.assertEqual(self.ask(wrong).status, 401)
        self.assertEqual(self.ask().status, 200)
        page = self.ask(ACCOUNTS)
        self.assertEqual(page.status, 429)
        self.assertIn("wait a minute", page.json["error"])
        self.assertEqual(self.routes.refused, 4)
        self.clock.advance(60)
        self.assertEqual(self.ask(ACCOUNTS).status, 200)

    def test_none_chosen(self) -> None:
        """Where the owner has chosen none, no token is right, not even an empty one."""
        self.token = b""
        for token in ("", " ", OWN):
            self.assertEqual(self.ask(token).status, 401)
        self.assertEqual(self.ask(ACCOUNTS).status, 200)

    def test_odd_bytes(self) -> None:
        """A token that is no text is wrong."""
        self.assertEqual(self.ask("\u00ff\u00fe").status, 401)
        self.assertEqual(self.site.counts["broken"], 0)

    def test_control(self) -> None:
        """On the control socket nobody has to say who he is, and it is JSON."""
        site = build_site(self.routes.control_routes(), self.clock)
        page = Browser(site).get("/api/metrics")
        self.assertEqual((page.status, page.json), (200, {"text": "figures\n"}))
        self.assertEqual(Browser(site).get("/metrics").status, 404)
