"""C{bumper journal}: who connected, and what became of it, in plain words."""

import argparse
import json
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from bumper_tw.app.asking import NotRunning, ask
from bumper_tw.app.cli_parts import ended, settings_of, with_folders
from bumper_tw.app.journal_pages import Entry, Pages, key_of, on_disk
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.front.contact import clean

#: Seconds that it waits for something to happen, and before it is looked for again.
WAIT, AGAIN = 50, 1.0

#: The most that is asked for in all.
MOST = 10_000

#: As many entries are known by the lines that were printed of them.
PRINTED = 2000

#: The exit status after Ctrl-C.
INTERRUPTED = 130


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
    pages = Pages(settings, options.json, ask)
    try:
        # Whose they are is for us to see.
        entries = pages.last(MOST if options.who else options.limit)
    except NotRunning as none:
        if options.watch:
            raise
        entries = left_behind(settings, none)
    narrator = Narrator(options.who or "", options.json)
    said = narrator.print(entries, options.limit)
    if options.watch:
        follow(pages, narrator)
    if not said:
        sys.stderr.write(f"nothing is known of {clean(options.who)}\n" if options.who else NOTHING)
    return 0


#: What is said of an empty journal.
NOTHING = "nobody has connected yet\n"


def follow(pages: Pages, narrator: "Narrator") -> None:
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


def left_behind(settings: Settings, none: NotRunning) -> list[Entry]:
    """
    The journal that a server has left, which is said.

    @param none: why there is no other.
    @raise BumperError: there is none.
    """
    entries = on_disk(settings.storage.directory)
    if entries is None:
        raise BumperError(
            f"{none}, and none has left a journal there (front.journal_file = true has it written)"
        )
    sys.stderr.write(f"{none}; this is what the last one wrote down\n")
    return entries
