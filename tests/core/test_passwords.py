"""Passwords at rest."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.passwords import Passwords, hash_password, md5_hex, verify
from bumper_tw.core.throttle import Throttle, TooManyAttempts
from bumper_tw.core.turns import Turns
from bumper_tw.errors import LoginRefused
from tests.core.lodging import at_once, countings

DIGEST = md5_hex("secret")
SALT = b"0123456789abcdef"


class HashTests(SynchronousTestCase):
    """What is stored of a password."""

    def test_md5(self) -> None:
        """Clients send the MD5 of a password in lower-case hexadecimal."""
        self.assertEqual(md5_hex("secret"), "5ebe2294ecd0e0f08eab7690d2a6ee69")

    def test_form(self) -> None:
        """The stored text names its parameters, and not the password."""
        hashed = hash_password(DIGEST, SALT)
        self.assertTrue(hashed.startswith("scrypt$16384$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$"))
        self.assertNotIn(DIGEST, hashed)

    def test_right_and_wrong(self) -> None:
        """Only the password that was hashed is right."""
        hashed = hash_password(DIGEST, SALT)
        self.assertTrue(verify(DIGEST, hashed))
        self.assertFalse(verify(md5_hex("Secret"), hashed))

    def test_malformed(self) -> None:
        """A stored text that is not ours is nobody's password."""
        good = hash_password(DIGEST, SALT)
        empty = "scrypt$16384$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$"
        for text in (None, "", empty, good[:-4], good.replace("16384", "2"), good + "$", "$" * 5):
            self.assertFalse(verify(DIGEST, text), text)
        for odd in ("scrypt$16384$8$1$!$!", "scrypt$16384$8$1$\u00e4$\u00e4"):
            self.assertFalse(verify(DIGEST, odd), odd)


class PasswordsTests(SynchronousTestCase):
    """Hashing happens elsewhere, a few at a time."""

    def setUp(self) -> None:
        self.working: list[Deferred[Any]] = []
        self.turns, self.throttle = Turns(at_once=2, waiting=3), Throttle(Clock())
        self.passwords = Passwords(self.later, countings(), self.turns)

    def later(self, work: Callable[[], Any]) -> Deferred[Any]:
        """A thread that takes its time."""
        done: Deferred[Any] = Deferred()
        self.working.append(done)
        return done

    def check(self) -> Deferred[bool]:
        """Somebody brings a password."""
        return self.passwords.check(DIGEST, None, self.throttle.guess("peer", "anna"))

    def test_round_trip(self) -> None:
        """What was hashed is recognised, with a new salt each time."""
        passwords = Passwords(at_once, countings(), self.turns)
        first = self.successResultOf(passwords.hashed(DIGEST))
        second = self.successResultOf(passwords.hashed(DIGEST))
        self.assertNotEqual(first, second)
        guess = self.throttle.guess("peer", "anna")
        self.assertTrue(self.successResultOf(passwords.check(DIGEST, second, guess)))

    def test_turns(self) -> None:
        """Hashing and checking stand in the one queue that all have, and it is bounded."""
        first = self.check()
        self.turns.run(lambda: self.later(bool))
        self.check()
        self.passwords.hashed(DIGEST)
        self.assertEqual(len(self.working), 2)
        self.check()
        self.failureResultOf(self.check(), LoginRefused)
        self.failureResultOf(self.passwords.hashed(DIGEST), LoginRefused)
        self.working[0].callback(True)
        self.assertTrue(self.successResultOf(first))
        self.assertEqual(len(self.working), 3)

    def test_coming_and_going(self) -> None:
        """Who hangs up does not make room for more work than the threads can do."""
        for _ in range(100):
            asked = self.check()
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        self.assertEqual(len(self.working), 2)

    def test_wrong(self) -> None:
        """What was wrong counts."""
        for _ in range(10):
            asked = self.check()
            self.working.pop().callback(False)
            self.assertFalse(self.successResultOf(asked))
        self.assertRaises(TooManyAttempts, self.check)
