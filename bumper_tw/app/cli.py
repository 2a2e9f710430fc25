"""C{bumper}: the same as C{twistd bumper} in the foreground, and what owners do besides."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from getpass import getpass
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from bumper_tw.app import config
from bumper_tw.core.owner import Owner
from bumper_tw.core.passwords import Passwords
from bumper_tw.errors import BadRequest, BumperError
from bumper_tw.storage.accounts import AccountStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate

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
    try:
        with closing(open_database(options)) as database:
            said = DEEDS[options.deed](owner_of(database), options)
    except BumperError as why:
        sys.stderr.write(f"bumper: {why}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def open_database(options: argparse.Namespace) -> InlineDatabase:
    """The database that the settings name; the server may be using it."""
    given = {} if options.data is None else {"storage.directory": str(options.data)}
    settings = config.load(options.config, os.environ, given)
    path = settings.storage.directory / DATABASE
    migrate(path)
    return InlineDatabase(path)


def owner_of(database: InlineDatabase) -> Owner:
    """The owner, hashing passwords here and now."""
    from twisted.internet import reactor

    clock: Any = reactor
    return Owner(clock, AccountStore(database), Passwords(at_once, token_hex))


def user_parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper user}."""
    parser = argparse.ArgumentParser(prog="bumper user", description="Accounts with a password.")
    deeds = parser.add_subparsers(dest="deed", required=True)
    for deed, meaning in (
        ("add", "add an account, or change its password"),
        ("password", "the same"),
        ("remove", "remove an account and everything it is logged in to"),
        ("list", "list the accounts"),
    ):
        one = deeds.add_parser(deed, help=meaning, description=meaning)
        if deed != "list":
            one.add_argument("name", help="the account, such as an e-mail address")
        one.add_argument("--config", "-c", type=Path, help="settings file (TOML)")
        one.add_argument("--data", "-d", type=Path, help="folder of the database")
    return parser


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """Nobody else waits here while a password is hashed."""
    return maybeDeferred(work)


def add_user(owner: Owner, options: argparse.Namespace) -> str:
    """Ask for a password, or read its line from a pipe."""
    password = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    added = now(owner.set_password(options.name, password))
    return f"{added.account} can log in with this password; {RELOAD}"


def remove_user(owner: Owner, options: argparse.Namespace) -> str:
    """Whoever is logged in to the account is not any more."""
    if not now(owner.remove(options.name)):
        raise BadRequest(f"there is no account {options.name}")
    return f"{options.name} is removed; {RELOAD}"


def list_users(owner: Owner, _: argparse.Namespace) -> str:
    """One account a line."""
    return "\n".join(user.account for user in now(owner.users())) or "there are no accounts"


#: What can be done with accounts.
DEEDS: dict[str, Callable[[Owner, argparse.Namespace], str]] = {
    "add": add_user,
    "password": add_user,
    "remove": remove_user,
    "list": list_users,
}

#: What can stand behind C{bumper}.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"user": user}


def now(result: Deferred[T]) -> T:
    """The result of something that does not wait: everything here runs at once."""
    results: list[T] = []
    failures: list[Failure] = []
    result.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return results[0]


if __name__ == "__main__":
    main()
