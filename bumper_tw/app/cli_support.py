"""C{bumper support-bundle}: one file with what somebody needs who is to help."""

import argparse
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from bumper_tw.app.addresses import own_addresses
from bumper_tw.app.cli_parts import ended, settings_of, with_folders
from bumper_tw.app.doctor.checks import examine
from bumper_tw.app.doctor.finding import report
from bumper_tw.app.doctor.gathering import evidence, in_reactor, in_thread
from bumper_tw.app.opening import open_plain
from bumper_tw.app.settings import Settings
from bumper_tw.app.support.bundle import House, made, packed, write
from bumper_tw.app.support.gathering import Sources, gather
from bumper_tw.app.support.identifiers import whoever
from bumper_tw.errors import BadRequest

#: Stands for standard input and output.
STANDARD = "-"


def main(arguments: Sequence[str]) -> int:
    """
    Write a support bundle.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return ended(lambda: bundled(settings_of(options), options))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper support-bundle}."""
    made = argparse.ArgumentParser(
        prog="bumper support-bundle",
        description="Writes one file for whoever is to help you: versions, settings, what the "
        "doctor finds, the last connections, the end of the log.  Names, addresses and secrets "
        "are replaced.  Nothing is sent anywhere; look through it before you do.",
    )
    made.add_argument(
        "file",
        type=Path,
        nargs="?",
        help=f"a new one, {STANDARD} for standard output; else bumper-support-DATE.tar.gz",
    )
    made.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help=f"the log, if it is in a file; {STANDARD} for standard input",
    )
    return with_folders(made)


def bundled(settings: Settings, options: argparse.Namespace) -> int:
    """
    Write it.

    @return: the exit status.
    @raise BadRequest: the file is there, or cannot be written.
    """
    now = datetime.now()
    standard = str(options.file) == STANDARD
    if standard and sys.stdout.isatty():
        raise BadRequest("a bundle is nothing for a screen; name a file, or send it to one")
    file: Path = options.file or Path(f"bumper-support-{now:%Y-%m-%d}.tar.gz")
    gathered = gather(Sources(settings, lambda: looked_at(settings), log_of(options.log)))
    files = made(gathered, this_house(settings))
    data = packed(files, f"bumper-support-{now:%Y-%m-%d}", now.timestamp())
    if standard:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write(file, data)
    name = "the bundle" if standard else file
    said = [
        f"{name} is written.  Look through it before you send it; it begins with README.txt.",
        *(f"not in it: {name}; README.txt says why" for name in gathered.missing),
    ]
    (sys.stderr if standard else sys.stdout).write("".join(f"{line}\n" for line in said))
    return 0


def log_of(named: Path | None) -> Callable[[], AbstractContextManager[BinaryIO]] | None:
    """How to open the log that was named; C{None} if none was."""
    if named is None:
        return None
    if str(named) == STANDARD:
        return lambda: nullcontext(sys.stdin.buffer)
    return lambda: open_plain(named)


def this_house(settings: Settings) -> House:
    """What this box knows of itself."""
    return House(
        settings,
        tuple(dict.fromkeys((socket.gethostname(),))),
        tuple(whoever()),
        tuple(each.address for each in own_addresses()),
    )


def looked_at(settings: Settings) -> Mapping[str, Any]:
    """What the doctor finds without a server."""

    async def work(reactor: Any) -> Mapping[str, Any]:
        findings = await examine(evidence(reactor, settings, None), in_thread(reactor))
        return report(findings, running=False)

    return in_reactor(work) or {"asked": "the doctor has failed"}
