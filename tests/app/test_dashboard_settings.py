"""Tests for L{bumper_tw.app.dashboard_settings} and the file behind it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app import config
from bumper_tw.app.cli import at_once
from bumper_tw.app.config import Layers
from bumper_tw.app.dashboard_settings import CONTROLS, PageSettings
from bumper_tw.app.kinds import LEVELS, PARTS
from bumper_tw.app.page_file import ON_PAGE, written
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.web.dashboard.house_settings import PARTS as PART_WORDS
from bumper_tw.web.dashboard.house_words import SETTINGS

#: What a page could send for one setting, good or not.
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(),
    st.sampled_from(LEVELS), st.dictionaries(st.sampled_from(PARTS), st.sampled_from(LEVELS)),
    st.dictionaries(st.text(), st.text()), st.lists(st.integers()),
)  # fmt: skip


class SettingsCase(SynchronousTestCase):
    """A settings file, a data folder, and a server that takes up what is chosen."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        (self.folder / "data").mkdir(parents=True)
        self.file = self.folder / "bumper.toml"
        self.file.write_text("[web]\nidle_seconds = 20\n[commands]\ntimeout = 7\n")
        self.environ: dict[str, str] = {}
        self.taken: dict[str, Any] = {}
        takes = {key: self.take(key) for key in ON_PAGE}
        self.settings = PageSettings(self.read, takes, at_once)

    def read(self) -> Layers:
        """The settings, as they are now."""
        return config.layers(self.file, self.environ, {})

    def take(self, key: str) -> Callable[[Settings], None]:
        """Takes up one of them."""
        section, _, name = key.partition(".")

        def take(now: Settings) -> None:
            self.taken[key] = getattr(getattr(now, section), name)

        return take

    def change(self, **wanted: Any) -> Deferred[dict[str, Any]]:
        """Choose some; of their names the first underline is the dot."""
        return self.settings.change({key.replace("_", ".", 1): wanted[key] for key in wanted})

    def told(self, key: str) -> dict[str, Any]:
        """One that can be chosen."""
        [found] = [each for each in self.settings.told()["settings"] if each["key"] == key]
        return dict(found)

    @property
    def page(self) -> Path:
        """Where it is kept."""
        return self.folder / "data/page.toml"


class ChangeTests(SettingsCase):
    """Choosing."""

    def test_holds(self) -> None:
        """It holds at once, and after the next start; nobody else can read the file."""
        after = self.successResultOf(self.change(identity_closed=True, commands_timeout=3.5))
        self.assertEqual(self.taken, {"identity.closed": True, "commands.timeout": 3.5})
        self.assertEqual(after, self.settings.told())
        settings = config.load(self.file, {}, {})
        self.assertTrue(settings.identity.closed)
        self.assertEqual(settings.commands.timeout, 3.5)
        self.assertEqual(self.page.stat().st_mode & 0o777, 0o600)
        self.assertEqual(os.listdir(self.page.parent), ["page.toml"])

    def test_order(self) -> None:
        """It stands above the file, and below the environment, which is told."""
        self.assertEqual(self.told("commands.timeout")["origin"], "file")
        self.successResultOf(self.change(commands_timeout=3))
        self.assertEqual(self.told("commands.timeout")["origin"], "page")
        self.environ["BUMPER_COMMANDS_TIMEOUT"] = "9"
        found = self.told("commands.timeout")
        self.assertEqual((found["origin"], found["value"]), ("environment", 9.0))
        self.assertIn("BUMPER_COMMANDS_TIMEOUT", found["fixed"])
        why = self.failureResultOf(self.change(commands_timeout=4), BadRequest).getErrorMessage()
        self.assertTrue(why.startswith("“Patience with a robot” is set in the environment"), why)
        self.assertEqual(config.load(self.file, self.environ, {}).commands.timeout, 9.0)

    def test_back(self) -> None:
        """What is taken back is as the file says, and without anything there is no page's file."""
        self.successResultOf(self.change(commands_timeout=3))
        self.successResultOf(self.change(commands_timeout=None))
        self.assertEqual(self.taken, {"commands.timeout": 7.0})
        self.assertEqual(self.told("commands.timeout")["origin"], "file")
        self.assertFalse(self.page.exists())

    def test_levels(self) -> None:
        """Levels of parts come back as they were chosen."""
        self.successResultOf(self.change(log_levels={"mqtt": "debug"}, log_level="warn"))
        log = config.load(self.file, {}, {}).log
        self.assertEqual((log.level, dict(log.levels)), ("warn", {"mqtt": "debug"}))
        self.successResultOf(self.change(log_levels={}))
        self.assertEqual(dict(config.load(self.file, {}, {}).log.levels), {})

    def test_refused(self) -> None:
        """What is wrong is told in a sentence, and nothing of it holds."""
        cases: dict[str, tuple[Any, str]] = {
            "identity.closed": ("yes", "“Keep new robots out” has to be true or false"),
            "commands.timeout": (
                99,
                "“Patience with a robot” has to be a number of seconds from 0.1 to 55",
            ),
            "log.levels": ({"mqtt": "loud"}, "has to be levels"),
            "web.idle_seconds": (3, "the setting web.idle_seconds needs a restart"),
            "storage.directory": ("/etc", "needs a restart"),
            "nothing.at_all": (1, "there is no setting"),
        }
        for key, (value, said) in cases.items():
            done = self.settings.change({"web.unknown": "not_found", key: value})
            self.assertIn(said, self.failureResultOf(done, BadRequest).getErrorMessage(), key)
        self.failureResultOf(self.settings.change({}), BadRequest)
        self.assertEqual(self.taken, {})
        self.assertFalse(self.page.exists())

    def test_disk_full(self) -> None:
        """What the disk refuses does not hold, and what was chosen before stays."""
        self.successResultOf(self.change(commands_timeout=3))
        self.taken.clear()
        before = self.page.read_text()
        self.patch(os, "fsync", self.full)
        self.failureResultOf(self.change(commands_timeout=4), StorageError)
        self.assertEqual(self.taken, {})
        self.assertEqual(self.page.read_text(), before)
        self.assertEqual(os.listdir(self.page.parent), ["page.toml"])

    def full(self, _: int) -> None:
        """There is no room."""
        raise OSError(28, "No space left on device")

    def test_two_browsers(self) -> None:
        """Two that choose at the same time both get what they chose."""
        waiting: list[Callable[[], None]] = []

        def slowly(work: Callable[[], Any]) -> Deferred[Any]:
            done: Deferred[Any] = Deferred()
            waiting.append(lambda: done.callback(work()))
            return done

        takes = {key: self.take(key) for key in ON_PAGE}
        settings = PageSettings(self.read, takes, slowly)
        first = settings.change({"identity.closed": True})
        second = settings.change({"web.unknown": "not_found"})
        self.assertEqual(len(waiting), 1)
        waiting.pop()()
        waiting.pop()()
        for each in (first, second):
            self.successResultOf(each)
        found = config.load(self.file, {}, {})
        self.assertEqual((found.identity.closed, found.web.unknown), (True, "not_found"))

    @given(st.dictionaries(st.sampled_from([*ON_PAGE, "web.max_body"]), ANYTHING))
    def test_anything(self, wanted: dict[str, Any]) -> None:
        """Whatever is sent: it is refused, or the next start reads what was chosen."""
        before = self.page.read_text() if self.page.exists() else ""
        results: list[Any] = []
        self.settings.change(wanted).addBoth(results.append)
        [result] = results
        if isinstance(result, dict):
            values = self.read().values()
            chosen = {key: value for key, value in wanted.items() if value is not None}
            self.assertEqual({key: values[key] for key in chosen}, chosen)
        else:
            result.trap(BadRequest)
            self.assertEqual(self.page.read_text() if self.page.exists() else "", before)


class ToldTests(SettingsCase):
    """What there is."""

    def test_all(self) -> None:
        """Every setting is told once, and those that can be chosen have words for it."""
        told = self.settings.told()
        keys = [each["key"] for part in ("settings", "others") for each in told[part]]
        self.assertEqual(sorted(keys), sorted({s.key for s in config.describe() if s.env}))
        self.assertEqual(set(CONTROLS), set(ON_PAGE))
        self.assertEqual(set(SETTINGS), set(ON_PAGE))
        self.assertEqual(set(PART_WORDS), set(PARTS))
        [listen] = [each for each in told["others"] if each["key"] == "listen"]
        self.assertIn("all:tcp:443:tls", listen["value"])
        [idle] = [each for each in told["others"] if each["key"] == "web.idle_seconds"]
        self.assertEqual((idle["value"], idle["origin_text"]), ("20", "from bumper.toml"))

    def test_file_broken(self) -> None:
        """Somebody who edits the file and errs hears of it here, not at the next start only."""
        self.file.write_text("[web]\nidle = 1\n")
        self.assertRaises(BadRequest, self.settings.told)
        self.failureResultOf(self.change(identity_closed=True), BadRequest)

    def test_only_some(self) -> None:
        """Who can write in the data folder cannot decide about all else."""
        self.page.write_text('tls.directory = "/tmp"\nidentity.closed = true\n')
        with capturedLogs() as lines:
            settings = config.load(self.file, {}, {})
        self.assertNotEqual(str(settings.tls.directory), "/tmp")
        self.assertTrue(settings.identity.closed)
        self.assertIn("page.toml", formatEvent(lines[0]))

    def test_wrong(self) -> None:
        """What is wrong in the page's file does not keep the server from starting."""
        for text in (
            "commands.timeout = 1e9\n",
            "commands = 5\n",
            "unheard.of = 1\nlog = { level = 7, levels = 1 }\n",
            "no TOML",
            "\0",
            "#" + "x" * (1 << 20),
        ):
            self.page.write_text(text)
            with capturedLogs() as lines:
                settings = config.load(self.file, {}, {})
            self.assertEqual(settings.commands.timeout, 7.0, text)
            self.assertIn("left out", formatEvent(lines[0]))

    def test_link(self) -> None:
        """A link is not followed."""
        other = self.folder / "other.toml"
        other.write_text("identity.closed = true\n")
        self.page.symlink_to(other)
        self.assertFalse(config.load(self.file, {}, {}).identity.closed)

    def test_written(self) -> None:
        """What cannot be chosen is never written."""
        self.assertNotIn("tls", written({"tls.directory": "/tmp", "log.level": "info"}))
