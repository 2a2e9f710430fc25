"""
A broker in memory, and clients that say byte by byte what a test makes them say.

Each test starts its docstring with the numbers of what it proves; C{statements.toml} has all
numbers, and L{tests.mqtt.conformance.document} makes a table of both.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    ConnectCode,
    Disconnect,
    Packet,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    Unsubscribe,
    Will,
)
from tests.lines import Line
from tests.mqtt.clients import World

P = TypeVar("P", bound=Packet)

LARGEST = 2**21

#: What CONNECT says before its flags: name and level of MQTT 3.1.1.
MQTT_4 = b"\x00\x04MQTT\x04"

PINGREQ, PINGRESP, DISCONNECT = b"\xc0\x00", b"\xd0\x00", b"\xe0\x00"


def somebody(client_id: str) -> Principal:
    """A client of the household: all of them share an account."""
    return Principal(Role.SERVICE, "house", resource=client_id)


def packet(first: int, body: bytes) -> bytes:
    """One packet of at most 127 bytes, right or wrong."""
    assert len(body) < 128, "a longer length field"
    return bytes((first, len(body))) + body


def field(data: bytes) -> bytes:
    """Text or data behind its length."""
    return len(data).to_bytes(2, "big") + data


def connect(flags: int, *fields: bytes, head: bytes = MQTT_4, keep_alive: int = 60) -> bytes:
    """A CONNECT with anything in its flags and its payload."""
    payload = b"".join(field(each) for each in fields)
    return packet(0x10, head + bytes((flags,)) + keep_alive.to_bytes(2, "big") + payload)


def publish(first: int, topic: bytes, rest: bytes) -> bytes:
    """A PUBLISH with any first byte and topic; C{rest} starts with the identifier, if any."""
    return packet(first, field(topic) + rest)


def deliveries(packets: Iterable[Packet]) -> list[Publish]:
    """The messages among what somebody heard."""
    return [packet for packet in packets if isinstance(packet, Publish)]


class Peer:
    """
    One connection to the broker.

    @ivar present: what CONNACK said about a session, once there is one.
    """

    def __init__(self, world: World, name: str, protocol: Protocol) -> None:
        self.world, self.name, self.present = world, name, False
        self.line = Line(world.clock, "192.0.2.7", protocol)
        self._buffer, self._read, self._last = PacketBuffer(LARGEST), 0, 0

    @property
    def closed(self) -> bool:
        """Whether the server has ended it."""
        return self.line.over

    def send(self, *written: bytes) -> None:
        """Say bytes, all in one piece."""
        self.line.receive(b"".join(written))
        self.world.settle()

    def say(self, *spoken: Packet) -> None:
        """Say packets, all in one piece."""
        self.send(*map(encode, spoken))

    def raw(self) -> bytes:
        """The bytes that came since the last look."""
        self.world.settle()
        fresh = bytes(self.line.sent[self._read :])
        self._read = len(self.line.sent)
        return fresh

    def hear(self) -> list[Packet]:
        """The packets that came since the last look."""
        return list(self._buffer.feed(self.raw()))

    def messages(self) -> list[Publish]:
        """The messages that came since the last look."""
        return deliveries(self.hear())

    def payloads(self) -> list[bytes]:
        """Their payloads."""
        return [message.payload for message in self.messages()]

    def only(self, kind: type[P]) -> P:
        """The one packet of that kind since the last look."""
        [found] = [heard for heard in self.hear() if isinstance(heard, kind)]
        return found

    def number(self) -> int:
        """A packet identifier that this connection has not used."""
        self._last += 1
        return self._last

    def subscribe(self, *filters: str, qos: int = 0) -> tuple[int, ...]:
        """Ask for messages; what came before the codes is not heard any more."""
        wanted = Subscribe(self.number(), tuple((each, qos) for each in filters))
        self.world.settle()
        self._read = len(self.line.sent)
        self.say(wanted)
        granted = next(self._buffer.feed(self._first()))
        assert isinstance(granted, SubAck), "SUBACK does not come first"
        assert granted.packet_id == wanted.packet_id, "it is of another SUBSCRIBE"
        return granted.codes

    def _first(self) -> bytes:
        """Take the bytes of the next packet, which is a short one."""
        start = self._read
        self._read += 2 + self.line.sent[start + 1]
        return bytes(self.line.sent[start : self._read])

    def unsubscribe(self, *filters: str) -> None:
        """Ask for no more messages."""
        self.say(Unsubscribe(self.number(), filters))

    def publish(
        self, topic: str, payload: bytes = b"x", qos: int = 0, retain: bool = False
    ) -> None:
        """Say a message, and follow its protocol to the end."""
        number = self.number() if qos else None
        self.say(Publish(topic, payload, qos, retain, packet_id=number))
        if qos == 2 and number is not None:
            self.say(PubRel(number))

    def acknowledge(self, messages: Iterable[Publish]) -> None:
        """Take messages, whatever their QoS, to the end of their protocol."""
        for message in messages:
            if message.qos == 1 and message.packet_id is not None:
                self.say(PubAck(message.packet_id))
            elif message.packet_id is not None:
                self.say(PubRec(message.packet_id))
                self.say(PubComp(message.packet_id))

    def leave(self) -> None:
        """Say DISCONNECT, and close."""
        self.say(Disconnect())
        self.vanish()

    def vanish(self) -> None:
        """Close without a word."""
        self.line.drop()
        self.world.settle()


class ConformanceCase(SynchronousTestCase):
    """
    A broker to which everybody of one household may connect.

    @cvar options: what its L{World} is made with.
    """

    options: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        self.world = self.server()
        self.clock = self.world.clock

    def server(self) -> World:
        """A server that runs."""
        return World(**self.options)

    def dial(self, name: str = "c1") -> Peer:
        """A connection of somebody who may come in, and has said nothing yet."""
        self.world.door.known.setdefault(name, somebody(name))
        return self.stranger(name)

    def stranger(self, name: str = "c1") -> Peer:
        """A connection of somebody who is let in, or not, by the test."""
        address = IPv4Address("TCP", "192.0.2.7", 50_000)
        return Peer(self.world, name, self.world.factory.door(False).buildProtocol(address))

    def join(
        self, name: str = "c1", clean: bool = True, keep_alive: int = 600, will: Will | None = None
    ) -> Peer:
        """Somebody who is connected; what came behind CONNACK is still to be heard."""
        peer = self.dial(name)
        peer.say(
            Connect(
                clean=clean,
                keep_alive=keep_alive,
                client_id=name,
                username="house",
                password=b"s",
                will=will,
            )
        )
        verdict = next(peer._buffer.feed(peer._first()))
        assert isinstance(verdict, ConnAck), "CONNACK does not come first"
        self.assertEqual(verdict.code, ConnectCode.ACCEPTED)
        peer.present = verdict.session_present
        return peer

    def hearer(
        self, *filters: str, qos: int = 0, name: str = "hearer", clean: bool = True
    ) -> Peer:
        """Somebody who is connected and has asked for messages."""
        peer = self.join(name, clean)
        self.assertEqual(peer.subscribe(*filters, qos=qos), (qos,) * len(filters))
        return peer

    def retained(self, topic: str) -> list[tuple[bytes, int]]:
        """What somebody new is told about a topic: payloads, each with its QoS."""
        peer = self.hearer(topic, qos=2, name="newcomer")
        told = peer.messages()
        self.assertTrue(all(message.retain for message in told))
        peer.leave()
        return [(message.payload, message.qos) for message in told]

    def announce(self, topic: str, payload: bytes = b"x", qos: int = 0) -> None:
        """The server itself publishes."""
        self.world.broker.publish(Message(topic, payload, qos))
        self.world.settle()

    def refused(self, peer: Peer, *written: bytes) -> None:
        """C{written} ends the connection, without an answer."""
        peer.raw()
        peer.send(*written)
        self.assertTrue(peer.closed, f"still open after {written!r}")
        self.assertEqual(peer.raw(), b"", f"an answer to {written!r}")

    def alive(self, peer: Peer) -> None:
        """The connection works, and nothing unheard is on it."""
        peer.send(PINGREQ)
        self.assertEqual(peer.raw(), PINGRESP)
