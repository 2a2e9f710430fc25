"""
MQTT 3.1.1 as bytes on a socket, written without a look at our own codec.

What it writes may be as wrong as a test wants it.
"""

import socket
from enum import IntEnum

from attrs import frozen

from tests.interop.raw_wire import RawWire


class Kind(IntEnum):
    """The upper half of a packet's first byte, and the flags that go with it."""

    CONNECT = 0x10
    CONNACK = 0x20
    PUBLISH = 0x30
    PUBACK = 0x40
    PUBREC = 0x50
    PUBREL = 0x62
    PUBCOMP = 0x70
    SUBSCRIBE = 0x82
    SUBACK = 0x90
    UNSUBSCRIBE = 0xA2
    UNSUBACK = 0xB0
    PINGREQ = 0xC0
    PINGRESP = 0xD0
    DISCONNECT = 0xE0


def number(value: int) -> bytes:
    """Two bytes."""
    return value.to_bytes(2, "big")


def text(value: str | bytes) -> bytes:
    """A string with its length in front."""
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw)) + raw


def length(value: int) -> bytes:
    """A remaining length."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def packet(first: int, *parts: bytes) -> bytes:
    """A packet with the length that is right."""
    body = b"".join(parts)
    return bytes([first]) + length(len(body)) + body


@frozen
class Login:
    """
    What a CONNECT says.

    @ivar will: topic, payload, QoS and whether it is retained.
    """

    id: str = ""
    user: str | None = None
    password: str | bytes = ""
    clean: bool = True
    keep_alive: int = 60
    level: int = 4
    name: str = "MQTT"
    will: tuple[str, bytes, int, bool] | None = None

    def written(self) -> bytes:
        """The packet."""
        flags, payload = self.clean << 1, [text(self.id)]
        if self.will is not None:
            topic, said, qos, retain = self.will
            flags |= 0x04 | qos << 3 | retain << 5
            payload += [text(topic), text(said)]
        if self.user is not None:
            flags |= 0xC0
            payload += [text(self.user), text(self.password)]
        head = text(self.name) + bytes([self.level, flags]) + number(self.keep_alive)
        return packet(Kind.CONNECT, head, *payload)


def publish(
    topic: str | bytes,
    payload: bytes,
    qos: int = 0,
    packet_id: int = 0,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    """A PUBLISH."""
    first = Kind.PUBLISH | dup << 3 | qos << 1 | retain
    return packet(first, text(topic), number(packet_id) if qos else b"", payload)


def subscribe(packet_id: int, *wanted: tuple[str | bytes, int]) -> bytes:
    """A SUBSCRIBE."""
    requests = (text(topic_filter) + bytes([qos]) for topic_filter, qos in wanted)
    return packet(Kind.SUBSCRIBE, number(packet_id), *requests)


def unsubscribe(packet_id: int, *filters: str) -> bytes:
    """An UNSUBSCRIBE."""
    return packet(Kind.UNSUBSCRIBE, number(packet_id), *map(text, filters))


def answer(kind: Kind, packet_id: int) -> bytes:
    """A PUBACK, PUBREC, PUBREL or PUBCOMP."""
    return packet(kind, number(packet_id))


@frozen
class Message:
    """A PUBLISH that came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int


@frozen
class Heard:
    """Any packet that came."""

    first: int
    body: bytes

    @property
    def packet_id(self) -> int:
        """The number at the beginning of all but PUBLISH."""
        return int.from_bytes(self.body[:2], "big")

    def message(self) -> Message:
        """What a PUBLISH says."""
        assert self.first & 0xF0 == Kind.PUBLISH, self
        qos, end = self.first >> 1 & 3, 2 + int.from_bytes(self.body[:2], "big")
        head = end + 2 if qos else end
        packet_id = int.from_bytes(self.body[end:head], "big")
        flags = bool(self.first & 1), bool(self.first & 8)
        return Message(self.body[2:end].decode(), self.body[head:], qos, *flags, packet_id)


class Wire(RawWire[Heard]):
    """One connection."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._buffer = bytearray()

    def hear(self, kind: Kind | None = None) -> Heard:
        """
        The next packet.

        @param kind: what it has to be.
        @raise Closed: there is none.
        """
        while (found := self._next()) is None:
            self._more()
        assert kind is None or found.first & 0xF0 == kind & 0xF0, (kind, found)
        return found

    def finished(self) -> None:
        """We say no more."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # The server was first.

    def _take(self, data: bytes) -> None:
        self._buffer += data

    def _next(self) -> Heard | None:
        """The first packet in the buffer, if it is there as a whole."""
        sizes = self._buffer[1:5]
        last = next((n for n, byte in enumerate(sizes) if byte < 128), None)
        if last is None:
            return None
        head = 2 + last
        end = head + sum((byte & 127) << 7 * n for n, byte in enumerate(sizes[: last + 1]))
        if len(self._buffer) < end:
            return None
        found = Heard(self._buffer[0], bytes(self._buffer[head:end]))
        del self._buffer[:end]
        return found


def connected(port: int, login: Login) -> tuple[Wire, bool]:
    """
    A client that is let in.

    @return: it, and whether an older session goes on.
    """
    wire = Wire(port)
    wire.say(login.written())
    verdict = wire.hear(Kind.CONNACK).body
    assert verdict[1] == 0, verdict
    return wire, bool(verdict[0])
