"""Where a robot went: its path, kept within bounds, and written small."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field

from bumper_tw.dialect.maps import Trace, TracePoint

#: Points of a path that are kept as they came; of a longer one the older ones are simplified.
MOST, RECENT = 8_000, 2_000
#: Millimetres by which a simplified path may be wrong, and when that is not enough.
NEAR, NOT_SO_NEAR = 50, 200

#: What is written counts in so many millimetres.
UNIT = 10


@define(eq=False)
class Path:
    """
    The path of one job.

    @ivar tid: its name; another begins a new path.
    @ivar points: what is known of it.
    @ivar simple: so many of these, from the first on, are not what the robot sent any more.
    @ivar first: the robot's own number of the point behind these.
    @ivar torn: whether there were others that are not here, and never were.
    """

    tid: str = ""
    points: list[TracePoint] = field(factory=list)
    simple: int = 0
    first: int = 0
    torn: bool = False

    @property
    def end(self) -> int:
        """The robot's own number of the point that comes next."""
        return self.first + len(self.points) - self.simple

    def take(self, trace: Trace) -> bool:
        """
        Go on with what a robot has sent.

        @return: whether anything is new.
        """
        before = (self.tid, self.end, self.points[-1:])
        if trace.tid != self.tid or (trace.start == 0 and trace.total < self.end):
            self._begin(trace.tid)
        if trace.start > self.end:
            # Something between is lost, or was before we listened.
            self.simple, self.first, self.torn = len(self.points), trace.start, True
        self._join(trace)
        if len(self.points) > MOST:
            self._simplify()
        return before != (self.tid, self.end, self.points[-1:])

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, simplified or not."""
        return bool(self.points) and not self.torn

    def replace(self, tid: str, points: Iterable[TracePoint]) -> None:
        """Take up a path from its first point on; what has come meanwhile is put behind it."""
        whole = list(points)
        later = self.end - len(whole) if tid == self.tid else 0
        tail = self.points[-later:] if 0 < later <= len(self.points) - self.simple else []
        self._begin(tid)
        self.points = [*whole, *tail]
        if len(self.points) > MOST:
            self._simplify()

    def _begin(self, tid: str) -> None:
        self.tid, self.points, self.simple, self.first, self.torn = tid, [], 0, 0, False

    def _join(self, trace: Trace) -> None:
        """Events overlap: what they repeat takes the place of what is here."""
        known = max(0, trace.start - self.first)
        new = list(trace.points[max(0, self.first - trace.start) :])
        if not new or len(new) + known < len(self.points) - self.simple:
            return
        if self.simple == len(self.points) > 0:
            new[0] = (*new[0][:2], 1)
        self.points[self.simple + known :] = new

    def _simplify(self) -> None:
        older = simplified(self.points[:-RECENT], MOST // 2)
        end = self.end
        self.points = [*older, *self.points[-RECENT:]]
        self.simple, self.first = len(older), end - RECENT

    def walk(self, tid: str, x: int, y: int) -> bool:
        """
        Go on to where a robot says that it is, for want of a path of its own.

        @return: whether that is anywhere else.
        """
        if tid != self.tid:
            self._begin(tid)
        if self.points and self.points[-1][:2] == (x, y):
            return False
        self.points.append((x, y, int(not self.points)))
        if len(self.points) > MOST:
            self._simplify()
        return True


def simplified(points: Sequence[TracePoint], most: int) -> list[TracePoint]:
    """
    About the same path with fewer points.

    @param most: more there are not, however wrong it gets.
    """
    kept = straightened(points, NEAR)
    if len(kept) > most:
        kept = straightened(kept, NOT_SO_NEAR)
    # Nothing that goes through a house is still too long; what is, is not worth more time.
    return kept if len(kept) <= most else [kept[len(kept) * n // most] for n in range(most)]


def straightened(points: Sequence[TracePoint], near: int) -> list[TracePoint]:
    """Leave out what is on the way from the last point that is kept to the next."""
    kept: list[TracePoint] = []
    ends = [*points[1:], None]
    for point, following in zip(points, ends, strict=False):
        is_end = not kept or point[2] or following is None or following[2]
        if is_end or is_needed(kept[-1], point, following or point, near):
            kept.append(point)
    return kept


def is_needed(before: TracePoint, point: TracePoint, following: TracePoint, near: int) -> bool:
    """Whether a path is another without a point."""
    return distance(before, following, point) > near or is_far(before, point, near)


def is_far(one: TracePoint, other: TracePoint, near: int) -> bool:
    """A straight line is cut now and then, so that small errors do not add up."""
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) > 20 * near


def distance(start: TracePoint, end: TracePoint, point: TracePoint) -> float:
    """How far a point is from the line between two others, about."""
    across, up = end[0] - start[0], end[1] - start[1]
    x, y = point[0] - start[0], point[1] - start[1]
    long = float(across * across + up * up)
    along = max(0.0, min(1.0, (x * across + y * up) / long)) if long else 0.0
    return abs(x - along * across) + abs(y - along * up)


def written(points: Iterable[TracePoint]) -> str:
    """A path as text: the steps between its points, in base64."""
    found, x, y = bytearray(), 0, 0
    for each in points:
        across, up = round(each[0] / UNIT), round(each[1] / UNIT)
        found += number(zigzag(across - x) << 1 | int(bool(each[2])))
        found += number(zigzag(up - y))
        x, y = across, up
    return b64encode(bytes(found)).decode()


def read(text: str) -> list[TracePoint]:
    """
    Undo L{written}.

    @raise ValueError: it was not written so.
    """
    numbers, points, x, y = numbers_of(b64decode(text, validate=True)), list[TracePoint](), 0, 0
    for first in numbers:
        second = next(numbers, None)
        if second is None:
            raise ValueError("half a point")
        x, y = x + unzigzag(first >> 1), y + unzigzag(second)
        points.append((x * UNIT, y * UNIT, first & 1))
    return points


def zigzag(value: int) -> int:
    """A number without a sign: small ones stay small."""
    return value * 2 if value >= 0 else -value * 2 - 1


def unzigzag(value: int) -> int:
    """Undo L{zigzag}."""
    return value // 2 if value % 2 == 0 else -(value + 1) // 2


def number(value: int) -> bytes:
    """Seven bits to a byte, the lowest first; the eighth says that there is more."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def numbers_of(raw: bytes) -> Iterator[int]:
    """
    Undo L{number} for a row of them.

    @raise ValueError: one is cut off, or larger than any in here.
    """
    value = shift = 0
    for each in raw:
        value |= (each & 0x7F) << shift
        shift += 7
        if not each & 0x80:
            yield value
            value = shift = 0
        elif shift > 35:
            raise ValueError("a number that is too large")
    if shift:
        raise ValueError("a number that is cut off")
