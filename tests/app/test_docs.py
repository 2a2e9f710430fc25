"""What the manuals say about settings, commands and files is what the program does."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.cli import COMMANDS as TYPED
from bumper_tw.app.config import describe, load
from bumper_tw.app.dns_snippets import SNIPPETS
from bumper_tw.app.doctor.checks import NAMES
from bumper_tw.app.doctor.seen import SIGHTS
from bumper_tw.app.ports import port_of
from bumper_tw.app.reach import cautions
from bumper_tw.app.settings import LISTEN, NO_FILE, SPOKEN, Listen, Settings
from bumper_tw.dialect.translation import BUNDLE, COMMANDS
from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.diagnosis import KINDS
from bumper_tw.front.journal import Journal
from bumper_tw.pki.zones import ZONES
from bumper_tw.web.api import FAILURES, REFUSED
from tests.dialect.translated import ASKED

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

#: The setting and the default in a row of a table of limits.
LIMIT = re.compile(r"^   \* - ``([\w.]+)``\n     - (\d+|true|false)$", re.MULTILINE)

#: The same where a default may be a word.
SETTING = re.compile(r"^   \* - ``([\w.]+)``\n     - (\w+)$", re.MULTILINE)

#: The first column of a table whose rows are about names, with what stands beside it.
NAMED = re.compile(r"^   \* - ``([\w-]+)``\n     - ", re.MULTILINE)

#: A row of the table of ports.
PORT = re.compile(r"^(\d+) {2,}", re.MULTILINE)

#: A word of the command line.
SUBCOMMAND = re.compile(r"\bbumper (?!--)([a-z-]+)\b")

#: A block of literal text: what is indented behind a double colon.
LITERAL = re.compile(r"::\n\n((?:(?: {4}.*)?\n)+)")

#: A word of the program.
WORD = re.compile(r"``(\w+)``")


#: What is between two pairs of backquotes.
QUOTED = re.compile(r"``(.+?)``", re.DOTALL)

#: Where the program says something to the owner of an XMPP robot, or why it does.
SPEAKERS = (
    "xmpp/*.py",
    "core/xmpp*.py",
    "wire/xmpp*.py",
    "dialect/sasl.py",
    "front/crowd.py",
    "front/entrance.py",
)

#: What has settings files in it.
GUIDES = (
    "xmpp-robots.rst",
    "household-broker.rst",
    "app.rst",
    "household.rst",
    "ten-minutes.rst",
    "first-connection.rst",
    "appliance.rst",
    "pages.rst",
)

#: What is called with a line, or with a part of one; lines for developers are not among them.
SAYING = {
    "info", "warn", "error", "critical", "failure",
    "log_end", "close", "fail", "_end_with", "_deny",
    "_violation", "StreamViolation", "Unreadable", "ProtocolViolation",
    "SaslFailure", "LoginRefused",
}  # fmt: skip


def manual(name: str) -> str:
    """One of the manuals, by its file name."""
    return (DOCS / name).read_text(encoding="utf-8")


def settings_of(section: str) -> dict[str, str]:
    """All settings of a section but files, with their defaults as TOML has them."""
    return {
        each.key.removeprefix(f"{section}."): spelled(each.default)
        for each in describe()
        if each.key.startswith(f"{section}.") and each.default != NO_FILE
    }


def spelled(default: object) -> str:
    """A default as a table has it."""
    if default in ("", (), {}, NO_FILE):
        return "empty"
    return str(default).lower() if isinstance(default, bool) else str(default)


def part(text: str, begin: str, end: str) -> str:
    """What stands between two headings."""
    start = text.index(f"\n{begin}\n")
    return text[start : text.index(f"\n{end}\n", start)]


def files(text: str) -> Iterator[str]:
    """Every settings file among the literal blocks of a manual."""
    for found in LITERAL.finditer(text):
        block = re.sub("^    ", "", found[1], flags=re.MULTILINE)
        if re.match(r"\[+\w", block):
            yield block


def commands(text: str) -> Mapping[str, set[str]]:
    """The table of commands: by name in JSON, the words of the right column."""
    return {
        name: set(WORD.findall(right)) for left, right in rows(text) for name in WORD.findall(left)
    }


def rows(text: str) -> Iterator[tuple[str, str]]:
    """The rows of the list-table under "Commands"."""
    section = text[text.index("\nCommands\n") : text.index("What is not in the table")]
    table = section[section.index("   * - Name") :]
    for row in table.split("   * - ")[2:]:
        left, _, right = row.partition("\n     - ")
        yield left, right


class LimitTests(SynchronousTestCase):
    """The tables of limits."""

    def test_xmpp(self) -> None:
        """Every setting of XMPP is in its table with its default, and nothing else is."""
        self.assertEqual(dict(LIMIT.findall(manual("xmpp-robots.rst"))), settings_of("xmpp"))

    def test_mqtt(self) -> None:
        """The same for MQTT; one row belongs to another section."""
        found = dict(LIMIT.findall(manual("household-broker.rst")))
        self.assertEqual(found.pop("identity.takeovers_per_minute"), "10")
        self.assertEqual(found, settings_of("mqtt"))

    def test_web(self) -> None:
        """The same for HTTP, in the guide to the app; what is a word is none of the limits."""
        found = dict(LIMIT.findall(manual("app.rst")))
        limits = settings_of("web")
        self.assertIn(f"     - {limits.pop('unknown')}\n", manual("app.rst"))
        self.assertEqual({name.removeprefix("web."): at for name, at in found.items()}, limits)

    def test_first_connection(self) -> None:
        """The same for everything about the first connection."""
        found = dict(SETTING.findall(manual("first-connection.rst")))
        asked = {
            f"{section}.{name}": default
            for section in ("front", "tls", "dns")
            for name, default in settings_of(section).items()
        }
        self.assertEqual(found, asked)


class FileTests(SynchronousTestCase):
    """Settings files in the manuals."""

    def test_load(self) -> None:
        """Each one is accepted."""
        path, count = Path(self.mktemp()), 0
        for name in GUIDES:
            for block in files(manual(name)):
                path.write_text(block, encoding="utf-8")
                load(path, {}, {})
                count += 1
        self.assertGreater(count, 8)


class FirstConnectionTests(SynchronousTestCase):
    """Names that programs and owners go by, in the guide to the first connection."""

    def setUp(self) -> None:
        self.guide = manual("first-connection.rst")

    def test_checks(self) -> None:
        """Every check of the doctor is in its table, in the order in which they are made."""
        found = NAMED.findall(part(self.guide, "The doctor", "The control socket"))
        self.assertEqual(found, list(NAMES))

    def test_sights(self) -> None:
        """Beside a check that goes by contacts stands what it looks for."""
        table = part(self.guide, "The doctor", "The control socket")
        for name, sight in SIGHTS.items():
            row = table[table.index(f"   * - ``{name}``") :].split("   * - ")[1]
            for diagnosis in sight.diagnoses:
                self.assertIn(f"``{diagnosis}``", row.partition("\n")[2], name)

    def test_diagnoses(self) -> None:
        """Every name that a contact can come to is in the table, and no other is."""
        found = NAMED.findall(part(self.guide, "What a contact comes to", "The doctor"))
        self.assertEqual(sorted(found), sorted({kind.name for kind in KINDS}))

    def test_sound(self) -> None:
        """Those with nothing to do are those that are well."""
        table = part(self.guide, "What a contact comes to", "The doctor")
        idle = re.findall(r"^   \* - ``([\w-]+)``\n     - .*\n     -$", table, re.MULTILINE)
        self.assertEqual(set(idle), {kind.name for kind in KINDS if kind.sound})

    def test_fields(self) -> None:
        """Every field of a contact in C{/api/journal} is explained."""
        clock, table = Clock(), part(self.guide, "The journal", "What a contact comes to")
        journal = Journal(clock, 10)
        contact = journal.begin("192.0.2.1", 1, "192.0.2.2", 443, "all", True)
        entry = Chronicle(clock, journal, Acquaintances(clock, journal)).entry(contact)
        self.assertEqual(set(entry) - set(WORD.findall(table)) - {"kind"}, set())

    def test_spoken(self) -> None:
        """So is what a listener may serve, each zone, and each program that is told of them."""
        for serve in SPOKEN:
            self.assertIn(f'"{serve}"', part(self.guide, "One port", "Certificates"))
        dns = part(self.guide, "DNS", "The journal")
        for name in (*ZONES, *SNIPPETS):
            self.assertRegex(dns, rf"``(?:bumper dns --for )?{re.escape(name)}``")


class FirstStepsTests(SynchronousTestCase):
    """What a new owner reads first."""

    def test_ports(self) -> None:
        """The table of ports is where the server listens."""
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        found = [int(port) for port in PORT.findall(part(text, "Try it", "What is there today"))]
        self.assertEqual(found, [port_of(listen.at) for listen in LISTEN])

    def test_started(self) -> None:
        """So is what the log is said to show at the start."""
        text = manual("ten-minutes.rst")
        for listen in LISTEN:
            self.assertIn(f"... {listen.serve} on {listen.at}: accepting connections at ", text)

    def test_checks(self) -> None:
        """What the doctor is said to print are checks of his."""
        found = re.findall(
            r"^    (?:ok  |FAIL|--  ) (\S+) ", manual("ten-minutes.rst"), re.MULTILINE
        )
        self.assertGreater(len(found), 5)
        self.assertEqual(set(found) - set(NAMES), set())

    def test_commands(self) -> None:
        """Commands that are to be typed are there."""
        typed = {
            word
            for name in ("ten-minutes.rst", "first-connection.rst", "appliance.rst", "pages.rst")
            for line in re.findall(
                r"^    (?:venv/bin/|sudo )?(bumper .*)$", manual(name), re.MULTILINE
            )
            for word in SUBCOMMAND.findall(line)[:1]
        }
        self.assertEqual(typed - set(TYPED), set())
        self.assertEqual({"certs", "dns", "doctor", "journal"} - typed, set())


class CommandTests(SynchronousTestCase):
    """The table of translated commands."""

    def setUp(self) -> None:
        self.table = commands(manual("xmpp-robots.rst"))

    def test_names(self) -> None:
        """All that have an equivalent are in it, and no other."""
        self.assertEqual(set(self.table), {*COMMANDS, BUNDLE})

    def test_asked(self) -> None:
        """What a robot is asked is in the row of the command."""
        for name, _, questions in ASKED:
            if name != BUNDLE:
                asked = {question for question, _ in questions}
                self.assertEqual(asked - self.table[name], set(), name)


def lines(pattern: str) -> Iterator[str]:
    """
    What the program may say in some of its modules, as regular expressions.

    What is filled in later matches anything.
    """
    for path in sorted((ROOT / "bumper_tw").glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in SAYING:
                yield from map(matching, sentences(node))


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def sentences(call: ast.Call) -> Iterator[str]:
    """The arguments of a call that are sentences, with braces where something is filled in."""
    for each in call.args:
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and " " in each.value:
            yield each.value
        elif isinstance(each, ast.JoinedStr):
            parts = (
                part.value if isinstance(part, ast.Constant) else "{}" for part in each.values
            )
            yield "".join(str(part) for part in parts)


def matching(sentence: str) -> str:
    """What finds a sentence, whatever is filled in."""
    fixed = re.split(r"\{[^}]*\}", sentence.removesuffix("{more}"))
    return ".+".join(re.escape(part) for part in fixed)


class LineTests(SynchronousTestCase):
    """Lines of the log."""

    def quoted(self, name: str) -> list[str]:
        """All that is between backquotes in a manual, each in one line."""
        return [" ".join(found.split()) for found in QUOTED.findall(manual(name))]

    def test_xmpp(self) -> None:
        """Each line that XMPP may cause is in its guide."""
        quoted = self.quoted("xmpp-robots.rst")
        asked = {line for pattern in SPEAKERS for line in lines(pattern)}
        self.assertGreater(len(asked), 50)
        missing = {
            line for line in asked if not any(re.search(f"(?:^|[ ']){line}", q) for q in quoted)
        }
        self.assertEqual(missing, set())

    def test_start(self) -> None:
        """So is each warning at the start, up to where the setting is named."""
        settings = evolve(Settings(), listen=(Listen("web", "tcp:80"),))
        inward = (
            Listen("mqtt", "tcp:8883:interface=127.0.0.1", tls=True),
            Listen("xmpp", "tcp:5223:interface=127.0.0.1"),
        )
        both = [*cautions(settings), *cautions(evolve(settings, listen=inward))]
        self.assertEqual(len(both), 4)
        for caution in both:
            name = "xmpp-robots.rst" if "XMPP" in caution else "household-broker.rst"
            begin = re.split(", without| but robots", caution)[0]
            self.assertTrue(any(q.startswith(begin) for q in self.quoted(name)), caution)


class ReasonTests(SynchronousTestCase):
    """Reasons of failures in the API."""

    def test_readme(self) -> None:
        """All of them are named where the API is described."""
        text = (ROOT / "README.rst").read_text(encoding="utf-8")
        section = text[text.index("\nThe API\n") : text.index("\nSettings\n")]
        reasons = {REFUSED, *(reason for _, reason in FAILURES.values())}
        self.assertEqual(reasons - set(WORD.findall(section)), set())
