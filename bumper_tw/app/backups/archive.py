"""Writing an archive, and reading one."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from stat import S_IMODE, S_ISREG
from typing import BinaryIO, Protocol

from attrs import frozen

from bumper_tw import __version__
from bumper_tw.app.backups import tar
from bumper_tw.app.backups.manifest import (
    FORMAT,
    LARGEST,
    LARGEST_FILE,
    NAME,
    SUM,
    Manifest,
    Member,
    Refused,
    parsed,
)
from bumper_tw.app.backups.sources import Source
from bumper_tw.app.backups.tar import Readable, Writable
from bumper_tw.app.backups.ways import inside
from bumper_tw.errors import BadRequest, StorageError


class Changed(StorageError):
    """A file is not any more what it was a moment before."""


class Taker(Protocol):
    """
    Takes the files of an archive, one after the other.

    @return: takes the pieces of that file.
    """

    def __call__(self, member: Member, /) -> "Sink": ...


class Sink(Protocol):
    """Where the bytes of one file go."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...


def listed(sources: Iterable[Source], time: int, schema: int, left: bool) -> Manifest:
    """
    The manifest of what there is; every file is read.

    @param time: in seconds since 1970.
    @raise Changed: a file has gone meanwhile.
    @raise StorageError: one cannot be read.
    """
    members = tuple(map(measured, sources))
    return Manifest(FORMAT, __version__, time, schema, left, members)


def measured(source: Source) -> Member:
    """What a file is now."""
    with opened(source) as stream:
        kind = os.fstat(stream.fileno()).st_mode
        digest, size = hashlib.sha256(), 0
        for piece in tar.pieces(stream, LARGEST_FILE + 1):
            digest.update(piece)
            size += len(piece)
    if size > LARGEST_FILE:
        raise BadRequest(f"{source.path} is too large for a backup")
    return Member(source.name, size, digest.hexdigest(), S_IMODE(kind) & 0o777)


def opened(source: Source) -> BinaryIO:
    """
    A file to be read.

    @raise Changed: it has gone, or something else is in its place.
    @raise StorageError: we may not.
    """
    try:
        handle = _handle(source)
    except FileNotFoundError as gone:
        raise Changed(f"{source.path} has gone meanwhile") from gone
    except OSError as error:
        raise StorageError(f"{source.path} cannot be read: {error.strerror}") from error
    if not S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadRequest(f"{source.path} is not a file")
    return os.fdopen(handle, "rb")


def _handle(source: Source) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    if source.follow:
        return os.open(source.path, flags)
    with inside(source.path.absolute().parent) as at:
        return os.open(source.path.name, flags | os.O_NOFOLLOW, dir_fd=at)


def write(manifest: Manifest, sources: Iterable[Source], target: Writable) -> None:
    """
    Write an archive.

    @param sources: those that the manifest was made of.
    @raise Changed: one is not any more what the manifest says.
    """
    text = manifest.text()
    if len(text) > LARGEST:
        raise BadRequest("there are too many files for a backup; --without-files takes fewer")
    _put(target, NAME, text, manifest.time)
    _put(target, SUM, checksum(text), manifest.time)
    for member, source in zip(manifest.members, sources, strict=True):
        target.write(tar.heading(member.name, member.size, member.mode, manifest.time))
        with opened(source) as stream:
            _copy(member, stream, target)
        target.write(tar.padding(member.size))
    target.write(tar.END)


def checksum(text: bytes) -> bytes:
    """The checksum of the manifest, as C{sha256sum} has it."""
    return f"{hashlib.sha256(text).hexdigest()}  {NAME}\n".encode()


def _put(target: Writable, name: str, held: bytes, time: int) -> None:
    target.write(tar.heading(name, len(held), 0o600, time) + held + tar.padding(len(held)))


def _copy(member: Member, stream: Readable, target: Writable) -> None:
    digest, size = hashlib.sha256(), 0
    for piece in tar.pieces(stream, member.size):
        digest.update(piece)
        size += len(piece)
        target.write(piece)
    if size != member.size or digest.hexdigest() != member.sha256 or stream.read(1):
        raise Changed(f"{member.name} has changed while it was read")


@frozen
class Archive:
    """
    An archive that can be read again and again.

    @ivar opener: gives its plain bytes, from the first one on.
    @ivar size: of the whole, in bytes: what is in it cannot be larger.
    """

    opener: Callable[[], Readable]
    size: int

    def manifest(self) -> Manifest:
        """
        What it says about itself.

        @raise Refused: it is damaged, or none of ours.
        """
        with closing(self.opener()) as source:
            return self._begun(source)

    def read(self, taker: Taker) -> Manifest:
        """
        Read all of it.

        @param taker: what it got may be wrong if this ends with an error.
        @raise Refused: a byte is not what it was.
        """
        with closing(self.opener()) as source:
            manifest = self._begun(source)
            for member in manifest.members:
                heading = tar.heading(member.name, member.size, member.mode, manifest.time)
                if tar.exactly(source, len(heading)) != heading:
                    raise Refused(f"it is damaged before {member.name}")
                _take(member, source, taker)
                tar.end_of_file(source, member.size)
            tar.end(source)
        return manifest

    def _begun(self, source: Readable) -> Manifest:
        text, time = tar.first(source)
        proof = checksum(text)
        proof = tar.heading(SUM, len(proof), 0o600, time) + proof + tar.padding(len(proof))
        if tar.exactly(source, len(proof)) != proof:
            raise Refused("its list of contents is damaged")
        manifest = parsed(text)
        if manifest.time != time or manifest.bytes > self.size:
            raise Refused("its list of contents is wrong, or its end is missing")
        return manifest


def _take(member: Member, source: Readable, taker: Taker) -> None:
    sink, digest, size = taker(member), hashlib.sha256(), 0
    try:
        for piece in tar.pieces(source, member.size):
            digest.update(piece)
            size += len(piece)
            sink.write(piece)
    finally:
        sink.close()
    if size < member.size:
        raise Refused(f"its end is missing, from {member.name} on")
    if digest.hexdigest() != member.sha256:
        raise Refused(f"{member.name} in it is damaged")


class Nowhere:
    """Forgets what it gets."""

    def write(self, data: bytes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Memory:
    """
    Keeps small files, and only those.

    @ivar held: them, by name.
    """

    def __init__(self, wanted: Callable[[Member], bool]) -> None:
        self._wanted = wanted
        self.held: dict[str, bytearray] = {}

    def __call__(self, member: Member) -> Sink:
        """Take one."""
        if not self._wanted(member):
            return Nowhere()
        return _Kept(self.held.setdefault(member.name, bytearray()))


class _Kept(Nowhere):
    def __init__(self, held: bytearray) -> None:
        self._held = held

    def write(self, data: bytes) -> None:
        self._held += data
