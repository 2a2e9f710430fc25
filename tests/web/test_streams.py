"""Answers that go on: over the wire, as fast as the client takes them, and to whatever end."""

from io import BytesIO, RawIOBase
from typing import Any, BinaryIO, cast

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.site import build_site
from bumper_tw.web.streams import PIECE, Outlet, Streamed
from tests.web.browser import LOCAL, PEER, Browser, Connection, request
from tests.web.world import WorldCase, plain

IDLE = 60.0
#: Longer than a transport takes at once.
LONG = bytes(range(256)) * 2000


@define(eq=False)
class Talker:
    """A stream that the test writes by hand."""

    outlet: Outlet | None = None
    resumed: int = 0
    ended_times: int = 0
    greeting: bytes = b"hello\n"

    def begin(self, outlet: Outlet) -> None:
        self.outlet = outlet
        if not outlet.paused:
            outlet.write(self.greeting)

    def resume(self) -> None:
        self.resumed += 1

    def ended(self) -> None:
        self.ended_times += 1

    @property
    def out(self) -> Outlet:
        assert self.outlet is not None
        return self.outlet


class Slow(StringTransportWithDisconnection):
    """Takes no more than a socket does before it asks for a pause."""

    room = 1 << 16
    aborted = False
    reading = True

    def write(self, data: bytes) -> None:
        super().write(data)
        if len(self.value()) > self.room and self.producer is not None:
            self.producer.pauseProducing()

    def take(self) -> bytes:
        """The client reads all that is there."""
        data: bytes = self.value()
        self.clear()
        if self.producer is not None:
            self.producer.resumeProducing()
        return data

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()


class StreamCase(WorldCase):
    """A site with answers that go on."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.talkers: list[Talker] = []
        self.waiting: list[Deferred[Answer]] = []
        self.handle: BinaryIO = BytesIO(LONG)
        self.size = len(LONG)
        routes = [
            Route("/talk", GET, self.talk, plain),
            Route("/api/talk/<name>", GET, self.talk, plain),
            Route("/later", GET, self.later, plain),
            Route("/file", GET, self.file, plain),
            Route("/hello", GET, lambda _: json_answer("hello"), plain),
        ]
        self.site = build_site(routes, self.clock, Limits(idle=IDLE, request=30.0))
        self.browser = Browser(self.site, self.clock)

    def talk(self, _: Call) -> Answer:
        self.talkers.append(Talker())
        return Streamed(b"", 200, "text/plain", flow=self.talkers[-1])

    def later(self, _: Call) -> Deferred[Answer]:
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def file(self, _: Call) -> Answer:
        return Streamed.file(self.handle, self.size)

    def slow(self) -> tuple[Connection, Slow]:
        """A client behind a line that takes some time."""
        protocol = self.site.buildProtocol(PEER)
        transport = Slow(LOCAL, PEER)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return Connection(protocol, transport), transport

    def talking(self, path: str = "/talk") -> tuple[Connection, Talker]:
        """A stream that has begun."""
        connection = self.browser.connect()
        connection.send(request("GET", path))
        return connection, self.talkers[-1]


class EndlessTests(StreamCase):
    """A stream without a length."""

    def test_head_and_pieces(self) -> None:
        """The head says nothing of a length, and that the connection ends with the answer."""
        for path in ("/talk", "/api/talk/robot"):
            connection, talker = self.talking(path)
            head, _, body = connection.transport.value().partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"))
            self.assertNotIn(b"Content-Length", head)
            self.assertIn(b"\r\nConnection: close", head)
            self.assertEqual(body, b"hello\n")
            connection.transport.clear()
            talker.out.write(b"more\n")
            self.assertEqual(connection.transport.value(), b"more\n")

    def test_old_client(self) -> None:
        """HTTP/1.0 knows such answers, too."""
        connection = self.browser.connect()
        connection.send(b"GET /talk HTTP/1.0\r\n\r\n")
        value = connection.transport.value()
        self.assertTrue(value.startswith(b"HTTP/1.0 200 OK\r\n"))
        self.assertTrue(value.endswith(b"\r\n\r\nhello\n"))

    def test_end(self) -> None:
        """The connection ends with it; it is told once, and writes nothing any more."""
        connection, talker = self.talking()
        talker.out.end()
        self.assertFalse(connection.transport.connected)
        connection.transport.clear()
        talker.out.write(b"too late")
        talker.out.end()
        talker.out.abort()
        self.assertEqual(connection.transport.value(), b"")
        self.assertEqual(talker.ended_times, 1)
        self.assertEqual(self.site.channels, {})

    def test_hang_up(self) -> None:
        """The client goes: the stream is told, once."""
        connection, talker = self.talking()
        connection.hang_up()
        self.assertEqual(talker.ended_times, 1)
        talker.out.write(b"nobody hears")
        talker.out.end()
        self.assertEqual(talker.ended_times, 1)

    def test_transport_goes_first(self) -> None:
        """A transport tells that it stops before it tells that it is gone; that is one end."""
        connection, talker = self.talking()
        producer: Any = connection.transport.producer
        producer.stopProducing()
        connection.hang_up()
        self.assertEqual(talker.ended_times, 1)

    def test_head_request(self) -> None:
        """HEAD does not begin the stream, and the stream hears so."""
        connection = self.browser.connect()
        connection.send(request("HEAD", "/talk"))
        self.assertTrue(connection.transport.value().endswith(b"\r\n\r\n"))
        self.assertIsNone(self.talkers[0].outlet)
        self.assertEqual(self.talkers[0].ended_times, 1)

    def test_gone_before(self) -> None:
        """A client that leaves before there is an answer: the stream hears so."""
        talker = Talker()
        connection = self.browser.connect()
        connection.send(request("GET", "/later"))
        # Such a wait would be cancelled; but what cannot be, goes on to the end.
        self.patch(self.waiting[0], "cancel", lambda: None)
        connection.hang_up()
        self.waiting[0].callback(Streamed(b"", flow=talker))
        self.assertIsNone(talker.outlet)
        self.assertEqual(talker.ended_times, 1)

    def test_late_answer(self) -> None:
        """One that had to be waited for goes on like any other."""
        connection = self.browser.connect()
        connection.send(request("GET", "/later"))
        talker = Talker()
        self.waiting[0].callback(Streamed(b"", flow=talker))
        self.assertTrue(connection.transport.value().endswith(b"hello\n"))
        connection.hang_up()
        self.assertEqual(talker.ended_times, 1)

    def test_lives_long(self) -> None:
        """No deadline ends a stream whose client takes what comes, or to whom nothing comes."""
        connection, talker = self.talking()
        for _ in range(100):
            self.clock.advance(IDLE)
        self.assertTrue(connection.transport.connected)
        self.assertEqual(talker.ended_times, 0)

    def test_pause_and_resume(self) -> None:
        """The stream knows when the client does not keep up, and when it does again."""
        connection, transport = self.slow()
        connection.send(request("GET", "/talk"))
        talker = self.talkers[0]
        self.assertFalse(talker.out.paused)
        talker.out.write(b"x" * (1 << 17))
        self.assertTrue(talker.out.paused)
        transport.take()
        self.assertFalse(talker.out.paused)
        self.assertEqual(talker.resumed, 1)

    def test_stuck(self) -> None:
        """A client that takes nothing for too long is cut off; one that takes some is not."""
        connection, transport = self.slow()
        connection.send(request("GET", "/talk"))
        talker = self.talkers[0]
        for _ in range(5):
            talker.out.write(b"x" * (1 << 17))
            self.clock.advance(IDLE - 1)
            transport.take()
        self.assertTrue(transport.connected)
        talker.out.write(b"x" * (1 << 17))
        self.clock.pump([1.0] * int(IDLE - 1))
        self.assertFalse(transport.aborted)
        self.clock.pump([1.0, 1.0])
        self.assertTrue(transport.aborted)
        self.assertEqual(talker.ended_times, 1)

    def test_paused_before(self) -> None:
        """A stream behind answers that were not taken yet begins with a pause."""
        connection, transport = self.slow()
        transport.room = 0
        connection.send(request("GET", "/later") + request("GET", "/talk"))
        self.waiting[0].callback(json_answer("x" * 10))
        self.assertEqual(self.talkers, [])
        transport.room = 1 << 16
        transport.take()
        self.assertFalse(self.talkers[0].out.paused)

    def test_farewell(self) -> None:
        """The server does not wait for streams; clients that are slow to go, it cuts off."""
        connections = [self.talking()[0] for _ in range(3)]
        gone = self.site.farewell()
        self.successResultOf(gone)
        for connection in connections:
            self.assertFalse(connection.transport.connected)
        self.assertEqual([talker.ended_times for talker in self.talkers], [1, 1, 1])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pipelined_behind(self) -> None:
        """What a client asks behind a stream is not answered: there is no way to."""
        connection = self.browser.connect()
        connection.send(request("GET", "/talk") + request("GET", "/hello"))
        self.assertEqual(connection.transport.value().count(b"HTTP/1.1"), 1)
        self.talkers[0].out.end()
        self.assertEqual(connection.transport.value().count(b"HTTP/1.1"), 1)
        self.assertFalse(connection.transport.connected)


class FileTests(StreamCase):
    """A file, piece by piece."""

    def test_whole(self) -> None:
        """It arrives with its length, the file is closed, and the connection goes on."""
        connection = self.browser.connect()
        connection.send(request("GET", "/file"))
        [page] = connection.received()
        self.assertEqual((page.status, page.headers["content-length"]), (200, str(len(LONG))))
        self.assertEqual(page.body, LONG)
        self.assertTrue(self.handle.closed)
        connection.send(request("GET", "/hello"))
        self.assertEqual(connection.received()[0].json, "hello")

    def test_by_the_clients_speed(self) -> None:
        """No more is read than the client has taken, but for two pieces."""
        connection, transport = self.slow()
        connection.send(request("GET", "/file"))
        got = b""
        while not self.handle.closed:
            self.assertLess(len(transport.value()), 2 * PIECE + 1000)
            self.assertLess(self.handle.tell() - len(got), 2 * PIECE + 1000)
            got += transport.take()
        got += transport.take()
        self.assertEqual(got.partition(b"\r\n\r\n")[2], LONG)

    def test_empty(self) -> None:
        """A file of nothing is an answer, too."""
        self.handle, self.size = BytesIO(), 0
        page = self.browser.get("/file")
        self.assertEqual((page.status, page.body), (200, b""))
        self.assertTrue(self.handle.closed)

    def test_only_so_much(self) -> None:
        """What has been written behind it meanwhile does not count."""
        self.size = 100
        self.assertEqual(self.browser.get("/file").body, LONG[:100])

    def test_too_short(self) -> None:
        """A file that ends early ends the connection: the client must notice."""
        self.size += 1
        connection, transport = self.slow()
        connection.send(request("GET", "/file"))
        while transport.connected:
            transport.take()
        self.assertTrue(transport.aborted)
        self.assertTrue(self.handle.closed)

    def test_unreadable(self) -> None:
        """So does one that cannot be read on; the log says so."""

        class Broken(RawIOBase):
            def read(self, size: int = -1, /) -> bytes:
                raise OSError(5, "Input/output error")

        self.handle = cast("BinaryIO", Broken())
        connection, transport = self.slow()
        connection.send(request("GET", "/file"))
        self.assertTrue(transport.aborted)
        self.assertTrue(self.handle.closed)

    def test_hang_up(self) -> None:
        """A client that leaves in the middle: the file is closed."""
        connection, _ = self.slow()
        connection.send(request("GET", "/file"))
        self.assertFalse(self.handle.closed)
        connection.hang_up()
        self.assertTrue(self.handle.closed)

    def test_head(self) -> None:
        """HEAD tells the length, and closes the file."""
        page = self.browser.ask("HEAD", "/file")
        self.assertEqual(page.headers["content-length"], str(len(LONG)))
        self.assertTrue(self.handle.closed)

    def test_farewell(self) -> None:
        """The server does not wait for the rest; the client notices that some is missing."""
        connection, transport = self.slow()
        connection.send(request("GET", "/file"))
        self.successResultOf(self.site.farewell())
        self.assertTrue(transport.aborted)
        self.assertTrue(self.handle.closed)


class StreamedTests(SynchronousTestCase):
    """L{Streamed} as a value."""

    def test_file(self) -> None:
        """It says what it is, and what else was given."""
        answer = Streamed.file(BytesIO(b"abc"), 3, "application/x-tar", (("A", "b"),))
        self.assertEqual((answer.size, answer.content_type), (3, "application/x-tar"))
        self.assertEqual(answer.headers, (("A", "b"),))
        self.assertIsInstance(answer, Answer)
