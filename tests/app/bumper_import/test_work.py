"""Tests for L{bumper_tw.app.bumper_import.work}: whatever comes, comes once."""

import json
from contextlib import closing
from itertools import count
from sqlite3 import IntegrityError
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.bumper_import.plan import Plan, Wishes
from bumper_tw.app.bumper_import.work import Wanted, carry_out, import_all
from bumper_tw.app.settings import Settings, StorageSettings, TlsSettings
from bumper_tw.dialect.bumper_db import read
from bumper_tw.storage.database import InlineDatabase
from tests.app import test_cli_import as commands
from tests.dialect.test_bumper_db import TABLES

NOW = 1_795_000_000.0

NAMES = st.sampled_from(["a", "b", "c", "fuid_a"])
MOMENTS = st.sampled_from(["2999-01-01 12:00:00", "2020-01-01T00:00:00+01:00", "never"])
STARTS = st.sampled_from([1_700_000_000, 1_700_000_001_000, "1700000002", None])

#: Records that nearly always are proper ones, and meet one another.
BOTS = st.fixed_dictionaries(
    {"did": NAMES, "class": st.sampled_from(["yna5xi", "126", "X"]), "resource": NAMES},
    optional={"nick": NAMES, "company": st.sampled_from(["eco-ng", "eco-legacy"])},
)
USERS = st.fixed_dictionaries(
    {"userid": NAMES}, optional={"homeids": st.lists(NAMES), "bots": st.lists(NAMES)}
)
TOKENS = st.fixed_dictionaries(
    {"userid": NAMES, "token": NAMES.map(lambda name: name * 16), "expiration": MOMENTS},
    optional={"it_token": NAMES.map(lambda name: name * 17)},
)
JOBS = st.fixed_dictionaries(
    {"did": NAMES, "clean_log_id": st.sampled_from(["a@17@x", "b@18", ""]), "ts": STARTS},
    optional={"type": NAMES, "last": st.integers(-5, 10**20), "area": NAMES, "avoid_count": NAMES},
)


def table(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records under numbers."""
    return st.lists(rows, max_size=5).map(lambda found: {str(n): r for n, r in enumerate(found)})


LIKELY = st.fixed_dictionaries(
    {
        "bots": table(BOTS),
        "users": table(USERS),
        "tokens": table(TOKENS),
        "clean_logs": table(JOBS),
    }
)


class TwiceTests(SynchronousTestCase):
    """The same import a second time."""

    def run_twice(self, tables: Any, owners: bool) -> tuple[Plan, Plan]:
        """What came first, and then."""
        theirs, made = read(json.dumps(tables).encode()), count()
        wishes = Wishes("", NOW, lambda _: f"r{next(made)}", owners=owners, robots=3, jobs=2)
        database = InlineDatabase()
        self.addCleanup(database.close)
        first, second = (
            self.successResultOf(database.interact(import_all, theirs, wishes)) for _ in range(2)
        )
        return first, second

    @given(LIKELY | TABLES, st.booleans())
    def test_twice(self, tables: Any, owners: bool) -> None:
        """The database takes whatever was read, and the second time there is nothing new."""
        first, second = self.run_twice(tables, owners)
        self.assertEqual(sum(second.counts.values()), 0)
        uids = {user.uid for user in first.users}
        self.assertEqual(uids, {home.uid for home in first.homes})
        self.assertLessEqual({token.uid for token in first.tokens}, uids)
        self.assertLessEqual(len(first.robots), 3)


class OneTransactionTests(commands.ImportCase):
    """All or nothing."""

    def test_refused_half_way(self) -> None:
        """What the database refuses takes everything else with it."""
        with closing(self.database()) as database:
            trigger = (
                "CREATE TRIGGER full BEFORE INSERT ON cleaning_logs "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            self.successResultOf(
                database.interact(lambda cursor: cursor.execute(trigger) and None)
            )
        settings = Settings(
            storage=StorageSettings(directory=self.folder), tls=TlsSettings(directory=self.certs)
        )
        wanted = Wanted(self.theirs, authority=False)
        self.assertRaises(
            IntegrityError, carry_out, settings, wanted, self.now, lambda size: "0" * 2 * size
        )
        self.assertEqual((self.robots(), self.accounts()), ({}, ([], [], [])))
