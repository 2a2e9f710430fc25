"""C{bumper}: the same as C{twistd bumper} in the foreground, and what owners do besides."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

from bumper_tw.app.cli_owners import Deeds, give_arguments, share_arguments
from bumper_tw.app.cli_parts import (
    MINUTES,
    RELOAD_ROBOTS,
    Deed,
    done,
    now,
    secret,
    settings_of,
    table,
    wall_clock,
)
from bumper_tw.core.owner import Owner, Resident, RobotOwner
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.policies import uid_of
from bumper_tw.core.turns import Turns
from bumper_tw.errors import BadRequest
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.devices import DeviceStore
from bumper_tw.storage.files import Files
from bumper_tw.storage.robot_secrets import RobotSecretStore
from bumper_tw.storage.telemetry import TelemetryStore

T = TypeVar("T")

#: What a running server needs to be told.
RELOAD = "send a running server SIGHUP to end the sessions of this account"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a sub-command if the first word is one, and the server otherwise."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(given[0]) if given else None
    if command is None:
        serve(given)
    else:
        raise SystemExit(command(given[1:]))


def serve(options: Sequence[str]) -> None:
    """The server, in the foreground."""
    from twisted.scripts.twistd import run

    sys.argv = ["twistd", "--nodaemon", "--pidfile=", "bumper", *options]
    run()


def user(arguments: Sequence[str]) -> int:
    """
    Accounts with a password: for the strict policy, and for local services over MQTT.

    @return: the exit status.
    """
    options = user_parser().parse_args(arguments)
    return done(USER_DEEDS[options.deed], options)


def robot(arguments: Sequence[str]) -> int:
    """
    Robots, and the secrets they are known by.

    @return: the exit status.
    """
    options = robot_parser().parse_args(arguments)
    return done(ROBOT_DEEDS[options.deed], options)


def unknown(arguments: Sequence[str]) -> int:
    """What clients asked for that nobody answers; see L{bumper_tw.app.cli_reports}."""
    from bumper_tw.app import cli_reports

    return cli_reports.unknown(arguments)


def firmware(arguments: Sequence[str]) -> int:
    """Who asked for updates; see L{bumper_tw.app.cli_reports}."""
    from bumper_tw.app import cli_reports

    return cli_reports.firmware(arguments)


def certs(arguments: Sequence[str]) -> int:
    """The authority and its certificates; see L{bumper_tw.app.cli_certs}."""
    from bumper_tw.app import cli_certs

    return cli_certs.main(arguments)


def dns(arguments: Sequence[str]) -> int:
    """What to tell the DNS server of the house; see L{bumper_tw.app.cli_dns}."""
    from bumper_tw.app import cli_dns

    return cli_dns.main(arguments)


def doctor(arguments: Sequence[str]) -> int:
    """What is wrong, and what to do; see L{bumper_tw.app.cli_doctor}."""
    from bumper_tw.app import cli_doctor

    return cli_doctor.main(arguments)


def journal(arguments: Sequence[str]) -> int:
    """Who connected, and what became of it; see L{bumper_tw.app.cli_journal}."""
    from bumper_tw.app import cli_journal

    return cli_journal.main(arguments)


def backup(arguments: Sequence[str]) -> int:
    """A copy of everything that must not be lost; see L{bumper_tw.app.cli_backup}."""
    from bumper_tw.app import cli_backup

    return cli_backup.backup(arguments)


def restore(arguments: Sequence[str]) -> int:
    """What a backup holds, put back; see L{bumper_tw.app.cli_backup}."""
    from bumper_tw.app import cli_backup

    return cli_backup.restore(arguments)


def take_over(arguments: Sequence[str]) -> int:
    """What an older Bumper knows, taken over; see L{bumper_tw.app.cli_import}."""
    from bumper_tw.app import cli_import

    return cli_import.main(arguments)


def support_bundle(arguments: Sequence[str]) -> int:
    """What to send to whoever helps; see L{bumper_tw.app.cli_support}."""
    from bumper_tw.app import cli_support

    return cli_support.main(arguments)


def log(arguments: Sequence[str]) -> int:
    """What is written to the log, from now on; see L{bumper_tw.app.cli_log}."""
    from bumper_tw.app import cli_log

    return cli_log.main(arguments)


def metrics(arguments: Sequence[str]) -> int:
    """Figures, as Prometheus reads them; see L{bumper_tw.app.cli_metrics}."""
    from bumper_tw.app import cli_metrics

    return cli_metrics.main(arguments)


def owner(arguments: Sequence[str]) -> int:
    """The password of the owner's pages; see L{bumper_tw.app.cli_owner}."""
    from bumper_tw.app import cli_owner

    return cli_owner.main(arguments)


def owner_of(database: InlineDatabase) -> Owner:
    """The owner, hashing passwords here and now."""
    return Owner(wall_clock(), AccountStore(database), Passwords(at_once, token_hex, Turns()))


def robot_owner_of(database: InlineDatabase) -> RobotOwner:
    """The owner of the robots."""
    return RobotOwner(DeviceStore(database), RobotSecretStore(database), TelemetryStore(database))


def deeds_on(database: InlineDatabase, options: argparse.Namespace | None = None) -> Deeds:
    """What can be done with owners and shares; files need to know where they are."""
    if options is None:
        return Deeds(wall_clock(), database)
    settings = settings_of(options)
    files = Files(wall_clock(), at_once, settings.storage.directory)
    # A server may be running.
    files.look(alone=False)
    return Deeds(wall_clock(), database, files, settings.identity.robots_of == "owners")


def user_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper user}."""
    return parser(
        "user",
        "Accounts with a password.",
        {
            "add": "add an account, or change its password",
            "password": "change the password of an account, or add one",
            "remove": "remove an account and everything it is logged in to",
            "list": "list the accounts",
        },
        ("name", "the account, such as an e-mail address"),
    )


def robot_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper robot}."""
    return parser(
        "robot",
        "Robots, and the secrets they are known by.  A robot is trusted when it connects for "
        "the first time, and has to bring the same secret from then on.",
        {
            "list": "list the robots: id, class, name, kind of secret, last report",
            "trust": "forget the secret of a robot, after a factory reset: the next one counts",
            "remove": "forget a robot with its secret and its reports",
            "give": "make a robot somebody's, or every one that is nobody's",
            "share": "let somebody else use a robot, too",
            "unshare": "do not let somebody use a robot any more",
        },
        ("did", "the id of the robot, as in the list"),
        {"give": give_arguments, "share": share_arguments, "unshare": share_arguments},
    )


def parser(
    command: str,
    about: str,
    deeds: Mapping[str, str],
    names: tuple[str, str],
    special: Mapping[str, Callable[[argparse.ArgumentParser], None]] = MappingProxyType({}),
) -> argparse.ArgumentParser:
    """
    What can stand behind one command.

    @param deeds: each with its meaning.
    @param names: what all but C{list} are about, and its meaning;
    @param special: unless they are about something else.
    """
    whole = argparse.ArgumentParser(prog=f"bumper {command}", description=about)
    parts = whole.add_subparsers(dest="deed", required=True)
    for deed, meaning in deeds.items():
        one = parts.add_parser(deed, help=meaning, description=meaning)
        if deed in special:
            special[deed](one)
        elif deed != "list":
            one.add_argument(names[0], help=names[1])
        one.add_argument("--config", "-c", type=Path, help="settings file (TOML)")
        one.add_argument("--data", "-d", type=Path, help="folder of the database")
    return whole


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """Nobody else waits here while a password is hashed."""
    return maybeDeferred(work)


def add_user(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Ask for a password, or read its line from a pipe."""
    added = now(owner_of(database).set_password(options.name, secret("Password")))
    return f"{added.account} can log in with this password; {RELOAD}"


def remove_user(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Whoever is logged in to the account is not any more."""
    # First what hangs on the account: it is still found if this ends in between.
    now(deeds_on(database, options).forget_users({uid_of(options.name)}))
    if not now(owner_of(database).remove(options.name)):
        raise BadRequest(f"there is no account {options.name}")
    return f"{options.name} is removed; {RELOAD}"


def list_users(database: InlineDatabase, _: argparse.Namespace) -> str:
    """One account a line."""
    users = now(owner_of(database).users())
    return "\n".join(user.account for user in users) or "there are no accounts"


def list_robots(database: InlineDatabase, _: argparse.Namespace) -> str:
    """One robot a line, under the names of the columns."""
    robots = now(robot_owner_of(database).robots())
    names: tuple[str, ...] = ("ID", "CLASS", "NAME", "SECRET", "LAST REPORT")
    rows = [columns(robot) for robot in robots]
    owners = now(deeds_on(database).owners())
    if owners:
        names = (*names, "OWNER")
        rows = [(*columns(robot), owners.get(robot.did, "-")) for robot in robots]
    return table(names, rows, "there are no robots")


def columns(robot: Resident) -> tuple[str, ...]:
    """A robot in the list.  Its name came over the network, and must not steer a terminal."""
    heard = datetime.fromtimestamp(robot.heard_at).strftime(MINUTES) if robot.heard_at else "never"
    secret = robot.secret.value if robot.secret else "the next"
    name = "".join(letter if letter.isprintable() else "?" for letter in robot.name)
    return robot.did, robot.model or "-", name or "-", secret, heard


def trust_robot(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Forget the secret of a robot: what it brings when it connects next counts."""
    now(robot_owner_of(database).trust(options.did))
    return f"{options.did} is trusted when it connects next; {RELOAD_ROBOTS}"


def give_robot(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Make a robot somebody's, or all that are nobody's."""
    return now(deeds_on(database, options).give(options))


def share_robot(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Let somebody else use a robot, too."""
    return now(deeds_on(database).share(options))


def unshare_robot(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Do not let somebody use a robot any more."""
    return now(deeds_on(database).unshare(options))


def remove_robot(database: InlineDatabase, options: argparse.Namespace) -> str:
    """Forget a robot, which is new when it connects next."""
    # First what hangs on the robot, as with accounts.
    now(deeds_on(database, options).forget_robot(options.did))
    now(robot_owner_of(database).remove(options.did))
    return f"{options.did} is removed; {RELOAD_ROBOTS}"


#: What can be done with accounts, and with robots.
USER_DEEDS: dict[str, Deed] = {
    "add": add_user,
    "password": add_user,
    "remove": remove_user,
    "list": list_users,
}
ROBOT_DEEDS: dict[str, Deed] = {
    "list": list_robots,
    "trust": trust_robot,
    "remove": remove_robot,
    "give": give_robot,
    "share": share_robot,
    "unshare": unshare_robot,
}

#: What can stand behind C{bumper}.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "user": user,
    "robot": robot,
    "unknown": unknown,
    "firmware": firmware,
    "certs": certs,
    "dns": dns,
    "doctor": doctor,
    "journal": journal,
    "backup": backup,
    "restore": restore,
    "import": take_over,
    "support-bundle": support_bundle,
    "log": log,
    "metrics": metrics,
    "owner": owner,
}


if __name__ == "__main__":
    main()
