"""What goes into a backup: where each file is on this box, and what it is called in there."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from attrs import define, field, frozen

from bumper_tw.app.backups.manifest import (
    ANSWERS,
    CERTS,
    CONFIG,
    DATA,
    DEEPEST,
    MOST,
    is_proper,
)
from bumper_tw.app.backups.ways import settled
from bumper_tw.app.page_file import NAME as PAGE
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest
from bumper_tw.pki.vault import FILES as CERTIFICATES
from bumper_tw.storage.files import FIRMWARE, KEY
from bumper_tw.storage.files import FOLDER as LEFT
from bumper_tw.web.agreements import FILE as AGREEMENTS


@frozen
class Source:
    """
    A file of this box.

    @ivar name: what it is called in an archive.
    @ivar follow: whether it may be a link: what the settings name may, what lies in the folders
        of the server never, for who has taken over the server made it.
    """

    name: str
    path: Path
    follow: bool = False


@define
class Sources:
    """
    Finds what there is.

    @ivar settings_file: where the settings were read from, if from any file.
    @ivar left: whether to take what robots and apps have left.
    @ivar passed_over: what is there and cannot be in a backup, for people.
    """

    settings: Settings
    settings_file: Path | None
    left: bool = True
    passed_over: list[str] = field(factory=list)

    def all(self) -> list[Source]:
        """
        Every file but the database.

        @raise BadRequest: there are too many.
        """
        found: list[Source] = []
        self.passed_over.clear()
        for source in self._all():
            found.append(source)
            # The database is one more.
            if len(found) >= MOST:
                raise BadRequest(
                    f"there are more than {MOST} files, which is more than a backup holds; "
                    "leave out what robots and apps have left: --without-files"
                )
        return found

    def _all(self) -> Iterator[Source]:
        # What a reader needs to know first comes first.
        for name, path in named_files(self.settings, self.settings_file).items():
            folder = self._settled(path.parent)
            if self._is_inside(folder):
                yield from self._plain(f"{CONFIG}/{name}", folder / path.name)
            elif path.exists():
                yield Source(f"{CONFIG}/{name}", path, follow=True)
        certs = self._settled(self.settings.tls.directory)
        for name in CERTIFICATES:
            yield from self._plain(f"{CERTS}/{name}", certs / name)
        yield from self._of_data(self._settled(self.settings.storage.directory))

    def _settled(self, folder: Path) -> Path:
        return settled(folder, self.settings.storage.directory)

    def _is_inside(self, folder: Path) -> bool:
        folders = (self.settings.storage.directory, self.settings.tls.directory)
        return any(folder.is_relative_to(self._settled(each)) for each in folders)

    def _plain(self, name: str, path: Path) -> Iterator[Source]:
        if path.is_symlink():
            self.passed_over.append(str(path))
        elif path.exists():
            yield Source(name, path)

    def _of_data(self, data: Path) -> Iterator[Source]:
        for name in (AGREEMENTS, PAGE):
            yield from self._plain(f"{DATA}/{name}", data / name)
        for folder in (ANSWERS, FIRMWARE):
            yield from self._below(data / folder, f"{DATA}/{folder}")
        if self.left:
            for source in self._below(data / LEFT, f"{DATA}/{LEFT}"):
                # What is being written has another name.
                if KEY.fullmatch(source.path.name):
                    yield source

    def _below(self, folder: Path, name: str, depth: int = 2) -> Iterator[Source]:
        if folder.is_symlink():
            self.passed_over.append(str(folder))
            return
        try:
            found = sorted(os.scandir(folder), key=lambda each: each.name)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            self.passed_over.append(str(folder))
            return
        for each in found:
            kind, path = each.stat(follow_symlinks=False).st_mode, folder / each.name
            inside = f"{name}/{each.name}"
            if S_ISDIR(kind) and depth < DEEPEST:
                yield from self._below(path, inside, depth + 1)
            elif S_ISREG(kind) and is_proper(inside):
                yield Source(inside, path)
            else:
                self.passed_over.append(str(path))


def named_files(settings: Settings, settings_file: Path | None) -> Mapping[str, Path]:
    """
    The settings file and those it names, as they are called in an archive.

    @return: those that the settings do not name are not in it.
    """
    places = {
        "bumper.toml": settings_file or Path(),
        "mqtt.passwords": settings.mqtt.passwords,
        "mqtt.access": settings.mqtt.access,
        "metrics.token": settings.metrics.token_file,
    }
    return {name: path for name, path in places.items() if path.name}
