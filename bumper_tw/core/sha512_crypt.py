"""
SHA-512-crypt, what C{mkpasswd} writes, after its published description ("Unix crypt using
SHA-256 and SHA-512", U. Drepper, version 0.6), on top of C{hashlib}.

The C{crypt} module has left Python, and the libraries that have it in Python hold the
interpreter for 5 ms at a time: as often as the reactor comes back from waiting, for as long
as the hash takes.  This one lets go by itself.
"""

from hashlib import sha512
from itertools import islice
from time import sleep

#: How often a hash that does not say it is turned round.
DEFAULT_ROUNDS = 5000

#: More of a salt does not count.
MAX_SALT = 16

HASH_CHARACTERS = 86

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: After as many rounds they repeat: the least common multiple of 2, 3 and 7.
CYCLE = 42

#: Rounds between two breaths: some 0.5 ms on a desktop and 5 ms on a small board.
EVERY = 16 * CYCLE

#: How long one is, in seconds: just long enough to let go of the interpreter.
BREATH = 1e-5


def sha512_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """
    The hash alone, without salt and prefix.  Slow on purpose; meant for a thread.

    @param password: short: the work rises with its length, once with the square.
    @param salt: up to L{MAX_SALT} bytes.
    """
    digest = _start(password, salt)
    mixed = _filled(sha512(password * len(password)).digest(), len(password))
    salted = _filled(sha512(salt * (16 + digest[0])).digest(), len(salt))
    return _encoded(_turned(digest, _cycle(mixed, salted), rounds))


def _start(password: bytes, salt: bytes) -> bytes:
    inner = sha512(password + salt + password).digest()
    outer = sha512(password + salt + _filled(inner, len(password)))
    bits = len(password)
    while bits:
        outer.update(inner if bits & 1 else password)
        bits >>= 1
    return outer.digest()


def _filled(block: bytes, size: int) -> bytes:
    """C{block} again and again, up to C{size} bytes."""
    return (block * (size // len(block) + 1))[:size]


def _cycle(mixed: bytes, salted: bytes) -> list[tuple[bytes, bytes]]:
    """What stands before and behind the digest in each round."""
    return [_around(turn, mixed, salted) for turn in range(CYCLE)]


def _around(turn: int, mixed: bytes, salted: bytes) -> tuple[bytes, bytes]:
    between = (salted if turn % 3 else b"") + (mixed if turn % 7 else b"")
    return (mixed + between, b"") if turn % 2 else (b"", between + mixed)


def _turned(digest: bytes, cycle: list[tuple[bytes, bytes]], rounds: int) -> bytes:
    for done in range(0, rounds, CYCLE):
        for before, behind in islice(cycle, rounds - done):
            digest = sha512(before + digest + behind).digest()
        if done % EVERY == 0:
            # The reactor's thread goes on meanwhile: it waits for us half a millisecond
            # instead of five, and the hash takes about a quarter longer.
            sleep(BREATH)
    return digest


def _encoded(digest: bytes) -> str:
    """Three bytes at a time from all over the digest, and the last one alone."""
    groups = (_group(digest, first) for first in range(21))
    return "".join(groups) + _characters(digest[63], 2)


def _group(digest: bytes, first: int) -> str:
    three = [digest[first], digest[first + 21], digest[first + 42]]
    turn = first % 3
    return _characters(int.from_bytes(bytes(three[turn:] + three[:turn]), "big"), 4)


def _characters(value: int, count: int) -> str:
    """Six bits for each character, the lowest first."""
    return "".join(ALPHABET[value >> 6 * place & 63] for place in range(count))
