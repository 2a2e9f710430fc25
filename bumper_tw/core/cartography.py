"""All about maps in one: what is known, what is asked for, what is kept."""

from collections.abc import Iterable, Sequence
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.coverage import Coverage
from bumper_tw.core.maps import EVENTS, MapBook, RobotMap
from bumper_tw.core.maps_kept import MapFolder, MapKeeper
from bumper_tw.core.passwords import InThread
from bumper_tw.core.sessions import settled
from bumper_tw.core.surveying import Surveyor
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.interfaces import (
    ICommandCorrelator,
    IDeviceRegistry,
    IFeed,
    IRecordStore,
)
from bumper_tw.readings import MapData, Report, Stats

#: So many maps are read at the start; the others are read when somebody looks at them.
AWAKE = 20


class Cartography:
    """Maps of all robots, and where these were."""

    def __init__(
        self,
        clock: IReactorTime,
        registry: IDeviceRegistry,
        commands: ICommandCorrelator,
        feed: IFeed,
        store: IRecordStore,
        folder: MapFolder,
        in_thread: InThread,
    ) -> None:
        """
        @param commands: takes the names of JSON for every robot.
        """
        self.book = MapBook(clock, feed)
        self.keeper = MapKeeper(clock, self.book, folder, in_thread)
        self.surveyor = Surveyor(clock, registry, commands, self.book)
        self.coverage = Coverage(store)
        self.surveyor.ended = self._ended

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left; maps come from the disk when they are looked at."""
        return self.coverage.load(store)

    def heard(self, report: Report) -> None:
        """A robot has said something."""
        if isinstance(report.reading, MapData) and report.reading.name in EVENTS:
            # A piece alone must not take the place of a whole map on disk.
            self.keeper.known(report.did)
        self.book.heard(report)
        self.surveyor.heard(report)

    def _ended(self, did: str, job: Stats) -> None:
        self.coverage.ended(did, job, self.book.of(did).trace.points)

    def known(self, did: str) -> Deferred[RobotMap]:
        """The map of a robot; one that nobody knows has nothing on it."""
        return self.keeper.known(did)

    def rooms(self, did: str) -> dict[str, str] | None:
        """
        What the rooms of a robot are called, by id.

        @return: C{None} as long as its map is not known, or has none.
        """
        self.keeper.known(did)
        found = self.book.find(did)
        named = {} if found is None else {room.id: room.label for room in found.rooms}
        return named or None

    def drawn_rooms(self, did: str) -> Sequence[Room]:
        """The rooms on the map of a robot, as far as it is at hand."""
        found = self.book.find(did)
        return () if found is None else found.rooms

    def wake(self, dids: Iterable[str]) -> Deferred[None]:
        """Read some maps from the disk, so that their rooms are known."""
        done = (self.keeper.known(did).addCallback(_nothing) for did in islice(dids, AWAKE))
        return settled(list(done))

    def survey(self, did: str, pause: float = 10.0) -> Deferred[bool]:
        """
        Ask a robot for what is new.

        @param pause: seconds since the last time within which nothing is asked.
        @return: whether it was asked; never fails.
        """
        return self.surveyor.survey(did, pause)

    def forget(self, did: str) -> Deferred[None]:
        """A robot is gone."""
        self.book.forget(did)
        return settled([self.keeper.forget(did), self.coverage.forget(did)])

    def stop(self) -> Deferred[None]:
        """Everything that is not on disk goes there."""
        self.book.stop()
        return settled([self.keeper.stop(), self.coverage.flush()])


def _nothing(_: object) -> None:
    """It is enough that it is there."""
