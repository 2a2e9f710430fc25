"""Logging in over XMPP: SASL PLAIN, the way each kind of client fills it (xmpp.md 4)."""

import base64
import re

from bumper_tw.dialect.domains import USERS, robot_class, robot_domain
from bumper_tw.dialect.logins import IDENTITY, RESOURCE, XmppCredentials
from bumper_tw.errors import LoginRefused

#: What is more than this is nobody's name and password; the longest token has some 1000 bytes.
MAX_MESSAGE = 4096

#: Base64 may be broken into lines; these are all the blanks that XML knows.
BLANKS = str.maketrans(dict.fromkeys(" \t\r\n"))

#: Checked beforehand: the decoder overlooks more padding than there may be.
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")

#: What stands in front of a user's token: a kind of client, and his resource.
PREFIXED = re.compile(r"[0-9]/([^/]*)/(.*)", re.DOTALL)


class SaslFailure(LoginRefused):
    """
    Somebody is not let in over XMPP.

    @ivar condition: what its failure is called (RFC 6120, 6.5).
    """

    def __init__(self, condition: str, reason: str) -> None:
        super().__init__(reason)
        self.condition = condition


def plain_credentials(text: str, domain: str, peer: str) -> XmppCredentials:
    """
    Who somebody says to be.

    @param text: what C{auth} or C{response} holds.
    @param domain: the C{to} of the stream's header; whoever named no domain is a user.
    @param peer: the address it came from.
    @raise SaslFailure: it cannot be read, or is nobody's name.
    """
    authzid, name, password = _parts(_decoded(text))
    if not name:
        raise SaslFailure("malformed-request", "there is no name")
    if not IDENTITY.fullmatch(name):
        # RFC 4616, 2: a name that cannot be prepared fails like any wrong one.
        raise SaslFailure("not-authorized", "the name is unfit for an address")
    model = robot_class(domain)
    _check_authzid(authzid, name, USERS if model is None else robot_domain(model))
    if model is not None:
        return XmppCredentials(domain, name, password, peer=peer)
    resource, token = _split(password)
    return XmppCredentials(domain, name, token, resource, peer)


def _decoded(text: str) -> bytes:
    squeezed = text.translate(BLANKS)
    if squeezed == "=":
        # RFC 6120, 6.4.2: so an empty message is told from none.
        return b""
    if len(squeezed) % 4 or not BASE64.fullmatch(squeezed):
        raise SaslFailure("incorrect-encoding", "the message is no Base64")
    return base64.b64decode(squeezed)


def _parts(message: bytes) -> list[str]:
    """Whom somebody wants to act for, his name, and his password (RFC 4616, 2)."""
    if len(message) > MAX_MESSAGE:
        raise SaslFailure("malformed-request", "the message is too long")
    try:
        parts = message.decode().split("\0")
    except UnicodeDecodeError:
        raise SaslFailure("malformed-request", "the message is no UTF-8") from None
    if len(parts) != 3:
        raise SaslFailure("malformed-request", "the message has not three parts")
    return parts


def _check_authzid(authzid: str, name: str, domain: str) -> None:
    """
    Everybody acts for himself.

    @raise SaslFailure: not he.
    """
    mine = {"", name.casefold(), f"{name}@{domain}".casefold()}
    if authzid.casefold() not in mine:
        raise SaslFailure("invalid-authzid", "somebody wants to act for another")


def _split(password: str) -> tuple[str, str]:
    """
    The resource in front of a user's token, and the token.

    A resource that is unfit to be one counts as none: who asks for none when he binds is
    given one.
    """
    prefixed = PREFIXED.fullmatch(password)
    if prefixed is None:
        return "", password
    resource, token = prefixed.groups()
    return resource if RESOURCE.fullmatch(resource) else "", token
