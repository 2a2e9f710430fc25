"""Logging in, step by step, the way each kind of client does it (http-auth.md 2)."""

import re
from collections.abc import Callable, Iterable, Sequence

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.household import Household
from bumper_tw.core.oauth import OAuth
from bumper_tw.core.policies import DEFAULT_ACCOUNT, IPolicy, uid_of
from bumper_tw.core.sessions import ACCESS, API, USER, Sessions, settled
from bumper_tw.core.tickets import Tickets
from bumper_tw.core.tokens import JwtKind, Signer
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.interfaces import IAccountStore
from bumper_tw.values import Home, Token, User

#: What the ticket between private API and portal starts with (http-auth.md 1).
TICKET_PREFIX = "GLOBAL_APP_ECOVACS_IOT_"

#: A user id that a client may bring along from elsewhere: it ends up in topics.
FOREIGN_UID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

#: As much is kept of what a client calls itself.
MAX_CLIENT = 128


@frozen
class Session:
    """
    Somebody who is in.

    @ivar text: the token or ticket to go on with; nobody can tell it again.
    @ivar expires_at: of that token, in seconds since the epoch.
    """

    user: User
    text: str = field(repr=False)
    expires_at: float


def client_name(text: str) -> str:
    """What is kept of what a client calls itself."""
    return text[:MAX_CLIENT] if text.isprintable() else ""


class Accounts:
    """
    The one place where tokens are made.

    Before a token goes out, what it stands for is on disk; tickets live in memory only.

    @ivar household: who has an account, and their homes.
    @ivar oauth: what the newer apps do with an authorisation code.
    @ivar policy: who may have an account.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: IAccountStore,
        signer: Signer,
        policy: IPolicy,
        random_hex: Callable[[int], str],
        token_seconds: float,
    ) -> None:
        """
        @param random_hex: so many unpredictable bytes in hexadecimal.
        @param token_seconds: how long tokens live.
        """
        self.policy = policy
        self._signer, self._random_hex = signer, random_hex
        self.household = Household(clock, store, random_hex)
        self._sessions = Sessions(clock, store, random_hex, token_seconds)
        self._tickets = Tickets(clock, random_hex, TICKET_PREFIX)
        self.oauth = OAuth(self._sessions, signer, Tickets(clock, random_hex, ""))

    def load(self, store: IAccountStore) -> Deferred[None]:
        """
        Remember what earlier runs have put on disk.

        @param store: where to read: the one of the constructor may not be open yet.
        """
        return Deferred.fromCoroutine(self._load(store))

    async def _load(self, store: IAccountStore) -> None:
        users, tokens, homes = await store.load()
        self.household.load(users, homes)
        trusted = {user.uid for user in users if await self._trusts(store, user.uid)}
        self._sessions.load(token for token in tokens if token.uid in trusted)

    def reload(self, store: IAccountStore) -> Deferred[frozenset[str]]:
        """
        Take back what the owner has removed on disk while we were running.

        @return: the uids of the users who are gone.
        """
        return Deferred.fromCoroutine(self._reload(store))

    async def _reload(self, store: IAccountStore) -> frozenset[str]:
        # Only what is here before we ask: somebody may come in meanwhile.
        digests, uids = self._sessions.digests(), self.household.uids()
        users, tokens, _ = await store.load()
        removed = uids - {user.uid for user in users}
        self.household.forget(removed)
        gone = digests - {token.digest for token in tokens}
        if gone:
            # At once; what the disk says to that must not keep a connection open.
            self._sessions.revoke(sorted(gone)).addErrback(_stays_on_disk)
        return removed

    def expel(self, uids: Iterable[str]) -> Deferred[None]:
        """End all sessions of users: at once, and on disk when this fires."""
        tokens = [token.digest for uid in uids for token in self._sessions.of_user(uid)]
        return settled([self._sessions.revoke(sorted(tokens))])

    def may_stay(self, uid: str) -> bool:
        """Whether somebody who was let in as this user still would be (mqtt.md 3.3)."""
        return self.policy.takes_words() or bool(self._sessions.of_user(uid))

    async def _trusts(self, store: IAccountStore, uid: str) -> bool:
        """Whoever came in while the house was open stays out once it is not."""
        return self.policy.takes_words() or await store.password(uid) is not None

    def login(self, credentials: PasswordCredentials, client: str) -> Deferred[Session]:
        """
        The first step of everybody (2.1): an access token.

        @param client: the device id of the client.
        @return: fails with L{LoginRefused}.
        """
        return Deferred.fromCoroutine(self._login(credentials, client))

    async def _login(self, credentials: PasswordCredentials, client: str) -> Session:
        account = await self.policy.identify(credentials)
        return await self._start(uid_of(account), account, ACCESS, client)

    def api_login(self, credentials: PasswordCredentials) -> Deferred[Session]:
        """
        The same for our own API.  The token is a JWT, so that its holder can read what it
        is; we find it by its digest like any other, and can take it back.
        """
        return Deferred.fromCoroutine(self._api_login(credentials))

    async def _api_login(self, credentials: PasswordCredentials) -> Session:
        account = await self.policy.identify(credentials)
        uid, serial = uid_of(account), self._random_hex(16)
        claims = {"u": uid, "jti": serial}
        text = self._signer.sign(JwtKind.API, claims, self._sessions.seconds)
        return await self._start(uid, account, API, "", text)

    async def _start(
        self, uid: str, account: str, purpose: str, client: str, text: str = ""
    ) -> Session:
        user, joined = self.household.join(uid, account)
        text, token, saved = self._sessions.issue(uid, purpose, client_name(client), text)
        await settled([joined, saved])
        return Session(user, text, token.expires_at)

    def check_login(self, uid: str, access: str, client: str) -> Deferred[Session]:
        """
        Come back with a stored token (2.2).  At home nobody is turned away: a dead token is
        replaced by a new one.

        @return: fails with L{LoginRefused}.
        """
        return Deferred.fromCoroutine(self._check_login(uid, access, client))

    async def _check_login(self, uid: str, access: str, client: str) -> Session:
        token = self._access(access)
        if token is not None and uid in {"", token.uid}:
            return await self._resumed(token, access)
        if not self.policy.takes_words():
            raise LoginRefused("the token is unknown or expired")
        uid, account = self._claimed(uid)
        return await self._start(uid, account, ACCESS, client)

    def _claimed(self, uid: str) -> tuple[str, str]:
        """The user somebody says to be; a stranger becomes one of that id."""
        known = self.household.user(uid)
        if known is not None:
            return known.uid, known.account
        if FOREIGN_UID.fullmatch(uid):
            return uid, uid
        return uid_of(DEFAULT_ACCOUNT), DEFAULT_ACCOUNT

    async def _resumed(self, token: Token, text: str) -> Session:
        renewed = await self._sessions.renew(token)
        return Session(self._user(token.uid), text, renewed.expires_at)

    def ticket(self, uid: str, access: str, client: str) -> Deferred[Session]:
        """
        The second step (2.3): a ticket to the portal.

        @param uid: whose; empty for whoever logged in last with this C{client}.
        @return: fails with L{LoginRefused}: every client then logs in again by itself.
        """
        return Deferred.fromCoroutine(self._ticket(uid, access, client))

    async def _ticket(self, uid: str, access: str, client: str) -> Session:
        token = self._access(access)
        last = self._sessions.of_client(client_name(client))
        whose = uid or (last.uid if last else "")
        if token is None or token.uid != whose:
            raise LoginRefused("the access token is unknown, expired, or somebody else's")
        return await self._resumed(token, self._tickets.issue(token.uid, token.digest))

    def exchange(self, ticket: str, uid: str, resource: str) -> Deferred[Session]:
        """
        The third step (2.4): a token of its own for portal and MQTT.

        @param uid: whose ticket it should be; empty when the client does not say.
        @return: fails with L{LoginRefused}.
        """
        return Deferred.fromCoroutine(self._exchange(ticket, uid, resource))

    async def _exchange(self, ticket: str, uid: str, resource: str) -> Session:
        session = self._behind(ticket)
        if uid not in {"", session.uid}:
            raise LoginRefused("the ticket is somebody else's")
        user = self._user(session.uid)
        return await self._start(user.uid, user.account, USER, resource)

    def code(self, ticket: str) -> str:
        """
        An authorisation code for a ticket (2.5).

        @raise LoginRefused: the ticket is not good.
        """
        return self.oauth.code(self._behind(ticket))

    def code_for(self, uid: str, token: str) -> str:
        """
        An authorisation code for a user (2.6).

        @raise LoginRefused: C{token} does not prove it; at home, there is no such user.
        """
        return self.oauth.code(self._proof(uid, token))

    def _behind(self, ticket: str) -> Token:
        return self.oauth.session(self._tickets.read(ticket))

    def _proof(self, uid: str, token: str) -> Token:
        """A session of the user: the one of the token, at home any."""
        if self.belongs(uid, token):
            return self.holder(token)
        mine = self._sessions.of_user(uid) if self.policy.takes_words() else []
        if not mine:
            raise LoginRefused("no live session of this user")
        return mine[0]

    def control(self, bearer: str, acl: list[object], subject: str, seconds: int) -> str:
        """
        A control ticket (2.8).

        @raise LoginRefused: C{bearer} does not prove to be C{subject}.
        @raise BadRequest: see L{OAuth.control}.
        """
        if not self.vouches(subject, bearer):
            raise LoginRefused("the bearer token does not prove who asks")
        session = self.holder(bearer).digest if self.belongs(subject, bearer) else ""
        return self.oauth.control(acl, subject, session, seconds)

    def logout(self, text: str) -> Deferred[None]:
        """End the session of a token (2.9), and what its client got besides."""
        token = self._sessions.find(text)
        if token is None:
            return succeed(None)
        return settled([self._sessions.revoke(self._with_kin(token))])

    def leave(self, uid: str, text: str) -> Deferred[None]:
        """
        The same, for a client that says whose session it ends.

        @return: fails with L{LoginRefused} when C{text} does not prove it.  At home, without
            a live token, nothing happens: the reference removes the user, which would let
            anybody log out everybody.
        """
        if not self.vouches(uid, text):
            return fail(LoginRefused("the token is not this user's"))
        return self.logout(text)

    def _with_kin(self, token: Token) -> list[str]:
        # As a resource, half of the clients use the first 8 characters of their device id.
        names = {token.client, token.client[:8]} - {""}
        mine = self._sessions.of_user(token.uid)
        kin = {other.digest for other in mine if other.purpose == USER and other.client in names}
        return sorted(kin | {token.digest})

    def holder(self, text: str) -> Token:
        """
        The session behind a token of any kind.

        @raise LoginRefused: it opens nothing.
        """
        return self._sessions.find(text) or self.oauth.holder(text)

    def user_of(self, text: str) -> str:
        """
        The user id behind a token of any kind.

        @raise LoginRefused: it opens nothing.
        """
        return self.holder(text).uid

    def belongs(self, uid: str, text: str) -> bool:
        """Whether a token is live, and this user's."""
        try:
            return self.user_of(text) == uid
        except LoginRefused:
            return False

    def vouches(self, uid: str, text: str) -> bool:
        """
        Whether somebody with this token may act for this user.  At home a word is enough,
        unless a live token says the opposite.
        """
        try:
            return self.user_of(text) == uid
        except LoginRefused:
            return self.policy.takes_words()

    def user_of_client(self, client: str) -> User | None:
        """
        Who logged in last with this device id, if that login is still good: at home only, for
        whoever knows the id of somebody's telephone is not him.
        """
        if not self.policy.takes_words():
            return None
        token = self._sessions.of_client(client_name(client))
        return self.household.user(token.uid) if token else None

    def user(self, uid: str) -> User | None:
        """A user, if there is one of that id."""
        return self.household.user(uid)

    def homes(self, uid: str) -> Sequence[Home]:
        """The homes of a user, the oldest first."""
        return self.household.homes(uid)

    def home(self, home_id: str) -> Home | None:
        """A home, if there is one of that id."""
        return self.household.home(home_id)

    def purge(self) -> Deferred[None]:
        """Drop what has expired."""
        self._tickets.purge()
        return self._sessions.purge()

    def _access(self, text: str) -> Token | None:
        token = self._sessions.find(text)
        return token if token is not None and token.purpose == ACCESS else None

    def _user(self, uid: str) -> User:
        user = self.household.user(uid)
        if user is None:
            raise LoginRefused("this user is gone")
        return user


def _stays_on_disk(failure: Failure) -> None:
    failure.trap(StorageError)
    Logger().warn("ended sessions stay on disk: {why}", why=failure.getErrorMessage())
