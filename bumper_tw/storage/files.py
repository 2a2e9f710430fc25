"""
Files in the data directory: what robots and apps leave here, and what the owner has put there.

The folder is the list of what is kept: C{files/<robot>/<milliseconds>-<what>-<random>}.  So the
owner may look into it and remove things with the means of his system.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from errno import ENOENT
from pathlib import Path
from secrets import token_hex
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote

from attrs import frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.people_interfaces import IFiles, KeptFile

T = TypeVar("T")

#: The folder below the data directory.
FOLDER = "files"
#: The same for what the owner may let robots have.
FIRMWARE = "firmware"

#: As many files are written at the same time, and kept of one robot.
AT_ONCE, MOST = 4, 1000

KEY = re.compile(r"(\d{13})-([a-z0-9]{1,32})-[0-9a-f]{16}")
#: What is being written.
BEGUN = ".part"
#: As often a folder is made that goes again meanwhile.
TRIES = 5
#: As long may the name of a folder be.
LONGEST = 200

#: A class of robots, as it names a folder.
CLASS = re.compile(r"[a-z0-9]{1,32}")
#: A description of firmware is a page or two.
LARGEST = 1 << 16


class InThread(Protocol):
    """Does something that has to wait for a disk where nobody else has to."""

    def __call__(self, work: Callable[[], T]) -> Deferred[T]: ...


@frozen
class Quota:
    """
    How much room there is, in bytes.

    @ivar each: for a file.
    @ivar owner: for all files of one robot.
    @ivar all: for everything.
    """

    each: int = 8 << 20
    owner: int = 50 << 20
    all: int = 500 << 20

    @property
    def largest(self) -> int:
        """As large may a file be."""
        return min(self.each, self.owner, self.all)


@implementer(IFiles)
class Files:
    """Files below a folder, which is made with the first of them."""

    def __init__(
        self,
        clock: IReactorTime,
        in_thread: InThread,
        data: Path,
        quota: Quota | None = None,
        holder: Callable[[str], str] = str,
    ) -> None:
        """
        @param data: the data directory; a relative one is looked up now.
        @param holder: whose room the files of a robot take; its own, if nothing else is said.
        """
        self._clock, self._in_thread, self._quota = clock, in_thread, quota or Quota()
        self._folder = data.absolute() / FOLDER
        self._holder = holder
        # With those that are being written: they take room already, but nobody sees them.
        self._files: dict[str, KeptFile] = {}
        self._writing: set[str] = set()

    def look(self, alone: bool = True) -> None:
        """
        Find what earlier runs left; reads the disk at once.

        @param alone: whether nobody else writes there, so that what is not finished never will
            be, and goes.
        """
        found = sorted(self._found(alone), key=lambda file: file.key)
        self._files = {file.key: file for file in found}
        for folder in self._folder.glob("*") if alone else ():
            drop_empty(folder)

    def _found(self, alone: bool) -> Iterator[KeptFile]:
        for path in self._folder.glob("*/*"):
            named = KEY.fullmatch(path.name)
            if path.suffix == BEGUN:
                discard([path] if alone else [])
            elif named and path.is_file() and not path.is_symlink():
                at, owner = int(named[1]) / 1000, unquote(path.parent.name)
                yield KeptFile(path.name, owner, named[2], path.stat().st_size, at)

    @property
    def size(self) -> int:
        """How many bytes all of them have."""
        return sum(file.size for file in self._files.values())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._files)

    def keep(self, owner: str, what: str, body: bytes) -> Deferred[str]:
        if len(body) > self._quota.largest:
            return fail(BadRequest(f"a file has at most {self._quota.largest} bytes"))
        if len(self._writing) >= AT_ONCE:
            return fail(BadRequest("too many files come at the same time"))
        if not 0 < len(folder_name(owner)) <= LONGEST:
            return fail(BadRequest("no robot has such an id"))
        file = self._file(owner, what, len(body))
        gone = [self._path(each) for each in self._make_room(file)]
        self._files[file.key] = file
        self._writing.add(file.key)
        path = self._path(file)
        written = self._in_thread(lambda: write(path, body, gone)).addBoth(self._done, file.key)
        return written.addCallbacks(
            self._written, self._unwritten, callbackArgs=(file,), errbackArgs=(file,)
        )

    def _file(self, owner: str, what: str, size: int) -> KeptFile:
        word = "".join(c for c in what.lower() if c.isascii() and c.isalnum())[:32] or "file"
        now = self._clock.seconds()
        key = f"{int(now * 1000):013d}-{word}-{token_hex(8)}"
        return KeptFile(key, owner, word, size, now)

    def _done(self, result: T, key: str) -> T:
        self._writing.discard(key)
        return result

    def _written(self, _: None, file: KeptFile) -> str | Deferred[str]:
        if file.key in self._files:
            return file.key
        # Its robot was forgotten meanwhile, or others have needed the room.
        path = self._path(file)
        return self._in_thread(lambda: discard([path])).addCallback(lambda _: file.key)

    def _unwritten(self, failure: Failure, file: KeptFile) -> str:
        self._files.pop(file.key, None)
        failure.trap(OSError)
        why = failure.getErrorMessage()
        raise StorageError(f"a file cannot be written below {self._folder}: {why}")

    def _make_room(self, file: KeptFile) -> list[KeptFile]:
        """Take the oldest out of the list until there is room for one more."""
        quota, held = self._quota, self._held()
        mine = held.get(self._holder(file.owner), [])
        gone = surplus(mine, quota.owner - file.size, MOST - 1)
        del mine[: len(gone)]
        gone += surplus_of_largest(held, quota.all - file.size, MOST * 100)
        self._drop(gone)
        return gone

    def _held(self) -> dict[str, list[KeptFile]]:
        """All files by whose room they take, the oldest first."""
        owners = {file.owner for file in self._files.values()}
        holders = {owner: self._holder(owner) for owner in owners}
        held: dict[str, list[KeptFile]] = {}
        for file in self._files.values():
            held.setdefault(holders[file.owner], []).append(file)
        return held

    def _drop(self, files: Iterable[KeptFile]) -> None:
        for file in files:
            self._files.pop(file.key, None)

    def of(self, owner: str) -> list[KeptFile]:
        writing = self._writing
        files = self._files.values()
        return [file for file in files if file.owner == owner and file.key not in writing]

    def find(self, key: str) -> KeptFile | None:
        return None if key in self._writing else self._files.get(key)

    def read(self, key: str) -> Deferred[bytes]:
        file = self.find(key)
        if file is None:
            return fail(BadRequest("there is no such file"))
        return self._in_thread(self._path(file).read_bytes).addErrback(self._unreadable, key)

    def _unreadable(self, failure: Failure, key: str) -> bytes:
        """The owner may have removed it."""
        failure.trap(OSError)
        self._files.pop(key, None)
        raise BadRequest("there is no such file")

    def forget(self, owner: str) -> Deferred[None]:
        gone = [file for file in self._files.values() if file.owner == owner]
        if not gone:
            return succeed(None)
        self._drop(gone)
        paths = [self._path(file) for file in gone]
        return self._in_thread(lambda: discard(paths))

    def _path(self, file: KeptFile) -> Path:
        return self._folder / folder_name(file.owner) / file.key


def folder_name(owner: str) -> str:
    """The folder of one robot, whatever it calls itself: never one above or beside."""
    return quote(owner, safe="", errors="replace").replace(".", "%2E")


def surplus(files: list[KeptFile], room: int, most: int) -> list[KeptFile]:
    """The oldest files, which have to go so that the rest is within bounds."""
    size, left, gone = sum(file.size for file in files), len(files), []
    for file in files:
        if size <= room and left <= most:
            break
        size, left = size - file.size, left - 1
        gone.append(file)
    return gone


def surplus_of_largest(held: dict[str, list[KeptFile]], room: int, most: int) -> list[KeptFile]:
    """
    The same of all together: whoever has most loses his oldest, so that many small ones do not
    crowd each other out for a large one.

    @param held: what everybody has; what has to go is taken out.
    """
    sizes = {name: sum(file.size for file in files) for name, files in held.items()}
    numbers = {name: len(files) for name, files in held.items()}
    size, left, gone = sum(sizes.values()), sum(numbers.values()), []
    while left and (size > room or left > most):
        shares = sizes if size > room else numbers
        largest = max(shares, key=lambda name: shares[name])
        file = held[largest].pop(0)
        gone.append(file)
        size, left = size - file.size, left - 1
        sizes[largest] -= file.size
        numbers[largest] -= 1
    return gone


def write(path: Path, body: bytes, gone: Iterable[Path]) -> None:
    """
    Write a file, whole or not at all, for nobody but us.

    @param gone: what makes room for it.
    @raise OSError: the disk refuses.
    """
    discard(gone)
    begun = path.with_name(path.name + BEGUN)
    try:
        with open(begin(begun), "wb") as file:
            file.write(body)
        begun.replace(path)
    except OSError:
        discard([begun])
        raise


def begin(path: Path) -> int:
    """
    Open a new file, in a folder that is made with it.

    @raise OSError: the disk refuses.
    """
    for _ in range(TRIES):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            # Another thread has just removed the folder, which was empty.
            continue
    raise FileNotFoundError(ENOENT, "the folder goes as often as it is made", str(path))


def discard(paths: Iterable[Path]) -> None:
    """
    Remove files, and folders that are empty then; those that are gone, or cannot be removed,
    are left alone.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue
        drop_empty(path.parent)


def drop_empty(folder: Path) -> None:
    """Remove a folder that has nothing in it."""
    try:
        folder.rmdir()
    except OSError:
        return


@frozen
class OwnFirmware:
    """
    What the owner may let robots have: C{firmware/<class>/latest.json} in the data directory.

    @ivar data: that directory, absolute: the server leaves the one it was started in.
    """

    data: Path

    def latest(self, model: str, module: str) -> bytes | None:
        """
        The description of the newest firmware of a class.

        @param module: what of it a robot asks for; the description has to have that.
        @return: C{None} when there is none, or none that can be read.
        """
        text = self._text(model)
        return text if module in modules(text) else None

    def has(self, model: str) -> bool:
        """Whether there is any that can be read."""
        return bool(modules(self._text(model)))

    def _text(self, model: str) -> bytes:
        if CLASS.fullmatch(model) is None:
            return b""
        try:
            with (self.data / FIRMWARE / model / "latest.json").open("rb") as file:
                return file.read(LARGEST + 1)
        except OSError:
            return b""


def modules(text: bytes) -> frozenset[str]:
    """What a description has; nothing if it is none, or too long to be one."""
    try:
        value = parse_json(text) if len(text) <= LARGEST else None
    except ValueError:
        return frozenset()
    return frozenset(value) if isinstance(value, dict) else frozenset()
