"""Where on this box the parts of an archive go."""

import grp
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve, fields, frozen, has

from bumper_tw.app import config
from bumper_tw.app.backups.manifest import CERTS, CONFIG, DATA, ENTRIES, SETTINGS, Manifest
from bumper_tw.app.backups.plan import Move, moved
from bumper_tw.app.backups.sources import named_files
from bumper_tw.app.backups.ways import settled
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

    @property
    def of_archive(self) -> bool:
        """Whether the settings of the archive are to hold from then on."""
        path = self.settings_file
        return path is not None and (self.config_too or not path.exists())

    def present(self) -> Settings | None:
        """
        The settings that hold now; C{None} without a file of them.

        @raise StartError: they cannot be read.
        """
        path = self.settings_file
        if path is None or not path.exists():
            return None
        return config.load(path, self.environ, self.given)

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
            found, old = self._of_archive(path, held[SETTINGS]), self.present()
            if old is None:
                self._must_be_typed(path, found)
            else:
                self._must_agree(path, old, found)
            return found
        return config.load(path, self.environ, self.given)

    def _must_be_typed(self, path: Path, new: Settings) -> None:
        """
        A backup alone does not say where on this box anything goes.

        @raise BadRequest: its settings lead away from the folder where they will be.
        """
        home, places = path.absolute().parent.resolve(), folders_by_option(new)
        away = [
            f"{option} {place}"
            for (key, option), place in places.items()
            if key not in self.given and not place.resolve().is_relative_to(home)
        ]
        if away:
            raise BadRequest(
                "the settings in the backup lead to other folders; if everything is to go there, "
                f"say so: {' '.join(away)}"
            )

    def _must_agree(self, path: Path, old: Settings, new: Settings) -> None:
        """
        Whoever is cut short finds everything where the settings say, the old and the new ones.

        @raise BadRequest: they lead to different folders.
        """
        ours, theirs = folders_by_option(old), folders_by_option(new)
        for (key, option), here in ours.items():
            there = theirs[key, option]
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


def folders_by_option(settings: Settings) -> dict[tuple[str, str], Path]:
    """Where most of it is, by the names of setting and option."""
    return {
        ("storage.directory", "--data"): settings.storage.directory,
        ("tls.directory", "--certs"): settings.tls.directory,
    }


def folders_of(settings: Settings, file: Path | None) -> set[Path]:
    """Every folder where a restore with these settings has something to move."""
    data, files = settings.storage.directory, named_files(settings, file)
    folders = (data, settings.tls.directory, *(path.parent for path in files.values()))
    return {settled(folder, data) for folder in folders}


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
    @ivar known: every folder where an earlier restore may have moved something.
    @ivar bare: whether it is a database alone that comes.
    """

    settings: Settings
    data: Path
    certs: Path
    files: dict[str, Path]
    kept: tuple[str, ...]
    known: frozenset[Path]
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
        if len({move.place for move in moves}) < len(moves):
            raise BadRequest("the settings have one place for two files; nothing was touched")
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
    @raise BadRequest: there are none where they should be, or they lead where nothing may go.
    """
    file = wishes.settings_file
    settings = config.load(file, wishes.environ, wishes.given) if bare else wishes.settings(held)
    files: dict[str, Path] = {}
    kept: list[str] = []
    places = settled_files(settings, file)
    for name in ENTRIES[CONFIG]:
        if manifest.find(f"{CONFIG}/{name}") is None:
            continue
        why = _obstacle(wishes, name, places.get(name))
        if why:
            kept.append(f"not restored: {name}, {why}")
        else:
            files[name] = places[name]
    data = settled(settings.storage.directory, settings.storage.directory)
    certs = settled(settings.tls.directory, settings.storage.directory)
    if wishes.of_archive and not bare:
        _must_be_near(wishes, files, data)
    known = frozenset({data, certs, *folders_of(settings, file)})
    return Targets(settings, data, certs, files, tuple(kept), known, bare)


def settled_files(settings: Settings, file: Path | None) -> dict[str, Path]:
    """Where the settings file and those it names really are; if one is a link, where that is."""
    data = settings.storage.directory
    found = named_files(settings, file).items()
    return {name: settled(path.parent, data) / path.name for name, path in found}


def _obstacle(wishes: Wishes, name: str, path: Path | None) -> str:
    """
    Why a file is not put in its place; empty if it is.

    @raise BadRequest: it was asked for, and cannot be.
    """
    if path is None:
        return "for which these settings have no place"
    if path.exists() and not wishes.config_too:
        return f"because there is {path}; see --config-too"
    if not may_be_made(path):
        why = f"because only somebody else may write {path}; {by_hand(name, path)}"
        if wishes.config_too:
            raise BadRequest(f"nothing was touched, {why}")
        return why
    return ""


def may_be_made(path: Path) -> bool:
    """Whether we may put a file there, or make the folders for it."""
    return os.access(next(each for each in path.parents if each.exists()), os.W_OK | os.X_OK)


def by_hand(name: str, path: Path) -> str:
    """How somebody else puts a file of a backup in its place, so that we can read it."""
    try:
        group = grp.getgrgid(os.getegid()).gr_name
    except KeyError:
        group = str(os.getegid())
    return (
        f"as root: (umask 077; bumper restore FILE --show {CONFIG}/{name} > {name}) && "
        f"install -m 640 -g {group} {name} {path}"
    )


def _must_be_near(wishes: Wishes, files: Mapping[str, Path], data: Path) -> None:
    """
    The settings of somebody else may name any file of this box.

    @raise BadRequest: they name one that is not beside them or in the data folder, or one that
        is there and has been none of ours so far.
    """
    old, file = wishes.present(), wishes.settings_file
    ours = set() if old is None else set(settled_files(old, file).values())
    near = {data} if file is None else {data, file.absolute().parent.resolve()}
    for name, path in files.items():
        why = "" if path.parent in near else "which is not beside the settings"
        if os.path.lexists(path) and path not in ours:
            why = why or "where there is something that your settings do not name"
        if why:
            raise BadRequest(
                f"nothing was touched: the settings in the backup want {name} at {path}, {why}; "
                f"look at them first: bumper restore FILE --show {SETTINGS}"
            )
