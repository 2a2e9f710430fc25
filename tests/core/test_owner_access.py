"""Tests for L{bumper_tw.core.owner_access}: who the owner of the box is."""

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.owner_access import (
    CODE_SECONDS,
    GUESSES,
    SHELF,
    checked_password,
    prepared,
)
from bumper_tw.core.owner_code import GOOD_FOR, LETTERS
from bumper_tw.core.owner_sessions import Arrival, Opened
from bumper_tw.core.throttle import TooManyAttempts
from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from tests.core.owners import PHONE, SOFA, WORD, OwnerCase


class FirstVisitTests(OwnerCase):
    """The password is set."""

    def test_code(self) -> None:
        """Eight letters that are not taken for others; the same until it is too old."""
        code = self.box.access.code.current()
        self.assertEqual((len(code), set(code) - set(LETTERS)), (8, set()))
        self.box.clock.advance(GOOD_FOR - 1)
        self.assertEqual(self.box.access.code.current(), code)
        self.box.clock.advance(1)
        self.assertNotEqual(self.box.access.code.current(), code)

    def test_claimed(self) -> None:
        """With the code, however it is typed, there is an owner, who is logged in."""
        access = self.box.access
        self.assertFalse(access.is_set)
        code = access.code.current().lower().replace("0", "o").replace("1", "l")
        typed = f" {code[:4]}-{code[4:]}"
        opened = self.successResultOf(access.claim(typed, WORD, SOFA))
        self.assertTrue(access.is_set and self.known(opened))
        self.assertTrue(self.known(self.successResultOf(self.login())))

    def test_once(self) -> None:
        """With an owner there is no code, not even the right one."""
        code = self.box.access.code.current()
        self.claimed()
        late = self.box.access.claim(code, "another password", PHONE)
        self.failureResultOf(late, LoginRefused)
        self.failureResultOf(self.login("another password"), LoginRefused)

    def test_guessed(self) -> None:
        """Wrong guesses shut out whoever guesses, for a while, and nobody else."""
        access = self.box.access
        code = access.code.current()
        for _ in range(10):
            self.failureResultOf(access.claim("wrong", WORD, PHONE), LoginRefused)
        self.failureResultOf(access.claim(code, WORD, PHONE), TooManyAttempts)
        self.assertFalse(access.is_set)
        self.successResultOf(access.claim(code, WORD, SOFA))

    def test_too_old(self) -> None:
        """After a quarter of an hour it is no use."""
        code = self.box.access.code.current()
        self.box.clock.advance(GOOD_FOR)
        self.failureResultOf(self.box.access.claim(code, WORD, SOFA), LoginRefused)

    def test_none(self) -> None:
        """As long as nobody has asked for a code, nothing is one."""
        for typed in ("", "0" * 8, "x" * 100_000, "\ud800"):
            self.failureResultOf(self.box.access.claim(typed, WORD, PHONE), LoginRefused)
            self.box.clock.advance(60)

    def test_bad_password(self) -> None:
        """A bad password is refused with its reason, and the code stays good."""
        access = self.box.access
        for word, why in (("short", "fewer"), ("x" * 201, "more"), ("a" * 12, "many times")):
            failure = self.failureResultOf(
                access.claim(access.code.current(), word, SOFA), BadRequest
            )
            self.assertIn(why, str(failure.value))
        self.claimed()

    def test_told(self) -> None:
        """The log tells the code to whoever reads it, once a minute at the most."""
        with capturedLogs() as lines:
            for _ in range(5):
                self.box.access.invite()
            self.box.clock.advance(CODE_SECONDS)
            self.box.access.invite()
        code = self.box.access.code.current()
        self.assertEqual([code in formatEvent(line) for line in lines], [True, True])

    def test_told_no_more(self) -> None:
        """With an owner there is nothing to tell."""
        self.claimed()
        with capturedLogs() as lines:
            self.box.access.invite()
        self.assertEqual(lines, [])

    def test_full_disk(self) -> None:
        """What cannot be stored is not there: neither now nor after a start."""
        self.box.store.full = True
        access = self.box.access
        claim = access.claim(access.code.current(), WORD, SOFA)
        self.failureResultOf(claim, StorageError)
        self.assertEqual((access.is_set, access.browsers()), (False, []))
        self.box.store.full = False
        self.box.start()
        self.assertFalse(self.box.access.is_set)
        self.claimed()


class LoginTests(OwnerCase):
    """The password is brought."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.claimed()

    def test_wrong(self) -> None:
        """Another one opens nothing; however long it is, whatever is in it."""
        for word in ("", WORD.upper(), f"{WORD}\0", "x" * 300, "\ud800" * 10):
            self.failureResultOf(self.login(word), LoginRefused)

    def test_composed(self) -> None:
        """It is the same however a keyboard composes its letters."""
        self.assertEqual(prepared("Kr\u00f6te 1234"), prepared("Kro\u0308te 1234"))
        self.assertEqual(len(prepared("\ud800" * 8)), 64)

    def test_throttled(self) -> None:
        """After ten wrong ones even the right one has to wait a minute; elsewhere it need not."""
        for _ in range(10):
            self.failureResultOf(self.login("wrong one"), LoginRefused)
        self.failureResultOf(self.login(), TooManyAttempts)
        self.successResultOf(self.login(arrival=PHONE))
        self.box.clock.advance(60)
        self.successResultOf(self.login())

    def test_everywhere(self) -> None:
        """Nobody guesses faster with many addresses; who is right costs nothing."""
        for _ in range(3):
            self.successResultOf(self.login(arrival=PHONE))
        for number in range(GUESSES):
            guess = self.login("wrong one", Arrival(f"192.168.7.{number}"))
            self.failureResultOf(guess, LoginRefused)
        self.failureResultOf(self.login(arrival=PHONE), TooManyAttempts)
        self.assertTrue(self.known(self.first))
        self.box.clock.advance(60)
        self.successResultOf(self.login(arrival=PHONE))

    def guess_everywhere(self) -> None:
        """Somebody with many addresses guesses as often as he can."""
        for number in range(GUESSES):
            guess = self.login("wrong one", Arrival(f"192.168.7.{number}"))
            self.failureResultOf(guess, LoginRefused)

    def test_known(self) -> None:
        """Nobody who guesses keeps out a browser that was let in before."""
        self.guess_everywhere()
        for _ in range(10):
            self.login("wrong one").addErrback(lambda _: None)
        self.failureResultOf(self.login(), TooManyAttempts)
        known = evolve(SOFA, known=self.first.known)
        self.assertTrue(self.known(self.successResultOf(self.login(arrival=known))))
        for _ in range(10):
            self.failureResultOf(self.login("wrong one", known), LoginRefused)
        self.failureResultOf(self.login(arrival=known), TooManyAttempts)

    def test_not_known(self) -> None:
        """What is made up, or from before the password was changed, helps nobody."""
        change = self.box.access.change_password(WORD, "battery staple", PHONE)
        again = self.successResultOf(change)
        self.guess_everywhere()
        name, _, proof = again.known.partition(".")
        for text in (
            "",
            ".",
            name,
            f"{name}0.{proof}",
            self.first.known,
            "\u00e4.\ud800",
            "x" * 999,
        ):
            late = self.login("battery staple", Arrival("192.168.9.1", known=text))
            self.failureResultOf(late, TooManyAttempts)
        right = evolve(SOFA, known=again.known)
        self.successResultOf(self.login("battery staple", right))

    def test_gives_up(self) -> None:
        """Who gives up waiting has not guessed, and is not counted."""
        waiting: list[Deferred[Any]] = []

        def in_thread(_: Any) -> Deferred[Any]:
            waiting.append(Deferred())
            return waiting[-1]

        self.patch(self.box.access._passwords, "_in_thread", in_thread)
        for number in range(2 * GUESSES):
            hung_up = self.login("wrong one", Arrival(f"192.168.8.{number}"))
            hung_up.addErrback(lambda _: None).cancel()
        self.assertGreaterEqual(self.box.access._guesses.left, GUESSES)

    def test_guessing_told(self) -> None:
        """The owner is told that somebody guesses, once."""
        self.guess_everywhere()
        with capturedLogs() as lines:
            for _ in range(5):
                self.failureResultOf(self.login(), TooManyAttempts)
        self.assertEqual(["somebody guesses" in formatEvent(line) for line in lines], [True])

    def test_told(self) -> None:
        """Logins and refusals are in the log, the latter not without end; never a password."""
        with capturedLogs() as lines:
            self.successResultOf(self.login(arrival=PHONE))
            for _ in range(20):
                self.login("guess me if you can").addErrback(lambda _: None)
        written = [formatEvent(line) for line in lines]
        self.assertIn("logged in, from 192.168.7.44 with Safari on iPhone", written[0])
        self.assertEqual(len(written), 6)
        self.assertFalse([line for line in written if WORD in line or "guess me" in line])

    def test_restart(self) -> None:
        """Owner and browsers are there after a start; no text of theirs is on disk."""
        self.box.start()
        self.assertTrue(self.known(self.first))
        self.successResultOf(self.login())
        kept = repr(self.box.store.shelves)
        self.assertNotIn(self.first.token, kept)
        self.assertNotIn(WORD, kept)

    def test_full_disk(self) -> None:
        """A disk that is full does not keep the owner out."""
        self.box.store.full = True
        self.assertTrue(self.known(self.successResultOf(self.login())))


class ChangeTests(OwnerCase):
    """Another password, or none."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.claimed()
        self.phone = self.successResultOf(self.login(arrival=PHONE))

    def change(self, old: str = WORD, new: str = "battery staple") -> Deferred[Opened]:
        """The owner changes it on the sofa."""
        return self.box.access.change_password(old, new, SOFA)

    def test_changed(self) -> None:
        """The new one counts; whoever was logged in is not, but for a new session here."""
        opened = self.successResultOf(self.change())
        for _ in range(2):
            self.assertEqual(
                [self.known(each) for each in (self.first, self.phone, opened)],
                [False, False, True],
            )
            self.failureResultOf(self.login(WORD), LoginRefused)
            self.successResultOf(self.login("battery staple"))
            self.box.start()

    def test_wrong(self) -> None:
        """Nothing changes with a wrong old one, or a bad new one."""
        self.failureResultOf(self.change("wrong one"), LoginRefused)
        self.failureResultOf(self.change(new="short"), BadRequest)
        self.assertTrue(self.known(self.phone))
        self.successResultOf(self.login())

    def test_full_disk(self) -> None:
        """What cannot be stored changes nothing."""
        self.box.store.full = True
        self.failureResultOf(self.change(), StorageError)
        self.box.store.full = False
        for _ in range(2):
            self.successResultOf(self.login())
            self.assertTrue(self.known(self.phone))
            self.box.start()

    def test_reset(self) -> None:
        """Without the password nobody is logged in; tokens stay."""
        made = self.successResultOf(self.box.access.tokens.make("hub", ["read"]))
        self.successResultOf(self.box.access.reset())
        for _ in range(2):
            self.assertFalse(self.box.access.is_set)
            self.assertFalse(self.known(self.first) or self.known(self.phone))
            self.assertEqual(self.box.access.tokens.find(made.text).name, "hub")
            self.box.start()
        self.claimed("another password")
        self.assertFalse(self.known(self.first))

    def test_reset_refused(self) -> None:
        """When the disk refuses, the password stays."""
        self.box.store.full = True
        self.failureResultOf(self.box.access.reset(), StorageError)
        self.assertTrue(self.box.access.is_set and self.known(self.phone))

    def test_removed_elsewhere(self) -> None:
        """Where the record alone is removed, sessions that are left open nothing."""
        self.box.store.remove(SHELF, ["password"])
        self.box.start()
        self.assertFalse(self.known(self.first))
        self.claimed("another password")
        self.assertFalse(self.known(self.first))


class PasswordTests(SynchronousTestCase):
    """What a password may be."""

    def test_good(self) -> None:
        """Long enough is good enough."""
        for word in ("12345678", "aaaaaaab", "x y z 1 2", "\u00e4" * 7 + "b", "ab" * 100):
            self.assertEqual(checked_password(word), word)
