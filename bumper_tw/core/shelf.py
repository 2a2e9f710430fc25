"""Records of one kind: all in memory, and on disk."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from attrs import asdict, fields_dict
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.sessions import settled
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore

#: Stands between the parts of a key; nothing that has a name here contains it.
BETWEEN = "\n"

#: As many changes that the disk refused are tried again with the next change; L{Shelf.flush}
#: tries all of them.
AGAIN_AT_ONCE = 100

R = TypeVar("R")


class Loaded(Protocol):
    """Something that takes up what earlier runs left."""

    def load(self, store: IRecordStore) -> Deferred[None]:
        """
        Read it.

        @param store: the same records, as far as they can be read right now.
        """


def key_of(*parts: str) -> str:
    """
    The key of what belongs to several: a user and a robot...

    @raise ValueError: a part has a line end in it.
    """
    if any(BETWEEN in part for part in parts):
        raise ValueError("no name has a line end in it")
    return BETWEEN.join(parts)


class Shelf(Generic[R]):
    """
    Records of one attrs class, whose fields are what JSON can write.

    Memory is what counts: it changes at once, and a change is on its way to the disk then.  What
    the disk refuses is tried again with the next change and with L{flush}; whoever asks for the
    same once more because he was told that it failed is not told "done" before it is.  There are
    at most C{most} records; what is added beyond drops the oldest.
    """

    _log = Logger()

    def __init__(self, store: IRecordStore, name: str, kind: type[R], most: int = 10_000) -> None:
        """
        @param name: what it is called on disk; no two are called the same.
        @param kind: the class of its records.
        """
        self._store, self._name, self._kind, self._most = store, name, kind, most
        attrs_class: Any = kind
        self._known = frozenset(fields_dict(attrs_class))
        self._records: dict[str, R] = {}
        #: What may not be on disk as it is here, records that are gone included: the number of
        #: the last write of each key; and of these the keys whose last write failed.
        self._unsaved: dict[str, int] = {}
        self._refused: dict[str, None] = {}
        self._writes = 0

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[R]:
        """All of them, the oldest first."""
        return iter(list(self._records.values()))

    def items(self) -> list[tuple[str, R]]:
        """All of them with their keys, the oldest first."""
        return list(self._records.items())

    def get(self, key: str) -> R | None:
        """The record of that key, if there is one."""
        return self._records.get(key)

    def is_saved(self, key: str) -> bool:
        """Whether the disk has agreed to the record of that key, or to there being none."""
        return key not in self._unsaved

    @property
    def refused(self) -> bool:
        """Whether there is anything that the disk has refused, and has not taken since."""
        return bool(self._refused)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """
        Take up what earlier runs left; what cannot be read any more is left out.  What is not on
        disk yet stays as it is here.
        """
        return store.load(self._name).addCallback(self._take_up)

    def _take_up(self, values: Mapping[str, Any]) -> None:
        here, self._records = self._records, {}
        for key, value in values.items():
            try:
                self._records[key] = self._read(value)
            except (TypeError, ValueError, AttributeError) as wrong:
                self._log.warn(
                    "a record of {shelf} cannot be read: {why}", shelf=self._name, why=wrong
                )
        for key in self._unsaved:
            self._records.pop(key, None)
            if key in here:
                self._records[key] = here[key]

    def _read(self, value: Mapping[str, Any]) -> R:
        # Of a field that this version does not have a newer one has written.
        return self._kind(
            **{name: unchanging(each) for name, each in value.items() if name in self._known}
        )

    def put(self, key: str, record: R) -> Deferred[None]:
        """
        Add or replace one.

        @return: fires when it is on disk.
        """
        oldest = []
        if key not in self._records and len(self._records) >= self._most:
            oldest = [next(iter(self._records))]
            del self._records[oldest[0]]
        self._records[key] = record
        return self._write([*oldest, key])

    def drop(self, *keys: str) -> Deferred[None]:
        """
        Remove some; unknown ones are fine.

        @return: fires when that is on disk.
        """
        known = (key for key in keys if key in self._records or key in self._unsaved)
        gone = list(dict.fromkeys(known))
        for key in gone:
            self._records.pop(key, None)
        return self._write(gone)

    def flush(self) -> Deferred[None]:
        """
        Try everything again that the disk has refused.

        @return: fires when it is on disk.
        """
        return self._sent_again(len(self._refused))

    def _write(self, keys: Collection[str]) -> Deferred[None]:
        """Bring to the disk what some keys are here, and some that it refused before."""
        for key in keys:
            self._refused.pop(key, None)
        # Apart from each other: what no disk can take must not keep the rest from it, and is
        # not the fault of whoever writes now.
        self._sent_again(AGAIN_AT_ONCE).addErrback(_refused_again)
        return self._sent(list(keys)) if keys else succeed(None)

    def _sent_again(self, most: int) -> Deferred[None]:
        again = list(islice(self._refused, most))
        for key in again:
            del self._refused[key]
        return self._sent(again) if again else succeed(None)

    def _sent(self, keys: Collection[str]) -> Deferred[None]:
        records: dict[str, Any] = {key: self._records.get(key) for key in keys}
        kept = {key: asdict(each) for key, each in records.items() if each is not None}
        gone = [key for key in keys if key not in kept]
        writes = [self._store.remove(self._name, gone)] if gone else []
        if kept:
            writes.append(self._store.save(self._name, kept))
        self._writes += 1
        self._unsaved.update(dict.fromkeys(keys, self._writes))
        return settled(writes).addBoth(self._written, keys, self._writes)

    def _written(
        self, result: Failure | None, keys: Collection[str], write: int
    ) -> Failure | None:
        """The disk has taken or refused something; only the last word on a key counts."""
        last = [key for key in keys if self._unsaved.get(key) == write]
        if isinstance(result, Failure) and result.check(StorageError):
            self._refused.update(dict.fromkeys(last))
            self._give_up()
        else:
            for key in last:
                self._unsaved.pop(key, None)
        return result

    def _give_up(self) -> None:
        """A disk that stays full must not fill the memory with what has long been dropped."""
        for key in list(islice(self._refused, max(0, len(self._refused) - 2 * self._most))):
            del self._refused[key], self._unsaved[key]

    def drop_where(self, unwanted: Callable[[R], bool]) -> Deferred[None]:
        """Remove all that are not wanted any more."""
        return self.drop(*(key for key, each in self.items() if unwanted(each)))


def _refused_again(failure: Failure) -> None:
    """It is remembered, and tried once more with the next write."""
    failure.trap(StorageError)


def unchanging(value: Any) -> Any:
    """A value as records have it: what JSON calls a list does not change."""
    return tuple(map(unchanging, value)) if isinstance(value, list) else value
