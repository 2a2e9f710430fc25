"""
What publishers say in benchmarks, and what became of it.

A publisher says the same sequence of frames again and again, and all that a subscriber hears
is compared with it.  At QoS 0 a broker passes frames on as they are, so what is compared, sent
and counted are bytes; frames are only looked at when something is wrong.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Self

from attrs import frozen

from bumper_tw.simulator.mqtt import Splitter, packet, text

#: Frames in a sequence at the least, so that those in flight are never alike.
FEWEST = 64

#: The same at QoS 1, where a broker may send something again much later.
FEWEST_CONFIRMED = 256

CONNACK = b"\x20\x02\x00\x00"


def hello(name: str) -> bytes:
    """CONNECT without an account, a will or a keep-alive, with a clean session."""
    return packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(name))


def subscription(filters: Sequence[str], qos: int) -> tuple[bytes, bytes]:
    """SUBSCRIBE with some filters, and the answer that grants them."""
    wishes = b"".join(text(wanted) + bytes([qos]) for wanted in filters)
    return packet(0x82, b"\0\1" + wishes), packet(0x90, b"\0\1" + bytes([qos]) * len(filters))


@frozen
class Script:
    """
    Frames that are said again and again.

    @ivar cycle: all of them, twice, so that no piece of it needs to be put together.
    @ivar ends: where in the first half each ends.
    """

    frames: tuple[bytes, ...]
    cycle: bytes
    ends: tuple[int, ...]

    @classmethod
    def of(cls, frames: Sequence[bytes]) -> Self:
        """From its frames."""
        return cls(tuple(frames), b"".join(frames) * 2, tuple(accumulate(map(len, frames))))

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        return self.ends[-1]

    def count(self, at: int) -> int:
        """How many frames have ended after so many bytes."""
        laps, place = divmod(at, self.size)
        return laps * len(self.ends) + bisect_right(self.ends, place)

    def after(self, at: int) -> int:
        """The end of the frame that is said there, or has just been."""
        laps, place = divmod(at, self.size)
        return laps * self.size + (self.ends[bisect_left(self.ends, place)] if place else 0)

    def position(self, count: int) -> int:
        """Where so many frames end."""
        laps, number = divmod(count, len(self.ends))
        return laps * self.size + (self.ends[number - 1] if number else 0)


@frozen
class Voice:
    """
    What one publisher says.

    @ivar topics: used by turns.
    @ivar lengths: of payloads in bytes, by turns.
    @ivar window: bytes of frames that may be in flight; the script is at least twice as long,
        so that a loss is told from a message that comes twice.
    """

    number: int
    topics: Sequence[str]
    lengths: Sequence[int]
    window: int
    qos: int

    def frames(self) -> Iterator[bytes]:
        """Its frames: each with a mark of its own, and noise."""
        noise, count, size = Random(self.number), 0, 0
        fewest = max(FEWEST_CONFIRMED if self.qos else FEWEST, len(self.topics))
        while count < fewest or size < 2 * self.window:
            made = self.frame(count, noise)
            yield made
            count, size = count + 1, size + len(made)

    def frame(self, count: int, noise: Random) -> bytes:
        """One frame; at QoS 1 packet ids are counted from 1."""
        topic = self.topics[count % len(self.topics)]
        mark = b"%04x%06x" % (self.number, count)
        length = self.lengths[count % len(self.lengths)]
        number = (count + 1).to_bytes(2, "big") if self.qos else b""
        body = text(topic) + number + mark + noise.randbytes(length - len(mark))
        return packet(0x30 | self.qos << 1, body)

    def script(self) -> Script:
        """All of it."""
        return Script.of(list(self.frames()))


class Heard:
    """
    What has come of a script.

    @ivar at: how much of it: the position in bytes up to which all came or is known as lost.
    """

    def __init__(self, script: Script) -> None:
        self.at, self.lost, self.doubled, self.wrong = 0, 0, 0, 0
        self._script = script
        self._splitter: Splitter | None = None
        self._places: dict[bytes, int] = {}

    @property
    def count(self) -> int:
        """Frames that have come."""
        return self._script.count(self.at) - self.lost

    def take(self, data: bytes) -> None:
        """Bytes have come; those that are expected cost next to nothing."""
        place = self.at % self._script.size
        if self._splitter is None and self._script.cycle.startswith(data, place):
            self.at += len(data)
        else:
            self._search(data)

    def _search(self, data: bytes) -> None:
        """Something is wrong: look at each frame from now on."""
        if self._splitter is None:
            self._splitter = Splitter()
            self._places = {body(frame): n for n, frame in enumerate(self._script.frames)}
            whole = self._script.position(self._script.count(self.at))
            start = whole % self._script.size
            data = self._script.cycle[start : start + self.at - whole] + data
            self.at = whole
        for first, said in self._splitter.feed(data):
            self.came(self._places.get(said) if first == self._script.frames[0][0] else None)

    def end(self, count: int) -> None:
        """There is no more: what is missing of so many frames is lost."""
        self.lost += max(0, count - self._script.count(self.at))
        self.at = max(self.at, self._script.position(count))

    def came(self, place: int | None) -> None:
        """
        A frame has come whose place in the script is known, and was perhaps not its turn.

        @param place: C{None} for a frame that is not in the script.
        """
        if place is None:
            self.wrong += 1
            return
        count, all_ = self._script.count(self.at), len(self._script.frames)
        ahead = (place - count) % all_
        if ahead > all_ // 2:
            self.doubled += 1
            return
        self.lost += ahead
        self.at = self._script.position(count + ahead + 1)


def body(frame: bytes) -> bytes:
    """A frame without type and length."""
    return next(Splitter().feed(frame))[1]
