"""Certificates of a listener in memory: one for everybody."""

from attrs import frozen
from OpenSSL import SSL, crypto

from bumper_tw.pki import authority
from tests.pki.samples import COVER, NOW, ec_key, new_authority


@frozen
class Fixed:
    """
    Shows the same to everybody.

    @ivar context: with a certificate, or with none at all.
    """

    context: SSL.Context
    shown: str = "fixed"

    def choose(self, server_name: str, host: str) -> "Fixed":
        """The same again."""
        return self


def blank() -> SSL.Context:
    """Without a certificate."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    return context


def without() -> Fixed:
    """For tests that do not get as far as TLS."""
    return Fixed(blank())


def fixed() -> Fixed:
    """A certificate of an authority that nobody knows."""
    root, key = new_authority(ec_key()), ec_key()
    context = blank()
    leaf = authority.leaf(root, key, COVER, NOW)
    context.use_certificate(crypto.X509.from_cryptography(leaf))
    context.add_extra_chain_cert(crypto.X509.from_cryptography(root.certificate))
    context.use_privatekey(crypto.PKey.from_cryptography_key(key))
    return Fixed(context)
