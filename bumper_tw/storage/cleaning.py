"""Cleaning jobs on disk."""

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Cursor
from typing import Any, TypeVar

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.interfaces import ICleaningLogStore, IDatabase
from bumper_tw.values import CleaningLog, DeviceId

V = TypeVar("V")

COLUMNS = """
    id, did, model, resource, job, started_at,
    type, duration, area, stop_reason, image_url, extras
"""

SAVE = f"""
    INSERT INTO cleaning_logs ({COLUMNS})
    VALUES (:id, :did, :model, :resource, :job, :started_at,
            :type, :duration, :area, :stop_reason, :image_url, :extras)
    ON CONFLICT (id) DO UPDATE SET
        model = excluded.model, job = excluded.job,
        type = excluded.type, duration = excluded.duration, area = excluded.area,
        stop_reason = excluded.stop_reason, image_url = excluded.image_url,
        extras = excluded.extras
"""  # noqa: S608 - the columns are ours

ONE = f"SELECT {COLUMNS} FROM cleaning_logs WHERE id = :id"  # noqa: S608 - as above

NEWEST = f"""
    SELECT {COLUMNS} FROM cleaning_logs WHERE did = :did
    ORDER BY started_at DESC, id DESC LIMIT :limit
"""  # noqa: S608 - as above

PRUNE = """
    DELETE FROM cleaning_logs WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (
                PARTITION BY did ORDER BY started_at DESC, id DESC
            ) AS age FROM cleaning_logs
        ) AS aged WHERE age > :keep
    )
"""


@implementer(ICleaningLogStore)
@frozen
class CleaningLogStore:
    """Cleaning jobs in a database."""

    database: IDatabase

    def record(self, log: CleaningLog) -> Deferred[None]:
        return self.database.interact(record, log)

    def logs(self, did: str, limit: int) -> Deferred[list[CleaningLog]]:
        return self.database.interact(logs, did, limit)

    def remove(self, ids: Sequence[str]) -> Deferred[None]:
        return self.database.interact(remove, tuple(ids)) if ids else succeed(None)

    def forget(self, did: str) -> Deferred[None]:
        return self.database.interact(forget, did)

    def prune(self, keep: int) -> Deferred[int]:
        return self.database.interact(prune, keep)


def merged(older: CleaningLog, newer: CleaningLog) -> CleaningLog:
    """A job after another report about it (mqtt.md 11): nothing known gets lost."""
    said = {name: value for name, value in newer.extras.items() if value is not None}
    return evolve(
        newer,
        type=known(newer.type, older.type),
        duration=longest(newer.duration, older.duration),
        area=known(newer.area, older.area),
        stop_reason=known(newer.stop_reason, older.stop_reason),
        image_url=known(newer.image_url, older.image_url),
        extras={**older.extras, **said},
    )


def known(newer: V | None, older: V | None) -> V | None:
    """The newer one, if it says anything."""
    return older if newer is None else newer


def longest(newer: int | None, older: int | None) -> int | None:
    """The longer of two durations, either of which may be missing."""
    return max((each for each in (newer, older) if each is not None), default=None)


def to_row(log: CleaningLog) -> dict[str, Any]:
    """The columns of a job."""
    return {
        "id": log.id,
        "did": log.device.did,
        "model": log.device.model,
        "resource": log.device.resource,
        "job": log.job,
        "started_at": log.started_at,
        "type": log.type,
        "duration": log.duration,
        "area": log.area,
        "stop_reason": log.stop_reason,
        "image_url": log.image_url,
        "extras": json.dumps(log.extras),
    }


def from_row(row: Sequence[Any]) -> CleaningLog:
    """A job from its columns."""
    _, did, model, resource, *facts = row
    facts[-1] = json.loads(facts[-1])
    return CleaningLog(DeviceId(did, model, resource), *facts)


def record(cursor: Cursor, log: CleaningLog) -> None:
    """Add a job, or what is new about it."""
    row = cursor.execute(ONE, {"id": log.id}).fetchone()
    save(cursor, log if row is None else merged(from_row(row), log))


def save(cursor: Cursor, log: CleaningLog) -> None:
    """Add or replace one."""
    cursor.execute(SAVE, to_row(log))


def some(cursor: Cursor, ids: Iterable[str]) -> dict[str, CleaningLog]:
    """Those that are there, by id."""
    found = ((each, cursor.execute(ONE, {"id": each}).fetchone()) for each in dict.fromkeys(ids))
    return {each: from_row(row) for each, row in found if row is not None}


def logs(cursor: Cursor, did: str, limit: int) -> list[CleaningLog]:
    """The newest first."""
    return [from_row(row) for row in cursor.execute(NEWEST, {"did": did, "limit": limit})]


def remove(cursor: Cursor, ids: Sequence[str]) -> None:
    """Drop jobs."""
    cursor.executemany("DELETE FROM cleaning_logs WHERE id = :id", [{"id": each} for each in ids])


def forget(cursor: Cursor, did: str) -> None:
    """Drop all jobs of one robot."""
    cursor.execute("DELETE FROM cleaning_logs WHERE did = :did", {"did": did})


def prune(cursor: Cursor, keep: int) -> int:
    """Drop all but the newest of each robot."""
    return cursor.execute(PRUNE, {"keep": keep}).rowcount
