"""What people and robots leave here besides accounts and reports, put together."""

from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, gatherResults

from bumper_tw.core.permits import Everybody
from bumper_tw.core.shelf import Loaded
from bumper_tw.interfaces import IRecordStore
from bumper_tw.people_interfaces import IPermits


@frozen
class Belongings:
    """
    Everything of that kind.

    @ivar store: where it is on disk.
    @ivar permits: who may do what with a robot.
    """

    store: IRecordStore
    permits: IPermits = field(factory=Everybody)

    def load(self, store: IRecordStore) -> Deferred[Any]:
        """
        Take up what earlier runs left; fails when it cannot be read.

        @param store: the same, as far as it can be read right now.
        """
        return gatherResults([each.load(store) for each in self._loaded()], consumeErrors=True)

    def _loaded(self) -> tuple[Loaded, ...]:
        return ()


def belongings(store: IRecordStore) -> Belongings:
    """All of it; see L{Belongings.load} for what is there already."""
    return Belongings(store)
