"""
One connection from its first byte on: TLS or not, and which protocol.

It stays between the socket and whoever speaks the protocol: it counts bytes, and has the record
that the owner is shown.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IPushProducer,
    ITCPTransport,
    IUNIXTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.front import first_bytes
from bumper_tw.front.contact import OURS, TOO_MANY, Contact, Outcome, Speech
from bumper_tw.front.crowd import Unwelcome
from bumper_tw.front.tls import fell_through

if TYPE_CHECKING:
    from bumper_tw.front.entrance import Entrance

#: How many seconds somebody who is turned away may take to close.
HANG_UP = 1.0


@implementer(ITCPTransport, IConsumer, IPushProducer)
class Arrival(Protocol):
    """
    The connection, and the transport of what is inside.

    @ivar contact: what the owner is told of it.
    @ivar raw: the socket.
    @ivar host: the address of the other side; empty for a local socket.
    """

    raw: Any
    contact: Contact

    def __init__(self, entrance: "Entrance", addr: "IAddress | None", host: str) -> None:
        self._entrance, self._addr, self.host = entrance, addr, host
        self._held = bytearray()
        self._hear: Callable[[bytes], None] = self._begin
        self._ended: Callable[[Failure], object] = _nobody_is_in
        self._deadline: IDelayedCall | None = None
        self._undecided, self._encrypted = True, False

    # The connection

    def connectionMade(self) -> None:
        raw: Any = self.transport
        self.raw = raw
        # A second small message must not wait for the acknowledgement of the first, up to 40 ms.
        if ITCPTransport.providedBy(raw) and not IUNIXTransport.providedBy(raw):
            raw.setTcpNoDelay(True)
        port = getattr(self._addr, "port", 0)
        self.contact = self._entrance.begin(self.host, port, raw.getHost())
        self._expect(self._entrance.patience, self._too_late)

    def dataReceived(self, data: bytes) -> None:
        self.contact.received += len(data)
        self._hear(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._decided()
        self._ended(reason)
        # Both have known this object.
        self._hear, self._ended = _nobody_hears, _nobody_is_in
        self._entrance.over(self.contact, reason)

    # Until it is clear what is spoken

    def _begin(self, data: bytes) -> None:
        """The first bytes: of TLS, or in clear text."""
        layer = self._entrance.tls
        if layer is None:
            self.decide(data, self)
        elif data[0] == first_bytes.HANDSHAKE:
            self._encrypted = True
            handshake = layer.upon(self, self.contact, self._inside)
            self._hear, self._ended = handshake.dataReceived, handshake.connectionLost
            handshake.dataReceived(data)
        elif self.contact.wants_tls:
            # What is not whole yet is HTTP: only of that a byte is not enough.
            spoken = first_bytes.speech(data) or Speech.HTTP
            self._turn_away(Outcome.WRONG_LAYER, spoken, data, self)
        else:
            self._hear = self._in_clear
            self.decide(data, self)

    def _in_clear(self, data: bytes) -> None:
        self.decide(data, self)

    def _inside(self, secured: TLSMemoryBIOProtocol) -> Protocol:
        return Undecided(self, secured)

    def decide(self, data: bytes, transport: Any) -> None:
        """
        See what is spoken, once enough has come.

        @param transport: the connection, or TLS on it.
        """
        self._held += data
        speech = first_bytes.speech(self._held, self._entrance.own)
        if speech is not None:
            held, self._held = bytes(self._held), bytearray()
            self._enter(speech, held, transport)

    def _enter(self, speech: Speech, held: bytes, transport: Any) -> None:
        factory = self._entrance.factory(speech)
        if factory is None:
            known = speech is not Speech.OTHER
            outcome = Outcome.WRONG_PROTOCOL if known else Outcome.NO_PROTOCOL
            self._turn_away(outcome, speech, held, transport)
            return
        self._decided()
        self.contact.speaks(speech)
        inner: Any = factory.buildProtocol(self._addr)  # type: ignore[arg-type]  # none for UNIX
        if isinstance(inner, Unwelcome):
            self.contact.failed(Outcome.CROWDED, "there are too many connections")
        self._let_in(inner, transport)
        inner.dataReceived(held)

    def _let_in(self, inner: Any, transport: Any) -> None:
        if transport is self:
            self._hear, self._ended = inner.dataReceived, inner.connectionLost
        else:
            transport.wrappedProtocol = inner
        inner.makeConnection(transport)

    def _turn_away(self, outcome: Outcome, speech: Speech, held: bytes, transport: Any) -> None:
        """Tell both sides that this comes to nothing."""
        # Of what begins a request, a part may be secret.
        self.contact.speaks(speech, held if speech is Speech.OTHER else b"")
        self.contact.failed(outcome, "")
        self._let_in(Protocol(), transport)
        transport.write(first_bytes.goodbye(speech, outcome))
        transport.loseConnection()
        # Over TLS the other side answers the farewell, or does not.
        self._expect(HANG_UP, self.abortConnection)

    def make_room(self) -> None:
        """There are too many who have not said what they want, this one for the longest time."""
        self._decided()
        self.contact.failed(Outcome.CROWDED, TOO_MANY)
        self.contact.closing(TOO_MANY)
        self.abortConnection()

    def _too_late(self) -> None:
        if self.contact.received:
            self.contact.failed(Outcome.TOO_SLOW, "")
        self.contact.closing(f"no protocol was chosen within {self._entrance.patience:g} s")
        self.abortConnection()

    def _expect(self, seconds: float, call: Callable[[], None]) -> None:
        self._stop_clock()
        self._deadline = self._entrance.clock.callLater(seconds, self._ring, call)

    def _ring(self, call: Callable[[], None]) -> None:
        self._deadline = None
        call()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _decided(self) -> None:
        self._stop_clock()
        if self._undecided:
            self._undecided = False
            self._entrance.strangers.leave(self)

    # The transport.  Twisted's wrappers look up each of these when it is used, and say that they
    # provide what the transport does, which costs more than all of this for each connection.

    @property
    def disconnecting(self) -> bool:
        """Whether nothing more will be written; Twisted's protocols look at it."""
        return bool(self.raw.disconnecting)

    def write(self, data: bytes) -> None:
        self.contact.sent += len(data)
        self.raw.write(data)

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self._note_end()
        self.raw.loseConnection()

    def loseWriteConnection(self) -> None:
        self.raw.loseWriteConnection()

    def abortConnection(self) -> None:
        self._note_end()
        self.raw.abortConnection()

    def _note_end(self) -> None:
        # TLS ends the connection below also when the other side has ended it above.
        if not self._encrypted:
            self.contact.closing(OURS)

    def getPeer(self) -> Any:
        return self.raw.getPeer()

    def getHost(self) -> Any:
        return self.raw.getHost()

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """It is set for everybody when the connection is made, if it can be."""

    def getTcpKeepAlive(self) -> bool:
        return bool(self.raw.getTcpKeepAlive())

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.raw.setTcpKeepAlive(enabled)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.raw.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self.raw.unregisterProducer()

    def pauseProducing(self) -> None:
        self.raw.pauseProducing()

    def resumeProducing(self) -> None:
        self.raw.resumeProducing()

    def stopProducing(self) -> None:
        self.raw.stopProducing()


class Undecided(Protocol):
    """What is inside of TLS until it is clear what is spoken there."""

    def __init__(self, arrival: Arrival, secured: TLSMemoryBIOProtocol) -> None:
        self._arrival, self._secured = arrival, secured

    def dataReceived(self, data: bytes) -> None:
        self._arrival.decide(data, self._secured)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        fell_through(self._arrival.contact, reason)


def _nobody_hears(_: bytes) -> None:
    """There is no connection any more."""


def _nobody_is_in(_: Failure) -> None:
    """Nobody wants to know of the end."""
