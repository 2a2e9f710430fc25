"""
The server's end of one MQTT connection: who may say what when.

Nothing that a client says after its CONNECT gets out before somebody has decided who it is.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from bumper_tw.errors import ProtocolViolation
from bumper_tw.wire.mqtt_codec import PacketBuffer
from bumper_tw.wire.mqtt_decode import MAX_TOPIC, Grammar, grammar
from bumper_tw.wire.mqtt_packets import (
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscribe,
    Unsubscribe,
)

#: The largest remaining length, in bytes, before a login and after it (mqtt.md 3.6).
MAX_CONNECT: Final = 16 * 1024
MAX_SIZE: Final = 1024 * 1024

#: How many bytes may wait for the verdict on a CONNECT.
MAX_HELD: Final = 64 * 1024


class State(Enum):
    """
    How far a connection has come.

    C{PENDING} is between CONNECT and the verdict on it.
    """

    NEW = "new"
    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"


#: What a client may say.  A second CONNECT and everything that only servers say are
#: missing on purpose (MQTT 3.1.1, 3.1.0-2).
LEGAL: Final[dict[State, tuple[type[Packet], ...]]] = {
    State.NEW: (Connect,),
    State.PENDING: (),
    State.OPEN: (
        Publish,
        PubAck,
        PubRec,
        PubRel,
        PubComp,
        Subscribe,
        Unsubscribe,
        PingReq,
        Disconnect,
    ),
    State.CLOSED: (),
}

#: Where a packet leads, if it changes the state.
_NEXT: Final[dict[type[Packet], State]] = {
    Connect: State.PENDING,
    Disconnect: State.CLOSED,
}

#: The same as L{LEGAL}, in the form that stops a packet at its first byte.
_GRAMMARS: Final[dict[State, Grammar]] = {state: grammar(*legal) for state, legal in LEGAL.items()}

# An attribute of an Enum takes longer to find than anything else that is done with it here.
_NEW, _PENDING, _OPEN, _CLOSED = State.NEW, State.PENDING, State.OPEN, State.CLOSED


class MqttConnection:
    """
    Bytes from one client in, packets out.

    What L{receive} and L{accept} return must be iterated over: bytes are cut on the way.
    A L{ProtocolViolation} closes the connection; so does DISCONNECT, which is still handed
    out.  Once closed it is deaf, since a transport may deliver a little more after it was
    told to close.

    @ivar state: for reading; changed by what arrives, L{accept} and L{close}.
    """

    __slots__ = ("_buffer", "_max_held", "_max_size", "state")

    def __init__(
        self,
        max_size: int = MAX_SIZE,
        max_connect: int = MAX_CONNECT,
        max_held: int = MAX_HELD,
        max_topic: int = MAX_TOPIC,
    ) -> None:
        """
        @param max_size: the largest remaining length once the client is accepted.
        @param max_connect: the same for its CONNECT.
        @param max_held: how many bytes may follow a CONNECT before the verdict.
        @param max_topic: bytes in the longest topic or filter.
        """
        self._max_size, self._max_held = max_size, max_held
        self._buffer = PacketBuffer(max_connect, max_topic, _GRAMMARS[_NEW])
        self.state = _NEW

    @property
    def waiting(self) -> int:
        """How many bytes of a packet that is not whole yet, or of what is held, there are."""
        return len(self._buffer)

    def receive(self, data: bytes) -> Iterator[Packet]:
        """
        Take bytes from the client.

        @return: the packets that are complete and may be acted on now: after CONNECT none,
            until L{accept}.
        @raise ProtocolViolation: from the iterator, after the packets before it.
        """
        if self.state is _CLOSED:
            return iter(())
        if data:
            self._buffer.append(data)
        return self._release()

    def runs(self, data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
        """
        Take bytes from a client that is in, and hand out publications that can be passed on as
        they are, see L{PacketBuffer.runs}.  The rest is for L{receive}, without further bytes.
        """
        self._buffer.append(data)
        return self._buffer.runs()

    def accept(self) -> Iterator[Packet]:
        """
        Let the client in: its CONNECT was found good.

        Call it when CONNACK is written, so that answers to what was held come behind it.

        @return: what the client said meanwhile.
        @raise ProtocolViolation: from the iterator, like L{receive}.
        @raise RuntimeError: no CONNECT waits for a verdict.
        """
        if self.state is not _PENDING:
            raise RuntimeError(f"Nobody waits to be accepted: {self.state.value}.")
        self._enter(_OPEN)
        self._buffer.max_size = self._max_size
        return self._release()

    def close(self) -> None:
        """Hear no more, and forget what was held.  Harmless when repeated."""
        self._enter(_CLOSED)
        self._buffer.clear()

    def _release(self) -> Iterator[Packet]:
        buffer = self._buffer
        try:
            if self.state is _PENDING:
                self._check_held()
                return
            while (packet := buffer.cut()) is not None:
                following = _NEXT.get(packet.__class__)
                if following is not None:
                    self._follow(following)
                yield packet
                # Whoever heard the packet may have accepted or closed meanwhile.
                if self.state is not _OPEN:
                    return
            buffer.compact()
        except ProtocolViolation:
            self.close()
            raise

    def _follow(self, state: State) -> None:
        if state is _CLOSED:
            self.close()
        else:
            self._enter(state)
            self._check_held()

    def _enter(self, state: State) -> None:
        self.state = state
        self._buffer.grammar = _GRAMMARS[state]

    def _check_held(self) -> None:
        if len(self._buffer) > self._max_held:
            raise ProtocolViolation("A client says too much before it is let in.")
