"""
TLS upon a connection that is there already, told to the owner as it goes.

Twisted begins TLS before anything has come.  Here the hello of the client is read first: it says
which name is wanted, so that the certificate can be one for that name, and it is what the owner
has to see when the handshake fails.
"""

from collections.abc import Callable
from typing import Any, Protocol

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLServerConnectionCreator,
    IReactorTime,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as Conversation
from twisted.protocols.tls import (
    BufferingTLSTransport,
    TLSMemoryBIOFactory,
    TLSMemoryBIOProtocol,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.errors import ProtocolViolation
from bumper_tw.front.contact import OURS, Contact, Outcome, contact_of
from bumper_tw.wire.client_hello import HelloReader


class Choice(Protocol):
    """
    What a client is shown.

    @ivar context: with the certificate.
    @ivar shown: what the journal calls that.
    """

    @property
    def context(self) -> SSL.Context: ...

    @property
    def shown(self) -> str: ...


class Chooser(Protocol):
    """Whoever has the certificates."""

    def choose(self, server_name: str, host: str) -> Choice:
        """
        The certificate for a name.

        @param server_name: empty when the client does not say.
        @param host: the address of the client.
        """


#: What is inside of TLS, once the handshake is over.
Inside = Callable[[TLSMemoryBIOProtocol], Conversation]


class Secured(TLSMemoryBIOProtocol):
    """
    TLS with a certificate of its own, which tells when whoever is inside ends it.

    @ivar context: with the certificate.
    """

    context: SSL.Context

    def loseConnection(self) -> None:
        contact_of(self).closing(OURS)
        super().loseConnection()

    def abortConnection(self) -> None:
        contact_of(self).closing(OURS)
        super().abortConnection()


class Direct(Secured):
    """TLS that encrypts at once what is written, which Twisted's usual one does a turn later."""


class Buffered(Secured, BufferingTLSTransport):
    """TLS that puts together what is written in one turn of the reactor."""


@implementer(IOpenSSLServerConnectionCreator)
class _Chosen:
    """Goes by what was chosen for each connection."""

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """The server's end."""
        chosen: Any = tlsProtocol
        return SSL.Connection(chosen.context, None)


class TlsLayer:
    """What all connections of a listener share that may turn to TLS."""

    def __init__(self, clock: IReactorTime, chooser: Chooser, direct: bool) -> None:
        """
        @param direct: whether to encrypt at once what is written.
        """
        self.chooser = chooser
        # What is inside is for each connection to say.
        self._factory = TLSMemoryBIOFactory(_Chosen(), False, Factory(), clock)
        self._kind: type[Secured] = Direct if direct else Buffered

    def upon(self, transport: Any, contact: Contact, inside: Inside) -> "Handshake":
        """
        Begin TLS.

        @param transport: what takes encrypted bytes.
        @param inside: is asked for what follows the handshake; it is given its transport then.
        """
        return Handshake(self, transport, contact, inside)

    def secured(self, context: SSL.Context, threshold: "Threshold") -> Secured:
        """TLS with a certificate, not begun."""
        secured = self._kind(self._factory, threshold)
        secured.context = context
        return secured


class Handshake:
    """
    TLS, from the first byte that the client sends.

    It takes what a protocol takes, and passes it on.
    """

    def __init__(self, layer: TlsLayer, transport: Any, contact: Contact, inside: Inside) -> None:
        self._layer, self._transport, self._contact = layer, transport, contact
        self._inside = inside
        self._reader, self._held = HelloReader(), bytearray()
        self._secured: Secured | None = None
        self._hear: Callable[[bytes], None] = self._read

    def dataReceived(self, data: bytes) -> None:
        """Encrypted bytes came."""
        self._hear(data)

    def _read(self, data: bytes) -> None:
        self._held += data
        try:
            hello = self._reader.feed(data)
        except ProtocolViolation:
            # OpenSSL has the words for whoever sent this.
            self._begin("")
            return
        if hello is not None:
            self._contact.greeted(hello)
            self._begin(hello.server_name)

    def _begin(self, server_name: str) -> None:
        choice = self._layer.chooser.choose(server_name, self._contact.host)
        self._contact.shows(choice.shown)
        threshold = Threshold(self._contact, self._inside)
        secured = self._secured = self._layer.secured(choice.context, threshold)
        self._hear = secured.dataReceived
        held, self._held = bytes(self._held), bytearray()
        secured.makeConnection(self._transport)
        secured.dataReceived(held)

    def connectionLost(self, reason: Failure) -> None:
        """The connection below has ended."""
        self._hear = _nobody_hears
        if self._secured is not None:
            self._secured.connectionLost(reason)


def _nobody_hears(_: bytes) -> None:
    """The connection has ended."""


@implementer(IHandshakeListener)
class Threshold(Conversation):
    """What is inside of TLS until the handshake is over."""

    transport: Any

    def __init__(self, contact: Contact, inside: Inside) -> None:
        self._contact, self._inside = contact, inside

    def handshakeCompleted(self) -> None:
        """In with whoever is to be inside."""
        secured = self.transport
        self._contact.secured(agreed(secured.getHandle()))
        inner = secured.wrappedProtocol = self._inside(secured)
        inner.makeConnection(secured)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        fell_through(self._contact, reason)


def fell_through(contact: Contact, reason: Failure) -> None:
    """TLS has ended before anything was said inside of it: because it failed, if it did."""
    if reason.check(SSL.Error) is not None:
        contact.failed(Outcome.TLS_FAILED, words(reason.value))


def agreed(connection: SSL.Connection) -> str:
    """The version and the cipher suite, such as C{TLSv1.3 TLS_AES_256_GCM_SHA384}."""
    return f"{connection.get_protocol_version_name()} {connection.get_cipher_name()}"


def words(error: BaseException | None) -> str:
    """What OpenSSL says about a failure; the first of its reasons caused the others."""
    found = getattr(error, "args", ())
    if found and isinstance(found[0], list) and found[0]:
        return str(found[0][0][-1])
    return str(error) or "unknown"
