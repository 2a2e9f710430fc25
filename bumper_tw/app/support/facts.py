"""What box and programs these are: versions, memory, disk, certificates, the database."""

import json
import os
import platform
import shutil
import ssl
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from operator import attrgetter
from pathlib import Path
from typing import Any

from attrs import asdict

from bumper_tw import __version__
from bumper_tw.app.config import describe
from bumper_tw.app.settings import NO_FILE, Listen, Setting, Settings
from bumper_tw.errors import BumperError
from bumper_tw.pki.certificates import covered, not_after, not_before
from bumper_tw.pki.inventory import Entry, common_in, kind, singles_in
from bumper_tw.storage import snapshots
from bumper_tw.storage.migrations import DATABASE

#: What we are built on.
PACKAGES = (
    "Twisted", "klein", "attrs", "cryptography", "pyOpenSSL", "PyJWT", "zope.interface",
    "prometheus-client",
)  # fmt: skip

#: Names of /etc/os-release that tell no more than which system it is.
SYSTEM = ("ID", "VERSION_ID", "PRETTY_NAME")

#: Lines of /proc/meminfo.
MEMORY = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")

MIB = 1 << 20

#: Certificates that are told of.
MOST = 500


def versions() -> dict[str, Any]:
    """Of us, and of all that we run on."""
    return {
        "bumper_tw": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": {name: _version(name) for name in PACKAGES},
        "openssl": ssl.OPENSSL_VERSION,
        "sqlite": snapshots.SQLITE,
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "system": dict(_system(Path("/etc/os-release"))),
        "in_venv": sys.prefix != sys.base_prefix,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _system(path: Path) -> Iterator[tuple[str, str]]:
    for line in _read(path).splitlines():
        name, _, value = line.partition("=")
        if name in SYSTEM:
            yield name, value.strip('"')


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MIB).decode("utf-8", "replace")
    except OSError:
        return ""


def box(settings: Settings) -> dict[str, Any]:
    """What this box has, and what of it is left."""
    return {
        "memory": dict(_memory(Path("/proc/meminfo"))),
        "processors": os.cpu_count(),
        "load": _read(Path("/proc/loadavg")).split()[:3],
        "disks": {
            "data": _disk(settings.storage.directory),
            "certificates": _disk(settings.tls.directory),
        },
        "user": {0: "root"}.get(os.geteuid(), "not root"),
    }


def _memory(path: Path) -> Iterator[tuple[str, str]]:
    for line in _read(path).splitlines():
        name, _, value = line.partition(":")
        if name in MEMORY:
            yield name, value.strip()


def _disk(folder: Path) -> dict[str, Any]:
    try:
        usage = shutil.disk_usage(folder)
        mode = f"{folder.stat().st_mode & 0o7777:04o}"
    except OSError as why:
        return {"why": why.strerror or "no such folder"}
    return {"MiB": usage.total // MIB, "free_MiB": usage.free // MIB, "mode": mode}


def chosen(settings: Settings) -> list[dict[str, Any]]:
    """
    Every setting with its value, and whether somebody has chosen it.

    Of names of accounts, and of files that hold secrets, only whether there are any.
    """
    # What is inside of a listener has no name of its own in the environment.
    return [_one(each, settings) for each in describe() if each.env]


def _one(setting: Setting, settings: Settings) -> dict[str, Any]:
    value = attrgetter(setting.key)(settings)
    shown = _shown(setting.key, value)
    return {"setting": setting.key, "value": shown, "default": value == setting.default}


#: Where files are that nobody else has to know the names of.
HOLD_SECRETS = ("mqtt.passwords", "mqtt.access", "metrics.token_file")


def _shown(name: str, value: Any) -> Any:
    if name == "server.name":
        return f"{len(value)} of them"
    if name in HOLD_SECRETS:
        return "none" if value == NO_FILE else "there is one"
    if isinstance(value, tuple):
        return [_shown(name, each) for each in value]
    if isinstance(value, Listen):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, int | float) else str(value)


def certificates(directory: Path) -> list[dict[str, Any]]:
    """
    What certificates there are; neither their keys nor their fingerprints.

    @raise BumperError: they cannot be read.
    """
    found: list[dict[str, Any]] = []
    for entries in (common_in, singles_in):
        for entry in entries(directory):
            if len(found) < MOST:
                found.append(_certificate(entry))
    return found


def _certificate(entry: Entry) -> dict[str, Any]:
    certificate = entry.certificate
    what = covered(certificate)
    return {
        "certificate": entry.title,
        "what": entry.what,
        "algorithm": kind(certificate),
        "from": not_before(certificate).isoformat(),
        "to": not_after(certificate).isoformat(),
        "chain": len(entry.chain),
        "names": len(what.names),
        "addresses": len(what.addresses),
    }


def database(folder: Path) -> dict[str, Any]:
    """
    How large the database is, and how many rows it has; none of them.

    @raise StorageError: it cannot be read.
    """
    path = folder / DATABASE
    if not path.exists():
        return {"there": False}
    sizes = {
        f"size{end}": at.stat().st_size
        for end in ("", "-wal")
        if (at := path.with_name(f"{DATABASE}{end}")).exists()
    }
    schema = snapshots.state(path, largest=0).schema
    return {"there": True, **sizes, "schema": schema, "rows": snapshots.counts(path)}


def records(folder: Path, shelf: str) -> list[Any]:
    """
    The records of one shelf.

    @raise BumperError: they cannot be read.
    """
    path = folder / DATABASE
    if not path.exists():
        return []
    try:
        return [json.loads(value) for value in snapshots.shelf(path, shelf, MOST)]
    except ValueError as why:
        raise BumperError(f"the report cannot be read: {why}") from why
