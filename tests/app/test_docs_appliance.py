"""What the manual for a box that is left alone says is what the program and its packages do."""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import cli_import, cli_log, cli_metrics, cli_support
from bumper_tw.app.cli_backup import backup_parser, restore_parser
from bumper_tw.app.config import describe
from bumper_tw.app.log_formats import journal_fields
from bumper_tw.app.profiles import SMALL_DEFAULTS
from tests.app.test_docs import ROOT, SETTING, manual, part, spelled
from tests.integrations.measured import Measured

#: A row of the table of defaults that differ in the small profile.
SMALLER = re.compile(r"^   \* - ``([\w.]+)``\n     - (\w+)\n     - (\w+)\n     - ", re.MULTILINE)

#: A command of ours that is typed, also by way of another program, with its words.
ORDER = re.compile(
    r"^ {4,8}(?:\(umask 077; )?(?:ssh box |docker compose .* exec (?:-T )?bumper )?(?:sudo )?"
    r"bumper (.+?)(?: [<>] .*)?$",
    re.MULTILINE,
)

#: A command to systemd or its log about units of ours.
UNIT = re.compile(r"\bbumper-[a-z]+\.socket\b")

#: What reads the words behind a command.
PARSERS: Mapping[str, Callable[[], ArgumentParser]] = {
    "backup": backup_parser,
    "restore": restore_parser,
    "import": cli_import.parser,
    "log": cli_log.parser,
    "metrics": cli_metrics.parser,
    "support-bundle": cli_support.parser,
}


class ApplianceTests(SynchronousTestCase):
    """What the owner of a box is told to type, to set and to look at."""

    def setUp(self) -> None:
        self.guide = manual("appliance.rst")
        self.orders = [shlex.split(words) for words in ORDER.findall(self.guide)]

    def test_words(self) -> None:
        """Each command takes the words that are typed behind it."""
        seen = {words[0] for words in self.orders if words[0] in PARSERS}
        self.assertEqual(seen, set(PARSERS))
        for name, *words in self.orders:
            if name in PARSERS:
                self.assertEqual(self.complaint(name, words), "", (name, words))
        self.assertNotEqual(self.complaint("backup", ["--passphras3", "x"]), "")

    def complaint(self, name: str, words: list[str]) -> str:
        """What a command has to say against words behind it."""
        said = StringIO()
        with redirect_stderr(said):
            try:
                PARSERS[name]().parse_args(words)
            except SystemExit:
                return said.getvalue()
        return ""

    def test_told_first(self) -> None:
        """The list of the README has commands that take these words, too."""
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        orders = re.findall(
            r"^    bumper ([a-z-]+) *(.*?) +#", part(text, "Running it", "How it is built"), re.M
        )
        self.assertEqual({name for name, _ in orders}, set(PARSERS))
        for name, words in orders:
            self.assertEqual(self.complaint(name, shlex.split(words)), "", name)

    def test_options(self) -> None:
        """So does each option that is only named."""
        known = "".join(parser().format_help() for parser in PARSERS.values())
        for option in re.findall(
            r"``(--[a-z-]+)[ `]",
            part(self.guide, "Backup and restore", "When somebody shall help"),
        ):
            self.assertIn(option, known)

    def test_settings(self) -> None:
        """Logs and figures have each of their settings in a table, with its default."""
        found = dict(SETTING.findall(self.guide))
        asked = {
            each.key: spelled(each.default)
            for each in describe()
            if each.key.startswith(("log.", "metrics."))
        }
        tables = {
            key: default for key, default in found.items() if key.startswith(("log.", "metrics."))
        }
        self.assertEqual(tables, asked)

    def test_small(self) -> None:
        """The other profile is told with both defaults."""
        normal = {each.key: spelled(each.default) for each in describe()}
        rows = SMALLER.findall(part(self.guide, "Little memory", "Logs"))
        self.assertGreater(len(rows), 8)
        for key, default, small in rows:
            self.assertEqual((default, small), (normal[key], spelled(SMALL_DEFAULTS[key])), key)

    def test_figures(self) -> None:
        """Figures are called so."""
        names = set(re.findall(r"\bbumper_(?!tw\b)[a-z_]+", self.guide))
        self.assertGreater(len(names), 10)
        text = Measured().told().text
        self.assertEqual({name for name in names if f"# TYPE {name} " not in text}, set())

    def test_units(self) -> None:
        """Units and other files of ours are there."""
        units = set(UNIT.findall(self.guide))
        folder = ROOT / "packaging" / "systemd"
        self.assertEqual(units, {path.name for path in folder.glob("*.socket")})
        for name in re.findall(r"\bpackaging/[\w./-]*\w", self.guide):
            self.assertTrue((ROOT / name).exists() or name.endswith(".env"), name)

    def test_drop_ins(self) -> None:
        """What the service may be given for port 53 is what its unit says."""
        unit = (ROOT / "packaging" / "systemd" / "bumper.service").read_text(encoding="utf-8")
        section = part(self.guide, "This box answers DNS", "A newer version, and back")
        lines = re.findall(r"^    (\w+=\S+)$", section, re.MULTILINE)
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertIn(f"#   {line}\n", unit)

    def test_init_script(self) -> None:
        """What is typed on a router is what its init script knows."""
        script = (ROOT / "packaging/openwrt/bumper/files/bumper.init").read_text(encoding="utf-8")
        for word in re.findall(r"/etc/init\.d/bumper (\w+)", self.guide):
            self.assertRegex(script, rf"(?m)^{word}(_service)?\(\)", word)

    def test_journal_fields(self) -> None:
        """The log has the fields that it is looked through by."""
        event = {
            "log_namespace": "bumper_tw.mqtt.protocol",
            "log_format": "robot {did} connected from {peer}",
            "did": "E1",
            "peer": "192.0.2.1",
        }
        fields = journal_fields(event)
        typed = re.findall(r"journalctl ([A-Z_]+)=", self.guide)
        self.assertEqual(len(typed), 3)
        self.assertEqual(set(typed) - set(fields), set())
