"""TLS as our listeners speak it: wide enough for old robots, narrow enough for strict phones."""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from cryptography import x509
from OpenSSL import SSL, crypto

from bumper_tw.errors import StartError
from bumper_tw.pki.certificates import PrivateKey
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

#: What may be spoken inside, for clients that want it confirmed (RFC 7301); the first bytes
#: decide.
PROTOCOLS = frozenset([b"http/1.1", b"mqtt", b"xmpp-client"])

#: More than are in use at a time.
FEW_KEYS = 4

#: Turns a key into what OpenSSL wants.
AsOpenSsl = Callable[[PrivateKey], crypto.PKey]


class Keys:
    """Keys as OpenSSL wants them: older pyOpenSSL takes more than a millisecond to turn one."""

    def __init__(self) -> None:
        self._made: dict[PrivateKey, crypto.PKey] = {}

    def of(self, key: PrivateKey) -> crypto.PKey:
        """That one; all certificates share a few, and old ones are of no use."""
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= FEW_KEYS:
                self._made.clear()
            made = self._made[key] = crypto.PKey.from_cryptography_key(key)
        return made


def make_context(
    credentials: Credentials,
    strictness: Strictness,
    as_openssl: AsOpenSsl = crypto.PKey.from_cryptography_key,
) -> SSL.Context:
    """
    An OpenSSL context that asks no client for a certificate.

    @param as_openssl: Turns a key into what OpenSSL wants.
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
    context.set_alpn_select_callback(_agree)
    _show(context, credentials, as_openssl)
    return context


def _show(context: SSL.Context, credentials: Credentials, as_openssl: AsOpenSsl) -> None:
    try:
        # OpenSSL keeps one for each kind of key, and shows each client one that it can verify.
        for pair in credentials.pairs:
            context.use_certificate(_x509(pair.certificate))
            context.use_privatekey(as_openssl(pair.key))
            context.check_privatekey()
        for issuer in credentials.chain[1:]:
            context.add_extra_chain_cert(_x509(issuer))
    except SSL.Error as error:
        reason = error.args[0][0][2] if error.args and error.args[0] else "unknown"
        raise StartError(f"TLS cannot use the server certificate: {reason}.") from error


def _agree(_: SSL.Connection, offered: list[bytes]) -> Any:
    """The first of ours that the client wants; if there is none, it goes on without."""
    return next(filter(PROTOCOLS.__contains__, offered), SSL.NO_OVERLAPPING_PROTOCOLS)


def _x509(certificate: x509.Certificate) -> crypto.X509:
    return crypto.X509.from_cryptography(certificate)
