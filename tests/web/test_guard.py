"""
Tests for L{bumper_tw.web.guard}: members of the house with a cookie (attacks.md 4.3, 26), and the
owner of the box before them.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.passwords import md5_hex
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import LoginRefused
from bumper_tw.values import OWNER, Principal, Role
from bumper_tw.web.api import failure
from bumper_tw.web.call import COOKIE, Answer, Call, json_answer
from bumper_tw.web.guard import Guard
from bumper_tw.web.own_names import OwnNames
from bumper_tw.web.routes import Route
from bumper_tw.web.site import build_site
from tests.core.lodging import ANNA, Lodging
from tests.web.browser import Browser, Page


class Door:
    """Somebody with a key goes in."""

    def knows(self, call: Call) -> bool:
        return bool(call.header("x-key"))

    def owner(self, call: Call) -> Principal:
        if call.header("x-key") != "right":
            raise LoginRefused("that is not the key")
        return Principal(Role.OWNER, OWNER)


class GuardCase(SynchronousTestCase):
    """A member of the house."""

    def setUp(self) -> None:
        lodging = Lodging()
        names = OwnNames("box", ["robots.example.net"])
        self.guard = Guard(lodging.accounts, Door(), names.believed)
        credentials = PasswordCredentials(ANNA, md5_hex("secret"))
        self.token = self.successResultOf(lodging.accounts.api_login(credentials)).text
        routes = (
            Route("/api/robots", ("GET", "POST"), self.own, failure),
            Route("/api/me", ("GET",), self.member, failure),
            Route("/api/portal.do", ("GET", "POST"), self.portal, failure),
        )
        self.browser = Browser(build_site(routes, Clock()))

    def own(self, call: Call) -> Answer:
        return json_answer(str(self.guard(call)))

    def member(self, call: Call) -> Answer:
        return json_answer(str(self.guard.member(call)))

    def portal(self, call: Call) -> Answer:
        return json_answer(self.guard.portal(call))

    def ask(self, method: str, *headers: tuple[str, str], path: str = "/api/robots") -> Page:
        """The answer, by the cookie."""
        return self.browser.ask(
            method, path, headers=[("Cookie", f"{COOKIE}={self.token}"), *headers]
        )


class CookieTests(GuardCase):
    """A token that comes along by itself."""

    def test_own_pages(self) -> None:
        """From a page of the box, or from no page at all, it counts."""
        for headers in (
            [],
            [("Origin", "http://box.lan:8007"), ("Sec-Fetch-Site", "same-origin")],
            [("Sec-Fetch-Site", "none")],
        ):
            for method in ("GET", "POST"):
                self.assertEqual(self.ask(method, *headers).status, 200, headers)

    def test_other_sites(self) -> None:
        """Another site changes nothing with it, neither here nor at the portal."""
        for headers in (
            [("Origin", "http://evil.example")],
            [("Origin", "null")],
            [("Sec-Fetch-Site", "cross-site")],
        ):
            for path in ("/api/robots", "/api/portal.do"):
                self.assertEqual(self.ask("POST", *headers, path=path).status, 403, headers)

    def test_bearer(self) -> None:
        """A token in its header is as good as a cookie, and as little good elsewhere."""
        bearer = ("Authorization", f"Bearer {self.token}")
        self.assertEqual(self.browser.ask("POST", "/api/robots", headers=[bearer]).status, 200)
        evil = ("Origin", "http://evil.example")
        self.assertEqual(self.ask("POST", bearer, evil).status, 403)


class NameTests(GuardCase):
    """A page on the internet whose name leads here."""

    def status(self, method: str, path: str, host: str, *headers: tuple[str, str]) -> int:
        """With a good token."""
        sent = [("Authorization", f"Bearer {self.token}"), *headers]
        return self.browser.ask(method, path, headers=sent, host=host).status

    def test_own_api(self) -> None:
        """It is told nothing, and changes nothing, even with a token."""
        for method in ("GET", "POST"):
            self.assertEqual(self.status(method, "/api/robots", "evil.example"), 403)
            for host in ("192.168.7.2", "box.lan", "portal-eu.ecouser.net", "robots.example.net"):
                self.assertEqual(self.status(method, "/api/robots", host), 200, host)

    def test_portal(self) -> None:
        """Robots and apps may call the portal as they like; pages may not."""
        evil = ("Origin", "http://evil.example")
        self.assertEqual(self.status("POST", "/api/portal.do", "evil.example"), 200)
        self.assertEqual(self.status("POST", "/api/portal.do", "evil.example", evil), 403)
        same = ("Sec-Fetch-Site", "same-origin")
        self.assertEqual(self.status("GET", "/api/portal.do", "evil.example", same), 403)


class OwnerTests(GuardCase):
    """The owner of the box."""

    def test_first(self) -> None:
        """What is his goes first, right or wrong."""
        self.assertEqual(self.ask("GET", ("X-Key", "right")).json, "owner :owner")
        self.assertEqual(self.ask("GET", ("X-Key", "wrong")).status, 401)

    def test_no_account(self) -> None:
        """He has no account, and is not told to log in to one."""
        self.assertEqual(self.ask("GET", path="/api/me").status, 200)
        page = self.ask("GET", ("X-Key", "right"), path="/api/me")
        self.assertEqual((page.status, page.json["reason"]), (403, "forbidden"))
