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
    """
    The accounts that the owner has added.

    The disk decides: one that was added while we run works at once.  In memory is, by uid, the
    stored hash that the oldest connections of an account may have come in with, so that a
    changed password is noticed.
    """

    def __init__(self, store: IAccountStore, passwords: Passwords, throttle: Throttle) -> None:
        self._store, self._passwords, self._throttle = store, passwords, throttle
        self._hashes: dict[str, str] = {}

    def load(self, store: IAccountStore) -> Deferred[frozenset[str]]:
        """
        Look at the disk.

        @param store: where to read: the one of the constructor may not be open yet.
        @return: the uids of those whose password is another one since this was called last,
            or is gone.
        """
        return store.passwords().addCallback(self._changed)

    def _changed(self, now: dict[str, str]) -> frozenset[str]:
        before, self._hashes = self._hashes, now
        return frozenset(uid for uid, hashed in before.items() if now.get(uid) != hashed)

    def knows(self, account: str) -> bool:
        """Whether an account had a password when we looked last, or somebody came in since."""
        return uid_of(account) in self._hashes

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
        uid, before = uid_of(account), self._hashes
        guess = self._throttle.guess(peer, uid)
        hashed = await self._store.password(uid)
        right = await self._passwords.check(digest, hashed, guess)
        if hashed is None or not right or self._is_old(before, uid, hashed):
            raise UnknownAccount("wrong account or password")
        self._hashes.setdefault(uid, hashed)
        return account

    def _is_old(self, before: dict[str, str], uid: str, hashed: str) -> bool:
        """Whether the password was changed while it was compared: nobody would notice later."""
        return self._hashes is not before and self._hashes.get(uid) != hashed


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
