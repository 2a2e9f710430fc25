"""The broker's memory on disk: bodies are there once, and what was answered outlives us."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from attrs import evolve
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.kept import (
    Change,
    Ended,
    Kept,
    Left,
    Opened,
    Queued,
    Received,
    Retained,
    Settled,
    Subscribed,
)
from bumper_tw.storage.connection import Transactions, Work
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore, save, to_row
from bumper_tw.storage.migrations import known, migrate
from bumper_tw.storage.mqtt import SqlMqttStore
from bumper_tw.values import Device, Message
from tests.samples import ALICE, DASHBOARD, DUSTY

NEWS = Message("news", b"x" * 10_000, 1, origin=ALICE)
WORD = Message("word", b"on", 1, retain=True, origin=DASHBOARD)

#: Something of everything.
LIFE: list[Change] = [
    Opened("a", ALICE, "app"),
    Opened("b", DASHBOARD, "board"),
    Subscribed("a", "news", 1),
    Queued("a", 1, 1, NEWS),
    Queued("b", 1, 1, NEWS),
    Queued("b", 2, 2, evolve(NEWS, origin=None)),
    Received("b", 3),
    Left("a", 9.5, 0),
    Retained(WORD, 1.5),
]


class SqlMqttStoreTests(SynchronousTestCase):
    """A store on a file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.database = InlineDatabase(self.path)
        self.store = SqlMqttStore(self.database)

    def apply(self, *changes: Change) -> None:
        """Make changes."""
        self.successResultOf(self.store.apply(changes))

    def load(self) -> Kept:
        """What is in the store."""
        return self.successResultOf(self.store.load())

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the database says."""
        return self.successResultOf(
            self.database.interact(lambda cursor: cursor.execute(query).fetchall())
        )

    def bodies(self) -> list[tuple[object, ...]]:
        """The numbers of the bodies that are there."""
        return self.rows("SELECT number FROM mqtt_messages ORDER BY number")

    def test_one_body(self) -> None:
        """A body is there once for all who are owed it, and goes with the last of them."""
        self.apply(*LIFE)
        self.assertEqual(self.bodies(), [(1,), (2,)])
        self.apply(Settled("a", 1))
        self.assertEqual(self.bodies(), [(1,), (2,)])
        self.apply(Settled("b", 1))
        self.assertEqual(self.bodies(), [(2,)])

    def test_ended(self) -> None:
        """A session that ends leaves no row behind, nor a body that was for it alone."""
        self.apply(*LIFE, Ended("b"))
        self.assertEqual(self.bodies(), [(1,)])
        self.apply(Ended("a"))
        for table in ("messages", "queue", "subscriptions", "received", "sessions"):
            self.assertEqual(self.rows(f"SELECT count(*) FROM mqtt_{table}"), [(0,)])

    def test_replaced(self) -> None:
        """A body whose place another took is gone."""
        self.apply(*LIFE, Queued("b", 5, 2, NEWS))
        self.assertEqual(self.bodies(), [(1,), (5,)])

    def test_nothing_for_strangers(self) -> None:
        """No body is kept for a session that is not there."""
        self.apply(Queued("a", 1, 1, NEWS))
        self.assertEqual(self.bodies(), [])

    def test_cheap(self) -> None:
        """Settling looks at the rows it is about, however many there are."""
        plan = self.rows(
            "EXPLAIN QUERY PLAN SELECT 1 FROM mqtt_queue WHERE number = 5 "
            "UNION ALL SELECT 1 FROM mqtt_queue WHERE session = 1 AND packet_id = 2 "
            "UNION ALL SELECT 1 FROM mqtt_subscriptions WHERE session = 1 "
            "UNION ALL SELECT 1 FROM mqtt_sessions WHERE key = 'a'"
        )
        self.assertEqual([step for *_, step in plan if "SCAN" in str(step)], [])

    def test_killed(self) -> None:
        """What the file and its log hold when a call has fired is all that a successor needs."""
        self.apply(*LIFE)
        copy = self.path.with_name(f"{self.path.name}-copy")
        for end in ("", "-wal"):
            shutil.copy(f"{self.path}{end}", f"{copy}{end}")
        successor = SqlMqttStore(InlineDatabase(copy))
        kept = self.successResultOf(successor.load())
        self.assertEqual(kept, self.load())
        self.assertEqual([len(session.queue) for session in kept.sessions], [1, 2])

    def test_older_file(self) -> None:
        """A file from before there was a broker gets what is missing, and keeps the rest."""
        path = self.path.with_name(f"{self.path.name}-old")
        dusty = Device(DUSTY)
        migrate(path, known()[:1])
        with closing(Transactions(path)) as old:
            old.run([Work(save, (to_row(dusty),))])
        migrate(path)
        database = InlineDatabase(path)
        self.assertEqual(self.successResultOf(DeviceStore(database).load()), [dusty])
        self.successResultOf(SqlMqttStore(database).apply(LIFE))
        self.assertEqual(len(self.successResultOf(SqlMqttStore(database).load()).sessions), 2)

    def test_durable(self) -> None:
        """Changes wait for the disk, reading them does not."""
        statements: list[str] = []
        connection = self.database._transactions.connection()
        connection.set_trace_callback(statements.append)
        self.apply(LIFE[0])
        self.load()
        pragmas = [each for each in statements if each.startswith("PRAGMA")]
        self.assertEqual(pragmas, ["PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"])

    def test_one_transaction(self) -> None:
        """When one change cannot be made, none of its call are; others stay."""
        self.apply(LIFE[0])
        before = self.load()
        broken = Left("a", 1.0, 2**70)
        failed = self.store.apply([Subscribed("a", "b", 1), broken])
        self.failureResultOf(failed, OverflowError)
        self.assertEqual(self.load(), before)

    def test_many(self) -> None:
        """Many messages for many come back, with one payload in memory for all of them."""
        keys = [f"k{number}" for number in range(20)]
        self.apply(*(Opened(key, ALICE, key) for key in keys))
        for number in range(1, 51):
            news = Message("news", b"%d" % number, 1)
            self.apply(*(Queued(key, number, number, news) for key in keys))
        first, *others = self.load().sessions
        numbers = [owed.number for owed in first.queue]
        self.assertEqual(numbers, list(range(1, 51)))
        for other in others:
            self.assertEqual(other.queue, first.queue)
            self.assertIs(other.queue[7].message.payload, first.queue[7].message.payload)


class UnreadableTests(SynchronousTestCase):
    """What cannot be read is left out with a warning, and does not stop the start."""

    def setUp(self) -> None:
        self.database = InlineDatabase()
        self.store = SqlMqttStore(self.database)
        self.successResultOf(self.store.apply(LIFE))

    def spoil(self, statement: str) -> Kept:
        """What is loaded when something was written by somebody else."""
        self.successResultOf(self.database.interact(sqlite3.Cursor.execute, statement))
        with capturedLogs() as logged:
            kept = self.successResultOf(self.store.load())
        self.assertEqual([event["log_level"] for event in logged], [LogLevel.warn])
        self.assertEqual(logged[0]["count"], 1)
        return kept

    def test_session(self) -> None:
        """A session of somebody whose role nobody knows is not for anybody."""
        kept = self.spoil("UPDATE mqtt_sessions SET role = 'vacuum' WHERE key = 'a'")
        self.assertEqual([session.key for session in kept.sessions], ["b"])

    def test_message(self) -> None:
        """A message by such is owed to nobody; its number is still taken."""
        kept = self.spoil("UPDATE mqtt_messages SET role = 'vacuum', number = 8 WHERE number = 2")
        numbers = [[owed.number for owed in session.queue] for session in kept.sessions]
        self.assertEqual(numbers, [[1], [1]])
        self.assertEqual(kept.number, 8)

    def test_retained(self) -> None:
        """A last word by such is not said; the others are."""
        other = evolve(WORD, topic="other", origin=None)
        self.successResultOf(self.store.apply([Retained(other, 2.5)]))
        kept = self.spoil("UPDATE mqtt_retained SET role = 'vacuum' WHERE topic = 'word'")
        self.assertEqual(kept.retained, ((other, 2.5),))
