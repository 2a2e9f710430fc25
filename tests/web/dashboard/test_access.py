"""
Tests for L{bumper_tw.web.dashboard.access}: logging in, the first visit, logging out (attacks.md
4.3, 26 and 31).
"""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.owner_access import KEY, SHELF
from bumper_tw.web.dashboard.access import next_of, spelled
from bumper_tw.web.owner_cookies import PLAIN, PLAIN_FORM
from tests.core.owners import WORD
from tests.web.dashboard.door_case import DoorCase, Surfer


class WelcomeTests(DoorCase):
    """The first visit."""

    def code(self) -> str:
        """What the log says after somebody has opened the page."""
        with capturedLogs() as lines:
            self.surfer.get("/welcome")
        [line] = map(formatEvent, lines)
        found = re.search(r"visit is (\w{8});", line)
        assert found is not None
        return found[1]

    def claimed(self, **fields: str) -> tuple[int, str]:
        """The form is filled in; status, and what is wrong."""
        filled = {"code": self.access.code.current(), "password": WORD, "again": WORD, **fields}
        page = self.surfer.form("/welcome", **{**self.surfer.fields("/welcome"), **filled})
        found = re.search(rb'role="alert"[^>]*>([^<]*)<', page.body)
        return page.status, found[1].decode() if found else ""

    def test_led_there(self) -> None:
        """Every page leads there."""
        first = self.surfer.get("/")
        self.assertEqual((first.status, first.headers["location"]), (303, "/login?next=/"))
        self.assertEqual(self.surfer.get("/login").headers["location"], "/welcome")

    def test_in(self) -> None:
        """With the code from the log one is in, and goes on to set everything up."""
        code = self.code()
        sent = {**self.surfer.fields("/welcome"), "code": code, "password": WORD, "again": WORD}
        page = self.surfer.form("/welcome", **sent)
        self.assertEqual((page.status, page.headers["location"]), (303, "/setup"))
        self.assertEqual(self.surfer.get("/").status, 200)
        self.assertEqual(self.surfer.get("/welcome").headers["location"], "/login")

    def test_said(self) -> None:
        """The page says where the code is, and not what it is."""
        code, text = self.code(), self.surfer.get("/welcome").body.decode()
        for where in ("bumper owner code", "journalctl -u bumper", "docker compose logs"):
            self.assertIn(where, text)
        self.assertNotIn(code, text)

    def test_wrong(self) -> None:
        """What is wrong is said, and there is still no owner."""
        for fields, status, word in (
            ({"code": "wrong"}, 403, "not the code"),
            ({"again": "other"}, 400, "not the same"),
            ({"password": "short", "again": "short"}, 400, "fewer than 8"),
            ({"form": "wrong"}, 403, "try again"),
        ):
            said = self.claimed(**fields)
            self.assertEqual(said[0], status)
            self.assertIn(word, said[1])
        self.assertFalse(self.access.is_set)

    def test_full_disk(self) -> None:
        """Nobody becomes the owner of a box that cannot remember him."""
        self.box.store.full = True
        self.assertEqual(self.claimed()[0], 503)
        self.assertFalse(self.access.is_set)

    def test_markup(self) -> None:
        """What was typed does not come back, whatever it is."""
        typed = "<script>alert(1)</script>\x00\u202e"
        page = self.surfer.form(
            "/welcome", **{**self.surfer.fields("/welcome"), "code": typed, "next": typed}
        )
        self.assertNotIn(b"<script>alert", page.body)
        self.assertNotIn("\u202e", page.body.decode())


class LoginTests(DoorCase):
    """Logging in."""

    def setUp(self) -> None:
        super().setUp()
        self.claim()
        self.surfer.cookies.clear()

    def test_in(self) -> None:
        """One is in, where one wanted to go; then the form is of no use."""
        page = self.surfer.log_in(next="/robots/did 1")
        self.assertEqual((page.status, page.headers["location"]), (303, "/robots/did%201"))
        self.assertEqual(self.surfer.get("/robots/did1").status, 200)
        self.assertEqual(self.surfer.get("/login").headers["location"], "/")

    def test_way_back(self) -> None:
        """From a page to the form and back, whatever the robot is called."""
        there = self.surfer.get("/robots/d%22%3Cb%3E%0d%0aX:%20%C3%A4").headers["location"]
        page = self.surfer.get(there)
        self.assertNotIn(b"<b>", page.body)
        fields = self.surfer.fields(there)
        back = self.surfer.form("/login", **{**fields, "password": WORD}).headers["location"]
        self.assertTrue(back.startswith("/robots/d%22%3Cb%3E"), back)

    def test_wrong(self) -> None:
        """The form comes again, with a sentence, and without what was typed."""
        for word in ("", "wrong one", "x" * 10_000, "<b>", "\x00"):
            page = self.surfer.log_in(word)
            self.assertEqual(page.status, 403)
            self.assertIn(b"That is not the password.", page.body)
            self.assertNotIn(b"wrong one", page.body)
        self.assertNotIn(PLAIN, self.surfer.cookies)

    def test_throttled(self) -> None:
        """After ten wrong ones the right one has to wait."""
        for _ in range(10):
            self.surfer.log_in("wrong one")
        self.assertEqual(self.surfer.log_in().status, 429)
        self.box.clock.advance(60)
        self.assertEqual(self.surfer.log_in().status, 303)

    def test_other_sites(self) -> None:
        """Another site does not log a browser in, neither a new one nor an old one."""
        fields = self.surfer.fields("/login")
        for headers in (
            [("Origin", "http://evil.example")],
            [("Origin", "null")],
            [("Sec-Fetch-Site", "cross-site")],
        ):
            page = self.surfer.form("/login", *headers, **{**fields, "password": WORD})
            self.assertEqual(page.status, 403)
        self.surfer.get("/login")
        self.assertEqual(self.surfer.form("/login", password=WORD).status, 403)
        self.surfer.cookies.pop(PLAIN_FORM)
        self.assertEqual(self.surfer.form("/login", password=WORD, form="").status, 403)
        self.assertNotIn(PLAIN, self.surfer.cookies)

    def test_fixation(self) -> None:
        """A cookie that somebody has planted is not made good by a login."""
        planted = "f" * 64
        self.surfer.cookies[PLAIN] = planted
        self.assertEqual(self.surfer.log_in().status, 303)
        self.assertNotEqual(self.surfer.cookies[PLAIN], planted)
        thief = Surfer(self.site, cookies={PLAIN: planted})
        self.assertEqual(thief.get("/").status, 303)

    def test_again(self) -> None:
        """Who logs in again in the same browser has one session, with another text."""
        self.surfer.log_in()
        before = self.surfer.cookies[PLAIN]
        # In another tab, the form was open all the time.
        other = Surfer(self.site)
        fields = other.fields("/login")
        self.surfer.cookies[PLAIN_FORM] = other.cookies[PLAIN_FORM]
        self.surfer.form("/login", **{**fields, "password": WORD})
        self.assertNotEqual(self.surfer.cookies[PLAIN], before)
        self.assertEqual(Surfer(self.site, cookies={PLAIN: before}).get("/").status, 303)

    def test_headers(self) -> None:
        """Nobody keeps the page, frames it or runs anything in it."""
        page = self.surfer.get("/login")
        self.assertEqual(page.headers["cache-control"], "no-store")
        self.assertIn("frame-ancestors 'none'", page.headers["content-security-policy"])
        self.assertNotIn(b"<script", page.body)

    def test_nonsense(self) -> None:
        """Bodies that are no form are refused, and nothing breaks."""
        for kind, body in (
            ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 300)),
            ("application/x-www-form-urlencoded", b"\xff\xfe"),
            ("application/json", b'{"form": {}, "password": 1}'),
            ("multipart/form-data; boundary=x", b"--x"),
            ("", b"[]"),
        ):
            page = self.surfer.ask("POST", "/login", body, [("Content-Type", kind)])
            self.assertEqual(page.status, 403, body)


class LogoutTests(DoorCase):
    """Logging out."""

    def setUp(self) -> None:
        super().setUp()
        self.csrf = self.claim()

    def test_out(self) -> None:
        """The session has ended, the cookie is gone."""
        before = dict(self.surfer.cookies)
        page = self.surfer.form("/logout", csrf=self.csrf)
        self.assertEqual((page.status, page.headers["location"]), (303, "/login"))
        self.assertNotIn(PLAIN, self.surfer.cookies)
        self.assertEqual(Surfer(self.site, cookies=before).get("/").status, 303)

    def test_unproven(self) -> None:
        """Nobody else logs the owner out."""
        for fields in ({}, {"csrf": "wrong"}, {"csrf": ""}):
            self.assertEqual(self.surfer.form("/logout", **fields).status, 403)
        self.assertEqual(self.surfer.get("/").status, 200)

    def test_full_disk(self) -> None:
        """He is out, whatever the disk says."""
        self.box.store.full = True
        self.assertEqual(self.surfer.form("/logout", csrf=self.csrf).status, 303)
        self.assertEqual(self.access.browsers(), [])

    def test_removed_meanwhile(self) -> None:
        """When the password is gone, the first visit comes again."""
        self.box.store.remove(SHELF, [KEY])
        self.access.load(self.box.store)
        there = self.surfer.get("/").headers["location"]
        self.assertEqual(self.surfer.get(there).headers["location"], "/welcome")


class NextTests(SynchronousTestCase):
    """Where to go on after a login."""

    def test_local(self) -> None:
        """Pages of this box."""
        for path in ("/", "/robots/did1", "/house/journal", "/a b"):
            self.assertEqual(next_of(path), path)

    def test_elsewhere(self) -> None:
        """Nothing leads to another box, or back to the door."""
        for said in (
            *("", "//evil.example", "/\\evil.example", "http://evil.example", "evil"),
            *("javascript:alert(1)", "\\\\evil", " //evil", "/login", "/" + "x" * 1000),
        ):
            self.assertEqual(next_of(said), "/", said)

    @given(st.text())
    def test_anything(self, said: str) -> None:
        """It is one path on this box, in letters that a header can bear."""
        path = spelled(next_of(said.encode("utf-8", "replace").decode()))
        self.assertRegex(path, r"\A/(?![/\\])[\x21-\x7e]*\Z")
        self.assertNotIn("\\", path)
