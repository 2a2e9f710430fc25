"""The owner's access in the whole server: streams that are open, names that are not ours."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.core.owners import WORD
from tests.flows.house import House
from tests.web.browser import Browser, Page, request


class AccessFlowTests(SynchronousTestCase):
    """A house with a member, and still without an owner."""

    def setUp(self) -> None:
        self.house = House()
        self.browser = Browser(self.house.site, self.house.clock)
        page = self.browser.post("/api/login", {"account": "anna", "password": "any"})
        self.bearer = ("Authorization", f"Bearer {page.json['token']}")

    def claim(self) -> Page:
        """Somebody becomes the owner."""
        code = self.house.facts.owner.access.code.current()
        body = {"code": code, "password": WORD}
        return self.browser.post("/api/owner", body, host="192.168.7.2:8007")

    def test_stream(self) -> None:
        """With an owner there is, at once, no stream any more of what is his alone."""
        connection = self.browser.connect()
        connection.send(request("GET", "/api/events", headers=[self.bearer]))
        transport: Any = connection.transport
        self.assertIn(b"event-stream", transport.value())
        self.assertTrue(transport.connected)
        self.assertEqual(self.claim().status, 200)
        self.assertFalse(transport.connected)

    def test_rebinding(self) -> None:
        """A page whose name leads here is told nothing by our own API, with a good token."""
        for path in ("/api/robots", "/api/journal", "/api/me"):
            found = self.browser.get(path, headers=[self.bearer], host="evil.example")
            self.assertEqual(found.status, 403, path)
            good = self.browser.get(path, headers=[self.bearer], host="192.168.7.2:8007")
            self.assertEqual(good.status, 200, path)

    def test_slipped_in(self) -> None:
        """Nor does a page of another site command a robot, however little is asked there."""
        evil = [("Origin", "http://evil.example"), ("Content-Type", "text/plain")]
        found = self.browser.ask("POST", "/api/iot/devmanager.do", b"{}", headers=evil)
        self.assertEqual(found.status, 403)
