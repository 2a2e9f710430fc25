"""What all tests of the owner's pages in a real browser have in common."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bumper_tw.simulator.identity import Identity, Kind, identities
from tests.interop import raw_mqtt
from tests.interop.browser import Browser, Tab, program
from tests.interop.case import InteropCase, clients_wanted
from tests.interop.server import HOST, ROOT, Server

PASSWORD = "long enough to be good"

CODE = r"the code for the first visit is (\S+);"

#: Where pictures of the pages are put, for whoever wants to look at them.
PICTURES = ROOT / "build" / "screenshots"

#: A phone, the smallest there is, and a desk.
PHONE, SMALL, DESK = (
    {"width": 390, "height": 844},
    {"width": 320, "height": 640},
    {"width": 1280, "height": 900},
)


class BrowserCase(InteropCase):
    """
    A server, a browser, and the owner in it.

    @ivar server: what is tested.
    @ivar url: where its pages are.
    """

    server: Server
    url: str

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        program()
        self._cookies: Any = None
        self._tabs: list[Tab] = []
        self.begin()
        self.browser = self.browse()

    def begin(self, *options: str, ports: Mapping[str, int] | None = None) -> None:
        """Start the server."""
        self.server = self.serve(*options, ports=ports)
        self.ports = self.server.ports()
        self.url = f"http://{HOST}:{self.ports.web}"

    def browse(self, *options: str) -> Browser:
        """Start a browser; it is closed before the server ends."""
        home = self.folder / f"home{len(list(self.folder.glob('home*')))}"
        home.mkdir()
        started = Browser(home, *options)
        self.addCleanup(started.close)
        return started

    def code(self) -> str:
        """What the log tells whoever may read it."""
        return self.server.child.wait_for(CODE)[-1][1]

    def claim(self, tab: Tab) -> None:
        """The first visit."""
        tab.open(self.url)
        tab.page.fill("input[name=code]", self.code())
        self.choose(tab, PASSWORD)

    def choose(self, tab: Tab, password: str) -> None:
        """Fill in a new password, as often as it is asked for, and send it."""
        for each in tab.page.query_selector_all("main input[type=password]"):
            each.fill(password)
        self.send(tab)

    def login(self, tab: Tab, password: str = PASSWORD) -> None:
        """Fill in the password and send it."""
        tab.page.fill("main input[type=password]", password)
        self.send(tab)

    def send(self, tab: Tab) -> None:
        """Send the form in the middle of the page, and wait for what comes."""
        with tab.page.expect_navigation():
            tab.page.click("main button[type=submit]")

    def is_in(self, tab: Tab) -> bool:
        """Whether the page is one for the owner."""
        return tab.page.query_selector(".logout") is not None

    def owner(self, path: str = "/", browser: Browser | None = None, **how: object) -> Tab:
        """
        A page of the owner, who is logged in.

        @param how: of Playwright's, for his browser.
        """
        if self._cookies is None:
            tab = self.browser.tab()
            self.claim(tab)
            self.assertTrue(self.is_in(tab), tab.page.inner_text("body"))
            self._cookies = tab.page.context.storage_state()
            tab.page.context.close()
        tab = (browser or self.browser).tab(storage_state=self._cookies, **how)
        tab.open(self.url + path)
        self._tabs.append(tab)
        return tab

    def state(self, tab: Tab, did: str, *wanted: str) -> None:
        """Wait until the page says of a robot that it is in one of some states."""
        where = f"document.querySelector(`[data-did='{did}'][data-state]`)?.dataset.state"
        tab.until(f"{list(wanted)}.includes({where})")

    def quiet(self, *tabs: Tab) -> None:
        """Neither the browser nor a script had anything to complain about."""
        for tab in tabs or self._tabs:
            self.assertEqual((tab.complaints, tab.asked), ([], []), tab.page.url)

    def picture(self, tab: Tab, name: str) -> Path:
        """Keep a picture."""
        return tab.picture(PICTURES / f"{name}.png")

    def measured(self, what: str) -> None:
        """Keep a figure beside the pictures: no test fails by what others do on this machine."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        with (PICTURES / "figures.txt").open("a") as figures:
            figures.write(f"{what}\n")


class PlainRobot:
    """A robot that says only what the test wants it to, at the moment the test wants it."""

    def __init__(self, port: int, number: int = 0) -> None:
        """
        @param number: which of the robots that there are.
        """
        self.who: Identity = identities(number + 1, Kind.JSON)[-1]
        name = f"{self.who.did}@{self.who.cls}/{self.who.resource}"
        login = raw_mqtt.Login(name, self.who.sn, self.who.secret)
        self.wire, _ = raw_mqtt.connected(port, login)

    def report(self, name: str, data: object) -> None:
        """Report an attribute (mqtt.md 4.1)."""
        topic = f"iot/atr/{name}/{self.who.did}/{self.who.cls}/{self.who.resource}/j"
        head = {"pri": 1, "tzm": 60, "ts": "1", "ver": "0.0.1", "fwVer": self.who.fw}
        said = {"header": head, "body": {"data": data}}
        self.wire.say(raw_mqtt.publish(topic, json.dumps(said).encode()))

    def battery(self, percent: int) -> None:
        """Report how full it is."""
        self.report("onBattery", {"value": percent, "isLow": int(percent < 20)})
