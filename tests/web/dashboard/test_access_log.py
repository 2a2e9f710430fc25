"""Tests for L{bumper_tw.web.dashboard.access_log}: who did what, whatever became of it."""

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.access_log import DONE, Access, AccessLog, told
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

    def test_bounded(self) -> None:
        """The oldest go; the same once more is counted, and everything is told at once."""
        browser = self.browser(lambda _: json_answer({}))
        for number in range(DONE + 5):
            for _ in range(2):
                browser.ask("POST", f"/api/robots/did{number}")
        entries = self.log.entries()
        self.assertEqual((len(entries), len(self.heard)), (DONE, 2 * (DONE + 5)))
        self.assertEqual((entries[0], entries[0].times), (self.heard[-1], 2))
        self.assertEqual(told(entries[-1])["did"], "did5")

    def test_hostile(self) -> None:
        """A robot's id that is none is short, and harmless."""
        self.browser(lambda _: json_answer({})).ask(
            "POST", "/api/robots/%3Cscript%3E%00%E2%80%AE" + "x" * 3000
        )
        [entry] = self.log.entries()
        self.assertTrue(entry.did.isprintable() and len(entry.did) <= 100)
