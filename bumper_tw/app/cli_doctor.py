"""C{bumper doctor}: what is wrong, and what to do, beside a running server or without one."""

import argparse
import json
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from twisted.names import dns

from bumper_tw.app.asking import NotRunning, ask
from bumper_tw.app.cli_parts import ended, settings_of, with_folders
from bumper_tw.app.doctor.checks import InThread, examine
from bumper_tw.app.doctor.evidence import Evidence, Server
from bumper_tw.app.doctor.finding import Finding, failures, report
from bumper_tw.app.doctor.gathering import evidence, in_reactor, in_thread
from bumper_tw.app.doctor.snapshot import Snapshot, parse
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BumperError
from bumper_tw.front.contact import clean

SNAPSHOT = "/api/doctor/snapshot"

#: Seconds for the running server to answer.
PATIENCE = 10.0

#: Shells give a meaning of their own to exit statuses above this.
MOST = 125

#: As much is shown of one text.
LONGEST = 4000

#: How a finding begins.
MARKS = {True: "ok  ", False: "FAIL", None: "--  "}


def main(arguments: Sequence[str]) -> int:
    """
    Make all checks and tell what they found.

    @return: the exit status: how many failed.
    """
    options = parser().parse_args(arguments)
    return ended(lambda: all_checks(settings_of(options), options))


def all_checks(settings: Settings, options: argparse.Namespace) -> int:
    """
    Make the checks, with what the running server knows if there is one.

    @return: how many failed.
    """
    snapshot, trouble = running(settings)
    if trouble:
        sys.stderr.write(f"bumper: {clean(trouble)}\n")
    return examined(settings, snapshot, options)


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper doctor}."""
    made = argparse.ArgumentParser(
        prog="bumper doctor",
        description="Looks at everything that keeps robots and apps from getting here, and says "
        "what to do.  The exit status is the number of failures.",
    )
    made.add_argument("--json", action="store_true", help="for programs")
    made.add_argument(
        "--server",
        action="append",
        default=[],
        type=server,
        metavar="IP[:PORT]",
        help="a DNS server that robots ask; may be given several times",
    )
    return with_folders(made)


def server(text: str) -> Server:
    """
    A DNS server: C{192.168.1.1}, C{192.168.1.1:5353}, C{fd00::1} or C{[fd00::1]:5353}.

    @raise ArgumentTypeError: it is none.
    """
    host, _, port = (
        text.rpartition(":") if "]:" in text or text.count(":") == 1 else (text, "", "")
    )
    try:
        address, number = str(ip_address(host.strip("[]"))), int(port or dns.PORT)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no address of a server") from None
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"there is no port {port}")
    return address, number


def running(settings: Settings) -> tuple[Snapshot | None, str]:
    """
    What the running server knows.

    @return: C{None} without one, and what to say about that.
    """
    try:
        return parse(ask(settings, SNAPSHOT, PATIENCE)), ""
    except NotRunning:
        return None, "no server runs on this data folder; looking without it"
    except BumperError as why:
        return None, f"{why}; looking without it"


def examined(settings: Settings, snapshot: Snapshot | None, options: argparse.Namespace) -> int:
    """Make the checks in a reactor of our own."""

    async def work(reactor: Any) -> int:
        found = evidence(reactor, settings, snapshot, tuple(options.server))
        said, status = await told(found, in_thread(reactor), options.json)
        sys.stdout.write(said)
        return status

    status = in_reactor(work)
    return 1 if status is None else status


async def told(found: Evidence, in_thread: InThread, as_json: bool) -> tuple[str, int]:
    """What the checks find, and the exit status."""
    findings = await examine(found, in_thread)
    said = rendered(findings, found.snapshot is not None, as_json)
    return said, min(MOST, failures(findings))


def rendered(findings: tuple[Finding, ...], running: bool, as_json: bool) -> str:
    """What was found, for people or for programs."""
    if as_json:
        return json.dumps(report(findings, running), indent=1) + "\n"
    width = max(len(finding.check) for finding in findings)
    return "".join(lines(finding, width) for finding in findings)


def lines(finding: Finding, width: int) -> str:
    """One finding for people."""
    first = f"{MARKS[finding.sound]} {finding.check:{width}}  {clean(finding.sentence, LONGEST)}"
    below = [f"{'':{width + 7}}{clean(line)}" for line in finding.lines]
    remedy = [f"       -> {clean(finding.remedy, LONGEST)}"] if finding.failed else []
    return "".join(f"{line}\n" for line in (first, *below, *remedy))
