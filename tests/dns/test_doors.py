"""Sockets at which questions arrive."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.authority import Authority
from bumper_tw.dns.cache import Cache
from bumper_tw.dns.doors import IDLE, LONGEST, DatagramDoor, StreamDoor, StreamDoors
from bumper_tw.dns.forwarder import Forwarder
from bumper_tw.dns.responder import Responder
from bumper_tw.front.crowd import Headcount, Unwelcome
from bumper_tw.pki.zones import ZONES
from tests.dns.samples import FakeWires, addresses, answer, query, read, txt

HERE, PEER = "192.168.1.5", "192.168.1.20"


class FakePort:
    """What a datagram is sent through."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []
        self.broken = False

    def write(self, data: bytes, addr: Any) -> None:
        if self.broken:
            raise OSError(22, "Invalid argument")
        self.sent.append((data, addr))


class Transport(StringTransportWithDisconnection):
    """A connection whose buffer may be full."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()


class Case(SynchronousTestCase):
    """A responder in memory."""

    def setUp(self) -> None:
        self.clock, self.wires = Clock(), FakeWires()
        cache = Cache(self.clock, 10)
        forwarder = Forwarder(self.clock, self.wires, lambda: [("192.0.2.1", 53)], cache)
        authority = Authority(ZONES, lambda local: (local,))
        self.responder = Responder(self.clock, authority, forwarder)


class DatagramTests(Case):
    """Over UDP."""

    def setUp(self) -> None:
        super().setUp()
        self.port = FakePort()
        self.door = DatagramDoor(self.responder, HERE)
        self.door.transport = self.port

    def test_answered(self) -> None:
        """The answer goes where the question came from, and tells where it came in."""
        self.door.datagramReceived(query(), (PEER, 5353))
        [(data, addr)] = self.port.sent
        self.assertEqual((addresses(data), addr), ([HERE], (PEER, 5353)))

    def test_unreachable(self) -> None:
        """An asker that cannot be answered is no reason to fail."""
        self.port.broken = True
        self.door.datagramReceived(query(), (PEER, 0))
        self.assertEqual(self.port.sent, [])

    def test_closed_meanwhile(self) -> None:
        """An answer that comes after the end is dropped."""
        self.door.datagramReceived(query("example.org"), (PEER, 5353))
        [(_, question, waiting)] = self.wires.waiting
        self.door.transport = None
        waiting.callback(answer(question))
        self.assertEqual(self.port.sent, [])


class StreamTests(Case):
    """Over TCP."""

    def setUp(self) -> None:
        super().setUp()
        self.room = Headcount(3, 2)
        self.doors = StreamDoors(self.clock, self.responder, HERE, self.room)

    def connect(self, host: str = PEER) -> tuple[Any, Transport]:
        made = self.doors.buildProtocol(IPv4Address("TCP", host, 40000))
        transport = Transport()
        transport.protocol = made
        made.makeConnection(transport)
        return made, transport

    def say(self, door: StreamDoor, *questions: bytes) -> None:
        door.dataReceived(b"".join(len(q).to_bytes(2, "big") + q for q in questions))

    def answers(self, transport: Transport) -> list[bytes]:
        data, found = transport.value(), []
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
        return found

    def test_several(self) -> None:
        """One after the other, also when they come in pieces."""
        door, transport = self.connect()
        sent = query("ecovacs.com", number=1)
        for byte in len(sent).to_bytes(2, "big") + sent:
            door.dataReceived(bytes([byte]))
        self.say(door, query("ecovacs.cn", number=2), query("ecouser.net", number=3))
        self.assertEqual([read(a).id for a in self.answers(transport)], [1, 2, 3])

    def test_long_answer(self) -> None:
        """There is room for any answer."""
        door, transport = self.connect()
        self.say(door, query("example.org", dns.TXT))
        [(_, question, waiting)] = self.wires.waiting
        waiting.callback(answer(question, txt("example.org", 40_000)))
        [data] = self.answers(transport)
        self.assertGreater(len(data), 40_000)

    def test_idle(self) -> None:
        """Single bytes keep nobody connected, whole questions do."""
        door, transport = self.connect()
        for _ in range(3):
            self.clock.advance(IDLE - 1)
            self.say(door, query())
        for byte in (b"\0", b"\x30", b"x"):
            self.assertTrue(transport.connected)
            door.dataReceived(byte)
            self.clock.advance(IDLE / 3)
        self.assertFalse(transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_long(self) -> None:
        """Nobody has a question that long."""
        door, transport = self.connect()
        door.dataReceived((LONGEST + 1).to_bytes(2, "big"))
        self.assertTrue(transport.aborted)

    def test_room(self) -> None:
        """There is room for so many in all and from one address, and again when they leave."""
        _, first = self.connect()
        self.connect()
        self.assertIsInstance(self.connect()[0], Unwelcome)
        self.connect("192.168.1.21")
        self.assertIsInstance(self.connect("192.168.1.22")[0], Unwelcome)
        first.loseConnection()
        self.assertIsInstance(self.connect()[0], StreamDoor)

    def test_unread_answers(self) -> None:
        """Who does not read answers is not read either."""
        door, transport = self.connect()
        self.assertIs(transport.producer, door)
        door.pauseProducing()
        self.say(door, query(), query())
        self.assertEqual(transport.producerState, "paused")
        self.assertEqual(self.answers(transport), [])
        door.resumeProducing()
        self.assertEqual(len(self.answers(transport)), 2)

    def test_dismissed(self) -> None:
        """At the end all connections are closed, and forgotten."""
        transports = [self.connect()[1], self.connect("192.168.1.21")[1]]
        self.doors.dismiss()
        self.assertEqual([t.aborted for t in transports], [True, True])
        self.assertEqual((len(self.doors.open), len(self.room)), (0, 0))

    def test_gone_meanwhile(self) -> None:
        """An answer that comes after the end is dropped."""
        door, transport = self.connect()
        self.say(door, query("example.org"))
        [(_, question, waiting)] = self.wires.waiting
        transport.loseConnection()
        waiting.callback(answer(question))
        self.assertEqual(self.answers(transport), [])
