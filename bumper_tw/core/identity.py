"""Tells every edge who somebody is."""

from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.policies import KnownAccounts, uid_of
from bumper_tw.core.throttle import TooManyAttempts
from bumper_tw.dialect.logins import (
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

    def __init__(self, accounts: Accounts, known: KnownAccounts) -> None:
        """
        @param known: where the accounts of local services are looked up.
        """
        self._accounts, self._known = accounts, known

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
        client = parse_client_id(credentials.client_id)
        match client.kind:
            case IdKind.ROBOT:
                return _robot(client, credentials)
            case IdKind.USER:
                return self._user(client, credentials)
            case IdKind.UNSTRUCTURED:
                return await self._service(credentials)
            case IdKind.HELPER:
                # Whoever had this name could command every robot (mqtt.md 4.4).
                raise Refused(NOT_AUTHORIZED, "the server's own name from the network")
            case IdKind.RESERVED | IdKind.MALFORMED:
                raise Refused(IDENTIFIER_REJECTED, f"client id is {client.kind.value}")

    def _user(self, client: ClientId, credentials: MqttCredentials) -> Principal:
        token = (credentials.password or b"").decode("utf-8", "replace")
        if not self._accounts.vouches(client.identity, token):
            raise Refused(BAD_CREDENTIALS, "the password is no live token of this user")
        return Principal(Role.USER, client.identity, client.domain, client.resource)

    async def _service(self, credentials: MqttCredentials) -> Principal:
        account, password = credentials.username, credentials.password
        if not account or not password:
            raise Refused(IDENTIFIER_REJECTED, "neither a client id nor an account")
        # Others send the MD5 of the password; here it comes as it is.
        digest = md5_hex(password.decode("utf-8", "replace"))
        try:
            await self._known.verify(account, digest, credentials.peer)
        except UnknownAccount as wrong:
            raise Refused(BAD_CREDENTIALS, str(wrong)) from wrong
        except (TooManyAttempts, StorageError) as busy:
            raise Refused(UNAVAILABLE, str(busy)) from busy
        return Principal(Role.SERVICE, account, resource=credentials.client_id)


def _robot(client: ClientId, credentials: MqttCredentials) -> Principal:
    # A robot brings a secret the vendor gave it; there is nothing to compare it with
    # (http-auth.md 3.1, 6).
    label, firmware = serial(credentials.username), firmware_of(credentials.username)
    return Principal(Role.ROBOT, client.identity, client.domain, client.resource, label, firmware)
