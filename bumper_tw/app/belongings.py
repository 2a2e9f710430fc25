"""What people and robots leave here besides accounts and reports, put together."""

from collections.abc import Iterable
from secrets import token_bytes, token_hex
from typing import Any, ClassVar

from attrs import frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.brokerage import in_thread
from bumper_tw.app.config import Settings, WebSettings
from bumper_tw.core.messages import Messages
from bumper_tw.core.ownership import Ownership, OwnersOnly
from bumper_tw.core.pairing import PairingDesk
from bumper_tw.core.people import People
from bumper_tw.core.permits import Everybody
from bumper_tw.core.shelf import Loaded
from bumper_tw.core.unknown import UnknownPaths
from bumper_tw.core.updates import Updates
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IDeviceRegistry, IRecordStore
from bumper_tw.people_interfaces import IPermits
from bumper_tw.storage.files import Files, Quota


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

    def load(self, store: IRecordStore) -> Deferred[Any]:
        """
        Take up what earlier runs left; fails when it cannot be read.

        @param store: the same, as far as it can be read right now.
        """
        return together(each.load(store) for each in self._loaded())

    def reload(self, store: IRecordStore) -> Deferred[Any]:
        """Take up what the owner has changed by a command of ours."""
        changed = (self.unknown, self.updates, self.ownership)
        return together(each.load(store) for each in changed)

    def forget(self, did: str) -> None:
        """A robot is gone, and what it left here goes with it."""
        self.ownership.forgotten(did)
        self.messages.forget(did)
        for dropped in (self.updates.forget(did), self.files.forget(did)):
            dropped.addErrback(self._not_dropped)

    def _not_dropped(self, failure: Failure) -> None:
        """It comes back with the next start, which is no harm."""
        failure.trap(StorageError)
        self._log.warn("not dropped: {why}", why=failure.getErrorMessage())

    def flush(self) -> Deferred[Any]:
        """Write what has only been counted so far."""
        return together((self.unknown.flush(), self.updates.flush()))

    def warn_of_orphans(self, dids: Iterable[str]) -> None:
        """The robots of a household have no owner when it becomes a house of owners."""
        orphans = self.ownership.orphans(dids)
        if orphans and not isinstance(self.permits, Everybody):
            self._log.warn(
                "nobody sees {count} of the robots, because they are nobody's: "
                '"bumper robot give --all ACCOUNT", then send the server SIGHUP',
                count=len(orphans),
            )

    def _loaded(self) -> tuple[Loaded, ...]:
        return (
            self.unknown,
            self.updates,
            self.ownership,
            self.people,
            self.messages,
        )


def together(parts: Iterable[Deferred[Any]]) -> Deferred[Any]:
    """Fires when all have, or fails as the first that does."""
    return gatherResults(list(parts), consumeErrors=True).addErrback(_as_it_failed)


def _as_it_failed(failure: Failure) -> Failure:
    failure.trap(FirstError)
    first: Any = failure.value
    found: Failure = first.subFailure
    return found


def belongings(
    reactor: Any, settings: Settings, store: IRecordStore, registry: IDeviceRegistry
) -> Belongings:
    """All of it; see L{Belongings.load} for what is there already."""
    ownership = Ownership(reactor, store, token_hex)
    owned = settings.identity.robots_of == "owners"
    permits = OwnersOnly(ownership) if owned else Everybody()
    pairing = PairingDesk(reactor, registry, permits, ownership, token_bytes(32))
    unknown, updates = UnknownPaths(reactor, store), Updates(reactor, store)
    files = Files(reactor, in_thread(reactor), settings.storage.directory, quota(settings.web))
    files.look()
    people, messages = People(reactor, store), Messages(reactor, store, permits, token_hex)
    ownership.when_invited(messages.invited)
    return Belongings(
        store, ownership, unknown, updates, files, permits, pairing, people, messages
    )


def quota(chosen: WebSettings) -> Quota:
    """As much as robots and apps may leave here."""
    return Quota(chosen.upload_bytes, chosen.uploads_robot_bytes, chosen.uploads_bytes)
