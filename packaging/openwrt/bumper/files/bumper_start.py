"""
How everything starts on OpenWrt: from /usr/lib/bumper, where also lies what OpenWrt does not
package, or not in a release that is new enough.

    bumper_start.pyc serve TWISTD-OPTIONS bumper --config FILE
    bumper_start.pyc check FILE
    bumper_start.pyc command WORDS
    bumper_start.pyc plugins
"""

# ruff: noqa: PLC0415 - each way of starting loads what it needs: memory is dear on a router
import os
import pwd
import sys
from pathlib import Path

#: Made by the init script of /etc/config/bumper.
SETTINGS = Path("/var/etc/bumper.toml")

#: Whom the server runs as, and every command.
OWNER = "bumper"


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
    main(words)


def plugins() -> None:
    """Write down which plug-ins there are, as the server may not: once, by the package."""
    from twisted.plugin import IPlugin, getPlugins

    list(getPlugins(IPlugin))


def become(name: str) -> None:
    """
    Be somebody else from now on.

    Whatever is in his folders may be his doing: as root one would follow his links.  Nor can his
    other processes look into us: the kernel guards whoever has changed his user, until the next
    program is run.
    """
    who = pwd.getpwnam(name)
    os.initgroups(name, who.pw_gid)
    os.setgid(who.pw_gid)
    os.setuid(who.pw_uid)


def main(words: list[str]) -> None:
    """Do what the first word says."""
    if words == ["plugins"]:
        plugins()
        return
    if os.getuid() == 0:
        become(OWNER)
    if words[:1] == ["serve"]:
        serve(words[1:])
    elif words[:1] == ["check"] and len(words) == 2:
        raise SystemExit(check(words[1]))
    elif words[:1] == ["command"]:
        command(words[1:])
    else:
        raise SystemExit("what: serve, check, command or plugins?")


if __name__ == "__main__":
    main(sys.argv[1:])
