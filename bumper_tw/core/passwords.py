"""
Passwords at rest: scrypt over what clients send, which is the MD5 of the password.

The MD5 adds nothing, and cannot be avoided: no client ever sends more (http-auth.md 1).
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred

from bumper_tw.core.throttle import Guess
from bumper_tw.core.turns import Turns

T = TypeVar("T")

#: Work factor, block size, lanes: 16 MiB and some 50 ms on a small board.
COST, BLOCK, LANES = 2**14, 8, 1
SALT_BYTES = 16
HASH_BYTES = 32


class InThread(Protocol):
    """Runs something slow where it does not stop the reactor."""

    def __call__(self, work: Callable[[], T]) -> Deferred[T]: ...


def md5_hex(password: str) -> str:
    """The form in which every client sends a password."""
    # Not our choice, and not what is stored: see hash_password.
    return hashlib.md5(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def hash_password(digest: str, salt: bytes) -> str:
    """
    What is stored of a password.  Slow on purpose.

    @param digest: the MD5 of the password, as L{md5_hex} writes it.
    @return: C{scrypt$N$r$p$salt$hash}, both last parts in Base64.
    """
    parts = (base64.b64encode(part).decode() for part in (salt, _scrypt(digest, salt)))
    return "$".join(["scrypt", str(COST), str(BLOCK), str(LANES), *parts])


def verify(digest: str, hashed: str | None) -> bool:
    """
    Whether a password is the stored one.  Slow on purpose, and as slow when nothing is
    stored, so that time does not tell which accounts there are.

    @param hashed: what L{hash_password} made.  Anything else is nobody's password.
    """
    salt, expected = _parse(hashed)
    same = hmac.compare_digest(_scrypt(digest, salt), expected or bytes(HASH_BYTES))
    return same and expected is not None


def _parse(hashed: str | None) -> tuple[bytes, bytes | None]:
    """Salt and hash; the hash is C{None} when the text is not one of ours."""
    match (hashed or "").split("$"):
        case ["scrypt", cost, block, lanes, salt, wanted]:
            if (cost, block, lanes) == (str(COST), str(BLOCK), str(LANES)):
                return _decoded(salt, wanted)
    return bytes(SALT_BYTES), None


def _decoded(salt: str, wanted: str) -> tuple[bytes, bytes | None]:
    try:
        pair = base64.b64decode(salt, validate=True), base64.b64decode(wanted, validate=True)
    except ValueError:
        return bytes(SALT_BYTES), None
    return pair if len(pair[0]) >= SALT_BYTES and len(pair[1]) == HASH_BYTES else (pair[0], None)


def _scrypt(digest: str, salt: bytes) -> bytes:
    secret = digest.encode("utf-8", "replace")
    return hashlib.scrypt(secret, salt=salt, n=COST, r=BLOCK, p=LANES, dklen=HASH_BYTES)


class Passwords:
    """Hashes and checks off the reactor's thread, a few at a time."""

    def __init__(
        self, in_thread: InThread, random_hex: Callable[[int], str], turns: Turns
    ) -> None:
        """
        @param turns: shared with all others that hash.
        """
        self._in_thread, self._random_hex, self._turns = in_thread, random_hex, turns

    def hashed(self, digest: str) -> Deferred[str]:
        """
        What to store of a password, with a fresh salt.

        @return: fails with L{LoginRefused<bumper_tw.errors.LoginRefused>} when too many wait.
        """
        salt = bytes.fromhex(self._random_hex(SALT_BYTES))
        return self._turns.run(lambda: self._in_thread(lambda: hash_password(digest, salt)))

    def check(self, digest: str, hashed: str | None, guess: Guess) -> Deferred[bool]:
        """
        Whether a password is the stored one.

        @return: fails as L{Guess.tried} does.
        """
        return guess.tried(self._turns, lambda: self._in_thread(lambda: verify(digest, hashed)))
