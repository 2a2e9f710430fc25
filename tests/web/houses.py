"""A server with a data directory, a robot, and people at other addresses."""

from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.settings import Settings
from tests.flows.house import House
from tests.samples import DUSTY
from tests.web.browser import Browser, Page

DATA = "/data_collect/upload"
GENERAL = f"{DATA}/generalData"
WUKONG = f"/api/ota/products/wukong/class/{DUSTY.model}/firmware/latest.json"
#: Where somebody is who is no robot.
ELSEWHERE = "192.168.7.66"
FRONT = "/v1/private/de/en/0f1e2d3c4b5a69788796a5b4c3d2e1f0/global_e/3.1.0/c_googleplay/1"


class HouseCase(SynchronousTestCase):
    """A server with a data directory and a robot."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        self.data.mkdir()
        self.house = self.start()
        self.house.robot()
        self.token = self.log_in()

    def start(self, **web: Any) -> House:
        """A server over that directory."""
        settings = Settings()
        storage = evolve(settings.storage, directory=self.data)
        return House(evolve(settings, storage=storage, web=evolve(settings.web, **web)))

    def log_in(self) -> str:
        """A token of our own API."""
        told = {"account": "owner@example.org", "password": "hunter2"}
        token: str = self.house.browser().post("/api/login", told).json["token"]
        return token

    def get(self, path: str, token: str | None = None) -> Page:
        """The answer to a GET with a token."""
        bearer = ("Authorization", f"Bearer {self.token if token is None else token}")
        return self.house.browser().get(path, headers=[bearer])

    def send(self, path: str, body: bytes, **headers: str) -> Page:
        """The answer to a POST."""
        found = [(name.replace("_", "-"), text) for name, text in headers.items()]
        return self.house.browser().ask("POST", path, body, found)

    def elsewhere(self, host: str = ELSEWHERE) -> Browser:
        """Somebody who is at another address than the robot."""
        return Browser(self.house.site, peer=IPv4Address("TCP", host, 50124))
