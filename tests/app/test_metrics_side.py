"""Tests for L{bumper_tw.app.metrics_side}: the figures of a whole house, and who is told."""

import os
import subprocess
import sys
from pathlib import Path

from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.metrics_side import LARGEST, TokenFile
from bumper_tw.app.settings import MetricsSettings, Settings
from bumper_tw.errors import StartError
from bumper_tw.integrations.metrics import FRESH
from tests.integrations.measured import Measured

TOKEN = "k7Qp2xZ9k7Qp2xZ9"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

#: What a program of ours imports that has no figures.
UNLOADED = """
import sys
import bumper_tw.app.tap, bumper_tw.app.assembly, bumper_tw.web.metrics
print(any(name.split(".")[0] == "prometheus_client" for name in sys.modules))
"""


class TokenTests(SynchronousTestCase):
    """The file with the token."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.file = TokenFile()

    def load(self, text: bytes) -> bytes:
        """What a file comes to."""
        self.path.write_bytes(text)
        self.path.chmod(0o600)
        self.file.load(self.path)
        return self.file.token

    def wrong(self, text: bytes) -> str:
        """What is said of one that is no good; the token before stays."""
        before = self.file.token
        said = str(self.assertRaises(StartError, self.load, text))
        self.assertEqual(self.file.token, before)
        self.assertIn(str(self.path), said)
        self.assertIn("metrics.token_file", said)
        return said

    def unreadable(self, path: Path) -> str:
        """What is said where there is no file; it names nobody's path, nor what may be a token."""
        before = self.file.token
        said = str(self.assertRaises(StartError, self.file.load, path))
        self.assertEqual(self.file.token, before)
        self.assertIn("metrics.token_file names no file", said)
        self.assertNotIn(path.name, said)
        return said

    def test_good(self) -> None:
        """A line, with or without an end; and another one, later."""
        self.assertEqual(self.load(TOKEN.encode()), TOKEN.encode())
        self.assertEqual(self.load(b"another-token.of_ours~+/==\n"), b"another-token.of_ours~+/==")

    def test_wrong(self) -> None:
        """Too short, several, none, not there."""
        self.load(TOKEN.encode())
        self.assertIn("openssl rand", self.wrong(b"short"))
        self.assertIn("16", self.wrong(b""))
        self.assertIn("one line", self.wrong(f"{TOKEN}\n{TOKEN}".encode()))
        self.assertIn("one line", self.wrong(b"\xff" * 20))
        self.assertIn("one line", self.wrong(b"a b" * (LARGEST * 100)))

    def test_no_file(self) -> None:
        """The token itself in place of a path; a folder, a pipe that would make us wait."""
        self.load(TOKEN.encode())
        self.assertIn("No such file", self.unreadable(self.path.with_name(TOKEN)))
        self.unreadable(self.path.with_name(TOKEN * 20))
        self.unreadable(self.path / TOKEN)
        folder, pipe = self.path.with_name("a folder"), self.path.with_name("a pipe")
        folder.mkdir()
        os.mkfifo(pipe)
        self.assertIn("Is a directory", self.unreadable(folder))
        self.assertIn("something else", self.unreadable(pipe))

    def test_none(self) -> None:
        """Nobody has to choose one."""
        self.load(TOKEN.encode())
        self.file.load(Path())
        self.assertEqual(self.file.token, b"")

    def test_open_to_all(self) -> None:
        """One that everybody reads is told of; the token is not."""
        self.load(TOKEN.encode())
        self.path.chmod(0o644)
        with capturedLogs() as said:
            self.file.load(self.path)
        [line] = [formatEvent(event) for event in said]
        self.assertIn("chmod o-r", line)
        self.assertNotIn(TOKEN, line)


class SideTests(SynchronousTestCase):
    """All of it."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.write_text(TOKEN)
        self.measured = Measured(Settings(metrics=MetricsSettings(token_file=self.path)))

    def test_scraped(self) -> None:
        """Prometheus gets what it understands."""
        page = self.measured.ask(TOKEN)
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertTrue(list(text_string_to_metric_families(page.body.decode())))

    def test_open_metrics(self) -> None:
        """Whoever would rather have OpenMetrics gets that, whatever version he names."""
        offers = f"{OPEN_METRICS};q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
        for accept in (
            offers,
            "Application/OpenMetrics-Text;version=never heard of",
            OPEN_METRICS,
        ):
            page = self.measured.ask(TOKEN, Accept=accept)
            self.assertTrue(
                page.headers["content-type"].startswith("application/openmetrics-text")
            )
            self.assertTrue(page.body.endswith(b"# EOF\n"))
        for accept in ("", "*/*", "text/html,text/plain;version=nothing", ",;,=" * 99):
            page = self.measured.ask(TOKEN, Accept=accept)
            self.assertTrue(page.headers["content-type"].startswith("text/plain"), accept)

    def test_accounts(self) -> None:
        """Whoever is logged in is told, too."""
        told = {"account": "owner@example.org", "password": "hunter2"}
        token = self.measured.house.browser().post("/api/login", told).json["token"]
        self.assertEqual(self.measured.ask(token).status, 200)
        self.assertEqual(self.measured.ask("wrong").status, 401)
        self.assertEqual(self.measured.told().value("bumper_metrics_refused_total"), 1)

    def test_reload(self) -> None:
        """Another token, read again; one that is no good changes nothing."""
        follow, settings = self.measured.side.follow, self.measured.settings
        self.path.write_text(TOKEN[::-1])
        self.assertEqual(self.measured.ask(TOKEN).status, 200)
        follow(settings)
        self.assertEqual(self.measured.ask(TOKEN).status, 401)
        self.assertEqual(self.measured.ask(TOKEN[::-1]).status, 200)
        self.path.write_text("short")
        self.assertRaises(StartError, follow, settings)
        self.assertEqual(self.measured.ask(TOKEN[::-1]).status, 200)

    def test_newly_set(self) -> None:
        """So is a file that the settings name only now, and one that they name no more."""
        measured = Measured()
        named = evolve(measured.settings, metrics=MetricsSettings(token_file=self.path))
        for settings, status in ((named, 200), (measured.settings, 401)):
            self.assertEqual(measured.ask(TOKEN).status, 601 - status)
            measured.side.follow(settings)
            self.assertEqual(measured.ask(TOKEN).status, status)

    def test_kept(self) -> None:
        """However many ask, figures are read once a second, for each format."""
        house = self.measured.house

        def known(**more: str) -> bool:
            return b"\nbumper_robots_known 1.0\n" in self.measured.ask(TOKEN, **more).body

        self.assertFalse(known())
        house.robot()
        self.assertFalse(known())
        self.assertTrue(known(Accept=OPEN_METRICS))
        house.clock.advance(FRESH / 2)
        self.assertFalse(known())
        house.clock.advance(FRESH / 2)
        self.assertTrue(known())
        house.clock.rightNow -= 3600
        house.robot().vanish()
        told = self.measured.ask(TOKEN).body
        self.assertIn(b"\nbumper_robots_missing 1.0\n", told)

    def test_start(self) -> None:
        """A token that is no good ends the start."""
        self.path.write_text("short")
        settings = Settings(metrics=MetricsSettings(token_file=self.path))
        self.assertRaises(StartError, Measured, settings)

    def test_families(self) -> None:
        """Every name is told once, has help, ends as Prometheus wants it, and is ours."""
        families = list(text_string_to_metric_families(self.measured.told().text))
        names = [family.name for family in families]
        self.assertEqual(len(names), len(set(names)))
        for family in families:
            self.assertRegex(family.name, "^bumper_[a-z_]+$")
            self.assertTrue(family.documentation.endswith(".") or "process" in family.name)
            self.assertNotEqual(family.type, "unknown", family.name)
            for sample in family.samples:
                if family.type == "counter":
                    self.assertTrue(sample.name.endswith("_total"), sample.name)

    def test_unloaded(self) -> None:
        """Who wants no figures does not even have the library in memory."""
        # With our own imports, whatever else is installed where it starts.
        path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
        done = subprocess.run(
            [sys.executable, "-S", "-c", UNLOADED],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(done.stdout, "False\n")
