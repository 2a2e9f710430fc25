"""What the guide to the owner's pages says is what they are, and what the program does."""

import json
import re
import shlex
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.cli_owner import DEEDS
from bumper_tw.app.config import describe
from bumper_tw.app.dashboard_settings import CONTROLS
from bumper_tw.app.page_file import ON_PAGE
from bumper_tw.core import api_tokens, command_log, coverage, owner_access, owner_sessions
from bumper_tw.core.api_tokens import Scope
from bumper_tw.core.setup import STEPS
from bumper_tw.dialect.action_arguments import MAX_ROOMS, MAX_ZONES
from bumper_tw.dialect.actions import ACTIONS
from bumper_tw.web.dashboard import events, words
from bumper_tw.web.dashboard.event_flow import OF_ROBOTS
from bumper_tw.web.dashboard.frame import ROOMS
from bumper_tw.web.own_names import HOME
from tests.app.test_docs import DOCS, ROOT, SETTING, manual, part, spelled

#: A row of a table with columns of its own width: the name in front, and the rest.
SIMPLE = re.compile(r"^``([\w.]+)``  +(\S.*)$", re.MULTILINE)

#: A row of a list of three columns.
THREE = re.compile(r"^   \* - ``(\w+)``\n     - (.+)\n     - ", re.MULTILINE)

#: The first column of a list whose rows begin with words.
FIRST = re.compile(r"^   \* - ([A-Z].*)\n     - ", re.MULTILINE)

#: Where something is told to open pages, and of which kind.
TOLD = re.compile(r"""_?feed\.put\([^,]+(?:, )(?:"(\w+)"|NAME)""")

#: A path of the API that is asked for, or named, without what stands behind a question mark.
ASKED = re.compile(r"(?:\$BOX|``(?:GET )?)(/api/[\w./<>$-]*)")

#: Where a picture is.
PICTURE = re.compile(r"^\.\. image:: (\S+)$", re.MULTILINE)

#: As many bytes a picture may have.
LARGEST = 100_000

API = ROOT / "bumper_tw" / "web" / "data" / "own_api"


def heading(step: str) -> str:
    """What a step of the set-up is called on its page."""
    text = (ROOT / "bumper_tw/web/data/dashboard/setup.xml").read_text(encoding="utf-8")
    found = re.search(rf'id="head-{step}">\d\. (.*?)</h2>', text)
    return found[1] if found else ""


def kinds() -> Iterator[str]:
    """Kinds of what the program tells open pages."""
    for path in sorted((ROOT / "bumper_tw").rglob("*.py")):
        for kind in TOLD.findall(path.read_text(encoding="utf-8")):
            yield kind or "setup"


def operations() -> Iterator[re.Pattern[str]]:
    """Every path of our API."""
    for path in sorted(API.glob("*.json")):
        for operation in json.loads(path.read_text(encoding="utf-8"))["operations"]:
            known = re.split(r"\{\w+\}", operation.partition(" ")[2])
            yield re.compile("[^/]+".join(map(re.escape, known)))


class PagesTests(SynchronousTestCase):
    """What an owner reads about his pages."""

    def setUp(self) -> None:
        self.guide = manual("pages.rst")

    def test_settings(self) -> None:
        """Every setting of the pages is in the table, with its default."""
        section = part(self.guide, "The first visit", "Where the pages are, and for whom")
        found = dict(SETTING.findall(section))
        asked = {s.key: spelled(s.default) for s in describe() if s.key.startswith("dashboard.")}
        self.assertEqual(found, asked)

    def test_chosen(self) -> None:
        """So is each that can be chosen on a page, by its title there."""
        found = dict(
            SIMPLE.findall(part(self.guide, "Settings", "When you have forgotten the password"))
        )
        self.assertEqual(found, {key: CONTROLS[key].title for key in ON_PAGE})

    def test_commands(self) -> None:
        """Commands about the owner are there, and all of them are told of."""
        typed = re.findall(r"^    bumper (owner .+)$", self.guide, re.MULTILINE)
        self.assertEqual({shlex.split(words)[1] for words in typed}, set(DEEDS))

    def test_names(self) -> None:
        """The box is called so."""
        section = part(self.guide, "Where the pages are, and for whom", "Set-up")
        for name in HOME:
            self.assertIn(f"``.{name}``", section)

    def test_steps(self) -> None:
        """The steps of the set-up are called as on its page, in their order."""
        found = FIRST.findall(part(self.guide, "Set-up", "Robots"))
        self.assertEqual(found[1:], [heading(step) for step in STEPS])

    def test_states(self) -> None:
        """Every word for what a robot does is explained, and no other."""
        found = FIRST.findall(part(self.guide, "Robots", "A robot's page"))
        self.assertEqual(set(found[1:]), {*words.STATES.values(), words.FULL, words.ASLEEP})

    def test_actions(self) -> None:
        """Every action is there by its name and its button, in their order."""
        found = THREE.findall(part(self.guide, "What to do", "The map"))
        self.assertEqual(found, [(action.name, action.label) for action in ACTIONS])

    def test_scopes(self) -> None:
        """Every scope is told of, and no other."""
        found = SIMPLE.findall(
            part(self.guide, "Tokens for scripts", "What happens, as it happens")
        )
        self.assertEqual([name for name, _ in found], [scope.value for scope in Scope])

    def test_kinds(self) -> None:
        """Every kind of event is there, with the scope that hears it."""
        found = dict(THREE.findall(part(self.guide, "What happens, as it happens", "Limits")))
        asked = {kind: "read" if kind in OF_ROBOTS else "house" for kind in kinds()}
        self.assertEqual(found, asked)

    def test_limits(self) -> None:
        """Limits are these."""
        found = re.findall(
            r"^(\S.+?)  +([\d, ]+)$", part(self.guide, "Limits", "What was not tried"), re.M
        )
        numbers = [
            events.MOST_PER_PEER, events.MOST, owner_sessions.MOST, api_tokens.MOST,
            command_log.MOST, coverage.EACH,
        ]  # fmt: skip
        asked = [*map(str, numbers), f"{MAX_ZONES}, {MAX_ROOMS}"]
        self.assertEqual([number for _, number in found], asked)
        self.assertIn(f"{owner_access.SHORTEST} to {owner_access.LONGEST} characters", self.guide)

    def test_paths(self) -> None:
        """What is asked of the API is in its description; every page of the house is told of."""
        known, asked = list(operations()), set(ASKED.findall(self.guide))
        self.assertGreater(len(asked), 12)
        self.assertEqual({p for p in asked if not any(k.fullmatch(p) for k in known)}, set())
        section = part(self.guide, "The house", "When you have forgotten the password")
        self.assertEqual(
            re.findall(r"^\*(\w+)\* \(``(\S+)``\)$", section, re.M), [(t, p) for p, t in ROOMS]
        )

    def test_pictures(self) -> None:
        """Every picture in a manual is there, and none keeps its reader waiting."""
        for path in (*DOCS.glob("*.rst"), ROOT / "README.rst"):
            for name in PICTURE.findall(path.read_text(encoding="utf-8")):
                size = (path.parent / name).stat().st_size
                self.assertTrue(1000 < size <= LARGEST, (path.name, name, size))
