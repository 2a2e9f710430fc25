"""Tests for L{bumper_tw.front.outbox.Wave}: what is written while bytes come goes out at once."""

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IWriteDescriptor
from twisted.internet.task import Clock
from zope.interface import implementer

from bumper_tw.values import Message
from bumper_tw.wire.mqtt_codec import encode, publish_bytes
from bumper_tw.wire.mqtt_packets import Connect, Disconnect, Publish, Subscribe
from tests.lines import Line
from tests.mqtt.clients import WorldCase, packets
from tests.samples import DASHBOARD

TOPIC = "lamp/1"


@implementer(IWriteDescriptor)
class Socket(Line):
    """
    A connection as TCP has it: what is written is sent when there is a try.

    @ivar tries: how often there was one.
    """

    def __init__(self, clock: Clock, protocol: object) -> None:
        self.tries, self.written = 0, bytearray()
        super().__init__(clock, "192.0.2.9", protocol)  # type: ignore[arg-type]  # one of ours

    def write(self, data: bytes) -> None:
        self.written += data

    def doWrite(self) -> None:
        self.tries += 1
        self.sent += self.written
        self.written.clear()

    def fileno(self) -> int:
        return -1

    def connectionLost(self, reason: object) -> None:
        """The reactor's side of it; not called here."""

    def logPrefix(self) -> str:
        return "a socket"


class Wrapped(Line):
    """
    A connection as TLS has it: what it does not do itself is done below.

    @ivar below: what was asked for there.
    """

    def __init__(self, clock: Clock, protocol: object) -> None:
        self.below: list[str] = []
        super().__init__(clock, "192.0.2.9", protocol)  # type: ignore[arg-type]  # one of ours

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        self.below.append(name)
        return lambda: None


class WaveTests(WorldCase):
    """A client that hears, and one that speaks."""

    def setUp(self) -> None:
        super().setUp()
        self.speaker = self.world.connect(DASHBOARD)
        door = self.world.factory.door(True)
        self.world.door.known["hearer"] = DASHBOARD
        protocol = door.buildProtocol(IPv4Address("TCP", "192.0.2.9", 50_000))
        self.socket = Socket(self.clock, protocol)
        self.socket.receive(encode(Connect(client_id="hearer")))
        self.socket.receive(encode(Subscribe(1, (("lamp/#", 0),))))
        self.world.settle()
        self.socket.doWrite()
        self.socket.sent.clear()
        self.socket.tries = 0

    def heard(self) -> list[bytes]:
        """What was sent so far."""
        found = packets(bytes(self.socket.sent))
        return [each.payload for each in found if isinstance(each, Publish)]

    def test_once(self) -> None:
        """Many messages in one piece are sent with one try, before the piece is dealt with."""
        pieces = [publish_bytes(f"lamp/{n % 3}", b"%d" % n) for n in range(9)]
        self.speaker.line.receive(b"".join(pieces))
        self.assertEqual((self.socket.tries, len(self.heard())), (1, 9))

    def test_ours(self) -> None:
        """What nobody's bytes have caused is left to the reactor."""
        self.world.broker.publish(Message(TOPIC, b"x"))
        self.assertEqual((self.socket.tries, self.heard()), (0, []))
        self.assertTrue(self.socket.written)

    def test_paused(self) -> None:
        """A socket that takes nothing is left to the reactor."""
        self.socket.protocol.pauseProducing()  # type: ignore[attr-defined]  # ours has it
        self.speaker.line.receive(publish_bytes(TOPIC, b"x"))
        self.assertEqual(self.socket.tries, 0)

    def test_ending(self) -> None:
        """So is one that closes: the reactor has to know when all is sent."""
        self.socket.receive(encode(Disconnect()))
        self.assertEqual((self.socket.tries, self.socket.closing), (0, True))

    def test_answers(self) -> None:
        """Answers go out at once, too."""
        self.socket.receive(publish_bytes(TOPIC, b"x", 1, packet_id=7))
        self.assertEqual(self.socket.tries, 1)
        self.assertTrue(bytes(self.socket.sent).endswith(b"\x40\x02\x00\x07"))

    def test_after_a_bug(self) -> None:
        """A piece that met a bug holds nothing back."""

        def broken(_: Message) -> None:
            raise ZeroDivisionError

        self.world.broker.subscribe("lamp/2", broken)
        self.speaker.line.receive(publish_bytes("lamp/2", b"x") + publish_bytes(TOPIC, b"y"))
        self.assertEqual(self.heard(), [b"x", b"y"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_tls(self) -> None:
        """With TLS there is no try: what is below does not have the bytes yet."""
        self.world.door.known["secret"] = DASHBOARD
        protocol = self.world.factory.door(True).buildProtocol(IPv4Address("TCP", "192.0.2.8", 1))
        line = Wrapped(self.clock, protocol)
        line.receive(encode(Connect(client_id="secret")))
        line.receive(publish_bytes(TOPIC, b"x", 1, packet_id=7))
        self.assertTrue(bytes(line.sent).endswith(b"\x40\x02\x00\x07"))
        self.assertNotIn("doWrite", line.below)
