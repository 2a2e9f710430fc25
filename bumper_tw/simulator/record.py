"""What a robot keeps for the tests: its frames, and what the server did wrong (robots.md 1, 9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import define, field, frozen

MOST_FRAMES = 2000
MOST_BYTES = 1 << 19
MOST_VIOLATIONS = 500


@frozen
class Frame:
    """
    One read or one write.

    @ivar time: seconds on the clock of the robot's owner
    @ivar outgoing: written by the robot
    """

    time: float
    outgoing: bool
    raw: bytes


@define
class Transcript:
    """The newest frames: bounded in number and in bytes."""

    _frames: deque[Frame] = field(factory=deque, init=False)
    _bytes: int = field(default=0, init=False)

    def add(self, frame: Frame) -> None:
        """Keep one more, forgetting the oldest where needed."""
        frames = self._frames
        frames.append(frame)
        self._bytes += len(frame.raw)
        while len(frames) > MOST_FRAMES or (self._bytes > MOST_BYTES and len(frames) > 1):
            self._bytes -= len(frames.popleft().raw)

    def __iter__(self) -> Iterator[Frame]:
        return iter(tuple(self._frames))

    def __len__(self) -> int:
        return len(self._frames)

    def sent(self) -> bytes:
        """Join what the robot wrote."""
        return b"".join(frame.raw for frame in self._frames if frame.outgoing)


@define
class Violations:
    """Sentences about the server, the first L{MOST_VIOLATIONS} of them."""

    _found: list[str] = field(factory=list, init=False)

    def add(self, text: str) -> None:
        """Keep one, at most 200 characters of it."""
        if len(self._found) < MOST_VIOLATIONS:
            self._found.append(text[:200])

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._found))

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<Violations {self._found!r}>"
