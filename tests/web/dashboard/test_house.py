"""Tests for L{bumper_tw.web.dashboard.house} and the pages that only show something."""

from typing import Any

from twisted.internet.defer import Deferred, succeed

from bumper_tw.core.unknown import Unknown
from bumper_tw.web.dashboard.access_log import Access
from bumper_tw.web.dashboard.house import HouseRoutes
from bumper_tw.web.dashboard.house_access import AccessPage
from bumper_tw.web.dashboard.house_parts import lasting, moment
from bumper_tw.web.dashboard.house_unknown import UnknownPage
from tests.web.dashboard.house_case import (
    ESCAPED,
    HOSTILE,
    NOW,
    HousePageCase,
    admit,
    owner,
    words,
)


def finding(sound: bool | None, sentence: str, **more: Any) -> dict[str, Any]:
    """What the doctor found."""
    rest = {"check": "dns", "remedy": "", "hosts": [], "lines": []}
    return {**rest, "sound": sound, "sentence": sentence, **more}


def house(**more: Any) -> dict[str, Any]:
    """How a house is."""
    return {
        "at": NOW,
        "version": "1.2.3",
        "started": NOW - 90_000,
        "memory": 61_000_000,
        "robots": {"known": 3, "online": 2},
        "certificate_days": 300.7,
        "ready": True,
        "checks": {"dns": {"ok": True, "why": "not needed"}},
        "findings": [finding(True, "The disk has room.")],
        "failures": 0,
        "listeners": [
            {"serve": "all", "at": "tcp:443", "tls": True, "shared": True, "open": True, "why": ""}
        ],
        **more,
    }


class HealthTests(HousePageCase):
    """The page of the health of the house."""

    def setUp(self) -> None:
        super().setUp()
        self.found = house()
        self.browser = self.serve(HouseRoutes(self.look, admit, owner, self.here).routes())

    def look(self) -> Deferred[dict[str, Any]]:
        """As it is now."""
        return succeed(self.found)

    def test_closed(self) -> None:
        """Only the owner sees it, and programs of his."""
        self.assert_closed(self.browser, "/house")
        self.assertEqual(self.browser.get("/api/house").status, 401)

    def test_well(self) -> None:
        """All is well, and what there is to know is there."""
        text = words(self.page(self.browser, "/house"))
        for said in ("All is well.", "2 of 3 connected", "1 day and 1 hour", "61 MB", "300 days"):
            self.assertIn(said, text)
        self.assertIn("port 443, with TLS, shared", text)

    def test_wrong(self) -> None:
        """What is wrong comes with what to do, and with what to copy."""
        wrong = finding(False, "Names lead elsewhere.", remedy="Ask the router.", lines=["a=b"])
        self.found = house(failures=1, findings=[wrong, *self.found["findings"]])
        page = self.page(self.browser, "/house")
        self.assertIn("1 thing needs a look.", page)
        self.assertIn("<h2>Names lead elsewhere.</h2>", page)
        self.assertIn("Ask the router.", page)
        self.assertIn("<pre>a=b</pre>", page)

    def test_names(self) -> None:
        """Where names lead elsewhere, the page leads to the step of the set-up that is for it."""
        wrong = finding(
            False, "it leads past us", check="names", remedy="print it with: bumper dns"
        )
        self.found = house(
            failures=1, findings=[wrong, finding(False, "it is full", check="disk")]
        )
        page = self.page(self.browser, "/house")
        self.assertEqual(page.count('href="/setup#step-dns"'), 1)
        self.assertIn("<h2>It leads past us.</h2>", page)

    def test_asides(self) -> None:
        """What is in brackets for whoever edits files is left out."""
        remedy = "choose another port (write all listeners, as in docs/first-connection.rst)"
        self.found = house(failures=1, findings=[finding(False, "a port is taken", remedy=remedy)])
        text = words(self.page(self.browser, "/house"))
        self.assertIn("Choose another port.", text)
        self.assertNotIn("docs/", text)

    def test_not_ready(self) -> None:
        """What is not ready is told, also when nothing is wrong."""
        self.found = house(ready=False, checks={"database": {"ok": False, "why": "it is full"}})
        text = words(self.page(self.browser, "/house"))
        self.assertIn("not ready yet", text)
        self.assertIn("It is full.", text)

    def test_hostile(self) -> None:
        """Whatever is in a finding stays text."""
        wrong = finding(False, HOSTILE, remedy=HOSTILE, lines=[HOSTILE], hosts=[HOSTILE])
        self.found = house(failures=1, findings=[wrong])
        page = self.page(self.browser, "/house")
        self.assertIn(ESCAPED, page)
        self.assertLess(len(page), 10_000)

    def test_api(self) -> None:
        """Programs get the same."""
        headers = (("Cookie", "owner=yes"),)
        self.assertEqual(self.browser.get("/api/house", headers=headers).json, self.found)


class NoLog:
    """An access log."""

    def __init__(self, *entries: Access) -> None:
        self._entries = list(entries)

    def entries(self) -> list[Access]:
        """What is in it."""
        return self._entries


class AccessTests(HousePageCase):
    """The page of the access log."""

    def test_empty(self) -> None:
        """At first there is nothing."""
        browser = self.serve(AccessPage(NoLog(), admit, self.here).routes())
        self.assert_closed(browser, "/house/access")
        self.assertIn("Nothing yet.", self.page(browser, "/house/access"))

    def test_entries(self) -> None:
        """What was done, refused, and did not work; whoever did it stays text."""
        log = NoLog(
            Access(5, NOW, "a browser", "", "POST /api/robots/<did>/actions/<action>", "d1", 200,
                   about="clean"),
            Access(4, NOW, "a browser", "", "POST /api/services/<name>/restart", "", 200,
                   about="mqtt"),
            Access(3, NOW, HOSTILE, "192.168.7.9", "POST /login", "", 401, 4, why="a wrong word"),
            Access(2, NOW, "a browser", "192.168.7.8", "PATCH /api/settings", "", 200,
                   about="identity.closed"),
            Access(1, NOW, "a script", "", "POST /api/strange/<did>/<x>", HOSTILE, 504,
                   about="y"),
            Access(0, NOW, "a script", "", "GET /api/tokens/<token>", "", 403, about="secret"),
        )  # fmt: skip
        routes = AccessPage(
            log, admit, self.here, lambda did: "Dusty" if did == "d1" else did
        ).routes()
        page = self.page(self.serve(routes), "/house/access")
        self.assertIn(ESCAPED, page)
        text = words(page)
        for said in (
            "Clean: Dusty Done",
            "Start MQTT anew Done",
            "Log in (4 times) Refused A wrong word.",
            "Choose settings: “Keep new robots out” Done",
            "POST /api/strange/",
            "Not done",
            "Look at /api/tokens/… Refused",
        ):
            self.assertIn(said, text)
        self.assertNotIn("secret", text)


class SomeUnknown:
    """A report."""

    unlisted = 12

    def __init__(self, *found: Unknown) -> None:
        self._found = list(found)

    def report(self) -> list[Unknown]:
        """What is in it."""
        return self._found


class UnknownTests(HousePageCase):
    """The page of what nobody answers."""

    def serve_unknown(self, *found: Unknown) -> str:
        """The page as it is then."""
        unknown: Any = SomeUnknown(*found)
        return self.page(
            self.serve(UnknownPage(unknown, admit, self.here).routes()), "/house/unknown"
        )

    def test_none(self) -> None:
        """All is known."""
        self.assertIn("Nobody has asked for anything unknown.", self.serve_unknown())

    def test_some(self) -> None:
        """What was asked for, how often, and how; it stays text."""
        found = Unknown(
            first=NOW, last=NOW, count=7, method="GET", path=f"/api/{HOSTILE}", family="",
            shapes=({"query": [HOSTILE]},),
        )  # fmt: skip
        page = self.serve_unknown(found)
        self.assertIn(ESCAPED, page)
        self.assertIn('<td class="number">7</td>', page)
        self.assertIn("And 12 more", words(page))


class WordTests(HousePageCase):
    """Times in words."""

    def test_lasting(self) -> None:
        """As exact as anybody wants to know it."""
        cases = {0: "0 minutes", 61: "1 minute", 7200: "2 hours and 0 minutes", -5: "0 minutes"}
        for seconds, said in {**cases, 86_400 * 2: "2 days and 0 hours"}.items():
            self.assertEqual(lasting(seconds), said)

    def test_moment(self) -> None:
        """No time, and times beyond all calendars, are a hyphen."""
        for seconds in (0.0, 1e30, float("inf"), float("nan")):
            self.assertEqual(moment(seconds), "-")
