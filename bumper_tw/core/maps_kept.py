"""Maps on disk: one small file for each robot, so that there is a map after a restart."""

import json
import zlib
from base64 import b64decode, b64encode
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.maps import MapBook, RobotMap, Shapes
from bumper_tw.core.maps_paths import Path, read, simplified, written
from bumper_tw.core.passwords import InThread
from bumper_tw.core.sessions import settled
from bumper_tw.dialect.maps import MOST_CELLS, MOST_PIECES, Grid
from bumper_tw.dialect.maps_rooms import Room
from bumper_tw.errors import StorageError

#: Seconds between two writes of maps that change, and bytes that one of them may have.
BETWEEN, LARGEST = 600.0, 300_000

#: Bytes that come out of a file at most, and points of a path that go into one.
UNPACKED, POINTS = 8 << 20, 4_000


class MapFolder(Protocol):
    """Where files of maps are."""

    def save(self, did: str, body: bytes) -> Deferred[None]:
        """
        Keep one.

        @return: fails with L{StorageError<bumper_tw.errors.StorageError>}.
        """

    def load(self, did: str) -> Deferred[bytes]:
        """What was kept of a robot; nothing if nothing was.  Never fails."""

    def forget(self, did: str) -> Deferred[None]:
        """Drop what was kept.  Never fails."""


class MapKeeper:
    """Has maps in memory when they are looked at, and on disk when they have changed."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, book: MapBook, folder: MapFolder, in_thread: InThread
    ) -> None:
        """
        @param in_thread: to pack a map may take long.
        """
        self._clock, self._book, self._folder = clock, book, folder
        self._in_thread = in_thread
        #: What has to do with files is done one after the other.
        self._turn = DeferredLock()
        self._changed: dict[str, None] = {}
        self._timer: IDelayedCall | None = None
        book.changed = self.changed

    def known(self, did: str) -> Deferred[RobotMap]:
        """
        The map of a robot, from the disk if it is not in memory.

        @return: never fails; a map that nobody knows has nothing on it.
        """
        found = self._book.find(did)
        if found is not None and found.woken:
            return succeed(found)
        return self._folder.load(did).addCallback(self._wake, did)

    def _wake(self, body: bytes, did: str) -> RobotMap:
        found = self._book.of(did)
        if not found.woken:
            found.woken = True
            if body:
                self._take_up(did, body)
        return found

    def _take_up(self, did: str, body: bytes) -> None:
        try:
            self._book.put(did, unpacked(body))
        except ValueError as wrong:
            self._log.warn("the map of {did} on disk cannot be read: {why}", did=did, why=wrong)

    def changed(self, did: str) -> None:
        """A map is not as it was: soon it goes to the disk."""
        self._changed[did] = None
        if self._timer is None:
            self._timer = self._clock.callLater(BETWEEN, self._save)

    def _save(self) -> None:
        self._timer = None
        self._written()

    def _written(self) -> Deferred[None]:
        changed, self._changed = list(self._changed), {}
        maps = {did: self._book.find(did) for did in changed if did in self._book}
        return settled([
            self._turn.run(self._file, did, found)
            for did, found in maps.items()
            if found is not None and found.is_known
        ])  # fmt: skip

    def _file(self, did: str, found: RobotMap) -> Deferred[None]:
        # What is on disk has to be known before it is written over.
        waked = succeed(found) if found.woken else self.known(did)
        kept = waked.addCallback(self._pack).addCallback(self._put, did)
        return kept.addErrback(self._lost, did)

    def _pack(self, found: RobotMap) -> Deferred[bytes]:
        now = found.copy()
        return self._in_thread(lambda: packed(now))

    def _put(self, body: bytes, did: str) -> Deferred[None]:
        return self._folder.save(did, body) if len(body) <= LARGEST else succeed(None)

    def _lost(self, failure: Failure, did: str) -> None:
        failure.trap(StorageError)
        self._log.warn("the map of {did} is not on disk: {why}", did=did, why=failure.value)

    def forget(self, did: str) -> Deferred[None]:
        """A robot is gone."""
        self._changed.pop(did, None)
        return self._turn.run(self._folder.forget, did)

    def stop(self) -> Deferred[None]:
        """Everything that has changed goes to the disk now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._written()


def packed(found: RobotMap) -> bytes:
    """A map as it is kept."""
    grid = found.grid
    value = {
        "mid": grid.mid,
        "grid": [grid.width, grid.height, grid.columns, grid.rows, grid.pixel],
        "pieces": {str(index): text_of(cells) for index, cells in found.pieces.items()},
        "rooms": [[r.id, r.name, r.outline, r.centre] for r in found.rooms],
        "walls": found.walls,
        "zones": found.zones,
        "tid": found.trace.tid,
        "path": written(simplified(found.trace.points, POINTS)),
        "revision": found.revision,
    }
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def text_of(cells: bytes) -> str:
    """The cells of a piece in few letters."""
    return b64encode(zlib.compress(cells)).decode()


def unpacked(body: bytes) -> RobotMap:
    """
    Undo L{packed}.

    @raise ValueError: it is not what was written.
    """
    try:
        value = json.loads(inflate(body, UNPACKED))
        return _map_of(value)
    except (zlib.error, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from wrong


def inflate(body: bytes, most: int) -> bytes:
    """
    Decompress.

    @raise ValueError: there is more in it than C{most} bytes, or less than there was.
    """
    decoder = zlib.decompressobj()
    found = decoder.decompress(body, most)
    if not decoder.eof:
        raise ValueError("not whole, or too large")
    return found


def _map_of(value: dict[str, Any]) -> RobotMap:
    width, height, columns, rows, pixel = value["grid"]
    if not (0 < width * columns <= MOST_CELLS and 0 < height * rows <= MOST_CELLS):
        raise ValueError("impossible measures")
    if not (0 < columns <= MOST_PIECES and 0 < rows <= MOST_PIECES and 0 < pixel <= 1000):
        raise ValueError("impossible pieces")
    grid = Grid(value["mid"], width, height, columns, rows, pixel)
    found = RobotMap(grid, revision=value["revision"])
    for index, text in value["pieces"].items():
        cells = inflate(b64decode(text, validate=True), grid.cells)
        if len(cells) != grid.cells:
            raise ValueError("a piece of another size")
        found.put(int(index), cells)
    found.rooms = tuple(_room(*each) for each in value["rooms"])
    found.walls, found.zones = _shapes(value["walls"]), _shapes(value["zones"])
    found.path = Path(value["tid"], read(value["path"]))
    # These points are not counted as the robot counts them.
    found.path.simple, found.path.torn = len(found.path.points), True
    return found


def _room(mssid: str, name: str, outline: list[list[int]], centre: list[int] | None) -> Room:
    middle = (centre[0], centre[1]) if centre else None
    return Room(mssid, name, tuple((x, y) for x, y in outline), middle)


def _shapes(value: dict[str, list[list[int]]]) -> Shapes:
    return {name: tuple((x, y) for x, y in points) for name, points in value.items()}
