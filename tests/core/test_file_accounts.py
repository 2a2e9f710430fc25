"""Who gets in by the owner's password file."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock

from bumper_tw.core.password_file import FileAccounts
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.throttle import Throttle, TooManyAttempts
from bumper_tw.core.turns import Turns
from bumper_tw.errors import LoginRefused, UnknownAccount
from tests.core.test_password_file import FileCase
from tests.core.test_password_hashes import ARGON2ID, HORSE, MKPASSWD, MOSQUITTO_6, MOSQUITTO_7

T = TypeVar("T")

PASSWORD = HORSE.encode()
PEER = "192.168.1.7"


class AccountTests(FileCase):
    """Who gets in."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.worked, self.broken = 0, False
        self.held: list[Callable[[], None]] | None = None
        self.accounts = self.made(Turns(waiting=4))
        self.loaded(f"anna:{MOSQUITTO_7}\nben:nonsense\ncleo:{MOSQUITTO_6}\nemma:{MKPASSWD}\n")

    def made(self, turns: Turns) -> FileAccounts:
        """The accounts, with nothing remembered."""
        throttle, remembered = Throttle(self.clock), Remembered(bytes(32))
        return FileAccounts(self.file, self.in_thread, turns, throttle, remembered)

    def in_thread(self, work: Callable[[], T]) -> Deferred[T]:
        """Counts what is slow, and does it at once, or later if the test wants."""
        if self.broken:
            return fail(MemoryError())
        self.worked += 1
        done: Deferred[T] = Deferred()

        def finish() -> None:
            done.callback(work())

        finish() if self.held is None else self.held.append(finish)
        return done

    def enters(self, user: str, password: bytes = PASSWORD, peer: str = PEER) -> None:
        """Somebody gets in."""
        self.assertEqual(self.successResultOf(self.accounts.verify(user, password, peer)), user)

    def stays_out(self, user: str, password: bytes = PASSWORD, peer: str = PEER) -> None:
        """Somebody does not."""
        self.failureResultOf(self.accounts.verify(user, password, peer), UnknownAccount)

    def test_right_and_wrong(self) -> None:
        """The password of the line lets in, and no other."""
        self.enters("anna")
        self.enters("cleo")
        self.stays_out("anna", b"Correct horse")
        self.stays_out("anna", b"")
        self.stays_out("anna", MOSQUITTO_7.encode())
        self.stays_out("anna", b"\xff\xfe\0")

    def test_bad_line(self) -> None:
        """A line that is no hash lets nobody in, whatever the password."""
        for password in (PASSWORD, b"nonsense", b""):
            self.stays_out("ben", password)

    def test_argon2_or_not(self) -> None:
        """An account with Argon2 works where the box can do it, and lets nobody in elsewhere."""
        told = self.loaded(f"dora:{ARGON2ID}\n")
        (self.stays_out if told else self.enters)("dora")

    def test_knows(self) -> None:
        """Every name that the file has is its own to decide, bad lines included."""
        known = [user for user in ("anna", "ben", "dora", "") if self.accounts.knows(user)]
        self.assertEqual(known, ["anna", "ben"])

    def test_unknown_takes_as_long(self) -> None:
        """A wrong name and a bad line cost as much work as a wrong password."""
        for count, user in enumerate(("anna", "ben", "dora", "\ud800"), 1):
            self.stays_out(user, b"wrong")
            self.assertEqual(self.worked, count, user)

    def test_no_accounts(self) -> None:
        """In an empty file there is nothing to hide, and nobody gets in."""
        self.loaded("")
        self.stays_out("anna")
        self.assertEqual(self.worked, 0)

    def test_remembered(self) -> None:
        """Who comes again with the right password costs nothing; who guesses, does."""
        for _ in range(50):
            self.enters("anna")
        self.assertEqual(self.worked, 1)
        self.stays_out("anna", b"wrong")
        self.assertEqual(self.worked, 2)

    def test_new_password(self) -> None:
        """After a reload with another hash, the old password does not open anything."""
        self.enters("anna")
        self.written(f"anna:{MKPASSWD.replace('n5U', 'n5V')}\n")
        self.file.reload()
        self.stays_out("anna")

    def test_taken_away_meanwhile(self) -> None:
        """An account that is gone when the work is done lets nobody in."""
        self.held = []
        answer = self.accounts.verify("anna", PASSWORD, PEER)
        self.written("")
        self.file.reload()
        self.held.pop()()
        self.failureResultOf(answer, UnknownAccount)

    def test_many_at_once(self) -> None:
        """Of many that come back together, those who wait profit from those who worked."""
        self.held = []
        answers = [self.accounts.verify("anna", PASSWORD, f"peer {n}") for n in range(6)]
        self.assertEqual(len(self.held), 2)
        while self.held:
            self.held.pop()()
        self.assertEqual([self.successResultOf(answer) for answer in answers], ["anna"] * 6)
        self.assertEqual(self.worked, 2)

    def test_bounded(self) -> None:
        """Beyond a number of waiting ones the next is refused; who is remembered is not."""
        self.enters("anna")
        self.held = []
        for n in range(6):
            self.assertNoResult(self.accounts.verify("cleo", b"wrong", f"peer {n}"))
        self.failureResultOf(self.accounts.verify("cleo", b"wrong", "peer 6"), LoginRefused)
        self.enters("anna")

    def test_guesses_are_limited(self) -> None:
        """After ten wrong passwords it is told to wait, even with one that is remembered."""
        self.enters("anna")
        for _ in range(10):
            self.stays_out("anna", b"wrong")
        self.failureResultOf(self.accounts.verify("anna", PASSWORD, PEER), TooManyAttempts)
        self.enters("anna", peer="192.168.1.8")
        self.enters("cleo")
        self.clock.advance(60)
        self.enters("anna")

    def hangs_up(self, user: str, password: bytes) -> None:
        """Somebody does not wait for an answer."""
        answer = self.accounts.verify(user, password, PEER)
        answer.cancel()
        self.failureResultOf(answer, CancelledError)

    def test_hanging_up(self) -> None:
        """The work for somebody who hangs up is not lost: what was right is known again."""
        self.held = []
        self.hangs_up("anna", PASSWORD)
        self.held.pop()()
        self.hangs_up("cleo", b"wrong")
        self.held.pop()()
        self.enters("anna")
        self.assertEqual(self.worked, 2)
        self.held = None
        self.stays_out("cleo", b"wrong")

    def test_hanging_up_to_guess(self) -> None:
        """No answer in a moment says that a password is wrong: asking so is limited, too."""
        self.enters("anna")
        self.held = []
        for _ in range(4):
            self.assertNoResult(self.accounts.verify("cleo", b"wrong", "another peer"))
        for _ in range(10):
            self.hangs_up("anna", b"wrong")
        self.failureResultOf(self.accounts.verify("anna", PASSWORD, PEER), TooManyAttempts)

    def test_many_behind_one_address(self) -> None:
        """After a restart all come in that have the right password, however many they are."""
        self.accounts = self.made(Turns())
        self.held = []
        answers = [self.accounts.verify("anna", PASSWORD, PEER) for _ in range(30)]
        while self.held:
            self.held.pop()()
        self.assertEqual([self.successResultOf(answer) for answer in answers], ["anna"] * 30)

    def test_many_guesses_at_once(self) -> None:
        """Those that wait already are not compared any more once too many were wrong."""
        self.accounts = self.made(Turns())
        self.held = []
        answers = [self.accounts.verify("cleo", b"%d" % n, PEER) for n in range(30)]
        while self.held:
            self.held.pop()()
        self.assertEqual(self.worked, 11)
        for answer in answers[:11]:
            self.failureResultOf(answer, UnknownAccount)
        for answer in answers[11:]:
            self.failureResultOf(answer, TooManyAttempts)

    def test_python_works_alone(self) -> None:
        """Of the hashes that stop the reactor, one is worked on at a time."""
        self.accounts = self.made(Turns())
        self.held = []
        wrong = [self.accounts.verify("emma", b"wrong", PEER) for _ in range(3)]
        self.assertEqual(len(self.held), 1)
        self.accounts.verify("anna", PASSWORD, PEER)
        self.assertEqual(len(self.held), 2)
        while self.held:
            self.held.pop()()
        for answer in wrong:
            self.failureResultOf(answer, UnknownAccount)

    def test_broken_work(self) -> None:
        """When the comparison itself breaks, that is no yes, and nothing is remembered."""
        self.broken = True
        for _ in range(3):
            self.failureResultOf(self.accounts.verify("anna", PASSWORD, PEER), MemoryError)
        self.broken = False
        self.stays_out("anna", b"wrong")
        self.enters("anna")
