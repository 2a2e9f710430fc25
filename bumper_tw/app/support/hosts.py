"""Names of hosts, among all else that has dots in it: files, modules, settings, versions."""

import re
from functools import cache

from bumper_tw.app.config import describe
from bumper_tw.app.support.pseudonyms import Pseudonyms
from bumper_tw.dialect.domains import ROBOTS, is_ours
from bumper_tw.pki.zones import in_zone

#: Labels with dots between them.
DOTTED = re.compile(r"(?<![\w-])[\w-]+(?:\.[\w-]+){1,60}")

#: A top-level domain has letters only.
TOP = re.compile(r"[^\W\d_]{2,}|xn--[\w-]+", re.IGNORECASE)

#: What networks in houses end with.
OF_HOUSES = frozenset(
    {
        "arpa", "box", "corp", "dhcp", "domain", "example", "fritz", "home", "intern",
        "internal", "intranet", "invalid", "lan", "local", "localdomain", "localnet", "onion",
        "private", "speedport", "test", "workgroup",
    }
)  # fmt: skip

#: How files end that we, the system or a client have.
FILES = frozenset(
    {
        "bak", "bin", "cer", "cfg", "cnf", "conf", "crt", "css", "csv", "db", "deb", "der",
        "do", "gif", "gz", "html", "ico", "ini", "ipk", "jpeg", "jpg", "js", "json", "key",
        "list", "lock", "log", "md", "mobileconfig", "mount", "path", "pem", "pid", "png",
        "py", "pyc", "pyi", "rst", "rules", "service", "sh", "slice", "so", "sock", "socket",
        "sql", "svg", "tar", "target", "timer", "tmp", "toml", "txt", "wal", "whl", "xml",
        "yaml", "yml", "zip",
    }
)  # fmt: skip

#: How names of modules, and of what is in them, begin; and of the vendor's app.
PROGRAMS = re.compile(
    r"(?:bumper_tw|twisted|zope|klein|attrs?|automat|constantly|incremental|hyperlink|OpenSSL"
    r"|cryptography|jwt|prometheus_client|segno|sqlite3|builtins|importlib|self|cls"
    r"|com\.eco|com\.ecovacs)\."
)

#: A class, a private name, or C{camelCase}: no host is called so, except in houses.
CODE = re.compile(r"(?:\A|\.)_|\.[A-Z]\w*[a-z]\w*\Z|[a-z][A-Z]")

#: Files of other programs that end as houses do.
OTHERS = frozenset({"named.conf.local", "rc.local"})

#: Versions, such as 1.2.dev.
VERSION = re.compile(r"[\d.]+\.(?:dev|rc|alpha|beta|final|post)")


@cache
def _keys() -> frozenset[str]:
    return frozenset(setting.key for setting in describe())


def other_host(found: re.Match[str], names: Pseudonyms) -> str:
    """Another name for a host, unless it is the vendor's, or none."""
    text = found[0]
    before = found.string[max(0, found.start() - 3) : found.start()]
    if not is_host(text, before == "://", found.string[found.end() : found.end() + 1] == "("):
        return text
    return names.name("name", text)


def is_host(text: str, in_url: bool = False, is_called: bool = False) -> bool:
    """
    Whether it is the name of somebody's host.

    @param in_url: it stands where hosts stand.
    @param is_called: it stands in front of a parenthesis.
    """
    last = text.rpartition(".")[2]
    lower = text.lower()
    if not TOP.fullmatch(last) or in_zone(lower) or is_ours(lower) or lower == ROBOTS:
        return False
    if lower in OTHERS:
        return False
    if in_url or last.lower() in OF_HOUSES:
        return True
    return not (
        is_called
        or last.lower() in FILES
        or text in _keys()
        or PROGRAMS.match(text)
        or CODE.search(text)
        or VERSION.fullmatch(text)
    )
