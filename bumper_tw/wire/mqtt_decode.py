"""
What is inside an MQTT 3.1.1 packet (and a 3.1 one, which looks the same), read strictly.

A L{Grammar} is a table from the first byte of a packet to the function that reads the rest;
what the standard forbids is a L{ProtocolViolation}.  Another version of the protocol is
another table.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_packets import (
    SPOKEN,
    SUBSCRIPTION_REFUSED,
    ConnAck,
    Connect,
    ConnectCode,
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
    Will,
)

#: Bytes in the longest topic or filter (mqtt.md 3.6).
MAX_TOPIC: Final = 512

#: Filters in one SUBSCRIBE or UNSUBSCRIBE.  Home Assistant sends up to 500; without an end a
#: packet of a mebibyte has hundreds of thousands, and all other clients wait for them.
MAX_FILTERS: Final = 1000

#: Reads one packet: its first byte, its body, the longest topic in bytes.
Decode = Callable[[int, bytes, int], Packet]

#: What may come next in a stream: first byte to reader.  A first byte that is missing is
#: refused, which covers reserved types, reserved flags and packets out of turn alike.
Grammar = Mapping[int, Decode]


class LimitExceeded(ProtocolViolation):
    """
    Something is larger than we take, which is nothing that the standard forbids.

    @ivar limit: what says how large it may be: C{max_size} or C{max_topic}, as in
        L{PacketBuffer <bumper_tw.wire.mqtt_codec.PacketBuffer>}, or another by its own name.
    """

    def __init__(self, text: str, limit: str) -> None:
        super().__init__(text)
        self.limit = limit


def long_size(data: bytes | bytearray, at: int, size: int) -> tuple[int, int]:
    """
    Read a remaining length from its second byte on (MQTT 3.1.1, 2.2.3).

    @param size: what the first byte said.
    @return: the length and where the body starts, or twice 0 when bytes are missing.
    @raise ProtocolViolation: it has a fifth byte.
    """
    for shift, byte in zip((7, 14, 21), data[at : at + 3], strict=False):
        at += 1
        size |= (byte & 127) << shift
        if byte < 128:
            return size, at
        if shift == 21:
            raise ProtocolViolation("A remaining length has more than four bytes.")
    return 0, 0


class _Reader:
    """A cursor over one packet's body; reading past its end is a violation."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    @property
    def more(self) -> bool:
        return self._at < len(self._body)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise ProtocolViolation("A packet is shorter than its fields.")
        taken = self._body[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def packet_id(self) -> int:
        return _packet_id(self.number())

    def blob(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        return _text(self.blob())

    def filter(self, max_topic: int) -> str:
        raw = self.blob()
        _check_length(raw, max_topic)
        return _text(raw)

    def finish(self) -> None:
        if self.more:
            raise ProtocolViolation("A packet is longer than its fields.")


def _packet_id(number: int) -> int:
    if not number:
        raise ProtocolViolation("Packet identifier 0 is not legal.")
    return number


def _text(raw: bytes) -> str:
    """Strict UTF-8 without NUL (MQTT 3.1.1, 1.5.3); Python refuses surrogates itself."""
    if 0 in raw:
        raise ProtocolViolation("A text contains NUL.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Not chained: the original carries the text, which may be a credential.
        raise ProtocolViolation("A text is not valid UTF-8.") from None


def _check_length(raw: bytes, max_topic: int) -> None:
    if not raw:
        raise ProtocolViolation("A topic or a filter is empty.")
    if len(raw) > max_topic:
        raise LimitExceeded(f"A topic of {len(raw)} bytes is over the limit.", "max_topic")


def _check_count(filters: int) -> None:
    """
    @param filters: how many there are before the next one.
    """
    if filters >= MAX_FILTERS:
        raise ProtocolViolation(f"A packet has more than {MAX_FILTERS} filters.")


def _topic(raw: bytes, max_topic: int) -> str:
    """A topic name: no wildcards (MQTT 3.1.1, 3.3.2.1), and otherwise as L{_text}."""
    # Each message comes through here, so nothing is called that need not be; and a text is
    # searched faster than bytes are.
    if not 0 < len(raw) <= max_topic:
        _check_length(raw, max_topic)
    try:
        topic = raw.decode()
    except UnicodeDecodeError:
        raise ProtocolViolation("A topic name is not valid UTF-8.") from None
    if "+" in topic or "#" in topic or "\0" in topic:
        raise ProtocolViolation("A topic name contains a wildcard or NUL.")
    return topic


def _publish(first: int, body: bytes, max_topic: int) -> Publish:
    # The hot path: slices instead of a reader.
    size = len(body)
    end = (body[0] << 8 | body[1]) + 2 if size > 1 else 2
    if end > size:
        raise ProtocolViolation("A PUBLISH is shorter than its topic.")
    topic = _topic(body[2:end], max_topic)
    qos = first >> 1 & 3
    if not qos:
        return Publish(topic, body[end:], 0, first & 1 == 1)
    if end + 2 > size:
        raise ProtocolViolation("A PUBLISH is shorter than its packet identifier.")
    packet_id = _packet_id(body[end] << 8 | body[end + 1])
    return Publish(topic, body[end + 2 :], qos, first & 1 == 1, first & 8 == 8, packet_id)


def _connect(_first: int, body: bytes, max_topic: int) -> Connect:
    reader = _Reader(body)
    name, level = reader.text(), reader.byte()
    if name not in SPOKEN:
        raise ProtocolViolation("A CONNECT names a protocol that is not MQTT.")
    if SPOKEN[name] != level:
        return Connect(name, level)
    flags = _connect_flags(reader.byte())
    connect = Connect(
        name,
        level,
        clean=bool(flags & 0x02),
        keep_alive=reader.number(),
        client_id=reader.text(),
        will=_will(reader, flags, max_topic) if flags & 0x04 else None,
        username=reader.text() if flags & 0x80 else None,
        password=reader.blob() if flags & 0x40 else None,
    )
    reader.finish()
    return connect


def _connect_flags(flags: int) -> int:
    """Check what MQTT 3.1.1, 3.1.2.3 to 3.1.2.9 say about combinations."""
    if flags & 0x01:
        raise ProtocolViolation("The reserved flag of a CONNECT is set.")
    if flags & 0x18 == 0x18:
        raise ProtocolViolation("A will has QoS 3.")
    if flags & 0x38 and not flags & 0x04:
        raise ProtocolViolation("A CONNECT has will flags and no will.")
    if flags & 0x40 and not flags & 0x80:
        raise ProtocolViolation("A CONNECT has a password and no user name.")
    return flags


def _will(reader: _Reader, flags: int, max_topic: int) -> Will:
    topic = _topic(reader.blob(), max_topic)
    return Will(topic, reader.blob(), flags >> 3 & 3, bool(flags & 0x20))


def _connack(_first: int, body: bytes, _max_topic: int) -> ConnAck:
    reader = _Reader(body)
    present, code = reader.byte(), reader.byte()
    reader.finish()
    if code > ConnectCode.NOT_AUTHORIZED or present > (code == ConnectCode.ACCEPTED):
        raise ProtocolViolation("A CONNACK has reserved bits or an unknown code.")
    return ConnAck(ConnectCode(code), bool(present))


def _acknowledgement(kind: Callable[[int], Packet]) -> Decode:
    """The reader of a packet that is a packet identifier and nothing else."""

    def decode(_first: int, body: bytes, _max_topic: int) -> Packet:
        if len(body) != 2:
            raise ProtocolViolation("An acknowledgement is not a packet identifier.")
        return kind(_packet_id(body[0] << 8 | body[1]))

    return decode


def _subscribe(_first: int, body: bytes, max_topic: int) -> Subscribe:
    reader = _Reader(body)
    packet_id = reader.packet_id()
    requests: list[tuple[str, int]] = []
    while reader.more:
        _check_count(len(requests))
        requests.append((reader.filter(max_topic), reader.byte()))
        if requests[-1][1] > 2:
            raise ProtocolViolation("A SUBSCRIBE asks for an unknown QoS.")
    if not requests:
        raise ProtocolViolation("A SUBSCRIBE asks for nothing.")
    return Subscribe(packet_id, tuple(requests))


def _suback(_first: int, body: bytes, _max_topic: int) -> SubAck:
    reader = _Reader(body)
    packet_id, codes = reader.packet_id(), tuple(body[2:])
    if not codes or not {0, 1, 2, SUBSCRIPTION_REFUSED}.issuperset(codes):
        raise ProtocolViolation("A SUBACK has no codes, or an unknown one.")
    return SubAck(packet_id, codes)


def _unsubscribe(_first: int, body: bytes, max_topic: int) -> Unsubscribe:
    reader = _Reader(body)
    packet_id = reader.packet_id()
    filters: list[str] = []
    while reader.more:
        _check_count(len(filters))
        filters.append(reader.filter(max_topic))
    if not filters:
        raise ProtocolViolation("An UNSUBSCRIBE asks for nothing.")
    return Unsubscribe(packet_id, tuple(filters))


def _bare(kind: Callable[[], Packet]) -> Decode:
    """The reader of a packet without a body."""

    def decode(_first: int, body: bytes, _max_topic: int) -> Packet:
        if body:
            raise ProtocolViolation("A packet is longer than its fields.")
        return kind()

    return decode


#: How a PUBLISH may start: no QoS 3, and DUP only above QoS 0 (MQTT 3.1.1, 3.3.1).
PUBLISH_FIRSTS: Final = bytes((*range(0x30, 0x36), *range(0x3A, 0x3E)))

_READERS: Final[dict[type[Packet], tuple[bytes, Decode]]] = {
    Connect: (b"\x10", _connect),
    ConnAck: (b"\x20", _connack),
    Publish: (PUBLISH_FIRSTS, _publish),
    PubAck: (b"\x40", _acknowledgement(PubAck)),
    PubRec: (b"\x50", _acknowledgement(PubRec)),
    PubRel: (b"\x62", _acknowledgement(PubRel)),
    PubComp: (b"\x70", _acknowledgement(PubComp)),
    Subscribe: (b"\x82", _subscribe),
    SubAck: (b"\x90", _suback),
    Unsubscribe: (b"\xa2", _unsubscribe),
    UnsubAck: (b"\xb0", _acknowledgement(UnsubAck)),
    PingReq: (b"\xc0", _bare(PingReq)),
    PingResp: (b"\xd0", _bare(PingResp)),
    Disconnect: (b"\xe0", _bare(Disconnect)),
}


def grammar(*kinds: type[Packet]) -> Grammar:
    """The part of MQTT 3.1.1 that allows packets of these kinds and no others."""
    return {
        first: decode for kind in kinds for firsts, decode in [_READERS[kind]] for first in firsts
    }


MQTT_311: Final = grammar(*_READERS)
