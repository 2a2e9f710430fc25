"""
What an older version of the program has written is there after an upgrade, and the way back.

The first database is SQL text that nobody generates, so that a change to the program cannot
change it along.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.assembly import assemble
from bumper_tw.app.config import load
from bumper_tw.app.root import Root, Start
from bumper_tw.errors import StartError
from bumper_tw.readings import Activity, Battery, Clean, Errors, LifeSpan, Part, Point, Position
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.cleaning import CleaningLogStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import (
    COPIES,
    DATABASE,
    RESTORING,
    Migration,
    known,
    migrate,
    version,
)
from bumper_tw.storage.mqtt import SqlMqttStore
from bumper_tw.storage.records import RecordStore
from bumper_tw.storage.robot_secrets import RobotSecretStore
from bumper_tw.storage.telemetry import TelemetryStore
from bumper_tw.values import (
    CleaningLog,
    Company,
    Device,
    DeviceId,
    Home,
    PayloadKind,
    Token,
    User,
)
from tests.pki.samples import put_keys

T = TypeVar("T")

#: The texts.
OLD = Path(__file__).parent.parent / "data"

HASHED = "scrypt$4096$8$1$00$00"

ROBOTS = [
    Device(
        DeviceId("dusty", "yna5xi", "x"),
        "E000123",
        Company.MQTT,
        PayloadKind.JSON,
        "D\u00e4umling",
        "1.8.2",
        1_700_000_000.5,
    ),
    Device(
        DeviceId("sandy", "ls1ok3", "y"),
        "E000456",
        Company.MQTT,
        PayloadKind.XML,
        bound_at=1_700_000_100.0,
        home="h2",
    ),
    Device(
        DeviceId("rusty", "126", "atom"),
        "E000789",
        Company.XMPP,
        PayloadKind.XML,
        "Old one",
        bound_at=1_700_000_200.0,
    ),
]

LATEST = {
    ("dusty", 1_700_000_300.5, 7): Battery(80),
    ("dusty", 1_700_000_301.0, 8): Clean(Activity.RETURNING, "goCharging", "auto", "j1", "app"),
    ("sandy", 1_700_000_302.0, 9): Position(Point(-120, 44, -90), (Point(1, 2),)),
    ("rusty", 1_700_000_303.0, 10): LifeSpan((Part("brush", 120, 300), Part("filter", 5))),
}

LOGS = [
    CleaningLog(
        ROBOTS[0].id,
        "j1",
        1_700_000_000,
        "auto",
        1800,
        25,
        1,
        "https://portal.ecouser.net/api/pim/pic",
        {"aiavoid": 0, "content": ["a", "b"]},
    ),
    CleaningLog(ROBOTS[2].id, "", 1_699_999_000),
]


def old_database(path: Path, schema: int) -> None:
    """A database as that version of the program left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((OLD / "schema1.sql").read_text("utf-8"))
        for step in known()[1:schema]:
            connection.executescript(step.script())
            connection.executescript((OLD / f"schema{step.version}.sql").read_text("utf-8"))


def shape(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """All tables and indexes, without blanks and comments."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(name, "".join(sql.split())) for name, sql in rows}


class UpgradeCase(SynchronousTestCase):
    """A data folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.path = self.folder / "data" / DATABASE

    def read(self, ask: Callable[[InlineDatabase], Deferred[T]]) -> T:
        """What a store of today says."""
        with closing(InlineDatabase(self.path)) as database:
            return self.successResultOf(ask(database))

    def copy(self, schema: int) -> Path:
        """What was set aside."""
        return self.path.with_name(f"{DATABASE}.v{schema}.bak")


class UpgradeTests(UpgradeCase):
    """From every version to the present one."""

    def test_texts(self) -> None:
        """Every version has its text, and the first is what its program made."""
        self.assertTrue(all((OLD / f"schema{step.version}.sql").exists() for step in known()))
        old_database(self.path, 1)
        with closing(sqlite3.connect(self.path)) as old, closing(sqlite3.connect("")) as new:
            new.executescript(known()[0].script())
            self.assertEqual(shape(old), shape(new))
            for fact in ("application_id", "user_version"):
                facts = [each.execute(f"PRAGMA {fact}").fetchone() for each in (old, new)]
                self.assertEqual(*facts)

    def test_all(self) -> None:
        """Everything is there, from whichever version, and is there once."""
        for schema in range(1, len(known()) + 1):
            self.path = self.folder / str(schema) / DATABASE
            old_database(self.path, schema)
            migrate(self.path)
            self.check(schema)
            migrate(self.path)
            self.check(schema)

    def check(self, schema: int) -> None:
        """All that this version knew."""
        self.check_robots()
        self.check_people()
        self.check_reports()
        if schema >= 2:
            self.check_broker()
        secrets = self.read(lambda database: RobotSecretStore(database).load())
        self.assertEqual(secrets, {"dusty": HASHED, "rusty": "none"} if schema >= 3 else {})
        shelf = self.read(lambda database: RecordStore(database).load("odd shelf"))
        self.assertEqual(shelf, {"u-anna": {"nick": "\u00c4nn", "n": 1}} if schema >= 4 else {})

    def check_robots(self) -> None:
        """Robots, in the order in which they became known."""
        self.assertEqual(self.read(lambda database: DeviceStore(database).load()), ROBOTS)

    def check_people(self) -> None:
        """Users, tokens, homes, passwords."""
        users, tokens, homes = self.read(lambda database: AccountStore(database).load())
        anna = User("u-anna", "anna@example.org", 1_690_000_000.25)
        self.assertEqual(users, [anna, User("u-ben", "ben", 1_690_000_001.0)])
        self.assertEqual(
            tokens,
            [
                Token("aa11", "u-anna", "access", 4_000_000_000.0, "phone"),
                Token("bb22", "u-anna", "user", 4_000_000_000.5, "phone"),
                Token("cc33", "u-ben", "user", 1.0),
            ],
        )
        self.assertEqual(
            homes,
            [
                Home("h1", "u-anna", "Home", 1_690_000_002.0),
                Home("h2", "u-anna", "Grandma's", 1_690_000_003.0),
            ],
        )
        found = self.read(lambda database: AccountStore(database).passwords())
        self.assertEqual(found, {"u-anna": HASHED})

    def check_reports(self) -> None:
        """Reports and cleaning jobs, every field of them."""
        latest = self.read(lambda database: TelemetryStore(database).latest())
        self.assertEqual({(r.did, r.at, r.number): r.reading for r in latest}, LATEST)
        history: list[object] = []
        logs: list[CleaningLog] = []
        with closing(InlineDatabase(self.path)) as database:
            for robot in ROBOTS:
                did = robot.id.did
                reports = TelemetryStore(database).history(did, "", 0, 99)
                history += [report.reading for report in self.successResultOf(reports)]
                found = self.successResultOf(CleaningLogStore(database).logs(did, 99))
                logs.extend(found)
        self.assertCountEqual(history, [Battery(81), Battery(80), Errors((102, 110))])
        self.assertEqual(logs, LOGS)

    def check_broker(self) -> None:
        """Sessions, what they are owed, and last words."""
        kept = self.read(lambda database: SqlMqttStore(database).load())
        (session,), ((word, at),) = kept.sessions, kept.retained
        self.assertEqual((word.topic, word.payload, at), ("house/door", b"open", 1_700_000_401.0))
        self.assertEqual(session.key, "helper key")
        self.assertIn("iot/atr/#", repr(session))
        self.assertIn("onBattery", repr(session))

    def test_server(self) -> None:
        """A server of today starts with it, and knows robots and people."""
        (self.folder / "certs").mkdir(parents=True)
        put_keys(self.folder / "certs")
        for schema in range(1, len(known()) + 1):
            self.path = self.folder / str(schema) / DATABASE
            old_database(self.path, schema)
            self.assertIsInstance(self.assembled(), Root)
            self.check_robots()

    def assembled(self) -> object:
        """A server that has not been started."""
        folders = {
            "storage.directory": str(self.path.parent),
            "tls.directory": str(self.folder / "certs"),
        }
        settings = load(None, {}, {**folders, "tls.leaves": "0"})
        return assemble(MemoryReactorClock(), settings, Start({}, lambda: settings))


class AsideTests(UpgradeCase):
    """The copy from before."""

    def test_opens(self) -> None:
        """It is the old database, whole, in one file, and nobody else reads it."""
        for schema in range(1, len(known())):
            self.path = self.folder / str(schema) / DATABASE
            old_database(self.path, schema)
            migrate(self.path)
            copy = self.copy(schema)
            self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
            with closing(sqlite3.connect(copy)) as connection:
                self.assertEqual(version(connection), schema)
                self.assertEqual(
                    connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)]
                )
                robots = connection.execute("SELECT did FROM devices ORDER BY place").fetchall()
                self.assertEqual(robots, [("dusty",), ("sandy",), ("rusty",)])
                old_database(self.folder / "again" / str(schema) / DATABASE, schema)
                with closing(
                    sqlite3.connect(self.folder / "again" / str(schema) / DATABASE)
                ) as old:
                    self.assertEqual(shape(connection), shape(old))
                    self.assertEqual([*connection.iterdump()], [*old.iterdump()])
            # The program of that version would start with it.
            copy.replace(self.path)
            migrate(self.path, known()[:schema])
            self.assertEqual(list(copy.parent.glob("*.bak*")), [])

    def test_unfinished_log(self) -> None:
        """What was only in the log when the old program was killed is in the copy, too."""
        old_database(self.path, 1)
        with closing(sqlite3.connect(self.path)) as writer:
            writer.execute("INSERT INTO homes VALUES (9, 'h9', 'u-ben', 'Attic', 0.0)")
            writer.commit()
            self.assertGreater(self.path.with_name(f"{DATABASE}-wal").stat().st_size, 0)
            migrate(self.path)
        with closing(sqlite3.connect(self.copy(1))) as connection:
            (count,) = connection.execute("SELECT count(*) FROM homes").fetchone()
        self.assertEqual(count, 3)

    def test_few(self) -> None:
        """The latest few copies are kept, and whatever else the owner has there."""
        steps = [Migration(1, "CREATE TABLE notes (value TEXT) STRICT;")]
        mine = self.path.with_name("bumper.db.mine.bak")
        for number in range(2, 9):
            migrate(self.path, steps)
            mine.write_text("mine")
            steps.append(Migration(number, f"INSERT INTO notes VALUES ('{number}');"))
        migrate(self.path, steps)
        self.assertEqual(
            sorted(path.name for path in self.path.parent.glob("*.bak")),
            ["bumper.db.mine.bak", *(f"bumper.db.v{8 - n}.bak" for n in range(COPIES, 0, -1))],
        )

    def test_no_room(self) -> None:
        """A copy that cannot be made leaves everything as it was, and nothing of itself."""
        old_database(self.path, 1)
        self.copy(1).mkdir()
        before = self.path.read_bytes()
        self.assertRaises(StartError, migrate, self.path)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(
            sorted(path.name for path in self.path.parent.iterdir()),
            [DATABASE, self.copy(1).name],
        )

    def test_way_back(self) -> None:
        """An older program says how to go back to what was set aside."""
        old_database(self.path, 1)
        migrate(self.path)
        steps = known()[:1]
        said = str(self.assertRaises(StartError, migrate, self.path, steps))
        self.assertIn(f"bumper restore --force {self.copy(1)}", said)
        self.copy(1).unlink()
        said = str(self.assertRaises(StartError, migrate, self.path, steps))
        self.assertIn("bumper restore --force FILE", said)

    def test_half_restored(self) -> None:
        """No server starts with half of a backup; it is told what to do."""
        old_database(self.path, 1)
        before: Any = self.path.read_bytes()
        self.path.with_name(RESTORING).write_text("{}")
        said = str(self.assertRaises(StartError, migrate, self.path))
        self.assertIn("bumper restore --put-back", said)
        self.assertEqual(self.path.read_bytes(), before)
