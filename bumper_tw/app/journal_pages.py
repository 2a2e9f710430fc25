"""The journal, for commands: of the running server, part by part, or of the last one."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bumper_tw.app.asking import Asker, ask
from bumper_tw.app.opening import open_plain
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.front.journal_file import KEPT, NAME

#: Seconds that the server may take, besides those that it was asked to wait.
PATIENCE = 10.0

#: The most that is asked for at once.
PAGE = 300

#: More than any file of the journal is long, in bytes.
MOST_BYTES = 64 << 20

Entry = dict[str, Any]


class Pages:
    """
    The journal of the running server, part by part.

    @ivar is_new: whether the server is another one than the last time.
    @ivar was_quick: whether it did not wait as long as it should have.
    """

    def __init__(self, settings: Settings, full: bool = False, asker: Asker = ask) -> None:
        """
        @param full: leave nothing out.
        @param asker: asks the running server.
        """
        self._settings, self._after, self._started = settings, 0, 0.0
        self._full, self._ask = full, asker
        self.is_new = self.was_quick = False

    def last(self, most: int) -> list[Entry]:
        """
        The last entries, and from then on L{turn} has what is new.

        @raise BumperError: nobody can be asked.
        """
        asked = min(most, PAGE)
        entries = page = self.turn(0, asked)
        while len(page) == asked and len(entries) < most:
            asked = min(most - len(entries), PAGE)
            page = self._page(0, asked, entries[0]["revision"])["entries"]
            entries = [*page, *entries]
        return entries

    def turn(self, wait: int, most: int = PAGE) -> list[Entry]:
        """
        What has changed since the last time.

        @param wait: as many seconds, if that is nothing yet.
        @param most: as many entries.
        @raise BumperError: nobody can be asked.
        """
        began = time.monotonic()
        said = self._page(wait, most)
        self.is_new = self._started not in {0.0, said["started"]}
        if self.is_new:
            # Its revisions have nothing to do with those that were before.
            self._after = 0
            said = self._page(0, most)
        self._after, self._started = said["revision"], said["started"]
        entries: list[Entry] = said["entries"]
        self.was_quick = not entries and time.monotonic() - began < wait
        return entries

    def _page(self, wait: int, most: int, before: int = 0) -> Any:
        """@param before: only what was changed before that revision, as far back as it goes."""
        place = {"before": before} if before else {"after": self._after}
        query = urlencode({**place, "wait": wait, "limit": most, "full": int(self._full)})
        return self._ask(self._settings, f"/api/journal?{query}", wait + PATIENCE)


def key_of(entry: Entry) -> tuple[object, ...]:
    """What tells an entry from others, of other servers, too."""
    return tuple(map(str, map(entry.get, ("began", "number", "when", "check"))))


def on_disk(folder: Path) -> list[Entry] | None:
    """
    The journal that a server has left; C{None} if none has.

    @raise BumperError: it cannot be read.
    """
    names = [f"{NAME}.{number}" for number in range(KEPT, 0, -1)]
    paths = [folder / name for name in [*names, NAME]]
    texts = [text for text in map(_read, paths) if text is not None]
    # What was written twice of a connection is told once, as it was in the end.
    last: dict[Any, Entry] = {}
    for entry in _parsed("\n".join(texts)):
        last.pop(key_of(entry), None)
        last[key_of(entry)] = entry
    return list(last.values()) if texts else None


def _read(path: Path) -> str | None:
    """A file of the journal; C{None} when there is none."""
    try:
        with open_plain(path) as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as why:
        raise BumperError(f"{path} cannot be read: {why.strerror}") from why


def _parsed(text: str) -> Iterator[Entry]:
    """The entries of files; a line that was cut off is none."""
    for line in text.split("\n"):
        try:
            entry = json.loads(line) if line else None
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry
