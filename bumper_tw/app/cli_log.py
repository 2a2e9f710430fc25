"""C{bumper log}: what the running server writes to its log, and more or less of it."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bumper_tw.app.asking import ask, tell
from bumper_tw.app.cli_parts import settings_of, spoken, table, with_folders
from bumper_tw.app.levels import PATH, changed
from bumper_tw.app.settings import LogSettings, Settings

#: Seconds for the running server to answer.
PATIENCE = 10.0

#: What is said of a part that has no level of its own.
GENERAL = "all others"


def main(arguments: Sequence[str]) -> int:
    """
    Show the levels, or change them.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return spoken(lambda: shown(settings_of(options), options.words))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper log}."""
    made = argparse.ArgumentParser(
        prog="bumper log",
        description="Shows what the running server writes to its log, or changes that until its "
        "next start or reload.",
        epilog="bumper log mqtt=debug web=warn; bumper log info (everything); bumper log reset "
        "(as in the settings)",
    )
    made.add_argument(
        "words",
        metavar="PART=LEVEL",
        nargs="*",
        help="a part with its level; a level alone, for everything; or reset",
    )
    return with_folders(made)


def shown(settings: Settings, words: Sequence[str]) -> str:
    """
    The levels, after these words.

    @raise BumperError: a word means nothing, or there is no server.
    """
    # Whoever has mistyped something learns that without a server, too.
    changed(words, LogSettings(), lambda: settings.log)
    if words:
        state = tell(settings, PATH, {"words": [*words]}, PATIENCE)
    else:
        state = ask(settings, PATH, PATIENCE)
    return table(("PART", "LEVEL", "IN THE SETTINGS"), rows(state, settings.log), "")


def rows(state: Mapping[str, Any], before: LogSettings) -> Iterator[tuple[str, ...]]:
    """One part a line: those that differ, and then all others."""
    levels: Mapping[str, str] = state["levels"]
    for part in sorted({*levels, *before.levels}):
        yield part, levels.get(part, state["level"]), before.levels.get(part, before.level)
    yield GENERAL, state["level"], before.level
