"""Tests for L{bumper_tw.app.cli_reports}: what owners type to see what others asked for."""

import json
from contextlib import closing
from typing import Any

from twisted.internet.task import Clock

from bumper_tw.core.unknown import Seen, UnknownPaths
from bumper_tw.core.updates import Updates
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.storage.records import RecordStore
from tests.app.test_cli import DUSTY, NOON, Case


class ReportCase(Case):
    """A database with a robot in it."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.clock.advance(NOON)
        self.folder.mkdir(parents=True)
        migrate(self.folder / DATABASE)
        with self.database() as database:
            self.successResultOf(DeviceStore(database).save(DUSTY))

    def database(self) -> Any:
        """It, until it is closed."""
        return closing(InlineDatabase(self.folder / DATABASE))


class UnknownTests(ReportCase):
    """C{bumper unknown}."""

    def setUp(self) -> None:
        super().setUp()
        with self.database() as database:
            unknown = UnknownPaths(self.clock, RecordStore(database))
            seen = Seen("GET", "/api/neng/new", query=("x",), app="global_e/3.1.0", family="neng")
            unknown.note(seen, lambda _: False)
            unknown.note(Seen("POST", "/other"), lambda _: False)

    def test_shown(self) -> None:
        """One path a line, under the names of the columns."""
        title, first, second = self.said("unknown").splitlines()
        self.assertEqual(title.split()[:4], ["COUNT", "LAST", "METHOD", "PATH"])
        self.assertEqual(first.split()[3:], ["GET", "/api/neng/new", "neng", "global_e/3.1.0"])
        self.assertEqual(second.split()[3:], ["POST", "/other", "none"])

    def test_json(self) -> None:
        """Everything, for programs."""
        first, _ = json.loads(self.said("unknown", "--json"))
        self.assertEqual((first["path"], first["count"]), ("/api/neng/new", 1))
        self.assertEqual(first["shapes"], [{"query": ["x"], "app": "global_e/3.1.0"}])

    def test_forget(self) -> None:
        """It begins anew, and a running server has to be told."""
        self.assertIn("SIGHUP", self.said("unknown", "--forget"))
        self.assertEqual(self.said("unknown"), "nothing yet\n")
        self.assertEqual(self.said("unknown", "--json"), "[]\n")


class FirmwareTests(ReportCase):
    """C{bumper firmware}."""

    def test_shown(self) -> None:
        """One attempt a line; of whoever said no name, the address."""
        self.assertEqual(self.said("firmware"), "nobody has asked\n")
        with self.database() as database:
            updates = Updates(self.clock, RecordStore(database))
            updates.note("firmware", "192.168.7.33", "dusty", "yna5xi", "fw0", "1.2")
            updates.note("address", "192.168.7.34")
        title, first, second = self.said("firmware").splitlines()
        self.assertTrue(title.startswith("WHO"))
        self.assertEqual(first.split()[:6], ["dusty", "yna5xi", "firmware", "fw0", "1.2", "1"])
        self.assertEqual(second.split()[:6], ["192.168.7.34", "-", "address", "-", "-", "1"])

    def test_nothing_there(self) -> None:
        """Without a file there is nothing to allow, and the place where it belongs is named."""
        said = self.complaint("firmware", "allow", "dusty")
        self.assertIn(str(self.folder / "firmware" / "yna5xi" / "latest.json"), said)
        self.assertEqual(
            self.complaint("firmware", "allow", "rusty"), "bumper: there is no robot rusty\n"
        )

    def test_allow(self) -> None:
        """With one it is let through within a day, once."""
        place = self.folder / "firmware" / "yna5xi"
        place.mkdir(parents=True)
        (place / "latest.json").write_text("[]")
        self.complaint("firmware", "allow", "dusty")
        (place / "latest.json").write_text('{"fw0": {}}')
        said = self.said("firmware", "allow", "dusty")
        self.assertIn("once, within a day", said)
        self.assertIn("SIGHUP", said)
        with self.database() as database:
            found = self.successResultOf(RecordStore(database).load("updates allowed"))
        self.assertEqual([each["did"] for each in found.values()], ["dusty"])
