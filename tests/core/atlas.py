"""What tests of maps share: a feed that notes, a folder in memory, and maps that were made."""

import lzma
from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.dialect.maps import TracePoint
from bumper_tw.interfaces import IFeed
from bumper_tw.simulator.floorplan import DICTIONARY, pack
from bumper_tw.simulator.floorplan import TracePoint as Traced
from bumper_tw.simulator.floorplan import trace as laid_out

T = TypeVar("T")


@implementer(IFeed)
@define(eq=False)
class NotedFeed:
    """What was put, in its order, and what was dropped."""

    position: str = "1-0"
    told: list[tuple[str, str, Any]] = field(factory=list)
    dropped: list[str] = field(factory=list)

    def put(self, key: str, kind: str, value: Any) -> None:
        self.told.append((key, kind, value))

    def drop(self, key: str) -> None:
        self.dropped.append(key)

    def values(self, kind: str) -> list[Any]:
        """What was put of one kind."""
        return [value for _, each, value in self.told if each == kind]


@define(eq=False)
class MemoryFolder:
    """Files by robot."""

    files: dict[str, bytes] = field(factory=dict)
    writes: int = 0

    def save(self, did: str, body: bytes) -> Deferred[None]:
        """Write one."""
        self.files[did] = body
        self.writes += 1
        return succeed(None)

    def load(self, did: str) -> Deferred[bytes]:
        """Read one."""
        return succeed(self.files.get(did, b""))

    def forget(self, did: str) -> Deferred[None]:
        """Drop one."""
        self.files.pop(did, None)
        return succeed(None)


def at_once(work: Callable[[], T]) -> Deferred[T]:
    """What would be done in a thread."""
    return succeed(work())


@define(eq=False)
class Threads:
    """Threads that take their time; C{waiting} is what is to be done in them."""

    waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = field(factory=list)

    def __call__(self, work: Callable[[], T]) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        self.waiting.append((work, done))
        return done

    def work(self) -> None:
        """The first is done."""
        work, done = self.waiting.pop(0)
        done.callback(work())


def traced(points: list[TracePoint], start: int = 0, tid: str = "1", total: int = 0) -> Any:
    """Points as a JSON robot sends them."""
    units = [Traced(x // 10, y // 10, bool(up)) for x, y, up in points]
    return {
        "tid": tid,
        "totalCount": total or start + len(points),
        "traceStart": start,
        "pointCount": len(points),
        "traceValue": pack(laid_out(units)),
    }


def snake(count: int, first: int = 0) -> list[TracePoint]:
    """A way up and down, no three points of it in a line."""
    return [(100 * n, 300 * (n % 2), 0) for n in range(first, first + count)]


def bomb(size: int, claimed: int) -> bytes:
    """Zeros that compress well, and how many there are said to be."""
    filters = ({"id": lzma.FILTER_LZMA1, "dict_size": DICTIONARY, "lc": 3, "lp": 0, "pb": 2},)
    alone = lzma.compress(bytes(size), format=lzma.FORMAT_ALONE, filters=filters)
    return alone[:5] + claimed.to_bytes(4, "little") + alone[13:]
