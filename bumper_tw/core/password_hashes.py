"""
Passwords as other programs store them: what mkpasswd, passlib, pwdlib and mosquitto write.

Every kind is told by its text alone, costs no more than a login may, and is compared in
constant time.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm

from bumper_tw.core.sha512_crypt import (
    ALPHABET,
    DEFAULT_ROUNDS,
    HASH_CHARACTERS,
    MAX_SALT,
    sha512_crypt,
)

try:
    from cryptography.hazmat.primitives.kdf import argon2
except ImportError:  # It came with cryptography 44, two of the three kinds with 47.
    ARGON2: Mapping[str, Any] = {}
else:
    ARGON2 = {kind.lower(): getattr(argon2, kind, None) for kind in argon2.__all__}

#: What crypt(3) takes, too.  The work of some kinds rises with the length.
MAX_PASSWORD = 512

#: No hash of any kind is longer; what is, is not even looked at.
MAX_TEXT = 1024

#: About a microsecond each on a desktop, and ten seconds for all of them on a small board.
MAX_ROUNDS = 1_000_000
MIN_CRYPT_ROUNDS = 1000

#: What fills 256 MiB: blocks of 128 bytes for scrypt, of 1 KiB for Argon2.
MAX_SCRYPT = 1 << 21
MAX_MEMORY = 1 << 18

#: Memory times passes over it; one more pass over 256 MiB takes some 0.2 s on a desktop.
MAX_ARGON2 = MAX_MEMORY * 4
MAX_LANES = 64

#: The version of Argon2 that everybody writes: 1.3.
ARGON2_VERSION = "v=19"

SALT_BYTES = range(1, 129)

#: A shorter hash of scrypt is the beginning of a longer one, so it is taken for a cut one.
SCRYPT_BYTES = range(32, 129)
ARGON2_BYTES = range(16, 129)
NUMBER = r"([1-9][0-9]{0,9})"
ROUNDS = re.compile(NUMBER)
CRYPT_ROUNDS = re.compile(f"rounds={NUMBER}")
SCRYPT_COST = re.compile(rf"ln={NUMBER},r={NUMBER},p={NUMBER}")
ARGON2_COST = re.compile(rf"m={NUMBER},t={NUMBER},p={NUMBER}")
CRYPT_SALT = re.compile(rf"[!-~]{{0,{MAX_SALT}}}")
CRYPT_HASH = re.compile(rf"[{ALPHABET}]{{{HASH_CHARACTERS}}}")


class MalformedHash(ValueError):
    """A text is not a hash of a kind we know; why not, without showing any of it."""


@frozen
class PasswordHash:
    """
    A stored password.

    @ivar derive: what a password comes to; slow on purpose, meant for a thread.
    @ivar in_python: whether that is Python, and takes the reactor's time even in a thread.
    """

    derive: Callable[[bytes], bytes] = field(repr=False)
    expected: bytes = field(repr=False)
    in_python: bool = field(default=False, repr=False)

    def matches(self, password: bytes) -> bool:
        """Whether it is the stored one.  One that is unfit never is, and takes as long."""
        # HMAC does not see a zero byte at the end, and C programs see nothing behind one.
        fits = len(password) <= MAX_PASSWORD and b"\0" not in password
        derived = self.derive(password if fits else b"")
        return hmac.compare_digest(derived, self.expected) and fits


def read(text: str, kdfs: Mapping[str, Any] = ARGON2) -> PasswordHash:
    """
    Understand a stored hash.

    @param kdfs: the kinds of Argon2 that there are on this box.
    @raise MalformedHash: it is none, or would cost too much.
    """
    match text[: MAX_TEXT + 1].split("$"):
        case _ if len(text) > MAX_TEXT:
            raise MalformedHash("the hash is too long")
        case ["", ("argon2id" | "argon2i" | "argon2d") as kind, version, cost, salt, hashed]:
            return _argon2(kdfs.get(kind), version, cost, salt, hashed)
        case ["", kind, *parts] if kind in KINDS:
            return KINDS[kind](*_expected(kind, parts))
    raise MalformedHash("that is no password hash of a kind we know")


def _expected(kind: str, parts: list[str]) -> list[str]:
    """Rounds (or cost), salt and hash."""
    if kind == "6" and len(parts) == 2:
        parts = [f"rounds={DEFAULT_ROUNDS}", *parts]
    if len(parts) != 3:
        raise MalformedHash("the hash has too few or too many parts")
    return parts


def _six(rounds: str, salt: str, hashed: str) -> PasswordHash:
    """SHA-512-crypt; or its look-alike, whose hash is Base64 and so ends in what crypt lacks."""
    if hashed.endswith("=="):
        return _mosquitto_6(rounds, salt, hashed)
    if not CRYPT_SALT.fullmatch(salt) or not CRYPT_HASH.fullmatch(hashed):
        raise MalformedHash("salt or hash of SHA-512-crypt is not one")
    count = _rounds(CRYPT_ROUNDS, rounds, MIN_CRYPT_ROUNDS)
    seasoning = salt.encode()
    return PasswordHash(
        lambda p: sha512_crypt(p, seasoning, count).encode(), hashed.encode(), in_python=True
    )


def _mosquitto_6(rounds: str, salt: str, hashed: str) -> PasswordHash:
    """What mosquitto wrote up to version 1.6: one SHA-512 over password and salt."""
    if rounds != f"rounds={DEFAULT_ROUNDS}":
        raise MalformedHash("a mosquitto hash of this kind has no rounds")
    seasoning = _decoded(salt, SALT_BYTES)
    return PasswordHash(
        lambda p: hashlib.sha512(p + seasoning).digest(), _decoded(hashed, range(64, 65))
    )


def _pbkdf2(name: str, size: int, rounds: str, salt: str, hashed: str) -> PasswordHash:
    count = _rounds(ROUNDS, rounds, 1)
    seasoning = _decoded(salt, SALT_BYTES)
    return PasswordHash(
        lambda p: hashlib.pbkdf2_hmac(name, p, seasoning, count),
        _decoded(hashed, range(size, size + 1)),
    )


def _scrypt(cost: str, salt: str, hashed: str) -> PasswordHash:
    log, block, lanes = _numbers(SCRYPT_COST, cost)
    if log > 20 or lanes > MAX_LANES or (block * lanes << log) > MAX_SCRYPT:
        raise MalformedHash("the hash would cost too much time or memory")
    seasoning, expected = _decoded(salt, SALT_BYTES), _decoded(hashed, SCRYPT_BYTES)
    return PasswordHash(
        lambda p: hashlib.scrypt(
            p,
            salt=seasoning,
            n=1 << log,
            r=block,
            p=lanes,
            # Checked above; OpenSSL's own limit is lower, and counts a little more.
            maxmem=256 * MAX_SCRYPT,
            dklen=len(expected),
        ),
        expected,
    )


def _argon2(kdf: Any, version: str, cost: str, salt: str, hashed: str) -> PasswordHash:
    memory, passes, lanes = _numbers(ARGON2_COST, cost)
    if memory > MAX_MEMORY or memory * passes > MAX_ARGON2 or lanes > MAX_LANES:
        raise MalformedHash("the hash would cost too much time or memory")
    if version != ARGON2_VERSION:
        raise MalformedHash("the hash is of another version of Argon2")
    seasoning, expected = _decoded(salt, SALT_BYTES), _decoded(hashed, ARGON2_BYTES)

    def prepared() -> Any:  # Each serves for one password.
        return kdf(
            salt=seasoning,
            length=len(expected),
            iterations=passes,
            lanes=lanes,
            memory_cost=memory,
        )

    _probe(kdf, prepared)
    return PasswordHash(lambda p: bytes(prepared().derive(p)), expected)


def _probe(kdf: object, prepared: Callable[[], object]) -> None:
    """Whether this box can do it, before somebody wants to log in."""
    if kdf is None:
        raise MalformedHash(
            "the hash needs cryptography >= 44 for Argon2id, >= 47 for Argon2i and Argon2d"
        )
    try:
        prepared()
    except UnsupportedAlgorithm:
        raise MalformedHash("the hash needs cryptography with OpenSSL >= 3.2") from None
    except ValueError:
        raise MalformedHash("that is not how an Argon2 hash is made") from None


def _rounds(pattern: re.Pattern[str], text: str, least: int) -> int:
    (count,) = _numbers(pattern, text)
    if not least <= count <= MAX_ROUNDS:
        raise MalformedHash(f"the hash must have from {least} to {MAX_ROUNDS} rounds")
    return count


def _numbers(pattern: re.Pattern[str], text: str) -> list[int]:
    found = pattern.fullmatch(text)
    if found is None:
        raise MalformedHash("the cost of the hash cannot be read")
    return [int(number) for number in found.groups()]


def _decoded(text: str, sizes: range) -> bytes:
    """Base64 with or without padding; passlib sometimes writes a dot for the plus."""
    bare = text.replace(".", "+").rstrip("=")
    try:
        decoded = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise MalformedHash("salt or hash is not Base64") from None
    if len(decoded) not in sizes:
        raise MalformedHash("salt or hash is too short or too long")
    return decoded


#: What reads the three parts of each kind.
KINDS: Mapping[str, Callable[[str, str, str], PasswordHash]] = {
    "6": _six,
    "7": partial(_pbkdf2, "sha512", 64),  # mosquitto's, since version 2.0
    "pbkdf2-sha512": partial(_pbkdf2, "sha512", 64),
    "pbkdf2-sha256": partial(_pbkdf2, "sha256", 32),
    "scrypt": _scrypt,
}
