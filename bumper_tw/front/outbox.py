"""What goes out to one client, and what waits while it does not read."""

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from zope.interface import implementer

from bumper_tw.errors import ProtocolViolation
from bumper_tw.front.arrival import Arrival
from bumper_tw.front.tls import Direct

#: How many bytes of answers may wait for a client that asks and does not read.
UNREAD = 262_144


class Wave:
    """
    What one piece of received bytes makes us say to everybody, sent while we are at it.

    Twisted sends when the reactor has found out that a socket takes something, which nearly all
    of them do all the time.  Not to ask saves a turn of the reactor for each piece, a third of
    all it costs to pass on one message.  What a socket does not take waits for the reactor.
    """

    def __init__(self) -> None:
        self._spoken: dict[Outbox, None] = {}
        self._rising = False

    def rise(self) -> None:
        """Bytes came."""
        self._rising = True

    def spoken(self, outbox: "Outbox") -> None:
        """Something was written there."""
        if self._rising:
            self._spoken[outbox] = None

    def fall(self) -> None:
        """They are dealt with."""
        self._rising = False
        if self._spoken:
            spoken, self._spoken = self._spoken, {}
            for outbox in spoken:
                outbox.send()


def socket_below(transport: Any) -> Any:
    """The socket that sends what is written to C{transport}; C{None} if it may come later."""
    # The usual TLS says that it provides what its transport does, but holds back what it is
    # given until the next turn; this one encrypts at once.
    if type(transport) is Direct:
        transport = transport.transport
    if type(transport) is Arrival:
        transport = transport.raw
    return transport if hasattr(type(transport), "doWrite") else None


@implementer(IPushProducer)
class Outbox(Protocol):
    """
    The writing half of a connection, paused by its transport when the other side is slow.

    It bounds what the client itself causes, our answers.  What others publish is for the
    session to bound, which asks how much waits: L{backlog}.

    It is the protocol itself, not a part of it: nothing is called more often than C{write}, and
    an idle connection must not cost much.
    """

    __slots__ = (
        "_answers", "_flowing", "_shut", "_size", "_socket", "_waiting", "_wave", "connected",
        "transport",
    )  # fmt: skip

    #: TCP or TLS on it, a consumer and a producer besides: no one interface says all that.
    transport: Any
    #: What is asked to send; C{None} where that is left to the reactor.
    _socket: Any

    def __init__(self, wave: Wave) -> None:
        # Twisted reads both before it sets them.
        self.transport, self.connected = None, 0
        self._wave, self._socket = wave, None
        self._flowing, self._shut = True, False
        # What waits is shared with whoever else has to hear it, so it is not copied together.
        self._waiting: list[bytes] | None = None
        self._size = self._answers = 0

    def connectionMade(self) -> None:
        self._socket = socket_below(self.transport)
        self.transport.registerProducer(self, True)

    def backlog(self) -> int:
        """How many bytes wait."""
        return self._size

    def write(self, packet: bytes) -> None:
        """Send one packet, or keep it until the client reads."""
        if self._flowing:
            self.transport.write(packet)
            if self._socket is not None:
                self._wave.spoken(self)
        elif not self._shut:
            self._keep(packet)

    def send(self) -> None:
        """Send what was written, as far as the socket takes it now."""
        # Whoever is ending, or was told to wait, is left to the reactor, which has to know.
        if self._flowing:
            self._socket.doWrite()

    def _keep(self, packet: bytes) -> None:
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(packet)
        self._size += len(packet)

    def answer(self, packet: bytes) -> None:
        """
        Send what the client asked for.

        @raise ProtocolViolation: it asks on and on, and does not read.
        """
        if not self._flowing:
            self._answers += len(packet)
            if self._answers > UNREAD:
                raise ProtocolViolation("A client asks on and on without reading.")
        self.write(packet)

    def finish(self) -> None:
        """Let what waits go out, and take nothing more."""
        # A transport does not close while somebody still produces for it.
        self.transport.unregisterProducer()
        self._flowing, self._shut = False, True
        self._flush()

    def drained(self) -> None:
        """Nothing waits any more."""

    def pauseProducing(self) -> None:
        self._flowing = False

    def resumeProducing(self) -> None:
        self._flowing, self._answers = not self._shut, 0
        self._flush()
        # That may have been too much again.
        if self._flowing:
            self.drained()

    def stopProducing(self) -> None:
        """The transport is gone."""
        self._flowing, self._shut = False, True
        self._waiting, self._size = None, 0

    def _flush(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting, self._size = self._waiting, None, 0
            self.transport.writeSequence(waiting)
