"""Who the owner of the box is, and how he gets in, put together."""

import socket
from secrets import token_hex, token_urlsafe
from typing import Any

from attrs import frozen

from bumper_tw.app.brokerage import in_thread
from bumper_tw.app.settings import Settings
from bumper_tw.core.accounts import Accounts
from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.turns import Turns
from bumper_tw.interfaces import IDatabase
from bumper_tw.storage.records import RecordStore
from bumper_tw.web.doorman import Doorman
from bumper_tw.web.guard import Guard
from bumper_tw.web.own_names import OwnNames

AN_HOUR = 3600.0


@frozen
class OwnerSide:
    """
    Everything of that kind.

    @ivar access: his password, browsers and tokens.
    @ivar doorman: lets him in.
    @ivar guard: lets in everybody who has something to do with robots.
    @ivar turns: of all that hash.
    """

    access: OwnerAccess
    doorman: Doorman
    guard: Guard
    turns: Turns


def owner_side(
    reactor: Any, settings: Settings, database: IDatabase, accounts: Accounts, turns: Turns
) -> OwnerSide:
    """
    Put it together.

    @param turns: shared with all others that hash.
    """
    access = OwnerAccess(
        reactor,
        RecordStore(database),
        Passwords(in_thread(reactor), token_hex, turns),
        Throttle(reactor),
        token_hex,
        token_urlsafe,
        lambda: settings.dashboard.session_hours * AN_HOUR,
    )
    names = OwnNames(socket.gethostname(), settings.server.name)
    doorman = Doorman(
        access,
        names,
        Guard(accounts, None, names.believed),
        lambda: settings.identity.robots_of == "household",
        lambda: settings.dashboard.everywhere,
        lambda uid: account_of(accounts, uid),
    )
    return OwnerSide(access, doorman, Guard(accounts, doorman, names.believed), turns)


def account_of(accounts: Accounts, uid: str) -> str:
    """What a user is called."""
    user = accounts.user(uid)
    return user.account if user else uid
