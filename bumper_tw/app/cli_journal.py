"""C{bumper journal}: who connected, and what became of it, in plain words."""

import argparse
import json
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bumper_tw.app.asking import NotRunning, ask
from bumper_tw.app.cli_parts import ended, settings_of, with_folders
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.front.contact import clean
from bumper_tw.front.journal_file import KEPT, NAME

#: Seconds that the server may take, besides those that it was asked to wait.
PATIENCE = 10.0

#: Seconds that it waits for something to happen, and before it is looked for again.
WAIT, AGAIN = 50, 1.0

#: The most that is asked for at once, and in all.
PAGE, MOST = 300, 10_000

#: As many entries are known by the lines that were printed of them.
PRINTED = 2000

#: The exit status after Ctrl-C.
INTERRUPTED = 130

Entry = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """
    Print the journal.

    @return: the exit status.
    """
    options = arguments_parser().parse_args(arguments)
    try:
        return ended(lambda: shown(settings_of(options), options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has seen enough; nothing more may be flushed to him at exit.
        sys.stdout = sys.__stderr__
        return 0


def arguments_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper journal}."""
    parser = argparse.ArgumentParser(
        prog="bumper journal",
        description="Who connected to this server, what became of it, and what to do when that "
        "is not what it should be.",
    )
    parser.add_argument(
        "who", metavar="ADDRESS", nargs="?", help="only that address; or a robot, by id or name"
    )
    parser.add_argument("--watch", action="store_true", help="go on, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="everything, an entry a line")
    parser.add_argument("--limit", type=limit, default=100, help="connections, the last ones")
    return with_folders(parser)


def limit(text: str) -> int:
    """How many entries; raises C{ValueError} when it is no number."""
    return max(1, min(int(text), MOST))


def shown(settings: Settings, options: argparse.Namespace) -> int:
    """
    Print what there is, and what comes.

    @raise BumperError: there is nothing.
    """
    pages = Pages(settings, options.json)
    try:
        # Whose they are is for us to see.
        entries = pages.last(MOST if options.who else options.limit)
    except NotRunning as none:
        if options.watch:
            raise
        entries = on_disk(settings.storage.directory, none)
    narrator = Narrator(options.who or "", options.json)
    said = narrator.print(entries, options.limit)
    if options.watch:
        follow(pages, narrator)
    if not said:
        sys.stderr.write(f"nothing is known of {clean(options.who)}\n" if options.who else NOTHING)
    return 0


#: What is said of an empty journal.
NOTHING = "nobody has connected yet\n"


def follow(pages: "Pages", narrator: "Narrator") -> None:
    """Print what comes, for ever; the server may go and come back."""
    gone = False
    while True:
        try:
            entries = pages.turn(WAIT)
        except NotRunning:
            if not gone:
                narrator.note("the server is gone; waiting until it is back")
            gone = True
        else:
            if gone or pages.is_new:
                narrator.begin_anew()
            gone = False
            narrator.print(entries)
        if gone or pages.was_quick:
            time.sleep(AGAIN)


class Pages:
    """
    The journal of the running server, part by part.

    @ivar is_new: whether the server is another one than the last time.
    @ivar was_quick: whether it did not wait as long as it should have.
    """

    def __init__(self, settings: Settings, full: bool = False) -> None:
        """
        @param full: leave nothing out.
        """
        self._settings, self._after, self._started = settings, 0, 0.0
        self._full = full
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
        return ask(self._settings, f"/api/journal?{query}", wait + PATIENCE)


class Narrator:
    """Prints entries: of one that goes on, what it has not printed yet."""

    def __init__(self, who: str, as_json: bool) -> None:
        """
        @param who: an address, or a robot by id or name; empty for everybody.
        """
        self._who, self._as_json = who.casefold(), as_json
        self._hosts, self._day = {who}, date.today()
        self._printed: OrderedDict[Any, set[str]] = OrderedDict()

    def print(self, entries: Iterable[Entry], most: int = MOST) -> int:
        """
        Print those that are asked for.

        @param most: the last ones only.
        @return: how many that were.
        """
        given = list(entries)
        for entry in given:
            self._learn(entry)
        found = [entry for entry in given if self._concerns(entry)][-most:]
        for entry in found:
            text = json.dumps(entry) if self._as_json else "\n".join(self._news(entry))
            if text:
                sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        return len(found)

    def note(self, text: str) -> None:
        """Say something about the journal itself."""
        sys.stderr.write(f"{text}\n")

    def begin_anew(self) -> None:
        """It is another server, which numbers from 1 on; robots stay where they are."""
        self.note("the server is back")
        self._printed.clear()

    def _learn(self, entry: Entry) -> None:
        """Where the robot is, what it does before it is known is of interest, too."""
        names = {str(entry.get(name, "")).casefold() for name in ("robot", "robot_name")}
        if self._who and self._who in names:
            self._hosts.add(str(entry.get("host")))

    def _concerns(self, entry: Entry) -> bool:
        return not self._who or entry.get("host", "") in self._hosts

    def _news(self, entry: Entry) -> Iterator[str]:
        lines = [clean(line, 1000) for line in str(entry.get("story", "")).split("\n")]
        yield from self._new_day(entry)
        key = key_of(entry)
        known = self._printed.pop(key, set())
        # The first line names who it is, as far as is known now.
        begin = 1 if known else 0
        yield from (line for line in lines[begin:] if line not in known)
        self._printed[key] = known | set(lines)
        if len(self._printed) > PRINTED:
            self._printed.popitem(last=False)

    def _new_day(self, entry: Entry) -> Iterator[str]:
        """The date, when it is another one than that of what stands above."""
        when = entry.get("began", entry.get("when", 0.0))
        day = date.fromtimestamp(when if isinstance(when, int | float) else 0.0)
        if day != self._day:
            self._day = day
            yield f"{day:%Y-%m-%d}"


def key_of(entry: Entry) -> tuple[object, ...]:
    """What tells an entry from others, of other servers, too."""
    return tuple(map(str, map(entry.get, ("began", "number", "when", "check"))))


def on_disk(folder: Path, none: NotRunning) -> list[Entry]:
    """
    The journal that a server has left.

    @param none: why there is no other.
    @raise BumperError: there is none.
    """
    names = [f"{NAME}.{number}" for number in range(KEPT, 0, -1)]
    paths = [folder / name for name in [*names, NAME]]
    texts = [text for text in map(read, paths) if text is not None]
    if not texts:
        raise BumperError(
            f"{none}, and none has left a journal there (front.journal_file = true has it written)"
        )
    sys.stderr.write(f"{none}; this is what the last one wrote down\n")
    # What was written twice of a connection is told once, as it was in the end.
    last: dict[Any, Entry] = {}
    for entry in parsed("\n".join(texts)):
        last.pop(key_of(entry), None)
        last[key_of(entry)] = entry
    return list(last.values())


def read(path: Path) -> str | None:
    """A file of the journal; C{None} when there is none."""
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as why:
        raise BumperError(f"{path} cannot be read: {why.strerror}") from why


def parsed(text: str) -> Iterator[Entry]:
    """The entries of files; a line that was cut off is none."""
    for line in text.split("\n"):
        try:
            entry = json.loads(line) if line else None
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
