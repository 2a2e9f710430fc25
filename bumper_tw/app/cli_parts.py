"""What all commands have in common: where everything is, what was said, and how it ended."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from getpass import getpass
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bumper_tw.app import config
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest, BumperError
from bumper_tw.front.contact import clean
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate

T = TypeVar("T")

#: What one command does with the database, and what it says then.
Deed = Callable[[InlineDatabase, argparse.Namespace], str]

#: How times are written for people.
MINUTES = "%Y-%m-%d %H:%M"

#: The longest password or passphrase, in bytes.
LONGEST_SECRET = 1024

#: As much of a line is written.
LONGEST_LINE = 10_000

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
        sys.stderr.write(f"bumper: {harmless(str(why))}\n")
        return 1


def harmless(text: str) -> str:
    """
    Lines that a terminal can bear: what a server says, or a file, need not be what we put there.
    """
    return "\n".join(clean(line, LONGEST_LINE) for line in text.split("\n"))


def spoken(work: Callable[[], str]) -> int:
    """
    Do something and say what came of it.

    @return: the exit status.
    """

    def say() -> int:
        said = work()
        sys.stdout.write(f"{harmless(said)}\n")
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


def secret(prompt: str, twice: bool = False, piped: bool = True) -> str:
    """
    What is typed without being seen, or a line from a pipe.

    @param twice: whether nobody could tell if it is mistyped.
    @param piped: whether it may come through a pipe, which is then not for something else.
    @raise BadRequest: it is too long, or not the same the second time.
    """
    if piped and not sys.stdin.isatty():
        word = sys.stdin.readline(LONGEST_SECRET + 2).rstrip("\r\n")
    else:
        word = getpass(f"{prompt}: ")
        if twice and getpass("The same again: ") != word:
            raise BadRequest(f"that was not the same {prompt.lower()}")
    if len(word.encode("utf-8", "surrogateescape")) > LONGEST_SECRET:
        raise BadRequest(f"the {prompt.lower()} is longer than {LONGEST_SECRET} bytes")
    return word


def with_places(part: argparse.ArgumentParser, default: Any = None) -> argparse.ArgumentParser:
    """The options that say where everything is; C{default} as in L{with_folders}."""
    meaning = "folder of certificates and keys"
    part.add_argument("--certs", type=Path, default=default, help=meaning)
    return with_folders(part, default)


def table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]], nothing: str) -> str:
    """Rows under the names of their columns, or what to say when there are none."""
    lines = [names, *rows]
    if len(lines) == 1:
        return nothing
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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
