"""Asking one server one question."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.packets import Question
from bumper_tw.dns.wires import AnswerTimedOut, Server, Socket, Unreachable, Wires
from tests.dns.samples import a, answer, asked, query

SERVER = ("192.0.2.1", 53)
OURS = 77


class FakeSocket:
    """A socket whose datagrams a test makes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.coming: list[bytes | OSError] = []
        self.closed = 0
        self.broken: OSError | None = None

    def fileno(self) -> int:
        return 99

    def send(self, data: bytes, /) -> int:
        if self.broken is not None:
            raise self.broken
        self.sent.append(data)
        return len(data)

    def recv(self, size: int, /) -> bytes:
        if not self.coming:
            raise BlockingIOError
        came = self.coming.pop(0)
        if isinstance(came, OSError):
            raise came
        return came[:size]

    def close(self) -> None:
        self.closed += 1


class Transport(StringTransportWithDisconnection):
    """A connection that ends at once."""

    def abortConnection(self) -> None:
        self.loseConnection()


class Case(SynchronousTestCase):
    """Sockets in memory."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.socket = FakeSocket()
        self.refused: OSError | None = None
        self.wires = Wires(self.reactor, lambda below: OURS, self.connect)
        self.question = asked("example.org")
        self.good = answer(self.question, a("example.org"), number=OURS)

    def connect(self, server: Server) -> Socket:
        if self.refused is not None:
            raise self.refused
        return self.socket


class DatagramTests(Case):
    """Over UDP."""

    def ask(self) -> Any:
        return self.wires.over_udp(SERVER, self.question, 1.5)

    def come(self, *datagrams: bytes | OSError) -> None:
        self.socket.coming += datagrams
        for _ in datagrams:
            for reader in list(self.reactor.getReaders()):
                reader.doRead()

    def assert_clean(self) -> None:
        self.assertEqual(self.socket.closed, 1)
        self.assertEqual(self.reactor.getReaders(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_answered(self) -> None:
        """The question goes out with a number of ours; the answer comes back."""
        asking = self.ask()
        self.assertEqual(self.socket.sent, [query("example.org", number=OURS)])
        self.come(self.good)
        self.assertEqual(self.successResultOf(asking), self.good)
        self.assert_clean()

    def test_forgeries(self) -> None:
        """Another number, another name, a question and rubbish are passed over."""
        asking = self.ask()
        other = asked("example.net")
        self.come(
            answer(self.question, a("example.org"), number=OURS + 1),
            answer(other, a("example.net"), number=OURS),
            query("example.org", number=OURS),
            b"",
            b"x" * 11,
        )
        self.assertNoResult(asking)
        self.come(self.good)
        self.assertEqual(self.successResultOf(asking), self.good)

    def test_spelling(self) -> None:
        """A server may repeat the name in another spelling."""
        asking = self.ask()
        self.come(self.good.replace(b"\x07example", b"\x07EXAMPLE", 1))
        self.successResultOf(asking)

    def test_silence(self) -> None:
        """After a while it is enough."""
        asking = self.ask()
        self.reactor.advance(1.5)
        self.failureResultOf(asking, AnswerTimedOut)
        self.assert_clean()

    def test_nothing_there(self) -> None:
        """The kernel tells when nothing listens."""
        asking = self.ask()
        self.come(ConnectionRefusedError(111, "Connection refused"))
        self.failureResultOf(asking, Unreachable)
        self.assert_clean()

    def test_woken_for_nothing(self) -> None:
        """A socket that has nothing after all is asked again later."""
        asking = self.ask()
        [reader] = self.reactor.getReaders()
        reader.doRead()
        self.assertNoResult(asking)
        self.come(self.good)
        self.successResultOf(asking)

    def test_no_way(self) -> None:
        """Neither a socket nor a question can be had without a route."""
        self.refused = OSError(101, "Network is unreachable")
        self.failureResultOf(self.ask(), Unreachable)
        self.refused, self.socket.broken = None, OSError(1, "Operation not permitted")
        self.failureResultOf(self.ask(), Unreachable)
        self.assert_clean()

    def test_given_up(self) -> None:
        """Whoever does not want to know any more leaves nothing behind."""
        asking = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assert_clean()

    def test_reactor_stops(self) -> None:
        """The reactor may end it."""
        asking = self.ask()
        [reader] = self.reactor.getReaders()
        reader.connectionLost(Failure(Refused()))
        self.failureResultOf(asking, Unreachable)
        self.assert_clean()


class StreamTests(Case):
    """Over TCP."""

    def connected(self) -> tuple[Any, Any, Transport]:
        asking = self.wires.over_tcp(SERVER, self.question, 3.0)
        host, port, factory, *_ = self.reactor.tcpClients[-1]
        self.assertEqual((host, port), SERVER)
        wrapped: Any = factory.buildProtocol(IPv4Address("TCP", *SERVER))
        transport = Transport()
        transport.protocol = wrapped
        wrapped.makeConnection(transport)
        return asking, wrapped, transport

    def test_answered(self) -> None:
        """The question and the answer have their lengths before them."""
        asking, stream, transport = self.connected()
        sent = query("example.org", number=OURS)
        self.assertEqual(transport.value(), len(sent).to_bytes(2, "big") + sent)
        for byte in len(self.good).to_bytes(2, "big") + self.good:
            stream.dataReceived(bytes([byte]))
        self.assertEqual(self.successResultOf(asking), self.good)
        self.assertFalse(transport.connected)

    def test_ends_early(self) -> None:
        """A connection that ends without an answer is a failure."""
        asking, _, transport = self.connected()
        transport.loseConnection()
        self.failureResultOf(asking, Unreachable)

    def test_silence(self) -> None:
        """One that stays open without an answer ends."""
        asking, _, transport = self.connected()
        self.reactor.advance(3.0)
        self.failureResultOf(asking, AnswerTimedOut)
        self.assertFalse(transport.connected)

    def test_refused(self) -> None:
        """Nothing may listen there."""
        asking = self.wires.over_tcp(SERVER, self.question, 3.0)
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(Refused()))
        self.failureResultOf(asking, Unreachable)

    def test_number(self) -> None:
        """The numbers of real questions differ."""
        numbers = {Wires(self.reactor).number(1 << 16) for _ in range(50)}
        self.assertGreater(len(numbers), 40)
        self.assertIsInstance(self.question, Question)
