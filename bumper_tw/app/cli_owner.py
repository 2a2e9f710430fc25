"""C{bumper owner}: the code for the first visit to the page, and a way out without password."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from secrets import token_hex, token_urlsafe
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred

from bumper_tw.app.asking import NotRunning, ask, tell
from bumper_tw.app.cli_parts import (
    MINUTES,
    counted,
    now,
    open_database,
    settings_of,
    spoken,
    wall_clock,
    with_folders,
)
from bumper_tw.app.running import must_not_run
from bumper_tw.app.settings import Settings
from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.turns import Turns
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.owner_control import CODE_PATH, RESET_PATH, STATE_PATH, state_of

T = TypeVar("T")

#: Seconds for the running server to answer.
PATIENCE = 10.0

#: What can stand behind it.
DEEDS = {
    "code": "tell the code for the first visit, on which the owner's password is set",
    "reset": "remove the owner's password and log all browsers out; tokens stay",
    "status": "tell whether there is a password, and who is logged in",
}

HOUR = 3600.0


def main(arguments: Sequence[str]) -> int:
    """
    Do one of them.

    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    return spoken(lambda: said(settings_of(options), options))


def parser() -> argparse.ArgumentParser:
    """What can stand behind C{bumper owner}."""
    made = argparse.ArgumentParser(
        prog="bumper owner", description="The owner of the box, who has one password for its page."
    )
    parts = made.add_subparsers(dest="deed", required=True)
    for deed, meaning in DEEDS.items():
        with_folders(parts.add_parser(deed, help=meaning, description=meaning))
    return made


def said(settings: Settings, options: argparse.Namespace) -> str:
    """
    Do what is wanted.

    @return: what there is to say.
    @raise BumperError: it cannot be done.
    """
    if options.deed == "code":
        return code(settings)
    if options.deed == "reset":
        return reset(settings, options)
    return status(settings, options)


def code(settings: Settings) -> str:
    """
    The code; only the server that runs knows it.

    @raise BumperError: there is none, or there is a password already.
    """
    told = tell(settings, CODE_PATH, {}, PATIENCE)
    return (
        f"{told['code']}\n"
        f"Open the page of this box and type this code; it is good for {told['minutes']} minutes."
    )


def reset(settings: Settings, options: argparse.Namespace) -> str:
    """
    Remove the password, in the server that runs, or where it is stored.

    @raise BumperError: that is not possible now.
    """
    try:
        told = tell(settings, RESET_PATH, {}, PATIENCE)
    except NotRunning:
        must_not_run(settings, "remove the password")
        told = stored(settings, options, remove=True)
    tokens = f"; {counted(told['tokens'], 'token')} for scripts stay" if told["tokens"] else ""
    return f"there is no password any more, and no browser is logged in{tokens}"


def status(settings: Settings, options: argparse.Namespace) -> str:
    """How it is."""
    try:
        told = ask(settings, STATE_PATH, PATIENCE)
    except NotRunning:
        told = stored(settings, options)
    return "\n".join(lines(told))


def lines(told: Mapping[str, Any]) -> list[str]:
    """The same in words."""
    state = "there is no password yet: bumper owner code"
    if told["set"]:
        when = datetime.fromtimestamp(told["since"] or 0).strftime(MINUTES)
        state = f"the password was set {when}"
    browsers = counted(told["browsers"], "browser")
    return [state, f"logged in: {browsers}", f"for scripts: {counted(told['tokens'], 'token')}"]


def stored(
    settings: Settings, options: argparse.Namespace, remove: bool = False
) -> Mapping[str, Any]:
    """
    What is stored, as the server tells it.

    @param remove: whether to remove the password first.
    """
    with closing(open_database(options)) as database:
        access = access_on(database, settings)
        now(access.load(RecordStore(database)))
        if remove:
            now(access.reset())
        return state_of(access)


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """Nobody else waits here."""
    return maybeDeferred(work)


def access_on(database: InlineDatabase, settings: Settings) -> OwnerAccess:
    """The owner, without a server; nothing has to be hashed."""
    seconds = settings.dashboard.session_hours * HOUR
    return OwnerAccess(
        wall_clock(),
        RecordStore(database),
        Passwords(at_once, token_hex, Turns()),
        Throttle(wall_clock()),
        token_hex,
        token_urlsafe,
        lambda: seconds,
    )
