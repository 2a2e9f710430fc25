"""
Where a connection comes in: clear text, TLS, or the one after the other (xmpp.md 1).

The first byte tells which.  A client that begins in clear text may ask for TLS later; then
everything begins anew inside of it, with another stream: nothing that was said or decided in
clear text is left (RFC 6120, 5.4.3.3).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet import protocol
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from bumper_tw.core.repeats import again
from bumper_tw.front.contact import Contact, Outcome, contact_of
from bumper_tw.front.first_bytes import HANDSHAKE, WHITE
from bumper_tw.front.tls import TlsLayer
from bumper_tw.values import Principal

if TYPE_CHECKING:
    from bumper_tw.xmpp.factory import XmppFactory
    from bumper_tw.xmpp.stream import XmppStream

#: With these a stream header begins, or the white space in front of it.
CLEAR = frozenset(b"<" + WHITE)


class IStream(Protocol):
    """What is behind the door: a stream, as the transport sees it."""

    def makeConnection(self, transport: Any) -> None:
        """Begin."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection has ended."""

    def leave(self) -> None:
        """Let go of the transport: somebody else takes it over."""

    def close(self, reason: str) -> None:
        """End the connection."""

    def farewell(self) -> None:
        """The server stops."""

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        """End, if that is somebody who would not be let in any more."""

    @property
    def robot(self) -> str:
        """The did of the robot whose stream it is; empty when it is none's."""


class Doorstep(protocol.Protocol):
    """
    One connection, from the first byte to the last.

    It has the one deadline there is before a client is in: neither bytes nor TLS buy time.

    @ivar host: the address of the other side; empty for a local socket.
    @ivar quiet: whether the same client was here just now, so that the owner need not hear of it.
    @ivar contact: the record of the connection.
    """

    _log = Logger()
    transport: Any
    contact: Contact

    def __init__(self, factory: "XmppFactory", host: str, tls: TlsLayer, clear: bool) -> None:
        """
        @param tls: what it turns to TLS with.
        @param clear: whether it may begin in clear text.
        """
        self.factory, self.host, self._tls = factory, host, tls
        self._clear = clear
        self._stream: IStream | None = None
        self._hear: Callable[[bytes], None] = self._first
        self._ended: Callable[[Failure], object] = _nobody_is_in
        self._deadline: IDelayedCall | None = None
        self.stranger, self.quiet = True, False

    @property
    def peer(self) -> str:
        """The other side, for the log."""
        return self.host or "a local socket"

    @property
    def robot(self) -> str:
        """The did of the robot that has its address; empty when there is none."""
        return "" if self._stream is None else self._stream.robot

    def connectionMade(self) -> None:
        self.contact = contact_of(self.transport)
        patience = self.factory.limits.login
        self._deadline = self.factory.clock.callLater(patience, self._too_late, patience)

    def dataReceived(self, data: bytes) -> None:
        self._hear(data)

    def _first(self, data: bytes) -> None:
        if isinstance(self.transport, TLSMemoryBIOProtocol):
            self._enter(self._secured(""), self.transport)
            self._hear(data)
        elif data[0] == HANDSHAKE:
            self._encrypt("")
            self._hear(data)
        elif self._clear and data[0] in CLEAR:
            self._enter(self.factory.stream(self, secure=False), self.transport)
            self._hear(data)
        else:
            self._stay_out()

    def _stay_out(self) -> None:
        """It is nobody of ours."""
        outcome = Outcome.NO_PROTOCOL if self._clear else Outcome.WRONG_LAYER
        self.contact.failed(outcome, "")
        self.log_end("speaks neither XML nor TLS" if self._clear else "does not begin with TLS")
        self.abort()

    def encrypt(self, domain: str) -> None:
        """
        Go on in TLS, as the client has asked for.

        @param domain: whom the client has talked to so far; it has to stay the same.
        """
        if self._stream is not None:
            self._stream.leave()
            # It may not have listened at the moment.
            self.transport.resumeProducing()
        self._encrypt(domain)

    def _encrypt(self, domain: str) -> None:
        handshake = self._tls.upon(self.transport, self.contact, lambda _: self._secured(domain))
        self._stream = None
        self._hear, self._ended = handshake.dataReceived, handshake.connectionLost

    def _secured(self, domain: str) -> "XmppStream":
        """What is inside of TLS."""
        stream: XmppStream = self.factory.stream(self, secure=True, domain=domain)
        self._stream = stream
        return stream

    def _enter(self, stream: IStream, transport: Any) -> None:
        self._stream, self._hear = stream, stream.dataReceived
        self._ended = stream.connectionLost
        stream.makeConnection(transport)

    def known(self) -> None:
        """The client is in."""
        self.stranger = False
        self._clear_deadline()
        self.factory.crowd.known(self)

    def _too_late(self, patience: float) -> None:
        self._deadline = None
        if self._stream is None:
            said = self._hear != self._first
            what = "did not finish the TLS handshake within" if said else "said nothing for"
            self.log_end(f"{what} {patience:g} s")
            self.abort()
        else:
            self._stream.close(f"was not logged in within {patience:g} s")

    def farewell(self) -> None:
        """The server stops."""
        if self._stream is None:
            self.abort()
        else:
            self._stream.farewell()

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        """End it, if that is somebody who would not be let in any more."""
        if self._stream is not None:
            self._stream.dismiss(gone)

    def log_end(self, reason: str) -> None:
        """One line for the owner; who comes again and again gets fewer."""
        self.contact.closing(reason)
        more = None if self.quiet else 0
        if self.stranger:
            more = self.factory.strange.say(self.host)
        if more is not None:
            self._log.info(
                "closing {peer}: {reason}{more}", peer=self.peer, reason=reason, more=again(more)
            )

    def abort(self) -> None:
        """End it now."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self._clear_deadline()
        self._ended(reason)
        self.factory.crowd.lost(self)
        # The others know this object, too.
        self._stream, self._hear, self._ended = None, _nobody_hears, _nobody_is_in

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _nobody_hears(_: bytes) -> None:
    """There is no stream any more."""


def _nobody_is_in(_: Failure) -> None:
    """There is no stream yet."""
