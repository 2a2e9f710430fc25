"""What happens again and again, as one record: first, last, and how often."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.allowance import Shares
from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import Shelf
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore

#: New records from one peer, and from all, at once, and again within each hour.
SHARE, COMMON, HOUR = 60, 300, 3600.0


@frozen
class Tally:
    """
    Something that happened: the part that every kind of record has.

    @ivar first: seconds since the epoch.
    @ivar last: the same.
    """

    first: float = 0.0
    last: float = 0.0
    count: int = 0


R = TypeVar("R", bound=Tally)


class Tallies(Generic[R]):
    """
    Records by key, at most C{most}.

    Strangers cause them: so a new one is written when it comes, but what is only one more time
    is kept in memory until L{flush}, and nobody makes new ones faster than a person could want.

    @ivar lost: how many were not recorded because there were too many new ones.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, store: IRecordStore, name: str, kind: type[R], most: int
    ) -> None:
        """@param name: of the shelf."""
        self._clock, self._name, self._most, self.lost = clock, name, most, 0
        self._shelf: Shelf[R] = Shelf(store, name, kind, most)
        self._dirty: dict[str, R] = {}
        self._new = Shares(clock, SHARE, COMMON, HOUR)

    def __len__(self) -> int:
        return len(self._shelf)

    def __iter__(self) -> Iterator[R]:
        """All of them, the oldest first."""
        return (self._dirty.get(key, record) for key, record in self._shelf.items())

    @property
    def full(self) -> bool:
        """Whether a new one would take the place of another."""
        return len(self._shelf) >= self._most

    def get(self, key: str) -> R | None:
        """The record of that key, if there is one."""
        return self._dirty.get(key) or self._shelf.get(key)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left, or what somebody else has dropped meanwhile."""
        return self._shelf.load(store).addCallback(self._loaded)

    def _loaded(self, _: None) -> None:
        self._dirty = {key: each for key, each in self._dirty.items() if key in self._shelf}

    def again(self, key: str, change: Callable[[R], R] | None = None) -> bool:
        """
        It has happened again.

        @param change: what has changed besides; that is written at once.
        @return: whether it is known at all.
        """
        known = self.get(key)
        if known is None:
            return False
        counted = evolve(known, last=self._clock.seconds(), count=known.count + 1)
        changed = counted if change is None else change(counted)
        if changed == counted:
            self._dirty[key] = counted
        else:
            self._put(key, changed)
        return True

    def add(self, key: str, record: R, peer: str, group: Callable[[R], str] = str) -> bool:
        """
        It has happened for the first time.

        @param peer: who caused it.
        @param group: when all is full, the oldest of the largest group makes room, so that
            nobody crowds out the others.
        @return: whether there was room for it.
        """
        if not self._new.take(peer):
            self.lost += 1
            return False
        if self.full:
            self._drop_of_most(group)
        now = self._clock.seconds()
        self._put(key, evolve(record, first=now, last=now, count=1))
        return True

    def _put(self, key: str, record: R) -> None:
        self._dirty.pop(key, None)
        self._shelf.put(key, record).addErrback(self._unwritten)

    def _unwritten(self, failure: Failure) -> None:
        """The disk refuses: it is in memory all the same."""
        failure.trap(StorageError)
        self._log.warn("{what} not saved: {why}", what=self._name, why=failure.getErrorMessage())

    def drop(self, *keys: str) -> Deferred[None]:
        """Forget some."""
        for key in keys:
            self._dirty.pop(key, None)
        return self._shelf.drop(*keys)

    def drop_where(self, unwanted: Callable[[R], bool]) -> Deferred[None]:
        """Forget all that are not wanted any more."""
        return self.drop(*(key for key, each in self._shelf.items() if unwanted(each)))

    def _drop_of_most(self, group: Callable[[R], str]) -> None:
        [(largest, _)] = Counter(group(each) for each in self._shelf).most_common(1)
        found = (key for key, each in self._shelf.items() if group(each) == largest)
        self.drop(next(found)).addErrback(self._unwritten)

    def flush(self) -> Deferred[Any]:
        """
        Write what has been counted.

        @return: fires when it is on disk.
        """
        dirty, self._dirty = self._dirty, {}
        known = ((key, record) for key, record in dirty.items() if key in self._shelf)
        # What the disk refuses now, the shelf tries again with the next one.
        written = [self._shelf.put(*each) for each in known]
        return settled([self._shelf.flush(), *written])
