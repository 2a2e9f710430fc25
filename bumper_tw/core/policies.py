"""Who may have an account: everybody at home, or only those the owner has added."""

import hashlib
from collections.abc import Callable

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import Interface, implementer

from bumper_tw.core.passwords import Passwords, md5_hex
from bumper_tw.core.throttle import Throttle
from bumper_tw.dialect.logins import PasswordCredentials, is_md5, is_opaque
from bumper_tw.errors import UnknownAccount
from bumper_tw.interfaces import IAccountStore

#: Who everybody is that cannot be told apart (http-auth.md 2.1).
DEFAULT_ACCOUNT = "bumper"

#: The longest e-mail address there can be (RFC 5321, 4.5.3.1.3).
MAX_ACCOUNT = 254

#: Undoes the encryption for the key that we publish; C{None} for what was not made so.
Decrypt = Callable[[str], str | None]


def uid_of(account: str) -> str:
    """The user id of an account (http-auth.md 1): the one clients of our ancestors know."""
    return hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()[:20]


class IPolicy(Interface):
    """Decides who somebody is who has no token yet."""

    def identify(credentials: PasswordCredentials) -> Deferred[str]:  # noqa: N805 - zope's way
        """
        The account that somebody may use.

        @return: fails with a L{LoginRefused<bumper_tw.errors.LoginRefused>}.
        """

    def takes_words() -> bool:
        """Whether a user id is enough where a live token should prove it."""


@implementer(IPolicy)
class HomePolicy:
    """Whoever is on the network belongs to the household: any account, any password."""

    def __init__(self, decrypt: Decrypt) -> None:
        self._decrypt = decrypt

    def identify(self, credentials: PasswordCredentials) -> Deferred[str]:
        return succeed(self._account(credentials))

    def takes_words(self) -> bool:
        return True

    def _account(self, credentials: PasswordCredentials) -> str:
        account = account_in(credentials, self._decrypt)
        # What differs at every login would be a new user, with no robots, every time.
        return account if account and not is_opaque(account) else DEFAULT_ACCOUNT


class KnownAccounts:
    """The accounts that the owner has added."""

    def __init__(self, store: IAccountStore, passwords: Passwords, throttle: Throttle) -> None:
        self._store, self._passwords, self._throttle = store, passwords, throttle

    def verify(self, account: str, digest: str, peer: str) -> Deferred[str]:
        """
        Compare a password with the stored one.

        @param digest: the MD5 of the password.
        @param peer: the address that asks.
        @return: the account.  Fails with L{UnknownAccount} when the password is wrong or
            there is no such account, with another
            L{LoginRefused<bumper_tw.errors.LoginRefused>} when somebody tries too
            often.
        """
        return Deferred.fromCoroutine(self._verify(account, digest, peer))

    async def _verify(self, account: str, digest: str, peer: str) -> str:
        self._throttle.enter(peer)
        hashed = await self._store.password(uid_of(account))
        if not await self._passwords.check(digest, hashed):
            raise UnknownAccount("wrong account or password")
        self._throttle.succeeded(peer)
        return account


@implementer(IPolicy)
class StrictPolicy:
    """Only the accounts that the owner has added, with their passwords."""

    def __init__(self, decrypt: Decrypt, known: KnownAccounts) -> None:
        self._decrypt, self._known = decrypt, known

    def identify(self, credentials: PasswordCredentials) -> Deferred[str]:
        account = account_in(credentials, self._decrypt)
        digest = password_in(credentials, self._decrypt)
        if not account or digest is None:
            return fail(UnknownAccount("account and password cannot be read"))
        return self._known.verify(account, digest, credentials.peer)

    def takes_words(self) -> bool:
        return False


def account_in(credentials: PasswordCredentials, decrypt: Decrypt) -> str:
    """The account in clear text; empty when there is none that can be read."""
    account = credentials.account
    if credentials.encrypted_account:
        account = decrypt(credentials.encrypted_account) or ""
    return account if len(account) <= MAX_ACCOUNT and account.isprintable() else ""


def password_in(credentials: PasswordCredentials, decrypt: Decrypt) -> str | None:
    """The MD5 of the password; C{None} when there is none that can be read."""
    if credentials.encrypted_password:
        # It is not known whether the app encrypts the password or its MD5: take both.
        plain = decrypt(credentials.encrypted_password)
        return plain if plain is None or is_md5(plain) else md5_hex(plain)
    password = credentials.password.lower()
    return password if is_md5(password) else None
