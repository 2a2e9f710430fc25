"""Tells every edge who somebody is."""

import re
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.policies import KnownAccounts, uid_of
from bumper_tw.core.robot_secrets import HouseClosed, RobotSecrets, WrongSecret
from bumper_tw.dialect.logins import (
    SERVER_REALMS,
    ClientId,
    IdKind,
    MqttCredentials,
    PasswordCredentials,
    TokenCredentials,
    firmware_of,
    parse_client_id,
    serial,
)
from bumper_tw.errors import LoginRefused, StorageError, UnknownAccount
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.values import Principal, Role

#: CONNACK codes (MQTT 3.1.1, 3.2.2.3; when: mqtt.md 3.4).
IDENTIFIER_REJECTED, UNAVAILABLE, BAD_CREDENTIALS, NOT_AUTHORIZED = 2, 3, 4, 5

#: Under these names our own side speaks, also under those of other versions and of the
#: vendor: whoever had one could command every robot (mqtt.md 4.4).
OUR_NAMES = re.compile(r"helperbot|helper\d|helpermqclientid|proxyhelper", re.IGNORECASE)
OUR_REALM = re.compile(f"[^@]*@({'|'.join(sorted(SERVER_REALMS))})(/.*)?", re.IGNORECASE)

#: What stands for something else in a filter or in an access rule.
WILD = re.compile(r"\$.*|.*[+#].*|\W*")


class AccountFile(Protocol):
    """Accounts in a file, each with the hash of its password."""

    def knows(self, user: str) -> bool:
        """Whether the file speaks of somebody; then nothing else counts."""

    def verify(self, user: str, password: bytes, peer: str) -> Deferred[str]:
        """
        Compare a password.

        @return: the account.  Fails with L{UnknownAccount} when the password is wrong, with
            another L{LoginRefused} when somebody tries too often.
        """


class Refused(LoginRefused):
    """
    An MQTT client is not let in.

    @ivar code: what its CONNACK says.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@implementer(IAuthenticator)
class Identity:
    """Every kind of credentials, and who they belong to.  What cannot be decided is a no."""

    def __init__(
        self,
        accounts: Accounts,
        known: KnownAccounts,
        robots: RobotSecrets,
        file: AccountFile | None = None,
    ) -> None:
        """
        @param known: where the accounts of local services are looked up.
        @param robots: which robots are let in.
        @param file: further accounts of local services; a name in it is not looked up
            anywhere else.
        """
        self._accounts, self._known = accounts, known
        self._robots, self._file = robots, file

    def login(self, credentials: object) -> Deferred[Principal]:
        return Deferred.fromCoroutine(self._login(credentials))

    async def _login(self, credentials: object) -> Principal:
        match credentials:
            case MqttCredentials():
                return await self._mqtt(credentials)
            case TokenCredentials(token=token):
                return Principal(Role.USER, self._accounts.user_of(token))
            case PasswordCredentials():
                account = await self._accounts.policy.identify(credentials)
                return Principal(Role.USER, uid_of(account))
        raise LoginRefused("credentials of an unknown kind")

    async def _mqtt(self, credentials: MqttCredentials) -> Principal:
        client = checked_client_id(credentials.client_id)
        match client.kind:
            case IdKind.ROBOT:
                return await self._robot(client, credentials)
            case IdKind.USER:
                return self._user(client, credentials)
        if not credentials.username and not credentials.password:
            return _anonymous(credentials)
        return await self._service(credentials)

    async def _robot(self, client: ClientId, credentials: MqttCredentials) -> Principal:
        try:
            await self._robots.admit(client.identity, credentials.password, credentials.peer)
        except WrongSecret as wrong:
            raise Refused(BAD_CREDENTIALS, str(wrong)) from wrong
        except HouseClosed as closed:
            raise Refused(NOT_AUTHORIZED, str(closed)) from closed
        except (LoginRefused, StorageError) as busy:
            raise Refused(UNAVAILABLE, str(busy)) from busy
        return _principal(client, credentials)

    def _user(self, client: ClientId, credentials: MqttCredentials) -> Principal:
        token = (credentials.password or b"").decode("utf-8", "replace")
        if not self._accounts.vouches(client.identity, token):
            raise Refused(BAD_CREDENTIALS, "the password is no live token of this user")
        return Principal(Role.USER, client.identity, client.domain, client.resource)

    async def _service(self, credentials: MqttCredentials) -> Principal:
        account, password = credentials.username, credentials.password
        if not account or not password:
            raise Refused(IDENTIFIER_REJECTED, "neither a client id nor an account")
        if is_ours(account):
            raise Refused(NOT_AUTHORIZED, "the server's own name from the network")
        try:
            name = await self._verified(account, password, credentials.peer)
        except UnknownAccount as wrong:
            raise Refused(BAD_CREDENTIALS, str(wrong)) from wrong
        except (LoginRefused, StorageError) as busy:
            raise Refused(UNAVAILABLE, str(busy)) from busy
        return Principal(Role.SERVICE, name, resource=credentials.client_id)

    def _verified(self, account: str, password: bytes, peer: str) -> Deferred[str]:
        if self._file is not None and self._file.knows(account):
            return self._file.verify(account, password, peer)
        # Others send the MD5 of the password; here it comes as it is.
        digest = md5_hex(password.decode("utf-8", "replace"))
        return self._known.verify(account, digest, peer)


def checked_client_id(text: str) -> ClientId:
    """
    A client id that somebody may come under.

    @raise Refused: nobody may.
    """
    client = parse_client_id(text)
    if client.kind is IdKind.HELPER or is_ours(text):
        raise Refused(NOT_AUTHORIZED, "the server's own name from the network")
    if client.kind in {IdKind.RESERVED, IdKind.MALFORMED}:
        raise Refused(IDENTIFIER_REJECTED, f"client id is {client.kind.value}")
    if client.kind is IdKind.UNSTRUCTURED and not _is_plain(text):
        raise Refused(IDENTIFIER_REJECTED, "client id is unfit for a client")
    return client


def is_ours(name: str) -> bool:
    """Whether a name, alone or in front of a realm, is one of our own side's."""
    return OUR_NAMES.match(name.strip()) is not None


def _is_plain(text: str) -> bool:
    """
    Whether a client id without structure can do no harm: it is logged, and may stand for a
    level in access rules.
    """
    return text.isprintable() and not WILD.fullmatch(text) and not OUR_REALM.fullmatch(text)


def _anonymous(credentials: MqttCredentials) -> Principal:
    """Somebody without any credentials, where the listener allows that (mqtt.md 3.5)."""
    if not credentials.anonymous:
        raise Refused(IDENTIFIER_REJECTED, "neither a client id nor an account")
    return Principal(Role.ANONYMOUS, "", resource=credentials.client_id)


def _principal(client: ClientId, credentials: MqttCredentials) -> Principal:
    label, firmware = serial(credentials.username), firmware_of(credentials.username)
    return Principal(Role.ROBOT, client.identity, client.domain, client.resource, label, firmware)
