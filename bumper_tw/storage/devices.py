"""Robots on disk."""

from collections.abc import Sequence
from sqlite3 import Cursor
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.interfaces import IDatabase, IDeviceStore
from bumper_tw.values import Company, Device, DeviceId, PayloadKind

#: A robot that is known keeps its place in the order.
SAVE = """
    INSERT INTO devices
        (did, model, resource, name, company, kind, nick, firmware, bound_at, home)
    VALUES
        (:did, :model, :resource, :name, :company, :kind, :nick, :firmware, :bound_at, :home)
    ON CONFLICT (did) DO UPDATE SET
        model = excluded.model, resource = excluded.resource, name = excluded.name,
        company = excluded.company, kind = excluded.kind, nick = excluded.nick,
        firmware = excluded.firmware, bound_at = excluded.bound_at, home = excluded.home
"""

LOAD = """
    SELECT did, model, resource, name, company, kind, nick, firmware, bound_at, home
    FROM devices ORDER BY place
"""


@implementer(IDeviceStore)
@frozen
class DeviceStore:
    """Robots in a database."""

    database: IDatabase

    def load(self) -> Deferred[list[Device]]:
        return self.database.interact(load)

    def save(self, device: Device) -> Deferred[None]:
        return self.database.interact(save, to_row(device))

    def remove(self, did: str) -> Deferred[None]:
        return self.database.interact(remove, did)


def to_row(device: Device) -> dict[str, Any]:
    """The columns of a robot."""
    return {
        "did": device.id.did,
        "model": device.id.model,
        "resource": device.id.resource,
        "name": device.name,
        "company": device.company.value,
        "kind": device.kind.value,
        "nick": device.nick,
        "firmware": device.firmware,
        "bound_at": device.bound_at,
        "home": device.home,
    }


def from_row(row: Sequence[Any]) -> Device:
    """A robot from its columns."""
    did, model, resource, name, company, kind, *rest = row
    return Device(DeviceId(did, model, resource), name, Company(company), PayloadKind(kind), *rest)


def load(cursor: Cursor) -> list[Device]:
    """Every robot, the first known first."""
    return [from_row(row) for row in cursor.execute(LOAD)]


def save(cursor: Cursor, row: dict[str, Any]) -> None:
    """Add or replace one."""
    cursor.execute(SAVE, row)


def remove(cursor: Cursor, did: str) -> None:
    """Drop one."""
    cursor.execute("DELETE FROM devices WHERE did = :did", {"did": did})
