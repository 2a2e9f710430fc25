"""C{bumper support-bundle}: one file with what somebody needs who is to help."""

import argparse
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from bumper_tw.app.addresses import own_addresses
from bumper_tw.app.cli_parts import settings_of, spoken, with_folders
from bumper_tw.app.doctor.checks import examine
from bumper_tw.app.doctor.finding import report
from bumper_tw.app.doctor.gathering import evidence, in_thread
from bumper_tw.app.logs import USUAL
from bumper_tw.app.settings import Settings
from bumper_tw.app.support.bundle import House, made, packed, write
from bumper_tw.app.support.gathering import Sources, gather
from bumper_tw.app.support.identifiers import whoever


def main(arguments: Sequence[str]) -> int:
    """
    Write a support bundle.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return spoken(lambda: bundled(settings_of(options), options))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper support-bundle}."""
    made = argparse.ArgumentParser(
        prog="bumper support-bundle",
        description="Writes one file for whoever is to help you: versions, settings, what the "
        "doctor finds, the last connections, the end of the log.  Names, addresses and secrets "
        "are replaced.  Nothing is sent anywhere; look through it before you do.",
    )
    made.add_argument(
        "file", type=Path, nargs="?", help="a new one; else bumper-support-DATE.tar.gz"
    )
    made.add_argument("--log", type=Path, metavar="FILE", help="the log, if it is in a file")
    return with_folders(made)


def bundled(settings: Settings, options: argparse.Namespace) -> str:
    """
    Write it.

    @raise BadRequest: the file is there, or cannot be written.
    """
    now = datetime.now()
    file: Path = options.file or Path(f"bumper-support-{now:%Y-%m-%d}.tar.gz")
    gathered = gather(
        Sources(settings, lambda: looked_at(settings), places(settings, options.log))
    )
    files = made(gathered, this_house(settings))
    write(file, packed(files, f"bumper-support-{now:%Y-%m-%d}", now.timestamp()))
    return "\n".join(
        [
            f"{file} is written.  Look through it before you send it; it begins with README.txt.",
            *(f"not in it: {name}; README.txt says why" for name in gathered.missing),
        ]
    )


def places(settings: Settings, named: Path | None) -> tuple[Path, ...]:
    """Where the log may be: where it is said to be, and where twistd puts it."""
    folder = settings.storage.directory.absolute()
    return named or Path(), *(each / USUAL for each in (Path.cwd(), folder, folder.parent))


def this_house(settings: Settings) -> House:
    """What this box knows of itself."""
    return House(
        settings,
        tuple(dict.fromkeys((socket.gethostname(),))),
        tuple(whoever()),
        tuple(each.address for each in own_addresses()),
    )


def looked_at(settings: Settings) -> Mapping[str, Any]:
    """What the doctor finds without a server, in a reactor of our own."""
    found: list[Mapping[str, Any]] = []

    async def work(reactor: Any) -> None:
        findings = await examine(evidence(reactor, settings, None), in_thread(reactor))
        found.append(report(findings, running=False))

    try:
        react(lambda reactor: Deferred.fromCoroutine(work(reactor)))
    except SystemExit:
        # That is how it ends, also after a failure, which it has told by then.
        return found[0] if found else {"asked": "the doctor has failed"}
