"""TLS as our listeners speak it: wide enough for old robots, narrow enough for strict phones."""

from collections.abc import Callable

from attrs import frozen
from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from bumper_tw.errors import StartError
from bumper_tw.pki.directory import Credentials

#: Nobody has listed what robots need, so: every sound suite of TLS 1.2, those without forward
#: secrecy and with CBC at the end.  No finite-field DH: it costs us more than an attacker.
CIPHERS = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:kRSA+AESGCM:kRSA+AES"
    ":!aNULL:!eNULL:!RC4:!3DES:!MD5:!PSK:!SRP:!DSS"
)


@frozen
class Strictness:
    """
    How far down we go.

    @ivar lowest: The oldest protocol version, as OpenSSL counts them.
    @ivar level: OpenSSL's security level: from 3.0 on, TLS 1.0 needs 0.
    """

    lowest: int
    level: int


MODERN = Strictness(SSL.TLS1_2_VERSION, 1)
LEGACY = Strictness(SSL.TLS1_VERSION, 0)

OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION


@implementer(IOpenSSLServerConnectionCreator)
class TlsContextFactory:
    """
    Makes the server ends of one listener's connections, for C{TLSMemoryBIOFactory}.

    @param source: What to show and prove, asked at the start and at each L{reload}.
    @param legacy: Let TLS 1.0 and 1.1 in, for robots that know nothing newer.
    @raise StartError: OpenSSL refuses the certificate or the key.
    """

    def __init__(self, source: Callable[[], Credentials], legacy: bool = False) -> None:
        self._source = source
        self._strictness = LEGACY if legacy else MODERN
        self.reload()

    def serverConnectionForTLS(
        self,
        tlsProtocol: TLSMemoryBIOProtocol,  # noqa: ARG002 (the interface has it)
    ) -> SSL.Connection:
        """Make one end, with the credentials of now."""
        return SSL.Connection(self._context, None)

    def reload(self) -> None:
        """
        Take up the current credentials for connections to come; those that are open go on.

        @raise StartError: OpenSSL refuses them; the old ones stay in use.
        """
        self._context = make_context(self._source(), self._strictness)


class ServerContexts:
    """
    The two kinds of listener there are, sharing their credentials.

    @param source: What to show and prove, such as L{Vault.credentials
        <bumper_tw.pki.vault.Vault.credentials>}.
    """

    def __init__(self, source: Callable[[], Credentials]) -> None:
        self._modern = TlsContextFactory(source)
        self._legacy = TlsContextFactory(source, legacy=True)

    def creator(self, legacy: bool = False) -> TlsContextFactory:
        """The one for a listener, by whether it lets TLS 1.0 and 1.1 in."""
        return self._legacy if legacy else self._modern

    def reload(self) -> None:
        """L{TlsContextFactory.reload} for all listeners."""
        self._modern.reload()
        self._legacy.reload()


def make_context(credentials: Credentials, strictness: Strictness) -> SSL.Context:
    """
    An OpenSSL context that asks no client for a certificate.

    @raise StartError: OpenSSL refuses the certificate or the key.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(strictness.lowest)
    context.set_cipher_list(f"{CIPHERS}:@SECLEVEL={strictness.level}".encode())
    context.set_options(OPTIONS)
    # A few hundred robots stay connected and are mostly silent.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # Tickets leave the memory of a session with the client; we keep none.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_NONE)
    _show(context, credentials)
    return context


def _show(context: SSL.Context, credentials: Credentials) -> None:
    try:
        context.use_certificate(_x509(credentials.leaf))
        for issuer in credentials.chain[1:]:
            context.add_extra_chain_cert(_x509(issuer))
        context.use_privatekey(crypto.PKey.from_cryptography_key(credentials.key))
        context.check_privatekey()
    except SSL.Error as error:
        reason = error.args[0][0][2] if error.args and error.args[0] else "unknown"
        raise StartError(f"TLS cannot use the server certificate: {reason}.") from error


def _x509(certificate: x509.Certificate) -> crypto.X509:
    return crypto.X509.from_cryptography(certificate)
