"""What all commands have in common: where everything is, what was said, and how it ended."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bumper_tw.app import config
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate

T = TypeVar("T")

#: What one command does with the database, and what it says then.
Deed = Callable[[InlineDatabase, argparse.Namespace], str]

#: How times are written for people.
MINUTES = "%Y-%m-%d %H:%M"

#: What a running server needs to be told after a change to robots.
RELOAD_ROBOTS = "send a running server SIGHUP to make it known there"


def ended(work: Callable[[], int]) -> int:
    """
    Do something that says by itself what there is to say.

    @param work: gives the exit status; a L{BumperError} of its is one line, and another status.
    """
    try:
        return work()
    except BumperError as why:
        sys.stderr.write(f"bumper: {why}\n")
        return 1


def spoken(work: Callable[[], str]) -> int:
    """
    Do something and say what came of it.

    @return: the exit status.
    """

    def say() -> int:
        said = work()
        sys.stdout.write(f"{said}\n")
        return 0

    return ended(say)


def done(deed: Deed, options: argparse.Namespace) -> int:
    """
    Do something with the database and say what came of it.

    @return: the exit status.
    """

    def work() -> str:
        with closing(open_database(options)) as database:
            return deed(database, options)

    return spoken(work)


def open_database(options: argparse.Namespace) -> InlineDatabase:
    """The database that the settings name; the server may be using it."""
    path = settings_of(options).storage.directory / DATABASE
    migrate(path)
    return InlineDatabase(path)


def settings_of(options: argparse.Namespace) -> Settings:
    """What the settings say where the words leave it open."""
    given = {} if options.data is None else {"storage.directory": str(options.data)}
    return config.load(options.config, os.environ, given)


def with_folders(parser: argparse.ArgumentParser, default: Any = None) -> argparse.ArgumentParser:
    """
    The options that say where everything is.

    @param default: behind another word, what stands before it must not be overwritten.
    """
    parser.add_argument("--config", "-c", type=Path, default=default, help="settings file (TOML)")
    parser.add_argument("--data", "-d", type=Path, default=default, help="folder of the database")
    return parser


def table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]], nothing: str) -> str:
    """Rows under the names of their columns, or what to say when there are none."""
    lines = [names, *rows]
    if len(lines) == 1:
        return nothing
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def wall_clock() -> Any:
    """The time of the day."""
    # Whoever starts the server says which reactor it has.
    from twisted.internet import reactor

    return reactor


def now(result: Deferred[T]) -> T:
    """The result of something that does not wait: everything here runs at once."""
    results: list[T] = []
    failures: list[Failure] = []
    result.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return results[0]
