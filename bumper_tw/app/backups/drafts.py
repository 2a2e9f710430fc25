"""What an archive holds, unpacked where nobody looks yet."""

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from attrs import define, field, frozen

from bumper_tw.app.backups.archive import Nowhere, Sink
from bumper_tw.app.backups.manifest import CERTS, CONFIG, Member
from bumper_tw.app.backups.plan import DRAFT
from bumper_tw.app.backups.ways import INTO, inside

#: New files, which must not be there: no link is followed.
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@frozen
class Owner:
    """
    Whose a file becomes; root's files would be of no use to the server.

    @ivar mode: permissions; C{None} for what the archive says.
    """

    uid: int
    gid: int
    mode: int | None = None

    def give(self, handle: int) -> None:
        """Make it his, if we may."""
        if os.geteuid() == 0:
            os.fchown(handle, self.uid, self.gid)


def owner_of(folder: Path, file: Path | None = None) -> Owner:
    """
    Whose a new file in a folder will be.

    @param file: which it replaces, so that its owner and permissions stay.
    """
    with suppress(OSError):
        if file is not None and file.is_file():
            found = file.stat()
            return Owner(found.st_uid, found.st_gid, found.st_mode & 0o777)
    found = folder.stat()
    return Owner(found.st_uid, found.st_gid)


@define
class Drafts:
    """
    Takes files into the drafts of their folders.

    @ivar folders: where each part of an archive goes.
    @ivar files: where single files of the settings go, by their names in the archive; the
        others are left out.
    """

    folders: dict[str, Path]
    files: dict[str, Path]
    _roots: dict[Path, int] = field(factory=dict, init=False)

    def prepare(self) -> None:
        """
        Make empty drafts.

        @raise OSError: the disk refuses.
        """
        for folder in {*self.folders.values(), *(path.parent for path in self.files.values())}:
            with inside(folder) as at:
                os.mkdir(DRAFT, 0o700, dir_fd=at)
                self._roots[folder] = os.open(DRAFT, INTO, dir_fd=at)

    def close(self) -> None:
        """Let go of the folders."""
        while self._roots:
            os.close(self._roots.popitem()[1])

    def __call__(self, member: Member) -> Sink:
        """Take a file."""
        part, _, below = member.name.partition("/")
        if part != CONFIG:
            folder = self.folders[part]
            return self._begin(folder, member, owner_of(folder))
        path = self.files.get(below)
        if path is None:
            return Nowhere()
        return self._begin(path.parent, member, owner_of(path.parent, path))

    def _begin(self, folder: Path, member: Member, owner: Owner) -> BinaryIO:
        *folders, name = member.name.split("/")
        at = os.dup(self._roots[folder])
        try:
            for each in folders:
                above, at = at, _descended(at, each, owner)
                os.close(above)
            handle = os.open(name, NEW, 0o600, dir_fd=at)
        finally:
            os.close(at)
        stream = os.fdopen(handle, "wb")
        owner.give(handle)
        os.fchmod(handle, permissions(member) if owner.mode is None else owner.mode)
        return stream


def _descended(at: int, name: str, owner: Owner) -> int:
    """The folder below C{at}, made if need be."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=at)
    below = os.open(name, INTO, dir_fd=at)
    owner.give(below)
    return below


def permissions(member: Member) -> int:
    """Nobody but its owner changes a file, or reads a key."""
    if member.name.startswith(f"{CERTS}/"):
        return 0o644 if member.name.endswith(".crt") else 0o600
    return 0o600 | (member.mode & 0o640)
