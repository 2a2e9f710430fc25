"""Tests for L{bumper_tw.app.cli_metrics}."""

import os
from pathlib import Path
from typing import Any

from bumper_tw.app import cli_metrics
from bumper_tw.app.asking import NotRunning
from bumper_tw.app.settings import Settings
from tests.app.test_cli import Case

TEXT = "# HELP bumper_x X.\n# TYPE bumper_x gauge\nbumper_x 1.0\n"


class MetricsTests(Case):
    """C{bumper metrics}."""

    def setUp(self) -> None:
        super().setUp()
        self.folder.mkdir(parents=True)
        self.answers({"text": TEXT})

    def answers(self, said: Any) -> None:
        """What the server says from now on."""

        def ask(settings: Settings, path: str, seconds: float) -> Any:
            self.assertEqual(settings.storage.directory, self.folder)
            self.assertEqual(path, "/api/metrics")
            if isinstance(said, Exception):
                raise said
            return said

        self.patch(cli_metrics, "ask", ask)

    def test_printed(self) -> None:
        """The text, as it is."""
        self.assertEqual(self.said("metrics"), TEXT)

    def test_hostile_server(self) -> None:
        """What a server that somebody has taken over says does not steer a terminal."""
        self.answers({"text": 'bumper_x{a="\x1b[2J"} 1.0\nbumper_y 2.0\n'})
        self.assertEqual(self.said("metrics"), 'bumper_x{a="?[2J"} 1.0\nbumper_y 2.0\n')

    def test_file(self) -> None:
        """A whole file that others may read, in place of the one before; and nothing else."""
        output = self.folder / "bumper.prom"
        output.write_text("old\n" * 1000)
        self.assertEqual(self.said("metrics", "--output", str(output)), "")
        self.assertEqual(output.read_text(), TEXT)
        self.assertEqual(output.stat().st_mode & 0o777, 0o644)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["bumper.prom"])

    def test_unwritten(self) -> None:
        """A folder that is not there, or a file that is one, is one line."""
        there = self.folder / "none" / "bumper.prom"
        self.assertIn("cannot be written", self.complaint("metrics", "-o", str(there)))
        folder = self.folder / "taken"
        folder.mkdir()
        self.assertIn("cannot be written", self.complaint("metrics", "-o", str(folder)))
        self.assertEqual(os.listdir(self.folder), ["taken"])

    def test_no_server(self) -> None:
        """Nobody answers, or says something odd; a file of before stays as it is."""
        output = Path(self.folder) / "bumper.prom"
        output.write_text("old")
        self.answers(NotRunning("no server is running"))
        said = self.complaint("metrics", "-o", str(output))
        self.assertEqual(said, "bumper: no server is running\n")
        odd_ones: list[Any] = [None, [], {"text": 7}, {}]
        for odd in odd_ones:
            self.answers(odd)
            self.assertIn("nobody understands", self.complaint("metrics"))
        self.assertEqual(output.read_text(), "old")

    def test_off(self) -> None:
        """Where the owner wants no figures."""
        os.environ["BUMPER_METRICS_SERVE"] = "false"
        self.assertIn("metrics.serve is off", self.complaint("metrics"))
