"""Passwords at rest."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.passwords import AT_ONCE, WAITING, Passwords, hash_password, md5_hex, verify
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
        self.passwords = Passwords(self.later, countings())

    def later(self, work: Callable[[], Any]) -> Deferred[Any]:
        """A thread that takes its time."""
        done: Deferred[Any] = Deferred()
        self.working.append(done)
        return done

    def test_round_trip(self) -> None:
        """What was hashed is recognised, with a new salt each time."""
        passwords = Passwords(at_once, countings())
        first = self.successResultOf(passwords.hashed(DIGEST))
        second = self.successResultOf(passwords.hashed(DIGEST))
        self.assertNotEqual(first, second)
        self.assertTrue(self.successResultOf(passwords.check(DIGEST, second)))

    def test_few_at_once(self) -> None:
        """The rest waits for its turn, so that the box has time for robots."""
        checks = [self.passwords.check(DIGEST, None) for _ in range(AT_ONCE + 1)]
        self.assertEqual(len(self.working), AT_ONCE)
        self.working[0].callback(False)
        self.assertFalse(self.successResultOf(checks[0]))
        self.assertEqual(len(self.working), AT_ONCE + 1)

    def test_bounded_queue(self) -> None:
        """Beyond a number of waiting ones, the next is refused."""
        for _ in range(AT_ONCE + WAITING):
            self.assertNoResult(self.passwords.check(DIGEST, None))
        self.failureResultOf(self.passwords.check(DIGEST, None), LoginRefused)

    def test_cancelled_in_the_queue(self) -> None:
        """Who hangs up while waiting costs no turn."""
        checks = [self.passwords.check(DIGEST, None) for _ in range(AT_ONCE + 1)]
        checks[-1].addErrback(lambda _: None)
        checks[-1].cancel()
        self.working[0].callback(False)
        self.assertEqual(len(self.working), AT_ONCE)
