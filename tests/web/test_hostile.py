"""Clients that want to cost more than they are worth."""

import contextlib
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dialect.envelopes import parse_json, to_json
from bumper_tw.pki import authority
from bumper_tw.pki.contexts import ServerContexts
from bumper_tw.pki.directory import Credentials
from bumper_tw.web.call import Answer, Call, json_answer, parse_form
from bumper_tw.web.channel import CLOSING
from bumper_tw.web.connections import FAREWELL
from bumper_tw.web.request import Limits
from bumper_tw.web.routes import GET, POST, Route
from bumper_tw.web.site import build_site
from tests.pki.chosen import Chosen
from tests.pki.samples import COVER, NOW, ec_key, new_authority
from tests.web.browser import LOCAL, PEER, Connection, pages, request
from tests.web.test_api import BEARER
from tests.web.test_site import echo
from tests.web.world import WorldCase, plain

LARGE = 10_000
#: As much as a transport of Twisted keeps before it asks for a pause.
NARROW = 1 << 16
LIMITS = Limits(max_body=1000, idle=60.0, request=30.0, connections=7, per_peer=5)


class Narrow(StringTransportWithDisconnection):
    """Asks for a pause while the client has not read enough, as TCP does."""

    held = False
    stubborn = False
    clock: Clock | None = None
    questions = 0

    def write(self, data: bytes) -> None:
        """Take it, and perhaps no more."""
        super().write(data)
        if self.producer is not None and len(self.value()) > NARROW:
            self.held = True
            self.producer.pauseProducing()

    def take(self) -> bytes:
        """The client reads all there is."""
        data: bytes = self.value()
        self.clear()
        if self.held:
            self.held = False
            if self.producer is not None:
                self.producer.resumeProducing()
        return data

    def loseConnection(self) -> None:
        """
        Close, unless the client does not do its part; as with TCP, the protocol hears of it
        a turn later.
        """
        if self.clock is not None:
            self.clock.callLater(0, super().loseConnection)
        elif not self.stubborn:
            super().loseConnection()

    def abortConnection(self) -> None:
        """Close without the client."""
        self.stubborn = False
        self.loseConnection()

    def setTcpNoDelay(self, enabled: object) -> None:
        """TLS says of itself that it can, whatever it stands on."""

    def getHost(self) -> IPv4Address:
        """Our address."""
        self.questions += 1
        return LOCAL


class HostileCase(WorldCase):
    """A small site, and connections to it that are slow to read."""

    def setUp(self) -> None:
        super().setUp()
        self.waiting: list[Deferred[Answer]] = []
        self.clock = Clock()
        routes = [
            Route("/echo", POST, echo, plain),
            Route("/large", GET, self.large, plain),
            Route("/slow", GET, self.slow, plain),
        ]
        self.site = build_site(routes, self.clock, LIMITS)

    def large(self, call: Call) -> Answer:
        """What was asked, and much more."""
        return json_answer({"q": call.query("q"), "x": "x" * LARGE})

    def slow(self, _: Call) -> Deferred[Answer]:
        """An answer that waits for the test."""
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def connect(self, peer: str = PEER.host) -> tuple[Connection, Narrow]:
        """A new connection, from either end."""
        protocol = self.site.buildProtocol(IPv4Address("TCP", peer, 1))
        transport = Narrow(LOCAL, IPv4Address("TCP", peer, 1))
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return Connection(protocol, transport), transport

    def ask(self, number: int) -> bytes:
        """A request for much, by turns with a body and without."""
        if number % 3:
            return request("GET", f"/large?q={number}")
        return request("POST", f"/echo?q={number}", b'{"x":"%b"}' % (b"y" * 500))

    def served(self) -> int:
        """How many requests have been answered."""
        return self.site.counts["requests"]


class PipelineTests(HostileCase):
    """Requests that come faster than their answers are read."""

    def read_all(self, transport: Narrow) -> list[str]:
        """The number of each answer, until there are no more."""
        data = b""
        while taken := transport.take():
            data += taken
        return [page.json["q"] for page in pages(data)]

    def test_nobody_reads(self) -> None:
        """A client that only asks is answered until it should read, and then read no more."""
        connection, transport = self.connect()
        connection.send(request("GET", "/large") * 3000)
        self.assertLess(len(transport.value()), NARROW + 2 * LARGE)
        self.assertLess(self.served(), 10)
        self.assertEqual(transport.producerState, "paused")
        for _ in range(100):
            connection.send(request("GET", "/large"))
        self.assertLess(self.served(), 10)

    def test_order(self) -> None:
        """Once it reads, every answer comes, whole and in order, however they were asked."""
        numbers = range(100)
        for piece in (0, 1000, 997):
            connection, transport = self.connect()
            connection.send(b"".join(map(self.ask, numbers)), piece)
            self.assertEqual(self.read_all(transport), [str(n) for n in numbers])
            self.assertEqual(transport.producerState, "producing")

    def test_late_answer(self) -> None:
        """The pause may begin while an answer is in the making, too."""
        connection, transport = self.connect()
        connection.send(request("GET", "/slow") + self.ask(1))
        assert transport.producer is not None
        transport.producer.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        connection.send(self.ask(2) + self.ask(3))
        self.waiting[0].callback(json_answer({"q": "0"}))
        self.assertEqual(self.served(), 1)
        transport.held = True
        self.assertEqual(self.read_all(transport), ["0", "1", "2", "3"])

    def test_heard_while_answering(self) -> None:
        """After a pause a connection is read again, also while an answer is in the making."""
        connection, transport = self.connect()
        connection.send(request("GET", "/slow"))
        assert transport.producer is not None
        transport.producer.pauseProducing()
        transport.producer.resumeProducing()
        self.assertEqual(transport.producerState, "producing")

    def test_last_one(self) -> None:
        """A client that says which request is the last gets all answers before the end."""
        connection, transport = self.connect()
        last = request("GET", "/large?q=20", headers=[("Connection", "close")])
        connection.send(b"".join(map(self.ask, range(20))) + last + self.ask(21))
        self.assertTrue(transport.connected)
        self.assertEqual(self.read_all(transport), [str(n) for n in range(21)])
        self.assertFalse(transport.connected)

    def test_slow_reader(self) -> None:
        """Reading counts as being there; what waits meanwhile is not late for that."""
        connection, transport = self.connect()
        connection.send(request("GET", "/large") * 7 + b"GET")
        self.assertTrue(transport.held)
        self.clock.advance(50)
        transport.take()
        connection.send(b" /large HTTP/1.1\r\n\r\n" + request("GET", "/large") * 6)
        self.assertTrue(transport.held)
        self.clock.advance(50)
        transport.take()
        self.clock.advance(59)
        self.assertTrue(transport.connected)
        self.clock.advance(1)
        self.assertFalse(transport.connected)

    def test_never_reads(self) -> None:
        """A client that does not take its answers is closed, and then cut off."""
        connection, transport = self.connect()
        transport.stubborn = True
        connection.send(request("GET", "/large") * 20)
        self.clock.advance(LIMITS.idle)
        connection.send(request("GET", "/large"))
        self.assertTrue(transport.connected)
        self.clock.advance(CLOSING)
        self.assertFalse(transport.connected)
        self.assertLess(self.served(), 10)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Tls:
    """A client of a site, with TLS between them, in memory."""

    def __init__(self, site: Any, clock: Clock) -> None:
        self.clock, self.transport = clock, Narrow(LOCAL, PEER)
        self.transport.clock = clock
        root = new_authority(ec_key())
        key = ec_key()
        credentials = Credentials((authority.leaf(root, key, COVER, NOW), root.certificate), key)
        creator = Chosen(ServerContexts(lambda: credentials).chooser())
        self.server: Any = TLSMemoryBIOFactory(creator, False, site, clock).buildProtocol(PEER)
        self.transport.protocol = self.server
        self.server.makeConnection(self.transport)
        self.client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self.client.set_connect_state()

    def shake(self) -> None:
        """Shake hands."""
        for _ in range(4):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            self.flush()
            if taken := self.transport.take():
                self.client.bio_write(taken)

    def flush(self) -> None:
        """What the client has to say reaches the server, which has a turn then."""
        with contextlib.suppress(SSL.WantReadError):
            self.server.dataReceived(self.client.bio_read(1 << 20))
        self.clock.advance(0)

    def send(self, data: bytes) -> None:
        """Say something, in one segment."""
        for start in range(0, len(data), 1 << 14):
            self.client.send(data[start : start + (1 << 14)])
        self.flush()

    def read_all(self) -> bytes:
        """Read until nothing more comes."""
        data = b""
        while taken := self.transport.take():
            self.client.bio_write(taken)
            with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError):
                while True:
                    data += self.client.recv(1 << 16)
            self.clock.advance(0)
        return data


class TlsTests(HostileCase):
    """The same with TLS around it."""

    def test_nobody_reads(self) -> None:
        """Some answers are gathered, some encrypted; then it is enough."""
        tls = Tls(self.site, self.clock)
        tls.shake()
        tls.send(request("GET", "/large") * 1000)
        self.assertLess(len(tls.transport.value()), 3 * NARROW)
        self.assertLess(self.served(), 20)
        self.assertEqual(tls.transport.producerState, "paused")

    def test_order(self) -> None:
        """Every answer comes, whole and in order."""
        tls = Tls(self.site, self.clock)
        tls.shake()
        tls.send(b"".join(map(self.ask, range(100))))
        answers = [page.json["q"] for page in pages(tls.read_all())]
        self.assertEqual(answers, [str(n) for n in range(100)])

    def test_farewell(self) -> None:
        """A client that does not answer the farewell of TLS holds nothing up."""
        tls = Tls(self.site, self.clock)
        tls.shake()
        tls.send(request("GET", "/large"))
        tls.read_all()
        gone = self.site.farewell()
        self.assertNoResult(gone)
        self.clock.advance(FAREWELL)
        self.clock.advance(0)
        self.assertIsNone(self.successResultOf(gone))
        self.assertFalse(tls.transport.connected)

    def test_close_while_paused(self) -> None:
        """Over TLS a connection that closes is read again: the farewell is answered."""
        tls = Tls(self.site, self.clock)
        tls.shake()
        tls.send(request("GET", "/large") * 100)
        gone = self.site.farewell()
        self.assertEqual(tls.transport.producerState, "producing")
        tls.read_all()
        tls.client.shutdown()
        tls.flush()
        self.clock.advance(0)
        self.assertIsNone(self.successResultOf(gone))

    def test_no_handshake(self) -> None:
        """A client that never shakes hands is cut off."""
        tls = Tls(self.site, self.clock)
        self.clock.advance(LIMITS.request)
        self.clock.advance(0)
        self.assertFalse(tls.transport.connected)

    def test_crowd(self) -> None:
        """One connection too many ends here, too."""
        for _ in range(LIMITS.per_peer):
            self.connect()
        tls = Tls(self.site, self.clock)
        self.clock.advance(0)
        self.assertFalse(tls.transport.connected)


class SlowTests(HostileCase):
    """Requests that never end."""

    def trickle(self, connection: Connection, data: bytes, every: int) -> float:
        """A byte of C{data} comes every so many seconds; how long was that heard?"""
        started = self.clock.seconds()
        for second in range(len(data) * every):
            if second % every == 0:
                connection.send(data[second // every :][:1])
            self.clock.advance(1)
            if not connection.transport.connected:
                break
        return self.clock.seconds() - started

    def test_headers(self) -> None:
        """A byte of a header now and then buys no time; that is counted and logged."""
        connection, _ = self.connect()
        self.assertEqual(self.trickle(connection, b"GET /large HTTP/1.1", 8), 30.0)
        self.assertEqual(self.site.counts["slow"], 1)
        self.assertEqual(self.ear.lines(), ["closing 192.168.7.33: no whole request in 30 s"])

    def test_body(self) -> None:
        """Nor does a byte of a body, nor an answer before."""
        connection, _ = self.connect()
        connection.send(request("GET", "/large"))
        self.clock.advance(50)
        start = request("POST", "/echo", headers=[("Content-Length", "900")])
        connection.send(start)
        self.assertEqual(self.trickle(connection, b"x" * 900, 2), 30.0)

    def test_pipelined(self) -> None:
        """A request that began behind another has as long, from the answer on."""
        connection, _ = self.connect()
        connection.send(request("GET", "/slow") + b"GET")
        self.clock.advance(300)
        self.waiting[0].callback(json_answer("at last"))
        self.clock.advance(29)
        self.assertTrue(connection.transport.connected)
        self.clock.advance(1)
        self.assertFalse(connection.transport.connected)

    def test_silence(self) -> None:
        """Who connects and says nothing is closed, without a word."""
        connection, _ = self.connect()
        self.clock.advance(30)
        self.assertFalse(connection.transport.connected)
        self.assertEqual(self.ear.lines(), [])
        self.assertEqual(self.site.counts["slow"], 0)

    def test_between_requests(self) -> None:
        """A connection may wait for its next request, and that may take its time."""
        connection, _ = self.connect()
        for _ in range(3):
            whole = self.ask(3)
            connection.send(whole[:40])
            self.clock.advance(29)
            connection.send(whole[40:])
            self.assertEqual(len(connection.received()), 1)
            self.clock.advance(59)
        self.assertTrue(connection.transport.connected)
        self.clock.advance(1)
        self.assertFalse(connection.transport.connected)

    def test_slow_answer(self) -> None:
        """No deadline cuts off an answer in the making."""
        connection, _ = self.connect()
        connection.send(request("GET", "/slow"))
        for _ in range(20):
            self.clock.advance(17)
        self.waiting[0].callback(json_answer("at last"))
        [page] = connection.received()
        self.assertEqual(page.json, "at last")
        self.clock.advance(59)
        self.assertTrue(connection.transport.connected)

    def test_one_timer(self) -> None:
        """However much is asked, there is one timer, and none after the end."""
        connection, _ = self.connect()
        for number in range(100):
            connection.send(self.ask(number), piece=500)
            connection.received()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        connection.hang_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_does_not_close(self) -> None:
        """Who was told to go and stays is cut off."""
        connection, transport = self.connect()
        transport.stubborn = True
        connection.send(request("GET", "/large", headers=[("Connection", "close")]))
        self.clock.advance(CLOSING - 1)
        connection.send(request("GET", "/large"))
        self.assertEqual((transport.connected, self.served()), (True, 1))
        self.clock.advance(1)
        self.assertFalse(transport.connected)


class CrowdTests(HostileCase):
    """Connections without end."""

    def test_one_peer(self) -> None:
        """One address has so many connections at a time, and others have theirs."""
        opened = [self.connect()[0] for _ in range(LIMITS.per_peer + 1)]
        connected = [connection.transport.connected for connection in opened]
        self.assertEqual(connected, [True] * LIMITS.per_peer + [False])
        self.assertEqual(self.site.counts["crowded"], 1)
        self.assertTrue(self.connect("192.168.7.34")[1].connected)
        opened[0].hang_up()
        self.assertTrue(self.connect()[1].connected)

    def test_in_all(self) -> None:
        """All together have so many."""
        peers = [f"192.168.7.{n}" for n in range(40, 40 + LIMITS.connections + 1)]
        connected = [self.connect(peer)[1].connected for peer in peers]
        self.assertEqual(connected, [True] * LIMITS.connections + [False])

    def test_nothing_is_kept(self) -> None:
        """Nobody is remembered who is gone."""
        for number in range(20):
            self.connect(f"192.168.7.{number}")[0].hang_up()
        self.assertEqual((len(self.site.channels), len(self.site.everybody)), (0, 0))

    def test_own_address(self) -> None:
        """The system is asked for the address of a connection once."""
        connection, transport = self.connect()
        connection.send(request("GET", "/large") * 3)
        self.assertEqual(transport.questions, 1)


class FarewellTests(HostileCase):
    """Clients that hold up the end."""

    def test_stubborn(self) -> None:
        """A connection that does not close is cut off."""
        _, transport = self.connect()
        transport.stubborn = True
        gone = self.site.farewell()
        self.clock.advance(FAREWELL / 2)
        self.assertNoResult(gone)
        self.clock.advance(FAREWELL / 2)
        self.assertIsNone(self.successResultOf(gone))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_answer_first(self) -> None:
        """An answer that comes in time still reaches its client; nothing is left behind."""
        connection, _ = self.connect()
        connection.send(request("GET", "/slow"))
        gone = self.site.farewell()
        self.clock.advance(FAREWELL / 2)
        self.waiting[0].callback(json_answer("at last"))
        [page] = connection.received()
        self.assertEqual(page.json, "at last")
        self.assertIsNone(self.successResultOf(gone))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_answer(self) -> None:
        """An answer that does not come in time is not waited for."""
        connection, _ = self.connect()
        connection.send(request("GET", "/slow"))
        self.waiting[0].addErrback(lambda _: None)
        gone = self.site.farewell()
        self.clock.advance(FAREWELL)
        self.assertIsNone(self.successResultOf(gone))

    def test_half_a_request(self) -> None:
        """Nor is the rest of a request."""
        connection, _ = self.connect()
        connection.send(b"GET /large HTTP/1.1\r\n")
        gone = self.site.farewell()
        self.clock.advance(FAREWELL)
        self.assertIsNone(self.successResultOf(gone))

    def test_given_up(self) -> None:
        """Who waits for the end may stop waiting."""
        _, transport = self.connect()
        transport.stubborn = True
        gone: Deferred[None] = self.site.farewell()
        gone.addErrback(lambda _: None)
        gone.cancel()
        transport.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SurrogateTests(SynchronousTestCase):
    """Text that no UTF-8 can say."""

    def test_halves(self) -> None:
        """Half a surrogate pair is no JSON here, wherever it stands."""
        for text in (
            r'"\ud800"',
            r'"\uDfFf x"',
            r'{"\udc00":1}',
            r'[{"a":["\ud83d \ude00"]}]',
            r'"\ude00\ud83d"',
            "[" * 800 + r'"\ud800"' + "]" * 800,
        ):
            self.assertRaises(ValueError, parse_json, text.encode())

    def test_whole(self) -> None:
        """Pairs, other escapes, and what only looks like an escape, are."""
        for text, value in {
            r'"\ud83d\ude00"': "\U0001f600",
            r'"\u4e2d\ud55c"': "\u4e2d\ud55c",
            r'"\\ud800"': r"\ud800",
        }.items():
            self.assertEqual(parse_json(text.encode()), value)

    @given(st.text(st.characters(codec=None), max_size=9))
    def test_what_is_parsed_can_be_said(self, text: str) -> None:
        """A text is refused, or comes out as it went in."""
        raw = json.dumps([text]).encode()
        try:
            value = parse_json(raw)
        except ValueError:
            self.assertRaises(UnicodeEncodeError, text.encode)
        else:
            self.assertEqual(parse_json(to_json(value)), [text])

    @given(st.binary(max_size=30))
    def test_forms(self, raw: bytes) -> None:
        """No form can bring one in."""
        for name, value in parse_form(raw + b"&a=%ed%a0%80&%ed%b0%80=\xed\xa0\x80").items():
            (name + value).encode()


class SurrogateRouteTests(WorldCase):
    """The same, over the wire."""

    def test_every_route(self) -> None:
        """No route breaks on it, in a body, a form, a query, a path or a header."""
        half = "%ed%a0%80"
        bad = rb'{"todo":"\ud800","did":"\ud800","toId":"\ud800","payload":"\ud800"}'
        form = ("Content-Type", "application/x-www-form-urlencoded")
        for route in self.world.routes:
            path = re.sub("<[a-z_]+>", "did1", route.path) + f"?did={half}&{half}=1&area={half}"
            for body, headers in (
                (bad, [BEARER]),
                (f"todo={half}&did={half}&toId={half}".encode(), [BEARER, form]),
            ):
                sent = body if route.methods[-1] == "POST" else b""
                page = self.browser.ask(route.methods[-1], path, sent, headers)
                self.assertNotEqual(page.status, 500, route.path)
            self.browser.get(re.sub("<[a-z_]+>", half, route.path))
        self.assertEqual(self.world.site.counts["broken"], 0)
