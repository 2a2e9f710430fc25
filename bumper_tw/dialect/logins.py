"""What the parties of the vendor's world say when they log in, as our records."""

import base64
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from attrs import field, frozen

from bumper_tw.dialect.topics import HELPER

#: How users spell their realm, in lower case (mqtt.md 2.2); the first is the canonical one.
USER_REALMS = ("ecouser.net", "ecouser", "user")

#: Domains that belong to servers; nobody may come from the network under one (mqtt.md 4.4).
SERVER_REALMS = frozenset({"bumper", "ecosys"})

IDENTITY = re.compile(r"[A-Za-z0-9_.-]{1,128}")
ROBOT_CLASS = re.compile(r"[a-z0-9]{3,12}")
RESOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: What a client id without structure may be: it is logged, and a key in tables.
UNSTRUCTURED = re.compile(r"[^\x00-\x1f\x7f]{1,256}")

#: A serial number that is fit to be shown and stored.
SERIAL = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

#: What is kept as a firmware version.
VERSION = re.compile(r"[0-9A-Za-z._-]{1,32}")

#: No robot was seen with a block over 200 characters; a longer one is not even decoded.
MAX_BLOCK = 1024

#: What is known of the second block, and no key; so many texts of the others may be one.
NO_KEYS = frozenset({"app", "st"})
MAX_KEYS = 8

MD5_HEX = re.compile(r"[0-9a-f]{32}")


class IdKind(Enum):
    """What kind of party a client id speaks of (mqtt.md 2.2)."""

    ROBOT = "robot"
    USER = "user"
    HELPER = "helper"
    RESERVED = "reserved"
    UNSTRUCTURED = "unstructured"
    MALFORMED = "malformed"


@frozen
class ClientId:
    """
    An MQTT client identifier (mqtt.md 2.1).

    The three parts become levels of topics, so they hold nothing that means something
    there.  Of an unstructured or malformed one all three are empty.

    @ivar domain: a robot's class, or the realm as the client spelt it.
    """

    kind: IdKind
    identity: str = ""
    domain: str = ""
    resource: str = ""


@frozen
class UserName:
    """
    An MQTT user name (mqtt.md 3.2).

    @ivar name: a robot's serial number, or an account.
    @ivar firmware: what the robot calls C{fv}.
    @ivar module: the version of its Wi-Fi module, C{wv}.
    @ivar session: the second block, as it is.
    """

    name: str
    firmware: str = ""
    module: str = ""
    session: Mapping[str, Any] = field(factory=dict)


@frozen
class MqttCredentials:
    """
    What a CONNECT carries.

    @ivar peer: the address it came from; wrong passwords are counted by it.
    @ivar anonymous: whether the listener lets in who has neither user name nor password.
    """

    client_id: str
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    peer: str = ""
    anonymous: bool = False


@frozen
class XmppCredentials:
    """
    What somebody logs in with over XMPP (xmpp.md 4), taken out of its wrapping.

    @ivar domain: where its stream header was addressed to: it tells robots from users.
    @ivar name: a robot's serial number, or a user id.
    @ivar password: a robot's secret, or a user's token.
    @ivar resource: what a user put in front of his token; may be empty.
    @ivar peer: the address it came from; wrong passwords are counted by it.
    """

    domain: str
    name: str
    password: str = field(repr=False)
    resource: str = ""
    peer: str = ""


@frozen
class TokenCredentials:
    """A token that somebody was given at an earlier login."""

    token: str = field(repr=False)


@frozen
class PasswordCredentials:
    """
    What somebody gives to get a token (http-auth.md 1).

    @ivar password: what every client sends: the MD5 of the password, in hexadecimal.
    @ivar encrypted_account: the account, encrypted for the key that we publish.
    @ivar encrypted_password: the same of the password.
    @ivar peer: the address it came from; wrong passwords are counted by it.
    """

    account: str = ""
    password: str = field(default="", repr=False)
    encrypted_account: str = ""
    encrypted_password: str = field(default="", repr=False)
    peer: str = ""


def parse_client_id(text: str) -> ClientId:
    """Sort a client id into its kind; any text has one."""
    identity, _, rest = text.partition("@")
    domain, _, resource = rest.partition("/")
    if not (identity and domain and resource):
        plain = UNSTRUCTURED.fullmatch(text)
        return ClientId(IdKind.UNSTRUCTURED if plain else IdKind.MALFORMED)
    kind = _kind(identity, domain, resource)
    if kind is IdKind.MALFORMED:
        return ClientId(kind)
    return ClientId(kind, identity, domain, resource)


def _kind(identity: str, domain: str, resource: str) -> IdKind:
    """The ordered rule of mqtt.md 2.2."""
    if (identity, domain, resource) == HELPER:
        return IdKind.HELPER
    if not (IDENTITY.fullmatch(identity) and RESOURCE.fullmatch(resource)):
        return IdKind.MALFORMED
    if domain.lower() in USER_REALMS:
        return IdKind.USER
    if domain.lower() in SERVER_REALMS:
        return IdKind.RESERVED
    return IdKind.ROBOT if ROBOT_CLASS.fullmatch(domain) else IdKind.MALFORMED


def parse_username(text: str) -> UserName:
    """
    Take a user name apart.  Metadata that cannot be read is left out: a robot that cannot
    be asked again is not turned away for it.
    """
    name, *blocks = text.split("`", 3)
    plain = name.partition("@")[0]
    if len(blocks) < 2:
        return UserName(plain)
    versions, session = _metadata(blocks[0]), _metadata(blocks[1])
    return UserName(plain, _text(versions, "fv"), _text(versions, "wv"), session)


def _metadata(block: str) -> Mapping[str, Any]:
    # Line feeds within the Base64 were seen on the wire; the decoder skips them.
    if len(block) > MAX_BLOCK:
        return {}
    try:
        value = json.loads(base64.b64decode(block + "=="))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value[:64] if isinstance(value, str) and value.isprintable() else ""


def serial(text: str | None) -> str:
    """The serial number in a robot's user name; empty when it has none that is fit to keep."""
    name = parse_username(text or "").name
    return name if SERIAL.fullmatch(name) else ""


def firmware_of(text: str | None) -> str:
    """The firmware version in a robot's user name; empty when it has none that is fit to keep."""
    version = parse_username(text or "").firmware
    return version if VERSION.fullmatch(version) else ""


def keys_of(text: str | None, password: bytes | None) -> tuple[str, ...]:
    """
    Whatever a robot logs in with that may be the key it was paired with: its password, and the
    texts of its second block but for those that are known to be something else.
    """
    session = parse_username(text or "").session
    texts = (each for name, each in session.items() if name not in NO_KEYS)
    found = [each for each in texts if isinstance(each, str)]
    return (*found[:MAX_KEYS], (password or b"").decode("utf-8", "replace"))


def is_opaque(account: str) -> bool:
    """
    Whether an account is what the app of version 1 and C{sucks} send: one block encrypted
    for a 1024 bit key of the vendor, different at every login (http-auth.md 4.5).
    """
    if "@" in account:
        return False
    try:
        # A plus sign in a query that was not quoted arrives as a blank.
        block = base64.b64decode(account.replace(" ", "+").replace("\n", ""), validate=True)
    except ValueError:
        return False
    return len(block) == 128


def is_md5(text: str) -> bool:
    """Whether a password has the form that every client sends (http-auth.md 1)."""
    return MD5_HEX.fullmatch(text) is not None
