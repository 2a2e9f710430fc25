"""Tests for L{bumper_tw.app.cli_journal}: the journal as owners read it."""

import json
import sys
import time
from io import StringIO
from typing import Any

from bumper_tw.app import cli_journal
from bumper_tw.app.asking import NotRunning
from bumper_tw.app.settings import Settings
from bumper_tw.front.journal_file import NAME
from tests.app.test_cli import Case

BEGAN = 1_795_000_000.0
PHONE, ROBOT = "192.168.7.33", "192.168.7.40"


def entry(number: int, revision: int, *more: str, **fields: Any) -> dict[str, Any]:
    """A contact, with some lines in its story."""
    host = fields.setdefault("host", PHONE)
    lines = (f"12:00:00 {host} came, number {number}.", *more)
    return {
        "kind": "contact",
        "number": number,
        "revision": revision,
        "began": BEGAN + number,
        "story": "\n".join(lines),
        **fields,
    }


def page(*entries: dict[str, Any], revision: int = 0, started: float = BEGAN) -> dict[str, Any]:
    """An answer of the server."""
    last = max((each["revision"] for each in entries), default=revision)
    return {"started": started, "revision": last, "entries": list(entries)}


class ScriptedServer:
    """Answers one question after the other by script, and then somebody presses Ctrl-C."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def ask(self, settings: Settings, path: str, seconds: float) -> object:
        """See L{bumper_tw.app.asking.ask}."""
        self.asked.append(path.partition("?")[2])
        answer = self._answers.pop(0) if self._answers else KeyboardInterrupt()
        if isinstance(answer, BaseException):
            raise answer
        return answer


class JournalCase(Case):
    """C{bumper journal} with a server that goes by a script."""

    def setUp(self) -> None:
        super().setUp()
        self.slept: list[float] = []
        self.patch(time, "sleep", self.slept.append)

    def script(self, *answers: object) -> ScriptedServer:
        """From now on that is the server."""
        server = ScriptedServer(*answers)
        self.patch(cli_journal, "ask", server.ask)
        return server

    def lines(self, *words: str) -> list[str]:
        """What is printed, without dates."""
        _, out, _ = self.typed("journal", *words, "--data", str(self.folder))
        return [line for line in out.splitlines() if line[4:5] != "-"]


class ShowTests(JournalCase):
    """What there is."""

    def test_shown(self) -> None:
        """The stories, under their date."""
        self.script(page(entry(1, 1, "         It left."), entry(2, 2)))
        out = self.said("journal")
        date, *lines = out.splitlines()
        self.assertRegex(date, r"\A\d{4}-\d\d-\d\d\Z")
        self.assertEqual(len(lines), 3)
        self.assertIn("It left", lines[1])

    def test_json(self) -> None:
        """An entry a line."""
        entries = [entry(1, 1), entry(2, 2)]
        self.script(page(*entries))
        said = self.said("journal", "--json").splitlines()
        self.assertEqual([json.loads(line) for line in said], entries)

    def test_limit(self) -> None:
        """The last ones, of those that are asked for."""
        found = [entry(1, 1, host=ROBOT), *(entry(n, n) for n in range(2, 9))]
        self.script(page(*found))
        [first, second] = self.lines("--limit", "2")
        self.assertIn("number 7", first)
        self.assertIn("number 8", second)
        self.script(page(*found))
        [only] = self.lines(ROBOT, "--limit", "2")
        self.assertIn("number 1", only)
        self.assertEqual(self.typed("journal", "--limit", "x")[0], 2)

    def test_robot(self) -> None:
        """A robot by its id or its name, with what came from its address before it was known."""
        found = [
            entry(1, 1, host=ROBOT),
            entry(2, 2),
            entry(3, 3, host=ROBOT, robot="did-of-dusty", robot_name="Dusty"),
        ]
        for who in ("did-of-dusty", "dusty", ROBOT):
            self.script(page(*found))
            self.assertEqual([line[-2] for line in self.lines(who)], ["1", "3"])

    def test_pages(self) -> None:
        """What is more than the server tells at once is asked for in parts."""
        many = [entry(n, n, host=ROBOT if n == 1 else "192.0.2.9") for n in range(1, 451)]
        server = self.script(page(*many[150:], revision=450), page(*many[:150], revision=450))
        [only] = self.lines(ROBOT)
        self.assertIn("number 1", only)
        self.assertIn("before=151", server.asked[1])

    def test_nobody(self) -> None:
        """Nothing is said, too."""
        self.script(page(entry(1, 1)))
        status, out, err = self.typed("journal", "192.0.2.1")
        self.assertEqual((status, out), (0, ""))
        self.assertIn("nothing is known of 192.0.2.1", err)
        self.script(page())
        self.assertIn("nobody has connected yet", self.typed("journal")[2])

    def test_terminal(self) -> None:
        """Whatever the server says, no terminal is steered."""
        self.script(page(entry(1, 1, "\x1b[2J\x07")))
        self.assertTrue(self.said("journal").replace("\n", "").isprintable())

    def test_reader_leaves(self) -> None:
        """Whoever reads may have seen enough."""

        class Full(StringIO):
            def write(self, text: str) -> int:
                raise BrokenPipeError

        self.script(page(entry(1, 1)))
        self.patch(sys, "stdout", Full())
        self.assertEqual(cli_journal.main(["--data", str(self.folder)]), 0)


class WatchTests(JournalCase):
    """What comes."""

    def test_grows(self) -> None:
        """Of a connection that goes on, what is new is printed; Ctrl-C ends it quietly."""
        server = self.script(
            page(entry(1, 1)),
            page(entry(1, 2, "         It spoke MQTT.")),
            page(entry(2, 3), entry(1, 4, "         It spoke MQTT.", "         It left.")),
        )
        status, out, err = self.typed("journal", "--watch")
        said = [line.strip() for line in out.splitlines()[1:]]
        self.assertEqual((status, err), (130, ""))
        self.assertEqual(
            [line[-10:] for line in said],
            [" number 1.", "poke MQTT.", " number 2.", "It left."],
        )
        self.assertEqual(
            [query.split("&")[0] for query in server.asked],
            ["after=0", "after=1", "after=2", "after=4"],
        )
        self.assertEqual(self.slept, [])

    def test_nothing(self) -> None:
        """A server that does not let anybody wait is not asked all the time."""
        self.script(page(entry(1, 1)), page(revision=1), page(revision=1))
        self.lines("--watch")
        self.assertEqual(self.slept, [cli_journal.AGAIN] * 2)

    def test_restart(self) -> None:
        """A server that goes and comes back is two lines; what the new one knows is told."""
        gone = NotRunning("gone")
        server = self.script(
            page(entry(5, 50, host=ROBOT)),
            *(gone, gone, gone),
            page(entry(3, 60, host=ROBOT), started=BEGAN + 500),
            page(entry(1, 1, host=ROBOT), entry(3, 60, host=ROBOT), started=BEGAN + 500),
        )
        status, out, err = self.typed("journal", ROBOT, "--watch")
        self.assertEqual(status, 130)
        self.assertEqual([line[-2] for line in out.splitlines()[1:]], ["5", "1", "3"])
        self.assertEqual(
            err.splitlines(),
            ["the server is gone; waiting until it is back", "the server is back"],
        )
        self.assertIn("after=0", server.asked[5])

    def test_without(self) -> None:
        """There has to be a server to begin with."""
        self.script(NotRunning("no server is running"))
        self.assertIn("no server is running", self.complaint("journal", "--watch"))


class DiskTests(JournalCase):
    """After the server is gone."""

    def test_file(self) -> None:
        """What it wrote, of the older files, too; twice told is told once."""
        self.folder.mkdir(parents=True)
        old, new = [entry(1, 1), entry(2, 2)], [entry(2, 3, "         It left."), entry(3, 4)]
        texts = ["\n".join(map(json.dumps, each)) for each in (old, new)]
        (self.folder / f"{NAME}.1").write_text(texts[0] + '\n{"kind": "cont\n[]\n\xff')
        (self.folder / NAME).write_text(texts[1])
        status, out, err = self.typed("journal", "--data", str(self.folder))
        self.assertEqual(status, 0)
        self.assertIn("this is what the last one wrote down", err)
        said = [line.strip()[-9:] for line in out.splitlines()[1:]]
        self.assertEqual(said, ["number 1.", "number 2.", "It left.", "number 3."])

    def test_none(self) -> None:
        """There is neither: the way out is told."""
        self.assertIn("front.journal_file = true", self.complaint("journal"))
