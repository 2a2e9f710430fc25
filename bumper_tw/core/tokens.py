"""What is handed out after a login: opaque texts, and texts that carry signed claims."""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import Any

import jwt
from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from bumper_tw.errors import LoginRefused

#: The one algorithm; a token that asks for another, or for none, is refused.
ALGORITHM = "HS256"

SECRET_BYTES = 32

#: What stands in front of a control ticket (http-auth.md 2.8).
SST_PREFIX = "SST."

#: No JWT of ours is near this; a longer text is not even decoded.
MAX_TEXT = 32 * 1024


class JwtKind(Enum):
    """The claim C{t} (http-auth.md 2.7)."""

    ACCESS = "a"
    REFRESH = "r"
    CONTROL = "SST"
    API = "api"


@frozen
class Claims:
    """
    What a token of the app says.

    @ivar session: the digest of the token that the login behind it gave; when that one is
        gone, this one opens nothing either.
    @ivar resource: what the client calls itself; the app logs in with it later.
    @ivar code: the authorisation code the pair was made from.
    """

    uid: str
    session: str
    resource: str = ""
    code: str = field(default="", repr=False)


def digest(text: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Signer:
    """
    Writes and reads JWTs.

    They are signed with a secret of their own, not with the key of the TLS certificate as
    our ancestors do: nobody but us has to check them, the owner may change the certificate
    at any time, and without a public half there is no key that could be taken for a secret.
    """

    def __init__(self, secret: bytes, clock: IReactorTime) -> None:
        """
        @raise ValueError: the secret is not of L{SECRET_BYTES}.
        """
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the secret has {len(secret)} bytes, not {SECRET_BYTES}")
        self._secret, self._clock = secret, clock

    def sign(self, kind: JwtKind, claims: Mapping[str, Any], seconds: float) -> str:
        """
        A JWT with the given claims and those of http-auth.md 2.7.

        @param seconds: how long it is good.
        """
        times = {"t": kind.value, "iat": int(self._clock.seconds()), "exp": self.expiry(seconds)}
        return jwt.encode({**times, **claims}, self._secret, ALGORITHM)

    def expiry(self, seconds: float) -> int:
        """When a JWT ends that is signed now, in seconds since the epoch."""
        return int(self._clock.seconds()) + int(seconds)

    def issue(self, kind: JwtKind, claims: Claims, seconds: float) -> str:
        """A token of the app.  Every claim is a text: version 3 breaks on a null (2.7)."""
        return self.sign(
            kind,
            {
                "c": claims.uid,
                "u": claims.uid,
                "r": claims.resource,
                "ac": claims.code,
                "s": claims.session,
            },
            seconds,
        )

    def control(self, acl: object, subject: str, session: str, seconds: float) -> str:
        """A control ticket (http-auth.md 2.8), with its prefix."""
        claims = {"acl": acl, "sub": subject, "grant": subject, "s": session}
        return SST_PREFIX + self.sign(JwtKind.CONTROL, claims, seconds)

    def read(self, kind: JwtKind, text: str) -> Claims:
        """
        What a token of the app says.

        @raise LoginRefused: it is not ours, of another kind, expired, or incomplete.
        """
        claims = self.verify(kind, text)
        texts = [text for text in map(claims.get, ("u", "s", "r", "ac")) if isinstance(text, str)]
        if len(texts) < 4:
            raise LoginRefused("a token without its claims")
        return Claims(*texts)

    def verify(self, kind: JwtKind, text: str) -> dict[str, Any]:
        """
        The claims of a JWT of one kind.

        @raise LoginRefused: it is not ours, of another kind, or expired.
        """
        claims = self._decode(text)
        if claims["t"] != kind.value:
            raise LoginRefused("a token for something else")
        expires = claims["exp"]
        if not isinstance(expires, int) or expires <= self._clock.seconds():
            raise LoginRefused("an expired token")
        return claims

    def _decode(self, text: str) -> dict[str, Any]:
        if len(text) > MAX_TEXT or text.count(".") != 2:
            raise LoginRefused("an unknown token")
        try:
            return jwt.decode(
                text,
                self._secret,
                [ALGORITHM],
                # Times are compared by us: the library knows only the clock of the system.
                {
                    "require": ["exp", "iat", "t"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError) as wrong:
            # ValueError: text that is not even ASCII.
            raise LoginRefused("a token that is not ours") from wrong
