"""What the broker wants on disk, in order, many changes to a transaction."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.core.mqtt_batch import Batch, Waiter
from bumper_tw.errors import StorageError
from bumper_tw.kept import (
    Change,
    Queued,
)

#: The part of all there is room for from which on it is crowded; the other while the disk
#: refuses, when nobody knows for how long.
CROWDED, CROWDED_FAILING = 4, 16


class Journal:
    """
    Brings changes to disk in the order of calls, one transaction at a time.

    What comes while one is under way goes into the next one together.

    When the disk refuses, the waiters are told, but the changes stay, and are tried again with
    what came since: the broker has acted on them already (a message that was queued is on its
    way, one that was settled is forgotten), and the disk must come to say the same.  Whoever
    takes something back because of the failure writes that down, too.  Changes can be repeated,
    so it does not matter how much of a failed transaction there is after all.

    Whoever called before the failure was told, and waits behind it, is told the same: what was
    refused comes again, and must not come behind what followed it.

    When too much waits, changes that others have overtaken are left out.  Only when that is not
    enough do the oldest that are not under way yet give way, but never what a session consists
    of (L{LASTING}).  A restart may then find sessions that lack messages, owe messages again
    that were settled, or remember identifiers that were released, and older last words.  In the
    next turn of the reactor those are told who waited for something that is lost; who waited
    behind that to owe something to the same session; and who brought nothing and waited for all
    before.  Others have what they wait for.

    Looking for what gives way takes time in proportion to what waits, and happens only when
    that has doubled since the last time: so it costs each change about the same.

    What never gives way has no bound here: whoever makes it has to stop when it is L{crowded}.
    It is lost only together with something that cannot be written though the disk is not to
    blame, which takes its whole transaction with it.

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
        @param most: bytes of changes beyond which the oldest give way; half as much again while
            a large transaction is under way.
        """
        self.dropped = 0
        self.failing = False
        self._clock, self._store = clock, store
        self._linger, self._retry, self._most = linger, retry, most
        self._next = Batch()
        self._flying: Batch | None = None
        self._timer: IDelayedCall | None = None
        self._urgent = self._running = self._resting = False
        # Who lost something and was not told yet, and the sessions that miss it.
        self._losers: set[Waiter] = set()
        self._missing: set[str] = set()
        self._aside: list[Waiter] = []
        self._telling: IDelayedCall | None = None

    @property
    def pending(self) -> int:
        """About the bytes of what is not on disk yet, and of who waits for it."""
        return self._next.total + self._under_way

    @property
    def crowded(self) -> bool:
        """Whether new work should be turned away, long before anything gives way."""
        return self.pending > self._most // (CROWDED_FAILING if self.failing else CROWDED)

    def write(self, *changes: Change) -> Deferred[None]:
        """
        Bring changes to disk.

        @return: fires when they are there, after those of earlier calls; without changes, when
            all before are.  Fails with L{StorageError}, which means: not yet.
        """
        written: Waiter = Deferred()
        self._take(changes, (written,))
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

        @return: fires when everything so far is on disk.  Fails with L{StorageError} when
            some of it had to give way, or when the disk refuses; then nobody tries again
            before the next call.
        """
        batch = self._next if self._next.changes or self._next.waiters else self._flying
        if batch is None:
            return succeed(None)
        flushed: Waiter = Deferred()
        batch.flushers.append(flushed)
        self._urgent = self._urgent or batch is self._next
        self._go_on()
        return flushed

    def _take(self, changes: Sequence[Change], owners: Sequence[Waiter] = ()) -> None:
        if self._next.total > max(self._share, self._next.enough):
            self._give_way(self._next)
        self._next.add(changes, owners)
        self._resting = False

    # When too much waits

    @property
    def _under_way(self) -> int:
        return 0 if self._flying is None else self._flying.total

    @property
    def _share(self) -> int:
        """How much may wait for the next transaction: what is under way cannot give way."""
        return max(self._most - self._under_way, self._most // 2)

    def _give_way(self, batch: Batch) -> None:
        batch.condense()
        # Half of it, for otherwise this would happen with every change.
        if batch.weight > self._share // 2:
            self._lose(batch, batch.newest(self._share // 2))
        batch.enough = 2 * batch.total

    def _lose(self, batch: Batch, stay: Sequence[int]) -> None:
        gone = set(range(len(batch.changes))).difference(stay)
        if gone and not self.dropped:
            self._log.error("the disk does not keep up; changes of the MQTT broker are lost")
        self.dropped += len(gone)
        batch.lost = batch.lost or bool(gone)
        for place in gone:
            self._miss(batch.changes[place], batch.waiters.keys() & batch.owners[place])
        batch.keep(stay)
        self._set_aside(batch)

    def _miss(self, change: Change, losers: set[Waiter]) -> None:
        self._losers |= losers
        if losers and isinstance(change, Queued):
            self._missing.add(change.key)
        if losers and self._telling is None:
            # Whoever calls us is in the middle of something.
            self._telling = self._clock.callLater(0, self._tell_losers)

    def _set_aside(self, batch: Batch) -> None:
        """Part those who lost something, or wait behind that, from the others."""
        if not self._losers:
            return
        self._follow(batch)
        self._losers |= batch.bare
        self._aside += [each for each in batch.waiters if each in self._losers]
        batch.waiters = {each: None for each in batch.waiters if each not in self._losers}

    def _follow(self, batch: Batch) -> None:
        """
        Find who waits to owe something to a session that misses what was before.

        Nobody gets what that call brought, so those behind it in other sessions have to be
        found as well.
        """
        queued = (
            (owners[0], change.key)
            for change, owners in zip(batch.changes, batch.owners, strict=True)
            if owners and isinstance(change, Queued)
        )
        for owner, run in groupby(queued, itemgetter(0)):
            keys = {key for _, key in run}
            behind = owner in batch.waiters and not keys.isdisjoint(self._missing)
            if behind or owner in self._losers:
                self._losers.add(owner)
                self._missing |= keys

    def _tell_losers(self) -> None:
        self._set_aside(self._next)
        # Until all are told, nothing departs, or somebody behind them might be told first.
        self._running = True
        for waiter in self._forget_losers():
            waiter.errback(StorageError("the disk does not keep up"))
        self._running = False
        self._go_on()

    def _forget_losers(self) -> list[Waiter]:
        """Whoever calls from now on is behind nothing; who is still to be told."""
        aside, self._aside = self._aside, []
        self._losers, self._missing = set(), set()
        telling, self._telling = self._telling, None
        if telling is not None and telling.active():
            telling.cancel()
        return aside

    # Batch after batch

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
        self._set_aside(self._next)
        batch, self._next = self._next, Batch()
        self._flying = batch
        applied = self._store.apply(batch.changes)
        applied.addCallbacks(self._applied, self._refused, (batch,), errbackArgs=(batch,))
        applied.addErrback(lambda failure: self._log.failure("the journal broke", failure))

    def _applied(self, _: None, batch: Batch) -> None:
        if self.failing:
            self._log.info(
                "the MQTT broker writes again; {count} changes were lost", count=self.dropped
            )
        self.failing = False
        self._landed(batch, batch.withdraw(), None)

    def _refused(self, failure: Failure, batch: Batch) -> None:
        if failure.check(StorageError):
            self._put_back(batch, failure.getErrorMessage())
        else:
            # No disk was at fault, so the same changes would fail for ever.
            self._log.failure("changes of the MQTT broker cannot be written", failure)
            self.dropped += len(batch.changes)
        waiters = batch.withdraw() + self._forget_losers() + self._next.withdraw()
        # Those who were in a hurry are told now.
        self._urgent = bool(self._next.flushers)
        self._landed(batch, waiters, StorageError(failure.getErrorMessage()))

    def _put_back(self, batch: Batch, why: str) -> None:
        if not self.failing:
            self._log.error("the MQTT broker waits for the disk: {why}", why=why)
        self.failing = True
        self._resting = bool(batch.flushers)
        self._next.put_back(batch)

    def _landed(
        self, batch: Batch, waiters: Sequence[Waiter], trouble: StorageError | None
    ) -> None:
        batch.weight = 0
        # Until all are told, nothing else departs, or its waiters might be told first.
        for waiter in waiters:
            tell(waiter, trouble)
        if batch.lost and trouble is None:
            trouble = StorageError("the disk does not keep up")
        for flusher in batch.flushers:
            tell(flusher, trouble)
        self._flying = None
        if self._next.waiters and not self.failing:
            self._urgent = True
        self._go_on()


def tell(waiter: Waiter, trouble: StorageError | None) -> None:
    """Say that it went well, or what the trouble is."""
    waiter.callback(None) if trouble is None else waiter.errback(trouble)
