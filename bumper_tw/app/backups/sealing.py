"""
A file that nobody can read, or change, without the passphrase.

    - 8 bytes C{bumperBK}, and one byte with the version of this form: 1
    - one byte each: log2(N), r and p of scrypt (RFC 7914)
    - 16 bytes of salt for it; the key has 32 bytes
    - then chunks of 262144 bytes each, of which only the last is shorter (and may be empty),
      each sealed with ChaCha20-Poly1305 (RFC 8439), which makes it 16 bytes longer.  The nonce
      is the number of the chunk from 0 on in 11 bytes, big-endian, and one byte that is 1 for
      the last chunk and 0 for all others; all that stands before the first chunk is
      authenticated with each.

No key is used twice, for each file has a salt of its own.  A chunk that is missing, doubled or
elsewhere has the wrong number, and a file that was cut has no last chunk.
"""

from attrs import frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bumper_tw.app.backups.manifest import Refused
from bumper_tw.app.backups.tar import Readable, Writable

MAGIC = b"bumperBK"
VERSION = 1
SALT_BYTES = 16
KEY_BYTES = 32
HEAD_BYTES = len(MAGIC) + 4 + SALT_BYTES

#: Plain bytes of a chunk, and how much longer it is when sealed.
CHUNK, TAG = 1 << 18, 16


@frozen
class Cost:
    """
    What it takes to try a passphrase: 128 * N * r bytes of memory, p times.

    @ivar log_n: the binary logarithm of N.
    """

    log_n: int = 15
    r: int = 8
    p: int = 3

    def bearable(self) -> bool:
        """Whether a small box can do it: an archive must not be able to choke one."""
        return 10 <= self.log_n <= 18 and 1 <= self.r <= 8 and 1 <= self.p <= 8


COST = Cost()


def key_of(passphrase: str, salt: bytes, cost: Cost) -> ChaCha20Poly1305:
    """What opens and closes a file."""
    kdf = Scrypt(salt, KEY_BYTES, 1 << cost.log_n, cost.r, cost.p)
    return ChaCha20Poly1305(kdf.derive(passphrase.encode("utf-8", "surrogateescape")))


def nonce(number: int, last: bool) -> bytes:
    """What one chunk, and no other, is sealed with."""
    return number.to_bytes(11, "big") + bytes([last])


class Sealer:
    """Seals what is written; nothing is whole before L{finish}."""

    def __init__(self, target: Writable, passphrase: str, salt: bytes, cost: Cost = COST) -> None:
        """@param salt: of which no other file has the same."""
        self._head = MAGIC + bytes([VERSION, cost.log_n, cost.r, cost.p]) + salt
        self._key = key_of(passphrase, salt, cost)
        self._target, self._held, self._number = target, bytearray(), 0
        target.write(self._head)

    def write(self, data: bytes) -> None:
        """Take more."""
        self._held += data
        # A full chunk stays until it is known not to be the last.
        while len(self._held) > CHUNK:
            self._seal(False)

    def finish(self) -> None:
        """That was all."""
        if len(self._held) == CHUNK:
            self._seal(False)
        self._seal(True)

    def _seal(self, last: bool) -> None:
        plain = bytes(self._held[:CHUNK])
        del self._held[:CHUNK]
        self._target.write(self._key.encrypt(nonce(self._number, last), plain, self._head))
        self._number += 1


class Opener:
    """Reads what was sealed; gives nothing that is not genuine."""

    def __init__(self, source: Readable, passphrase: str) -> None:
        """@raise Refused: it was not sealed by this program."""
        self._head = source.read(HEAD_BYTES)
        version, *cost = self._head[len(MAGIC) : len(MAGIC) + 4] or b"\0"
        if len(self._head) < HEAD_BYTES or not is_sealed(self._head):
            raise Refused("it is not a sealed backup, or its end is missing")
        if version != VERSION or not Cost(*cost).bearable():
            raise Refused("it is damaged at its beginning, or a newer bumper_tw has made it")
        self._key = key_of(passphrase, self._head[-SALT_BYTES:], Cost(*cost))
        self._source, self._held, self._number = source, b"", 0
        self._over = False

    def read(self, size: int) -> bytes:
        """
        Some more, at most so many bytes; nothing at the end.

        @raise Refused: what comes next is not what was sealed.
        """
        while not self._held and not self._over:
            self._held = self._next()
        piece, self._held = self._held[:size], self._held[size:]
        return piece

    def close(self) -> None:
        """That was enough."""
        self._source.close()

    def _next(self) -> bytes:
        sealed = self._source.read(CHUNK + TAG)
        self._over = len(sealed) < CHUNK + TAG
        try:
            plain = self._key.decrypt(nonce(self._number, self._over), sealed, self._head)
        except (InvalidTag, ValueError) as wrong:
            raise Refused(self._suspicion()) from wrong
        self._number += 1
        return plain

    def _suspicion(self) -> str:
        if self._number:
            return "it is damaged, or its end is missing"
        return "this is not its passphrase, or it is damaged"


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins like this needs a passphrase."""
    return head.startswith(MAGIC)
