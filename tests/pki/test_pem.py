"""PEM text, sound and spoilt."""

import base64
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.pki import authority, pem
from bumper_tw.pki.certificates import belong, covered, signed_by
from tests.pki.samples import COVER, NOW, ec_key, new_authority, rsa_key

WHERE = Path("certs/bumper.crt")


def wrapped(der: bytes) -> bytes:
    """A PEM certificate around any bytes."""
    begin, end = b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n"
    return begin + base64.b64encode(der) + end


class PemTests(SynchronousTestCase):
    """What is sound comes back; what is spoilt is one named error."""

    def setUp(self) -> None:
        self.root = new_authority()
        self.leaf = authority.leaf(self.root, ec_key(), COVER, NOW)
        self.der = self.leaf.public_bytes(Encoding.DER)

    def test_round_trip(self) -> None:
        """Certificates come back in their order, and keys with the same public half."""
        both = (self.leaf, self.root.certificate)
        self.assertEqual(pem.certificates(WHERE, b"".join(map(pem.text, both))), both)
        for key in (rsa_key(0), ec_key()):
            found = pem.key(WHERE, pem.key_text(key))
            self.assertTrue(belong(authority.root(key, NOW), found))

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
    def test_spoilt_byte(self, place: int, change: int) -> None:
        """
        A spoilt byte is found by the parser or leaves something that can be asked
        everything; signed counts only what is still as it was signed.
        """
        spoilt = bytearray(self.der)
        spoilt[place % len(spoilt)] ^= change
        try:
            [found] = pem.certificates(WHERE, wrapped(bytes(spoilt)))
        except StartError as error:
            self.assertIn(str(WHERE), str(error))
        else:
            covered(found)
            signed = signed_by(found, self.root.certificate)
            self.assertTrue(not signed or self.same_body(found))

    def same_body(self, found: x509.Certificate) -> bool:
        """Is it the leaf in all that its signature is about?"""
        return found.tbs_certificate_bytes == self.leaf.tbs_certificate_bytes

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(st.binary(max_size=300))
    @example(b"\x30\x80")
    def test_any_bytes(self, junk: bytes) -> None:
        """Any bytes are refused by name, as certificate and as key."""
        for held in (junk, wrapped(junk)):
            self.assertRaises(StartError, pem.certificates, WHERE, held)
            error = self.assertRaises(StartError, pem.key, WHERE, held)
            self.assertIn(str(WHERE), str(error))
