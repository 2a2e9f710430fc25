"""
Questions and answers as they are on the wire (RFC 1035, 4).

Only what a responder and a forwarder need is read: the header, one question, and where the
records are.  Names in answers are passed over, not followed, so no packet costs more than one
walk along its bytes; L{twisted.names.dns.Message} puts every name together, in releases before
the limit on pointers as often as somebody likes.
"""

import struct
from collections.abc import Iterator

from attrs import evolve, frozen
from twisted.names import dns

from bumper_tw.errors import ProtocolViolation

HEADER = struct.Struct("!HHHHHH")
TAIL = struct.Struct("!HH")
RECORD = struct.Struct("!HHIH")

#: Bits of the second header word (RFC 1035, 4.1.1; RFC 6840, 5.7 and 5.9).
RESPONSE, AUTHORITATIVE, TRUNCATED, RECURSE, CAN_RECURSE = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
AUTHENTIC, UNCHECKED = 0x0020, 0x0010
OPCODE, RCODE = 0x7800, 0x000F

#: The bit for signatures in the pseudo-record of EDNS (RFC 6891, 6.1.4).
SIGNED = 0x8000

#: Bytes of an answer over UDP: without EDNS, and the most we send with it, which no network
#: has to cut into fragments.
PLAIN, ROOM = 512, 1232

#: Bytes of a name on the wire (RFC 1035, 2.3.4), and a length byte that says "go on there".
LONGEST_NAME, POINTER = 255, 0xC0


class Unreadable(ProtocolViolation):
    """That is no DNS message, or it breaks off."""


@frozen
class Question:
    """
    What somebody wants to know.

    @ivar number: which the answer has to bear.
    @ivar flags: the second word of the header.
    @ivar wire: the question section as it was spelled, which the answer repeats.
    @ivar labels: the name, folded to lower case.
    @ivar kind: of the records asked for.
    @ivar edns: the type, class and time to live of an OPT record; C{None} without one.
    """

    number: int
    flags: int
    wire: bytes
    labels: tuple[bytes, ...]
    kind: int
    category: int
    edns: int | None = None
    room: int = PLAIN

    @property
    def name(self) -> str:
        """The name for people: what does not belong into one is replaced."""
        spelled = ".".join(label.decode("ascii", "replace") for label in self.labels)
        return "".join(letter if letter.isprintable() else "?" for letter in spelled)

    @property
    def version(self) -> int:
        """The version of EDNS; 0 without it."""
        return 0 if self.edns is None else self.edns >> 16 & 0xFF

    @property
    def signed(self) -> bool:
        """Whether signatures are wanted, too."""
        return self.edns is not None and bool(self.edns & SIGNED)

    @property
    def topic(self) -> tuple[object, ...]:
        """What questions have in common to which one answer fits."""
        wanted = self.flags & (RECURSE | AUTHENTIC | UNCHECKED)
        return self.labels, self.kind, self.category, wanted, self.edns is None, self.signed


def question(name: str, kind: int, number: int) -> Question:
    """
    A question of our own.

    @param name: in ASCII, without a dot at the end.
    """
    labels = tuple(label.encode("ascii") for label in name.split("."))
    spelled = b"".join(bytes([len(label)]) + label for label in labels)
    wire = spelled + b"\0" + TAIL.pack(kind, dns.IN)
    folded = tuple(label.lower() for label in labels)
    return Question(number, RECURSE, wire, folded, kind, dns.IN)


def read_header(data: bytes) -> tuple[int, int]:
    """
    The number and the flags.

    @raise Unreadable: it is shorter than a header.
    """
    if len(data) < HEADER.size:
        raise Unreadable("shorter than a header")
    number, flags, *_ = HEADER.unpack_from(data)
    return number, flags


def read_question(data: bytes) -> Question:
    """
    A message with one question and nothing else but EDNS.

    @raise Unreadable: it is something else.
    """
    number, flags = read_header(data)
    _, _, questions, answers, authorities, more = HEADER.unpack_from(data)
    if questions != 1 or answers or authorities:
        raise Unreadable("not one question")
    labels, end = _read_name(data)
    if len(data) < end + TAIL.size:
        raise Unreadable("the question breaks off")
    kind, category = TAIL.unpack_from(data, end)
    end += TAIL.size
    asked = Question(number, flags, data[HEADER.size : end], labels, kind, category)
    return _with_edns(asked, data, end, more)


def _read_name(data: bytes) -> tuple[tuple[bytes, ...], int]:
    """The name behind the header, where nothing is before it that it could point to."""
    labels: list[bytes] = []
    at = HEADER.size
    while at < min(len(data), HEADER.size + LONGEST_NAME):
        length = data[at]
        if length == 0:
            return tuple(labels), at + 1
        if length >= 0x40:
            raise Unreadable("a label is too long")
        labels.append(data[at + 1 : at + 1 + length].lower())
        at += 1 + length
    raise Unreadable("the name is too long, or breaks off")


def _with_edns(asked: Question, data: bytes, at: int, records: int) -> Question:
    """
    What an OPT record says.  Others may be there, such as signatures of the asker's; there is
    room for few of these in a question.
    """
    if records > 4:
        raise Unreadable("too many records in a question")
    for kind, category, life, _, _ in _records(data, at, records):
        if kind == dns.OPT and asked.edns is not None:
            raise Unreadable("EDNS twice")
        if kind == dns.OPT:
            room = max(PLAIN, min(category, ROOM))
            asked = evolve(asked, edns=life, room=room)
    return asked


def _records(data: bytes, at: int, count: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Type, class, time to live, where the body begins and where it ends."""
    for _ in range(count):
        at = _past_name(data, at)
        if len(data) < at + RECORD.size:
            raise Unreadable("a record breaks off")
        kind, category, life, length = RECORD.unpack_from(data, at)
        at += RECORD.size
        if len(data) < at + length:
            raise Unreadable("the body of a record breaks off")
        yield kind, category, life, at, at + length
        at += length


def _past_name(data: bytes, at: int) -> int:
    while at < len(data):
        length = data[at]
        if length >= POINTER:
            return at + 2
        if length == 0:
            return at + 1
        at += 1 + length
    raise Unreadable("a name breaks off")


@frozen
class Record:
    """
    A record of an answer.

    @ivar place: of its section: 0 for answers, 1 for authorities, 2 for what is additional.
    @ivar life: for how many seconds it holds.
    @ivar life_at: where that is in the message.
    """

    place: int
    kind: int
    category: int
    life: int
    life_at: int
    body: bytes


def read_records(data: bytes, at: int) -> Iterator[Record]:
    """
    The records of an answer.

    @param at: where the question ends.
    @raise Unreadable: they break off.
    """
    counts = HEADER.unpack_from(data)[3:]
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    for place, found in zip(places, _records(data, at, len(places)), strict=True):
        kind, category, life, start, end = found
        yield Record(place, kind, category, life, start - 6, data[start:end])


def asked(question: Question, number: int) -> bytes:
    """
    The question as we ask others.

    @param number: ours, which nobody can guess.
    """
    flags = question.flags & (RECURSE | AUTHENTIC | UNCHECKED)
    edns = b"" if question.edns is None else _opt(question.signed)
    return HEADER.pack(number, flags, 1, 0, 0, 1 if edns else 0) + question.wire + edns


def reply(
    question: Question,
    flags: int = 0,
    answers: tuple[bytes, ...] = (),
    authorities: tuple[bytes, ...] = (),
    code: int = dns.OK,
) -> bytes:
    """
    An answer of ours.

    @param flags: besides those that every answer has.
    @param answers: whole records, as L{record} makes them.
    @param code: the result; what does not fit into four bits needs EDNS (RFC 6891, 6.1.3).
    """
    kept = question.flags & (OPCODE | RECURSE | UNCHECKED)
    edns = b"" if question.edns is None else _opt(question.signed, code >> 4)
    word = RESPONSE | CAN_RECURSE | kept | flags | (code & RCODE)
    counts = (1, len(answers), len(authorities), 1 if edns else 0)
    head = HEADER.pack(question.number, word, *counts) + question.wire
    return head + b"".join((*answers, *authorities)) + edns


def refusal(data: bytes, code: int) -> bytes:
    """
    An answer to something that has no question: its header alone.

    @raise Unreadable: there is no header either, or it is an answer itself.
    """
    number, flags = read_header(data)
    if flags & RESPONSE:
        raise Unreadable("an answer nobody asked for")
    return HEADER.pack(number, RESPONSE | (flags & (OPCODE | RECURSE)) | code, 0, 0, 0, 0)


def record(owner_at: int, kind: int, life: int, body: bytes) -> bytes:
    """
    A record.

    @param owner_at: where in the message the name is that it belongs to.
    @param life: seconds.
    """
    owner = struct.pack("!H", POINTER << 8 | owner_at)
    return owner + RECORD.pack(kind, dns.IN, life, len(body)) + body


def _opt(signed: bool, code: int = 0) -> bytes:
    """EDNS, version 0: how much we take, and the upper bits of the result."""
    return b"\0" + RECORD.pack(dns.OPT, ROOM, code << 24 | (SIGNED if signed else 0), 0)
