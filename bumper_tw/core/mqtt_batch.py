"""Changes of the broker that go to disk together, and which of them others have overtaken."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred

from bumper_tw.kept import (
    Change,
    Ended,
    Forgotten,
    Left,
    Opened,
    Queued,
    Received,
    Released,
    Retained,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.values import Message

#: About the bytes that a change takes in memory, besides the payload; and who waits for it.
WEIGHT = 200

#: What never gives way: without it a session would be lost with all it has, or hear nothing.
LASTING = (Opened, Left, Ended, Subscribed, Unsubscribed)

#: From the whole to the part.
Subject = tuple[object, ...]

Waiter = Deferred[None]


@define(eq=False)
class Batch:
    """
    Changes that go to disk together, and who waits for them.

    @ivar owners: for each change, who waits for it.
    @ivar waiters: all who do, in the order of calls.
    @ivar bare: those of them who brought no change, and so wait for all before them.
    @ivar flushers: who waits for everything; nobody will try again when it fails.
    @ivar weight: about the bytes that the changes take.
    @ivar enough: the L{total} before which looking for what can give way is not worth it.
    @ivar lost: some had to give way.
    """

    changes: list[Change] = field(factory=list)
    owners: list[Sequence[Waiter]] = field(factory=list)
    waiters: dict[Waiter, None] = field(factory=dict)
    bare: set[Waiter] = field(factory=set)
    flushers: list[Waiter] = field(factory=list)
    weight: int = 0
    enough: int = 0
    lost: bool = False
    _payload: bytes = b""

    @property
    def total(self) -> int:
        """About the bytes of all of it."""
        return self.weight + WEIGHT * len(self.waiters)

    def add(self, changes: Sequence[Change], owners: Sequence[Waiter] = ()) -> None:
        """Take changes, and who waits for them."""
        self.changes += changes
        self.owners += [owners] * len(changes)
        self.weight += sum(map(self._weigh, changes))
        for owner in owners:
            self.waiters[owner] = None
            if not changes:
                self.bare.add(owner)

    def _weigh(self, change: Change) -> int:
        message: Message | None = getattr(change, "message", None)
        if message is None or message.payload is self._payload:
            return WEIGHT
        # One payload goes to many sessions, and is in memory once.
        self._payload = message.payload
        return WEIGHT + len(message.payload)

    def keep(self, places: Sequence[int]) -> None:
        """Leave out all other changes."""
        self.changes = [self.changes[place] for place in places]
        self.owners = [self.owners[place] for place in places]
        self._payload = b""
        self.weight = sum(map(self._weigh, self.changes))

    def condense(self) -> None:
        """
        Leave out what others have overtaken.

        Whoever waits for the last word on a topic from then on waits for what is the last word
        now: that one could still give way, and then the disk has neither.
        """
        words: dict[str, list[Waiter]] = {}
        for change, owners in zip(self.changes, self.owners, strict=True):
            if owners and isinstance(change, Retained):
                words.setdefault(change.message.topic, []).extend(owners)
        self.keep(needed(self.changes))
        for place, change in enumerate(self.changes):
            if isinstance(change, Retained):
                self.owners[place] = words.get(change.message.topic, ())

    def newest(self, room: int) -> list[int]:
        """Where the changes are that may stay, for all to fit into so many bytes."""
        self._payload = b""
        room -= WEIGHT * sum(isinstance(change, LASTING) for change in self.changes)
        stay: list[int] = []
        for place, change in reversed(list(enumerate(self.changes))):
            lasting = isinstance(change, LASTING)
            room -= 0 if lasting else self._weigh(change)
            if lasting or room >= 0:
                stay.append(place)
        return stay[::-1]

    def put_back(self, failed: "Batch") -> None:
        """Take the changes of another, whose waiters have been told, before our own."""
        self.changes[:0] = failed.changes
        self.owners[:0] = [()] * len(failed.changes)
        self.weight += failed.weight
        self.enough = max(self.enough, failed.enough)
        self.lost = self.lost or failed.lost

    def withdraw(self) -> list[Waiter]:
        """Let go of who waits, but not of the changes; who they were."""
        waiters, self.waiters, self.bare = list(self.waiters), {}, set()
        self.owners = [()] * len(self.changes)
        return waiters


def condensed(changes: Sequence[Change]) -> list[Change]:
    """
    The fewest changes, in their order, that come to the same, whatever was there before.

    Only the order in which things became known may differ.
    """
    return [changes[place] for place in needed(changes)]


def needed(changes: Sequence[Change]) -> list[int]:
    """Where those are."""
    begins = firsts(changes)
    overtaken: set[Subject] = set()
    kept = [
        place
        for place, change in reversed(list(enumerate(changes)))
        if still_counts(change, overtaken) or place in begins
    ]
    return kept[::-1]


def firsts(changes: Sequence[Change]) -> set[int]:
    """Where sessions begin: what follows would find none, even if the same is said again."""
    begun: dict[str, int] = {}
    for place, change in enumerate(changes):
        if isinstance(change, Opened):
            begun.setdefault(change.key, place)
        elif isinstance(change, Ended):
            begun.pop(change.key, None)
    return set(begun.values())


def still_counts(change: Change, overtaken: set[Subject]) -> bool:
    """
    Whether nothing later makes up for a change.

    @param overtaken: what later changes are about; this one is added.
    """
    about = subject(change)
    if any(about[:end] in overtaken for end in range(1, len(about) + 1)):
        return False
    overtaken.add(about)
    return True


def subject(change: Change) -> Subject:
    """What a change is about: a later one about the same, or about all of it, overtakes it."""
    match change:
        case Retained(message=message):
            return Retained, message.topic
        case Ended(key=key):
            return (key,)
        case Opened() | Left():
            here = (change.key, "here")
            return here if isinstance(change, Opened) else (*here, "no more")
        case Queued() | Settled() | Released():
            owed = (change.key, "owed", change.packet_id)
            return (*owed, "released") if isinstance(change, Released) else owed
        case Received() | Forgotten():
            return change.key, "received", change.packet_id
        case Subscribed() | Unsubscribed():
            return change.key, "filter", change.topic_filter
