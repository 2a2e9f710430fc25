"""
Tests for L{bumper_tw.web.doorman}: who is let in (attacks.md 4.3, 26 and 27).
"""

from twisted.internet.address import IPv4Address

from bumper_tw.web.api import failure
from bumper_tw.web.call import json_answer
from bumper_tw.web.owner_cookies import PLAIN, SECURE
from bumper_tw.web.routes import GET, POST, Route
from bumper_tw.web.site import build_site
from tests.core.owners import WEEK, WORD
from tests.web.browser import Browser
from tests.web.dashboard.door_case import ACCOUNT, STRANGER, DoorCase, Surfer

CSRF = "X-CSRF-Token"


class CookieTests(DoorCase):
    """The owner in a browser."""

    def setUp(self) -> None:
        super().setUp()
        self.csrf = self.claim()

    def clean(self, *headers: tuple[str, str]) -> int:
        """Somebody wants to start a robot; the status."""
        return self.surfer.ask("POST", "/api/robots/did1/clean", headers=headers).status

    def test_in(self) -> None:
        """He sees, and with the proof he changes."""
        self.assertEqual(self.surfer.get("/api/robots").json, "owner :owner")
        self.assertEqual(self.surfer.get("/").json, self.csrf)
        self.assertEqual(self.clean((CSRF, self.csrf), ("Origin", self.surfer.origin)), 200)

    def test_no_proof(self) -> None:
        """Without it, or with another, nothing is changed."""
        other = Surfer(self.site)
        self.assertEqual(other.log_in().status, 303)
        for headers in (
            [],
            [(CSRF, "")],
            [(CSRF, "wrong")],
            [(CSRF, "\u00e4")],
            [(CSRF, self.surfer.cookies[PLAIN])],
            [(CSRF, other.get("/").json)],
        ):
            self.assertEqual(self.clean(*headers), 403, headers)

    def test_other_sites(self) -> None:
        """What a page of another site sends is refused, proof or not."""
        for headers in (
            [("Origin", "http://evil.example")],
            [("Origin", "null")],
            [("Origin", "https://box.lan:8007")],
            [("Origin", "http://box.lan:8008")],
            [("Origin", "http://box.lan:8007.evil.example")],
            [("Sec-Fetch-Site", "cross-site")],
        ):
            self.assertEqual(self.clean((CSRF, self.csrf), *headers), 403, headers)
            self.assertEqual(self.surfer.get("/api/robots", *headers).status, 403, headers)

    def test_links(self) -> None:
        """A link on another site leads to a page."""
        page = self.surfer.get("/", ("Sec-Fetch-Site", "cross-site"))
        self.assertEqual(page.status, 200)

    def test_rebinding(self) -> None:
        """Under a name that leads here by somebody's will, the cookie is worth nothing."""
        for host in ("evil.example", "evil.example:8007", "box.lan.evil.example", "192.168.7.2.x"):
            self.surfer.host = host
            page = self.surfer.get("/api/robots", ("Sec-Fetch-Site", "same-origin"))
            self.refused(page, 403, "not called like that")
            self.assertEqual(self.surfer.get("/").body, b"vendor")
            self.assertEqual(self.surfer.get("/login").status, 404)

    def test_no_host(self) -> None:
        """What is no name at all is not taken for an address of ours."""
        for host in ("a b", "<script>", "[::1", "evil.example@192.168.7.2", ""):
            self.surfer.host = host
            self.assertIn(self.surfer.get("/api/robots").status, {400, 403}, host)
            self.assertNotEqual(self.surfer.get("/").body, self.csrf.encode(), host)

    def test_own_names(self) -> None:
        """By addresses and names of ours he is in."""
        for host in ("192.168.7.2", "box", "box.local:8007", "[fd00::2]:8007", "localhost"):
            self.surfer.host = host
            self.assertEqual(self.surfer.get("/api/robots").status, 200, host)

    def test_vendors_names(self) -> None:
        """Under a vendor's name there is no page, although somebody has set it as ours."""
        for host in (
            "portal.ecouser.net",
            "www.ecovacs.com",
            "ecouser.net",
            "x.dc.ww.ecouser.net",
        ):
            self.surfer.host = host
            self.assertEqual(self.surfer.get("/").body, b"vendor")
            for path in ("/login", "/%6Cogin", "/welcome", "/robots/did1"):
                self.assertEqual(self.surfer.get(path).status, 404, (host, path))
            # Not even that there would be one for another method.
            self.assertEqual(self.surfer.ask("PUT", "/login").status, 404)
            self.assertEqual(self.surfer.get("/api/robots").status, 403)

    def test_strangers(self) -> None:
        """From the internet nobody gets in, or even to the door."""
        self.surfer.peer = STRANGER
        self.refused(self.surfer.get("/api/robots"), 403, "network of the house")
        self.refused(self.surfer.get("/api/session"), 403)
        self.assertEqual(self.surfer.get("/").body, b"vendor")
        self.assertEqual(self.surfer.get("/login").status, 404)

    def test_proxy(self) -> None:
        """Who comes through a proxy of the house has to be near himself."""
        for said, status in (
            ("192.168.7.50", 200),
            ("203.0.113.9", 403),
            ("192.168.7.50, 203.0.113.9", 403),
            ("203.0.113.9, 192.168.7.50", 403),
            ("unknown", 403),
            (", ".join(["10.0.0.1"] * 1000), 200),
        ):
            page = self.surfer.get("/api/robots", ("X-Forwarded-For", said))
            self.assertEqual(page.status, status, said[:50])

    def test_ended(self) -> None:
        """A browser that was away too long is told to log in, on pages by being sent there."""
        self.box.clock.advance(WEEK + 1)
        self.refused(self.surfer.get("/api/robots"), 401, "log in")
        page = self.surfer.get("/robots/did%201")
        self.assertEqual((page.status, page.headers["location"][:12]), (303, "/login?next="))

    def test_wrong_layer(self) -> None:
        """The cookie of plain HTTP is no use over TLS, under either name."""
        text = self.surfer.cookies[PLAIN]
        safe = Surfer(self.site, secure=True, cookies={PLAIN: text, SECURE: text})
        self.refused(safe.get("/api/robots"), 401)

    def test_gets_change_nothing(self) -> None:
        """What changes something has no GET."""
        for path in (
            *("/logout", "/api/owner", "/api/owner/password"),
            *("/api/tokens/x", "/api/sessions/x", "/api/robots/did1/clean"),
        ):
            self.assertEqual(self.surfer.get(path).status, 405, path)


class TlsTests(DoorCase):
    """The same over TLS."""

    def test_cookie(self) -> None:
        """The cookie is bound to this host and to TLS."""
        self.surfer.secure = True
        self.claim()
        self.surfer.cookies.clear()
        page = self.surfer.log_in()
        said = page.headers["set-cookie"]
        self.assertTrue(said.startswith(f"{SECURE}="))
        for part in ("Path=/", "HttpOnly", "SameSite=Strict", "Secure"):
            self.assertIn(f"; {part}", said)
        self.assertNotIn("Domain", said)
        self.assertEqual(self.surfer.get("/").status, 200)

    def test_plain(self) -> None:
        """The one of plain HTTP is kept from scripts and other sites."""
        self.claim()
        self.surfer.cookies.clear()
        said = self.surfer.log_in().headers["set-cookie"]
        self.assertTrue(said.startswith(f"{PLAIN}=") and said.endswith("; SameSite=Strict"))
        self.assertIn("; HttpOnly", said)


class TokenTests(DoorCase):
    """The owner's scripts."""

    def status(self, method: str, path: str, *scopes: str) -> int:
        """What comes of a request with a token for these."""
        return self.surfer.ask(method, path, headers=[self.token(*scopes)]).status

    def test_scopes(self) -> None:
        """A token does what it is for."""
        for method, path, scope in (
            ("GET", "/api/robots", "read"),
            ("POST", "/api/robots/did1/clean", "control"),
            ("GET", "/api/house", "house"),
            ("PUT", "/api/house", "house"),
        ):
            order = ("read", "control", "house")
            for given in order:
                good = order.index(given) >= order.index(scope)
                self.assertEqual(self.status(method, path, given), 200 if good else 403)

    def test_any_name(self) -> None:
        """It needs no proof, and no name of ours: nobody sends it by accident."""
        self.surfer.host = "whatever.example"
        self.assertEqual(self.status("POST", "/api/robots/did1/clean", "control"), 200)

    def test_near_only(self) -> None:
        """From the internet it is no use."""
        self.surfer.peer = STRANGER
        self.assertEqual(self.status("GET", "/api/robots", "house"), 403)

    def test_no_pages(self) -> None:
        """A token opens no page, and does not make or remove others' logins by mistake."""
        page = self.surfer.get("/", self.token("house"))
        self.assertEqual(page.status, 303)

    def test_wrong(self) -> None:
        """One that is not known is not an account's either."""
        for text in ("bmp_", "bmp_x", "bmp_" + "x" * 5000, "bmp_\u00e4"):
            page = self.surfer.get("/api/robots", ("Authorization", f"Bearer {text}"))
            self.refused(page, 401, "no such token")


class HouseTests(DoorCase):
    """What concerns the whole house, for members of it."""

    def test_before(self) -> None:
        """As long as there is no owner, all may see it who may see the robots."""
        self.assertEqual(self.surfer.get("/api/house", ACCOUNT).json, "user anna")
        self.assertEqual(self.surfer.get("/api/house").status, 401)

    def test_afterwards(self) -> None:
        """Afterwards they are told what to use; robots they see as before."""
        self.claim()
        self.surfer.cookies.clear()
        self.refused(self.surfer.get("/api/house", ACCOUNT), 403, "scope house")
        self.assertEqual(self.surfer.get("/api/robots", ACCOUNT).json, "user anna")

    def test_of_owners(self) -> None:
        """Where robots are somebody's, they may not, owner or not."""
        self.household = False
        self.refused(self.surfer.get("/api/house", ACCOUNT), 403)

    def test_no_tokens(self) -> None:
        """They do not make tokens, from the first minute on."""
        body = {"name": "x", "scopes": ["house"]}
        page = self.surfer.json("POST", "/api/tokens", body, ACCOUNT)
        self.refused(page, 403, "owner")
        self.assertEqual(self.access.tokens.listed(), [])


class NameTests(DoorCase):
    """Routes that ask nobody who he is."""

    def test_rebinding(self) -> None:
        """A page whose name leads here gets nothing of them; what is a page decides itself."""
        routes = [
            Route("/api/login", POST, lambda _: json_answer({}), failure),
            Route("/page", GET, lambda _: json_answer({}), failure, here=lambda _: True),
        ]
        browser = Browser(build_site(self.doorman.named_right(routes), self.box.clock))
        for host, status in (("evil.example", 403), ("box.lan", 200), ("robots.example.org", 200)):
            self.assertEqual(browser.ask("POST", "/api/login", host=host).status, status)
            self.assertEqual(browser.get("/page", host=host).status, 200)


class EverywhereTests(DoorCase):
    """The owner has opened the box to the world."""

    everywhere = True

    def test_in(self) -> None:
        """Then an address does not matter, but all the rest does."""
        self.claim()
        self.surfer.peer = IPv4Address("TCP", "203.0.113.9", 1)
        self.assertEqual(self.surfer.get("/").status, 200)
        self.surfer.host = "evil.example"
        self.assertEqual(self.surfer.get("/").body, b"vendor")
        self.assertEqual(Surfer(self.site, peer=STRANGER).log_in(WORD).status, 303)
