"""Records on disk."""

import json
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Cursor
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.interfaces import IDatabase, IRecordStore

#: A record that is known keeps its place in the order.
SAVE = """
    INSERT INTO records (shelf, key, value) VALUES (:shelf, :key, :value)
    ON CONFLICT (shelf, key) DO UPDATE SET value = excluded.value
"""

LOAD = "SELECT key, value FROM records WHERE shelf = :shelf ORDER BY place"

REMOVE = "DELETE FROM records WHERE shelf = :shelf AND key = :key"


@implementer(IRecordStore)
@frozen
class RecordStore:
    """Records in a database."""

    database: IDatabase

    def load(self, shelf: str) -> Deferred[dict[str, Any]]:
        return self.database.interact(load, shelf)

    def save(self, shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        written = [
            {"shelf": shelf, "key": key, "value": json.dumps(value)}
            for key, value in records.items()
        ]
        return self.database.interact(save, written)

    def remove(self, shelf: str, keys: Iterable[str]) -> Deferred[None]:
        return self.database.interact(remove, [{"shelf": shelf, "key": key} for key in keys])


def load(cursor: Cursor, shelf: str) -> dict[str, Any]:
    """Everything on a shelf, the first record first."""
    return {key: json.loads(value) for key, value in cursor.execute(LOAD, {"shelf": shelf})}


def save(cursor: Cursor, rows: Sequence[dict[str, str]]) -> None:
    """Add or replace some."""
    cursor.executemany(SAVE, rows)


def remove(cursor: Cursor, rows: Sequence[dict[str, str]]) -> None:
    """Drop some."""
    cursor.executemany(REMOVE, rows)
