"""Tests for L{bumper_tw.web.dashboard.access_api}: password, browsers and tokens in JSON."""

from typing import Any

from twisted.internet.address import IPv4Address

from bumper_tw.core.owner_access import GUESSES
from bumper_tw.web.owner_cookies import PLAIN, PLAIN_KNOWN
from tests.core.owners import WORD
from tests.web.browser import Page
from tests.web.dashboard.door_case import PEERS, STRANGER, DoorCase, Surfer

CSRF = "X-CSRF-Token"


class ApiCase(DoorCase):
    """A box with an owner."""

    def setUp(self) -> None:
        super().setUp()
        self.csrf = self.claim()

    def send(self, method: str, path: str, value: Any = None) -> Page:
        """The owner changes something."""
        return self.surfer.json(method, path, {} if value is None else value, (CSRF, self.csrf))


class SessionTests(ApiCase):
    """Logging in by a script."""

    def test_state(self) -> None:
        """Everybody near learns whether there is an owner; he himself, that he is in."""
        self.assertEqual(
            self.surfer.get("/api/session").json, {"set": True, "in": True, "csrf": self.csrf}
        )
        other = Surfer(self.site)
        self.assertEqual(other.get("/api/session").json, {"set": True, "in": False, "csrf": ""})

    def test_life(self) -> None:
        """In and out."""
        other = Surfer(self.site)
        csrf = other.json("POST", "/api/session", {"password": WORD}).json["csrf"]
        self.assertEqual(other.get("/").json, csrf)
        self.assertEqual(other.json("DELETE", "/api/session", {}).status, 403)
        self.assertEqual(other.json("DELETE", "/api/session", {}, (CSRF, csrf)).status, 200)
        self.assertEqual(list(other.cookies), [PLAIN_KNOWN])
        self.assertEqual(other.get("/").status, 303)

    def test_twice(self) -> None:
        """Who logs in once more is in once; what his browser had before opens nothing."""
        before = dict(self.surfer.cookies)
        self.surfer.json("POST", "/api/session", {"password": WORD})
        self.assertEqual(len(self.access.browsers()), 1)
        self.assertEqual(Surfer(self.site, cookies=before).get("/").status, 303)

    def test_two_cookies(self) -> None:
        """A cookie of the same name that somebody else has set keeps nobody out."""
        good = self.surfer.cookies[PLAIN]
        for text in (f"{PLAIN}=x; {PLAIN}={good}", f"{PLAIN}={good}; {PLAIN}=x"):
            other = Surfer(self.site)
            self.assertEqual(other.get("/", ("Cookie", text)).json, self.csrf)

    def test_known(self) -> None:
        """A browser that was let in is let in again, whoever guesses; others are not."""
        known = Surfer(self.site)
        known.log_in()
        known.form("/logout", csrf=known.get("/").json)
        for number in range(GUESSES):
            peer = IPv4Address("TCP", f"192.168.8.{number}", 40000)
            guess = Surfer(self.site, peer=peer).json("POST", "/api/session", {"password": "x"})
            self.refused(guess, 401)
        body = {"password": WORD}
        self.refused(Surfer(self.site).json("POST", "/api/session", body), 429)
        self.assertEqual(known.json("POST", "/api/session", body).status, 200)

    def test_told_at_once(self) -> None:
        """Whoever goes on hearing what changes is looked at again with every change of these."""
        other = Surfer(self.site)
        made = self.send("POST", "/api/tokens", {"name": "x", "scopes": ["read"]}).json
        before = self.changes
        other.log_in()
        found = next(each for each in self.access.browsers() if each.id != self._mine())
        self.send("DELETE", f"/api/sessions/{found.id}")
        self.send("DELETE", f"/api/tokens/{made['id']}")
        page = self.send("PUT", "/api/owner/password", {"old": WORD, "new": "battery staple"})
        self.surfer.form("/logout", csrf=page.json["csrf"])
        self.surfer.json("POST", "/api/session", {"password": "battery staple"})
        csrf = self.surfer.get("/").json
        self.surfer.json("DELETE", "/api/session", {}, (CSRF, csrf))
        self.assertEqual(self.changes - before, 7)

    def _mine(self) -> str:
        sessions = self.surfer.get("/api/sessions").json["sessions"]
        return next(str(each["id"]) for each in sessions if each["this"])

    def test_refused(self) -> None:
        """Wrong, or from another site, or not called by a name of ours, or not JSON."""
        other = Surfer(self.site)
        right = {"password": WORD}
        self.refused(other.json("POST", "/api/session", {"password": "x"}), 401)
        evil = ("Origin", "http://evil.example")
        self.refused(other.json("POST", "/api/session", right, evil), 403)
        self.refused(other.form("/api/session", password=WORD), 400)
        self.refused(other.json("POST", "/api/session", {"password": 1}), 400)
        other.host = "evil.example"
        self.refused(other.json("POST", "/api/session", right), 403)
        other.host, other.peer = "box.lan", STRANGER
        self.refused(other.json("POST", "/api/session", right), 403)

    def test_list(self) -> None:
        """All browsers, and which of them asks; one is ended."""
        phone = Surfer(self.site, peer=PEERS)
        phone.json("POST", "/api/session", {"password": WORD})
        found = self.surfer.get("/api/sessions").json["sessions"]
        self.assertEqual(
            [(each["peer"], each["label"], each["this"]) for each in found],
            [
                ("192.168.7.33", "Firefox on Linux", True),
                ("192.168.7.44", "Firefox on Linux", False),
            ],
        )
        self.assertNotIn(phone.cookies[PLAIN], str(found))
        path = f"/api/sessions/{found[1]['id']}"
        self.assertEqual(self.surfer.json("DELETE", path, {}).status, 403)
        self.assertEqual(self.send("DELETE", path).status, 200)
        self.assertEqual(phone.get("/").status, 303)
        self.assertEqual(self.surfer.get("/").status, 200)

    def test_not_stored(self) -> None:
        """Who is not told that it is done may try again."""
        [mine] = self.surfer.get("/api/sessions").json["sessions"]
        self.box.store.full = True
        self.refused(self.send("DELETE", f"/api/sessions/{mine['id']}"), 503)


class OwnerTests(ApiCase):
    """The password."""

    def test_once(self) -> None:
        """There is one first visit."""
        body = {"code": self.access.code.current(), "password": "another one"}
        self.refused(self.surfer.json("POST", "/api/owner", body), 401)

    def test_changed(self) -> None:
        """Only this browser stays in, with another text and another proof."""
        other = Surfer(self.site)
        other.json("POST", "/api/session", {"password": WORD})
        body = {"old": WORD, "new": "battery staple"}
        page = self.send("PUT", "/api/owner/password", body)
        self.assertNotEqual(page.json["csrf"], self.csrf)
        self.assertEqual(self.surfer.get("/").json, page.json["csrf"])
        self.assertEqual(other.get("/").status, 303)
        self.refused(other.json("POST", "/api/session", {"password": WORD}), 401)

    def test_refused(self) -> None:
        """Not with a wrong one, not without proof, and not with a token."""
        body = {"old": WORD, "new": "battery staple"}
        self.refused(self.send("PUT", "/api/owner/password", {**body, "old": "x"}), 401)
        self.refused(self.send("PUT", "/api/owner/password", {**body, "new": "x"}), 400)
        self.refused(self.surfer.json("PUT", "/api/owner/password", body), 403)
        script = Surfer(self.site)
        header = self.token("house")
        self.refused(script.json("PUT", "/api/owner/password", body, header), 401)
        self.box.store.full = True
        self.refused(self.send("PUT", "/api/owner/password", body), 503)
        self.box.store.full = False
        self.assertEqual(Surfer(self.site).log_in().status, 303)


class TokenTests(ApiCase):
    """Tokens."""

    def test_life(self) -> None:
        """Its text is told once; it is listed without, and removed."""
        wanted = {"name": "<b>hub</b>\u202e", "scopes": ["control"], "days": 7}
        made = self.send("POST", "/api/tokens", wanted).json
        script = Surfer(self.site)
        bearer = ("Authorization", f"Bearer {made.pop('token')}")
        self.assertEqual(script.get("/api/robots", bearer).status, 200)
        found = self.surfer.get("/api/tokens")
        [listed] = found.json["tokens"]
        self.assertEqual((listed["name"], listed["scopes"]), ("<b>hub</b>", ["control"]))
        self.assertEqual(listed["expires"], listed["created"] + 7 * 86_400)
        self.assertNotIn(bearer[1][11:].encode(), found.body)
        self.assertEqual(self.send("DELETE", f"/api/tokens/{listed['id']}").status, 200)
        self.refused(script.get("/api/robots", bearer), 401)

    def test_wrong(self) -> None:
        """What cannot be like that."""
        for body in (
            {"name": "x"},
            {"name": "x", "scopes": "read"},
            {"name": "x", "scopes": [1]},
            {"name": "x", "scopes": [{}]},
            {"name": "x", "scopes": ["root"]},
            {"name": "", "scopes": ["read"]},
            {"name": "x", "scopes": ["read"], "days": True},
            {"name": "x", "scopes": ["read"], "days": 10**30},
        ):
            self.refused(self.send("POST", "/api/tokens", body), 400)

    def test_scope(self) -> None:
        """A token for less does not see or make tokens; one for the house does."""
        script = Surfer(self.site)
        body = {"name": "x", "scopes": ["read"]}
        less, more = self.token("control"), self.token("house")
        self.refused(script.get("/api/tokens", less), 403)
        self.refused(script.json("POST", "/api/tokens", body, less), 403)
        self.assertEqual(script.json("POST", "/api/tokens", body, more).status, 200)
        self.assertEqual(script.get("/api/sessions", more).status, 200)


class AccessLogTests(ApiCase):
    """Who did what."""

    def seen(self) -> list[tuple[str, str, int, int]]:
        """All of it, the newest first."""
        entries = self.surfer.get("/api/access").json["entries"]
        return [(each["who"], each["what"], each["status"], each["times"]) for each in entries]

    def test_changes(self) -> None:
        """Changes with who made them, what was refused, what was taken away; not what was seen."""
        self.surfer.ask("POST", "/api/robots/did1/clean", headers=[(CSRF, self.csrf)])
        self.surfer.get("/api/robots")
        self.surfer.get("/api/backup")
        Surfer(self.site).get("/api/house", self.token("read"))
        self.send("DELETE", "/api/tokens/secret")
        owner = "owner, Firefox on Linux"
        self.assertEqual(
            self.seen(),
            [
                (owner, "DELETE /api/tokens/<token>", 200, 1),
                ("token hub", "GET /api/house", 403, 1),
                (owner, "GET /api/backup", 200, 1),
                (owner, "POST /api/robots/<did>/clean", 200, 1),
                (owner, "POST /api/owner", 200, 1),
            ],
        )
        self.assertEqual(self.log.entries()[3].did, "did1")

    def test_who_leaves(self) -> None:
        """Who logs out is known all the same; so is who logs in with a wrong password."""
        self.surfer.form("/logout", csrf=self.csrf)
        self.surfer.log_in("wrong one")
        found = [(each.who, each.what, each.status) for each in self.log.entries()][:2]
        self.assertEqual(
            found,
            [
                ("somebody, Firefox on Linux", "POST /login", 403),
                ("owner, Firefox on Linux", "POST /logout", 303),
            ],
        )

    def test_flood(self) -> None:
        """Whoever is not let in does not push out what was done, and is counted."""
        other = Surfer(self.site)
        for number in range(300):
            other.get(f"/api/house?{number}")
            other.get("/api/backup", ("User-Agent", "x"))
        for _ in range(50):
            other.get("/api/house")
        entries = self.log.entries()
        self.assertEqual(entries[0].times, 50)
        self.assertEqual(entries[-1].what, "POST /api/owner")
        self.assertLessEqual(len(entries), 101)

    def test_hostile(self) -> None:
        """What somebody calls himself is short, and harmless."""
        for said in ("<script>", "x" * 5000, "\u202e\u2066", "a\tb"):
            Surfer(self.site).get("/api/house", ("User-Agent", said))
        for entry in self.log.entries():
            self.assertTrue(entry.who.isprintable() and len(entry.who) <= 100)
