"""Tests for L{bumper_tw.web.health}."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import LoginRefused
from bumper_tw.values import Principal, Role
from bumper_tw.web.call import Call
from bumper_tw.web.health import KEPT, DoctorRoutes, Health, HealthRoutes, snapshot_routes
from bumper_tw.web.request import Limits
from bumper_tw.web.site import build_site
from tests.web.browser import Browser, Page, request

WELL = {"listeners": Health(True), "dns": Health(True, "not needed")}
ILL = {**WELL, "dns": Health(False, "names lead elsewhere")}

REPORT = {"findings": [], "failures": 0, "running": True}

LIMITS = Limits(max_body=1000)


def guard(call: Call) -> Principal:
    """Whoever has a token is let in."""
    if not call.bearer():
        raise LoginRefused("a token is needed")
    return Principal(Role.USER, "owner")


class HealthTests(SynchronousTestCase):
    """C{/healthz} and C{/readyz}: for anybody."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.looks: list[Deferred[dict[str, Health]]] = []
        routes = HealthRoutes(self.clock, self.look).routes()
        self.browser = Browser(build_site(routes, self.clock, LIMITS), self.clock)

    def look(self) -> Deferred[dict[str, Health]]:
        """A look that takes its time."""
        self.looks.append(Deferred())
        return self.looks[-1]

    def ready(self, found: dict[str, Health]) -> Page:
        """The answer when that is how things are."""
        connection = self.browser.connect()
        connection.send(request("GET", "/readyz"))
        self.looks[-1].callback(found)
        [page] = connection.received()
        return page

    def test_alive(self) -> None:
        """Nothing is looked at for that."""
        page = self.browser.get("/healthz")
        self.assertEqual((page.status, page.body), (200, b"ok\n"))
        self.assertTrue(page.headers["content-type"].startswith("text/plain"))
        self.assertEqual(self.looks, [])

    def test_ready(self) -> None:
        """All is well, and everything that was looked at is told."""
        page = self.ready(WELL)
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["cache-control"], "no-store")
        checks = {"listeners": {"ok": True, "why": ""}, "dns": {"ok": True, "why": "not needed"}}
        self.assertEqual(page.json, {"ready": True, "checks": checks})

    def test_not_ready(self) -> None:
        """One thing is wrong, and the status says so."""
        page = self.ready(ILL)
        self.assertEqual(page.status, 503)
        self.assertIs(page.json["ready"], False)
        self.assertEqual(page.json["checks"]["dns"], {"ok": False, "why": "names lead elsewhere"})

    def test_kept(self) -> None:
        """Many who ask cost one look, and the next is some seconds later."""
        connections = [self.browser.connect() for _ in range(5)]
        for connection in connections:
            connection.send(request("GET", "/readyz"))
        self.assertEqual(len(self.looks), 1)
        self.looks[0].callback(ILL)
        for connection in connections:
            self.assertEqual([page.status for page in connection.received()], [503])
        self.assertEqual(self.browser.get("/readyz").status, 503)
        self.assertEqual(len(self.looks), 1)
        self.clock.advance(KEPT)
        self.assertEqual(self.ready(WELL).status, 200)
        self.assertEqual(len(self.looks), 2)

    def test_hang_up(self) -> None:
        """Whoever goes away is forgotten, and the look goes on for the others."""
        gone, stays = self.browser.connect(), self.browser.connect()
        for connection in (gone, stays):
            connection.send(request("GET", "/readyz"))
        gone.hang_up()
        self.looks[0].callback(WELL)
        self.assertEqual([page.status for page in stays.received()], [200])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_broken(self) -> None:
        """A look that breaks is a bug and a 500, and the next one is made again."""
        connection = self.browser.connect()
        connection.send(request("GET", "/readyz"))
        self.looks[0].errback(ZeroDivisionError())
        self.assertEqual([page.status for page in connection.received()], [500])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.ready(WELL).status, 200)


class DoctorTests(SynchronousTestCase):
    """C{/api/doctor}: for those who have an account; and all of it for the owner's commands."""

    def browser(self, *, control: bool) -> Browser:
        """The site, or the one behind the control socket."""
        routes = DoctorRoutes(guard, self.report).routes()
        if control:
            routes = snapshot_routes(self.snapshot, self.report)
        clock = Clock()
        return Browser(build_site(routes, clock, LIMITS), clock)

    def report(self) -> Deferred[Mapping[str, Any]]:
        """What the doctor finds."""
        return succeed(REPORT)

    def snapshot(self) -> Deferred[Mapping[str, Any]]:
        """What the server knows."""
        return succeed({"version": "1"})

    def test_token(self) -> None:
        """Nobody else is told anything."""
        page = self.browser(control=False).get("/api/doctor")
        self.assertEqual((page.status, page.json["reason"]), (401, "unauthorized"))
        bearer = [("Authorization", "Bearer x")]
        page = self.browser(control=False).get("/api/doctor", headers=bearer)
        self.assertEqual((page.status, page.json), (200, REPORT))

    def test_snapshot(self) -> None:
        """It is behind the control socket only."""
        bearer = [("Authorization", "Bearer x")]
        page = self.browser(control=False).get("/api/doctor/snapshot", headers=bearer)
        self.assertNotIn("version", page.body.decode())
        self.assertEqual(
            self.browser(control=True).get("/api/doctor/snapshot").json["version"], "1"
        )
        self.assertEqual(self.browser(control=True).get("/api/doctor").json, REPORT)
