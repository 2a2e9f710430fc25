"""Secrets that were right a moment ago."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.remembered import Remembered

KEY = bytes(range(32))
HASH = "$6$salt$hash"


class RememberedTests(SynchronousTestCase):
    """What is known again, and what is not."""

    def setUp(self) -> None:
        self.remembered = Remembered(KEY, size=3)

    def test_nothing_at_first(self) -> None:
        """Nobody is known who was not found right; an empty secret is no exception."""
        self.assertFalse(self.remembered.knows("anna", HASH, b"secret"))
        self.assertFalse(self.remembered.knows("", "", b""))

    def test_known_again(self) -> None:
        """What was found right is known, as often as it comes."""
        self.remembered.remember("anna", HASH, b"secret")
        for _ in range(3):
            self.assertTrue(self.remembered.knows("anna", HASH, b"secret"))

    def test_anything_else_is_not(self) -> None:
        """Another name, another stored hash and another secret are all unknown."""
        self.remembered.remember("anna", HASH, b"secret")
        for name, stored, secret in (
            ("Anna", HASH, b"secret"),
            ("anna", HASH + "x", b"secret"),
            ("anna", HASH, b"Secret"),
            ("anna", HASH, b""),
            ("anna", "", b"secret"),
            ("ann", "a" + HASH, b"secret"),
            ("anna", HASH + "s", b"ecret"),
        ):
            self.assertFalse(self.remembered.knows(name, stored, secret), (name, stored, secret))

    def test_wrong_secret_forgets_nothing(self) -> None:
        """A stranger's guess leaves the owner known."""
        self.remembered.remember("anna", HASH, b"secret")
        self.assertFalse(self.remembered.knows("anna", HASH, b"guess"))
        self.assertTrue(self.remembered.knows("anna", HASH, b"secret"))

    def test_new_password(self) -> None:
        """With a new password the old one is not known any more."""
        self.remembered.remember("anna", HASH, b"old")
        self.remembered.remember("anna", HASH + "2", b"new")
        self.assertFalse(self.remembered.knows("anna", HASH, b"old"))
        self.assertTrue(self.remembered.knows("anna", HASH + "2", b"new"))
        self.assertEqual(len(self.remembered), 1)

    def test_holds(self) -> None:
        """It is known that there is a right secret, for a name and just its stored hash."""
        self.remembered.remember("anna", HASH, b"secret")
        self.assertTrue(self.remembered.holds("anna", HASH))
        for name, stored in (("anna", HASH + "2"), ("ben", HASH), ("", ""), ("anna", "")):
            self.assertFalse(self.remembered.holds(name, stored), (name, stored))

    def test_forget(self) -> None:
        """A name can be forgotten, known or not."""
        self.remembered.remember("anna", HASH, b"secret")
        self.remembered.forget("anna")
        self.remembered.forget("ben")
        self.assertFalse(self.remembered.knows("anna", HASH, b"secret"))

    def test_bounded(self) -> None:
        """The name that was not used for longest makes room; guesses are no use of it."""
        for name in ("anna", "ben", "cleo"):
            self.remembered.remember(name, HASH, b"secret")
        self.assertTrue(self.remembered.knows("anna", HASH, b"secret"))
        self.assertFalse(self.remembered.knows("ben", HASH, b"guess"))
        self.remembered.remember("dora", HASH, b"secret")
        self.assertEqual(len(self.remembered), 3)
        known = [
            name
            for name in ("anna", "ben", "cleo", "dora")
            if self.remembered.knows(name, HASH, b"secret")
        ]
        self.assertEqual(known, ["anna", "cleo", "dora"])

    def test_no_secret_kept(self) -> None:
        """Neither the secret nor a plain hash of it stays in memory, and each run differs."""
        self.remembered.remember("anna", HASH, b"secret")
        other = Remembered(KEY[::-1])
        other.remember("anna", HASH, b"secret")
        self.assertNotIn("secret", repr(vars(self.remembered)))
        self.assertNotEqual(self.remembered._tags, other._tags)

    def test_key(self) -> None:
        """A key that would protect nothing is a mistake of ours, and found at once."""
        for size in (0, 15, 65):
            self.assertRaises(ValueError, Remembered, bytes(size))

    @given(st.text(st.characters()), st.text(st.characters()), st.binary())
    def test_any(self, name: str, stored: str, secret: bytes) -> None:
        """Any name, hash and secret can be remembered."""
        self.remembered.remember(name, stored, secret)
        self.assertTrue(self.remembered.knows(name, stored, secret))
        self.assertFalse(self.remembered.knows(name, stored, secret + b"\0"))
