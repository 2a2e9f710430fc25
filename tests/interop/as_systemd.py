"""
Does with an installed unit what systemd does, as far as the server can tell: opens the sockets,
becomes the user, and runs what C{ExecStart=} says.

Runs inside a Debian, with nothing but what is there: C{python3 -c} gets this text.
"""

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

UNITS = Path("/lib/systemd/system")


def lines(unit: Path) -> Iterator[tuple[str, str]]:
    """The settings in a unit."""
    for line in unit.read_text("utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            yield name, value


def opened(unit: Path) -> tuple[str, socket.socket]:
    """A socket as its unit wants it, and what it is called."""
    told = dict(lines(unit))
    host, _, port = told["ListenStream"].rpartition(":")
    family = socket.AF_INET if host else socket.AF_INET6
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind((host or "::", int(port)))
    made.listen(128)
    return told["FileDescriptorName"], made


def main() -> None:
    """Become the server."""
    doors = [opened(unit) for unit in sorted(UNITS.glob("bumper-*.socket"))]
    kept = [os.dup(made.fileno()) for _, made in doors]
    # Above where they go, so that none of them is closed by another.
    high = [os.dup2(fd, 100 + at) for at, fd in enumerate(kept)]
    for at, fd in enumerate(high):
        os.dup2(fd, 3 + at, inheritable=True)
    service = list(lines(UNITS / "bumper.service"))
    given = dict(value.split("=", 1) for name, value in service if name == "Environment")
    given |= {
        "PATH": "/usr/bin:/bin",
        "LISTEN_FDS": str(len(doors)),
        "LISTEN_FDNAMES": ":".join(name for name, _ in doors),
        "LISTEN_PID": str(os.getpid()),
    }
    given["BUMPER_LOG_FORMAT"] = "text"
    told = dict(service)
    user = pwd.getpwnam(told["User"])
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(int(told["UMask"], 8))
    os.chdir(told["WorkingDirectory"])
    os.closerange(3 + len(doors), 200)
    words = told["ExecStart"].split()
    os.execve(words[0], words, given)


if __name__ == "__main__":
    main()
