"""The page that gets phones to trust this box, in a browser that people have."""

import plistlib
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.interop.case import InteropCase, ask, clients_wanted
from tests.interop.children import until
from tests.interop.chromium import Chromium, installed
from tests.interop.server import HOST

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"

#: Width, height, and whether it is a phone.
SCREENS = ((390, 844, True), (1280, 900, False))

#: All that is loaded, headers included, in bytes.
LIGHT = 60_000

#: Finger tips: so high and wide has to be what is pressed (WCAG 2.2, 2.5.5).
FINGER = 44

#: WCAG 2.2, 1.4.3.
CONTRAST = 4.5

#: The lowest contrast of any text on the page, with the text.
LOWEST_CONTRAST = """
(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parts(color).length === 3 || parts(color)[3] === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
    if (!own.length || !element.getClientRects().length) continue;
    const [a, b] = [getComputedStyle(element).color, ground(element)].map(light);
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), own[0].data]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
})()
"""

#: Everything that is pressed, by its smaller side.
SMALLEST = """
Math.min(...[...document.querySelectorAll("nav a, .button, button, summary")]
  .filter((e) => e.getClientRects().length)
  .map((e) => Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height)))
"""

#: Shows all there is.
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true })"


class TrustPageTests(InteropCase):
    """Chromium, with and without our authority among those that its user has added."""

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        self.ports = self.serve().ports()
        self.url = f"http://{HOST}:{self.ports.web}/ca"
        self.proof = f"https://{HOST}:{self.ports.web_tls}/ca/proof"

    def browser(self, trusting: bool = False) -> Chromium:
        """A browser whose user has installed the authority, or not."""
        home = self.folder / "home"
        home.mkdir()
        if trusting:
            certutil, store = installed("certutil"), home / ".pki" / "nssdb"
            store.mkdir(parents=True)
            argv = [certutil, "-d", f"sql:{store}"]
            subprocess.run([*argv, "-N", "--empty-password"], check=True)
            named = ["-t", "C,,", "-n", "bumper", "-i", str(self.downloaded("bumper.pem"))]
            subprocess.run([*argv, "-A", *named], check=True)
        browser = Chromium(home)
        self.addCleanup(browser.close)
        return browser

    def downloaded(self, name: str) -> Path:
        """A file of the page's."""
        file = self.folder / name
        answer = ask(self.ports.web, "GET", f"/ca/{name}")
        self.assertEqual(answer.status, 200)
        file.write_bytes(answer.body)
        return file

    def verdict(self, browser: Chromium) -> str:
        """What kind of answer the button has come to."""
        until(lambda: self.said(browser) not in {"", "wait"}, "an answer")
        return self.said(browser)

    def said(self, browser: Chromium) -> str:
        """What kind of answer is shown."""
        return str(browser.look("document.getElementById('verdict').className"))

    def test_untrusted(self) -> None:
        """Before anything is installed the button says no, and the link ends in a warning."""
        browser = self.browser()
        browser.open(self.url)
        browser.look("document.getElementById('try').click()")
        self.assertEqual(self.verdict(browser), "no")
        self.assertEqual(browser.open(self.proof), "net::ERR_CERT_AUTHORITY_INVALID")

    def test_trusted(self) -> None:
        """Once the authority is installed the button says yes, and the link opens the proof."""
        browser = self.browser(trusting=True)
        browser.open(self.url)
        browser.look("document.getElementById('try').click()")
        self.assertEqual(self.verdict(browser), "yes")
        self.assertEqual(browser.complaints(), [])
        self.assertEqual(browser.open(self.proof), "")
        self.assertEqual(browser.look("document.querySelector('h1').textContent"), "It works")

    def test_screens(self) -> None:
        """On phones and desks, light and dark: nothing sticks out, all can be read and pressed."""
        browser = self.browser()
        browser.calls_itself(IPHONE)
        for width, height, mobile in SCREENS:
            for dark in (False, True):
                browser.screen(width, height, dark, mobile)
                browser.open(self.url)
                self.assertEqual(browser.complaints(), [])
                self.legible(browser, width)
                browser.look(UNFOLD)
                browser.look("document.getElementById('try').click()")
                self.assertEqual(self.verdict(browser), "no")
                self.legible(browser, width)
                self.assertGreaterEqual(browser.look(SMALLEST), FINGER)
                browser.picture(self.folder / f"{width}-{'dark' if dark else 'light'}.png")
                browser.open(f"{self.url}/proof")
                self.legible(browser, width)

    def legible(self, browser: Chromium, width: int) -> None:
        """Whether all that is shown can be seen and read."""
        self.assertLessEqual(browser.look("document.documentElement.scrollWidth"), width)
        contrast, text = browser.look(LOWEST_CONTRAST)
        self.assertGreaterEqual(contrast, CONTRAST, text)

    def test_code(self) -> None:
        """A camera reads the address of the page, in the light and in the dark."""
        browser = self.browser()
        for dark in (False, True):
            browser.screen(390, 844, dark, mobile=True)
            browser.open(self.url)
            file = browser.picture(self.folder / "page.png")
            argv = [installed("zbarimg"), "--quiet", "--raw", str(file)]
            read = subprocess.run(argv, capture_output=True, text=True, check=True)
            self.assertEqual(read.stdout.strip(), self.url)

    def test_light(self) -> None:
        """The page loads little, and all of it from here."""
        browser = self.browser()
        browser.open(self.url)
        browser.look("new Promise((done) => setTimeout(done, 300))")
        sent = [e["params"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
        hosts = {urlsplit(each["request"]["url"]).netloc for each in sent}
        self.assertEqual(hosts, {f"{HOST}:{self.ports.web}"})
        ended = [e["params"] for e in browser.events if e["method"] == "Network.loadingFinished"]
        self.assertGreaterEqual(len(ended), 4)
        self.assertLess(sum(each["encodedDataLength"] for each in ended), LIGHT)

    def test_without_scripts(self) -> None:
        """The menu opens sections, and there is a link instead of the button."""
        browser = self.browser()
        browser.scripts(allowed=False)
        browser.open(self.url)
        shown = "document.getElementById('try').getClientRects().length"
        self.assertEqual(browser.look(shown), 0)
        link = browser.look("document.querySelector('#systems a[href*=windows]').href")
        browser.open(link)
        opened = "[...document.querySelectorAll('details[open]')].map((e) => e.id)"
        self.assertEqual(browser.look(opened), ["windows"])
        links = "[...document.querySelectorAll('#proof a')].map((e) => e.href)"
        self.assertEqual(browser.look(links), [self.proof])

    def test_keyboard(self) -> None:
        """Without a mouse: every section can be opened, and the button reached and pressed."""
        browser = self.browser()
        browser.open(self.url)
        passed: list[str] = []
        focus = "document.activeElement.id || document.activeElement.tagName"
        while "try" not in passed and len(passed) < 100:
            browser.press("Tab")
            passed.append(browser.look(focus))
        sections = browser.look("document.querySelectorAll('details').length")
        self.assertEqual(passed.count("SUMMARY"), sections)
        browser.press("Enter")
        self.assertEqual(self.verdict(browser), "no")

    def test_menu(self) -> None:
        """A choice opens its section where the page is, without loading it again."""
        browser = self.browser()
        browser.open(self.url)
        browser.look("document.querySelector('#systems a[href*=android4]').click()")
        self.assertTrue(browser.look("document.getElementById('android4').open"))
        self.assertEqual(browser.look("location.href"), self.url)
        self.assertEqual(browser.look("document.activeElement.tagName"), "SUMMARY")

    def test_files(self) -> None:
        """OpenSSL reads both forms, the page has their fingerprint, and the profile is that."""
        openssl = installed("openssl")
        prints = []
        for name, form in (("bumper.crt", "DER"), ("bumper.pem", "PEM")):
            argv = [openssl, "x509", "-inform", form, "-in", str(self.downloaded(name))]
            told = subprocess.run(
                [*argv, "-noout", "-fingerprint", "-sha256"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            prints.append(told.strip().partition("=")[2])
        page = ask(self.ports.web, "GET", "/ca").body.decode()
        self.assertEqual(prints[0], prints[1])
        for at in range(0, len(prints[0]), 12):
            self.assertIn(f"<span>{prints[0][at : at + 11]}</span>", page)
        profile = plistlib.loads(self.downloaded("bumper.mobileconfig").read_bytes())
        [root] = profile["PayloadContent"]
        self.assertEqual(root["PayloadContent"], self.downloaded("bumper.crt").read_bytes())
