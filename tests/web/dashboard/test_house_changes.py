"""Tests for the pages of the house that change something: people, settings, services."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail, succeed

from bumper_tw.core.api_tokens import ApiToken
from bumper_tw.core.owner_sessions import Session
from bumper_tw.errors import BadRequest, DeviceUnknown
from bumper_tw.web.dashboard.house_people import PeopleRoutes
from bumper_tw.web.dashboard.house_services import ServiceRoutes
from bumper_tw.web.dashboard.house_settings import SettingRoutes
from tests.web.dashboard.house_case import (
    ESCAPED,
    HOSTILE,
    NOW,
    HousePageCase,
    admit,
    member,
    owner,
    words,
)


class NoPeople:
    """Accounts."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.found: list[dict[str, Any]] = []

    def users(self) -> Deferred[list[dict[str, Any]]]:
        """Who there is."""
        return succeed(self.found)

    def set_password(self, account: str, password: str, new: bool) -> Deferred[None]:
        """A password."""
        self.done.append((account, password, new))
        return succeed(None)

    def remove(self, account: str) -> Deferred[None]:
        """Removed."""
        self.done.append((account,))
        return fail(DeviceUnknown("there is no such account"))


@frozen
class Listed:
    """Tokens."""

    every: list[ApiToken] = field(factory=list)

    def listed(self) -> list[ApiToken]:
        """All of them."""
        return self.every


@frozen
class Ways:
    """How the owner comes in."""

    sessions: list[Session] = field(factory=list)
    tokens: Listed = field(factory=Listed)

    def browsers(self) -> list[Session]:
        """His browsers."""
        return self.sessions


class PeopleTests(HousePageCase):
    """The page of people."""

    def setUp(self) -> None:
        super().setUp()
        self.people, self.ways = NoPeople(), Ways()
        made = PeopleRoutes(
            self.people, self.ways, admit, owner, self.here, True, lambda _: "this"
        )
        self.browser = self.serve(made.routes())

    def test_page(self) -> None:
        """Accounts, browsers and tokens, with what they may; names stay text."""
        self.assert_closed(self.browser, "/house/people")
        self.people.found.append(
            {"account": HOSTILE, "created": NOW, "password": True, "robots": ["a"]}
        )
        for id_ in ("that", "this"):
            self.ways.sessions.append(
                Session(id_, "e", "Firefox on Linux", "192.168.7.9", True, NOW, NOW)
            )
        self.ways.tokens.every.append(ApiToken("digest", HOSTILE, ("read", "house"), NOW))
        page = self.page(self.browser, "/house/people")
        self.assertIn(f'<th scope="row">{ESCAPED}', page)
        text = words(page)
        self.assertIn("Firefox on Linux (this one)", text)
        self.assertIn("see robots, see and change everything", text)
        self.assertIn("1 robot", text)
        self.assertIn("lets every app in", text)

    def test_empty(self) -> None:
        """Where there is nothing, that is said."""
        text = words(self.page(self.browser, "/house/people"))
        self.assertIn("There is no account yet.", text)
        self.assertIn("There is no token yet.", text)

    def test_changes(self) -> None:
        """Accounts are added, changed and removed."""
        added = {"account": "alice", "password": "correct horse"}
        self.assertEqual(
            self.send(self.browser, "POST", "/api/accounts", added).json, {"ok": True}
        )
        word = {"password": "battery staple"}
        path = "/api/accounts/alice%40example.org"
        self.assertEqual(self.send(self.browser, "PUT", f"{path}/password", word).status, 200)
        gone = self.send(self.browser, "DELETE", path)
        self.assertEqual((gone.status, gone.json["error"]), (404, "there is no such account"))
        mail = "alice@example.org"
        expected = [("alice", "correct horse", True), (mail, "battery staple", False), (mail,)]
        self.assertEqual(self.people.done, expected)

    def test_refused(self) -> None:
        """Strangers, pages of others, and bodies without what is needed change nothing."""
        self.assertEqual(self.browser.get("/api/accounts").status, 401)
        self.assertEqual(self.browser.ask("DELETE", "/api/accounts/alice").status, 401)
        cookie = (("Cookie", "owner=yes"),)
        self.assertEqual(self.browser.ask("DELETE", "/api/accounts/a", b"", cookie).status, 403)
        self.assertEqual(
            self.send(self.browser, "POST", "/api/accounts", {"account": 5}).status, 400
        )
        self.assertEqual(self.people.done, [])

    def test_member(self) -> None:
        """A member of the house is not its owner, also as long as there is none."""
        made = PeopleRoutes(self.people, self.ways, admit, member, self.here, True)
        browser = self.serve(made.routes())
        self.assertEqual(browser.get("/api/accounts").status, 403)
        self.assertEqual(browser.ask("DELETE", "/api/accounts/alice").status, 403)


def setting(**more: Any) -> dict[str, Any]:
    """One that can be chosen."""
    return {
        "key": "identity.closed", "doc": "", "value": True, "default": False, "origin": "page",
        "origin_text": "chosen here", "title": "Keep new robots out", "words": "Only known ones.",
        "control": "flag", "options": [], "parts": [], "unit": "", "expected": "true or false",
        "fixed": "", **more,
    }  # fmt: skip


class NoSettings:
    """Settings."""

    def __init__(self) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.found: list[dict[str, Any]] = [setting()]

    def told(self) -> dict[str, Any]:
        """All of them."""
        plain = {"key": "server.name", "doc": "names", "value": HOSTILE, "default": "none"}
        return {
            "settings": self.found,
            "others": [{**plain, "origin": "file", "origin_text": "from bumper.toml"}],
        }

    def change(self, wanted: Mapping[str, Any]) -> Deferred[dict[str, Any]]:
        """Choose."""
        self.done.append(wanted)
        if "wrong" in wanted:
            return fail(BadRequest("there is no setting wrong"))
        return succeed(self.told())


class SettingTests(HousePageCase):
    """The page of settings."""

    def setUp(self) -> None:
        super().setUp()
        self.settings = NoSettings()
        made = SettingRoutes(self.settings, admit, owner, self.here)
        self.browser = self.serve(made.routes())

    def test_page(self) -> None:
        """Every kind is shown with its value; what counts more than the page cannot be chosen."""
        levels = [["", "As above"], ["debug", "Everything"]]
        self.settings.found += [
            setting(key="log.level", control="choice", value="debug", default="debug",
                    options=levels[1:], fixed="is set in the environment", origin="environment"),
            setting(key="commands.timeout", control="number", value=3.0, default=10.0,
                    unit="seconds", expected="a number of seconds"),
            setting(key="log.levels", control="levels", value={"mqtt": "debug"}, default={},
                    options=levels, parts=["core", "mqtt"]),
        ]  # fmt: skip
        self.assert_closed(self.browser, "/house/settings")
        page = self.page(self.browser, "/house/settings")
        self.assertIn('checked="checked"', page)
        self.assertIn('<option value="debug" selected="selected">', page)
        self.assertIn('value="3"', page)
        self.assertIn('data-part="mqtt"', page)
        self.assertIn("core: decisions", words(page))
        self.assertIn("Switched on</label>", page)
        self.assertEqual(page.count('disabled="disabled"'), 1)
        self.assertIn("This setting is set in the environment.", page)
        self.assertIn("as delivered: 10 seconds", page)
        self.assertIn(ESCAPED, page)

    def test_change(self) -> None:
        """A value is chosen, or refused in a sentence."""
        told = self.send(self.browser, "PATCH", "/api/settings", {"identity.closed": True})
        self.assertEqual(told.json["settings"][0]["key"], "identity.closed")
        wrong = self.send(self.browser, "PATCH", "/api/settings", {"wrong": 1})
        self.assertEqual((wrong.status, wrong.json["error"]), (400, "there is no setting wrong"))
        self.assertEqual(self.settings.done, [{"identity.closed": True}, {"wrong": 1}])

    def test_refused(self) -> None:
        """Strangers, members, and pages of others choose nothing."""
        self.assertEqual(self.browser.get("/api/settings").status, 401)
        cookie = (("Cookie", "owner=yes"),)
        patch = self.browser.ask("PATCH", "/api/settings", b"{}", cookie)
        self.assertEqual(patch.status, 403)
        made = SettingRoutes(self.settings, admit, member, self.here)
        self.assertEqual(self.serve(made.routes()).get("/api/settings").status, 403)
        self.assertEqual(self.settings.done, [])


class NoServices:
    """Services."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def told(self) -> list[dict[str, Any]]:
        """How they are."""
        ports = [
            {"at": "tcp:443", "tls": True, "shared": True, "open": True, "why": ""},
            {"at": "tcp:1883", "tls": False, "shared": False, "open": False, "why": HOSTILE},
        ]
        return [
            {"name": "mqtt", "title": "MQTT broker", "about": "Robots.", "state": "broken",
             "since": NOW, "why": HOSTILE, "connections": 3, "listeners": ports}
        ]  # fmt: skip

    def restart(self, name: str) -> dict[str, Any]:
        """Start anew."""
        if name != "mqtt":
            raise DeviceUnknown("there is no such service")
        self.done.append(name)
        return self.told()[0]


class ServiceTests(HousePageCase):
    """The page of services."""

    def setUp(self) -> None:
        super().setUp()
        self.services = NoServices()
        made = ServiceRoutes(self.services, admit, owner, self.here)
        self.browser = self.serve(made.routes())

    def test_page(self) -> None:
        """How each is, and where it listens."""
        self.assert_closed(self.browser, "/house/services")
        page = self.page(self.browser, "/house/services")
        self.assertIn(ESCAPED, page)
        text = words(page)
        self.assertIn("Not right", text)
        self.assertIn("port 443, with TLS, shared with the other services", text)
        self.assertIn("port 1883, not open", text)

    def test_restart(self) -> None:
        """One is started anew; others there are not."""
        told = self.send(self.browser, "POST", "/api/services/mqtt/restart")
        self.assertEqual((told.status, told.json["name"]), (200, "mqtt"))
        self.assertEqual(self.send(self.browser, "POST", "/api/services/x/restart").status, 404)
        self.assertEqual(self.services.done, ["mqtt"])

    def test_refused(self) -> None:
        """Nothing is restarted by a link, by strangers, by members, or by another page."""
        path = "/api/services/mqtt/restart"
        cookie = (("Cookie", "owner=yes"),)
        self.assertEqual(self.browser.get(path, headers=cookie).status, 405)
        self.assertEqual(self.browser.ask("POST", path).status, 401)
        self.assertEqual(self.browser.ask("POST", path, b"", cookie).status, 403)
        made = ServiceRoutes(self.services, admit, member, self.here)
        browser = self.serve(made.routes())
        self.assertEqual(browser.ask("POST", path).status, 403)
        self.assertEqual(browser.get("/api/services").status, 200)
        self.assertEqual(self.services.done, [])
