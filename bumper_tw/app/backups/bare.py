"""A copy of the database alone, such as the one a start leaves before it changes the tables."""

import hashlib
from pathlib import Path

from attrs import frozen

from bumper_tw.app.backups import tar
from bumper_tw.app.backups.archive import Taker
from bumper_tw.app.backups.copying import examined
from bumper_tw.app.backups.manifest import BASE, FORMAT, LARGEST_FILE, Manifest, Member, Refused

#: How every database of SQLite begins.
MAGIC = b"SQLite format 3\0"


@frozen
class Bare:
    """
    A file that is a database, read as an archive that has nothing else.

    @ivar path: nobody may be writing there.
    """

    path: Path

    def manifest(self) -> Manifest:
        """
        What an archive would say about itself.

        @raise BumperError: it is no database of ours, or damaged.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise Refused(f"there is {log} beside it: a program is using it, or was cut short")
        figures, found = examined(self.path, str(self.path)), self.path.stat()
        digest = hashlib.sha256()
        with self.path.open("rb") as stream:
            for piece in tar.pieces(stream, LARGEST_FILE):
                digest.update(piece)
        member = Member(BASE, found.st_size, digest.hexdigest())
        return Manifest(FORMAT, "", int(found.st_mtime), figures.schema, False, (member,))

    def read(self, taker: Taker) -> Manifest:
        """
        Read all of it.

        @raise Refused: it is being changed.
        """
        manifest = self.manifest()
        (member,) = manifest.members
        sink, digest = taker(member), hashlib.sha256()
        try:
            with self.path.open("rb") as stream:
                for piece in tar.pieces(stream, member.size):
                    digest.update(piece)
                    sink.write(piece)
        finally:
            sink.close()
        if digest.hexdigest() != member.sha256:
            raise Refused(f"{self.path} has changed while it was read")
        return manifest
