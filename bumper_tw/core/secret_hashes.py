"""
Robots' secrets at rest.

They are long and random (mqtt.md 3.1), which people's passwords are not: a smaller cost
keeps a whole household that reconnects at once from waiting.
"""

import hashlib
import hmac
from collections.abc import Callable

from twisted.internet.defer import Deferred

from bumper_tw.core.passwords import InThread
from bumper_tw.core.throttle import Guess
from bumper_tw.core.turns import Turns

#: Work factor, block size, lanes: 4 MiB and some 15 ms on a small board.
COST, BLOCK, LANES = 2**12, 8, 1
SALT_BYTES = 16
HASH_BYTES = 32


def hash_secret(secret: bytes, salt: bytes) -> str:
    """What is stored of a secret: C{scrypt$N$r$p$salt$hash}, the last parts in hexadecimal."""
    parts = (str(COST), str(BLOCK), str(LANES), salt.hex(), _scrypt(secret, salt).hex())
    return "$".join(["scrypt", *parts])


def fits(secret: bytes, stored: str) -> bool:
    """Whether a secret is the stored one; what L{hash_secret} did not make is nobody's."""
    salt, expected = _parse(stored)
    # Compared before it is believed: something cut off would be short, and easy to meet.
    return len(expected) == HASH_BYTES and hmac.compare_digest(_scrypt(secret, salt), expected)


def _parse(stored: str) -> tuple[bytes, bytes]:
    match stored.split("$"):
        case ["scrypt", cost, block, lanes, salt, wanted]:
            if (cost, block, lanes) == (str(COST), str(BLOCK), str(LANES)):
                return _unhex(salt), _unhex(wanted)
    return b"", b""


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _scrypt(secret: bytes, salt: bytes) -> bytes:
    # Inside, short keys are filled up with zeros: without a length of its own, a secret would
    # be the same with some behind it.
    secret = hashlib.sha256(secret).digest()
    return hashlib.scrypt(secret, salt=salt, n=COST, r=BLOCK, p=LANES, dklen=HASH_BYTES)


class SecretHashes:
    """Hashes and checks off the reactor's thread, a few at a time."""

    def __init__(
        self, in_thread: InThread, random_hex: Callable[[int], str], turns: Turns
    ) -> None:
        """
        @param turns: shared with all others that hash.
        """
        self._in_thread, self._random_hex, self._turns = in_thread, random_hex, turns

    def hashed(self, secret: bytes) -> Deferred[str]:
        """
        What to store of a secret, with a fresh salt.

        @return: fails with L{LoginRefused<bumper_tw.errors.LoginRefused>} when too many wait.
        """
        salt = bytes.fromhex(self._random_hex(SALT_BYTES))
        return self._turns.run(lambda: self._in_thread(lambda: hash_secret(secret, salt)))

    def check(self, secret: bytes, stored: str, guess: Guess) -> Deferred[bool]:
        """
        Whether a secret is the stored one.

        @return: fails as L{Guess.tried} does.
        """
        return guess.tried(self._turns, lambda: self._in_thread(lambda: fits(secret, stored)))
