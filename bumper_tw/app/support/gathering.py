"""Everything that helps whoever is to help, before anything of it is hidden."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from attrs import frozen

from bumper_tw.app.asking import Asker, NotRunning, ask
from bumper_tw.app.journal_pages import Pages, on_disk
from bumper_tw.app.levels import PATH
from bumper_tw.app.logs import USUAL
from bumper_tw.app.opening import open_plain
from bumper_tw.app.settings import Settings
from bumper_tw.app.support import facts
from bumper_tw.core.unknown import SHELF
from bumper_tw.core.updates import ATTEMPTS
from bumper_tw.errors import BadRequest, BumperError
from bumper_tw.front.contact import clean

#: Seconds for the running server to answer; it may have to look at much.
PATIENCE, PATIENCE_DOCTOR = 10.0, 60.0

#: Entries of the journal, and characters of all.
ENTRIES, LARGEST = 1000, 2 << 20

#: Lines of the log, bytes that are looked at for them, and characters of one.
LINES, LOG_BYTES, LINE = 3000, 1 << 20, 2000

#: What two of the files are called.
LOG, LEVELS = "log.txt", "log levels.json"

#: What to do where no file has the log.
ELSEWHERE = (
    "Make another bundle with the log; names are replaced in it, too.\n"
    "Where systemd runs the server:\n"
    "    journalctl -u bumper --since -2days --no-pager |\n"
    "    bumper support-bundle --log - - > another.tar.gz\n"
    "On OpenWrt the first line is: logread -e bumper |\n"
    "and in a container: docker logs bumper 2>&1 |\n"
    "With a file: bumper support-bundle --log - - < bumper.log > another.tar.gz"
)


@frozen
class Sources:
    """
    Where everything comes from, besides files.

    @ivar ask: asks the running server.
    @ivar doctor: makes the doctor's checks without one.
    @ivar log: opens the log that was named; C{None} for the one that can be found.
    """

    settings: Settings
    doctor: Callable[[], Mapping[str, Any]]
    log: Callable[[], AbstractContextManager[BinaryIO]] | None = None
    ask: Asker = ask


@frozen
class Gathered:
    """
    What there is.

    @ivar documents: by the name of the file, as JSON has them.
    @ivar texts: the same for text.
    @ivar missing: what is not there, and why.
    """

    documents: Mapping[str, Any]
    texts: Mapping[str, str]
    missing: Mapping[str, str]


def gather(sources: Sources) -> Gathered:
    """All of it; what cannot be had is missing, and all else is there."""
    documents: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, part in PARTS.items():
        try:
            documents[name] = part(sources)
        except (BumperError, OSError) as why:
            missing[name] = str(why)
    texts: dict[str, str] = {}
    try:
        texts[LOG] = log_text(sources, documents.get(LEVELS, {}))
    except OSError as why:
        missing[LOG] = f"the log cannot be read: {why.strerror}.\n{ELSEWHERE}"
    except BadRequest as why:
        missing[LOG] = str(why)
    return Gathered(documents, texts, missing)


def _doctor(sources: Sources) -> Any:
    try:
        return sources.ask(sources.settings, "/api/doctor", PATIENCE_DOCTOR)
    except BumperError as why:
        return {"asked": f"{why}; looked at without it", **sources.doctor()}


def _server(sources: Sources) -> Any:
    found = sources.ask(sources.settings, "/api/doctor/snapshot", PATIENCE)
    # The journal has the contacts; who we are in the house is nobody's business.
    return {name: found[name] for name in found if name not in {"contacts", "uid", "pid"}}


def _journal(sources: Sources) -> Any:
    try:
        found = Pages(sources.settings, asker=sources.ask).last(ENTRIES)
    except NotRunning:
        left = on_disk(sources.settings.storage.directory)
        if left is None:
            raise
        found = left[-ENTRIES:]
    return fitted(found)


def fitted(entries: list[Any]) -> list[Any]:
    """As many of the last of these as a file may have."""
    while len(entries) > 1 and len(json.dumps(entries)) > LARGEST:
        entries = entries[len(entries) // 2 :]
    return entries


#: What is asked for, by the name of its file.
PARTS: Mapping[str, Callable[[Sources], Any]] = {
    "versions.json": lambda _: facts.versions(),
    "box.json": lambda sources: facts.box(sources.settings),
    "settings.json": lambda sources: facts.chosen(sources.settings),
    "doctor.json": _doctor,
    "server.json": _server,
    LEVELS: lambda sources: sources.ask(sources.settings, PATH, PATIENCE),
    "journal.json": _journal,
    "unknown paths.json": lambda sources: facts.records(sources.settings.storage.directory, SHELF),
    "firmware.json": lambda sources: facts.records(sources.settings.storage.directory, ATTEMPTS),
    "certificates.json": lambda sources: facts.certificates(sources.settings.tls.directory),
    "database.json": lambda sources: facts.database(sources.settings.storage.directory),
}


def log_text(sources: Sources, levels: Mapping[str, Any]) -> str:
    """
    The end of the log: of the file that was named, or of one where the server puts it.

    @raise BadRequest: there is none.
    @raise OSError: it cannot be read.
    """
    if sources.log is not None:
        with sources.log() as stream:
            return last_lines(stream)
    told = Path(str(levels.get("file") or ""))
    folder = sources.settings.storage.directory.absolute()
    # Whoever has taken over the server would name whatever he wants to see.
    own = [told] if told.name and told.parent == folder else []
    for path in (*own, *(place / USUAL for place in (Path.cwd(), folder, folder.parent))):
        with suppress(FileNotFoundError), open_plain(path) as stream:
            return last_lines(stream)
    elsewhere = f"The server says that it writes to {clean(str(told))}.\n"
    said = "" if own or not told.name else elsewhere
    raise BadRequest(f"No log file was found.  {said}{ELSEWHERE}")


def last_lines(stream: BinaryIO) -> str:
    """
    The last lines of a file, or of a pipe.

    @raise OSError: it cannot be read.
    """
    if stream.seekable():
        stream.seek(max(0, stream.seek(0, SEEK_END) - LOG_BYTES - 1))
    held, cut = b"", False
    while piece := stream.read(LOG_BYTES):
        held += piece
        cut, held = cut or len(held) > LOG_BYTES, held[-LOG_BYTES:]
    lines = held.decode("utf-8", "replace").split("\n")
    if cut:
        # The first one may have lost its beginning.
        del lines[0]
    return "\n".join(line[:LINE] for line in deque(lines, LINES))
