"""
Which robot is the one that somebody has just paired.

An app gives a robot a key along with the password of the network, and asks us for the robot of
that key until it is here (http-devices.md 3.6).  How a robot shows the key is written nowhere: so
it is looked for in whatever a robot logs in with.  When it is not there, the only robot that could
be meant is, for whoever has announced that he pairs one: asking for a key says nothing, as
anybody can make one up.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.errors import DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.people_interfaces import IPermits
from bumper_tw.values import Device

#: For how many seconds somebody waits for a robot, and a robot's login counts.
PATIENCE = 600.0
#: As many people wait at the same time, as many robots come meanwhile, and of as many it is
#: known what they have logged in with.
MOST_WAITING, MOST_COME, MOST_TOLD = 20, 100, 200
#: Characters of a key; a shorter one would be anybody's guess.
SHORTEST, LONGEST = 4, 256


class Owners(Protocol):
    """Whose robots are."""

    def owner(self, did: str) -> str:
        """A uid; empty when it is nobody's."""

    def give(self, did: str, uid: str) -> Deferred[None]:
        """Make it somebody's; fires when that is on disk."""


@define
class Wait:
    """
    Somebody who waits for a robot.

    @ivar since: when that began, in seconds since the epoch.
    @ivar prepared: whether the app said that it is about to pair one; then it may be one that
        we know already.
    @ivar class_id: the class of the robot whose code was read; empty when none was.
    @ivar key: what the robot was given.
    @ivar come: the robots that have attached since, in order.
    @ivar found: the did of the one that it was; empty so far.
    """

    since: float
    prepared: bool = False
    class_id: str = ""
    key: str = ""
    come: dict[str, None] = field(factory=dict)
    found: str = ""

    @property
    def announced(self) -> bool:
        """Whether somebody has said that he pairs a robot, and has not got it."""
        return any(self.said) and not self.found

    @property
    def said(self) -> tuple[bool, bool]:
        """How much is known of what he waits for; more counts more."""
        return self.prepared, bool(self.class_id)


@define
class Told:
    """
    What a robot logged in with.

    @ivar keys: digests of whatever may be a key.
    @ivar here: whether it has got as far as its place.
    """

    at: float
    keys: frozenset[bytes]
    here: bool = False


class PairingDesk:
    """
    Brings robots and those who wait for them together.

    A robot of somebody else is never given away here: he has to remove it first.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        registry: IDeviceRegistry,
        permits: IPermits,
        owners: Owners,
        salt: bytes,
    ) -> None:
        """
        @param salt: 64 bytes at the most that nobody can guess; what robots log in with is
            not kept without.
        """
        self._clock, self._registry = clock, registry
        self._permits, self._owners, self._salt = permits, owners, salt
        self._waits: dict[str, Wait] = {}
        self._told: dict[str, Told] = {}
        registry.watch(self._changed)

    def looked_up(self, uid: str, class_id: str) -> None:
        """Somebody has read the code on a robot of this class."""
        if class_id:
            self._waiting(uid).class_id = class_id

    def prepare(self, uid: str) -> None:
        """Somebody is about to give a robot its key; it connects some time later."""
        known = self._waiting(uid)
        self._begin(uid, Wait(self._clock.seconds(), True, "" if known.found else known.class_id))

    def poll(self, uid: str, key: str) -> Device | None:
        """
        The robot that was given C{key}, which then is this user's if it was nobody's.

        @param uid: who asks; empty for somebody at home who does not say so.
        @return: C{None} while it is not here, or cannot be told from others.
        """
        if not SHORTEST <= len(key) <= LONGEST:
            return None
        wait = self._asking(uid, key)
        if wait is None:
            return None
        did = wait.found or self._shown(uid, key) or self._only(uid, wait)
        if wait.found and not self._permits.may_use(uid, did):
            # Meanwhile it has become somebody else's.
            return None
        device = self._here(did)
        if device is not None and not wait.found:
            self._settle(uid, wait, did)
        return device

    def told(self, did: str, texts: Sequence[str]) -> None:
        """
        A robot has proved who it is, and is about to get its place.

        @param texts: whatever it brought along that may be a key.
        """
        self._told.pop(did, None)
        if len(self._told) >= MOST_TOLD:
            del self._told[next(iter(self._told))]
        keys = frozenset(self._digest(text) for text in texts if SHORTEST <= len(text) <= LONGEST)
        self._told[did] = Told(self._clock.seconds(), keys)

    def _digest(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "replace"), digest_size=16, key=self._salt).digest()

    def _changed(self, device: Device, online: bool) -> None:
        """Something about a robot has changed: it may just have come."""
        told = self._told.get(device.id.did)
        if not online or told is None or told.here:
            return
        told.here = True
        for _, wait in self._alive():
            if len(wait.come) < MOST_COME:
                wait.come[device.id.did] = None

    def _alive(self) -> Iterator[tuple[str, Wait]]:
        """Everybody who waits; whoever has waited long enough is kept, but does not any more."""
        for uid, wait in list(self._waits.items()):
            if not self._is_over(wait):
                yield uid, wait

    def _is_over(self, wait: Wait) -> bool:
        return wait.since < self._clock.seconds() - PATIENCE

    def _waiting(self, uid: str) -> Wait:
        known = dict(self._alive()).get(uid)
        return known or self._begin(uid, Wait(self._clock.seconds()))

    def _begin(self, uid: str, wait: Wait) -> Wait:
        self._waits.pop(uid, None)
        if len(self._waits) >= MOST_WAITING:
            del self._waits[next(iter(self._waits))]
        self._waits[uid] = wait
        return wait

    def _asking(self, uid: str, key: str) -> Wait | None:
        """
        How long somebody waits for this key; another robot begins with another key.

        @return: C{None} when he has waited for it long enough: to ask on does not help.
        """
        known = self._waits.get(uid)
        if known is not None and known.key == key and self._is_over(known):
            return None
        wait = self._waiting(uid)
        if wait.found and wait.key != key:
            wait = self._begin(uid, Wait(self._clock.seconds()))
        wait.key = key
        return wait

    def _shown(self, uid: str, key: str) -> str:
        """The robot that brought the key along; empty when none did, or several."""
        digest, before = self._digest(key), self._clock.seconds() - PATIENCE
        dids = [
            did
            for did, told in self._told.items()
            if digest in told.keys and told.at >= before and self._may_be(uid, did)
        ]
        return dids[0] if len(dids) == 1 else ""

    def _only(self, uid: str, wait: Wait) -> str:
        """The only robot that it can be; empty when there is none, or the choice."""
        if not wait.announced:
            return ""
        dids = [did for did in wait.come if self._may_be(uid, did) and self._fits(uid, wait, did)]
        return dids[0] if len(dids) == 1 and not self._wanted(uid, wait, dids[0]) else ""

    def _wanted(self, uid: str, wait: Wait, did: str) -> bool:
        """Whether it may as well be the one that somebody else pairs, who has said no less."""
        return any(
            other.announced
            and other.said >= wait.said
            and self._may_be(name, did)
            and self._fits(name, other, did)
            for name, other in self._alive()
            if name != uid
        )

    def _may_be(self, uid: str, did: str) -> bool:
        return not self._owners.owner(did) or self._permits.may_keep(uid, did)

    def _fits(self, uid: str, wait: Wait, did: str) -> bool:
        """
        Whether a robot that came may be the one that somebody waits for.

        One that was here long before may just have lost its network for a moment: it is meant
        only if it is his anyway.
        """
        device = self._here(did)
        if device is None or wait.class_id not in {"", device.id.model}:
            return False
        known_since = wait.since - PATIENCE if wait.prepared else wait.since
        ours = wait.prepared and self._permits.may_keep(uid, did)
        return ours or device.bound_at >= known_since

    def _here(self, did: str) -> Device | None:
        try:
            return self._registry.device(did) if self._registry.online(did) else None
        except DeviceUnknown:
            return None

    def _settle(self, uid: str, wait: Wait, did: str) -> None:
        wait.found = did
        for _, other in self._alive():
            other.come.pop(did, None)
        self._log.info("robot {did} was paired by user {uid}", did=did, uid=uid or "(not told)")
        if uid and not self._owners.owner(did):
            given = self._owners.give(did, uid)
            given.addErrback(
                lambda failure: self._log.failure("robot {did} not given", failure, did=did)
            )
