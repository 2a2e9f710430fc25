"""C{bumper unknown} and C{bumper firmware}: what clients asked for; the server may be running."""

import argparse
import json
from collections.abc import Sequence
from datetime import datetime

from attrs import asdict

from bumper_tw.app.cli_parts import (
    MINUTES,
    RELOAD_ROBOTS,
    done,
    now,
    settings_of,
    table,
    wall_clock,
    with_folders,
)
from bumper_tw.core.unknown import Unknown, UnknownPaths
from bumper_tw.core.updates import Attempt, Updates
from bumper_tw.errors import BadRequest
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.files import FIRMWARE, OwnFirmware
from bumper_tw.storage.records import RecordStore

#: What a running server has to be told once the report is empty.
FORGOTTEN = "the report is empty; send a running server SIGHUP to empty it there"


def unknown(arguments: Sequence[str]) -> int:
    """
    The paths that nobody answers.

    @return: the exit status.
    """
    options = unknown_parser().parse_args(arguments)
    return done(forget_unknown if options.forget else show_unknown, options)


def firmware(arguments: Sequence[str]) -> int:
    """
    Who asked for updates, and letting one through.

    @return: the exit status.
    """
    options = firmware_parser().parse_args(arguments)
    return done(allow_firmware if options.deed == "allow" else show_firmware, options)


def unknown_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper unknown}."""
    parser = argparse.ArgumentParser(
        prog="bumper unknown",
        description="What apps and robots asked for that nobody answers here.  There are neither "
        "names nor values of yours in it, so it can be shown to others.",
    )
    parser.add_argument("--json", action="store_true", help="everything, to be sent to somebody")
    parser.add_argument("--forget", action="store_true", help="begin anew")
    return with_folders(parser)


def firmware_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper firmware}."""
    parser = argparse.ArgumentParser(
        prog="bumper firmware",
        description="Who asked for newer software.  Nobody gets any, unless it is allowed once.",
    )
    parts = with_folders(parser).add_subparsers(dest="deed")
    meaning = "let one update through to a robot, within a day: firmware/<class>/latest.json"
    allow = parts.add_parser("allow", help=meaning, description=meaning)
    allow.add_argument("did", help="the id of the robot, as in bumper robot list")
    with_folders(allow, argparse.SUPPRESS)
    return parser


def report_in(database: InlineDatabase) -> UnknownPaths:
    """The report as it is on disk."""
    report = UnknownPaths(wall_clock(), RecordStore(database))
    now(report.load(RecordStore(database)))
    return report


def updates_in(database: InlineDatabase) -> Updates:
    """The attempts as they are on disk."""
    updates = Updates(wall_clock(), RecordStore(database))
    now(updates.load(RecordStore(database)))
    return updates


def show_unknown(database: InlineDatabase, options: argparse.Namespace) -> str:
    """One path a line; the last ones, which are new, at the end."""
    found = report_in(database).report()
    if options.json:
        return json.dumps([asdict(each) for each in found], indent=1)
    rows = [unknown_columns(each) for each in found]
    return table(("COUNT", "LAST", "METHOD", "PATH", "FAMILY", "ASKED BY"), rows, "nothing yet")


def unknown_columns(each: Unknown) -> tuple[str, ...]:
    """A path in the list."""
    apps = sorted({str(shape["app"]) for shape in each.shapes if "app" in shape})
    family = each.family or "none"
    return str(each.count), minutes(each.last), each.method, each.path, family, " ".join(apps)


def forget_unknown(database: InlineDatabase, _: argparse.Namespace) -> str:
    """Empty the report of unknown paths."""
    now(report_in(database).forget())
    return FORGOTTEN


def show_firmware(database: InlineDatabase, _: argparse.Namespace) -> str:
    """One attempt a line."""
    rows = [attempt_columns(each) for each in updates_in(database).attempts()]
    names = ("WHO", "CLASS", "WHAT", "MODULE", "VERSION", "COUNT", "LAST")
    return table(names, rows, "nobody has asked")


def attempt_columns(each: Attempt) -> tuple[str, ...]:
    """An attempt in the list."""
    parts = (each.did or each.peer, each.model, each.kind, each.module, each.version)
    return *(part or "-" for part in parts), str(each.count), minutes(each.last)


def allow_firmware(database: InlineDatabase, options: argparse.Namespace) -> str:
    """
    Let one update through.

    @raise BadRequest: there is no such robot, or nothing for it.
    """
    known = {each.id.did: each.id.model for each in now(DeviceStore(database).load())}
    if options.did not in known:
        raise BadRequest(f"there is no robot {options.did}")
    data = settings_of(options).storage.directory
    model = known[options.did]
    place = data / FIRMWARE / model / "latest.json"
    if not OwnFirmware(data).has(model):
        raise BadRequest(f"there is nothing to let through: {place} is missing, or no JSON object")
    now(updates_in(database).allow(options.did))
    return f"{options.did} may have {place} once, within a day; {RELOAD_ROBOTS}"


def minutes(at: float) -> str:
    """A time for people."""
    return datetime.fromtimestamp(at).strftime(MINUTES)
