"""Tests for L{bumper_tw.app.cli}: what owners type."""

import os
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.cli import main
from bumper_tw.readings import Battery, Report
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.migrations import DATABASE, migrate
from bumper_tw.storage.robot_secrets import RobotSecretStore
from bumper_tw.storage.telemetry import TelemetryStore
from bumper_tw.values import Device, DeviceId

HASHED = "scrypt$4096$8$1$00$00"
DUSTY = Device(DeviceId("dusty", "yna5xi", "x"), name="E000123", nick="D\u00e4umling")
SANDY = Device(DeviceId("sandy", "p95mgv", "y"), name="E000456")
NOON = 1_800_000_000.0


class Case(SynchronousTestCase):
    """Types commands."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        # The settings of whoever runs the tests are none of ours.
        own = {name: text for name, text in os.environ.items() if name[:7] != "BUMPER_"}
        self.patch(os, "environ", own)
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)

    def typed(self, *words: str, answer: str = "") -> tuple[object, str, str]:
        """The exit status, and what is written."""
        for written in (self.out, self.err):
            written.truncate(0)
            written.seek(0)
        self.patch(sys, "stdin", StringIO(answer))
        status = self.assertRaises(SystemExit, main, words).code
        return status, self.out.getvalue(), self.err.getvalue()

    def said(self, *words: str, answer: str = "") -> str:
        """What a command of ours says that goes well."""
        where = ("--data", str(self.folder))
        status, out, err = self.typed(*words, *where, answer=answer)
        self.assertEqual((status, err), (0, ""))
        return out

    def complaint(self, *words: str, answer: str = "") -> str:
        """What it says when it does not go well."""
        where = ("--data", str(self.folder))
        status, out, err = self.typed(*words, *where, answer=answer)
        self.assertEqual((status, out), (1, ""))
        return err


class UserTests(Case):
    """C{bumper user}."""

    def test_life(self) -> None:
        """An account is added, listed, changed and removed."""
        self.assertEqual(self.said("user", "list"), "there are no accounts\n")
        for deed in ("add", "password"):
            said = self.said("user", deed, "anna", answer="secret\n")
            self.assertIn("anna can log in", said)
            self.assertIn("SIGHUP", said)
        self.assertEqual(self.said("user", "list"), "anna\n")
        self.assertIn("anna is removed", self.said("user", "remove", "anna"))
        self.assertEqual(self.said("user", "list"), "there are no accounts\n")

    def test_wrong(self) -> None:
        """What cannot be done is one line, and a status."""
        self.assertEqual(
            self.complaint("user", "remove", "anna"), "bumper: there is no account anna\n"
        )
        self.assertIn("password is empty", self.complaint("user", "add", "anna", answer="\n"))


class RobotTests(Case):
    """C{bumper robot}."""

    def setUp(self) -> None:
        super().setUp()
        migrate(self.folder / DATABASE)
        with closing(self.database()) as database:
            for device in (DUSTY, SANDY):
                self.successResultOf(DeviceStore(database).save(device))
            for did, secret in (("dusty", HASHED), ("ghost", "token")):
                self.successResultOf(RobotSecretStore(database).save(did, secret))
            reports = [Report("dusty", Battery(80), at) for at in (NOON, NOON - 60)]
            self.successResultOf(TelemetryStore(database).append(reports))

    def database(self) -> InlineDatabase:
        """What the commands work on."""
        return InlineDatabase(self.folder / DATABASE)

    def secrets(self) -> dict[str, str]:
        """What is remembered of robots' secrets."""
        with closing(self.database()) as database:
            return self.successResultOf(RobotSecretStore(database).load())

    def test_list(self) -> None:
        """One robot a line: id, class, name, kind of secret, last report."""
        head, *rows = self.said("robot", "list").splitlines()
        self.assertEqual(head.split(), ["ID", "CLASS", "NAME", "SECRET", "LAST", "REPORT"])
        dusty, sandy, ghost = (row.split() for row in rows)
        self.assertEqual(dusty[:4], ["dusty", "yna5xi", "D\u00e4umling", "secret"])
        self.assertRegex(" ".join(dusty[4:]), r"^2027-01-1\d \d\d:\d\d$")
        self.assertEqual(sandy, ["sandy", "p95mgv", "E000456", "the", "next", "never"])
        self.assertEqual(ghost, ["ghost", "-", "-", "token", "never"])
        self.assertNotIn("scrypt", self.out.getvalue())

    def test_list_aligned(self) -> None:
        """The columns stand below each other."""
        head, *rows = self.said("robot", "list").splitlines()
        for row in rows:
            self.assertEqual(row[head.index("CLASS") - 1], " ")
            self.assertNotEqual(row[head.index("CLASS")], " ")

    def test_list_hostile_name(self) -> None:
        """A name does not steer the terminal."""
        with closing(self.database()) as database:
            odd = Device(DUSTY.id, nick="\x1b[2Jgone\nx")
            self.successResultOf(DeviceStore(database).save(odd))
        said = self.said("robot", "list")
        self.assertIn("?[2Jgone?x", said)
        self.assertNotIn("\x1b", said)

    def test_empty(self) -> None:
        """Before the first robot."""
        self.folder = self.folder / "other"
        self.assertEqual(self.said("robot", "list"), "there are no robots\n")

    def test_trust(self) -> None:
        """Only the secret is forgotten, and the running server has to be told."""
        said = self.said("robot", "trust", "dusty")
        self.assertIn("dusty is trusted when it connects next", said)
        self.assertIn("SIGHUP", said)
        self.assertEqual(self.secrets(), {"ghost": "token"})
        self.assertIn("D\u00e4umling", self.said("robot", "list"))

    def test_trust_again(self) -> None:
        """A robot that is trusted already is fine; so is one that was never kept."""
        self.said("robot", "trust", "sandy")
        self.said("robot", "trust", "ghost")
        self.assertEqual(self.secrets(), {"dusty": HASHED})

    def test_remove(self) -> None:
        """The robot, its secret and its reports are gone; the others stay."""
        self.assertIn("dusty is removed", self.said("robot", "remove", "dusty"))
        with closing(self.database()) as database:
            self.assertEqual(self.successResultOf(DeviceStore(database).load()), [SANDY])
            self.assertEqual(self.successResultOf(TelemetryStore(database).latest()), [])
        self.assertEqual(self.secrets(), {"ghost": "token"})

    def test_unknown(self) -> None:
        """A robot that nobody knows is a slip of the pen."""
        for deed in ("trust", "remove"):
            self.assertEqual(
                self.complaint("robot", deed, "Dusty"), "bumper: there is no robot Dusty\n"
            )

    def test_misused(self) -> None:
        """Without a deed, or without a robot, the usage is shown."""
        for words in (("robot",), ("robot", "trust"), ("robot", "dance", "dusty")):
            status, _, err = self.typed(*words)
            self.assertEqual(status, 2)
            self.assertIn("usage: bumper robot", err)

    def test_help(self) -> None:
        """--help says what each is for."""
        status, out, _ = self.typed("robot", "--help")
        self.assertEqual(status, 0)
        for word in ("list", "trust", "remove", "factory reset"):
            self.assertIn(word, " ".join(out.split()))

    def test_settings(self) -> None:
        """The settings file says where the database is."""
        config = self.folder / "bumper.toml"
        config.write_text(f'[storage]\ndirectory = "{self.folder}"\n')
        status, out, _ = self.typed("robot", "list", "--config", str(config))
        self.assertEqual(status, 0)
        self.assertIn("dusty", out)
