"""What the broker wants on disk, in order, many changes to a transaction."""

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.errors import StorageError
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

#: About the bytes that a change takes in memory, besides the payload.
WEIGHT = 200

#: From the whole to the part.
Subject = tuple[object, ...]


@define(eq=False)
class Batch:
    """
    Changes that go to disk together, and who waits for them.

    @ivar weight: about the bytes they take.
    @ivar lost: some had to give way, so that none of the waiters may be told it went well.
    @ivar flushing: nobody will try again when it fails.
    """

    changes: list[Change] = field(factory=list)
    waiters: list[Deferred[None]] = field(factory=list)
    weight: int = 0
    lost: bool = False
    flushing: bool = False


class Journal:
    """
    Brings changes to disk in the order of calls, one transaction at a time.

    What comes while one is under way goes into the next one together.

    When the disk refuses, the waiters are told, but the changes stay, and are tried again with
    what came since: the broker has acted on them already (a message that was queued is on its
    way, one that was settled is forgotten), and the disk must come to say the same.  Whoever
    takes something back because of the failure writes that down, too.  Changes can be repeated,
    so it does not matter how much of a failed transaction there is after all.

    When too much waits, changes that others have overtaken are left out.  Only when that is not
    enough do the oldest give way, and a restart may find sessions that lack something, or owe
    messages again that were settled.

    @ivar pending: about the bytes of what is not on disk yet.
    @ivar failing: whether the disk refused the last time.
    @ivar dropped: changes that never reached the disk, though nothing had overtaken them.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: IMqttStore,
        linger: float = 0.05,
        retry: float = 1.0,
        most: int = 64 << 20,
    ) -> None:
        """
        @param linger: seconds that changes nobody waits for wait for others.
        @param retry: seconds between two tries while the disk refuses.
        @param most: bytes in C{pending} beyond which the oldest changes give way; whoever can
            turn work away does so much earlier.
        """
        self.pending = self.dropped = 0
        self.failing = False
        self._clock, self._store = clock, store
        self._linger, self._retry, self._most = linger, retry, most
        self._next = Batch()
        self._flying: Batch | None = None
        self._timer: IDelayedCall | None = None
        self._urgent = self._running = self._resting = False
        self._payload = b""

    def write(self, *changes: Change) -> Deferred[None]:
        """
        Bring changes to disk.

        @return: fires when they are there, after those of earlier calls.  Fails with
            L{StorageError}, which means: not yet.
        """
        self._take(changes)
        written: Deferred[None] = Deferred()
        self._next.waiters.append(written)
        # While the disk refuses, trying all that waits for each call would only be a burden.
        self._urgent = self._urgent or not self.failing
        self._go_on()
        return written

    def note(self, *changes: Change) -> None:
        """Bring changes to disk soon; nobody waits for it."""
        self._take(changes)
        if self._timer is None and self._flying is None:
            self._go_on()

    def flush(self) -> Deferred[None]:
        """
        Write what waits, for there may be no other time.

        @return: fires when everything so far is on disk.  Fails with L{StorageError}; then
            nobody tries again before the next call.
        """
        batch = self._next if self._next.changes or self._next.waiters else self._flying
        if batch is None:
            return succeed(None)
        flushed: Deferred[None] = Deferred()
        batch.waiters.append(flushed)
        batch.flushing = True
        self._urgent = self._urgent or batch is self._next
        self._go_on()
        return flushed

    def _take(self, changes: Sequence[Change]) -> None:
        if self.pending > self._most:
            self._give_way()
        batch = self._next
        batch.changes += changes
        weight = sum(map(self._weigh, changes))
        batch.weight += weight
        self.pending += weight
        self._resting = False

    def _weigh(self, change: Change) -> int:
        message: Message | None = getattr(change, "message", None)
        if message is None or message.payload is self._payload:
            return WEIGHT
        # One payload goes to many sessions, and is in memory once.
        self._payload = message.payload
        return WEIGHT + len(message.payload)

    def _give_way(self) -> None:
        self._replace(condensed(self._next.changes))
        # Half of it, for otherwise this would happen with every change.
        while self._next.weight > self._most // 2:
            self._lose((len(self._next.changes) + 1) // 2)

    def _lose(self, count: int) -> None:
        if not self.dropped:
            self._log.error("the disk does not keep up; changes of the MQTT broker are lost")
        self.dropped += count
        self._next.lost = True
        self._replace(self._next.changes[count:])

    def _replace(self, changes: list[Change]) -> None:
        batch = self._next
        self._payload = b""
        weight = sum(map(self._weigh, changes))
        self.pending += weight - batch.weight
        batch.changes, batch.weight = changes, weight

    def _go_on(self) -> None:
        """Apply batch after batch, without recursion, until there is none or one takes time."""
        if self._running:
            return
        self._running = True
        while self._urgent and self._flying is None:
            self._depart()
        self._running = False
        waits = self._next.changes or self._next.waiters
        if waits and self._flying is None and self._timer is None and not self._resting:
            pause = self._retry if self.failing else self._linger
            self._timer = self._clock.callLater(pause, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._urgent = True
        self._go_on()

    def _depart(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._urgent = False
        self._payload = b""
        batch, self._next = self._next, Batch()
        self._flying = batch
        applied = self._store.apply(batch.changes)
        applied.addCallbacks(self._applied, self._refused, (batch,), errbackArgs=(batch,))
        applied.addErrback(lambda failure: self._log.failure("the journal broke", failure))

    def _applied(self, _: None, batch: Batch) -> None:
        self.pending -= batch.weight
        if self.failing:
            self._log.info(
                "the MQTT broker writes again; {count} changes were lost", count=self.dropped
            )
        self.failing = False
        self._landed(batch, StorageError("the disk does not keep up") if batch.lost else None)

    def _refused(self, failure: Failure, batch: Batch) -> None:
        if failure.check(StorageError):
            self._put_back(batch, failure.getErrorMessage())
        else:
            # No disk was at fault, so the same changes would fail for ever.
            self._log.failure("changes of the MQTT broker cannot be written", failure)
            self.pending -= batch.weight
            self.dropped += len(batch.changes)
        self._landed(batch, StorageError(failure.getErrorMessage()))

    def _put_back(self, batch: Batch, why: str) -> None:
        if not self.failing:
            self._log.error("the MQTT broker waits for the disk: {why}", why=why)
        self.failing = True
        self._resting = batch.flushing
        self._next.changes[:0] = batch.changes
        self._next.weight += batch.weight

    def _landed(self, batch: Batch, trouble: StorageError | None) -> None:
        # Until all are told, nothing else departs, or its waiters might be told first.
        for waiter in batch.waiters:
            waiter.callback(None) if trouble is None else waiter.errback(trouble)
        self._flying = None
        if self._next.waiters and not self.failing:
            self._urgent = True
        self._go_on()


def condensed(changes: Sequence[Change]) -> list[Change]:
    """
    The fewest changes, in their order, that come to the same, whatever was there before.

    Only the order in which things became known may differ.
    """
    needed = firsts(changes)
    overtaken: set[Subject] = set()
    kept = [
        change
        for place, change in reversed(list(enumerate(changes)))
        if still_counts(change, overtaken) or place in needed
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
