"""
Bytes to packets and back, MQTT 3.1.1.

L{PacketBuffer} cuts a stream and refuses as early as the bytes allow; L{encode} writes.
What is inside a packet is read by L{bumper_tw.wire.mqtt_decode}.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_decode import (
    MAX_TOPIC,
    MQTT_311,
    PUBLISH_FIRSTS,
    Grammar,
    LimitExceeded,
    long_size,
)
from bumper_tw.wire.mqtt_packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from bumper_tw.wire.mqtt_runs import cut_run

#: The largest remaining length that four bytes can say (MQTT 3.1.1, 2.2.3).
LARGEST: Final = 0x0FFF_FFFF

#: As many bytes are rather copied once more than kept in a bytearray, which is slower to cut.
SMALL: Final = 4096

#: The packets that are a packet identifier and nothing else: their first two bytes.
PUBACK: Final = 0x4002
PUBREC: Final = 0x5002
PUBREL: Final = 0x6202
PUBCOMP: Final = 0x7002
UNSUBACK: Final = 0xB002

_REPLY: Final = struct.Struct(">HH").pack
_U16: Final = struct.Struct(">H").pack
_BYTE: Final = tuple(bytes((byte,)) for byte in range(256))


class PacketBuffer:
    """
    Cuts a stream into packets, however its bytes arrive.

    It keeps no more than one packet's worth of bytes besides what was fed last.  After a
    violation it is stuck there: whatever is fed, the same violation is raised.

    @ivar max_size: the largest remaining length; a packet that announces more is refused
        by its header.  May change between packets.
    @ivar max_topic: bytes in the longest topic or filter.
    @ivar grammar: what may come next.  May change between packets.
    """

    __slots__ = ("_at", "_data", "grammar", "max_size", "max_topic")

    def __init__(
        self, max_size: int, max_topic: int = MAX_TOPIC, grammar: Grammar = MQTT_311
    ) -> None:
        self.max_size, self.max_topic, self.grammar = max_size, max_topic, grammar
        # Bytes that arrive when nothing waits are cut where they are; only a packet that
        # arrives in pieces is collected in a bytearray.
        self._data: bytes | bytearray = b""
        self._at = 0

    def __len__(self) -> int:
        """How many bytes wait to be cut."""
        return len(self._data) - self._at

    def feed(self, data: bytes) -> Iterator[Packet]:
        """
        Take bytes, and cut them while the result is iterated over.

        An iteration may be given up; the rest waits for L{packets} or the next C{feed}.

        @raise ProtocolViolation: from the iterator, after the packets before the offence.
        """
        self.append(data)
        return self.packets()

    def append(self, data: bytes) -> None:
        """Take bytes and cut nothing."""
        if self._at == len(self._data):
            self._data, self._at = data, 0
            return
        if len(self) < SMALL and isinstance(self._data, bytes):
            self._data, self._at = self._data[self._at :] + data, 0
            return
        waiting = self._data if isinstance(self._data, bytearray) else bytearray(self._data)
        del waiting[: self._at]
        waiting += data
        self._data, self._at = waiting, 0

    def packets(self) -> Iterator[Packet]:
        """Cut what waits; see L{feed}."""
        while (packet := self.cut()) is not None:
            yield packet
        self.compact()

    def runs(self) -> Iterator[tuple[bytes, bytes, int]]:
        """
        Hand out the QoS 0 publications at the front as they are, while the result is iterated
        over; whoever stops leaves the one it was given last, and all behind it, to L{packets}.

        @return: topic (not checked but for its length), packets, and how many those are.
        """
        while (run := cut_run(self._data, self._at, self.max_size)) is not None:
            if len(run.topic) > self.max_topic:
                return
            yield run.topic, bytes(self._data[self._at : run.end]), run.packets
            if not self._data:
                return  # Whoever was given them has closed the connection.
            self._at = run.end

    def clear(self) -> None:
        """Forget what waits."""
        self._data, self._at = b"", 0

    def cut(self) -> Packet | None:
        """
        Cut one packet.

        @return: C{None} when no packet is complete; it is time to L{compact} then.
        @raise ProtocolViolation: what comes next is illegal.
        """
        data, at = self._data, self._at
        available = len(data) - at
        if not available:
            return None
        decode = self.grammar.get(data[at])
        if decode is None:
            raise ProtocolViolation(f"A packet may not start with 0x{data[at]:02x} here.")
        if available == 1:
            return None
        size, start = data[at + 1], at + 2
        if size > 127:
            size, start = long_size(data, start, size & 127)
        if size > self.max_size:
            raise LimitExceeded(f"A packet of {size} bytes is over the limit.", "max_size")
        end = start + size
        if not start or end > len(data):
            return None
        body = data[start:end]
        if not isinstance(body, bytes):
            body = bytes(body)
        packet = decode(data[at], body, self.max_topic)
        self._at = end
        return packet

    def compact(self) -> None:
        """Let go of the bytes that were cut."""
        # What is left came with the last feed, so all in all no byte moves more than twice.
        if self._at == len(self._data):
            self.clear()
        elif self._at:
            self._data, self._at = self._data[self._at :], 0


# Writing


def encode(packet: Packet) -> bytes:
    """
    Write one packet.

    @raise ValueError: a text or the whole is too long for its length field, or QoS, DUP
        and packet identifier of a PUBLISH do not fit together.
    """
    return _WRITERS[packet.__class__](packet)


def publish_bytes(
    topic: str,
    payload: bytes,
    qos: int = 0,
    retain: bool = False,
    dup: bool = False,
    packet_id: int | None = None,
) -> bytes:
    """Write a PUBLISH without making a record first; once for many, with QoS 0."""
    first = 0x30 | dup << 3 | qos << 1 | retain
    if first not in PUBLISH_FIRSTS or (not qos) is not (packet_id is None):
        raise ValueError("QoS, DUP and packet identifier do not fit together.")
    name = topic.encode()
    tail = payload if packet_id is None else _U16(packet_id) + payload
    return b"%c%b%b%b" % (first, _size(2 + len(name) + len(tail)), _blob(name), tail)


def reply_bytes(kind: int, packet_id: int) -> bytes:
    """
    Write a packet that is a packet identifier and nothing else, without a record.

    @param kind: L{PUBACK} and its like.
    """
    return _REPLY(kind, packet_id)


def refuse_level(level: int) -> bytes:
    """
    The CONNACK for a client whose version we do not speak, in its own version's form.

    @param level: from its CONNECT.  MQTT 5 knows the verdict as 0x84 and expects
        properties behind it; all the others get return code 1.
    """
    return b"\x20\x03\x00\x84\x00" if level == 5 else b"\x20\x02\x00\x01"


def _size(size: int) -> bytes:
    """Write a remaining length."""
    if size > LARGEST:
        raise ValueError(f"A packet cannot have {size} bytes.")
    written = b""
    while size > 127:
        written += _BYTE[size & 127 | 128]
        size >>= 7
    return written + _BYTE[size]


def _blob(raw: bytes) -> bytes:
    if len(raw) > 0xFFFF:
        raise ValueError(f"A field cannot have {len(raw)} bytes.")
    return _U16(len(raw)) + raw


def _text(text: str) -> bytes:
    return _blob(text.encode())


def _packet(first: int, body: bytes) -> bytes:
    return _BYTE[first] + _size(len(body)) + body


def _connect(packet: Connect) -> bytes:
    will, flags = packet.will, packet.clean << 1
    tail = _text(packet.client_id)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        tail += _text(will.topic) + _blob(will.payload)
    if packet.username is not None:
        flags |= 0x80
        tail += _text(packet.username)
    if packet.password is not None:
        flags |= 0x40
        tail += _blob(packet.password)
    head = _text(packet.protocol_name) + bytes((packet.level, flags))
    return _packet(0x10, head + _U16(packet.keep_alive) + tail)


def _publish(packet: Publish) -> bytes:
    return publish_bytes(
        packet.topic, packet.payload, packet.qos, packet.retain, packet.dup, packet.packet_id
    )


def _subscribe(packet: Subscribe) -> bytes:
    requests = b"".join(_text(wanted) + _BYTE[qos] for wanted, qos in packet.requests)
    return _packet(0x82, _U16(packet.packet_id) + requests)


def _unsubscribe(packet: Unsubscribe) -> bytes:
    return _packet(0xA2, _U16(packet.packet_id) + b"".join(map(_text, packet.filters)))


def _reply(kind: int) -> Callable[[Any], bytes]:
    return lambda packet: _REPLY(kind, packet.packet_id)


# Any: each writer takes the class it stands next to, which a dict's type cannot say.
_WRITERS: Final[dict[type[Packet], Callable[[Any], bytes]]] = {
    Connect: _connect,
    ConnAck: lambda packet: bytes((0x20, 2, packet.session_present, packet.code)),
    Publish: _publish,
    PubAck: _reply(PUBACK),
    PubRec: _reply(PUBREC),
    PubRel: _reply(PUBREL),
    PubComp: _reply(PUBCOMP),
    Subscribe: _subscribe,
    SubAck: lambda packet: _packet(0x90, _U16(packet.packet_id) + bytes(packet.codes)),
    Unsubscribe: _unsubscribe,
    UnsubAck: _reply(UNSUBACK),
    PingReq: lambda _: b"\xc0\x00",
    PingResp: lambda _: b"\xd0\x00",
    Disconnect: lambda _: b"\xe0\x00",
}
