"""Whose robots are, and with whom they are shared: kept in every mode, heeded in one."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import BETWEEN, Shelf, key_of
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import IRecordStore
from bumper_tw.people_interfaces import IPermits, Undo
from bumper_tw.values import OWNER

#: With as many people one robot is shared.
MAX_SHARES = 50

#: As many robots are there at the most (C{identity.robots}), and as many shares of all of them.
MAX_OWNED, MAX_ALL_SHARES = 100_000, 50_000

#: What has become of a share; one that was refused or taken back is not there any more.
INVITED, ACCEPTED = "invited", "accepted"


@frozen
class Owned:
    """
    One robot that is somebody's.

    @ivar at: since when, in seconds since the epoch.
    """

    did: str
    uid: str
    at: float


@frozen
class Share:
    """
    One robot that somebody else may use, too.

    @ivar id: what clients may call it instead of naming the robot; nobody can guess it.
    @ivar uid: who may.
    @ivar by: who has invited him; empty for the owner of the box.
    @ivar at: when, in seconds since the epoch.
    """

    id: str
    did: str
    uid: str
    by: str
    at: float
    state: str = INVITED


class Ownership:
    """
    Owners and shares.

    Memory changes at once; the Deferreds fire when that is on disk.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, store: IRecordStore, random_hex: Callable[[int], str]
    ) -> None:
        """
        @param random_hex: so many unpredictable bytes in hexadecimal.
        """
        self._clock, self._random_hex = clock, random_hex
        self._owners = Shelf(store, "owners", Owned, MAX_OWNED)
        self._shares = Shelf(store, "shares", Share, MAX_ALL_SHARES)
        self._listeners: tuple[Callable[[str], None], ...] = ()
        self._hosts: tuple[Callable[[Share], object], ...] = ()
        self._movers: tuple[Callable[[str], object], ...] = ()
        self._changes = 0

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return Deferred.fromCoroutine(self._load(store))

    async def _load(self, store: IRecordStore) -> None:
        before, changes, owners = self._robots(), -1, list(self._owners)
        # What changes while the disk is read may not be in what was read.
        while changes != self._changes:
            changes = self._changes
            await self._owners.load(store)
            await self._shares.load(store)
        self._leave(each.did for each in owners if self.owner(each.did) != each.uid)
        for did in before | self._robots():
            self._tell(did)

    def _robots(self) -> frozenset[str]:
        return frozenset(each.did for shelf in (self._owners, self._shares) for each in shelf)

    def owner(self, did: str) -> str:
        """The uid of whoever a robot belongs to; empty when it is nobody's."""
        owned = self._owners.get(did)
        return "" if owned is None else owned.uid

    def share(self, did: str, uid: str) -> Share | None:
        """What somebody was offered of a robot, if he was."""
        return self._shares.get(f"{did}{BETWEEN}{uid}")

    def has_accepted(self, did: str, uid: str) -> bool:
        """Whether somebody uses a robot that another has shared with him."""
        share = self.share(did, uid)
        return share is not None and share.state == ACCEPTED

    def shares(self, did: str) -> Sequence[Share]:
        """All shares of a robot, the oldest first."""
        return [share for share in self._shares if share.did == did]

    def every_share(self) -> Mapping[str, Sequence[Share]]:
        """The shares of each robot that has some, by did."""
        found: dict[str, list[Share]] = {}
        for share in self._shares:
            found.setdefault(share.did, []).append(share)
        return found

    def shares_with(self, uid: str) -> Sequence[Share]:
        """All that a user was offered, the oldest first."""
        return [share for share in self._shares if share.uid == uid]

    def give(self, did: str, uid: str) -> Deferred[None]:
        """
        Make a robot somebody's.  What another owner has shared is not shared any more.

        @return: fails with L{BadRequest} when nobody can be called so.
        """
        return Deferred.fromCoroutine(self._give(did, uid))

    async def _give(self, did: str, uid: str) -> None:
        if not did or not uid:
            raise BadRequest("a robot is somebody's")
        before = self.owner(did)
        if before == uid and self._owners.is_saved(did) and not self._shares.refused:
            return
        new = before not in {"", uid}
        given = [self._owners.put(did, Owned(did, uid, self._clock.seconds()))]
        given.append(self._shares.drop_where(lambda s: s.did == did and (new or s.uid == uid)))
        if new:
            self._leave([did])
        self._changed(did)
        await settled(given)

    def invite(self, did: str, by: str, uid: str, state: str = INVITED) -> Deferred[Share]:
        """
        Offer a robot to somebody; if that was done already, it stays as it is.

        @return: fails with L{BadRequest} when it is his own, or too many have it.
        """
        return Deferred.fromCoroutine(self._invite(did, by, uid, state))

    async def _invite(self, did: str, by: str, uid: str, state: str) -> Share:
        known = self.share(did, uid)
        if known is not None and state == ACCEPTED:
            return await self._accept(known)
        if known is not None and self._is_saved(known):
            return known
        if known is None:
            self._check_invitation(did, by, uid)
            known = Share(self._random_hex(12), did, uid, by, self._clock.seconds(), state)
        await self._put(known)
        if known.state == INVITED:
            for host in self._hosts:
                host(known)
        return known

    def _is_saved(self, share: Share) -> bool:
        return self._shares.is_saved(key_of(share.did, share.uid))

    def _check_invitation(self, did: str, by: str, uid: str) -> None:
        if uid in {"", by, self.owner(did)}:
            raise BadRequest("one shares with somebody else")
        if len(self.shares(did)) >= MAX_SHARES:
            raise BadRequest(f"a robot is shared with at most {MAX_SHARES} people")

    def accept(self, did: str, uid: str) -> Deferred[None]:
        """Take an offer; if there is none, nothing happens."""
        return Deferred.fromCoroutine(self._accept_offer(did, uid))

    async def _accept_offer(self, did: str, uid: str) -> None:
        share = self.share(did, uid)
        if share is not None:
            await self._accept(share)

    async def _accept(self, share: Share) -> Share:
        accepted = evolve(share, state=ACCEPTED)
        if accepted != share or not self._is_saved(share):
            await self._put(accepted)
        return accepted

    def _put(self, share: Share) -> Deferred[None]:
        try:
            saved = self._shares.put(key_of(share.did, share.uid), share)
        except ValueError as wrong:
            raise BadRequest("nothing here is called so") from wrong
        self._changed(share.did)
        return saved

    def end(self, did: str, uid: str) -> Deferred[None]:
        """Refuse an offer, leave a robot, or take it back; if there is no share, that is fine."""
        gone = self._shares.drop(f"{did}{BETWEEN}{uid}")
        self._changed(did)
        return gone

    def forgotten(self, did: str) -> None:
        """A robot is not known any more, so it is nobody's."""
        if did in self._owners or self.shares(did):
            gone = [self._owners.drop(did), self._shares.drop_where(lambda s: s.did == did)]
            self._changed(did)
            self._on_disk(gone)

    def departed(self, uids: Collection[str]) -> Deferred[None]:
        """Users who are gone leave nothing to whoever has their name next."""
        left = {each.did for each in self._owners if each.uid in uids}
        robots = left | {each.did for each in self._shares if each.uid in uids}
        gone = [
            self._owners.drop_where(lambda owned: owned.uid in uids),
            self._shares.drop_where(lambda share: share.uid in uids),
        ]
        self._leave(left)
        for did in robots:
            self._changed(did)
        return settled(gone)

    def orphans(self, dids: Iterable[str]) -> Sequence[str]:
        """Those of some robots that are nobody's."""
        return [did for did in dids if not self.owner(did)]

    def listen(self, changed: Callable[[str], None]) -> Undo:
        """Hear of each robot whose owner or shares have changed."""
        self._listeners = (*self._listeners, changed)

        def undo() -> None:
            self._listeners = tuple(each for each in self._listeners if each is not changed)

        return undo

    def when_invited(self, host: Callable[[Share], object]) -> Undo:
        """Hear of each offer that somebody has to answer."""
        self._hosts = (*self._hosts, host)

        def undo() -> None:
            self._hosts = tuple(each for each in self._hosts if each is not host)

        return undo

    def when_left(self, mover: Callable[[str], object]) -> None:
        """Hear of each robot that its owner has no more, though it stays here."""
        self._movers = (*self._movers, mover)

    def _leave(self, dids: Iterable[str]) -> None:
        for did in list(dids):
            for mover in self._movers:
                mover(did)

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        return settled([self._owners.flush(), self._shares.flush()])

    def _changed(self, did: str) -> None:
        self._changes += 1
        self._tell(did)

    def _tell(self, did: str) -> None:
        for changed in self._listeners:
            changed(did)

    def _on_disk(self, gone: Sequence[Deferred[None]]) -> None:
        for each in gone:
            each.addErrback(
                lambda failure: self._log.failure("an owner stays on disk for now", failure)
            )


@implementer(IPermits)
@frozen
class OwnersOnly:
    """A robot is its owner's, and of those whom he lets use it."""

    ownership: Ownership

    def may_use(self, uid: str, did: str) -> bool:
        return self.may_keep(uid, did) or self.ownership.has_accepted(did, uid)

    def may_keep(self, uid: str, did: str) -> bool:
        # Nobody in particular does not own what is nobody's.
        return uid == OWNER or (bool(uid) and self.ownership.owner(did) == uid)

    def listen(self, changed: Callable[[str], None]) -> Undo:
        return self.ownership.listen(changed)
