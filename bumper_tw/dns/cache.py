"""Answers of other servers, and for how long they may be told again."""

import struct

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.names import dns

from bumper_tw.dns.packets import (
    HEADER,
    TRUNCATED,
    Question,
    Record,
    read_header,
    read_records,
)
from bumper_tw.dns.wires import code_of

LIFE = struct.Struct("!I")

#: Seconds that an answer holds at the most, and one that there is nothing (RFC 2308, 5).
LONGEST, LONGEST_NOTHING = 3600, 300

#: Bytes of an answer that is remembered; the others are asked for again.
LARGEST = 4096


@frozen
class Answer:
    """
    What another server said.

    @ivar data: the message, which can be read to its end.
    @ivar holds: for how many seconds it may be told again.
    """

    data: bytes
    holds: int

    def told(self, question: Question, age: float = 0) -> bytes:
        """
        What it said as an answer to somebody's question: with his number, in his spelling.

        @param question: about the same topic, so that its name is as long as the one here.
        @param age: seconds since it came.
        """
        data = bytearray(self.data)
        data[0:2] = question.number.to_bytes(2, "big")
        data[HEADER.size : HEADER.size + len(question.wire)] = question.wire
        # Where the times are is found again each time: to remember it takes more than the
        # message does, if that is made of many small records.
        for each in _mortal(self.data, question):
            life = min(each.life, LONGEST) - int(age)
            LIFE.pack_into(data, each.life_at, max(0, life))
        return bytes(data)


def read_answer(data: bytes, question: Question) -> Answer:
    """
    Look through an answer.

    @param question: to which it belongs.
    @raise Unreadable: it breaks off.
    """
    return Answer(data, _holds(data, _mortal(data, question)))


def _mortal(data: bytes, question: Question) -> list[Record]:
    """The records that hold for some time, which EDNS does not."""
    found = read_records(data, HEADER.size + len(question.wire))
    return [each for each in found if each.kind != dns.OPT]


def _holds(data: bytes, records: list[Record]) -> int:
    code = code_of(data)
    fit = code in {dns.OK, dns.ENAME} and not read_header(data)[1] & TRUNCATED
    if not fit or len(data) > LARGEST:
        return 0
    # RFC 2181, 8: a time with the highest bit set is none.
    lives = [each.life if each.life < 1 << 31 else 0 for each in records]
    if code == dns.OK and any(each.place == 0 for each in records):
        return min(LONGEST, *lives)
    starts = [_nothing_holds(each) for each in records if each.place == 1 and each.kind == dns.SOA]
    return min(LONGEST_NOTHING, *starts, *lives) if starts else 0


def _nothing_holds(start: Record) -> int:
    """What the SOA record says about answers that there is nothing (RFC 2308, 5)."""
    minimum = LIFE.unpack(start.body[-LIFE.size :])[0] if len(start.body) >= LIFE.size else 0
    return int(min(start.life, minimum))


class Cache:
    """So many answers, of which the one that nobody wanted for longest goes first."""

    def __init__(self, clock: IReactorTime, most: int) -> None:
        self._clock, self._most = clock, most
        self._kept: dict[tuple[object, ...], tuple[float, Answer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: Question) -> bytes | None:
        """What is remembered, as an answer to this question."""
        kept = self._kept.pop(question.topic, None)
        if kept is None:
            return None
        at, answer = kept
        age = self._clock.seconds() - at
        if not 0 <= age < answer.holds:
            return None
        self._kept[question.topic] = kept
        return answer.told(question, age)

    def keep(self, question: Question, answer: Answer) -> None:
        """Remember an answer, if it may be."""
        if not answer.holds or not self._most:
            return
        self._kept.pop(question.topic, None)
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[question.topic] = (self._clock.seconds(), answer)
