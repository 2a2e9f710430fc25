"""How simulated robots reach a broker."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer


@implementer(IOpenSSLClientConnectionCreator)
class Credulous:
    """TLS like the older robots: the server name is sent, its certificate not looked at."""

    def __init__(self, name: str) -> None:
        # RFC 6066, 3: a literal address is no server name.
        self._name = "" if isIPAddress(name) or isIPv6Address(name) else name
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        # robots.md 3.2: verification mode "none" is the default of old models.
        self._context.set_verify(SSL.VERIFY_NONE)

    def clientConnectionForTLS(
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: ARG002 Twisted passes it
    ) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        if self._name:
            connection.set_tlsext_host_name(self._name.encode("idna"))
        return connection


def hurry(transport: object) -> None:
    """Send small messages at once, also when the one before has not been acknowledged yet."""
    below = transport.transport if isinstance(transport, TLSMemoryBIOProtocol) else transport
    if ITCPTransport.providedBy(below):
        below.setTcpNoDelay(True)


def connect_endpoint(
    reactor: Any,
    host: str,
    port: int,
    tls: bool = True,
    ca: bytes | None = None,
    server_name: str | None = None,
) -> IStreamClientEndpoint:
    """
    Make the endpoint of a broker.

    @param reactor: one that resolves names and connects TCP
    @param ca: PEM of the one authority to trust; without it nothing is verified
    @param server_name: what to call the server in the TLS handshake, when that is not
        C{host}; an empty one sends no name, as the oldest models may do
    """
    plain = HostnameEndpoint(reactor, host, port)
    if not tls:
        return plain
    return wrapClientTLS(_options(host if server_name is None else server_name, ca), plain)


def _options(name: str, ca: bytes | None) -> IOpenSSLClientConnectionCreator:
    if ca is None:
        return Credulous(name)
    root = trustRootFromCertificates([Certificate.loadPEM(ca)])
    options: IOpenSSLClientConnectionCreator = optionsForClientTLS(name, root)
    return options
