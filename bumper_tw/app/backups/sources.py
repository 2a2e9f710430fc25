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
    @ivar follow: whether it may be a link: the owner's files are, the server's never.
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
            if path.exists():
                yield Source(f"{CONFIG}/{name}", path, follow=True)
        for name in CERTIFICATES:
            path = self.settings.tls.directory / name
            if path.exists():
                yield Source(f"{CERTS}/{name}", path, follow=True)
        yield from self._of_data(self.settings.storage.directory)

    def _of_data(self, data: Path) -> Iterator[Source]:
        if (data / AGREEMENTS).is_file():
            yield Source(f"{DATA}/{AGREEMENTS}", data / AGREEMENTS, follow=True)
        for folder in (ANSWERS, FIRMWARE):
            yield from self._below(data / folder, f"{DATA}/{folder}")
        if self.left:
            for source in self._below(data / LEFT, f"{DATA}/{LEFT}"):
                # What is being written has another name.
                if KEY.fullmatch(source.path.name):
                    yield source

    def _below(self, folder: Path, name: str, depth: int = 2) -> Iterator[Source]:
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
        "metrics.token": settings.metrics.token,
    }
    return {name: path for name, path in places.items() if path.name}
