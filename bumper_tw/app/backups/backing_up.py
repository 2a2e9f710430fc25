"""Making a backup of a server, which may be running."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from attrs import frozen

from bumper_tw.app.backups import archive
from bumper_tw.app.backups.archive import Changed
from bumper_tw.app.backups.copying import Figures, examined
from bumper_tw.app.backups.manifest import BASE, CERTS, Manifest
from bumper_tw.app.backups.output import unwritable
from bumper_tw.app.backups.sealing import SALT_BYTES, Sealer
from bumper_tw.app.backups.sources import Source, Sources
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.pki.directory import CA
from bumper_tw.storage import snapshots
from bumper_tw.storage.migrations import DATABASE

#: How often everything is read again because a file has changed meanwhile.
TRIES = 5

#: What is being copied.
SCRATCH = ".bumper-backup-"


@frozen
class Made:
    """What went into a backup."""

    manifest: Manifest
    figures: Figures


@frozen
class Order:
    """
    What is wanted.

    @ivar scratch: a folder with room for a copy of the database.
    @ivar passphrase: nothing for an archive that everybody can read.
    @ivar clock: tells the seconds since 1970.
    """

    sources: Sources
    scratch: Path
    passphrase: str
    clock: Callable[[], float]

    def carry_out(self, target: AbstractContextManager[BinaryIO], name: Path) -> Made:
        """
        Make it.

        @param target: where it goes, and what that is called.
        @raise BumperError: it cannot be made.
        """
        data = self.sources.settings.storage.directory / DATABASE
        must_be_ours(data, self.sources.settings.tls.directory)
        with scratch_in(self.scratch, name) as folder, target as stream:
            copy = folder / DATABASE
            snapshots.copy(data, copy)
            figures = examined(copy, str(data))
            try:
                return Made(self._written(stream, copy, figures), figures)
            except OSError as error:
                raise StorageError(unwritable(name, error)) from error

    def _written(self, stream: BinaryIO, copy: Path, figures: Figures) -> Manifest:
        left = TRIES
        while True:
            try:
                return self._write(stream, copy, figures)
            except Changed:
                left -= 1
                if not (left and stream.seekable()):
                    raise
            stream.seek(0)
            stream.truncate()

    def _write(self, stream: BinaryIO, copy: Path, figures: Figures) -> Manifest:
        sources = [*self.sources.all(), Source(BASE, copy)]
        time, left = int(self.clock()), self.sources.left
        manifest = archive.listed(sources, time, figures.schema, left)
        if not self.passphrase:
            archive.write(manifest, sources, stream)
        else:
            sealer = Sealer(stream, self.passphrase, secrets.token_bytes(SALT_BYTES))
            archive.write(manifest, sources, sealer)
            sealer.finish()
        stream.flush()
        return manifest


def must_be_ours(database: Path, certs: Path) -> None:
    """
    Whoever names the wrong folder must not believe that he has a backup.

    @raise BadRequest: there is nothing.
    """
    for path, option in ((database, "--data"), (certs / CA, "--certs")):
        if path.is_symlink():
            raise BadRequest(f"{path} is a link, which is not followed; put the file itself there")
        if not path.is_file():
            raise BadRequest(
                f"there is no {path}; name the settings file of the server with --config, or the "
                f"folder with {option}"
            )


@contextmanager
def scratch_in(folder: Path, name: Path) -> Iterator[Path]:
    """
    A folder of our own for a while.

    @param name: what it is for.
    @raise StorageError: it cannot be made.
    """
    try:
        made = TemporaryDirectory(prefix=SCRATCH, dir=folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise StorageError(unwritable(name, error)) from error
    with made as place:
        yield Path(place).resolve()


def told(made: Made) -> str:
    """What is in it, for people."""
    manifest = made.manifest
    keys = sum(member.name.startswith(f"{CERTS}/") for member in manifest.members)
    others = len(manifest.members) - keys - 1
    files = "file" if others == 1 else "files"
    return f"{made.figures.told()}, the authority with its keys, and {others} other {files}"
