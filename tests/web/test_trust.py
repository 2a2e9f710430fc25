"""The page that gets devices to trust this box, as browsers are sent it."""

import plistlib
import re
from html import unescape
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bumper_tw.pki import handout, pem
from bumper_tw.web import codes, trust
from bumper_tw.web.codes import AT_ONCE, EVERY, KEPT, drawn
from bumper_tw.web.trust_page import SYSTEMS, systems
from tests.pki.samples import new_authority
from tests.pki.test_handout import called
from tests.web.trust_case import Outline, TrustCase

#: All that a browser may load for the page, in bytes.
LIGHT = 60_000

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


class InstallTests(TrustCase):
    """What devices take in."""

    def test_forms(self) -> None:
        """Each form has its type, and is the authority."""
        page = self.browser.get("/ca/bumper.crt")
        self.assertEqual(page.headers["content-type"], "application/x-x509-ca-cert")
        self.assertEqual(x509.load_der_x509_certificate(page.body), self.ca)
        page = self.browser.get("/ca/bumper.pem")
        self.assertEqual(page.headers["content-type"], "application/x-pem-file")
        self.assertEqual(x509.load_pem_x509_certificate(page.body), self.ca)
        page = self.browser.get("/ca/bumper.mobileconfig")
        self.assertEqual(page.headers["content-type"], "application/x-apple-aspen-config")
        [root] = plistlib.loads(page.body)["PayloadContent"]
        self.assertEqual(root["PayloadContent"], handout.der(self.ca))

    def test_another_authority(self) -> None:
        """One that has taken the other's place is the one that is handed out and shown."""
        self.browser.get("/ca")
        other = new_authority().certificate
        self.keys.text = pem.text(other)
        self.assertEqual(self.browser.get("/ca/bumper.crt").body, handout.der(other))
        body = self.browser.get("/ca").body.decode()
        for group in handout.fingerprint(other).split():
            self.assertIn(f"<span>{group}</span>", body)
        self.assertNotIn(handout.fingerprint(self.ca).split()[0], body)

    def test_fresh(self) -> None:
        """Nothing is taken from a cache without a question."""
        for route in self.routes.routes():
            said = self.browser.get(route.path).headers["cache-control"]
            self.assertEqual(said, "no-store" if route.path == "/ca/proof" else "no-cache")


class PageTests(TrustCase):
    """The page itself."""

    def test_told(self) -> None:
        """It says what the authority is called, how to tell it, and until when it holds."""
        body = self.browser.get("/ca").body.decode()
        self.assertIn(handout.name(self.ca), body)
        self.assertIn("2041-", body)
        groups = handout.fingerprint(self.ca).split()
        self.assertEqual(re.findall(r"<span>([0-9A-F:]{11})</span>", body), groups)

    def test_limited(self) -> None:
        """An authority that can vouch for everything is told from one that cannot."""
        body = self.browser.get("/ca").body
        self.assertIn(b"can pretend to be any", body)
        self.assertNotIn(b"This authority is limited", body)
        only = x509.NameConstraints([x509.DNSName("lan")], None)
        self.keys.text = pem.text(called("Dusty", NameOID.COMMON_NAME, only))
        body = self.browser.get("/ca").body
        self.assertNotIn(b"can pretend to be any", body)
        self.assertIn(b"This authority is limited", body)

    def test_hostile_name(self) -> None:
        """What an authority is called stays text."""
        name = '<script>alert(1)</script>"&amp;'
        self.keys.text = pem.text(called(name))
        page = self.browser.get("/ca")
        self.assertEqual(len(Outline(page.body).all("script")), 1)
        self.assertEqual(unescape(page.body.decode()).count(name), 3)

    def test_whole(self) -> None:
        """Tags match, ids are unique, and every link within the page leads somewhere."""
        outline = self.outline()
        ids = [each["id"] for each in outline.all() if "id" in each]
        self.assertEqual(len(ids), len(set(ids)))
        inner = {link["href"].partition("#")[2] for link in outline.all("a")} - {""}
        self.assertEqual(inner - set(ids), set())
        self.assertEqual({each["id"] for each in outline.all("details")}, set(SYSTEMS))

    def test_links(self) -> None:
        """Whatever it links to or loads is here; the archive for robots is another part's."""
        outline = self.outline()
        names = [each.get("href", "") or each.get("src", "") for each in outline.all()]
        here = {urlsplit(name).path for name in names if name.startswith("/")}
        self.assertIn("/ca-certificates.tar.gz", here)
        for path in here - {"/ca-certificates.tar.gz"}:
            self.assertEqual(self.browser.get(path).status, 200, path)
        elsewhere = {name for name in names if "://" in name}
        self.assertEqual(elsewhere, {"https://box.lan/ca/proof"})

    def test_readable(self) -> None:
        """A screen reader knows the language, and has words for the picture and the menu."""
        outline = self.outline()
        [html] = outline.all("html")
        self.assertEqual(html["lang"], "en")
        self.assertTrue(all(each["alt"] for each in outline.all("img")))
        self.assertTrue(all(each["aria-label"] for each in outline.all("nav")))
        labels = {each["aria-labelledby"] for each in outline.all("section")}
        self.assertEqual(labels - {each.get("id") for each in outline.all("h2")}, set())
        [live] = [each for each in outline.all() if each.get("id") == "verdict"]
        self.assertEqual((live["role"], live["aria-live"]), ("status", "polite"))

    def test_policy(self) -> None:
        """It loads from here only, asks for the proof only, and has nothing inline."""
        page = self.browser.get("/ca")
        rules = dict(
            rule.strip().split(" ", 1)
            for rule in page.headers["content-security-policy"].split(";")
        )
        self.assertEqual(rules.pop("connect-src"), "https://box.lan")
        self.assertEqual(set(rules.values()), {"'none'", "'self'"})
        self.assertEqual(rules["default-src"], "'none'")
        outline = Outline(page.body)
        self.assertEqual(outline.all("style"), [])
        self.assertTrue(all(each.get("src") for each in outline.all("script")))
        for each in outline.all():
            self.assertEqual([name for name in each if name == "style" or name[:2] == "on"], [])

    def test_light(self) -> None:
        """The page and all that it loads are small."""
        loaded = ("/ca", "/ca/page.css", "/ca/page.js", "/ca/qr.svg")
        size = sum(len(self.browser.get(path).body) for path in loaded)
        self.assertLess(size, LIGHT)

    def test_own_section(self) -> None:
        """The steps for whoever asks stand open; all others are there as well."""
        outline = self.outline(headers=(("User-Agent", IPHONE),))
        self.assertEqual(outline.opened(), {"ios"})
        [current] = [each for each in outline.all("a") if "aria-current" in each]
        self.assertEqual(current["href"], "/ca?system=ios#ios")
        self.assertEqual(len(outline.all("details")), len(SYSTEMS))

    def test_chosen_section(self) -> None:
        """Every choice of the menu opens its section, without a script; nonsense opens none."""
        for link in self.outline().all("a"):
            if link["href"].startswith("/ca?"):
                path, _, section = link["href"].partition("#")
                opened = self.outline(path, headers=(("User-Agent", IPHONE),)).opened()
                self.assertEqual(opened, {section})
        self.assertEqual(self.outline('/ca?system="><script>').opened(), set())

    def test_agents(self) -> None:
        """Systems are told by what their browsers say."""
        for agent, sections in {
            IPHONE: {"ios"},
            "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X)": {"ios"},
            "Mozilla/5.0 (Linux; U; Android 4.4.2; de-de)": {"android4"},
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5)": {"android4"},
            "Mozilla/5.0 (Linux; Android 7.0; SM-G930)": {"android7"},
            "Mozilla/5.0 (Linux; Android 9; SM-G960F)": {"android7"},
            "Mozilla/5.0 (Linux; Android 10; K)": {"android10"},
            "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0": {"android10"},
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120": {"windows"},
            "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Firefox/130.0": {"windows", "firefox"},
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605": {"macos"},
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/120": {"linux"},
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0": {"linux", "firefox"},
            "curl/8": set(),
            "": set(),
        }.items():
            self.assertEqual(systems(agent), sections, agent)

    @given(st.text(max_size=300))
    def test_any_agent(self, agent: str) -> None:
        """Whatever a browser says, it gets sections that there are."""
        self.assertLessEqual(systems(agent), set(SYSTEMS))


class AddressTests(TrustCase):
    """Where the page says it is."""

    def page_address(self, host: str) -> str:
        """The address below the QR code."""
        body = self.browser.get("/ca", host=host).body.decode()
        found = re.search(r"For a phone: ([^<]*)<", body)
        assert found is not None
        return unescape(found[1])

    def test_as_called(self) -> None:
        """It is where it was asked for."""
        self.assertEqual(self.page_address("box.lan"), "http://box.lan/ca")
        self.assertEqual(self.page_address("box.lan:80"), "http://box.lan/ca")
        self.assertEqual(self.page_address("box.lan:8007"), "http://box.lan:8007/ca")
        self.assertEqual(self.page_address("[fd00::2]:8007"), "http://[fd00::2]:8007/ca")

    def test_at_the_box(self) -> None:
        """Who sits at the box gets the address that a phone can use, if there is one."""
        for host in ("localhost", "127.0.0.1", "[::1]", "LOCALHOST"):
            self.assertEqual(self.page_address(f"{host}:8007"), "http://192.168.7.2:8007/ca")
        self.assertNotIn(b"only the box itself", self.browser.get("/ca", host="localhost").body)
        self.announced = None
        self.assertEqual(self.page_address("localhost:8007"), "http://localhost:8007/ca")
        self.assertIn(b"only the box itself", self.browser.get("/ca", host="localhost").body)

    def test_from_https(self) -> None:
        """Who comes encrypted sends others to where they get in without, if there is such."""
        self.assertIn(
            b"For a phone: https://box.lan:444/ca<", self.over_tls("/ca", "box.lan:444").body
        )
        self.http = 8007
        body = self.over_tls("/ca", "box.lan:444").body
        self.assertIn(b"For a phone: http://box.lan:8007/ca<", body)
        self.assertNotIn(b"This page came unencrypted", body)

    def test_code(self) -> None:
        """The code is a picture of its own that depends on the address."""
        page = self.browser.get("/ca/qr.svg", host="box.lan")
        self.assertEqual(page.headers["content-type"], "image/svg+xml")
        self.assertTrue(page.body.lstrip().startswith(b"<?xml"))
        self.assertNotEqual(page.body, self.browser.get("/ca/qr.svg", host="box2.lan").body)

    def test_long(self) -> None:
        """Nobody is sent to a name as only those have who want to cost something."""
        long = ".".join(["a" * 32] * 2)
        self.assertEqual(self.page_address(long), "http://192.168.7.2/ca")
        self.assertEqual(self.page_address(long[1:]), f"http://{long[1:]}/ca")
        code = self.browser.get("/ca/qr.svg", host=long).body
        self.assertEqual(code, self.browser.get("/ca/qr.svg", host="192.168.7.2").body)

    @settings(max_examples=60, deadline=None)
    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80))
    def test_any_host(self, host: str) -> None:
        """Whatever the box is called: it answers, and the name cannot become anything else."""
        for path in ("/ca", "/ca/qr.svg", "/ca/bumper.mobileconfig", "/ca/proof"):
            page = self.browser.get(path, host=host)
            self.assertIn(page.status, {200, 400}, path)
            if path == "/ca" and page.status == 200:
                self.assertEqual(len(Outline(page.body).all("script")), 1)
                policy = page.headers["content-security-policy"].split("; ")
                self.assertEqual(len(policy), 8)
                self.assertEqual(len(policy[-1].split(" ")), 2)

    def test_hostile_host(self) -> None:
        """What is no name is not repeated; then it is the address that was reached."""
        for host in ('"><script>alert(1)</script>', "a;script-src", "x'y", "box.lan:99999999"):
            page = self.browser.get("/ca", host=host)
            self.assertNotIn(host.encode(), page.body)
            self.assertIn(b"http://192.168.7.2:8007/ca", page.body)
        self.assertEqual(self.browser.get("/ca", host="box.lan:99999").status, 200)

    def test_names_cost_little(self) -> None:
        """However many names somebody thinks of, the page is made once, and is right for each."""
        for number in range(100):
            host = f"box{number}.lan:8007"
            self.assertEqual(self.page_address(host), f"http://{host}/ca")
            body = self.browser.get("/ca", host=host).body
            self.assertIn(f'data-url="https://box{number}.lan/ca/proof"'.encode(), body)
            self.assertNotIn("\ue000".encode(), body)
        self.assertEqual(len(self.routes._pages), 1)

    def test_bounded(self) -> None:
        """Few pages are kept, those that were asked for last."""
        self.patch(trust, "MAX_KEPT", 3)
        kept = self.browser.get("/ca?system=ios").body
        for system in SYSTEMS:
            self.browser.get(f"/ca?system={system}")
            self.assertEqual(self.browser.get("/ca?system=ios").body, kept)
        self.assertEqual(len(self.routes._pages), 3)
        shown = {visit.shown for visit in self.routes._pages}
        self.assertIn(frozenset({"ios"}), shown)


class CodeTests(TrustCase):
    """The picture of the address."""

    def setUp(self) -> None:
        super().setUp()
        self.drawn: list[str] = []

        def counted(address: str) -> bytes:
            self.drawn.append(address)
            return drawn(address)

        self.patch(codes, "drawn", counted)

    def code(self, host: str) -> bytes:
        """For whoever calls the box that."""
        return self.browser.get("/ca/qr.svg", host=host).body

    def test_few_drawn(self) -> None:
        """However many names somebody thinks of, few are drawn; then it is where he arrived."""
        for number in range(100):
            self.code(f"box{number}.lan")
        usual = "http://192.168.7.2/ca"
        self.assertEqual(self.drawn, [*(f"http://box{n}.lan/ca" for n in range(AT_ONCE)), usual])
        self.assertEqual(self.code("box.lan"), drawn(usual))
        self.assertEqual(self.code("box0.lan"), drawn("http://box0.lan/ca"))

    def test_later(self) -> None:
        """After a while there are others."""
        for number in range(100):
            self.code(f"box{number}.lan")
        self.clock.advance(EVERY)
        self.assertEqual(self.code("box.lan"), drawn("http://box.lan/ca"))
        self.assertEqual(self.code("box2.lan:1"), drawn("http://192.168.7.2/ca"))
        self.clock.advance(10 * AT_ONCE * EVERY)
        for number in range(AT_ONCE + 1):
            self.code(f"other{number}.lan")
        self.assertEqual(len(self.drawn), 2 * AT_ONCE + 2)

    def test_bounded(self) -> None:
        """Few are kept, those that were asked for last."""
        for number in range(KEPT * 2):
            self.code("box.lan")
            self.code(f"box{number}.lan")
            self.clock.advance(EVERY)
        self.assertEqual(self.drawn.count("http://box.lan/ca"), 1)
        self.assertEqual(len(self.routes._codes._drawn), KEPT)
