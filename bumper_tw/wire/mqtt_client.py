"""The client's end of one MQTT connection: what we say to somebody else's server."""

from collections.abc import Iterator, Sequence
from typing import Final

from bumper_tw.errors import BumperError, ProtocolViolation
from bumper_tw.wire.mqtt_codec import PacketBuffer, encode, publish_bytes
from bumper_tw.wire.mqtt_decode import MAX_TOPIC, grammar
from bumper_tw.wire.mqtt_packets import (
    FIRST_REPLY,
    ConnAck,
    Connect,
    ConnectCode,
    Packet,
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

Answer = PubAck | PubRec | PubComp | SubAck | UnsubAck

_VERDICT: Final = grammar(ConnAck)
_TALK: Final = grammar(Publish, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, PingResp)


class WindowFull(BumperError):
    """The server owes too many answers already."""


class ClientConnection:
    """
    Bytes from a server in, packets out; and the bytes that we say to it.

    It checks that each answer belongs to a question, and remembers nothing else: resending
    after a reconnect, and telling repeated QoS 2 messages apart, is for the owner.

    @ivar accepted: whether the server has let us in.
    """

    def __init__(self, max_size: int, max_topic: int = MAX_TOPIC, max_pending: int = 1024) -> None:
        """
        @param max_size: the largest remaining length that the server may send.
        @param max_topic: bytes in the longest topic it may send.
        @param max_pending: how many questions may wait for answers, at most 65535.
        """
        self._buffer = PacketBuffer(max_size, max_topic, _VERDICT)
        self._max_pending = max_pending
        # What each packet identifier waits for, and how many codes a SUBACK must have.
        self._pending: dict[int, tuple[type[Answer], int]] = {}
        self._last_id = 0
        self.accepted = False

    @property
    def pending(self) -> int:
        """How many questions the server has not answered yet."""
        return len(self._pending)

    def connect(self, packet: Connect) -> bytes:
        """Say who we are; until the server's CONNACK nothing else is heard from it."""
        return encode(packet)

    def subscribe(self, requests: Sequence[tuple[str, int]]) -> tuple[int, bytes]:
        """
        Ask for messages.

        @param requests: filters, each with the highest QoS wanted.
        @return: the packet identifier that the SUBACK will have, and what to write.
        @raise WindowFull: too many questions wait.
        """
        packet = Subscribe(self._next_id(), tuple(requests))
        return self._ask(packet.packet_id, encode(packet), SubAck, len(requests))

    def unsubscribe(self, filters: Sequence[str]) -> tuple[int, bytes]:
        """Ask for no more messages; like L{subscribe}."""
        packet = Unsubscribe(self._next_id(), tuple(filters))
        return self._ask(packet.packet_id, encode(packet), UnsubAck)

    def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False
    ) -> tuple[int | None, bytes]:
        """
        Say something.

        @return: the packet identifier that PUBACK or PUBCOMP will have (C{None} with
            QoS 0), and what to write.
        @raise WindowFull: too many questions wait.
        """
        if not qos:
            return None, publish_bytes(topic, payload, qos, retain)
        packet_id = self._next_id()
        written = publish_bytes(topic, payload, qos, retain, packet_id=packet_id)
        return self._ask(packet_id, written, FIRST_REPLY[qos])

    def receive(self, data: bytes) -> Iterator[Packet]:
        """
        Take bytes from the server; the result must be iterated over.

        @raise ProtocolViolation: from the iterator, after the packets before the offence.
        """
        self._buffer.append(data)
        return self._release()

    def _release(self) -> Iterator[Packet]:
        for packet in self._buffer.packets():
            if isinstance(packet, ConnAck):
                self._heard(packet)
            elif isinstance(packet, Answer):
                self._settle(packet)
            yield packet

    def _heard(self, verdict: ConnAck) -> None:
        self.accepted = verdict.code is ConnectCode.ACCEPTED
        self._buffer.grammar = _TALK if self.accepted else {}

    def _next_id(self) -> int:
        if len(self._pending) >= self._max_pending:
            raise WindowFull(f"{len(self._pending)} questions wait for an answer.")
        self._last_id = self._last_id % 0xFFFF + 1
        while self._last_id in self._pending:
            self._last_id = self._last_id % 0xFFFF + 1
        return self._last_id

    def _ask(
        self, packet_id: int, written: bytes, answer: type[Answer], codes: int = 0
    ) -> tuple[int, bytes]:
        self._pending[packet_id] = answer, codes
        return packet_id, written

    def _settle(self, answer: Answer) -> None:
        """@raise ProtocolViolation: nobody asked, or not that."""
        codes = len(answer.codes) if isinstance(answer, SubAck) else 0
        if self._pending.pop(answer.packet_id, None) != (type(answer), codes):
            raise ProtocolViolation(f"A {type(answer).__name__} answers no question.")
        if isinstance(answer, PubRec):
            self._pending[answer.packet_id] = PubComp, 0
