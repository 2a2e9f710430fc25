"""Robots are trusted on first use, and known by their secret from then on."""

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.robot_secrets import (
    IN_LINE,
    NEWCOMERS,
    HouseClosed,
    RobotSecrets,
    SecretKind,
    TooManyNew,
    WrongSecret,
    kind_of,
)
from bumper_tw.core.secret_hashes import SecretHashes, fits, hash_secret
from bumper_tw.core.throttle import Throttle, TooManyAttempts
from bumper_tw.core.turns import Turns
from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.storage.memory import MemoryDeviceStore
from bumper_tw.storage.memory_secrets import MemoryRobotSecretStore
from bumper_tw.values import Device, DeviceId
from tests.core.lodging import at_once, countings
from tests.dialect.test_robot_tokens import DID, OTHER, token

SALT = b"0123456789abcdef"
PEER = "192.0.2.7"


@define
class SlowStore(MemoryRobotSecretStore):
    """A disk that takes its time: nothing is saved before it is told."""

    saving: list[tuple[str, str, Deferred[None]]] = field(factory=list)

    def save(self, did: str, secret: str) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.saving.append((did, secret, done))
        return done

    def finish(self) -> None:
        """The oldest is on disk."""
        did, secret, done = self.saving.pop(0)
        self.secrets[did] = secret
        done.callback(None)


@define
class SlowToRead(MemoryRobotSecretStore):
    """A disk that tells later what is on it."""

    reading: Deferred[dict[str, str]] = field(factory=Deferred)

    def load(self) -> Deferred[dict[str, str]]:
        return self.reading


class FullStore(MemoryRobotSecretStore):
    """A disk that takes nothing any more."""

    def save(self, did: str, secret: str) -> Deferred[None]:
        return fail(StorageError("the disk is full"))


class HashTests(SynchronousTestCase):
    """What is stored of a secret."""

    def test_form(self) -> None:
        """The stored text names its parameters, and not the secret."""
        stored = hash_secret(b"a1b2c3d4", SALT)
        self.assertTrue(stored.startswith(f"scrypt$4096$8$1${SALT.hex()}$"))
        self.assertNotIn("a1b2c3d4", stored)
        self.assertEqual(kind_of(stored), SecretKind.SECRET)

    def test_right_and_wrong(self) -> None:
        """Only the secret that was hashed is right, whatever its bytes."""
        for secret in (b"a1b2c3d4", b"\xff\x00", b"x" * 65535):
            stored = hash_secret(secret, SALT)
            self.assertTrue(fits(secret, stored))
            for more in (b" ", b"\0"):
                self.assertFalse(fits(secret + more, stored))

    def test_malformed(self) -> None:
        """A stored text that is not ours is nobody's secret."""
        good = hash_secret(b"x", SALT)
        for text in (
            "",
            "none",
            "token",
            good[:-2],
            good + "$",
            "$" * 5,
            good.replace("4096", "2"),
        ):
            self.assertFalse(fits(b"x", text), text)
        for odd in ("scrypt$4096$8$1$zz$zz", "scrypt$4096$8$1$$", "scrypt$4096$8$1$\u00e4$00"):
            self.assertFalse(fits(b"x", odd), odd)


class HashesTests(SynchronousTestCase):
    """Hashing happens elsewhere, a few at a time."""

    def setUp(self) -> None:
        self.working: list[Deferred[Any]] = []
        self.hashes = SecretHashes(self.later, countings(), Turns(at_once=2, waiting=3))
        self.throttle = Throttle(Clock())

    def later(self, work: Callable[[], Any]) -> Deferred[Any]:
        """A thread that takes its time."""
        done: Deferred[Any] = Deferred()
        self.working.append(done)
        return done

    def check(self) -> Deferred[bool]:
        """Somebody brings a secret."""
        return self.hashes.check(b"x", "", self.throttle.guess(PEER, DID))

    def test_round_trip(self) -> None:
        """What was hashed is recognised, with a new salt each time."""
        hashes = SecretHashes(at_once, countings(), Turns())
        first = self.successResultOf(hashes.hashed(b"x"))
        second = self.successResultOf(hashes.hashed(b"x"))
        self.assertNotEqual(first, second)
        guess = self.throttle.guess(PEER, DID)
        self.assertTrue(self.successResultOf(hashes.check(b"x", second, guess)))
        self.assertFalse(self.successResultOf(hashes.check(b"y", second, guess)))

    def test_bounded(self) -> None:
        """A few work, a number of others wait, and the next is refused."""
        for _ in range(5):
            self.assertNoResult(self.check())
        self.assertEqual(len(self.working), 2)
        self.failureResultOf(self.check(), LoginRefused)
        self.failureResultOf(self.hashes.hashed(b"x"), LoginRefused)

    def test_coming_and_going(self) -> None:
        """Who hangs up does not make room for more work than the threads can do."""
        for _ in range(100):
            asked = self.check()
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        self.assertEqual(len(self.working), 2)
        last = self.check()
        self.working.pop().callback(True)
        # Nobody wants the other 98.
        self.assertEqual(len(self.working), 2)
        self.working.pop().callback(True)
        self.assertTrue(self.successResultOf(last))


class Case(SynchronousTestCase):
    """Robots come, and are let in or not."""

    most, closed, newcomers = 5, False, 1000

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.registry = DeviceRegistry(self.clock, MemoryDeviceStore(), self.most)
        self.hashed = 0
        self.begin(MemoryRobotSecretStore())

    def begin(self, store: MemoryRobotSecretStore) -> None:
        """Start, or start again, with what is on disk."""
        self.store = store
        hashes = SecretHashes(self.counted, countings(), Turns())
        self.secrets = RobotSecrets(
            self.clock,
            store,
            self.registry,
            hashes,
            Remembered(SALT),
            self.most,
            self.closed,
            self.newcomers,
        )
        self.successResultOf(self.secrets.load(store))
        self.registry.when_forgotten(self.secrets.forget)

    def counted(self, work: Callable[[], Any]) -> Deferred[Any]:
        """A thread that is always done already."""
        self.hashed += 1
        return at_once(work)

    def admitted(self, secret: bytes | None, did: str = DID) -> None:
        """Is let in."""
        self.successResultOf(self.secrets.admit(did, secret, PEER))

    def refused(self, secret: bytes | None, did: str = DID, peer: str = PEER) -> str:
        """Is not; the reason."""
        return str(self.failureResultOf(self.secrets.admit(did, secret, peer), WrongSecret).value)

    def known(self, did: str = DID) -> None:
        """The registry knows a robot."""
        device = Device(DeviceId(did, "yna5xi", "x"), firmware="1")
        self.registry.attach(device, object())  # type: ignore[arg-type]  # nobody calls it

    def lines(self, act: Callable[[], object]) -> list[str]:
        """What the owner is warned of meanwhile."""
        with capturedLogs() as events:
            act()
        return [formatEvent(e) for e in events if e["log_level"] >= LogLevel.warn]


class FirstUseTests(Case):
    """The first secret counts."""

    def test_secret(self) -> None:
        """A robot has to come with the secret it came with first."""
        self.admitted(b"a1b2c3d4")
        self.admitted(b"a1b2c3d4")
        for wrong in (b"a1b2c3d5", b"", None, token({"did": DID}), b"a1b2c3d4\0"):
            self.refused(wrong)
        self.admitted(b"a1b2c3d4")
        self.assertEqual(self.secrets.refused, 5)

    def test_each_by_itself(self) -> None:
        """Robots have secrets of their own, or the same."""
        self.admitted(b"a1b2c3d4", "dusty")
        self.admitted(b"a1b2c3d4", "sandy")
        self.admitted(b"other", "Dusty")
        self.refused(b"other", "dusty")

    def test_restart(self) -> None:
        """It is known after a restart; the secret itself is nowhere."""
        self.admitted(b"a1b2c3d4")
        self.assertNotIn("a1b2c3d4", str(self.store.secrets))
        self.begin(self.store)
        self.refused(b"a1b2c3d5")
        self.admitted(b"a1b2c3d4")

    def test_known_before(self) -> None:
        """A robot that is older than this is trusted when it comes the next time."""
        self.known()
        self.admitted(b"a1b2c3d4")
        self.refused(b"a1b2c3d5")

    def test_reconnects_are_cheap(self) -> None:
        """Only the first check after a start is slow; a wrong one always is."""
        self.admitted(b"a1b2c3d4")
        for _ in range(10):
            self.admitted(b"a1b2c3d4")
        self.assertEqual(self.hashed, 1)
        self.begin(self.store)
        self.admitted(b"a1b2c3d4")
        self.admitted(b"a1b2c3d4")
        self.assertEqual(self.hashed, 2)
        self.refused(b"a1b2c3d5")
        self.assertEqual(self.hashed, 3)

    def test_none(self) -> None:
        """A robot without a secret may get one later, and needs it from then on."""
        self.admitted(None)
        self.admitted(b"")
        self.assertEqual(self.store.secrets, {DID: "none"})
        self.admitted(b"a1b2c3d4")
        self.refused(None)
        self.refused(b"a1b2c3d5")

    def test_none_then_token(self) -> None:
        """The same with a token."""
        self.admitted(None)
        self.admitted(token({}))
        self.refused(None)

    def test_token(self) -> None:
        """A token changes, so that it was one is all that is remembered."""
        self.admitted(token({"did": DID, "exp": 1}))
        self.admitted(token({"did": DID, "exp": 2}))
        self.admitted(token({}))
        self.assertEqual(self.store.secrets, {DID: "token"})
        self.assertEqual(self.refused(b"a1b2c3d4"), "came with a secret, and had a token")
        self.assertEqual(self.refused(None), "came with no secret, and had a token")
        self.begin(self.store)
        self.refused(b"a1b2c3d4")

    def test_token_of_another(self) -> None:
        """A token that names another robot opens nothing, and is not remembered either."""
        self.refused(token({"did": OTHER}))
        self.assertEqual(self.store.secrets, {})
        self.admitted(token({"did": DID}))
        self.refused(token({"sub": OTHER}))

    def test_any_token_for_a_secret(self) -> None:
        """A thief can write a token; a robot that had a secret does not come with one."""
        self.admitted(b"a1b2c3d4")
        reason = self.refused(token({"did": DID}))
        self.assertEqual(reason, "came with a token, and had a secret")

    def test_stored_text_of_others(self) -> None:
        """The names of the kinds are no secrets that open anything."""
        self.admitted(b"token", "dusty")
        self.admitted(b"none", "sandy")
        self.assertTrue(self.store.secrets["dusty"].startswith("scrypt$"))
        self.refused(b"none", "dusty")
        self.refused(None, "sandy")

    def test_guessing(self) -> None:
        """Whoever guesses is stopped; the robot at another address is not."""
        self.admitted(b"a1b2c3d4")
        self.begin(self.store)
        for number in range(10):
            self.refused(b"%d" % number, peer="192.0.2.66")
        guess = self.secrets.admit(DID, b"a1b2c3d4", "192.0.2.66")
        self.failureResultOf(guess, TooManyAttempts)
        self.admitted(b"a1b2c3d4")


class RaceTests(Case):
    """Several come at the same time."""

    def setUp(self) -> None:
        super().setUp()
        self.slow = SlowStore()
        self.begin(self.slow)

    def test_safe_first(self) -> None:
        """Nobody is let in before the disk has it."""
        first = self.secrets.admit(DID, b"a", PEER)
        self.assertNoResult(first)
        self.slow.finish()
        self.successResultOf(first)

    def test_two_first_contacts(self) -> None:
        """Of two secrets at the same time, one counts, and only one is written."""
        first, second = self.secrets.admit(DID, b"a", PEER), self.secrets.admit(DID, b"b", PEER)
        self.assertEqual(len(self.slow.saving), 1)
        self.slow.finish()
        self.successResultOf(first)
        self.failureResultOf(second, WrongSecret)
        self.assertEqual(self.slow.saving, [])

    def test_the_same_twice(self) -> None:
        """The same secret twice at the same time is one robot that reconnects."""
        both = [self.secrets.admit(DID, b"a", PEER) for _ in range(2)]
        self.slow.finish()
        for each in both:
            self.successResultOf(each)
        self.assertEqual(self.slow.saving, [])

    def test_others_do_not_wait(self) -> None:
        """Robots wait only for themselves."""
        self.secrets.admit("dusty", b"a", PEER)
        self.secrets.admit("sandy", b"a", PEER)
        self.assertEqual([did for did, _, _ in self.slow.saving], ["dusty", "sandy"])

    def test_bounded(self) -> None:
        """Beyond a number of waiting ones the next is refused."""
        waiting = [self.secrets.admit(DID, b"a", PEER) for _ in range(1 + IN_LINE)]
        self.failureResultOf(self.secrets.admit(DID, b"a", PEER), LoginRefused)
        self.slow.finish()
        for each in waiting:
            self.successResultOf(each)

    def test_hung_up(self) -> None:
        """Who hangs up before the verdict leaves the place to the next."""
        first, second = self.secrets.admit(DID, b"a", PEER), self.secrets.admit(DID, b"b", PEER)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.slow.finish()
        self.slow.finish()
        self.successResultOf(second)
        self.assertTrue(fits(b"b", self.slow.secrets[DID]))
        third = self.secrets.admit(DID, b"a", PEER)
        self.failureResultOf(third, WrongSecret)

    def test_hung_up_in_line(self) -> None:
        """Who hangs up while waiting in line costs the others nothing."""
        first, second, third = (self.secrets.admit(DID, b"a", PEER) for _ in range(3))
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.slow.finish()
        self.successResultOf(first)
        self.successResultOf(third)

    def test_disk_full(self) -> None:
        """A new robot that cannot be written down is not let in; known ones are."""
        self.begin(FullStore({"dusty": hash_secret(b"a", SALT), "sandy": "token"}))
        self.failureResultOf(self.secrets.admit(DID, b"a", PEER), StorageError)
        self.failureResultOf(self.secrets.admit(DID, b"a", PEER), StorageError)
        self.admitted(b"a", "dusty")
        self.admitted(token({}), "sandy")
        self.assertEqual(len(self.secrets), 2)


class OwnerTests(Case):
    """What the owner is told, and can do."""

    def test_warned(self) -> None:
        """A wrong secret is one line that says what to do, without the secret."""
        self.admitted(b"a1b2c3d4")
        [line] = self.lines(lambda: self.refused(b"wrong-one"))
        self.assertEqual(
            line,
            f"robot {DID} at {PEER} is not let in: it came with another secret than before. "
            f'If it is yours, perhaps after a factory reset: "bumper robot trust {DID}", '
            "then send the server SIGHUP",
        )

    def test_warned_once_a_minute(self) -> None:
        """A robot that tries for ever is a line a minute, which counts."""
        self.admitted(b"a1b2c3d4")
        self.assertEqual(len(self.lines(lambda: self.refused(None))), 1)
        for _ in range(11):
            self.clock.advance(5)
            self.assertEqual(self.lines(lambda: self.refused(None)), [])
        self.clock.advance(5)
        [line] = self.lines(lambda: self.refused(None))
        self.assertIn("(11 more since", line)

    def test_no_vain_advice(self) -> None:
        """Trusting it would not help a robot with the token of another."""
        [line] = self.lines(lambda: self.refused(token({"did": OTHER})))
        self.assertNotIn("trust", line)

    def test_forgotten(self) -> None:
        """A robot that is forgotten is trusted anew, also after a restart."""
        self.admitted(b"a")
        self.successResultOf(self.registry.forget(DID))
        self.assertEqual((self.store.secrets, len(self.secrets)), ({}, 0))
        self.admitted(b"b")
        self.refused(b"a")

    def test_reloaded(self) -> None:
        """What the owner has removed on disk is taken back; the rest stays."""
        self.admitted(b"a", "dusty")
        self.admitted(b"a", "sandy")
        del self.store.secrets["dusty"]
        self.refused(b"b", "dusty")
        self.successResultOf(self.secrets.reload(self.store))
        self.admitted(b"b", "dusty")
        self.refused(b"b", "sandy")

    def test_arrived_while_reloading(self) -> None:
        """A robot that comes while the disk is read is not taken for removed."""
        reading: Deferred[dict[str, str]] = Deferred()
        self.store.secrets["dusty"] = "none"
        self.begin(self.store)
        done = self.secrets.reload(SlowToRead(reading=reading))
        self.admitted(b"a", "sandy")
        self.admitted(b"a", "dusty")
        reading.callback({})
        self.successResultOf(done)
        self.refused(b"b", "sandy")
        self.refused(b"b", "dusty")


class RoomTests(Case):
    """Anybody on the network can invent robots."""

    def test_never_kept(self) -> None:
        """Those that the registry did not keep make room, the oldest first."""
        self.known("dusty")
        for did in ("dusty", "1", "2", "3", "4", "5"):
            self.admitted(b"a", did)
        self.assertEqual(list(self.store.secrets), ["dusty", "2", "3", "4", "5"])
        self.refused(b"b", "dusty")

    def test_flood(self) -> None:
        """However many are invented, no more are remembered than there may be robots."""
        for number in range(100):
            self.admitted(None, str(number))
        self.assertEqual((len(self.secrets), len(self.store.secrets)), (5, 5))

    def test_full_of_real_ones(self) -> None:
        """Real robots keep their secrets; one more may come than the registry holds."""
        for number in range(5):
            self.admitted(b"a", str(number))
            self.known(str(number))
        for number in range(10):
            self.admitted(b"a", f"new {number}")
        self.assertEqual(len(self.secrets), 6)
        for number in range(5):
            self.refused(b"b", str(number))


class NewcomerTests(Case):
    """New robots from one address, and from all."""

    most, newcomers = 500, 3

    def come(self, *dids: str, peer: str = PEER) -> int:
        """New robots come; how many are let in."""
        before = len(self.secrets)
        for did in dids:
            done = self.secrets.admit(did, b"", peer)
            done.addErrback(lambda failure: failure.trap(TooManyNew) and None)
            self.successResultOf(done)
        return len(self.secrets) - before

    def test_default(self) -> None:
        """A household that moves here comes in at once, behind a proxy, too."""
        self.newcomers = NEWCOMERS
        self.begin(self.store)
        self.assertEqual(self.come(*(str(number) for number in range(100))), 30)

    def test_one_address(self) -> None:
        """One address has so many, and gets them back one by one; others have theirs."""
        self.assertEqual(self.come(*"abcdef"), 3)
        self.assertEqual(self.come(*"abc"), 0)
        self.assertEqual(self.come("x", peer="192.0.2.8"), 1)
        self.clock.advance(1200)
        self.assertEqual(self.come(*"def"), 1)
        self.assertEqual(list(self.store.secrets), ["a", "b", "c", "x", "d"])

    def test_many_addresses(self) -> None:
        """Who has a thousand addresses does not get a thousand times as many."""
        come = (self.come(f"a{n}", f"b{n}", peer=f"2001:db8::{n:x}") for n in range(1000))
        self.assertEqual(sum(come), 12)

    def test_known(self) -> None:
        """Who was here before is not new: neither with a secret nor in the registry alone."""
        self.known()
        self.come(*"abcdef")
        for _ in range(10):
            self.admitted(b"", "a")
            self.admitted(b"secret")

    def test_closed(self) -> None:
        """What is refused for another reason uses up nothing."""
        for number in range(10):
            self.refused(token({"did": OTHER}), str(number))
        self.assertEqual(self.come(*"abcd"), 3)

    def test_told(self) -> None:
        """The owner reads it once, with what to do, however many there are."""
        [line] = self.lines(lambda: self.come(*(str(number) for number in range(100))))
        self.assertEqual(
            line,
            f"robot 3 at {PEER} is new, as too many others were within the hour. If they are all "
            "yours, wait, or raise identity.new_robots_per_hour and restart",
        )
        self.clock.advance(60)
        [line] = self.lines(lambda: self.come("x"))
        self.assertIn("(96 more since", line)

    def test_one_liar(self) -> None:
        """Lies from one address do not hide what another one does."""
        for number in range(100):
            self.refused(token({"did": OTHER}), f"liar {number}")
        self.admitted(b"a")
        [line] = self.lines(lambda: self.refused(b"b", peer="192.0.2.8"))
        self.assertIn(f"robot {DID} at 192.0.2.8", line)

    def test_proven(self) -> None:
        """Who brought anything at all has proven something; an empty secret has everybody."""
        for did, secret in (("a", b"a"), ("b", token({"did": "b"})), ("c", b"")):
            self.admitted(secret, did)
        self.assertEqual([self.secrets.is_proven(did) for did in "abcd"], [True] * 2 + [False] * 2)


class ClosedTests(Case):
    """Where only known robots are let in."""

    closed = True

    def test_new(self) -> None:
        """A new robot is not let in and not remembered; the owner reads how to change that."""

        def come() -> None:
            self.failureResultOf(self.secrets.admit(DID, b"a", PEER), HouseClosed)

        [line] = self.lines(come)
        self.assertIn(f"robot {DID} at {PEER} is new and the house is closed", line)
        self.assertIn(
            "identity.closed = false, send SIGHUP, let it connect once, and close again", line
        )
        self.assertEqual(self.lines(come), [])
        self.assertEqual(self.store.secrets, {})

    def test_invented(self) -> None:
        """Whoever invents robots gets no line for each."""

        def come() -> None:
            for number in range(10):
                self.failureResultOf(self.secrets.admit(str(number), b"a", PEER), HouseClosed)

        self.assertEqual(len(self.lines(come)), 1)

    def test_known(self) -> None:
        """A known robot is let in, if it has its secret."""
        self.known()
        self.admitted(b"a")
        self.refused(b"b")

    def test_opened(self) -> None:
        """The house can be opened for a while."""
        self.secrets.closed = False
        self.admitted(b"a")
        self.known()
        self.secrets.closed = True
        self.admitted(b"a")
