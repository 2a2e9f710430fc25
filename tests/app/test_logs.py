"""Tests for L{bumper_tw.app.logs} and L{bumper_tw.app.root}."""

import os
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.application.service import Application
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, Logger, capturedLogs, formatEvent
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.app.logs import Threshold, log_file, observer
from bumper_tw.app.root import Root, Start, hand_over
from bumper_tw.app.settings import LogSettings, Settings
from bumper_tw.errors import StartError


class ThresholdTests(SynchronousTestCase):
    """What is worth writing."""

    def setUp(self) -> None:
        self.out = StringIO()
        self.patch(sys, "stdout", self.out)
        self.threshold = Threshold(
            LogSettings(level="info", levels={"mqtt": "debug", "web": "error"})
        )
        made = observer(self.threshold, {"nodaemon": True})
        assert made is not None
        self.observer = made

    def say(self, part: str, level: str, text: str = "hello {name}", name: str = "you") -> str:
        """What one event of a part of the program leaves in the log."""
        log = Logger(f"bumper_tw.{part}.module.Class", observer=self.observer)
        getattr(log, level)(text, name=name)
        written = self.out.getvalue()
        self.out.truncate(0)
        self.out.seek(0)
        return written

    def test_levels(self) -> None:
        """The general level holds, except for parts with their own."""
        for part, level, written in (
            ("core", "debug", False),
            ("core", "info", True),
            ("mqtt", "debug", True),
            ("web", "warn", False),
            ("web", "error", True),
        ):
            self.assertEqual(bool(self.say(part, level)), written, (part, level))

    def test_change_while_running(self) -> None:
        """New levels hold from the next event on."""
        self.threshold.use(LogSettings(level="error"))
        self.assertEqual(self.say("core", "info"), "")
        self.assertEqual(self.say("mqtt", "debug"), "")

    def test_foreign_events(self) -> None:
        """Twisted's own events follow the general level."""
        Logger("twisted.web", observer=self.observer).debug("noise")
        self.assertEqual(self.out.getvalue(), "")

    def test_injection(self) -> None:
        """What a peer sent can neither begin a line nor speak to a terminal."""
        written = self.say("core", "info", name="x\n2026-01-01 forged\x1b[2J\r\x9b")
        self.assertNotIn("\x1b", written)
        self.assertNotIn("\r", written)
        self.assertNotIn("\x9b", written)
        self.assertNotIn("\n2026", written)

    def test_syslog(self) -> None:
        """twistd makes the observer for syslog itself."""
        self.assertIsNone(observer(self.threshold, {"syslog": True}))

    def test_file(self) -> None:
        """With --logfile the lines go there."""
        name = self.mktemp()
        file = log_file({"nodaemon": True, "logfile": name})
        file.write("hello")
        file.close()
        with open(name, encoding="utf-8") as written:
            self.assertEqual(written.read(), "hello")


class RootTests(SynchronousTestCase):
    """L{Root} is what twistd holds."""

    def root(self, settings: Settings, **options: Any) -> Root:
        """A root that was started with these options of twistd."""
        self.current = settings
        reactor = SimpleNamespace(callLater=Clock().callLater, seconds=lambda: 0.0)
        return Root(reactor, settings, Start(options, lambda: self.current))

    def test_observer(self) -> None:
        """twistd takes our observer from the application."""
        application = Application("bumper")
        self.root(Settings(), nodaemon=True).setServiceParent(application)
        self.assertIsNotNone(application.getComponent(ILogObserver))

    def test_reload(self) -> None:
        """SIGHUP reads the log levels again, and does every other job."""
        root = self.root(Settings(log=LogSettings(level="info")))
        done: list[str] = []
        root.reloads["certificates"] = lambda: done.append("certificates")
        root.follows["owners"] = lambda now: done.append(now.log.level)
        self.current = Settings(log=LogSettings(level="error"))
        with capturedLogs() as said:
            root.reload()
        self.assertEqual(done, ["error", "certificates"])
        self.assertEqual(root.threshold.settings.level, "error")
        lines = [formatEvent(event) for event in said]
        self.assertEqual(lines, ["reloading certificates, log levels, owners"])

    def test_reload_of_nonsense(self) -> None:
        """A file that has become wrong changes nothing, once; and the other jobs are done."""
        root = self.root(Settings())
        done: list[str] = []
        root.reloads["certificates"] = lambda: done.append("certificates")
        root.follows["owners"] = lambda now: done.append("owners")

        def wrong() -> Settings:
            raise StartError("bumper.toml: no such key")

        root._start = Start({}, wrong)
        with capturedLogs() as said:
            root.reload()
        lines = [formatEvent(event) for event in said][1:]
        self.assertEqual(lines, ["kept as it was: bumper.toml: no such key"])
        self.assertEqual(done, ["certificates"])
        self.assertEqual(root.threshold.settings.level, "info")


class HandOverTests(SynchronousTestCase):
    """L{hand_over} gives files away, and nothing else."""

    NOBODY = 65534

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("only root may give files away")
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.own = self.folder / "bumper.db"
        self.own.write_bytes(b"")

    def owner(self, path: Path) -> int:
        """Whose a file is."""
        return path.lstat().st_uid

    def hand_over(self, *paths: Path) -> None:
        """What a start with --uid and --gid does."""
        hand_over(paths, {"uid": self.NOBODY, "gid": self.NOBODY})

    def test_given(self) -> None:
        """Folders and files that were made go to the user of the server."""
        self.hand_over(self.folder, self.own, self.folder / "missing")
        self.assertEqual((self.owner(self.folder), self.owner(self.own)), (self.NOBODY,) * 2)

    def test_links(self) -> None:
        """What somebody has put in a file's place does not give away what it points to."""
        secret = Path(self.mktemp())
        secret.write_bytes(b"secret")
        soft, hard = self.folder / "ca.key", self.folder / "ca.crt"
        soft.symlink_to(secret.absolute())
        hard.hardlink_to(secret)
        self.hand_over(soft, hard)
        self.assertEqual(self.owner(secret), 0)

    def test_without_uid(self) -> None:
        """Without --uid nothing changes hands."""
        hand_over([self.own], {})
        self.assertEqual(self.owner(self.own), 0)
