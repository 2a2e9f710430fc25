"""The one thread of the program: in order, many to a transaction, and every waiter answered."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from signal import SIGKILL
from threading import Event, Thread, current_thread
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

import bumper_tw
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IDatabase
from bumper_tw.storage.connection import open_file
from bumper_tw.storage.database import Database, InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import migrate
from bumper_tw.values import Device, DeviceId

#: Seconds after which a thread is held for stuck; never waited for when all is well.
STUCK = 60

#: Commits a robot, says so, and is killed on the spot.
VICTIM = """
import os, signal, sys
from pathlib import Path
from threading import Event

from bumper_tw.storage.database import Database
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.values import Device, DeviceId


class Direct:
    def callFromThread(self, function, *arguments):
        function(*arguments)


done = Event()
database = Database(Direct(), Path(sys.argv[1]))
database.start()
saved = DeviceStore(database).save(Device(DeviceId("dusty", "m", "r")))
saved.addCallback(lambda _: done.set())
done.wait()
print("committed", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@implementer(IReactorFromThreads)
class Turns:
    """A reactor that collects what threads ask for, and does it when it is told."""

    def __init__(self) -> None:
        self._calls: Queue[Callable[[], object]] = Queue()

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kw: object) -> None:  # noqa: A002
        self._calls.put(lambda: callable(*args, **kw))

    def callInThread(self, callable: Callable[..., Any], *args: object, **kw: object) -> None:  # noqa: A002
        raise NotImplementedError

    def getThreadPool(self) -> Any:
        raise NotImplementedError

    def suggestThreadPoolSize(self, size: int) -> None:
        raise NotImplementedError

    def turn(self) -> None:
        """Do the next thing."""
        self._calls.get(timeout=STUCK)()


def add(cursor: sqlite3.Cursor, did: str) -> str:
    """Keep a row; its name."""
    cursor.execute(
        "INSERT INTO latest VALUES (:did, 'battery', 0, 0, '{}')",
        {"did": did},
    )
    return did


def names(cursor: sqlite3.Cursor) -> list[str]:
    """The rows that are there."""
    return [did for (did,) in cursor.execute("SELECT did FROM latest ORDER BY did")]


def fill(cursor: sqlite3.Cursor) -> None:
    """Write more than fits: the file is not allowed to grow."""
    cursor.execute("PRAGMA max_page_count = 1")
    add(cursor, "x" * 100_000)


def block(_: sqlite3.Cursor, begun: Event, go_on: Event) -> None:
    """Keep the thread busy."""
    begun.set()
    go_on.wait(STUCK)


class DatabaseTests(SynchronousTestCase):
    """Work goes to the thread, and answers come back in the reactor."""

    def setUp(self) -> None:
        self.reactor = Turns()
        self.path = Path(self.mktemp())
        migrate(self.path)
        self.database = Database(self.reactor, self.path)
        self.addCleanup(self.finish)

    def finish(self) -> None:
        """Close what a test left open."""
        closed = self.database.close()
        while not closed.called:
            self.reactor.turn()

    def held_back(self) -> Event:
        """Start, and keep the thread busy until the event is set."""
        begun, go_on = Event(), Event()
        self.database.interact(block, begun, go_on)
        self.database.start()
        self.assertTrue(begun.wait(STUCK))
        self.addCleanup(go_on.set)
        return go_on

    def test_provides(self) -> None:
        """It keeps the signatures of the promise, like its stand-in."""
        self.assertTrue(verifyObject(IDatabase, self.database))
        self.assertTrue(verifyObject(IDatabase, InlineDatabase()))

    def test_nothing_before_start(self) -> None:
        """Making it opens nothing, since twistd forks afterwards; work waits."""
        opened: list[Path] = []

        def opener(path: Path) -> sqlite3.Connection:
            opened.append(path)
            return open_file(path)

        self.database = Database(self.reactor, self.path, opener=opener)
        asked = self.database.interact(names)
        self.assertNoResult(asked)
        self.assertEqual(opened, [])
        self.database.start()
        self.reactor.turn()
        self.assertEqual(self.successResultOf(asked), [])
        self.assertEqual(opened, [self.path.absolute()])

    def test_other_thread(self) -> None:
        """Work runs in the thread, the answer arrives in the reactor."""
        where: list[tuple[str, Thread]] = []
        asked = self.database.interact(lambda _: current_thread().name)
        asked.addCallback(lambda name: where.append((name, current_thread())))
        self.database.start()
        self.reactor.turn()
        self.assertEqual(where, [("database", current_thread())])

    def test_group_commit(self) -> None:
        """What waits goes into one transaction, and is answered in order and in one turn."""
        order: list[str] = []
        for did in ("b", "a", "c"):
            self.database.interact(add, did).addCallback(order.append)
        self.database.start()
        self.reactor.turn()
        self.assertEqual(order, ["b", "a", "c"])
        self.assertEqual((self.database.batches, self.database.commits), (1, 1))
        self.assertEqual(self.database.works, 3)

    def test_while_busy(self) -> None:
        """What arrives during a transaction goes into the next one together."""
        go_on = self.held_back()
        asked = [self.database.interact(add, did) for did in ("a", "b")]
        self.assertEqual(self.database.waiting, 2)
        go_on.set()
        self.reactor.turn()
        self.assertNoResult(asked[0])
        self.reactor.turn()
        self.assertEqual([self.successResultOf(each) for each in asked], ["a", "b"])
        self.assertEqual(self.database.commits, 2)

    def test_bounded(self) -> None:
        """A transaction has an end, however much waits."""
        self.database = Database(self.reactor, self.path, limit=2)
        asked = [self.database.interact(add, did) for did in ("a", "b", "c")]
        self.database.start()
        self.reactor.turn()
        self.assertEqual([each.called for each in asked], [True, True, False])
        self.reactor.turn()
        self.assertEqual(self.successResultOf(asked[2]), "c")
        self.assertEqual(self.database.commits, 2)

    def test_one_fails(self) -> None:
        """A failure reaches the one who asked, and nobody else."""
        asked = [self.database.interact(add, did) for did in ("a", "a", "b")]
        self.database.start()
        self.reactor.turn()
        self.failureResultOf(asked[1], sqlite3.IntegrityError)
        self.assertEqual(self.successResultOf(asked[2]), "b")
        self.assertEqual(self.seen(), ["a", "b"])

    def test_disk_refuses(self) -> None:
        """All of a batch fail when the disk does; the next batch works."""
        refused = [self.database.interact(add, "a"), self.database.interact(fill)]
        self.database.start()
        self.reactor.turn()
        for each in refused:
            self.failureResultOf(each, StorageError)
        again = self.database.interact(add, "b")
        self.reactor.turn()
        self.assertEqual(self.successResultOf(again), "b")
        self.assertEqual((self.database.batches, self.database.commits), (2, 1))
        self.assertEqual(self.seen(), ["b"])

    def test_cancelled_before(self) -> None:
        """Work that was cancelled while it waited is not done."""
        asked = self.database.interact(add, "a")
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        other = self.database.interact(add, "b")
        self.database.start()
        self.reactor.turn()
        self.successResultOf(other)
        self.assertEqual(self.seen(), ["b"])

    def test_cancelled_meanwhile(self) -> None:
        """Cancelling what runs already answers once, and breaks nothing."""
        begun, go_on = Event(), Event()
        asked = self.database.interact(block, begun, go_on)
        self.database.start()
        self.assertTrue(begun.wait(STUCK))
        asked.cancel()
        go_on.set()
        self.reactor.turn()
        self.failureResultOf(asked, CancelledError)

    def test_close_finishes(self) -> None:
        """Closing does what waits, leaves one file, and ends the thread."""
        go_on = self.held_back()
        asked = self.database.interact(add, "a")
        closed = [self.database.close(), self.database.close()]
        self.assertNoResult(closed[0])
        go_on.set()
        for _ in range(3):
            self.reactor.turn()
        self.assertEqual(self.successResultOf(asked), "a")
        for each in closed:
            self.successResultOf(each)
        self.assertFalse(self.path.with_name(self.path.name + "-wal").exists())
        self.assertEqual(self.seen(), ["a"])

    def test_after_close(self) -> None:
        """Nothing is taken on afterwards, and closing again is fine."""
        self.database.start()
        self.finish()
        self.failureResultOf(self.database.interact(names), StorageError)
        self.successResultOf(self.database.close())

    def test_never_started(self) -> None:
        """When the start never came, those who wait are told; a later one does nothing."""
        asked = self.database.interact(names)
        self.successResultOf(self.database.close())
        self.failureResultOf(asked, StorageError)
        self.database.start()
        self.successResultOf(self.database.close())

    def test_untidy_close(self) -> None:
        """Trouble at the end is logged, and does not hold up the stop."""

        def opener(path: Path) -> sqlite3.Connection:
            connection = open_file(path)
            connection.set_authorizer(
                lambda _, name, *__: (
                    sqlite3.SQLITE_DENY if name == "wal_checkpoint" else sqlite3.SQLITE_OK
                )
            )
            return connection

        self.database = Database(self.reactor, self.path, opener=opener)
        asked = self.database.interact(names)
        self.database.start()
        with capturedLogs() as logged:
            self.finish()
        self.assertEqual(self.successResultOf(asked), [])
        self.assertEqual([event["log_level"] for event in logged], [LogLevel.warn])

    def test_seconds(self) -> None:
        """The time spent in transactions adds up."""
        ticks = iter([10.0, 10.5, 20.0, 22.0])
        self.database = Database(self.reactor, self.path, limit=1, timer=lambda: next(ticks))
        for did in ("a", "b"):
            self.database.interact(add, did)
        self.database.start()
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(self.database.seconds, 2.5)

    def seen(self) -> list[str]:
        """What another program finds."""
        with sqlite3.connect(self.path) as other:
            return names(other.cursor())


class KillTests(SynchronousTestCase):
    """What was answered is on disk."""

    def test_kill(self) -> None:
        """A robot whose save has fired survives kill -9."""
        path = Path(self.mktemp()).absolute()
        migrate(path)
        root = Path(bumper_tw.__file__).parent.parent
        ended = subprocess.run(
            [sys.executable, "-c", VICTIM, str(path)],
            cwd=root,
            capture_output=True,
            timeout=STUCK,
            check=False,
        )
        self.assertEqual((ended.returncode, ended.stdout), (-SIGKILL, b"committed\n"))
        migrate(path)
        loaded = DeviceStore(InlineDatabase(path)).load()
        self.assertEqual(self.successResultOf(loaded), [Device(DeviceId("dusty", "m", "r"))])


class InlineTests(SynchronousTestCase):
    """The stand-in behaves like the real one."""

    def test_failure(self) -> None:
        """A failure reaches the one who asked, and is rolled back."""
        database = InlineDatabase()
        self.successResultOf(database.interact(add, "a"))
        self.failureResultOf(database.interact(add, "a"), sqlite3.IntegrityError)
        self.assertEqual(self.successResultOf(database.interact(names)), ["a"])

    def test_books(self) -> None:
        """It keeps books as the real one does, and tells whoever watches them."""
        database, took = InlineDatabase(), list[float]()
        unwatch = database.watch(took.append)
        self.successResultOf(database.interact(add, "a"))
        unwatch()
        self.successResultOf(database.interact(names))
        self.assertEqual((database.batches, database.commits, database.works), (2, 2, 2))
        self.assertEqual((len(took), database.waiting), (1, 0))
        self.assertGreaterEqual(database.seconds, took[0])

    def test_file(self) -> None:
        """With a file it keeps what it was told."""
        path = Path(self.mktemp())
        first = InlineDatabase(path)
        self.successResultOf(first.interact(add, "a"))
        self.successResultOf(first.close())
        self.assertEqual(self.successResultOf(InlineDatabase(path).interact(names)), ["a"])

    def test_closed(self) -> None:
        """Once closed it takes nothing on."""
        database = InlineDatabase()
        self.successResultOf(database.close())
        asked: Deferred[list[str]] = database.interact(names)
        self.failureResultOf(asked, StorageError)
