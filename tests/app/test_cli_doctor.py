"""Tests for L{bumper_tw.app.cli_doctor}: what owners type to see what is wrong."""

import json
from argparse import ArgumentTypeError
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.cli_doctor import MOST, lines, parser, running, server, told
from bumper_tw.app.doctor import checks as checks_module
from bumper_tw.app.doctor.checks import NAMES, Check
from bumper_tw.app.doctor.evidence import Evidence
from bumper_tw.app.doctor.finding import Finding, wrong
from bumper_tw.app.settings import Settings, StorageSettings
from tests.app.doctor.cases import at_once, contact, everywhere, lookup, seen, well


class DoctorTests(SynchronousTestCase):
    """C{bumper doctor}."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.house = well(self.folder)

    def told(self, house: Evidence, *, as_json: bool = False) -> tuple[str, int]:
        """What is written, and the exit status."""
        return self.successResultOf(Deferred.fromCoroutine(told(house, at_once, as_json)))

    @staticmethod
    def checks(said: str) -> list[str]:
        """The names of the checks, one for each line that begins with what came of it."""
        return [line.split()[1] for line in said.splitlines() if line[:2] in {"ok", "FA", "--"}]

    def test_well(self) -> None:
        """One line for each check, and nothing to do."""
        said, status = self.told(self.house)
        self.assertEqual(status, 0)
        self.assertEqual(tuple(self.checks(said)), NAMES)
        self.assertNotIn("FAIL", said)

    def test_wrong(self) -> None:
        """Each failure counts, and has its remedy on a line of its own."""
        house = evolve(self.house, lookup=lookup({None: everywhere("203.0.113.9")}))
        said, status = self.told(seen(house, contacts=(contact(1, "old-tls"),)))
        self.assertEqual(status, 2)
        lines = said.splitlines()
        [place] = [n for n, line in enumerate(lines) if line.startswith("FAIL tls-versions")]
        self.assertEqual(lines[place + 1], "       -> mend old-tls")

    def test_lines(self) -> None:
        """What belongs to a finding stands below it, and nothing steers the terminal."""
        finding = Finding("x", False, "a\x1b[2J\nb", "c\x9bd", lines=("REST  e\x07", "MQTT  f"))
        self.assertEqual(
            lines(finding, 3).splitlines(),
            ["FAIL x    a?[2J?b", "          REST  e?", "          MQTT  f", "       -> c?d"],
        )

    def test_json(self) -> None:
        """The same for programs."""
        house = seen(self.house, contacts=(contact(1, "old-tls"),))
        said, status = self.told(house, as_json=True)
        found = json.loads(said)
        self.assertEqual((found["failures"], found["running"], status), (1, True, 1))
        [failed] = [each for each in found["findings"] if each["sound"] is False]
        self.assertEqual((failed["check"], failed["remedy"]), ("tls-versions", "mend old-tls"))
        alone, _ = self.told(evolve(self.house, snapshot=None), as_json=True)
        self.assertIs(json.loads(alone)["running"], False)

    def test_most(self) -> None:
        """Exit statuses end somewhere."""
        checks: dict[str, Check] = {f"c{n}": lambda _: wrong("x", "y") for n in range(200)}
        self.patch(checks_module, "AFTER", checks)
        said, status = self.told(self.house)
        self.assertEqual((said.count("FAIL"), status), (200, MOST))

    def test_nobody_runs(self) -> None:
        """Without a server the checks are made all the same, and that is said."""
        settings = evolve(Settings(), storage=StorageSettings(directory=self.folder))
        snapshot, trouble = running(settings)
        self.assertIsNone(snapshot)
        self.assertIn("no server runs", trouble)

    def test_servers(self) -> None:
        """Addresses of DNS servers, with a port or without."""
        for text, expected in (
            ("192.168.1.1", ("192.168.1.1", 53)),
            ("192.168.1.1:5353", ("192.168.1.1", 5353)),
            ("fd00::1", ("fd00::1", 53)),
            ("[fd00::1]:5353", ("fd00::1", 5353)),
        ):
            self.assertEqual(server(text), expected)
        for text in ("", "pihole", "192.168.1.1:x", "192.168.1.1:70000", "1:2:3", "pihole:53"):
            self.assertRaises(ArgumentTypeError, server, text)

    def test_options(self) -> None:
        """Several servers, and the folders that all commands take."""
        options = parser().parse_args(
            ["--server", "10.0.0.1", "--server", "10.0.0.2:54", "-d", "x"]
        )
        self.assertEqual(options.server, [("10.0.0.1", 53), ("10.0.0.2", 54)])
        self.assertEqual(options.data, Path("x"))
