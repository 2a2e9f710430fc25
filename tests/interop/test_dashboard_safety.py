"""Names that want to be more than text, and pages of others, in a real browser."""

from http.client import HTTPConnection
from urllib.parse import quote

from tests.interop.browser import Tab
from tests.interop.browser_case import BrowserCase, PlainRobot
from tests.interop.case import ask
from tests.interop.raw_mqtt import Login, Wire
from tests.interop.server import HOST

#: What a name would do if it were anything else than text.
HOSTILE = "\"><img src=x onerror=alert(1)></script><script>alert(2)</script>'"
TURNED = "\u202eevil \u2066<b>bold</b>"

#: Where the owner is told of what strangers have said.
PAGES = ("/", "/setup", "/house", "/house/journal", "/house/people", "/house/settings")

#: Whether something on the page has been made of a name.
MADE = "document.querySelector('img[src=x], main b, script:not([src])')?.outerHTML ?? ''"

#: Names of the vendor, and one whose owner points it at this box after his page is open.
STRANGE_NAMES = ("portal-eu.ecouser.net", "gl-de-api.ecovacs.com", "rebinding.example")

#: A page of somebody else, which sends what ours would.
FOREIGN = """<!DOCTYPE html><title>foreign</title>
<form method="post" action="{url}/logout"><input name="csrf" value="guess" /></form>
"""

#: The same from a script: without asking first, and asking.
SENT = """
async ([url, kind]) => {
  try {
    const how = { method: "POST", credentials: "include", headers: { "Content-Type": kind } };
    const answer = await fetch(url, { ...how, body: '{"arguments":{}}' });
    return answer.status;
  } catch {
    return 0;
  }
}
"""

#: What our own scripts do.
OWN = """
async ([method, path, body]) =>
  (await import("/page/live.js")).send(method, path, body ?? undefined)
"""


class NamesTests(BrowserCase):
    """Whatever others chose, it is shown as text."""

    def setUp(self) -> None:
        super().setUp()
        self.robot = PlainRobot(self.ports.mqtt)
        self.did = self.robot.who.did
        self.tab = self.owner()

    def test_names(self) -> None:
        """No name makes an element or runs a script, loaded or sent later, on any page."""
        place = f"/robots/{self.did}"
        for name, seen in ((HOSTILE, HOSTILE[:12]), (TURNED, "<b>bold")):
            self.tab.open(self.url)
            self.tab.look(OWN, ["PUT", f"/api/robots/{self.did}/name", {"nick": name}])
            self.tab.until("(text) => document.body.textContent.includes(text)", seen)
            self.strangers(name)
            self.robot.report("onBattery", {"value": name, "isLow": name})
            self.robot.report("onSleep", {"enable": name})
            self.robot.report(name[:40].replace("/", ""), {"value": name})
            for path in (*PAGES, place, f"{place}/history", f"/robots/{quote(name, safe='')}"):
                self.tab.open(self.url + path)
                self.assertEqual(self.tab.look(MADE), "", path)
        self.tab.complaints = [each for each in self.tab.complaints if "404" not in each]
        self.quiet()

    def strangers(self, name: str) -> None:
        """Others say it: as the id of a client, an account, a browser, and an address."""
        wire = Wire(self.ports.mqtt)
        wire.say(Login(name, name, name).written())
        wire.hear()
        ask(self.ports.web, "POST", "/api/login", {"account": name, "password": ""})
        connection = HTTPConnection(HOST, self.ports.web)
        said = {"User-Agent": name.encode()}
        connection.request("GET", f"/api/{quote(name)}?a={quote(name)}", headers=said)
        connection.getresponse().read()
        connection.close()


class OthersTests(BrowserCase):
    """Pages of others, and other names for this box."""

    def test_names(self) -> None:
        """Under a name of the vendor, or of anybody else, there is none of our pages."""
        rules = ", ".join(f"MAP {name} {HOST}" for name in STRANGE_NAMES)
        browser = self.browse(f"--host-resolver-rules={rules}")
        for name in STRANGE_NAMES:
            for path in ("/", "/login", "/welcome", "/house", "/page/live.js"):
                tab = browser.tab()
                tab.open(f"http://{name}:{self.ports.web}{path}")
                found = tab.page.query_selector("main, form, script, link, [data-did], .brand")
                self.assertIsNone(found, (name, path))
                self.assertNotIn("export", tab.page.content(), (name, path))

    def test_foreign_pages(self) -> None:
        """What a page of somebody else sends has no effect, with or without our cookie."""
        robot = PlainRobot(self.ports.mqtt)
        place = f"/api/robots/{robot.who.did}"
        tab = self.owner()
        for origin in (f"http://{HOST}:1", "http://localhost:1", "http://foreign.example"):
            foreign = self.foreign(tab, origin)
            for kind in ("text/plain", "application/json"):
                for path in (f"{place}/actions/clean", f"{place}/name", "/logout"):
                    self.assertEqual(foreign.look(SENT, [self.url + path, kind]), 0)
            with foreign.page.expect_navigation():
                foreign.look("document.forms[0].submit()")
            self.assertFalse(self.is_in(foreign))
            foreign.close()
        tab.page.reload()
        self.assertTrue(self.is_in(tab))
        commands = tab.look(OWN, ["GET", f"{place}/commands", None])["commands"]
        self.assertEqual([each for each in commands if each.get("by") != "server"], [])

    def foreign(self, tab: Tab, origin: str) -> Tab:
        """A page of somebody else, in the browser in which the owner is logged in."""
        context, body = tab.page.context, FOREIGN.format(url=self.url)
        context.route(
            f"{origin}/**", lambda route: route.fulfill(body=body, content_type="text/html")
        )
        page = Tab(context.new_page())
        page.open(f"{origin}/")
        return page
