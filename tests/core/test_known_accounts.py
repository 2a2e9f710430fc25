"""The accounts that the owner has added, and what is noticed about them."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.passwords import Passwords, hash_password, md5_hex
from bumper_tw.core.policies import KnownAccounts, uid_of
from bumper_tw.core.throttle import Throttle, TooManyAttempts
from bumper_tw.core.turns import Turns
from bumper_tw.errors import LoginRefused, UnknownAccount
from bumper_tw.storage.memory import MemoryAccountStore
from bumper_tw.values import User
from tests.core.lodging import countings

ONE, TWO = md5_hex("one"), md5_hex("two")
ANNA = User(uid_of("anna"), "anna", 0.0)
PEER = "192.168.1.7"


class KnownAccountsTests(SynchronousTestCase):
    """Who gets in, while the disk changes."""

    def setUp(self) -> None:
        self.store = MemoryAccountStore()
        self.working: list[Callable[[], None]] = []
        passwords = Passwords(self.later, countings(), Turns(at_once=2, waiting=3))
        self.known = KnownAccounts(self.store, passwords, Throttle(Clock()))
        self.change(ONE)
        self.load()

    def later(self, work: Callable[[], Any]) -> Deferred[Any]:
        """A thread that takes its time."""
        done: Deferred[Any] = Deferred()
        self.working.append(lambda: done.callback(work()))
        return done

    def change(self, digest: str) -> None:
        """The owner sets Anna's password."""
        self.store.set_password(ANNA, hash_password(digest, bytes(16)))

    def load(self) -> frozenset[str]:
        """Look at the disk; who has changed."""
        return self.successResultOf(self.known.load(self.store))

    def asks(self, digest: str = ONE) -> Deferred[str]:
        """Somebody wants to be Anna."""
        return self.known.verify("anna", digest, PEER)

    def work(self) -> None:
        """All hashes are done."""
        while self.working:
            self.working.pop(0)()

    def test_changes(self) -> None:
        """Each change is told once; who is new has not changed."""
        self.store.set_password(User("u2", "ben", 0.0), "hash")
        self.assertEqual(self.load(), frozenset())
        self.change(TWO)
        self.store.remove_user("u2")
        self.assertEqual(self.load(), {ANNA.uid, "u2"})
        self.assertEqual(self.load(), frozenset())
        self.assertTrue(self.known.knows("anna"))
        self.assertFalse(self.known.knows("ben"))

    def test_changed_while_compared(self) -> None:
        """The old password opens nothing once the change was told."""
        old = self.asks()
        self.change(TWO)
        self.assertEqual(self.load(), {ANNA.uid})
        self.work()
        self.failureResultOf(old, UnknownAccount)

    def test_removed_while_compared(self) -> None:
        """Nor does that of an account that is gone."""
        old = self.asks()
        self.store.remove_user(ANNA.uid)
        self.load()
        self.work()
        self.failureResultOf(old, UnknownAccount)

    def test_looked_while_compared(self) -> None:
        """A look that finds nothing new disturbs nobody."""
        asked = self.asks()
        self.load()
        self.work()
        self.assertEqual(self.successResultOf(asked), "anna")

    def test_too_many_at_once(self) -> None:
        """Who is sent away since too many wait was not wrong."""
        waiting = [self.asks() for _ in range(5)]
        for _ in range(20):
            refused = self.failureResultOf(self.asks(), LoginRefused)
            self.assertIsNone(refused.check(UnknownAccount, TooManyAttempts))
        self.work()
        self.assertEqual([self.successResultOf(each) for each in waiting], ["anna"] * 5)

    def test_guesses(self) -> None:
        """After ten wrong passwords no more are compared, not even the right one."""
        for _ in range(10):
            wrong = self.asks(TWO)
            self.work()
            self.failureResultOf(wrong, UnknownAccount)
        self.failureResultOf(self.asks(), TooManyAttempts)
