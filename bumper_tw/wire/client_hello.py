"""What a client offers when it wants TLS (RFC 8446, 4.1.2), read before TLS begins."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from struct import Struct, unpack

from attrs import frozen

from bumper_tw.errors import ProtocolViolation

#: The longest hello that is read; real ones have 200 to 2,000 bytes.
MOST = 1 << 14

#: How many numbers of one kind are kept: hellos are remembered for a while, hostile ones as well.
NUMBERS = 128

#: How many application protocols are, and how much of the name of each.
PROTOCOLS, PROTOCOL_LETTERS = 16, 32

#: As many lists of numbers, and names, are remembered, as the same clients come again and again;
#: a list is at most as long as a hello: 2 MB in all.
LISTS = 128

# RFC 8446, 5.1: the kind of a record, the version, and the length.
_RECORD = Struct("!BBBH")
_HANDSHAKE, _CLIENT_HELLO = 22, 1
# RFC 8446, 5.1: nothing longer is allowed in a record that is not encrypted.
_LONGEST_RECORD = 1 << 14
# RFC 8446, 4.2.
_SERVER_NAME, _GROUPS, _SIGNATURES, _ALPN, _VERSIONS = 0, 10, 13, 16, 43
_READ = frozenset({_SERVER_NAME, _GROUPS, _SIGNATURES, _ALPN, _VERSIONS})
_HOST_NAME = 0

_EXTENSION = Struct("!HH")

#: Numbers that mean nothing, and are there so that servers get used to that (RFC 8701, 2).
_GREASE = frozenset(byte << 8 | byte for byte in range(0x0A, 0x100, 0x10))

# RFC 1034, 3.5, and the underscore, which some give to their boxes.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_LONGEST_NAME = 253


@frozen
class ClientHello:
    """
    What a client offers, in its order.

    @ivar server_name: whom it wants to talk to (RFC 6066, 3), in lower case; empty when it does
        not say, or says what is no host name.
    @ivar versions: of TLS, as on the wire: C{0x0304} is TLS 1.3.
    @ivar ciphers: suites, by number.
    @ivar groups: for key exchange, by number.
    @ivar signatures: kinds of them that it can verify, by number.
    @ivar alpn: application protocols (RFC 7301).
    """

    server_name: str = ""
    versions: tuple[int, ...] = ()
    ciphers: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    signatures: tuple[int, ...] = ()
    alpn: tuple[str, ...] = ()


class HelloReader:
    """
    The same for a connection that comes in pieces: each byte is looked at once.

    It remembers the hello, not the records, so whoever wants to pass them on has to keep them.
    """

    def __init__(self) -> None:
        self._header, self._hello = bytearray(), bytearray()
        self._left = 0
        self._end = MOST
        self._read: ClientHello | None = None

    def feed(self, data: bytes) -> ClientHello | None:
        """
        One more piece.

        @return: C{None} when more has to come.
        @raise ProtocolViolation: this is no hello; nothing may be fed after that.
        """
        at = 0
        while self._read is None and at < len(data):
            at += self._of_record(data, at) if self._left else self._of_header(data, at)
        return self._read

    def _of_header(self, data: bytes, at: int) -> int:
        """@return: how many bytes were of the header of a record."""
        piece = data[at : at + _RECORD.size - len(self._header)]
        self._header += piece
        if self._header[0] != _HANDSHAKE:
            raise ProtocolViolation(f"byte {self._header[0]:#04x} instead of a TLS handshake")
        if len(self._header) == _RECORD.size:
            _, major, _, self._left = _RECORD.unpack(self._header)
            if major != 3:
                raise ProtocolViolation(f"SSL {major} instead of TLS")
            # RFC 8446, 5.1: a record of the handshake is never empty.
            if not 0 < self._left <= _LONGEST_RECORD:
                raise ProtocolViolation(f"a TLS record of {self._left} bytes")
            self._header.clear()
        return len(piece)

    def _of_record(self, data: bytes, at: int) -> int:
        """@return: how many bytes were of the hello."""
        piece = data[at : at + min(self._left, self._end - len(self._hello))]
        self._hello += piece
        self._left -= len(piece)
        if self._hello[0] != _CLIENT_HELLO:
            raise ProtocolViolation(f"handshake message {self._hello[0]} instead of a hello")
        if len(self._hello) >= 4:
            self._end = 4 + int.from_bytes(self._hello[1:4])
            if self._end > MOST:
                raise ProtocolViolation(f"a hello of {self._end} bytes")
        if len(self._hello) >= self._end:
            # The first piece may have been longer than the hello.
            self._read = _hello(bytes(self._hello[4 : self._end]))
        return len(piece)


BEYOND = "a length in the TLS hello goes beyond its end"


class _Part:
    """Some bytes, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        """Whether there are more."""
        return self._at < len(self._data)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def take(self, count: int) -> bytes:
        """@raise ProtocolViolation: there are not so many."""
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ProtocolViolation(BEYOND)
        self._at += count
        return taken

    def number(self, width: int) -> int:
        """An unsigned integer of so many bytes."""
        return int.from_bytes(self.take(width))

    def vector(self, width: int) -> "_Part":
        """What follows its own length (RFC 8446, 3.4), which has so many bytes."""
        # Each connection waits for a dozen of these, so the calls in between are spared.
        start = self._at + width
        end = self._at = start + int.from_bytes(self._data[self._at : start])
        if end > len(self._data):
            raise ProtocolViolation(BEYOND)
        return _Part(self._data[start:end])

    def end(self) -> None:
        """@raise ProtocolViolation: there are more."""
        if self:
            raise ProtocolViolation("bytes in the TLS hello that belong to nothing")

    def extensions(self) -> dict[int, "_Part"]:
        """All there are, by number; of several with one number the first counts."""
        data, at, told = self._data, 0, dict[int, _Part]()
        while at < len(data):
            if at + _EXTENSION.size > len(data):
                raise ProtocolViolation(BEYOND)
            kind, length = _EXTENSION.unpack_from(data, at)
            at += _EXTENSION.size + length
            if kind in _READ and kind not in told:
                told[kind] = _Part(data[at - length : at])
        if at > len(data):
            raise ProtocolViolation(BEYOND)
        return told


@lru_cache(maxsize=LISTS)
def _offers(data: bytes) -> tuple[int, ...]:
    """Numbers of two bytes, each once; who comes again has the same, which are kept once."""
    count, half = divmod(len(data), 2)
    if half:
        raise ProtocolViolation("half a number in the TLS hello")
    all_ = dict.fromkeys(unpack(f"!{count}H", data))
    return tuple([number for number in all_ if number not in _GREASE][:NUMBERS])


def _hello(body: bytes) -> ClientHello:
    part = _Part(body)
    version = part.number(2)
    part.take(32)  # a random number
    part.vector(1)  # the session
    ciphers = _offers(part.vector(2).rest())
    part.vector(1)  # ways to compress
    # RFC 5246, 7.4.1.2: a client of TLS 1.0 need not know of extensions.
    told = part.vector(2).extensions() if part else {}
    part.end()
    return ClientHello(
        _server_name(told.get(_SERVER_NAME)),
        _numbers(told.get(_VERSIONS), 1) if _VERSIONS in told else (version,),
        ciphers,
        _numbers(told.get(_GROUPS), 2),
        _numbers(told.get(_SIGNATURES), 2),
        tuple(islice(_protocols(told.get(_ALPN)), PROTOCOLS)),
    )


def _numbers(extension: _Part | None, width: int) -> tuple[int, ...]:
    """
    An extension that is one list of numbers.

    @param width: bytes of its length.
    """
    if extension is None:
        return ()
    numbers = _offers(extension.vector(width).rest())
    extension.end()
    return numbers


def _server_name(extension: _Part | None) -> str:
    """RFC 6066, 3: a list, of which only one kind of name was ever defined."""
    names = extension.vector(2) if extension else None
    while names:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            return host_name(name.rest())
    return ""


def _protocols(extension: _Part | None) -> Iterator[str]:
    """RFC 7301, 3.1: names, which are bytes; what cannot be printed is spelled out."""
    names = extension.vector(2) if extension else None
    while names:
        name = names.vector(1)
        letters = name.rest()
        if len(letters) != 2 or int.from_bytes(letters) not in _GREASE:
            yield repr(letters[:PROTOCOL_LETTERS])[2:-1]


def host_name(name: bytes) -> str:
    """
    A name in lower case, without the dot that may end it.

    @return: empty when it is none: RFC 6066, 3, wants neither addresses nor other letters.
    """
    # One more for the dot.
    return _host_name(name) if len(name) <= _LONGEST_NAME + 1 else ""


@lru_cache(maxsize=LISTS)
def _host_name(name: bytes) -> str:
    text = name.decode("ascii", "replace").lower().removesuffix(".")
    labels = text.split(".") if len(text) <= _LONGEST_NAME else [""]
    whole = all(_LABEL.fullmatch(label) for label in labels)
    # No top-level name has only digits (RFC 3696, 2); the last part of an address does.
    return text if whole and not labels[-1].isdigit() else ""
