"""Records in dictionaries: for tests, and to show what the other store must do."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.interfaces import IRecordStore


@implementer(IRecordStore)
@define
class MemoryRecordStore:
    """The text of each record by its key, by shelf."""

    shelves: dict[str, dict[str, str]] = field(factory=dict)

    def load(self, shelf: str) -> Deferred[dict[str, Any]]:
        found = self.shelves.get(shelf, {})
        return succeed({key: json.loads(value) for key, value in found.items()})

    def save(self, shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        written = {key: json.dumps(value) for key, value in records.items()}
        self.shelves.setdefault(shelf, {}).update(written)
        return succeed(None)

    def remove(self, shelf: str, keys: Iterable[str]) -> Deferred[None]:
        for key in keys:
            self.shelves.get(shelf, {}).pop(key, None)
        return succeed(None)
