"""Work on the database, off the reactor thread, many pieces to a transaction."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any, TypeVar

from attrs import define, frozen
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IDatabase, Undo
from bumper_tw.storage.connection import MEMORY, Transactions, Work, open_file
from bumper_tw.storage.migrations import known, upgrade

T = TypeVar("T")


@define(eq=False)
class Errand:
    """Work that somebody waits for."""

    work: Work
    waiter: Deferred[Any]

    def settle(self, outcome: Any) -> None:
        """Hand over a result or a L{Failure}; whoever cancelled has had an answer."""
        if not self.work.skipped:
            self.waiter.callback(outcome)


@frozen
class Settled:
    """How one transaction went: an outcome for each errand, and the seconds it took."""

    errands: Sequence[Errand]
    outcomes: Sequence[Any]
    committed: bool
    seconds: float


class Books:
    """
    What was done in all transactions.

    @ivar path: the file; C{:memory:} for none.
    @ivar batches: transactions tried.
    @ivar commits: transactions that are on disk.
    @ivar works: pieces of work done in them.
    @ivar seconds: spent in transactions.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches = self.commits = self.works = 0
        self.seconds = 0.0
        self._watchers: tuple[Callable[[float], object], ...] = ()

    @property
    def waiting(self) -> int:
        """How many pieces of work nobody has begun."""
        return 0

    def watch(self, took: Callable[[float], object]) -> Undo:
        """
        Be told of each transaction how many seconds it took.

        @param took: costs little, and does not fail.
        """
        self._watchers = (*self._watchers, took)

        def unwatch() -> None:
            self._watchers = tuple(each for each in self._watchers if each is not took)

        return unwatch

    def enter(self, settled: Settled) -> None:
        """A transaction is over."""
        self.batches += 1
        self.seconds += settled.seconds
        if settled.committed:
            self.commits += 1
            self.works += len(settled.errands)
        for took in self._watchers:
            took(settled.seconds)


def errand(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Errand:
    """Work and its waiter, who may cancel until it has run."""
    piece = Work(work, arguments)

    def skip(_: Deferred[Any]) -> None:
        piece.skipped = True

    return Errand(piece, Deferred(skip))


def settle(
    transactions: Transactions, errands: Sequence[Errand], timer: Callable[[], float]
) -> Settled:
    """Run errands in one transaction; when the disk refuses, that is the outcome of each."""
    begun = timer()
    committed = True
    try:
        outcomes = transactions.run([each.work for each in errands])
    except StorageError as error:
        outcomes, committed = [Failure(error) for _ in errands], False
    return Settled(errands, outcomes, committed, timer() - begun)


@implementer(IDatabase)
class Database(Books):
    """
    One SQLite file, one connection, one thread.

    Nothing is opened before L{start}, since twistd forks after it has made its services.
    L{migrations.migrate<bumper_tw.storage.migrations.migrate>} must have run before.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorFromThreads,
        path: Path,
        limit: int = 500,
        timer: Callable[[], float] = perf_counter,
        opener: Callable[[Path], sqlite3.Connection] = open_file,
    ) -> None:
        """
        @param path: the file; a relative one is looked up now, for twistd changes directory.
        @param limit: pieces of work in one transaction.
        @param timer: tells seconds; called in the thread.
        """
        super().__init__(path.absolute())
        self._reactor, self._limit, self._timer = reactor, limit, timer
        self._transactions = Transactions(self.path, opener)
        self._queue: SimpleQueue[Errand | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False
        self._leaving: list[Deferred[None]] = []

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def start(self) -> None:
        """Start the thread; what was asked for before runs now."""
        if self._thread is None and not self._closed:
            # A daemon, because a reactor that crashed cannot ask it to end.
            self._thread = Thread(target=self._serve, name="database", daemon=True)
            self._thread.start()

    def interact(self, work: Callable[..., T], *arguments: Any) -> Deferred[T]:
        if self._closed:
            return fail(self._gone())
        asked = errand(work, arguments)
        self._queue.put(asked)
        return asked.waiter

    def close(self) -> Deferred[None]:
        first, self._closed = not self._closed, True
        if self._thread is None:
            self._turn_away()
            return succeed(None)
        if first:
            self._queue.put(None)
        left: Deferred[None] = Deferred()
        self._leaving.append(left)
        return left

    def _gone(self) -> StorageError:
        return StorageError(f"{self._transactions.path} is closed already")

    def _turn_away(self) -> None:
        while self.waiting:
            asked = self._queue.get()
            if asked is not None:
                asked.settle(Failure(self._gone()))

    # From here on in the thread.

    def _serve(self) -> None:
        more = True
        while more:
            errands, more = self._next_batch()
            if errands:
                settled = settle(self._transactions, errands, self._timer)
                self._reactor.callFromThread(self._deliver, settled)
        self._reactor.callFromThread(self._left, self._let_go())

    def _next_batch(self) -> tuple[list[Errand], bool]:
        """What waits, at least one, and whether more may come."""
        errands: list[Errand] = []
        asked = self._queue.get()
        while asked is not None:
            errands.append(asked)
            if len(errands) >= self._limit:
                return errands, True
            try:
                asked = self._queue.get_nowait()
            except Empty:
                return errands, True
        return errands, False

    def _let_go(self) -> StorageError | None:
        try:
            self._transactions.close()
        except StorageError as error:
            return error
        return None

    # Back in the reactor.

    def _deliver(self, settled: Settled) -> None:
        self.enter(settled)
        for asked, outcome in zip(settled.errands, settled.outcomes, strict=True):
            asked.settle(outcome)

    def _left(self, trouble: StorageError | None) -> None:
        if trouble is not None:
            self._log.warn("the database was not closed tidily: {trouble}", trouble=trouble)
        thread, self._thread = self._thread, None
        if thread is not None:
            # It has said its last word, so this does not wait.
            thread.join()
        leaving, self._leaving = self._leaving, []
        for left in leaving:
            left.callback(None)


@implementer(IDatabase)
class InlineDatabase(Books):
    """
    The same SQL, run at once in the calling thread, on a schema of its own.

    For where nobody else waits: at the start, in commands, in tests.
    """

    def __init__(self, path: Path | str = MEMORY) -> None:
        """@param path: a file, made if need be; in memory without one."""
        place = Path(path)
        super().__init__(place)
        if place != MEMORY:
            place.touch()
        self._closed = False
        self._transactions = Transactions(place)
        upgrade(self._transactions.connection(), known())

    def interact(self, work: Callable[..., T], *arguments: Any) -> Deferred[T]:
        if self._closed:
            return fail(StorageError(f"{self._transactions.path} is closed already"))
        asked = errand(work, arguments)
        settled = settle(self._transactions, [asked], perf_counter)
        self.enter(settled)
        asked.settle(settled.outcomes[0])
        return asked.waiter

    def close(self) -> Deferred[None]:
        self._closed = True
        return maybeDeferred(self._transactions.close)
