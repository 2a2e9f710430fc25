"""Where robots were in the jobs that they have done."""

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.maps_paths import read, simplified, written
from bumper_tw.core.shelf import BETWEEN, Shelf, key_of
from bumper_tw.dialect.maps import TracePoint
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore
from bumper_tw.readings import Stats

#: Jobs that are kept of all robots, and of each of them.
MOST, EACH = 2_000, 50
#: Points of one path.
POINTS = 2_000

#: What it is called on disk.
NAME = "cleaned"


@frozen
class Cleaned:
    """
    The path of one job.

    @ivar job: what the robot calls it.
    @ivar started_at: seconds since the epoch; no two jobs of a robot have the same.
    @ivar path: as L{written} wrote it.
    """

    did: str
    job: str
    started_at: int
    path: str


class Coverage:
    """Paths by job, the newest ones."""

    _log = Logger()

    def __init__(self, store: IRecordStore) -> None:
        self._shelf = Shelf(store, NAME, Cleaned, MOST)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return self._shelf.load(store)

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        return self._shelf.flush()

    def ended(self, did: str, job: Stats, points: list[TracePoint]) -> None:
        """A job is over; a robot that says so twice has not been there twice."""
        path = written(simplified(points, POINTS))
        try:
            key = key_of(did, str(job.started_at))
        except ValueError:
            return
        before = self._shelf.get(key)
        if len(points) < 2 or (before is not None and len(before.path) >= len(path)):
            return
        self._drop_oldest(did, key)
        kept = self._shelf.put(key, Cleaned(did, job.job, job.started_at, path))
        kept.addErrback(self._lost, did)

    def _drop_oldest(self, did: str, key: str) -> None:
        mine = [each for each, _ in self._of(did) if each != key]
        self._shelf.drop(*mine[: max(0, len(mine) - EACH + 1)]).addErrback(self._lost, did)

    def _of(self, did: str) -> list[tuple[str, Cleaned]]:
        return [(key, each) for key, each in self._shelf.items() if each.did == did]

    def _lost(self, failure: Failure, did: str) -> None:
        failure.trap(StorageError)
        self._log.warn("a path of {did} is not on disk: {why}", did=did, why=failure.value)

    def jobs(self, did: str) -> frozenset[int]:
        """When the jobs of a robot began of which there is a path."""
        return frozenset(each.started_at for _, each in self._of(did))

    def path(self, did: str, job: str) -> list[TracePoint] | None:
        """
        Where a robot was.

        @param job: what the robot calls it, or when it began, in seconds since the epoch.
        @return: C{None} if nobody knows.
        """
        found = self._shelf.get(did + BETWEEN + job)
        if found is None:
            named = (each for _, each in self._of(did) if each.job == job)
            found = next(named, None)
        try:
            return None if found is None else read(found.path)
        except ValueError:
            return None

    def forget(self, did: str) -> Deferred[None]:
        """A robot is gone."""
        gone = [key for key, _ in self._of(did)]
        return self._shelf.drop(*gone) if gone else succeed(None)
