#!/usr/bin/python3 -IS
"""
C{bumper} of the Debian package, and C{twistd} with C{bumper} in it.

Nothing but this package and Debian's own is imported (C{-IS}: no variables of Python's, no folder
of a user's, no /usr/local).  Unless told otherwise, everything is as F{/etc/bumper/bumper.toml}
says.  What root calls works as the user who owns the data, and may do no more than he: in his
folders are links of whoever has taken over the server, and root would follow them.
"""

import os
import sys
from argparse import ArgumentError, ArgumentParser
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType

#: Where we are, and where Debian keeps what its packages bring.
OURS, DEBIAN = "/usr/lib/bumper", "/usr/lib/python3/dist-packages"

#: What holds unless something else is said.
CONFIG = "/etc/bumper/bumper.toml"

#: Who owns the data.
USER = "bumper"

#: With these words no settings are read, or not those.
WITHOUT = frozenset({"--help", "-h", "--version", "--settings", "--demo"})

#: Variables that say where everything is.
PLACES = ("BUMPER_CONFIG", "BUMPER_STORAGE_DIRECTORY", "BUMPER_TLS_DIRECTORY")

#: What is kept of root's privileges, by name as C{setpriv} has it, and by number: to open ports,
#: and for commands one that means nothing here (to wake a box that sleeps).  No server has it, so
#: none may trace a command and type into root's terminal (ptrace(2), "access mode checking").
PORTS, MARK = ("net_bind_service", 10), ("wake_alarm", 35)


def main() -> None:
    """Run what was asked for."""
    sys.path[:] = [OURS, *sys.path, DEBIAN]
    sys.dont_write_bytecode = True
    spare()
    speak(os.environ)
    words = sys.argv[1:]
    if Path(sys.argv[0]).name == "twistd":
        settle([], os.environ)
        from twisted.scripts.twistd import run  # noqa: PLC0415 - only now it can be found

        run()
        return
    settle(words, os.environ)
    if os.geteuid() == 0:
        become(words, os.environ)
    from bumper_tw.app.cli import main as rest  # noqa: PLC0415 - only now it can be found

    rest(words)


def spare() -> None:
    """
    Have no setuptools in memory: Debian 12's F{zope/__init__.py} loads them, only to say that
    other packages may have parts of C{zope}, too.
    """
    zope = ModuleType("zope")
    zope.__path__ = [f"{DEBIAN}/zope"]
    sys.modules["zope"] = zope


def speak(environ: Mapping[str, str]) -> None:
    """Heed the two variables of Python's that only make it tell more, and earlier."""
    if environ.get("PYTHONFAULTHANDLER"):
        import faulthandler  # noqa: PLC0415 - not needed by commands

        faulthandler.enable()
    if environ.get("PYTHONUNBUFFERED") and isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def settle(words: Sequence[str], environ: "os._Environ[str] | dict[str, str]") -> None:
    """
    Name the settings of the package, unless others are named.

    @raise SystemExit: they are not for whoever asks.
    """
    if WITHOUT.intersection(words) or environ.get("BUMPER_CONFIG") or not Path(CONFIG).exists():
        return
    if said(words)[0]:
        return
    if not os.access(CONFIG, os.R_OK):
        raise SystemExit(
            f"bumper: only root may read {CONFIG}: put sudo in front, or name settings of your "
            "own with --config"
        )
    environ["BUMPER_CONFIG"] = CONFIG


def said(words: Sequence[str]) -> tuple[str, str]:
    """The settings file and the data folder in a command, each C{""} if it is not there."""
    parser = ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--config", "-c", default="")
    parser.add_argument("--data", "-d", default="")
    try:
        found, _ = parser.parse_known_args(list(words))
    except ArgumentError:
        # The command itself will say so, in its own words.
        return "", ""
    return str(found.config), str(found.data)


def is_his(words: Sequence[str], environ: Mapping[str, str], uid: int) -> bool:
    """Whether what a command works on is within the reach of a user."""
    from bumper_tw.app import config  # noqa: PLC0415 - not needed by those who are not root
    from bumper_tw.errors import StartError  # noqa: PLC0415 - the same

    file, data = said(words)
    if not (file or data or any(environ.get(name) for name in PLACES)):
        return False
    given = {"storage.directory": data} if data else {}
    try:
        found = config.load(Path(file) if file else None, environ, given)
    except StartError:
        # The command itself will say what is wrong with them; that takes no privileges.
        return True
    return any(is_in_reach(each, uid) for each in (found.storage.directory, found.tls.directory))


def become(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Go on as the user of the package if the data is his; else come back."""
    import pwd  # noqa: PLC0415 - the same

    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return
    if not is_his(words, environ, user.pw_uid):
        return
    held = effective(Path("/proc/self/status").read_text("ascii"))
    # Root's own folder for temporary files is not for others.
    kept = {name: text for name, text in environ.items() if name != "TMPDIR"}
    os.execve("/usr/bin/setpriv", descent(words, held), {**kept, "HOME": user.pw_dir})  # noqa: S606


def is_in_reach(folder: Path, uid: int) -> bool:
    """
    Whether somebody owns a folder, or one above it, where he could put another in its place.

    @param folder: it may be one that is only made when it is needed.
    """
    ways = (folder.absolute(), folder.resolve())
    every = {path for way in ways for path in (way, *way.parents) if os.path.lexists(path)}
    return any(path.lstat().st_uid == uid for path in every)


def descent(words: Sequence[str], held: int) -> list[str]:
    """
    What to run to go on as the user of the package.

    @param held: the capabilities there are, as bits.
    """
    server = not words or words[0].startswith("-")
    wanted = (PORTS,) if server else (PORTS, MARK)
    kept = ",".join(f"+{name}" for name, number in wanted if held >> number & 1)
    caps = ["--inh-caps", f"-all,{kept}", "--ambient-caps", f"-all,{kept}"] if kept else []
    who = ["--reuid", USER, "--regid", USER, "--init-groups"]
    return ["setpriv", *who, *caps, "--", sys.argv[0], *words]


def effective(status: str) -> int:
    """The capabilities in what the kernel says of a process, as bits."""
    found = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")]
    return int(found[0], 16) if found else 0


if __name__ == "__main__":
    main()
