#!/usr/bin/python3 -IS
"""
C{bumper} of the Debian package, and C{twistd} with C{bumper} in it.

Nothing but this package and Debian's own is imported (C{-IS}: no variables of Python's, no folder
of a user's, no /usr/local).  Unless told otherwise, everything is as F{/etc/bumper/bumper.toml}
says.  What root calls works as the user who owns the data, so that all of it stays his.
"""

import os
import sys
from argparse import ArgumentError, ArgumentParser
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path

#: Where we are, and where Debian keeps what its packages bring.
OURS, DEBIAN = "/usr/lib/bumper", "/usr/lib/python3/dist-packages"

#: What holds unless something else is said.
CONFIG = "/etc/bumper/bumper.toml"

#: Who owns the data.
USER = "bumper"

#: With these words no settings are read, or not those.
WITHOUT = frozenset({"--help", "-h", "--version", "--settings", "--demo"})

#: What root may do that others may not, by name as C{setpriv} has it, and by number.
WRITE, READ, PORTS, LOOK = ("dac_override", 1), ("dac_read_search", 2), (
    "net_bind_service", 10), ("sys_ptrace", 19)  # fmt: skip


def main() -> None:
    """Run what was asked for."""
    sys.path[:] = [OURS, *sys.path, DEBIAN]
    sys.dont_write_bytecode = True
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


def data_folder(words: Sequence[str], environ: Mapping[str, str]) -> Path | None:
    """Where the data is as far as one can see from here; C{None}: nobody says."""
    config, data = said(words)
    data = data or environ.get("BUMPER_STORAGE_DIRECTORY", "")
    if data:
        return Path(data)
    config = config or environ.get("BUMPER_CONFIG", "")
    if not config:
        return None
    import tomllib  # noqa: PLC0415 - not needed by those who are not root

    try:
        told = tomllib.loads(Path(config).read_text("utf-8"))
        return Path(config).absolute().parent / Path(told["storage"]["directory"])
    except (OSError, ValueError, KeyError, TypeError):
        # The command itself will say what is wrong with it.
        return None


def become(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Go on as the owner of the data, if he is the user of the package; else come back."""
    import pwd  # noqa: PLC0415 - the same

    folder = data_folder(words, environ)
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return
    if folder is None or owner_of(folder) != user.pw_uid:
        return
    held = effective(Path("/proc/self/status").read_text("ascii"))
    os.execve("/usr/bin/setpriv", descent(words, held), {**environ, "HOME": user.pw_dir})  # noqa: S606


def owner_of(folder: Path) -> int:
    """Whose a folder is, or will be: it may be one that is only made when it is needed."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return there.stat().st_uid


def descent(words: Sequence[str], held: int) -> list[str]:
    """
    What to run to go on as the user of the package.

    Commands still read and write where root may, such as a backup into root's own folder.  The
    doctor only looks: he has to see what the server may not.

    @param held: the capabilities there are, as bits.
    """
    wanted = {"": (PORTS,), "doctor": (READ, PORTS, LOOK)}.get(
        words[0] if words and not words[0].startswith("-") else "", (WRITE, READ, PORTS, LOOK)
    )
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
