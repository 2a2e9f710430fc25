"""Robots and whose they are, in memory."""

from itertools import count

from twisted.internet.task import Clock

from bumper_tw.core.fleet import Fleet
from bumper_tw.core.ownership import Ownership, OwnersOnly
from bumper_tw.core.permits import Everybody
from bumper_tw.interfaces import IDeviceRegistry, IRecordStore
from bumper_tw.storage.memory_records import MemoryRecordStore


def ownership_of(clock: Clock, store: "IRecordStore | None" = None) -> Ownership:
    """Owners and shares; the ids of shares are counted."""
    numbers = count(1)
    records = MemoryRecordStore() if store is None else store
    return Ownership(clock, records, lambda size: f"{next(numbers):0{2 * size}x}")


def fleet_of(registry: IDeviceRegistry, clock: Clock, owners: bool = False) -> Fleet:
    """
    Robots, as users see them.

    @param owners: whether only owners, and whom they let, have to do with them.
    """
    ownership = ownership_of(clock)
    permits = OwnersOnly(ownership) if owners else Everybody()
    return Fleet(registry, permits, ownership, clock)
