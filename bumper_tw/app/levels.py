"""Log levels while the server runs: what they are, and other ones until the next start."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.logger import Logger, LogLevel

from bumper_tw.app.kinds import LEVELS, PARTS, known
from bumper_tw.app.logs import Threshold
from bumper_tw.app.settings import LogSettings
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, POST, Route

PATH = "/api/log"

#: The word that undoes all others.
RESET = "reset"

#: Words in one request.
MOST_WORDS = 50


def changed(
    words: Sequence[str], now: LogSettings, before: Callable[[], LogSettings]
) -> LogSettings:
    """
    The levels after these words, from left to right.

    @param words: C{part=level}; a level for all parts; or C{reset}.
    @param before: reads the levels in the settings.
    @raise BadRequest: one of the words means nothing, and what may have been meant.
    """
    try:
        for word in words:
            now = before() if word == RESET else after(word, now)
    except StartError as why:
        raise BadRequest(str(why)) from why
    return now


def after(word: str, now: LogSettings) -> LogSettings:
    """
    The levels after one word that is a level, alone or for a part.

    @raise StartError: it means nothing.
    """
    part, equals, level = word.strip().partition("=")
    if not equals:
        return evolve(now, level=known(part, (*LEVELS, RESET)), levels={})
    levels = {**now.levels, known(part, PARTS): known(level, LEVELS)}
    return evolve(now, levels=levels)


def told(levels: LogSettings) -> dict[str, Any]:
    """Levels as JSON has them."""
    return {"level": levels.level, "levels": dict(levels.levels)}


def spelled(levels: LogSettings) -> str:
    """The same for people: what is general, and then what differs."""
    return ", ".join([levels.level, *(f"{part}={each}" for part, each in levels.levels.items())])


class LevelRoutes:
    """The route on the control socket."""

    _log = Logger()

    def __init__(
        self, threshold: Threshold, before: Callable[[], LogSettings], file: Path | None = None
    ) -> None:
        """
        @param before: reads the levels in the settings.
        @param file: where lines go, if that is a file.
        """
        self._threshold, self._before, self._file = threshold, before, file

    def routes(self) -> tuple[Route, ...]:
        """C{/api/log}."""
        return (
            Route(PATH, GET, self.show, failure),
            Route(PATH, POST, self.change, failure),
        )

    def show(self, _: Call) -> Answer:
        """The levels, and where lines go."""
        return json_answer(self._state())

    def change(self, call: Call) -> Answer:
        """Other levels, from now on until the next start or reload."""
        self._use(changed(words_of(call.body()), self._threshold.settings, self._before))
        return json_answer(self._state())

    def _state(self) -> Mapping[str, Any]:
        file = "" if self._file is None else str(self._file)
        return {**told(self._threshold.settings), "parts": [*PARTS], "file": file}

    def _use(self, wanted: LogSettings) -> None:
        # It is to be read whenever it is worth writing before, or afterwards.
        if self._is_hidden():
            self._threshold.use(wanted)
            self._say(wanted)
        else:
            self._say(wanted)
            self._threshold.use(wanted)

    def _is_hidden(self) -> bool:
        return self._threshold.hides(self._log.namespace, LogLevel.info)

    def _say(self, wanted: LogSettings) -> None:
        self._log.info(
            "log levels: {levels}, until the next start or reload", levels=spelled(wanted)
        )


def words_of(document: Mapping[str, Any]) -> list[str]:
    """
    The words of a request.

    @raise BadRequest: there are none.
    """
    words = document.get("words")
    if not isinstance(words, list) or not 0 < len(words) <= MOST_WORDS:
        raise BadRequest("words is no list of words")
    if not all(isinstance(word, str) for word in words):
        raise BadRequest("words is no list of words")
    return words
