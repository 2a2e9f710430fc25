"""Accounts, as the owner adds and removes them while the server runs."""

from collections.abc import Callable, Collection
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from bumper_tw.core.owner import Owner
from bumper_tw.core.policies import uid_of
from bumper_tw.errors import BadRequest, DeviceUnknown

#: A password that is chosen on a page has as many characters.
SHORTEST, LONGEST = 8, 200


@frozen
class Ways:
    """
    What is done to a server that runs.

    @ivar passwords: the hashes of those who have one, by uid.
    @ivar robots: the dids of what a user owns.
    @ivar departed: drops what users leave who are gone.
    @ivar reload: reads accounts from disk, and logs out who is gone or has another password.
    """

    passwords: Callable[[], Deferred[dict[str, str]]]
    robots: Callable[[str], Collection[str]]
    departed: Callable[[Collection[str]], Deferred[None]]
    reload: Callable[[], Deferred[None]]


class PeopleDesk:
    """
    Does what C{bumper user} does, and has it hold at once.

    One thing at a time: whoever is removed must not come back by what somebody does meanwhile.
    """

    _log = Logger()

    def __init__(self, owner: Owner, ways: Ways) -> None:
        self._owner, self._ways, self._lock = owner, ways, DeferredLock()

    def users(self) -> Deferred[list[dict[str, Any]]]:
        """Everybody who has an account, the first first."""
        return Deferred.fromCoroutine(self._users())

    async def _users(self) -> list[dict[str, Any]]:
        users, hashed = await self._owner.users(), await self._ways.passwords()
        return [
            {
                "account": user.account,
                "created": user.created_at,
                "password": user.uid in hashed,
                "robots": sorted(self._ways.robots(user.uid)),
            }
            for user in users
        ]

    def set_password(self, account: str, password: str, new: bool) -> Deferred[None]:
        """
        Add an account, or change its password; whoever is logged in to it is not any more.

        @param new: whether it must not be there yet, with a password; otherwise it has to.
        @return: fails with L{BadRequest}, or L{DeviceUnknown}.
        """
        return self._lock.run(
            lambda: Deferred.fromCoroutine(self._set_password(account, password, new))
        )

    async def _set_password(self, account: str, password: str, new: bool) -> None:
        if not SHORTEST <= len(password) <= LONGEST:
            raise BadRequest(f"a password has between {SHORTEST} and {LONGEST} characters")
        known = await self._known(account)
        if new and uid_of(account) in await self._ways.passwords():
            raise BadRequest("there is an account of that name already")
        if not new and not known:
            raise DeviceUnknown("there is no such account")
        await self._owner.set_password(account, password)
        await self._ways.reload()
        self._log.info("an account was {what} on the page", what="added" if new else "changed")

    def remove(self, account: str) -> Deferred[None]:
        """
        Remove an account with all that is its, and log out whoever uses it.

        @return: fails with L{DeviceUnknown}.
        """
        return self._lock.run(lambda: Deferred.fromCoroutine(self._remove(account)))

    async def _remove(self, account: str) -> None:
        if not await self._known(account):
            raise DeviceUnknown("there is no such account")
        # First what hangs on the account: it is still found if this ends in between.
        await self._ways.departed({uid_of(account)})
        await self._owner.remove(account)
        await self._ways.reload()
        self._log.info("an account was removed on the page")

    async def _known(self, account: str) -> bool:
        return any(user.uid == uid_of(account) for user in await self._owner.users())
