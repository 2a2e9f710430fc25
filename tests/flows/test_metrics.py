"""Figures of the whole server, for whoever may know."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import MetricsSettings, Settings
from bumper_tw.integrations.metrics import FRESH
from tests.flows.house import House
from tests.flows.owners import OwnersCase
from tests.web.browser import Browser, Page

TOKEN = "k7Qp2xZ9k7Qp2xZ9"


class MetricsTests(SynchronousTestCase):
    """C{/metrics} of a house."""

    def house(self, serve: bool = True) -> House:
        """One with a token for figures."""
        path = Path(self.mktemp())
        path.write_text(TOKEN)
        return House(Settings(metrics=MetricsSettings(serve, path)))

    def ask(self, house: House, token: str) -> Page:
        """Ask for figures."""
        return house.browser().get("/metrics", headers=[("Authorization", f"Bearer {token}")])

    def test_told(self) -> None:
        """Both tokens open it; it has the requests for itself among its figures."""
        house = self.house()
        house.robot()
        told = {"account": "anna", "password": "secret"}
        account = house.browser().post("/api/login", told).json["token"]
        for token in (TOKEN, account):
            house.clock.advance(FRESH)
            page = self.ask(house, token)
            self.assertEqual(page.status, 200)
        self.assertIn(b"\nbumper_robots_known 1.0\n", page.body)
        self.assertIn(b"\nbumper_http_requests_total 3.0\n", page.body)
        self.assertEqual(self.ask(house, "wrong").status, 401)

    def test_control(self) -> None:
        """Whoever owns the data folder needs no token."""
        paths = [route.path for route in self.house().seen.control]
        self.assertIn("/api/metrics", paths)

    def test_off(self) -> None:
        """Where nobody wants it, it is as unknown as any other path."""
        house = self.house(serve=False)
        nothing, nowhere = self.ask(house, TOKEN), Browser(house.site).get("/nowhere")
        self.assertEqual((nothing.status, nothing.body), (404, nowhere.body))
        self.assertEqual(house.seen.control, [])


class OwnersTests(OwnersCase):
    """Where robots have owners."""

    def test_members(self) -> None:
        """It is not for everybody who has an account."""
        said = self.api(self.anna, "GET", "/metrics", status=403)
        self.assertIn("owner of the box", said["error"])
        self.assertEqual(self.ask("GET", "/metrics", None).status, 401)


class MembersTests(OwnersCase):
    """Where they have none."""

    robots_of = "household"

    def test_members(self) -> None:
        """Whoever has an account may know."""
        page = self.ask("GET", "/metrics", None, self.ben.headers)
        self.assertEqual(page.status, 200)
        self.assertIn(b"\nbumper_robots_known 3.0\n", page.body)
