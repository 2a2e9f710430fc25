"""Tells every edge who somebody is."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import implementer

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.policies import KnownAccounts, uid_of
from bumper_tw.core.robot_secrets import HouseClosed, RobotSecrets, WrongSecret
from bumper_tw.dialect.domains import ATOM, USERS, robot_class
from bumper_tw.dialect.logins import (
    SERVER_REALMS,
    ClientId,
    IdKind,
    MqttCredentials,
    PasswordCredentials,
    TokenCredentials,
    XmppCredentials,
    firmware_of,
    keys_of,
    parse_client_id,
    serial,
)
from bumper_tw.dialect.sasl import SaslFailure
from bumper_tw.errors import DeviceUnknown, LoginRefused, StorageError, UnknownAccount
from bumper_tw.interfaces import IAuthenticator, IDeviceRegistry
from bumper_tw.values import Company, Device, DeviceId, Principal, Role

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


class NotThatRobot(LoginRefused):
    """Somebody comes under the name of a robot of another kind."""


@implementer(IAuthenticator)
class Identity:
    """Every kind of credentials, and who they belong to.  What cannot be decided is a no."""

    def __init__(
        self,
        accounts: Accounts,
        known: KnownAccounts,
        robots: RobotSecrets,
        registry: IDeviceRegistry,
        file: AccountFile | None = None,
        told: Callable[[str, Sequence[str]], None] | None = None,
    ) -> None:
        """
        @param known: where the accounts of local services are looked up.
        @param robots: which robots are let in.
        @param registry: what serial numbers belong to already.
        @param file: further accounts of local services; a name in it is not looked up
            anywhere else.
        @param told: hears of each robot that is let in what it logged in with that may be
            the key it was paired with.
        """
        self._told = told or _nobody
        self._accounts, self._known = accounts, known
        self._robots, self._registry, self._file = robots, registry, file

    def login(self, credentials: object) -> Deferred[Principal]:
        return Deferred.fromCoroutine(self._login(credentials))

    async def _login(self, credentials: object) -> Principal:
        match credentials:
            case MqttCredentials():
                return await self._mqtt(credentials)
            case XmppCredentials():
                return await self._xmpp(credentials)
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
        did = client.identity
        try:
            check_unclaimed(self._registry, did)
            await self._robots.admit(did, credentials.password, credentials.peer)
            # Over XMPP it may have come meanwhile; from here to its place nobody else can.
            check_unclaimed(self._registry, did)
        except WrongSecret as wrong:
            raise Refused(BAD_CREDENTIALS, str(wrong)) from wrong
        except (HouseClosed, NotThatRobot) as not_here:
            raise Refused(NOT_AUTHORIZED, str(not_here)) from not_here
        except (LoginRefused, StorageError) as busy:
            raise Refused(UNAVAILABLE, str(busy)) from busy
        self._told(did, keys_of(credentials.username, credentials.password))
        return _principal(client, credentials)

    def _user(self, client: ClientId, credentials: MqttCredentials) -> Principal:
        token = (credentials.password or b"").decode("utf-8", "replace")
        if not self._accounts.vouches(client.identity, token):
            raise Refused(BAD_CREDENTIALS, "the password is no live token of this user")
        return Principal(Role.USER, client.identity, client.domain, client.resource)

    async def _xmpp(self, credentials: XmppCredentials) -> Principal:
        if is_ours(credentials.name):
            raise SaslFailure("not-authorized", "the server's own name from the network")
        model = robot_class(credentials.domain)
        if model is not None:
            return await self._xmpp_robot(model, credentials)
        if credentials.domain.lower() in {"", USERS}:
            return self._xmpp_user(credentials)
        raise SaslFailure("not-authorized", "nobody logs in to this domain")

    async def _xmpp_robot(self, model: str, credentials: XmppCredentials) -> Principal:
        try:
            device = claimed_robot(self._registry, credentials.name, model)
            await self._robots.admit(device.did, credentials.password.encode(), credentials.peer)
        except (NotThatRobot, WrongSecret, HouseClosed) as wrong:
            raise SaslFailure("not-authorized", str(wrong)) from wrong
        except (LoginRefused, StorageError) as busy:
            raise SaslFailure("temporary-auth-failure", str(busy)) from busy
        self._told(device.did, (credentials.password,))
        return Principal(Role.ROBOT, device.did, model, ATOM, serial(device.did))

    def _xmpp_user(self, credentials: XmppCredentials) -> Principal:
        uid = credentials.name
        if uid != uid.casefold():
            # Case does not matter in an address (xmpp.md 2), and does in a uid: whoever is
            # ANNA here must not be spoken to as anna there.  No client's uid has capitals.
            raise SaslFailure("not-authorized", "a user id has capital letters")
        if not self._accounts.vouches(uid, credentials.password):
            raise SaslFailure("not-authorized", "the password holds no live token of this user")
        return Principal(Role.USER, uid, USERS, credentials.resource)

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


def _nobody(_did: str, _keys: Sequence[str]) -> None:
    """Nobody wants to know."""


def namesake(registry: IDeviceRegistry, name: str) -> Device | None:
    """
    The known robot of just this name; otherwise the first one over XMPP whose name differs in
    case alone, which does not matter there (xmpp.md 2).
    """
    try:
        return registry.device(name)
    except DeviceUnknown:
        folded = name.casefold()
    legacy = (known for known in registry.devices() if known.company is Company.XMPP)
    return next((known for known in legacy if known.id.did.casefold() == folded), None)


def claimed_robot(registry: IDeviceRegistry, name: str, model: str) -> DeviceId:
    """
    The robot that somebody on XMPP says to be, known already or new.

    Spelt in any case it is the same robot (xmpp.md 2), under the spelling that was known
    first, and has to come with the secret of that.  Two that are new log in at the same time,
    so whoever attaches them has to ask once more.

    @param name: the serial number.
    @raise NotThatRobot: it belongs to a robot of another class, or to one that speaks MQTT.
    """
    known = namesake(registry, name)
    if known is None:
        return DeviceId(name, model, ATOM)
    if known.company is not Company.XMPP or known.id.model != model:
        raise NotThatRobot(f"class {model} over XMPP, but {belongs(known)}")
    return DeviceId(known.id.did, model, ATOM)


def check_unclaimed(registry: IDeviceRegistry, did: str) -> None:
    """
    Whether somebody on MQTT may be a robot; of two that have one name, neither is reached.

    @raise NotThatRobot: it is known over XMPP.
    """
    known = namesake(registry, did)
    if known is not None and known.company is Company.XMPP:
        raise NotThatRobot(f"comes over MQTT, but {belongs(known)}")


def belongs(known: Device) -> str:
    """What the owner has to know of a robot whose name somebody else has, too."""
    did, model = known.id.did, known.id.model
    return (
        f"robot {did} is known as class {model} over {known.company.name}. If it is yours, and "
        f'both are the same: "bumper robot remove {did}", then send the server SIGHUP'
    )


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
