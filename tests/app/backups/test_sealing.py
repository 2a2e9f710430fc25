"""Tests for L{bumper_tw.app.backups.sealing}: nothing gets out that did not go in."""

from io import BytesIO

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.backups.manifest import Refused
from bumper_tw.app.backups.sealing import CHUNK, HEAD_BYTES, TAG, Cost, Opener, Sealer

CHEAP = Cost(10, 1, 1)
SALT = bytes(range(16))


def seal(plain: bytes, piece: int = 1 << 20, word: str = "word") -> bytes:
    """A sealed file, written a piece at a time."""
    target = BytesIO()
    sealer = Sealer(target, word, SALT, CHEAP)
    for start in range(0, len(plain), piece):
        sealer.write(plain[start : start + piece])
    sealer.finish()
    return target.getvalue()


def unseal(held: bytes, piece: int = 1 << 20, word: str = "word") -> bytes:
    """What is in one."""
    opener = Opener(BytesIO(held), word)
    return b"".join(iter(lambda: opener.read(piece), b""))


class SealingTests(SynchronousTestCase):
    """Sealed files."""

    @given(
        st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]),
        st.integers(4000, 3 * CHUNK),
        st.integers(4000, 3 * CHUNK),
    )
    @settings(max_examples=40, deadline=None)
    def test_round(self, size: int, wrote: int, read: int) -> None:
        """Whatever goes in comes out, however it is cut; it is as long as the form says."""
        plain = (b"robots and keys " * (size // 16 + 1))[:size]
        sealed = seal(plain, wrote)
        self.assertEqual(unseal(sealed, read), plain)
        self.assertEqual(len(sealed), HEAD_BYTES + size + TAG * (size // CHUNK + 1))
        self.assertNotIn(b"robots", sealed)

    def test_form(self) -> None:
        """Whoever has only the description of the form can open it."""
        sealed = seal(bytes(CHUNK) + b"robots")
        key = Scrypt(sealed[12:28], 32, 1 << sealed[9], sealed[10], sealed[11]).derive(b"word")
        cipher, head, step = ChaCha20Poly1305(key), sealed[:28], 262144 + 16
        self.assertEqual(sealed[:9], b"bumperBK\x01")
        self.assertEqual(cipher.decrypt(bytes(12), sealed[28:][:step], head), bytes(CHUNK))
        last = bytes(10) + b"\x01\x01"
        self.assertEqual(cipher.decrypt(last, sealed[28 + step :], head), b"robots")

    def test_every_byte(self) -> None:
        """A bit that is wrong anywhere is noticed."""
        sealed = seal(b"robots")
        for at in range(len(sealed)):
            for bit in range(8):
                wrong = bytearray(sealed)
                wrong[at] ^= 1 << bit
                self.assertRaises(Refused, unseal, bytes(wrong))

    def test_every_end(self) -> None:
        """So is an end that is missing, or that goes on."""
        sealed = seal(b"robots")
        for end in range(len(sealed)):
            self.assertRaises(Refused, unseal, sealed[:end])
        for more in (b"\0", sealed, bytes(CHUNK + TAG)):
            self.assertRaises(Refused, unseal, sealed + more)

    def test_chunks(self) -> None:
        """So are chunks that are missing, doubled or elsewhere, and an end on their border."""
        sealed = seal(bytes(3 * CHUNK))
        head, step = sealed[:HEAD_BYTES], CHUNK + TAG
        a, b, c, last = (sealed[HEAD_BYTES + n * step :][:step] for n in range(4))
        self.assertEqual(len(unseal(head + a + b + c + last)), 3 * CHUNK)
        for order in ((a, c, last), (a, a, b, c, last), (b, a, c, last), (a, b, c), (a, last)):
            self.assertRaises(Refused, unseal, head + b"".join(order))

    def test_other_file(self) -> None:
        """Chunks of one file do not fit into another."""
        first, second = seal(b"robots"), seal(b"others", word="word two")
        mixed = second[:HEAD_BYTES] + first[HEAD_BYTES:]
        self.assertRaises(Refused, unseal, mixed, word="word two")

    def test_passphrase(self) -> None:
        """Another passphrase opens nothing, and is named as the likely reason."""
        for word in ("Word", "word ", ""):
            why = self.assertRaises(Refused, unseal, seal(b"robots"), word=word)
            self.assertIn("passphrase", str(why))

    def test_cost(self) -> None:
        """A file cannot make us spend memory or time without end."""
        sealed = seal(b"robots")
        for cost in ((31, 8, 1), (15, 255, 1), (15, 8, 255), (0, 0, 0)):
            self.assertRaises(Refused, unseal, sealed[:9] + bytes(cost) + sealed[12:])
