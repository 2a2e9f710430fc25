"""Every page there is, as everybody sees it: large and small, light and dark, without scripts."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.interop.browser import Tab
from tests.interop.browser_case import DESK, PHONE, SMALL, BrowserCase

#: All that one page loads when a browser comes for the first time, headers included, in bytes.
LIGHT = 120_000

#: Finger tips: so high and wide has to be what is pressed (WCAG 2.2, 2.5.5).
FINGER = 44

#: What can be pressed and is too small for that; links within text are as they are.
TOO_SMALL = """
(least) => [...document.querySelectorAll(
    "nav a, .button, button, summary, select, input:not([type=checkbox],[type=radio])")]
  .filter((e) => e.checkVisibility() && !e.matches(".skip"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width && (Math.min(box.width, box.height) < least - 0.5))
  .map(([e, box]) => `${e.outerHTML.slice(0, 90)}: ${box.width | 0} x ${box.height | 0}`)
"""

#: What sticks out to the right, the outermost first.
STICKS_OUT = """
(width) => document.documentElement.scrollWidth <= width ? [] :
  [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width)
  .slice(0, 4).map((e) => e.outerHTML.slice(0, 120))
"""

LINKS = "[...document.querySelectorAll('a[href]')].map((each) => each.href)"

#: Not pages, or not of these.
ELSEWHERE = re.compile(r"/(?:api|page|ca)(?:/|$)")

#: Where strangers come to.
DOORS = ("/login", "/welcome")


class PageTests(BrowserCase):
    """All of them, found by their links."""

    def setUp(self) -> None:
        super().setUp()
        self.statuses: dict[str, int] = {}
        self.did = self.robots(self.ports.mqtt).json[0].did
        self.tab = self.owner(viewport=PHONE)
        self.state(self.tab, self.did, "idle", "docked", "charging")

    def pages(self, tab: Tab) -> Iterator[str]:
        """Open one after the other: all that there are links to, of one robot."""
        waiting, known = ["/"], {"/", *DOORS}
        while waiting:
            path = waiting.pop(0)
            self.statuses[path] = tab.open(self.url + path)
            yield path
            for link in sorted(tab.look(LINKS)):
                parts = urlsplit(link)
                if f"{parts.scheme}://{parts.netloc}" == self.url and self.is_page(parts.path):
                    waiting += {parts.path} - known
                    known.add(parts.path)

    def is_page(self, path: str) -> bool:
        """Whether it is one of ours, and if it is a robot's, of the one that is looked at."""
        others = path.startswith("/robots/") and self.did not in path
        return not others and not ELSEWHERE.match(path)

    def name(self, path: str) -> str:
        """What the pictures of a page are called."""
        return path.replace(self.did, "one").strip("/").replace("/", "-") or "home"

    def test_screens(self) -> None:
        """Nothing sticks out, all can be read and pressed, nothing is forbidden by our policy."""
        wrong = [f"{path}: {each}" for path in self.pages(self.tab) for each in self.shown(path)]
        self.assertEqual(wrong, [], "\n".join(wrong))
        self.assertGreater(len(self.statuses), 8)
        self.assertEqual(set(self.statuses.values()), {200}, self.statuses)
        self.quiet()

    def shown(self, path: str) -> Iterator[str]:
        """What is wrong with one page."""
        tab = self.tab
        tab.look("document.querySelectorAll('details').forEach((e) => { e.open = true })")
        for size in (SMALL, PHONE, DESK):
            tab.page.set_viewport_size(size)
            yield from tab.look(STICKS_OUT, size["width"])
            yield from tab.look(TOO_SMALL, FINGER) if size == PHONE else ()
            for scheme in ("light", "dark") if size != SMALL else ():
                tab.page.emulate_media(color_scheme=scheme)
                self.picture(tab, f"{self.name(path)}-{size['width']}-{scheme}")
                yield from tab.faults() if size == PHONE else ()

    def test_doors(self) -> None:
        """The same holds before anybody is logged in."""
        self.tab = self.browser.tab(viewport=PHONE)
        self.assertEqual(self.tab.open(f"{self.url}/login"), 200)
        self.assertEqual(list(self.shown("/login")), [])
        self.assertEqual(self.tab.open(f"{self.url}/robots/nobody"), 200)
        self.assertEqual(urlsplit(self.tab.page.url).path, "/login")
        self.quiet(self.tab)

    def test_without_scripts(self) -> None:
        """Every page has its content, and no button that would do nothing."""
        tab = self.owner(java_script_enabled=False)
        for path in self.pages(tab):
            self.assertEqual(self.statuses[path], 200, path)
            self.assertGreater(len(tab.page.inner_text("main")), 100, path)
            dead = [
                button.inner_text()
                for button in tab.page.query_selector_all("button")
                if button.is_visible()
                and not button.evaluate("(e) => e.form?.hasAttribute('method')")
            ]
            self.assertEqual(dead, [], path)

    def test_weight(self) -> None:
        """What is loaded for one page is little, and all of it comes from here."""
        for path in ("/", f"/robots/{self.did}"):
            tab = self.owner(path)
            tab.pause(0.5)
            hosts = {urlsplit(each).netloc for each in tab.loaded}
            self.assertEqual(hosts, {urlsplit(self.url).netloc})
            self.assertGreaterEqual(len(tab.loaded), 4)
            self.measured(f"{self.name(path)}: {sum(tab.loaded.values()) / 1000:.0f} kB")
            self.assertLess(sum(tab.loaded.values()), LIGHT, tab.loaded)
