"""Tests for L{bumper_tw.web.dashboard.access_log}: who did what, whatever became of it."""

from collections import Counter

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.access_log import DONE, OTHERS, Access, AccessLog, told
from bumper_tw.web.routes import Ask, Route
from bumper_tw.web.site import build_site
from tests.web.browser import Browser


class AccessLogTests(SynchronousTestCase):
    """A site with one route."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.heard: list[Access] = []
        self.log = AccessLog(self.clock, lambda call: call.header("x-who"), self.heard.append)

    def browser(self, answer: Ask) -> Browser:
        """Of a site that answers so."""
        route = Route("/api/robots/<did>", ("GET", "POST"), answer, failure)
        return Browser(build_site(self.log.watched([route]), self.clock))

    def seen(self, answer: Ask, method: str = "POST") -> list[tuple[str, int]]:
        """What is written down about a request that is answered so."""
        self.browser(answer).ask(method, "/api/robots/did1", headers=[("X-Who", "Anna")])
        return [(each.what, each.status) for each in self.log.entries()]

    def test_failures(self) -> None:
        """At once or later, it is written down with the status that it has."""

        def raising(wrong: Exception) -> Ask:
            def answer(_: Call) -> Answer:
                raise wrong

            return answer

        for wrong, status in (
            (BadRequest("x"), 400),
            (LoginRefused("x"), 401),
            (StorageError("x"), 503),
        ):
            for answer in (raising(wrong), lambda _, wrong=wrong: fail(wrong)):
                self.setUp()
                self.assertEqual(self.seen(answer), [("POST /api/robots/<did>", status)])

    def test_later(self) -> None:
        """An answer that has to wait is written down when it comes."""
        waiting: Deferred[Answer] = Deferred()
        connection = self.browser(lambda _: waiting).connect()
        connection.send(b"POST /api/robots/did1 HTTP/1.1\r\nHost: box\r\n\r\n")
        self.assertEqual(self.log.entries(), [])
        self.clock.advance(3)
        waiting.callback(json_answer({}))
        [entry] = self.log.entries()
        self.assertEqual((entry.at, entry.did, entry.status), (3.0, "did1", 200))

    def test_looking(self) -> None:
        """Who only looks is not written down, unless he is not let in."""
        self.assertEqual(self.seen(lambda _: json_answer({}), "GET"), [])
        refused = self.seen(lambda _: fail(LoginRefused("x")), "GET")
        self.assertEqual(refused, [("GET /api/robots/<did>", 401)])

    def test_about(self) -> None:
        """What the path names besides robots is kept, of settings which; and why it was not."""
        route = Route(
            "/api/x/<did>/<action>", ("PATCH",), lambda _: fail(BadRequest("no")), failure
        )
        browser = Browser(build_site(self.log.watched([route]), self.clock))
        for body in (b'{"a.b": 1}', b"[]", b"{"):
            browser.ask("PATCH", "/api/x/did1/clean", body)
        seen = [(each.about, each.why, each.times) for each in self.log.entries()]
        self.assertEqual(seen, [("clean", "no", 2), ("clean a.b", "no", 1)])

    def test_bounded(self) -> None:
        """The oldest go; the same once more is counted, and everything is told at once."""
        browser = self.browser(lambda _: json_answer({}))
        for number in range(DONE + 5):
            for _ in range(2):
                browser.ask("POST", f"/api/robots/did{number}", headers=[("X-Who", "token hub")])
        entries = self.log.entries()
        self.assertEqual((len(entries), len(self.heard)), (DONE, 2 * (DONE + 5)))
        self.assertEqual((entries[0], entries[0].times), (self.heard[-1], 2))
        self.assertEqual(told(entries[-1])["did"], "did5")

    def test_rings(self) -> None:
        """
        Nobody pushes out what somebody else did, whatever becomes of it; not even the owner who
        got in.
        """
        browser = self.browser(lambda call: json_answer({}, int(call.header("x-status"))))
        tokens = Route("/api/tokens", ("POST",), lambda _: json_answer({}), failure)
        door = Browser(build_site(self.log.watched([tokens]), self.clock))
        door.ask("POST", "/api/tokens", headers=[("X-Who", "owner, Firefox")])
        door.ask("POST", "/api/tokens", headers=[("X-Who", "account anna")])
        for number in range(DONE + 5):
            for who, status in (
                ("owner, Firefox", 200),
                ("somebody, x", 400),
                ("account ben", 500),
            ):
                headers = [("X-Who", who), ("X-Status", str(status))]
                browser.ask("POST", f"/api/robots/did{number}", headers=headers)
        kept = Counter(each.who for each in self.log.entries())
        self.assertEqual(
            kept, {"owner, Firefox": DONE + 1, "somebody, x": OTHERS, "account ben": OTHERS}
        )
        self.assertEqual(self.log.entries()[-1].what, "POST /api/tokens")

    def test_hostile(self) -> None:
        """A robot's id that is none is short, and harmless."""
        self.browser(lambda _: json_answer({})).ask(
            "POST", "/api/robots/%3Cscript%3E%00%E2%80%AE" + "x" * 3000
        )
        [entry] = self.log.entries()
        self.assertTrue(entry.did.isprintable() and len(entry.did) <= 100)
