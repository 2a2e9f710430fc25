"""What the owner of the box does with accounts; works on the store alone, server or not."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.passwords import Passwords, md5_hex
from bumper_tw.core.policies import MAX_ACCOUNT, uid_of
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import IAccountStore
from bumper_tw.values import User


class Owner:
    """Adds, changes and removes accounts that have a password."""

    def __init__(self, clock: IReactorTime, store: IAccountStore, passwords: Passwords) -> None:
        self._clock, self._store, self._passwords = clock, store, passwords

    def users(self) -> Deferred[list[User]]:
        """Every user, those who made themselves at home included."""
        return self._store.load().addCallback(lambda loaded: loaded[0])

    def set_password(self, account: str, password: str) -> Deferred[User]:
        """
        Add an account, or change its password; whoever is logged in to it is not any more.

        @param password: as a person types it.
        @return: fails with L{BadRequest} when account or password is empty or unfit.
        """
        return Deferred.fromCoroutine(self._set_password(account, password))

    async def _set_password(self, account: str, password: str) -> User:
        if not account or len(account) > MAX_ACCOUNT or not account.isprintable():
            raise BadRequest("an account has between 1 and 254 printable characters")
        if not password:
            raise BadRequest("the password is empty")
        user = await self._known(account) or User(uid_of(account), account, self._clock.seconds())
        hashed = await self._passwords.hashed(md5_hex(password))
        await self._store.set_password(user, hashed)
        await self._log_out(user.uid)
        return user

    def remove(self, account: str) -> Deferred[bool]:
        """Remove a user with all that belongs to it; whether there was one."""
        return Deferred.fromCoroutine(self._remove(account))

    async def _remove(self, account: str) -> bool:
        user = await self._known(account)
        if user is not None:
            await self._store.remove_user(user.uid)
        return user is not None

    async def _known(self, account: str) -> User | None:
        users = await self.users()
        return next((user for user in users if user.uid == uid_of(account)), None)

    async def _log_out(self, uid: str) -> None:
        _, tokens, _ = await self._store.load()
        await self._store.remove_tokens([token.digest for token in tokens if token.uid == uid])
