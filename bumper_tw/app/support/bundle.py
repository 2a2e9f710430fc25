"""The archive for whoever is to help."""

import gzip
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

from attrs import frozen

from bumper_tw.app.settings import Settings
from bumper_tw.app.support.gathering import Gathered
from bumper_tw.app.support.identifiers import (
    learn_box,
    learn_database,
    learn_owners,
    learn_settings,
)
from bumper_tw.app.support.redaction import Redactor, learn_from
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.storage.migrations import DATABASE

#: Characters of one file in it.
LARGEST = 4 << 20

#: What tells names only the database knows in texts that nobody has sorted.
FREE = ("log.txt", "journal.json", "doctor.json", "server.json", "firmware.json")

README = """\
This is a support bundle of bumper_tw: what somebody needs to know who is to help.

Look through it before you send it to anybody.  These are text files; any editor shows them.

{contents}
What is somebody's has got another name, the same one everywhere: robot-1 is always the same robot,
robot-1-name what you call it, lan-3 always the same address in your network, this-box-1 one of
this box, user-2 always the same person, id-5 some other long number.  Passwords, tokens and keys
are left out or say <hidden>.  A program has done that, which cannot know everything: a name that
stands nowhere in the database, in a line of the log for example, may still be there.
{missing}"""

#: What the files are.
ABOUT: Mapping[str, str] = {
    "versions.json": "of this program, and of what it runs on",
    "box.json": "memory and disks",
    "settings.json": "every setting, and whether it was left as it was",
    "doctor.json": "what bumper doctor finds",
    "server.json": "the running server: its listeners, and which robots are online",
    "log levels.json": "how much is written to the log",
    "journal.json": "the last connections, and what became of them",
    "unknown paths.json": "what apps and robots asked for that nobody answers",
    "firmware.json": "who asked for newer software",
    "certificates.json": "certificates and until when they hold; no keys",
    "database.json": "how large the database is; nothing that is in it",
    "log.txt": "the last lines of the log",
}


@frozen
class House:
    """
    What a bundle must not tell, as far as this box knows it.

    @ivar names: of this box.
    @ivar people: who have an account on it.
    @ivar addresses: of this box.
    """

    settings: Settings
    names: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def made(gathered: Gathered, house: House, redactor: Redactor | None = None) -> dict[str, str]:
    """
    The files that may go out.

    @param redactor: one that knows nothing yet.
    """
    redactor = Redactor() if redactor is None else redactor
    trouble = _learn(gathered, house, redactor)
    left_out = dict.fromkeys(FREE, trouble) if trouble else {}
    missing = {name: redactor.text(why) for name, why in gathered.missing.items()}
    files: dict[str, str] = {}
    for name, text in _texts(gathered, redactor, left_out):
        if text is None:
            missing[name] = f"it would be longer than {LARGEST >> 20} MiB"
        else:
            files[name] = text
    return {"README.txt": readme(files, {**missing, **left_out}), **files}


def _learn(gathered: Gathered, house: House, redactor: Redactor) -> str:
    """
    Learn what must not go out.

    @return: why that is not all of it.
    """
    for address in house.addresses:
        redactor.names.is_own(address)
    for name in house.names:
        learn_box(redactor, name)
    learn_owners(redactor, house.people)
    learn_settings(redactor, house.settings)
    path, trouble = house.settings.storage.directory / DATABASE, ""
    if path.exists():
        try:
            learn_database(redactor, path)
        except StorageError as why:
            trouble = f"{why}; so nobody knows which names to hide in it"
    for document in gathered.documents.values():
        learn_from(redactor, document)
    return trouble


def _texts(
    gathered: Gathered, redactor: Redactor, left_out: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    """The files; C{None} for one that would take too long, and too much room."""
    for name, document in gathered.documents.items():
        if name not in left_out:
            plain = redactor.plain(document)
            fits = len(json.dumps(plain)) <= LARGEST
            yield name, redactor.document(plain) if fits else None
    for name, text in gathered.texts.items():
        if name not in left_out:
            yield name, redactor.text(text) if len(text) <= LARGEST else None


def readme(files: Iterable[str], missing: Mapping[str, str]) -> str:
    """What is in it, in plain words."""
    contents = "".join(f"{name:20}{ABOUT.get(name, '')}\n" for name in files)
    parts = "".join(f"\n{name}: {why}\n" for name, why in missing.items())
    said = f"\nWhat is not here, and why:\n{parts}" if parts else ""
    return README.format(contents=contents, missing=said)


def packed(files: Mapping[str, str], folder: str, when: float) -> bytes:
    """
    The archive; it tells neither who has made it nor where.

    @param folder: that everything is in.
    @param when: seconds since 1970.
    """
    stream = BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, text in files.items():
            data = text.encode("utf-8", "replace")
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size, info.mtime, info.mode = len(data), int(when), 0o600
            archive.addfile(info, BytesIO(data))
    return stream.getvalue()


def write(path: Path, data: bytes) -> None:
    """
    Write a new file that nobody else can read.

    @raise BadRequest: there is one, or it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BadRequest(f"{path} is there already; choose another name") from None
    except OSError as why:
        raise BadRequest(
            f"{path} cannot be written: {why.strerror}; "
            f"or let the shell do it: bumper support-bundle - > {path.name}"
        ) from why
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as why:
        path.unlink(missing_ok=True)
        raise BadRequest(f"{path} cannot be written: {why.strerror}") from why
