"""C{bumper metrics}: the figures of the running server, for programs that draw curves."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkstemp

from bumper_tw.app.asking import NotAsked, ask
from bumper_tw.app.cli_parts import ended, harmless, settings_of, with_folders
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.web.metrics import CONTROL_PATH

#: Seconds for the running server to answer.
PATIENCE = 10.0

#: There is nothing secret in it, and another user's program reads it.
MODE = 0o644


class NotWritten(BumperError):
    """The file cannot be written."""


def main(arguments: Sequence[str]) -> int:
    """
    Tell the figures.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return ended(lambda: told(settings_of(options), options.output))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper metrics}."""
    made = argparse.ArgumentParser(
        prog="bumper metrics",
        description="Prints the figures of the running server, as Prometheus reads them.",
    )
    made.add_argument(
        "--output",
        "-o",
        type=Path,
        metavar="FILE",
        help="write them there instead, as a whole; for the textfile collector of node_exporter "
        "the name has to end in .prom",
    )
    return with_folders(made)


def told(settings: Settings, output: Path | None) -> int:
    """
    Print the figures, or write them to a file.

    @return: the exit status.
    @raise BumperError: there are none, or they cannot be written.
    """
    text = figures(settings)
    if output is None:
        sys.stdout.write(text)
    else:
        write(output, text)
    return 0


def figures(settings: Settings) -> str:
    """
    What the server says, as a terminal can bear it.

    @raise BumperError: there is none, or it does not tell.
    """
    if not settings.metrics.serve:
        raise NotAsked("metrics.serve is off, so that the server has no figures")
    said = ask(settings, CONTROL_PATH, PATIENCE)
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(text, str):
        raise NotAsked("the server says something that nobody understands")
    return harmless(text)


def write(output: Path, text: str) -> None:
    """
    Write a file, whole or not at all: somebody may read it at any time.

    @raise NotWritten: the disk refuses.
    """
    try:
        # No program that looks for the ending of its name finds it before it is whole.
        handle, begun = mkstemp(prefix=f".{output.name}.", suffix=".part", dir=output.parent)
    except OSError as why:
        raise NotWritten(f"{output} cannot be written: {why.strerror}") from why
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), MODE)
        os.replace(begun, output)
    except OSError as why:
        Path(begun).unlink(missing_ok=True)
        raise NotWritten(f"{output} cannot be written: {why.strerror}") from why
