"""Stores for tests of the journal, and changes to bring there."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.errors import StorageError
from bumper_tw.kept import Change, Ended, Kept, Queued
from bumper_tw.values import Message

FULL = StorageError("the disk is full")


@implementer(IMqttStore)
@define
class SlowStore:
    """A store that is done when it is told."""

    applied: list[list[Change]] = field(factory=list)
    under_way: list[Deferred[None]] = field(factory=list)

    def load(self) -> Deferred[Kept]:
        return succeed(Kept())

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        self.applied.append(list(changes))
        self.under_way.append(Deferred())
        return self.under_way[-1]

    def done(self, trouble: Exception | None = None) -> None:
        """The one transaction that is under way ends."""
        (ending,) = self.under_way
        self.under_way.clear()
        ending.callback(None) if trouble is None else ending.errback(trouble)


@implementer(IMqttStore)
@define
class QuickStore:
    """A store that answers at once, but for the first time if it is told so."""

    applied: list[list[Change]] = field(factory=list)
    first: list[Deferred[None]] = field(factory=list)
    trouble: Exception | None = None

    def load(self) -> Deferred[Kept]:
        return succeed(Kept())

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        if self.trouble is not None:
            return fail(self.trouble)
        self.applied.append(list(changes))
        return self.first.pop() if self.first else succeed(None)

    @property
    def all(self) -> list[str]:
        """What was written, in order."""
        return [each.key for batch in self.applied for each in batch if isinstance(each, Ended)]


def ended(*keys: str) -> list[Change]:
    """Changes that are told from one another by a letter."""
    return [Ended(key) for key in keys]


def owed(*keys: str, packet_id: int = 1) -> list[Change]:
    """A message without a body for each session."""
    return [Queued(key, 1, packet_id, Message("news", b"", 1)) for key in keys]
