"""The web site over the wire: HTTP as it should be, failures under one roof."""

from collections.abc import Container
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import CommandTimedOut, LoginRefused, StorageError
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.plain import plain_failure, printable
from bumper_tw.web.request import LINGER, Limits, head, origin_form
from bumper_tw.web.routes import ANY, GET, POST, Route, both, guarded, private
from bumper_tw.web.site import UNSTORED, build_site
from tests.web.browser import LOCAL, Browser, pages, request
from tests.web.world import WorldCase, plain

FRONT = "/v1/private/us/EN/client/global_e/1.6.3/google_play/1"


def echo(call: Call) -> Answer:
    """What was sent."""
    return json_answer({"body": call.body(), "q": call.query("q")})


def hello(call: Call) -> Answer:
    """Where it was sent."""
    return json_answer({"path": call.path, **call.segments})


def bug(_: Call) -> Answer:
    """One of ours."""
    raise ZeroDivisionError("a bug")


class SiteCase(WorldCase):
    """A site with a route of every sort."""

    def setUp(self) -> None:
        super().setUp()
        self.waiting: list[Deferred[Answer]] = []
        self.cancelled = 0
        routes = [
            Route("/echo", POST, echo, plain),
            Route("/hello", GET, hello, plain),
            Route("/bug", GET, bug, plain),
            Route("/slow", GET, self.slow, plain),
            Route("/slow/<name>", GET, self.slow, plain),
            Route("/slash/", GET, hello, plain),
            Route("/nothing", GET, lambda _: Answer(b"", 204), plain),
            Route(private("v1", "/user/login"), ANY, hello, plain),
            Route(private("v1", "//user/menu"), ANY, hello, plain),
        ]
        self.clock = Clock()
        self.site = build_site(routes, self.clock, Limits(max_body=1000, idle=30.0))
        self.browser = Browser(self.site, self.clock)

    def slow(self, _: Call) -> Deferred[Answer]:
        """An answer that waits for the test."""
        self.waiting.append(Deferred(self.cancel))
        return self.waiting[-1]

    def cancel(self, _: Deferred[Answer]) -> None:
        """Somebody hung up."""
        self.cancelled += 1


class WireTests(SiteCase):
    """HTTP/1.0 and HTTP/1.1 from the first byte to the last."""

    def test_whole_and_byte_by_byte(self) -> None:
        """It does not matter how a request is cut into pieces."""
        for piece in (0, 1, 7):
            page = self.browser.ask("POST", "/echo?q=%C3%A4", b'{"a":1}', piece=piece)
            self.assertEqual((page.status, page.json), (200, {"body": {"a": 1}, "q": "ä"}))

    def test_one_write(self) -> None:
        """Headers and body go out together, with a length, a date and no name of a server."""
        connection = self.browser.connect()
        writes: list[bytes] = []
        self.patch(connection.transport, "write", writes.append)
        connection.send(request("GET", "/hello"))
        self.assertEqual(len(writes), 1)
        [page] = pages(writes[0])
        self.assertEqual(
            sorted(page.headers),
            ["content-length", "content-type", "date", "x-content-type-options"],
        )
        self.assertEqual(page.headers["date"], "Thu, 01 Jan 1970 00:00:00 GMT")

    def test_keep_alive(self) -> None:
        """A connection serves one request after the other."""
        connection = self.browser.connect()
        for number in range(3):
            connection.send(request("POST", "/echo", b'{"n":%d}' % number))
            [page] = connection.received()
            self.assertEqual(page.json["body"], {"n": number})
        self.assertTrue(connection.transport.connected)

    def test_pipelining(self) -> None:
        """Answers come in the order of the requests, even when the first one waits."""
        connection = self.browser.connect()
        connection.send(request("GET", "/slow") + request("GET", "/hello"))
        self.assertEqual(connection.received(), [])
        self.waiting[0].callback(json_answer("slow"))
        self.assertEqual(
            [page.json for page in connection.received()], ["slow", {"path": "/hello"}]
        )

    def test_http_1_0(self) -> None:
        """An old client gets its answer, and the connection ends."""
        connection = self.browser.connect()
        connection.send(b"GET /hello HTTP/1.0\r\n\r\n")
        self.assertTrue(connection.transport.value().startswith(b"HTTP/1.0 200 OK\r\n"))
        self.assertFalse(connection.transport.connected)

    def test_connection_close(self) -> None:
        """A client that asks for it is told, and the connection ends."""
        connection = self.browser.connect()
        connection.send(request("GET", "/hello", headers=[("Connection", "close")]))
        [page] = connection.received()
        self.assertEqual(page.headers["connection"], "close")
        self.assertFalse(connection.transport.connected)

    def test_head(self) -> None:
        """HEAD is GET without the body, with and without variables in the path."""
        for path in ("/hello", f"{FRONT}/user/login"):
            full, bare = self.browser.get(path), self.browser.ask("HEAD", path)
            self.assertEqual((bare.status, bare.headers, bare.body), (200, full.headers, b""))

    def test_no_content(self) -> None:
        """A 204 has neither body nor length."""
        page = self.browser.get("/nothing")
        self.assertEqual(page.status, 204)
        self.assertNotIn("content-length", page.headers)

    def test_expect_continue(self) -> None:
        """A client that asks before it sends is invited."""
        connection = self.browser.connect()
        whole = request("POST", "/echo", b'{"a":1}', [("Expect", "100-continue")])
        start, body = whole.split(b"\r\n\r\n")
        connection.send(start + b"\r\n\r\n")
        self.assertEqual(connection.transport.value(), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.transport.clear()
        connection.send(body)
        [page] = connection.received()
        self.assertEqual(page.json["body"], {"a": 1})

    def test_chunked(self) -> None:
        """A body may come in chunks."""
        connection = self.browser.connect()
        start = request("POST", "/echo", headers=[("Transfer-Encoding", "chunked")])
        connection.send(start + b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n', piece=1)
        [page] = connection.received()
        self.assertEqual(page.json["body"], {"a": 1})

    def test_no_smuggling(self) -> None:
        """Two lengths, or a length and chunks, are a bad request, and the connection ends."""
        for second in ("Content-Length: 9", "Transfer-Encoding: chunked"):
            connection = self.browser.connect()
            connection.send(
                b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%b\r\n\r\n{}"
                % second.encode()
            )
            self.assertTrue(connection.transport.value().startswith(b"HTTP/1.1 400 "))
            self.assertFalse(connection.transport.connected)

    def test_idle(self) -> None:
        """A connection nobody uses is closed."""
        connection = self.browser.connect()
        self.clock.advance(31)
        self.assertFalse(connection.transport.connected)

    def test_two_hosts(self) -> None:
        """Who calls us by two names is not answered by either (RFC 9112, 3.2)."""
        for host in ("box.lan:8007", "evil.example"):
            page = self.browser.get("/hello", headers=[("Host", host)])
            self.assertEqual(page.status, 400)

    def test_other_sites(self) -> None:
        """
        A page of another site changes nothing, not even where nobody is asked who he is; the app's
        pages may ask the vendor's paths.
        """
        routes = [
            Route(path, ("GET", "POST"), hello, plain) for path in ("/api/login", "/api/iot/x.do")
        ]
        browser = Browser(build_site(routes, self.clock))
        for header, own, vendors in (
            (("Origin", "http://evil.example"), 403, 403),
            (("Origin", "http://ecouser.net.evil.example"), 403, 403),
            (("Origin", "null"), 403, 403),
            (("Sec-Fetch-Site", "cross-site"), 403, 403),
            (("Origin", "https://gl-de-wap.ecovacs.com"), 403, 200),
            (("Origin", "file://"), 403, 200),
            (("Origin", "http://box.lan:8007"), 200, 200),
            (("Sec-Fetch-Site", "same-origin"), 200, 200),
            (("User-Agent", "script"), 200, 200),
        ):
            for path, status in (("/api/login", own), ("/api/iot/x.do", vendors)):
                found = browser.ask("POST", path, headers=[header]).status
                self.assertEqual(found, status, (header, path))
                self.assertEqual(browser.get(path, headers=[header]).status, 200)

    def test_target_with_host(self) -> None:
        """A target may name scheme and host, as for a proxy (RFC 9112, 3.2.2)."""
        self.assertEqual(self.browser.get("http://other/hello").json, {"path": "/hello"})
        self.assertEqual(origin_form(b"http://other"), b"/")

    def test_no_header_of_their_own(self) -> None:
        """A value cannot begin another header."""
        answer = Answer(b"", headers=(("X-A", "1\r\nX-B: 2"),))
        self.assertNotIn(b"\r\nX-B", head(answer, b"HTTP/1.1", b"now", closing=False))


class LargeBodyTests(SiteCase):
    """A body that is too long is refused early, and read no further than needed."""

    def test_by_length(self) -> None:
        """The length alone is enough; what follows is dropped, and the connection ends."""
        connection = self.browser.connect()
        connection.send(request("POST", "/echo", b"x" * 2000)[:200])
        [page] = connection.received()
        self.assertEqual((page.status, page.json["code"]), (413, 413))
        self.assertEqual(page.headers["connection"], "close")
        self.assertEqual(self.site.counts["large"], 1)
        self.assertEqual(len(self.ear.lines()), 1)
        self.clock.advance(LINGER)
        self.assertFalse(connection.transport.connected)

    def test_all_at_once(self) -> None:
        """When all of it is there already, nobody lingers."""
        connection = self.browser.connect()
        connection.send(request("POST", "/echo", b"x" * 2000) + request("GET", "/hello"))
        [page] = connection.received()
        self.assertEqual(page.status, 413)
        self.assertFalse(connection.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_chunked(self) -> None:
        """Chunks are counted."""
        connection = self.browser.connect()
        connection.send(request("POST", "/echo", headers=[("Transfer-Encoding", "chunked")]))
        chunk = b"190\r\n" + b"x" * 400 + b"\r\n"
        connection.send(chunk * 3, piece=100)
        [page] = connection.received()
        self.assertEqual(page.status, 413)

    def test_no_invitation(self) -> None:
        """A client that asks before it sends hears no."""
        connection = self.browser.connect()
        headers = [("Expect", "100-continue"), ("Content-Length", "2000")]
        connection.send(request("POST", "/echo", headers=headers))
        [page] = connection.received()
        self.assertEqual(page.status, 413)

    def test_without_end(self) -> None:
        """A client that goes on all the same is cut off."""
        connection = self.browser.connect()
        connection.send(request("POST", "/echo", headers=[("Content-Length", "9999999")]))
        connection.send(b"x" * 1001)
        self.assertFalse(connection.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_room(self) -> None:
        """A route may have a limit of its own, larger or smaller; it is told before the body."""
        routes = [
            Route("/large", POST, lambda _: json_answer(1), plain, room=5000),
            Route("/api/pim/<any>", POST, lambda _: json_answer(1), plain, room=10),
        ]
        browser = Browser(build_site(routes, self.clock, Limits(max_body=1000)), self.clock)
        for path, size, status in (
            ("/large", 5000, 200),
            ("/large?x=1", 5000, 200),
            ("/large", 5001, 413),
            ("/api/pim/x", 10, 200),
            ("/api/pim/x", 11, 413),
            ("/else", 1001, 413),
            ("/%ff", 1001, 413),
        ):
            page = browser.ask("POST", path, b"x" * size)
            self.assertEqual(page.status, status, (path, size))
        self.assertIn(
            "longer than 10 bytes", browser.ask("POST", "/api/pim/x", b"x" * 11).json["msg"]
        )

    def test_exactly_enough(self) -> None:
        """The limit itself is allowed."""
        body = b'{"a":"%b"}' % (b"x" * 992)
        self.assertEqual(self.browser.ask("POST", "/echo", body).status, 200)


class RoutingTests(SiteCase):
    """Which route answers."""

    def test_private_path(self) -> None:
        """The seven segments have names, and are decoded."""
        page = self.browser.get(f"{FRONT.replace('EN', 'E%20N')}/user/login")
        self.assertEqual(page.json["lang"], "E N")
        self.assertEqual(page.json["app"], "global_e")

    def test_two_slashes(self) -> None:
        """A slash too many behind the seven segments does not matter; elsewhere it does."""
        for path in ("//user/menu", "/user/menu", "//user/login", "///user/login"):
            self.assertEqual(self.browser.get(FRONT + path).status, 200, path)
        for path in ("//hello", f"{FRONT}/user//menu", FRONT.replace("us/", "us//")):
            self.assertEqual(self.browser.get(path).status, 404, path)

    def test_versions(self) -> None:
        """Whichever version of the private API has a route, it answers for the others."""
        for version in ("/v1/", "/v2/", "/v3/"):
            page = self.browser.get(FRONT.replace("/v1/", version) + "/user/login")
            self.assertEqual(page.status, 200)
        for version in ("/v0/", "/v4/", "/v11/", "/V1/"):
            page = self.browser.get(FRONT.replace("/v1/", version) + "/user/login")
            self.assertEqual(page.status, 404)

    def test_unknown_hook(self) -> None:
        """Somebody may answer what there is no route for; that is counted, and not logged here."""
        asked: list[str] = []

        def unknown(call: Call, known: Container[str]) -> Answer | None:
            self.assertIn("echo", known)
            asked.append(call.path)
            return None if call.path == "/none" else json_answer("hm")

        self.site.unknown = unknown
        for path in ("/api/pim/none", "/mine/none", f"{FRONT}/none"):
            page = self.browser.ask("POST", path, b"{}")
            self.assertEqual((page.status, page.json), (200, "hm"), path)
        self.assertEqual(self.ear.lines(), [])
        self.assertEqual(self.browser.get("/none").status, 404)
        self.assertEqual(len(self.ear.lines()), 1)
        self.assertEqual(len(asked), self.site.counts["unknown"])
        # What cannot be read is nobody's.
        self.assertEqual(self.browser.get("/api/%ff").status, 404)
        self.assertEqual(len(asked), 4)

    def test_unknown_hook_breaks(self) -> None:
        """What goes wrong there is answered like anything else that goes wrong."""

        def unknown(call: Call, _: Container[str]) -> Answer | None:
            return json_answer(len(call.query("a")) // int(call.path[-1]))

        self.site.unknown = unknown
        self.assertEqual(self.browser.get("/api/pim/1").json, 0)
        self.assertEqual(self.browser.get("/api/pim/1?" + "a&" * 999).status, 400)
        for path in ("/api/pim/0", "/mine/0"):
            self.assertEqual(self.browser.get(path).status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_segments_in_the_log(self) -> None:
        """A path that is not UTF-8 in one of its variable parts is refused, too."""
        for path in (FRONT.replace("us", "%ff") + "/user/login", "/slow/%ff"):
            self.assertEqual(self.browser.get(path).status, 404, path)
        self.assertEqual(self.site.counts["broken"], 0)

    def test_last_slash(self) -> None:
        """A slash at the end counts; nobody is redirected."""
        self.assertEqual(self.browser.get("/slash/").status, 200)
        for path in ("/slash", "/hello/", f"{FRONT}/user/login/"):
            self.assertEqual(self.browser.get(path).status, 404, path)

    def test_encoded_path(self) -> None:
        """A path is decoded before it is compared."""
        self.assertEqual(self.browser.get("/hell%6f").json, {"path": "/hello"})

    def test_unknown(self) -> None:
        """Elsewhere there is nothing; that is counted, and one line in the log for those alike."""
        for path in ("/", "/v9/private", "*", "/%ff", "/../etc/passwd", "/hello%00"):
            page = self.browser.get(path)
            self.assertEqual((page.status, page.json["code"]), (404, 404), path)
        self.assertEqual(self.site.counts["unknown"], 6)
        self.assertEqual(len(self.ear.lines()), 4)

    def test_wrong_method(self) -> None:
        """The family's own failure, with the methods that would have been right."""
        for path, allow in (("/echo", "POST"), (f"{FRONT}/user/login", "GET, HEAD, POST")):
            page = self.browser.ask("PUT", path)
            self.assertEqual((page.status, page.headers["allow"]), (405, allow))
            self.assertIn("failed", page.json)
        self.assertEqual(self.site.counts["method"], 2)

    def test_strange_host(self) -> None:
        """No route depends on the Host header, however odd."""
        for host in ("a..b", "x" * 300, "\x7f", "[", "ä"):
            self.assertEqual(self.browser.get(f"{FRONT}/user/login", host=host).status, 200)

    def test_same_route_twice(self) -> None:
        """Two routes for one path are found out at the start."""
        route = Route("/a", GET, hello, plain)
        self.assertRaises(ValueError, build_site, [route, route], self.clock)
        for first, second in (
            ("/a/<x>", "/a/<x>"),
            (private("v1", "/a"), private("v1", "//a")),
            ("/api/pim/<x>", "/api/pim/<y>"),
        ):
            routes = [Route(path, GET, hello, plain) for path in (first, second)]
            self.assertRaises(ValueError, build_site, routes, self.clock)

    def test_both(self) -> None:
        """One endpoint may have several paths."""
        routes = both("/a", "/b", methods=GET, answer=hello, failure=plain)
        browser = Browser(build_site(routes, self.clock))
        self.assertEqual(browser.get("/b").json, {"path": "/b"})

    def test_guarded(self) -> None:
        """Whoever the guard refuses does not reach the route."""

        def guard(call: Call) -> None:
            if call.bearer() != "yes":
                raise LoginRefused("no")

        browser = Browser(build_site([Route("/a", GET, guarded(guard, hello), plain)], self.clock))
        self.assertEqual(browser.get("/a").json, {"failed": "no"})
        page = browser.get("/a", headers=[("Authorization", "Bearer yes")])
        self.assertEqual(page.json, {"path": "/a"})


class FailureTests(SiteCase):
    """What goes wrong is answered, counted and logged, each once."""

    def test_bad_request(self) -> None:
        """The route's family hears of it in its own way; the log has one line."""
        page = self.browser.ask("POST", "/echo", b"[]")
        self.assertEqual((page.status, page.json), (200, {"failed": "the body is not an object"}))
        self.assertEqual(
            self.ear.lines(), ["refused 192.168.7.33 POST /echo: the body is not an object"]
        )

    def test_once_a_minute(self) -> None:
        """A client that repeats itself is a line a minute, which counts; each answer is given."""
        for _ in range(5):
            self.assertEqual(self.browser.get("/none").status, 404)
            self.assertEqual(self.browser.ask("POST", "/echo", b"[]").status, 200)
        none = "refused 192.168.7.33 GET /*: there is no such path"
        echo = "refused 192.168.7.33 POST /echo: the body is not an object"
        self.assertEqual(self.ear.lines(), [none, echo])
        self.clock.advance(60)
        self.browser.get("/none")
        again = f"{none} (4 more since the last line about it)"
        self.assertEqual(self.ear.lines()[2:], [again])
        self.assertEqual((self.site.counts["unknown"], self.site.counts["refused"]), (6, 5))

    def test_invented_paths(self) -> None:
        """Whoever makes up paths gets a few lines, and does not hide what others do."""
        for number in range(1000):
            self.browser.ask("POST" if number % 2 else "GET", f"/{number}")
        self.assertEqual(len(self.ear.lines()), 2)
        other = StringTransportWithDisconnection(LOCAL, IPv4Address("TCP", "192.168.7.34", 1))
        other.protocol = self.site.buildProtocol(other.getPeer())
        other.protocol.makeConnection(other)
        other.protocol.dataReceived(request("GET", "/none"))
        self.assertEqual(
            self.ear.lines()[2:], ["refused 192.168.7.34 GET /*: there is no such path"]
        )

    def test_nobodys_names(self) -> None:
        """In the log are patterns of paths, and of paths that have no route only our words."""
        token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc"
        for path in (
            "/echo/anna@example.org",
            f"/somewhere/{token}",
            "/hello/anna",
            FRONT.replace("us/", "annasphone/") + "/user/anna",
            FRONT.replace("us/", "%ff/") + "/user/login",
        ):
            for method in ("GET", "DELETE"):
                self.browser.ask(method, path)
        told = "\n".join(self.ear.lines())
        self.assertIn("GET /echo/*: ", told)
        for secret in ("anna", token, "us/"):
            self.assertNotIn(secret, told)

    def test_disk_refuses(self) -> None:
        """Each family hears that it is not stored; that is one line a minute, and no bug."""

        def refuse(_: Call) -> Deferred[Answer]:
            return fail(StorageError("the disk is full"))

        def refuse_at_once(_: Call) -> Answer:
            raise StorageError("the disk is full")

        routes = [
            Route("/api/me", ("GET",), refuse, plain),
            Route("/api/neng/x", ("GET",), refuse_at_once, plain),
        ]
        site = build_site(routes, self.clock)
        browser = Browser(site)
        for _ in range(3):
            for path, status in {"/api/me": 503, "/api/neng/x": 200}.items():
                page = browser.get(path)
                self.assertEqual((page.status, page.json), (status, {"failed": UNSTORED}))
        self.assertEqual(
            self.ear.lines(),
            [
                "192.168.7.33 GET /api/me cannot be stored: the disk is full",
                "192.168.7.33 GET /api/neng/x cannot be stored: the disk is full",
            ],
        )
        self.assertEqual((site.counts["unstored"], site.counts["broken"]), (6, 0))

    def test_late_failure(self) -> None:
        """A failure that takes its time is treated alike."""
        for path in ("/slow", "/slow/x"):
            connection = self.browser.connect()
            connection.send(request("GET", path))
            self.waiting[-1].errback(CommandTimedOut("silence"))
            [page] = connection.received()
            self.assertEqual(page.json, {"failed": "silence"})
        self.assertEqual(self.site.counts["refused"], 2)

    def test_bug(self) -> None:
        """A bug is a 500 without details, and one traceback in the log."""
        page = self.browser.get("/bug")
        self.assertEqual(page.status, 500)
        self.assertNotIn("ZeroDivision", page.body.decode())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.site.counts["broken"], 1)

    def test_late_bug(self) -> None:
        """The same when it shows later."""
        for path in ("/slow", "/slow/x"):
            connection = self.browser.connect()
            connection.send(request("GET", path))
            self.waiting[-1].errback(ZeroDivisionError("a bug"))
            [page] = connection.received()
            self.assertEqual(page.status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_failure_that_fails(self) -> None:
        """When the family's failure cannot be made either, a plain one is."""

        def failure(call: Call, _: Exception) -> Answer:
            return json_answer(call.body())

        routes = [Route("/a", POST, echo, failure)]
        page = Browser(build_site(routes, self.clock)).ask("POST", "/a", b"[")
        self.assertEqual((page.status, page.json["code"]), (400, 400))

    def test_hang_up(self) -> None:
        """When the client leaves, whoever works on its answer is told; nothing is logged."""
        for path in ("/slow", "/slow/x"):
            connection = self.browser.connect()
            connection.send(request("GET", path))
            connection.hang_up()
        self.assertEqual(self.cancelled, 2)
        self.assertEqual(self.ear.lines(), [])

    def test_cancelled_by_us(self) -> None:
        """A wait that somebody else cancels is a bug that the client hears of."""
        for path in ("/slow", "/slow/x"):
            connection = self.browser.connect()
            connection.send(request("GET", path))
            self.waiting[-1].cancel()
            [page] = connection.received()
            self.assertEqual(page.status, 500)
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 2)

    def test_log_lines_are_tame(self) -> None:
        """Nothing from outside colours the log or begins a line of it; queries stay out."""
        self.browser.get("/%0d%0aforged%1b[31m%e2%80%ae?token=secret")
        [line] = self.ear.lines()
        self.assertTrue(line.isprintable() and line.isascii())
        self.assertNotIn("secret", line)

    def test_printable(self) -> None:
        """Long texts are cut."""
        self.assertEqual(printable("a\r\n\x1b" + "x" * 300, 5), "a\\r\\n\\x1bx")

    def test_plain_failure(self) -> None:
        """Clients look for C{msg} or for C{message}."""
        self.assertEqual(plain_failure(404, "no").status, 404)


class FarewellTests(SiteCase):
    """How the server stops."""

    def test_nobody_there(self) -> None:
        """Without connections it is over at once."""
        self.assertIsNone(self.successResultOf(self.site.farewell()))

    def test_idle_connections(self) -> None:
        """A connection that waits for a request is closed."""
        connection = self.browser.connect()
        self.assertIsNone(self.successResultOf(self.site.farewell()))
        self.assertFalse(connection.transport.connected)

    def test_answer_in_the_making(self) -> None:
        """A client gets the answer it waits for; then its connection closes."""
        connection = self.browser.connect()
        connection.send(request("GET", "/slow"))
        gone = self.site.farewell()
        self.assertNoResult(gone)
        self.waiting[0].callback(json_answer("at last"))
        [page] = connection.received()
        self.assertEqual((page.json, page.headers["connection"]), ("at last", "close"))
        self.assertIsNone(self.successResultOf(gone))


class QuietTests(SynchronousTestCase):
    """What Twisted's own site would do, and ours does not."""

    def test_no_access_log(self) -> None:
        """Starting the factory opens no file and starts no clock."""
        clock = Clock()
        site: Any = build_site([], clock)
        site.doStart()
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertEqual(site.acceptableProtocols(), [b"http/1.1"])
        site.doStop()
