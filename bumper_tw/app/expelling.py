"""Whoever would not be let in any more is not here any more, and what is left for him goes."""

from collections.abc import Callable, Container, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from bumper_tw.app.belongings import Belongings
from bumper_tw.core.accounts import Accounts
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.password_file import PasswordFile
from bumper_tw.core.policies import KnownAccounts, uid_of
from bumper_tw.core.sessions import settled
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IAccountStore
from bumper_tw.values import Principal, Role


class Connected(Protocol):
    """Who is connected to one edge."""

    def dismiss(self, gone: Callable[[Principal], bool]) -> None:
        """End the connections of those who would not be let in any more."""


Parties = Iterable[Connected]


class Facts(Protocol):
    """What is needed of the middle of the server."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def known(self) -> KnownAccounts: ...
    @property
    def passwords(self) -> PasswordFile | None: ...
    @property
    def belongings(self) -> Belongings: ...


def reload_passwords(facts: Facts, router: MqttBroker) -> None:
    """Read the file of passwords; whoever came in by a line that has changed has to come anew."""
    if facts.passwords is not None:
        changed = facts.passwords.reload()
        router.clients.dismiss(lambda who: who.role is Role.SERVICE and who.name in changed)


def reload_accounts(facts: Facts, parties: Parties, store: IAccountStore) -> Deferred[None]:
    """Read our own accounts; whoever is gone or has another password is not logged in any more."""
    return Deferred.fromCoroutine(_reload_accounts(facts, parties, store))


async def _reload_accounts(facts: Facts, parties: Parties, store: IAccountStore) -> None:
    removed = await facts.accounts.reload(store)
    # Nobody tells us of them a second time, so that nothing below may come before this.
    departed = facts.belongings.departed(removed)
    try:
        changed = await facts.known.load(store)
    except StorageError:
        await settled([departed])
        raise
    # At once, and only then on disk: what fails there must not keep a connection open.
    expelled = facts.accounts.expel(removed | changed)
    dismiss(facts, parties, removed | changed)
    await settled([expelled, departed])


def dismiss(facts: Facts, parties: Parties, uids: Container[str]) -> None:
    """
    Close connections of those who would not get in again; what was left for them goes, too.

    @param uids: of users who are gone, or have another password.
    """

    def gone(who: Principal) -> bool:
        if who.role is Role.USER:
            return who.name in uids or not facts.accounts.may_stay(who.name)
        return who.role is Role.SERVICE and _is_gone(facts, who.name, uids)

    for connected in parties:
        connected.dismiss(gone)


def _is_gone(facts: Facts, account: str, uids: Container[str]) -> bool:
    """The same about the account of a local service; what the file decides is its own."""
    if facts.passwords is not None and facts.passwords.knows(account):
        return False
    return uid_of(account) in uids or not facts.known.knows(account)
