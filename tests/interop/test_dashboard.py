"""A day with our pages, in a browser that people have."""

from statistics import median

from tests.interop.browser import Tab
from tests.interop.browser_case import PASSWORD, BrowserCase, PlainRobot
from tests.interop.server import Fleet

#: Remembers when a part of the page changed, on the clock of this machine, in seconds.
WATCHED = """
([where, wanted]) => {
  const seen = () => document.querySelector(where)?.textContent.includes(wanted);
  window.came = new Promise((done) => {
    const look = () => seen() && done((performance.timeOrigin + performance.now()) / 1000);
    new MutationObserver(look).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true,
    });
    look();
  });
}
"""

#: Wrong passwords until nobody may try for a while, and more.
MANY = 12


def field(did: str, name: str) -> str:
    """Where the page of a robot, or its card, shows something."""
    return f"[data-did='{did}'] [data-field={name}]"


def text_of(where: str) -> str:
    """The text there."""
    return f"(document.querySelector(`{where}`)?.textContent ?? '').trim()"


class FirstVisitTests(BrowserCase):
    """How the owner gets in, and nobody else."""

    def refused(self, tab: Tab) -> str:
        """What is said to whoever is not let in."""
        self.assertFalse(self.is_in(tab))
        return str(tab.page.inner_text("[role=alert]"))

    def test_first_visit(self) -> None:
        """Whoever has the code from the log chooses the password, and is in."""
        tab = self.browser.tab()
        tab.open(self.url)
        self.assertEqual(tab.page.url, f"{self.url}/welcome")
        self.assertEqual(tab.faults(), [])
        self.picture(tab, "welcome-1280-light")
        tab.page.fill("input[name=code]", "ZZZZ-ZZZZ")
        self.choose(tab, PASSWORD)
        self.assertIn("code", self.refused(tab))
        self.claim(tab)
        self.assertTrue(self.is_in(tab))
        self.assertEqual(tab.page.url, f"{self.url}/setup")
        self.again(tab)

    def again(self, tab: Tab) -> None:
        """Out, and in again where one wanted to go."""
        with tab.page.expect_navigation():
            tab.page.click(".logout button")
        self.assertFalse(self.is_in(tab))
        tab.open(f"{self.url}/house")
        self.assertEqual(tab.page.url, f"{self.url}/login?next=/house")
        self.login(tab, "not that")
        self.assertIn("password", self.refused(tab))
        self.login(tab)
        self.assertEqual(tab.page.url, f"{self.url}/house")

    def test_throttled(self) -> None:
        """After some wrong passwords even the right one has to wait."""
        self.claim(tab := self.browser.tab())
        tab.page.context.clear_cookies()
        tab.open(f"{self.url}/login")
        said = []
        for number in range(MANY):
            self.login(tab, f"guess number {number}")
            said.append(self.refused(tab))
        self.login(tab)
        self.assertEqual(self.refused(tab), said[-1])
        self.assertNotEqual(said[0], said[-1])

    def test_without_scripts(self) -> None:
        """All of that is plain forms."""
        tab = self.browser.tab(java_script_enabled=False)
        self.claim(tab)
        self.assertTrue(self.is_in(tab))
        self.again(tab)


class RobotTests(BrowserCase):
    """Robots, as they come and work."""

    def work(self) -> Fleet:
        """Robots come."""
        return self.robots(self.ports.mqtt, json=1, xml=1)

    def marked(self, tab: Tab) -> Tab:
        """The same, and it can be told when it has been loaded anew."""
        tab.look("window.kept = true")
        return tab

    def test_day(self) -> None:
        """A robot appears, is told to clean, cleans, is sent home; nobody has reloaded a page."""
        home = self.marked(self.owner())
        robot = self.work().json[0]
        self.state(home, robot.did, "idle", "docked", "charging")
        page = self.marked(self.owner(f"/robots/{robot.did}"))
        self.state(page, robot.did, "idle", "docked", "charging")
        page.page.get_by_role("button", name="Clean", exact=True).first.click()
        for tab in (page, home):
            self.state(tab, robot.did, "cleaning")
            self.assertIn("lean", tab.page.inner_text(field(robot.did, "state_text")))
        page.page.get_by_role("button", name="Pause", exact=True).first.click()
        self.state(home, robot.did, "paused")
        page.page.get_by_role("button", name="Send home", exact=True).first.click()
        self.state(home, robot.did, "returning", "docked", "charging")
        for tab in (page, home):
            self.assertTrue(tab.look("window.kept"))
        self.quiet()

    def test_kinds(self) -> None:
        """Robots of all three kinds clean when they are told to."""
        fleets = [self.work(), self.robots(self.ports.xmpp, json=0, xml=0, xmpp=1)]
        for each in [*fleets[0].json, *fleets[0].xml, *fleets[1].xmpp]:
            tab = self.owner(f"/robots/{each.did}")
            tab.page.get_by_role("button", name="Clean", exact=True).first.click()
            self.state(tab, each.did, "cleaning")
        self.quiet()

    def test_keyboard(self) -> None:
        """Without a mouse: the first stop leads past the menu, and the button can be reached."""
        robot = self.work().json[0]
        tab = self.owner(f"/robots/{robot.did}")
        self.state(tab, robot.did, "idle", "docked", "charging")
        focus = "document.activeElement.textContent.trim()"
        tab.page.keyboard.press("Tab")
        self.assertIn("Skip to the content", tab.look(focus))
        tab.page.keyboard.press("Enter")
        passed: list[str] = []
        while "Clean" not in passed and len(passed) < 60:
            tab.page.keyboard.press("Tab")
            passed.append(tab.look(focus))
        self.assertEqual(passed[-1], "Clean", passed)
        self.assertNotEqual(
            tab.look("getComputedStyle(document.activeElement).outlineStyle"), "none"
        )
        tab.page.keyboard.press("Enter")
        self.state(tab, robot.did, "cleaning")

    def test_gone(self) -> None:
        """When a robot's connection ends, its card says so; when it is back, too."""
        fleet = self.work()
        did = fleet.json[0].did
        tab = self.owner()
        self.state(tab, did, "idle", "docked", "charging")
        fleet.stop()
        self.state(tab, did, "offline")
        self.work()
        self.state(tab, did, "idle", "docked", "charging")
        self.quiet()


class LiveTests(BrowserCase):
    """The stream of what changes."""

    def setUp(self) -> None:
        super().setUp()
        self.robot = PlainRobot(self.ports.mqtt)
        self.battery = field(self.robot.who.did, "battery_text")

    def shows(self, tab: Tab, percent: int) -> None:
        """Wait until the page shows how full the robot is."""
        tab.until(f"{text_of(self.battery)}.includes('{percent}')")

    def test_quick(self) -> None:
        """What a robot says is on the page at once, in the order in which it was said."""
        tab = self.owner()
        self.robot.battery(10)
        self.shows(tab, 10)
        took = [self.seconds(tab, percent) for percent in range(20, 40)]
        self.measured(
            f"robot to page: {median(took) * 1000:.0f} ms, at most {max(took) * 1000:.0f}"
        )
        self.quiet()

    def seconds(self, tab: Tab, percent: int) -> float:
        """From the robot's socket to the text of the page."""
        tab.look(WATCHED, [self.battery, str(percent)])
        began = tab.look("(performance.timeOrigin + performance.now()) / 1000")
        self.robot.battery(percent)
        return float(tab.look("window.came")) - float(began)

    def test_order(self) -> None:
        """A burst ends with what was said last; nothing is shown after it."""
        tab = self.owner()
        for percent in range(1, 100):
            self.robot.battery(percent)
        self.shows(tab, 99)
        tab.pause(0.5)
        self.assertIn("99", tab.look(text_of(self.battery)))

    def test_two_tabs(self) -> None:
        """Two pages of one browser both go on, and what one has missed it gets by a reload."""
        first, second = self.owner(), None
        second = Tab(first.page.context.new_page())
        second.open(self.url)
        self.robot.battery(41)
        for tab in (first, second):
            self.shows(tab, 41)
        second.close()
        self.robot.battery(42)
        self.shows(first, 42)
        first.page.reload()
        self.shows(first, 42)
        self.robot.battery(43)
        self.shows(first, 43)
        self.quiet()

    def test_restart(self) -> None:
        """When the server is back, so is the page, without anybody's help."""
        tab = self.owner()
        self.robot.battery(51)
        self.shows(tab, 51)
        tab.look("window.kept = true")
        self.server.stop()
        tab.until("document.getElementById('link').textContent !== ''")
        self.begin(ports=self.ports.again())
        robot = PlainRobot(self.ports.mqtt)
        robot.battery(52)
        self.shows(tab, 52)
        robot.battery(53)
        self.shows(tab, 53)
        self.assertTrue(tab.look("window.kept"))
        tab.until("document.getElementById('link').textContent === ''")
