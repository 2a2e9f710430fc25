"""The page that gets phones to trust this box, in a browser that people have."""

import plistlib
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.interop.browser import Browser, Tab, installed
from tests.interop.case import InteropCase, ask, clients_wanted
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

    def browser(self, trusting: bool = False) -> Browser:
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
        browser = Browser(home)
        self.addCleanup(browser.close)
        return browser

    def tab(self, **how: object) -> Tab:
        """The page, in a browser without our authority."""
        tab = self.browser().tab(**how)
        tab.open(self.url)
        return tab

    def downloaded(self, name: str) -> Path:
        """A file of the page's."""
        file = self.folder / name
        answer = ask(self.ports.web, "GET", f"/ca/{name}")
        self.assertEqual(answer.status, 200)
        file.write_bytes(answer.body)
        return file

    def verdict(self, tab: Tab) -> str:
        """What kind of answer the button has come to."""
        said = "document.getElementById('verdict').className"
        tab.until(f"!['', 'wait'].includes({said})")
        return str(tab.look(said))

    def test_untrusted(self) -> None:
        """Before anything is installed the button says no, and the link ends in a warning."""
        tab = self.tab()
        tab.page.click("#try")
        self.assertEqual(self.verdict(tab), "no")
        self.assertEqual(tab.refused(self.proof), "net::ERR_CERT_AUTHORITY_INVALID")

    def test_trusted(self) -> None:
        """Once the authority is installed the button says yes, and the link opens the proof."""
        tab = self.browser(trusting=True).tab()
        tab.open(self.url)
        tab.page.click("#try")
        self.assertEqual(self.verdict(tab), "yes")
        self.assertEqual(tab.complaints, [])
        self.assertEqual(tab.open(self.proof), 200)
        self.assertEqual(tab.page.inner_text("h1"), "It works")

    def test_screens(self) -> None:
        """On phones and desks, light and dark: nothing sticks out, all can be read and pressed."""
        browser = self.browser()
        for width, height, mobile in SCREENS:
            for scheme in ("light", "dark"):
                size = {"width": width, "height": height}
                tab = browser.tab(
                    viewport=size, is_mobile=mobile, color_scheme=scheme, user_agent=IPHONE
                )
                tab.open(self.url)
                self.assertEqual(tab.complaints, [])
                self.legible(tab, width)
                tab.look(UNFOLD)
                tab.page.click("#try")
                self.assertEqual(self.verdict(tab), "no")
                self.legible(tab, width)
                self.assertEqual(tab.faults(), [])
                self.assertGreaterEqual(tab.look(SMALLEST), FINGER)
                tab.open(f"{self.url}/proof")
                self.legible(tab, width)

    def legible(self, tab: Tab, width: int) -> None:
        """Whether all that is shown can be seen and read."""
        self.assertLessEqual(tab.look("document.documentElement.scrollWidth"), width)
        contrast, text = tab.look(LOWEST_CONTRAST)
        self.assertGreaterEqual(contrast, CONTRAST, text)

    def test_code(self) -> None:
        """A camera reads the address of the page, in the light and in the dark."""
        browser = self.browser()
        for scheme in ("light", "dark"):
            tab = browser.tab(viewport={"width": 390, "height": 844}, color_scheme=scheme)
            tab.open(self.url)
            file = tab.picture(self.folder / "page.png")
            argv = [installed("zbarimg"), "--quiet", "--raw", str(file)]
            read = subprocess.run(argv, capture_output=True, text=True, check=True)
            self.assertEqual(read.stdout.strip(), self.url)

    def test_light(self) -> None:
        """The page loads little, and all of it from here."""
        tab = self.tab()
        tab.page.wait_for_load_state("networkidle")
        hosts = {urlsplit(each).netloc for each in tab.loaded}
        self.assertEqual(hosts, {f"{HOST}:{self.ports.web}"})
        self.assertGreaterEqual(len(tab.loaded), 4)
        self.assertLess(sum(tab.loaded.values()), LIGHT)

    def test_without_scripts(self) -> None:
        """The menu opens sections, and there is a link instead of the button."""
        tab = self.tab(java_script_enabled=False)
        self.assertTrue(tab.page.is_hidden("#try"))
        tab.page.click("#systems a[href*=windows]")
        tab.page.wait_for_selector("details[open]")
        opened = "[...document.querySelectorAll('details[open]')].map((e) => e.id)"
        self.assertEqual(tab.look(opened), ["windows"])
        links = "[...document.querySelectorAll('#proof a')].map((e) => e.href)"
        self.assertEqual(tab.look(links), [self.proof])

    def test_keyboard(self) -> None:
        """Without a mouse: every section can be opened, and the button reached and pressed."""
        tab = self.tab()
        passed: list[str] = []
        focus = "document.activeElement.id || document.activeElement.tagName"
        while "try" not in passed and len(passed) < 100:
            tab.page.keyboard.press("Tab")
            passed.append(tab.look(focus))
        sections = tab.look("document.querySelectorAll('details').length")
        self.assertEqual(passed.count("SUMMARY"), sections)
        tab.page.keyboard.press("Enter")
        self.assertEqual(self.verdict(tab), "no")

    def test_menu(self) -> None:
        """A choice opens its section where the page is, without loading it again."""
        tab = self.tab()
        tab.page.click("#systems a[href*=android4]")
        self.assertTrue(tab.look("document.getElementById('android4').open"))
        self.assertEqual(tab.page.url, self.url)
        self.assertEqual(tab.look("document.activeElement.tagName"), "SUMMARY")

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
