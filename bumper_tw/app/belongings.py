"""What people and robots leave here besides accounts and reports, put together."""

from collections.abc import Callable, Collection, Iterable
from secrets import token_bytes, token_hex
from typing import Any, ClassVar

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.brokerage import in_thread
from bumper_tw.app.settings import Settings, WebSettings
from bumper_tw.core.messages import Messages
from bumper_tw.core.ownership import Ownership, OwnersOnly
from bumper_tw.core.pairing import PairingDesk
from bumper_tw.core.people import People
from bumper_tw.core.permits import Everybody
from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import Loaded
from bumper_tw.core.unknown import UnknownPaths
from bumper_tw.core.updates import Updates
from bumper_tw.errors import StorageError
from bumper_tw.front.whereabouts import Whereabouts
from bumper_tw.interfaces import ICleaningLogStore, IDeviceRegistry, IRecordStore
from bumper_tw.people_interfaces import IPermits
from bumper_tw.storage.files import Files, Quota
from bumper_tw.web.uploads import STRANGERS


@frozen
class Belongings:
    """
    Everything of that kind.

    @ivar store: where it is on disk.
    @ivar ownership: whose robots are, and with whom they are shared.
    @ivar unknown: what clients asked for that nobody answers.
    @ivar updates: who asked for newer software.
    @ivar files: what robots and apps left here.
    @ivar permits: who may do what with a robot.
    @ivar pairing: which robot is the one that somebody has just paired.
    @ivar people: what users have said, set and agreed to.
    @ivar messages: what has happened, for people to read.
    @ivar whereabouts: from where robots are connected.
    @ivar logs: what robots have cleaned.
    """

    _log: ClassVar[Logger] = Logger()

    store: IRecordStore
    ownership: Ownership
    unknown: UnknownPaths
    updates: Updates
    files: Files
    permits: IPermits
    pairing: PairingDesk
    people: People
    messages: Messages
    whereabouts: Whereabouts
    logs: ICleaningLogStore

    def load(self, store: IRecordStore) -> Deferred[None]:
        """
        Take up what earlier runs left, or the owner has changed by a command of ours; fails
        when it cannot be read.

        @param store: the same, as far as it can be read right now.
        """
        parts: tuple[Loaded, ...] = (
            self.unknown,
            self.updates,
            self.ownership,
            self.people,
            self.messages,
        )
        return settled([each.load(store) for each in parts])

    def forget(self, did: str) -> None:
        """A robot is gone, and what it left here goes with it."""
        self.ownership.forgotten(did)
        self.updates.forget(did).addErrback(self._not_dropped)
        self._emptied(did)

    def left(self, did: str) -> None:
        """
        A robot has its owner no more: what it tells of his home is not for the next one.  In a
        household it tells of everybody's home.
        """
        if not isinstance(self.permits, Everybody):
            self._emptied(did)

    def _emptied(self, did: str) -> None:
        self.messages.forget(did)
        for dropped in (self.files.forget(did), self.logs.forget(did)):
            dropped.addErrback(self._not_dropped)

    def departed(self, uids: Collection[str]) -> Deferred[None]:
        """Users who are gone leave nothing; whatever fails does not keep the rest here."""
        self.messages.departed(uids)
        return settled([self.ownership.departed(uids), self.people.forget(uids)])

    def drop_files(self, robots: Iterable[str], known: Collection[str]) -> None:
        """
        Robots that are gone leave no files.

        @param robots: that have some.
        @param known: what they may be: whoever is not known here has a common folder.
        """
        for did in set(robots) - {*known, STRANGERS}:
            self.files.forget(did).addErrback(self._not_dropped)

    def _not_dropped(self, failure: Failure) -> None:
        """The shelves try again; the start drops what is nobody's."""
        failure.trap(StorageError)
        self._log.warn("not dropped: {why}", why=failure.getErrorMessage())

    def flush(self) -> Deferred[None]:
        """Write what has only been counted so far, or was refused by the disk."""
        kept = (self.unknown, self.updates, self.ownership, self.people)
        return settled([each.flush() for each in kept])

    def warn_of_orphans(self, dids: Iterable[str]) -> None:
        """The robots of a household have no owner when it becomes a house of owners."""
        orphans = self.ownership.orphans(dids)
        if orphans and not isinstance(self.permits, Everybody):
            self._log.warn(
                "nobody sees {count} of the robots, because they are nobody's: "
                '"bumper robot give --all ACCOUNT", then send the server SIGHUP',
                count=len(orphans),
            )


def belongings(
    reactor: Any,
    settings: Settings,
    store: IRecordStore,
    registry: IDeviceRegistry,
    logs: ICleaningLogStore,
) -> Belongings:
    """All of it; see L{Belongings.load} for what is there already."""
    ownership = Ownership(reactor, store, token_hex)
    owned = settings.identity.robots_of == "owners"
    permits = OwnersOnly(ownership) if owned else Everybody()
    pairing = PairingDesk(reactor, registry, permits, ownership, token_bytes(32))
    unknown, updates = UnknownPaths(reactor, store), Updates(reactor, store)
    files = Files(
        reactor,
        in_thread(reactor),
        settings.storage.directory,
        quota(settings.web),
        holder(ownership) if owned else str,
    )
    files.look()
    people, owner = People(reactor, store), ownership.owner if owned else None
    messages = Messages(reactor, store, permits, token_hex, owner)
    ownership.when_invited(messages.invited)
    everything = Belongings(
        store,
        ownership,
        unknown,
        updates,
        files,
        permits,
        pairing,
        people,
        messages,
        Whereabouts(),
        logs,
    )
    ownership.when_left(everything.left)
    return everything


def holder(ownership: Ownership) -> Callable[[str], str]:
    """
    Whose room the files of a robot take where robots have owners.

    @return: all robots that are nobody's have the same: whoever invents some gains nothing.
    """
    return lambda did: did if did == STRANGERS or ownership.owner(did) else ""


def quota(chosen: WebSettings) -> Quota:
    """As much as robots and apps may leave here."""
    return Quota(chosen.upload_bytes, chosen.uploads_robot_bytes, chosen.uploads_bytes)
