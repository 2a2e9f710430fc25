"""Records of one kind: all in memory, and on disk."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from attrs import asdict, fields_dict
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from bumper_tw.interfaces import IRecordStore

#: Stands between the parts of a key; nothing that has a name here contains it.
BETWEEN = "\n"

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

    Memory is what counts: it changes at once, and a change is on its way to the disk then.  There
    are at most C{most} records; what is added beyond drops the oldest.
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

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left; what cannot be read any more is left out."""
        return store.load(self._name).addCallback(self._take_up)

    def _take_up(self, values: Mapping[str, Any]) -> None:
        self._records = {}
        for key, value in values.items():
            try:
                self._records[key] = self._read(value)
            except (TypeError, ValueError, AttributeError) as wrong:
                self._log.warn(
                    "a record of {shelf} cannot be read: {why}", shelf=self._name, why=wrong
                )

    def _read(self, value: Mapping[str, Any]) -> R:
        # Of a field that this version does not have a newer one has written.
        return self._kind(
            **{name: settled(each) for name, each in value.items() if name in self._known}
        )

    def put(self, key: str, record: R) -> Deferred[None]:
        """
        Add or replace one.

        @return: fires when it is on disk.
        """
        if key not in self._records and len(self._records) >= self._most:
            self.drop(next(iter(self._records)))
        self._records[key] = record
        attrs_record: Any = record
        return self._store.save(self._name, {key: asdict(attrs_record)})

    def drop(self, *keys: str) -> Deferred[None]:
        """
        Remove some; unknown ones are fine.

        @return: fires when that is on disk.
        """
        gone = [key for key in keys if self._records.pop(key, None) is not None]
        return self._store.remove(self._name, gone) if gone else succeed(None)

    def drop_where(self, unwanted: Callable[[R], bool]) -> Deferred[None]:
        """Remove all that are not wanted any more."""
        return self.drop(*(key for key, each in self.items() if unwanted(each)))


def settled(value: Any) -> Any:
    """A value as records have it: what JSON calls a list does not change."""
    return tuple(map(settled, value)) if isinstance(value, list) else value
