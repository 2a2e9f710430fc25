"""The little MQTT 3.1.1 a robot speaks: its own codec, shared with nothing of the server."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, cast

from attrs import define, field, frozen
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import Interface

from bumper_tw.simulator.endpoints import hurry

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ_FRAME = b"\xc0\x00"
DISCONNECT_FRAME = b"\xe0\x00"
REFUSED = 0x80
KEEP_ALIVE = 120
PING_AFTER = 0.8
"""The part of the keep-alive that may pass without traffic (robots.md 4.1)."""

LARGEST_PACKET = 1 << 21
"""Bytes of one packet from the server; no robot has the memory for more."""


class BadPacket(Exception):
    """The server sent bytes that are no MQTT 3.1.1."""


@frozen
class Login:
    """
    What a robot says in its CONNECT.

    @ivar keep_alive: seconds
    """

    client_id: str
    username: str
    password: str = field(repr=False)
    keep_alive: int = KEEP_ALIVE


@frozen
class Message:
    """
    One PUBLISH.

    @ivar packet_id: 0 with QoS 0
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    packet_id: int = 0


def packet(first: int, body: bytes) -> bytes:
    """
    Frame one packet.

    @param first: type and flags
    """
    size, length = len(body), bytearray([first])
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return bytes(length) + body


def text(value: str) -> bytes:
    """Encode a string with its length in front (MQTT 3.1.1, 1.5.3)."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect(login: Login) -> bytes:
    """Encode CONNECT: level 4, clean session, user name and password, no will."""
    head = text("MQTT") + bytes([4, 0xC2]) + login.keep_alive.to_bytes(2, "big")
    return packet(0x10, head + text(login.client_id) + text(login.username) + text(login.password))


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    """Encode SUBSCRIBE of one filter at QoS 0."""
    return packet(0x82, packet_id.to_bytes(2, "big") + text(topic_filter) + b"\0")


def publish(topic: str, payload: bytes) -> bytes:
    """Encode PUBLISH at QoS 0, not retained."""
    return packet(0x30, text(topic) + payload)


def puback(packet_id: int) -> bytes:
    """Encode the answer to a PUBLISH at QoS 1."""
    return packet(0x40, packet_id.to_bytes(2, "big"))


def message(flags: int, body: bytes) -> Message:
    """
    Decode the body of a PUBLISH.

    @param flags: the low half of the first byte
    @raise BadPacket: truncated, not UTF-8, or of a QoS a robot does not know
    """
    qos, end = flags >> 1 & 3, 2 + int.from_bytes(body[:2], "big")
    start = end + 2 if qos else end
    if qos > 1 or len(body) < max(start, 2):
        raise BadPacket("publish")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError as error:
        raise BadPacket("topic") from error
    return Message(topic, body[start:], qos, bool(flags & 1), int.from_bytes(body[end:start]))


@define
class Splitter:
    """Bytes in, whole packets out."""

    _held: bytes = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """
        Take what arrived.

        @return: first byte and body of every packet that is complete
        @raise BadPacket: the length is malformed or above L{LARGEST_PACKET}
        """
        held, at = self._held + data if self._held else data, 0
        while (bounds := _bounds(held, at)) is not None:
            start, end = bounds
            yield held[at], held[start:end]
            at = end
        self._held = held[at:]


def _bounds(held: bytes, at: int) -> tuple[int, int] | None:
    size = 0
    for place, digit in enumerate(held[at + 1 : at + 5]):
        size |= (digit & 127) << 7 * place
        if digit < 128:
            start = at + 2 + place
            if size > LARGEST_PACKET:
                raise BadPacket("too large")
            return (start, start + size) if len(held) >= start + size else None
    if len(held) >= at + 5:
        raise BadPacket("length")
    return None


class IMqttUser(Interface):
    """Whoever owns a connection and hears what happens on it."""

    def framed(outgoing: bool, raw: bytes) -> None:
        """Raw bytes passed, as one read or one write."""

    def answered(client: MqttClient, code: int) -> None:
        """The server answered CONNECT; code 0 is a welcome."""

    def granted(client: MqttClient, packet_id: int, codes: bytes) -> None:
        """The server answered one SUBSCRIBE."""

    def heard(client: MqttClient, message: Message) -> None:
        """The server delivered a message; QoS 1 is acknowledged already."""

    def offended(reason: str) -> None:
        """The server broke MQTT; the connection is being closed."""

    def lost(client: MqttClient) -> None:
        """The connection is gone.  Called once, and the last call."""


class MqttClient(Protocol):
    """One connection: says CONNECT, keeps alive, and passes the rest to its user."""

    def __init__(self, clock: IReactorTime, login: Login, user: IMqttUser) -> None:
        self._clock, self._login, self._user = clock, login, user
        self._splitter = Splitter()
        self._last_sent = 0.0
        self._ping: IDelayedCall | None = None
        self._frozen = False

    def connectionMade(self) -> None:
        hurry(self.transport)
        self.send(connect(self._login))
        self._plan_ping()

    def dataReceived(self, data: bytes) -> None:
        if self._frozen:
            return
        self._user.framed(False, data)
        try:
            for first, body in self._splitter.feed(data):
                self._take(first, body)
        except BadPacket as error:
            self._user.offended(f"malformed packet: {error}")
            self.abort()

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        if self._ping is not None and self._ping.active():
            self._ping.cancel()
        self._ping = None
        self._user.lost(self)

    def send(self, raw: bytes) -> None:
        """Write bytes, whole packets or not; a frozen connection writes nothing."""
        if self._frozen or self.transport is None:
            return
        self._last_sent = self._clock.seconds()
        self._user.framed(True, raw)
        self.transport.write(raw)

    def close(self) -> None:
        """Say DISCONNECT and close."""
        self.send(DISCONNECT_FRAME)
        if self.transport is not None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """Close without a word; works on a frozen connection too."""
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def freeze(self) -> None:
        """Read and write nothing more, keep the TCP connection (robots.md 8, half_open)."""
        self._frozen = True
        if self.transport is not None:
            cast(IPushProducer, self.transport).pauseProducing()

    def _take(self, first: int, body: bytes) -> None:
        action = self._TAKES.get(first >> 4)
        if action is None:
            raise BadPacket(f"type {first >> 4}")
        action(self, first & 15, body)

    def _connack(self, flags: int, body: bytes) -> None:
        if flags or len(body) != 2:
            raise BadPacket("connack")
        self._user.answered(self, body[1])

    def _suback(self, flags: int, body: bytes) -> None:
        if flags or len(body) < 3:
            raise BadPacket("suback")
        self._user.granted(self, int.from_bytes(body[:2], "big"), body[2:])

    def _publish(self, flags: int, body: bytes) -> None:
        heard = message(flags, body)
        if heard.qos:
            self.send(puback(heard.packet_id))
        self._user.heard(self, heard)

    def _ignore(self, flags: int, body: bytes) -> None:
        """PINGRESP and PUBACK carry nothing a robot waits for."""

    def _plan_ping(self) -> None:
        quiet = self._login.keep_alive * PING_AFTER
        wait = self._last_sent + quiet - self._clock.seconds()
        if wait <= 0:
            self.send(PINGREQ_FRAME)
            wait = quiet
        self._ping = self._clock.callLater(wait, self._plan_ping)

    _TAKES: ClassVar[dict[int, Callable[[MqttClient, int, bytes], None]]] = {
        CONNACK: _connack,
        PUBLISH: _publish,
        PUBACK: _ignore,
        SUBACK: _suback,
        PINGRESP: _ignore,
    }


@define(eq=False)
class ClientFactory(Factory):
    """Builds the one protocol an endpoint asks for."""

    build: Callable[[], MqttClient] = field()
    noisy = False

    def buildProtocol(self, _addr: IAddress | None) -> MqttClient:
        return self.build()
