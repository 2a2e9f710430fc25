"""A site with pages about the house on it, its owner, and strangers."""

import json
import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import Forbidden, LoginRefused
from bumper_tw.values import OWNER as OWNER_UID
from bumper_tw.values import Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.frame import Visit
from bumper_tw.web.routes import Route
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page

NOW = 1_795_000_000.0

#: What nobody would be called, unless he means harm: markup, quotes, a right-to-left override,
#: a NUL, and more than anybody reads.
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x00" + "x" * 10_000

#: What is left of it on a page.
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"

OWNER = (("Cookie", "owner=yes"),)
CHANGE = (*OWNER, ("X-CSRF-Token", "sesame"), ("Content-Type", "application/json"))


def admit(call: Call) -> Visit:
    """Only the owner."""
    if call.cookie("owner") != "yes":
        raise LoginRefused("log in first")
    return Visit("sesame", "epoch-7", call.path)


def owner(call: Call) -> Principal:
    """Only the owner, from a page of his when he changes something."""
    admit(call)
    if call.method != "GET" and "sesame" not in {call.header("x-csrf-token"), said(call)}:
        raise Forbidden("open the page again")
    return Principal(Role.OWNER, OWNER_UID)


def member(_: Call) -> Principal:
    """Somebody who is at home, in a house whose owner has no password yet."""
    return Principal(Role.USER, "fuid_alice")


def said(call: Call) -> object:
    """What a form came with."""
    return call.body().get("csrf") if call.raw else ""


class HousePageCase(SynchronousTestCase):
    """A site with some routes."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)

    def serve(self, routes: Iterable[Route]) -> Browser:
        """The routes on a site."""
        return Browser(build_site(routes, self.clock), self.clock)

    def here(self, call: Call) -> bool:
        """Everybody calls this box by its own name."""
        return call.host == "box.lan"

    def page(self, browser: Browser, path: str) -> str:
        """A page as its owner sees it; it keeps what is promised of all of them."""
        found = browser.get(path, headers=OWNER)
        self.assertEqual(found.status, 200, found.body[:300])
        self.assertIn("script-src 'self'", found.headers["content-security-policy"])
        text = found.body.decode()
        self.assertNotRegex(text, r'<[^>]+\s(on\w+|style)="')
        self.assertNotRegex(text, r"<script(?! type=\"module\" src=)")
        self.assertNotIn("\u202e", text)
        self.assertNotIn("\x00", text)
        return text

    def send(self, browser: Browser, method: str, path: str, value: Any = None) -> Page:
        """A change by a script of a page."""
        body = b"" if value is None else json.dumps(value).encode()
        return browser.ask(method, path, body, CHANGE)

    def assert_closed(self, browser: Browser, path: str) -> None:
        """Who is not logged in gets to where one does that, and other names have no such page."""
        away = browser.get(path)
        self.assertEqual(away.status, 303)
        self.assertTrue(away.headers["location"].startswith("/login?next="))
        elsewhere = browser.get(path, headers=OWNER, host="portal-eu.ecouser.net")
        self.assertNotEqual(elsewhere.status, 200)


def words(page: str) -> str:
    """What somebody reads on a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
