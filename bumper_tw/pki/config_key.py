"""
The key that apps encrypt account names and passwords with.

It is published as C{PUBLIC.KEY.CONFIG} (http-discovery.md 5) and used for nothing else: an
answer that depends on what it decrypts must not weaken TLS.
"""

import base64

from attrs import define, field
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: Base64 of one RSA block of 4096 bits, with line feeds; longer texts are not even decoded.
MAX_TEXT = 720


@define
class ConfigKey:
    """An RSA key pair: its public half for everyone, its private half for L{decrypt}."""

    _private: rsa.RSAPrivateKey = field(repr=False)

    def public(self) -> str:
        """Base64 of the DER SubjectPublicKeyInfo, as the app expects it."""
        info = PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(
            self._private.public_key().public_bytes(Encoding.DER, info)
        ).decode()

    def decrypt(self, text: str) -> str | None:
        """
        What somebody encrypted for us with PKCS#1 v1.5, or None.

        Newer cryptography answers a forged block with random bytes rather than an error, so
        what comes out counts only if it is text that a person could have typed.

        @param text: Base64, possibly broken into lines, or with its C{+} turned into blanks
            by a client that put it into a query as it was.
        """
        if len(text) > MAX_TEXT:
            return None
        tidy = text.strip().replace("\r", "").replace("\n", "").replace(" ", "+")
        try:
            block = base64.b64decode(tidy, validate=True)
            plain = self._private.decrypt(block, padding.PKCS1v15()).decode()
        except ValueError:
            return None
        return plain if plain and plain.isprintable() else None
