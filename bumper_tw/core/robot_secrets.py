"""
Which robots are let in: each is trusted on first use, and has to come with the same secret
from then on (mqtt.md 3.3).
"""

from enum import Enum

from attrs import field, frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.allowance import Shares
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.repeats import Repeats, again
from bumper_tw.core.secret_hashes import SecretHashes
from bumper_tw.core.throttle import Throttle
from bumper_tw.dialect import robot_tokens
from bumper_tw.errors import DeviceUnknown, LoginRefused
from bumper_tw.interfaces import IDeviceRegistry, IRobotSecretStore

#: As many connections wait for the verdict on the one before them, of the same robot.
IN_LINE = 8

#: As many new robots are let in from one address at once, and again within each hour.  People
#: buy a few at a time; a household that moves here brings perhaps twenty, behind a proxy all
#: from one address, and what is left of those gets in later, since robots try for ever.  By
#: then whoever invents robots has needed most of a day to use up 500 places.
NEWCOMERS = 30

#: As many times that from all addresses: who has many of them does not get so much for each.
ADDRESSES = 4
AN_HOUR = 3600.0

#: As many warnings about one address within a minute, of those there are.
WARNINGS = 20


class WrongSecret(LoginRefused):
    """Somebody calls itself a robot that we know, and cannot prove it."""


class HouseClosed(LoginRefused):
    """A robot is new, and none is let in that is."""


class TooManyNew(LoginRefused):
    """A robot is new, and so were many others just now."""


class SecretKind(Enum):
    """What kind of secret a robot has; the value is what the owner reads."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    SECRET = "secret"  # noqa: S105 - the same


def kind_of(stored: str) -> SecretKind:
    """The kind of secret that something stored stands for."""
    if stored in {SecretKind.NONE.value, SecretKind.TOKEN.value}:
        return SecretKind(stored)
    return SecretKind.SECRET


@frozen
class Claimant:
    """
    Somebody who says to be a robot, with what it brought along.

    @ivar another: whether what it brought was made for another robot.
    """

    did: str
    peer: str
    kind: SecretKind
    secret: bytes = field(default=b"", repr=False)
    another: bool = False


def claimant(did: str, secret: bytes | None, peer: str) -> Claimant:
    """Look at what somebody brought."""
    if not secret:
        return Claimant(did, peer, SecretKind.NONE)
    claims = robot_tokens.read(secret)
    if claims is None:
        return Claimant(did, peer, SecretKind.SECRET, secret)
    return Claimant(did, peer, SecretKind.TOKEN, secret, robot_tokens.names_another(claims, did))


class RobotSecrets:
    """
    What each robot brought when it came first, in memory and on disk.

    A token changes every few months and cannot be checked (mqtt.md 3.1), so only that it was
    one is remembered: a robot with a secret of its own cannot be played with any token.

    @ivar closed: whether only robots that the registry knows are let in.
    @ivar refused: how many were not who they said.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: IRobotSecretStore,
        registry: IDeviceRegistry,
        hashes: SecretHashes,
        remembered: Remembered,
        most: int = 500,
        closed: bool = False,
        newcomers: int = NEWCOMERS,
    ) -> None:
        """
        @param remembered: for robots alone; others may have the same names.
        @param most: as many robots the registry holds; of those it does not, no more are
            remembered than are logging in.
        @param newcomers: as many new ones may come from one address at once, and per hour.
        """
        self._store, self._registry, self._most = store, registry, most
        self._hashes, self._remembered = hashes, remembered
        self._throttle, self._warnings = Throttle(clock), Repeats(clock, share=WARNINGS)
        self._newcomers = Shares(clock, newcomers, newcomers * ADDRESSES, AN_HOUR)
        self._stored: dict[str, str] = {}
        self._lines: dict[str, DeferredLock] = {}
        self.closed, self.refused = closed, 0

    def __len__(self) -> int:
        return len(self._stored)

    def load(self, store: IRobotSecretStore) -> Deferred[None]:
        """
        Remember what earlier runs have put on disk.

        @param store: where to read: the one of the constructor may not be open yet.
        """
        return store.load().addCallback(self._stored.update)

    def reload(self, store: IRobotSecretStore) -> Deferred[None]:
        """Take back what the owner has removed on disk while we were running."""
        # Only what is here before we ask: a robot may come in meanwhile.
        return store.load().addCallback(self._drop_removed, dict(self._stored))

    def _drop_removed(self, on_disk: dict[str, str], before: dict[str, str]) -> None:
        for did, stored in before.items():
            if did not in on_disk and self._stored.get(did) == stored:
                self._drop(did)

    def forget(self, did: str) -> Deferred[None]:
        """Trust whatever this robot brings next; fires when that is on disk, or failed."""
        self._drop(did)
        return self._store.remove(did).addErrback(self._not_forgotten, did)

    def _drop(self, did: str) -> None:
        self._stored.pop(did, None)
        self._remembered.forget(did)

    def _not_forgotten(self, failure: Failure, did: str) -> None:
        self._log.failure("the secret of robot {did} stays on disk", failure, did=did)

    def admit(self, did: str, secret: bytes | None, peer: str) -> Deferred[None]:
        """
        Let a robot in, or not.

        @param peer: the address it came from.
        @return: fires when what is new about it is safe on disk.  Fails with L{HouseClosed},
            with L{WrongSecret}, with L{TooManyNew}, with another L{LoginRefused} when too many
            are asking, and with L{StorageError<bumper_tw.errors.StorageError>}.
        """
        return Deferred.fromCoroutine(self._admit(claimant(did, secret, peer)))

    async def _admit(self, who: Claimant) -> None:
        if self.closed and not self._is_known(who.did):
            raise self._closed(who)
        if self._is_remembered(who):
            return
        line = self._lines.setdefault(who.did, DeferredLock())
        if len(line.waiting) >= IN_LINE:
            raise LoginRefused("this robot comes too often at the same time")
        # One after the other, or two could come first.
        await line.acquire()
        try:
            await self._decide(who)
        finally:
            line.release()
            if not line.locked and self._lines.get(who.did) is line:
                del self._lines[who.did]

    def _is_remembered(self, who: Claimant) -> bool:
        stored = self._stored.get(who.did)
        return stored is not None and self._remembered.knows(who.did, stored, who.secret)

    async def _decide(self, who: Claimant) -> None:
        if who.another:
            raise self._wrong(who, "with the token of another robot", "No robot does that")
        stored = self._stored.get(who.did)
        before = SecretKind.NONE if stored is None else kind_of(stored)
        if stored is None or before is SecretKind.NONE is not who.kind:
            await self._trust(who)
        elif who.kind is not before:
            raise self._wrong(who, f"with {CAME_WITH[who.kind]}, and had {CAME_WITH[before]}")
        elif before is SecretKind.SECRET:
            await self._compare(who, stored)

    async def _trust(self, who: Claimant) -> None:
        """From now on this is what the robot has to bring."""
        if self._is_new(who.did) and not self._newcomers.take(who.peer):
            raise self._too_many(who)
        stored = who.kind.value
        if who.kind is SecretKind.SECRET:
            stored = await self._hashes.hashed(who.secret)
        if who.did not in self._stored and len(self._stored) >= self._most:
            self._make_room()
        await self._store.save(who.did, stored)
        self._stored[who.did] = stored
        if who.kind is SecretKind.SECRET:
            self._remembered.remember(who.did, stored, who.secret)

    async def _compare(self, who: Claimant, stored: str) -> None:
        guess = self._throttle.guess(who.peer, who.did)
        if not await self._hashes.check(who.secret, stored, guess):
            raise self._wrong(who, "with another secret than before")
        self._remembered.remember(who.did, stored, who.secret)

    def _make_room(self) -> None:
        """
        Forget a robot that came and was not kept; there is one, or the registry is full and
        decides for itself whom to forget, and tells us.
        """
        for did in self._stored:
            if did not in self._lines and not self._is_known(did):
                self.forget(did)
                return

    def is_proven(self, did: str) -> bool:
        """Whether a robot has brought something that not everybody has."""
        return kind_of(self._stored.get(did, SecretKind.NONE.value)) is not SecretKind.NONE

    def _is_new(self, did: str) -> bool:
        return did not in self._stored and not self._is_known(did)

    def _is_known(self, did: str) -> bool:
        try:
            self._registry.device(did)
        except DeviceUnknown:
            return False
        return True

    def _wrong(self, who: Claimant, came: str, advice: str = "") -> WrongSecret:
        """Tell the owner, who alone can know whether that is the robot."""
        self.refused += 1
        times = self._warnings.say(who.did, who.peer)
        if times is not None:
            self._log.warn(
                "robot {did} at {peer} is not let in: it came {came}{again}. {advice}",
                did=who.did,
                peer=who.peer,
                came=came,
                again=again(times),
                advice=advice or ADVICE.format(did=who.did),
            )
        return WrongSecret(f"came {came}")

    def _closed(self, who: Claimant) -> HouseClosed:
        # One line for an address, since anybody can invent robots.
        times = self._warnings.say(f"closed {who.peer}", who.peer)
        if times is not None:
            self._log.warn(
                "robot {did} at {peer} is new and the house is closed{again}. To let it in: "
                "set identity.closed = false, send SIGHUP, let it connect once, and close again",
                did=who.did,
                peer=who.peer,
                again=again(times),
            )
        return HouseClosed("is new and the house is closed")

    def _too_many(self, who: Claimant) -> TooManyNew:
        times = self._warnings.say(f"new {who.peer}", who.peer)
        if times is not None:
            self._log.warn(
                "robot {did} at {peer} is new, as too many others were within the hour{again}. "
                "If they are all yours, wait, or raise identity.new_robots_per_hour and restart",
                did=who.did,
                peer=who.peer,
                again=again(times),
            )
        return TooManyNew("is new, as too many others were within the hour")


#: What the owner can do about a robot that changed.
ADVICE = (
    'If it is yours, perhaps after a factory reset: "bumper robot trust {did}", '
    "then send the server SIGHUP"
)

#: How a line for the owner calls what a robot brought.
CAME_WITH = {
    SecretKind.NONE: "no secret",
    SecretKind.TOKEN: "a token",
    SecretKind.SECRET: "a secret",
}
