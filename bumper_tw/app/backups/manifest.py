"""
What a backup says about itself: the first thing in it.

An archive has no more, no less and nothing else than its manifest lists.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import asdict, field, frozen
from attrs.validators import and_, deep_iterable, ge, instance_of, le, matches_re, max_len

from bumper_tw.app.page_file import NAME as PAGE
from bumper_tw.errors import BadRequest
from bumper_tw.pki.vault import FILES as CERTIFICATES
from bumper_tw.storage.files import FIRMWARE
from bumper_tw.storage.files import FOLDER as LEFT
from bumper_tw.storage.migrations import DATABASE
from bumper_tw.web.agreements import FILE as AGREEMENTS

#: The form of the archive that is written; what is younger cannot be read.
FORMAT = 1

#: What the manifest is called in the archive, and its checksum.
NAME, SUM = "manifest.json", "manifest.json.sha256"

#: The longest manifest, in bytes, and how many files it may list.
LARGEST, MOST = 16 << 20, 20_000

#: As large may one file be: what the size field of a tar header holds.
LARGEST_FILE = (8 << 30) - 1

#: As deep may folders be within one another, and as long may a whole name be, in bytes.
DEEPEST, LONGEST = 12, 1024

#: The parts of an archive.
DATA, CERTS, CONFIG = "data", "certs", "config"

#: The folder of answers that the owner has written himself.
ANSWERS = "answers"

#: What there may be in each, folders with a slash at their end.
ENTRIES: Mapping[str, tuple[str, ...]] = {
    DATA: (DATABASE, f"{ANSWERS}/", f"{FIRMWARE}/", f"{LEFT}/", AGREEMENTS, PAGE),
    CERTS: CERTIFICATES,
    CONFIG: ("bumper.toml", "mqtt.passwords", "mqtt.access", "metrics.token"),
}

#: The one file of the settings, and the database, as they are called in an archive.
SETTINGS, BASE = f"{CONFIG}/bumper.toml", f"{DATA}/{DATABASE}"


class Refused(BadRequest):
    """An archive is damaged, or none of ours; nothing was touched."""


@frozen
class Member:
    """
    One file.

    @ivar name: below the part of the archive it belongs to, such as C{certs/ca.key}.
    @ivar size: in bytes.
    @ivar mode: its permissions.
    """

    name: str = field(validator=and_(instance_of(str), max_len(LONGEST)))
    size: int = field(validator=and_(instance_of(int), ge(0), le(LARGEST_FILE)))
    sha256: str = field(validator=matches_re(r"[0-9a-f]{64}"))
    mode: int = field(default=0o600, validator=and_(instance_of(int), ge(0), le(0o777)))


@frozen
class Manifest:
    """
    Everything about an archive.

    @ivar program: the version that made it.
    @ivar time: when, in seconds since 1970.
    @ivar schema: the version of the database in it; 0 without one.
    @ivar left: whether it has what robots and apps have left, if there was any.
    """

    format: int = field(validator=and_(instance_of(int), ge(1), le(FORMAT)))
    program: str = field(validator=and_(instance_of(str), max_len(64)))
    time: int = field(validator=and_(instance_of(int), ge(0), le(1 << 33)))
    schema: int = field(validator=and_(instance_of(int), ge(0), le(1 << 31)))
    left: bool = field(validator=instance_of(bool))
    members: tuple[Member, ...] = field(
        validator=and_(max_len(MOST), deep_iterable(instance_of(Member), instance_of(tuple)))
    )

    def text(self) -> bytes:
        """As it stands in the archive, for people as well."""
        return (json.dumps(asdict(self), indent=1) + "\n").encode()

    def find(self, name: str) -> Member | None:
        """The file with that name."""
        return next((member for member in self.members if member.name == name), None)

    @property
    def bytes(self) -> int:
        """What all files take."""
        return sum(member.size for member in self.members)

    @property
    def made(self) -> str:
        """When it was made, for people, in the time zone of this box."""
        return f"{datetime.fromtimestamp(self.time, UTC).astimezone():%Y-%m-%d %H:%M}"


def parsed(text: bytes) -> Manifest:
    """
    The manifest of an archive.

    @raise Refused: it is none, is of a newer program, or lists what may not be there.
    """
    try:
        value = json.loads(text)
        _must_be_known(value)
        members = tuple(Member(**each) for each in value.pop("members"))
        manifest = Manifest(members=members, **value)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise Refused("its list of contents cannot be read, so it is damaged") from wrong
    _must_be_proper(manifest.members)
    return manifest


def _must_be_known(value: Any) -> None:
    if isinstance(value, dict) and isinstance(value.get("format"), int) and value["format"] > 1:
        raise Refused("a newer bumper_tw has made it; install that one to read it")


def _must_be_proper(members: Iterable[Member]) -> None:
    seen: set[str] = set()
    for member in members:
        folders = parents(member.name)
        if not is_proper(member.name) or member.name in seen or not seen.isdisjoint(folders):
            raise Refused(f"it lists {member.name[:80]!r}, which may not be in a backup")
        seen.add(member.name)


def parents(name: str) -> list[str]:
    """The folders that a name stands in, as names."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def is_proper(name: str) -> bool:
    """Whether a file may be called that in an archive: never above or beside where it belongs."""
    part, _, below = name.partition("/")
    pieces = below.split("/")
    if not all(is_plain(piece) for piece in pieces) or len(pieces) > DEEPEST:
        return False
    return any(
        below == entry or (entry.endswith("/") and below.startswith(entry))
        for entry in ENTRIES.get(part, ())
    )


def is_plain(piece: str) -> bool:
    """Whether a piece of a name is only that."""
    try:
        long = len(piece.encode()) > 255
    except UnicodeEncodeError:
        return False
    return (
        not long and piece not in {"", ".", ".."} and not re.search(r"[\x00-\x1f\x7f/\\]", piece)
    )
