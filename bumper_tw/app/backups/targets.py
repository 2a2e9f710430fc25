"""Where on this box the parts of an archive go."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve, fields, frozen, has

from bumper_tw.app import config
from bumper_tw.app.backups.manifest import CERTS, CONFIG, DATA, ENTRIES, SETTINGS, Manifest
from bumper_tw.app.backups.plan import Move, moved
from bumper_tw.app.backups.sources import named_files
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.pki.leaves import FOLDER as SINGLES
from bumper_tw.storage.files import FOLDER as LEFT
from bumper_tw.storage.migrations import DATABASE

#: What SQLite keeps beside a database; it belongs to that one alone.
LOGS = (f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")


@frozen
class Wishes:
    """
    What the owner has said.

    @ivar file: of the settings; it need not be there.
    @ivar environ: the environment.
    @ivar given: settings that were given besides.
    @ivar config_too: whether to replace the settings file and those it names.
    """

    file: Path | None
    environ: Mapping[str, str]
    given: Mapping[str, str]
    config_too: bool = False

    @property
    def settings_file(self) -> Path | None:
        """Where the settings are, or belong."""
        named = self.environ.get("BUMPER_CONFIG", "")
        return Path(named) if self.file is None and named else self.file

    def settings(self, held: Mapping[str, bytes]) -> Settings:
        """
        Those that hold when all is done.

        @param held: what the archive has of settings.
        @raise StartError: they cannot be read.
        @raise BadRequest: there are none where they should be.
        """
        path = self.settings_file
        if path is None:
            if self.config_too:
                raise BadRequest("--config-too needs --config, which says where the settings go")
        elif self.config_too or not path.exists():
            if SETTINGS not in held:
                raise BadRequest(f"there is no settings file in the backup to put at {path}")
            found = self._of_archive(path, held[SETTINGS])
            if path.exists():
                self._must_agree(path, found)
            return found
        return config.load(path, self.environ, self.given)

    def _must_agree(self, path: Path, new: Settings) -> None:
        """
        Whoever is cut short finds everything where the settings say, the old and the new ones.

        @raise BadRequest: they lead to different folders.
        """
        old = config.load(path, self.environ, self.given)
        for here, there, option in (
            (old.storage.directory, new.storage.directory, "--data"),
            (old.tls.directory, new.tls.directory, "--certs"),
        ):
            if here != there:
                raise BadRequest(
                    f"{path} says {here}, and the settings in the backup say {there}; choose one "
                    f"with {option}, or move that file away first"
                )

    def _of_archive(self, path: Path, text: bytes) -> Settings:
        """As if the file was at its place already."""
        with TemporaryDirectory(prefix="bumper-") as folder:
            draft = Path(folder).resolve() / "bumper.toml"
            draft.write_bytes(text)
            try:
                found = config.load(draft, self.environ, self.given)
            except StartError as wrong:
                said = str(wrong).replace(str(draft), f"{SETTINGS} in the backup")
                raise StartError(said) from None
            return rebased(found, draft.parent, path.absolute().parent)


def rebased(settings: Settings, old: Path, new: Path) -> Settings:
    """The same settings, whose file is in another folder."""
    parts: dict[str, Any] = {}
    for part in fields(Settings):
        value = getattr(settings, part.name)
        if has(type(value)):
            paths = {each.name: getattr(value, each.name) for each in fields(type(value))}
            moving = {
                name: new / path.relative_to(old)
                for name, path in paths.items()
                if isinstance(path, Path) and path.is_relative_to(old)
            }
            parts[part.name] = evolve(value, **moving)
    return evolve(settings, **parts)


@frozen
class Targets:
    """
    Where everything goes.

    @ivar files: the settings file and those it names, as far as they are restored, by their
        names in the archive.
    @ivar kept: of these, what stays as it is, for people.
    @ivar bare: whether it is a database alone that comes.
    """

    settings: Settings
    data: Path
    certs: Path
    files: dict[str, Path]
    kept: tuple[str, ...]
    bare: bool = False

    @property
    def folders(self) -> dict[str, Path]:
        """Where the parts go, by their names in the archive."""
        return {DATA: self.data} if self.bare else {DATA: self.data, CERTS: self.certs}

    def all_folders(self) -> list[Path]:
        """Every folder where something goes."""
        return sorted({*self.folders.values(), *(path.parent for path in self.files.values())})

    def moves(self, manifest: Manifest) -> list[Move]:
        """What has to be moved, by folder."""
        comes = {"/".join(member.name.split("/")[:2]) for member in manifest.members}

        def drafted(part: str, entries: Iterable[str]) -> Iterator[tuple[str, str]]:
            for entry in entries:
                yield entry, f"{part}/{entry}" if f"{part}/{entry}" in comes else ""

        moves = moved(self.data, drafted(DATA, self._entries(manifest)))
        if not self.bare:
            # Certificates for single names are made anew, under the authority that comes.
            moves += moved(self.certs, drafted(CERTS, (*ENTRIES[CERTS], SINGLES)))
        for name, path in self.files.items():
            moves += moved(path.parent, [(path.name, f"{CONFIG}/{name}")])
        return moves

    def _entries(self, manifest: Manifest) -> Iterator[str]:
        yield from LOGS
        for entry in ENTRIES[DATA]:
            name = entry.rstrip("/")
            if name == DATABASE or not (self.bare or (name == LEFT and not manifest.left)):
                yield name


def targets(wishes: Wishes, manifest: Manifest, held: Mapping[str, bytes], bare: bool) -> Targets:
    """
    Where everything goes.

    @param held: what the archive has of settings.
    @raise StartError: the settings cannot be read.
    @raise BadRequest: there are none where they should be.
    """
    settings = config.load(wishes.settings_file, wishes.environ, wishes.given) if bare else None
    settings = settings or wishes.settings(held)
    places = named_files(settings, wishes.settings_file)
    files: dict[str, Path] = {}
    kept: list[str] = []
    for name in ENTRIES[CONFIG]:
        if manifest.find(f"{CONFIG}/{name}") is not None:
            path = places.get(name)
            if path is None:
                kept.append(f"not restored: {name}, for which these settings have no place")
            elif path.exists() and not wishes.config_too:
                kept.append(f"not restored: {name}, because there is {path}; see --config-too")
            else:
                files[name] = path.absolute().parent.resolve() / path.name
    data = settings.storage.directory.absolute().resolve()
    certs = settings.tls.directory.absolute().resolve()
    return Targets(settings, data, certs, files, tuple(kept), bare)
