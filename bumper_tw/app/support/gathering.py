"""Everything that helps whoever is to help, before anything of it is hidden."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from bumper_tw.app.asking import NotRunning, ask
from bumper_tw.app.cli_journal import PAGE, on_disk
from bumper_tw.app.levels import PATH
from bumper_tw.app.settings import Settings
from bumper_tw.app.support import figures
from bumper_tw.core.unknown import SHELF
from bumper_tw.core.updates import ATTEMPTS
from bumper_tw.errors import BadRequest, BumperError

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
    "No log file was found.  Write the log to one, and make another bundle with it; then names\n"
    "are replaced in it, too.  Where systemd runs the server:\n"
    "    journalctl -u bumper --since -2days --no-pager > bumper.log\n"
    "    bumper support-bundle --log bumper.log another.tar.gz\n"
    "On OpenWrt the first line is: logread -e bumper > bumper.log\n"
    "and in a container: docker logs bumper > bumper.log"
)

Asker = Callable[[Settings, str, float], Any]


@frozen
class Sources:
    """
    Where everything comes from, besides files.

    @ivar ask: asks the running server.
    @ivar doctor: makes the doctor's checks without one.
    @ivar logs: files that may have the log; the first one that is there counts.
    """

    settings: Settings
    doctor: Callable[[], Mapping[str, Any]]
    logs: Sequence[Path] = ()
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
        texts[LOG] = last_lines(log_file(sources, documents.get(LEVELS, {})))
    except OSError as why:
        missing[LOG] = f"the log cannot be read: {why.strerror}"
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
        found = last_entries(sources)
    except NotRunning as none:
        found = on_disk(sources.settings.storage.directory, none)[-ENTRIES:]
    return fitted(found)


def last_entries(sources: Sources) -> list[Any]:
    """
    The last entries of the running server, the oldest first.

    @raise BumperError: nobody can be asked.
    """
    found: list[Any] = []
    before = 0
    while len(found) < ENTRIES:
        limit = min(PAGE, ENTRIES - len(found))
        query = urlencode({"limit": limit, **({"before": before} if before else {})})
        page = sources.ask(sources.settings, f"/api/journal?{query}", PATIENCE)["entries"]
        found = [*page, *found]
        if len(page) < limit:
            break
        before = page[0]["revision"]
    return found


def fitted(entries: list[Any]) -> list[Any]:
    """As many of the last of these as a file may have."""
    while len(entries) > 1 and len(json.dumps(entries)) > LARGEST:
        entries = entries[len(entries) // 2 :]
    return entries


#: What is asked for, by the name of its file.
PARTS: Mapping[str, Callable[[Sources], Any]] = {
    "versions.json": lambda _: figures.versions(),
    "box.json": lambda sources: figures.box(sources.settings),
    "settings.json": lambda sources: figures.chosen(sources.settings),
    "doctor.json": _doctor,
    "server.json": _server,
    LEVELS: lambda sources: sources.ask(sources.settings, PATH, PATIENCE),
    "journal.json": _journal,
    "unknown paths.json": lambda sources: figures.records(
        sources.settings.storage.directory, SHELF
    ),
    "firmware.json": lambda sources: figures.records(sources.settings.storage.directory, ATTEMPTS),
    "certificates.json": lambda sources: figures.certificates(sources.settings.tls.directory),
    "database.json": lambda sources: figures.database(sources.settings.storage.directory),
}


def log_file(sources: Sources, levels: Mapping[str, Any]) -> Path:
    """
    The file with the log: the one that is named, or what the server says, or a usual one.

    @raise BadRequest: there is none.
    """
    told = str(levels.get("file") or "")
    places: tuple[Path, ...] = (
        *sources.logs[:1],
        *([Path(told)] if told else ()),
        *sources.logs[1:],
    )
    found = next((path for path in places if path.name and path.is_file()), None)
    if found is None:
        raise BadRequest(ELSEWHERE)
    return found


def last_lines(path: Path) -> str:
    """
    The last lines of a file.

    @raise OSError: it cannot be read.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - LOG_BYTES))
        text = file.read(LOG_BYTES).decode("utf-8", "replace")
    lines = text.split("\n")
    if end > LOG_BYTES:
        # The first one may have lost its beginning.
        del lines[0]
    return "\n".join(line[:LINE] for line in deque(lines, LINES))
