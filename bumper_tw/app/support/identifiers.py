"""The names that this house has for robots, people and itself: what must not go out."""

import getpass
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bumper_tw.app.settings import Settings
from bumper_tw.app.support.redaction import Redactor
from bumper_tw.app.support.words import COMMON
from bumper_tw.core.shelf import BETWEEN
from bumper_tw.dialect.domains import ATOM
from bumper_tw.storage.snapshots import rows

#: Rows of one table that are looked at: more than anybody has.
MOST = 20_000

#: Bytes of a file with names of accounts.
MOST_BYTES = 1 << 20

Row = Mapping[str, Any]


def learn_database(redactor: Redactor, path: Path) -> None:
    """
    Learn all names in the database.

    @raise StorageError: it cannot be read, so nobody knows what they are.
    """
    for table, row in rows(path, LESSONS, MOST):
        LESSONS[table](redactor, row)


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _device(redactor: Redactor, row: Row) -> None:
    other = redactor.learn("robot", _text(row, "did"))
    redactor.learn_of(f"{other}-serial", _text(row, "name"))
    redactor.learn_of(f"{other}-name", _text(row, "nick"))
    if _text(row, "resource") != ATOM:
        redactor.learn_of(f"{other}-resource", _text(row, "resource"))
    _named(redactor, "home", _text(row, "home"))


def _user(redactor: Redactor, row: Row) -> None:
    other = redactor.learn("user", _text(row, "uid"))
    redactor.learn_of(f"{other}-account", _text(row, "account"))
    # Nobody needs the part in front of the @ to know who it is.
    redactor.learn_of(f"{other}-account", _text(row, "account").partition("@")[0])
    redactor.hide(_text(row, "password"))


def _home(redactor: Redactor, row: Row) -> None:
    other = redactor.learn("home", _text(row, "id"))
    redactor.learn_of(f"{other}-name", _text(row, "name"))


def _session(redactor: Redactor, row: Row) -> None:
    kind = "robot" if _text(row, "role") == "robot" else "user"
    _named(redactor, kind, _text(row, "name"))
    _named(redactor, "client", _text(row, "client_id"))
    if _text(row, "resource") != ATOM:
        _named(redactor, "resource", _text(row, "resource"))


def _record(redactor: Redactor, row: Row) -> None:
    kinds = KEYS.get(_text(row, "shelf"), ())
    for kind, part in zip(kinds, _text(row, "key").split(BETWEEN), strict=False):
        _named(redactor, kind, part)
    try:
        value = json.loads(_text(row, "value"))
    except ValueError:
        return
    if isinstance(value, dict):
        for name, kind in FIELDS.items():
            _named(redactor, kind, _text(value, name))


def _named(redactor: Redactor, kind: str, real: str) -> None:
    if real:
        redactor.learn(kind, real)


#: What the tables tell.
LESSONS: Mapping[str, Callable[[Redactor, Row], None]] = {
    "devices": _device,
    "users": _user,
    "homes": _home,
    "tokens": lambda redactor, row: _named(redactor, "client", _text(row, "client")),
    "robot_secrets": lambda redactor, row: redactor.hide(_text(row, "secret")),
    "mqtt_sessions": _session,
    "records": _record,
}

#: What the parts of keys are, by shelf.
KEYS: Mapping[str, tuple[str, ...]] = {
    "owners": ("robot",),
    "shares": ("robot", "user"),
    "profiles": ("user",),
    "settings": ("user",),
    "user_data": ("user",),
}

#: What the fields of records are.
FIELDS: Mapping[str, str] = {
    "did": "robot",
    "uid": "user",
    "by": "user",
    "to": "user",
    "nickname": "name",
}


def learn_settings(redactor: Redactor, settings: Settings) -> None:
    """Learn what the settings, and the files that they name, call people and this box."""
    for name in settings.server.name:
        learn_box(redactor, name.removeprefix("*."))
    if settings.server.announce:
        redactor.names.is_own(settings.server.announce)
    for account in (*_accounts(settings.mqtt.passwords), *_members(settings.mqtt.access)):
        _named(redactor, "user", account)
    for hashed in _hashes(settings.mqtt.passwords):
        redactor.hide(hashed)


def learn_box(redactor: Redactor, name: str) -> None:
    """Learn what this box is called, with its domain and without."""
    short, _, domain = name.partition(".")
    if short and short not in COMMON:
        other = redactor.learn("box", short)
        # What has no dot is what routers call every network.
        redactor.learn_of(f"{other}-domain", domain if "." in domain else "")


def learn_owners(redactor: Redactor, names: Iterable[str]) -> None:
    """Learn the names of people who have an account on this box."""
    for name in names:
        _named(redactor, "user", name)


def whoever() -> Iterator[str]:
    """Who runs this."""
    try:
        yield getpass.getuser()
    except (KeyError, OSError):
        # Nobody, in some containers.
        return


def _lines(path: Path) -> list[str]:
    if not path.name:
        return []
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        # Nothing of it goes out, so nothing is lost.
        return []


def _accounts(path: Path) -> Iterator[str]:
    yield from (line.partition(":")[0].strip() for line in _lines(path) if ":" in line)


def _hashes(path: Path) -> Iterator[str]:
    yield from (line.partition(":")[2].strip() for line in _lines(path) if ":" in line)


def _members(path: Path) -> Iterator[str]:
    for line in _lines(path):
        word, _, name = line.strip().partition(" ")
        if word == "user":
            yield name.strip()
