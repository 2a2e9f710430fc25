"""What apps encrypt for us."""

import base64

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.pki.config_key import ConfigKey
from tests.pki.samples import rsa_key


def encrypt(key: ConfigKey, plain: bytes) -> str:
    """What an app would send, knowing only the published half."""
    public = load_der_public_key(base64.b64decode(key.public()))
    assert isinstance(public, rsa.RSAPublicKey)
    return base64.b64encode(public.encrypt(plain, padding.PKCS1v15())).decode()


class ConfigKeyTests(SynchronousTestCase):
    """The published half encrypts, the private one decrypts, and junk is junk."""

    def setUp(self) -> None:
        self.key = ConfigKey(rsa_key(0))

    def test_round_trip(self) -> None:
        """An account name arrives, with any letters in it."""
        for text in ("owner@example.org", "b\xfcro \u5e8a", "5f4dcc3b5aa765d61d8327deb882cf99"):
            self.assertEqual(self.key.decrypt(encrypt(self.key, text.encode())), text)

    def test_line_breaks_and_blanks(self) -> None:
        """Base64 in lines, or with its plus signs lost in a query, is the same."""
        sent = encrypt(self.key, b"owner")
        lines = "\r\n".join(sent[i : i + 76] for i in range(0, len(sent), 76)) + "\n"
        self.assertEqual(self.key.decrypt(lines), "owner")
        self.assertEqual(self.key.decrypt(sent.replace("+", " ")), "owner")

    def test_not_text(self) -> None:
        """What nobody can have typed counts as not decrypted."""
        for plain in (b"", b"\xff\xfe", b"a\0b", b"line\nline"):
            self.assertIsNone(self.key.decrypt(encrypt(self.key, plain)))

    def test_other_key(self) -> None:
        """
        What was encrypted for somebody else stays closed.

        OpenSSL answers it with random bytes, which may happen to be a letter or two.
        """
        other = ConfigKey(rsa_key(1))
        found = [self.key.decrypt(encrypt(other, b"owner")) for _ in range(20)]
        self.assertNotIn("owner", found)
        self.assertIn(None, found)

    def test_far_too_long(self) -> None:
        """A flood is not even decoded."""
        self.assertIsNone(self.key.decrypt("A" * 1_000_000))

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.text(max_size=400))
    def test_any_text(self, text: str) -> None:
        """Anything at all ends in None."""
        self.assertIsNone(ConfigKey(rsa_key(0)).decrypt(text))

    def test_private_half_stays_hidden(self) -> None:
        """Its representation says nothing of the key."""
        self.assertEqual(repr(self.key), "ConfigKey()")
