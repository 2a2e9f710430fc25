"""What the owner has chosen on the page of settings, kept beside the database."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from bumper_tw.errors import StorageError

#: What the file is called in the data folder.
NAME = "page.toml"

#: What can be chosen there: all else is not for whoever can write in the data folder.
ON_PAGE = (
    "identity.closed",
    "web.unknown",
    "commands.timeout",
    "storage.history_days",
    "storage.history_reports",
    "storage.cleaning_logs",
    "log.level",
    "log.levels",
)

HEAD = (
    "# Written by the page of settings; it stands above bumper.toml, and below the environment.\n"
)


def page_path(folder: Path) -> Path:
    """Where it is, with the data in that folder."""
    return folder / NAME


def written(chosen: Mapping[str, Any]) -> str:
    """The file, as TOML."""
    lines = (f"{key} = {toml(chosen[key])}\n" for key in ON_PAGE if key in chosen)
    return HEAD + "".join(lines)


def toml(value: object) -> str:
    """
    One value as TOML has it: of the kinds that can be chosen, all of which are checked before.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name} = {toml(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def keep(path: Path, chosen: Mapping[str, Any]) -> None:
    """
    Write the file, whole or not at all; with nothing chosen there is none.

    @raise StorageError: the disk refuses it, and all is as it was.
    """
    try:
        if chosen:
            _replace(path, written(chosen).encode())
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
