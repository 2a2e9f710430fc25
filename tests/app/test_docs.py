"""What the manuals say about settings, commands and files is what the program does."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.config import NO_FILE, describe, load
from bumper_tw.dialect.translation import BUNDLE, COMMANDS
from tests.dialect.translated import ASKED

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

#: The setting and the default in a row of a table of limits.
LIMIT = re.compile(r"^   \* - ``([\w.]+)``\n     - (\d+|true|false)$", re.MULTILINE)

#: A block of literal text: what is indented behind a double colon.
LITERAL = re.compile(r"::\n\n((?:(?: {4}.*)?\n)+)")

#: A word of the program.
WORD = re.compile(r"``(\w+)``")


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
    return str(default).lower() if isinstance(default, bool) else str(default)


def files(text: str) -> Iterator[str]:
    """Every settings file among the literal blocks of a manual."""
    for found in LITERAL.finditer(text):
        block = re.sub("^    ", "", found[1], flags=re.MULTILINE)
        if block.startswith("["):
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


class FileTests(SynchronousTestCase):
    """Settings files in the manuals."""

    def test_load(self) -> None:
        """Each one is accepted."""
        path, count = Path(self.mktemp()), 0
        for name in ("xmpp-robots.rst", "household-broker.rst"):
            for block in files(manual(name)):
                path.write_text(block, encoding="utf-8")
                load(path, {}, {})
                count += 1
        self.assertGreater(count, 5)


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
