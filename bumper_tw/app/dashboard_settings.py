"""Settings that hold at once, chosen on a page and kept over restarts."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from bumper_tw.app.config import Layers, describe
from bumper_tw.app.kinds import PARTS
from bumper_tw.app.page_file import ON_PAGE, keep
from bumper_tw.app.settings import Listen, Setting, Settings
from bumper_tw.core.passwords import InThread
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.web.dashboard.house_words import SETTINGS

#: What takes up a setting that holds at once, by its key.
Takes = Mapping[str, Callable[[Settings], object]]

#: Where a value comes from, in words.
ORIGINS = {
    "default": "as delivered",
    "file": "from bumper.toml",
    "page": "chosen here",
    "environment": "from the environment",
    "options": "from the command line",
}

#: What stands above this page.
ABOVE = {"environment", "options"}


@frozen
class Control:
    """
    How something is chosen on the page.

    @ivar title: what it is called there.
    @ivar words: what it does, for people.
    @ivar control: C{flag}, C{choice}, C{number} or C{levels}.
    @ivar options: of a choice, and for each part of C{levels}: value and words.
    @ivar unit: of a number.
    """

    title: str
    words: str
    control: str
    options: tuple[tuple[str, str], ...] = ()
    unit: str = ""


LEVEL_WORDS = (
    ("debug", "Everything, for a search"),
    ("info", "What happens"),
    ("warn", "Only what may be wrong"),
    ("error", "Only what is wrong"),
)

CONTROLS: Mapping[str, Control] = {
    "identity.closed": Control(
        SETTINGS["identity.closed"],
        "Only robots that are known already are let in. Switch it off to add one.",
        "flag",
    ),
    "web.unknown": Control(
        SETTINGS["web.unknown"],
        "What apps and robots hear that ask for something that is not known here.",
        "choice",
        (("harmless", "A harmless yes: apps go on"), ("not_found", "That there is no such thing")),
    ),
    "commands.timeout": Control(
        SETTINGS["commands.timeout"],
        "A robot that does not answer a command within this time counts as silent.",
        "number",
        unit="seconds",
    ),
    "storage.history_days": Control(
        SETTINGS["storage.history_days"],
        "What robots told is dropped when it is older. It is tidied up once an hour.",
        "number",
        unit="days",
    ),
    "storage.history_reports": Control(
        SETTINGS["storage.history_reports"],
        "As many reports of all robots are kept; the oldest go first.",
        "number",
        unit="reports",
    ),
    "storage.cleaning_logs": Control(
        SETTINGS["storage.cleaning_logs"],
        "As many are kept; the oldest go first.",
        "number",
        unit="jobs",
    ),
    "log.level": Control(
        SETTINGS["log.level"], "How much is written to the log.", "choice", LEVEL_WORDS
    ),
    "log.levels": Control(
        SETTINGS["log.levels"],
        "Where it is to be more, or less, than that.",
        "levels",
        (("", "As above"), *LEVEL_WORDS),
    ),
}


class PageSettings:
    """
    What there is to choose, and choosing it.

    What the environment or the command line say stands above this page; what stands in the file
    is below it.
    """

    _log = Logger()

    def __init__(self, read: Callable[[], Layers], takes: Takes, in_thread: InThread) -> None:
        """
        @param read: reads the settings again.
        @param takes: what takes up each that can be chosen.
        @param in_thread: the disk may take its time.
        """
        self._read, self._takes, self._in_thread = read, takes, in_thread
        self._schema = {setting.key: setting for setting in describe() if setting.env}
        self._lock = DeferredLock()

    def follows(self) -> dict[str, Callable[[Settings], object]]:
        """What SIGHUP has to take up; see L{Root<bumper_tw.app.root.Root>}."""
        return dict(self._takes)

    def told(self) -> dict[str, Any]:
        """
        All settings: those that can be chosen, and all others as they are.

        @raise BadRequest: the files say something wrong since the start.
        """
        found = self._layers()
        keys = [key for key in ON_PAGE if key in self._takes]
        return {
            "settings": [self._choice(key, found) for key in keys],
            "others": [self._plain(key, found) for key in self._schema if key not in keys],
        }

    def _layers(self) -> Layers:
        try:
            found = self._read()
            found.built()
        except StartError as why:
            raise BadRequest(str(why)) from why
        return found

    def _plain(self, key: str, found: Layers) -> dict[str, Any]:
        setting, origin = self._schema[key], found.origin(key)
        return {
            "key": key,
            "doc": setting.doc,
            "value": spoken(found.values()[key]),
            "default": spoken(found.defaults[key]),
            "origin": origin,
            "origin_text": ORIGINS[origin],
        }

    def _choice(self, key: str, found: Layers) -> dict[str, Any]:
        setting, origin, control = self._schema[key], found.origin(key), CONTROLS[key]
        return {
            **self._plain(key, found),
            "title": control.title,
            "words": control.words,
            "control": control.control,
            "options": [list(each) for each in control.options],
            "parts": [*PARTS] if control.control == "levels" else [],
            "unit": control.unit,
            "expected": setting.kind.expected,
            "value": plain(found.values()[key]),
            "default": plain(found.defaults[key]),
            "fixed": fixed(setting, origin),
        }

    def change(self, wanted: Mapping[str, Any]) -> Deferred[dict[str, Any]]:
        """
        Choose some; C{None} takes back what was chosen here.

        @return: as L{told} says then.  Fails with L{BadRequest} when one of them cannot be
            chosen, and with L{StorageError<bumper_tw.errors.StorageError>}; none is then.
        """
        return self._lock.run(lambda: Deferred.fromCoroutine(self._change(wanted)))

    async def _change(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        if not wanted:
            raise BadRequest("there is nothing to change")
        found = self._layers()
        chosen = dict(found.said["page"])
        for key, value in wanted.items():
            self._check(key, found)
            if value is None:
                chosen.pop(key, None)
            else:
                chosen[key] = self._taken(key, value)
        after = evolve(found, said={**found.said, "page": chosen})
        settings = self._possible(after)
        await self._in_thread(lambda: keep(found.page_file, chosen))
        for key in wanted:
            self._takes[key](settings)
        self._log.info("settings chosen on the page: {keys}", keys=", ".join(wanted))
        return self.told()

    def _check(self, key: str, found: Layers) -> None:
        if key not in self._schema:
            raise BadRequest(f"there is no setting {str(key)[:80]}")
        if key not in self._takes:
            raise BadRequest(f"the setting {key} needs a restart: change it in bumper.toml")
        why = fixed(self._schema[key], found.origin(key))
        if why:
            raise BadRequest(f"“{CONTROLS[key].title}” {why}")

    def _taken(self, key: str, value: Any) -> Any:
        setting = self._schema[key]
        try:
            return setting.take(value)
        except StartError as why:
            expected = setting.kind.expected
            raise BadRequest(f"“{CONTROLS[key].title}” has to be {expected}") from why

    @staticmethod
    def _possible(layers: Layers) -> Settings:
        try:
            return layers.built()
        except StartError as why:
            raise BadRequest(str(why)) from why


def fixed(setting: Setting, origin: str) -> str:
    """Why a setting cannot be chosen on the page; empty when it can."""
    if origin not in ABOVE:
        return ""
    where = f"in the environment, {setting.env}" if origin == "environment" else "where it starts"
    return f"is set {where}; that counts more than this page"


def plain(value: Any) -> Any:
    """A value that can be chosen, as JSON has it."""
    return dict(value) if isinstance(value, Mapping) else value


def spoken(value: Any) -> str:
    """Any value, for people; none is a secret: of those, settings name the files only."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(listened(each) for each in value) or "none"
    return "none" if str(value) in {"", "."} else str(value)


def listened(value: Any) -> str:
    """One part of a list; of listeners, as they can be written into the environment."""
    if not isinstance(value, Listen):
        return str(value)
    end = ":legacy_tls" if value.legacy_tls else ":tls" if value.tls else ""
    return f"{value.serve}:{value.at}{end}"
