"""
How everything starts on OpenWrt: from /usr/lib/bumper, where also lies what OpenWrt does not
package, or not in a release that is new enough.

    bumper_start.pyc serve TWISTD-OPTIONS bumper --config FILE
    bumper_start.pyc check FILE
    bumper_start.pyc command WORDS
"""

# ruff: noqa: PLC0415 - each way of starting loads what it needs: memory is dear on a router
import os
import pwd
import stat
import sys
from pathlib import Path

#: Made by the init script of /etc/config/bumper.
SETTINGS = Path("/var/etc/bumper.toml")

#: Whom the server runs as.
OWNER = "bumper"

#: Commands that read or write what belongs to root: archives, other people's folders, and the
#: programs behind open ports.
AS_ROOT = ("backup", "restore", "import", "support-bundle", "doctor", "dns")


def serve(options: list[str]) -> None:
    """The server; C{options} are those of twistd."""
    from twisted.scripts.twistd import run

    sys.argv = ["twistd", *options]
    run()


def check(file: str) -> int:
    """
    Say what the server would not start with.

    @return: the exit status.
    """
    from bumper_tw.app.config import load
    from bumper_tw.errors import StartError

    try:
        load(Path(file), {}, {})
    except StartError as error:
        sys.stderr.write(f"bumper: {error}\n")
        return 1
    return 0


def command(words: list[str]) -> None:
    """What owners do besides, in a shell on the router; they are root there."""
    from bumper_tw.app.cli import main

    if SETTINGS.exists():
        os.environ.setdefault("BUMPER_CONFIG", str(SETTINGS))
    os.umask(0o077)
    if os.getuid() == 0 and words[:1] and words[0] not in AS_ROOT:
        become(OWNER)
    try:
        main(words)
    finally:
        if os.getuid() == 0 and words[:1] and words[0] in AS_ROOT:
            give_back(OWNER)


def become(name: str) -> None:
    """Be somebody else from now on: what is written into his folders has to be his."""
    who = pwd.getpwnam(name)
    os.initgroups(name, who.pw_gid)
    os.setgid(who.pw_gid)
    os.setuid(who.pw_uid)
    # Whoever was root may stand in a folder that nobody else can look into.
    os.chdir("/")


def give_back(name: str) -> None:
    """What a command has made in the server's folders while it was root is the server's."""
    from bumper_tw.app.config import load
    from bumper_tw.app.root import give
    from bumper_tw.errors import StartError

    who = pwd.getpwnam(name)
    try:
        settings = load(None, os.environ, {})
    except StartError:
        return
    for top in (settings.storage.directory, settings.tls.directory):
        for folder, _, files in os.walk(top):
            for path in (Path(folder), *(Path(folder, file) for file in files)):
                if is_roots(path):
                    give(path, who.pw_uid, who.pw_gid)


def is_roots(path: Path) -> bool:
    """Whether a file or folder belongs to root."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == 0 and not stat.S_ISLNK(found.st_mode)


def main(words: list[str]) -> None:
    """Do what the first word says."""
    if words[:1] == ["serve"]:
        serve(words[1:])
    elif words[:1] == ["check"] and len(words) == 2:
        raise SystemExit(check(words[1]))
    elif words[:1] == ["command"]:
        command(words[1:])
    else:
        raise SystemExit("what: serve, check or command?")


if __name__ == "__main__":
    main(sys.argv[1:])
