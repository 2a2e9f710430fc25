"""Why a port could not be opened, said in one line that ends with the way out."""

import errno
import os
import re
import struct
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from attrs import frozen
from twisted.internet.error import CannotListenError

from bumper_tw.app.addresses import plain

#: How a listener spells "all addresses".
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not bound

#: The state C{TCP_LISTEN} in C{/proc/net/tcp}.
LISTENING = "0A"

#: The states there of sockets that wait for whoever comes; with datagrams, C{TCP_CLOSE}.
WAITING = {"tcp": LISTENING, "udp": "07"}

#: What stands in the file replaces all listeners that there are without it.
WHOLE = "write all listeners into the file, as in docs/first-connection.rst"

MOVE = f"choose another port with at = in [[listen]] ({WHOLE})"

PRIVILEGES = (
    "needs privileges: start as root with twistd --uid and --gid, or grant CAP_NET_BIND_SERVICE "
    f"(setcap, or AmbientCapabilities= in the systemd unit), or {MOVE}"
)


#: C{ssl:} brings certificates of its own; ours are put around plain endpoints.
ENDPOINT = re.compile(r"(?!ssl:|tls:)[a-z][a-z0-9]*:.+")
PORT = re.compile(r":(?:port=)?([0-9]{1,5})(?::|$)")

#: Stands between the parts of an endpoint; the colons of an IPv6 address are escaped.
COLON = re.compile(r"(?<!\\):")


def is_endpoint(description: str) -> bool:
    """Can this be a Twisted endpoint that listens, without TLS?"""
    port = PORT.search(description)
    tcp = description.startswith(("tcp:", "tcp6:"))
    sound = not tcp or (port is not None and int(port[1]) < 65536)
    return sound and description.isprintable() and ENDPOINT.fullmatch(description) is not None


def port_of(description: str) -> int | None:
    """The TCP port in an endpoint, where 0 is any that is free; C{None} when there is none."""
    port = PORT.search(description.replace(r"\:", "."))
    return int(port[1]) if port else None


def host_of(description: str) -> str | None:
    """
    The address that an endpoint is bound to: C{""} for all there are, C{None} when it is no
    TCP endpoint, so that something else decides who gets here.
    """
    kind, *rest = COLON.split(description)
    if kind not in {"tcp", "tcp6"}:
        return None
    named = dict(part.split("=", 1) for part in rest if "=" in part)
    unnamed = [part for part in rest if "=" not in part]
    found = named.get("interface", "".join(unnamed[1:2]))
    return "" if found in EVERYWHERE else plain(found.replace(r"\:", ":"))


@frozen
class Program:
    """A running process."""

    name: str
    pid: int


@frozen
class Remedies:
    """
    What the owner can do about a port, in the words of the settings it comes from.

    @ivar setting: where the address stands.
    @ivar privileges: how to get those, or do without.
    @ivar move: how to have another port or address.
    @ivar apart: what to do when this server itself holds the port.
    @ivar known: what to do rather than to stop a program, by the names of processes; C{""} for
        those that cannot be seen.
    """

    setting: str
    privileges: str
    move: str
    apart: str
    known: Mapping[str, str] = {}


#: systemd opens sockets for services; nobody wants to stop systemd.
SOCKETS = (
    "that is for a service: systemctl list-sockets shows which one; if it is bumper itself, then "
    "systemctl stop bumper lets go of it"
)

#: For the listeners.
LISTENERS = Remedies(
    "[[listen]]",
    PRIVILEGES,
    MOVE,
    "give every [[listen]] a port of its own",
    {"systemd": SOCKETS},
)


@frozen
class Ports:
    """
    Finds out who listens where.

    @ivar proc: where the kernel shows its processes.
    @ivar own_pid: the process that asks.
    @ivar transport: C{tcp} or C{udp}.
    """

    proc: Path
    own_pid: int
    transport: str = "tcp"
    remedies: Remedies = LISTENERS

    def explain(self, error: CannotListenError, at: str = "") -> str:
        """
        One line for the owner: which port, why not, and what to do.

        @param error: what a listening endpoint failed with.
        @param at: the endpoint's description, as in the settings, if there is one.
        """
        host = _clean(str(error.interface or ""))
        number = getattr(error.socketError, "errno", None)
        port = f"{self.transport} port {error.port}" if isinstance(error.port, int) else _clean(at)
        if number == errno.EADDRNOTAVAIL:
            return f"{port}: {host} is no address of this box; correct {self._setting(at)}"
        place = port if host in EVERYWHERE else f"{port} at {host}"
        if number in {errno.EACCES, errno.EPERM}:
            return f"{place} {self.remedies.privileges}"
        if number == errno.EADDRINUSE and isinstance(error.port, int):
            return f"{place} is held by {self._holder(host, error.port)}"
        return f"{place} cannot be opened: {_reason(error)}"

    def _setting(self, at: str) -> str:
        return f"{_clean(at)} in {self.remedies.setting}" if at else self.remedies.setting

    def _holder(self, host: str, port: int) -> str:
        program, remedies = self.listening(host, port), self.remedies
        if program is None:
            return f"another program; {remedies.known.get('', 'stop it')}, or {remedies.move}"
        who = f"{program.name} (pid {program.pid})"
        if program.pid == self.own_pid:
            return f"this server itself, {who}; {remedies.apart}"
        return f"{who}; {remedies.known.get(program.name, 'stop it')}, or {remedies.move}"

    def listening(self, host: str, port: int) -> Program | None:
        """
        The program that holds a port, C{None} when it cannot be seen.

        @param host: the address we wanted, C{""} for all of them.
        """
        held = {f"socket:[{inode}]" for inode in self._inodes(host, port)}
        pids = sorted(int(p.name) for p in _entries(self.proc) if p.name.isdecimal())
        # Workers inherit a socket from their parent, whose number is usually the lowest.
        holders = (pid for pid in pids if held and self._has(pid, held))
        pid = next(holders, None)
        return None if pid is None else Program(self._name(pid), pid)

    def _inodes(self, host: str, port: int) -> Iterator[str]:
        waiting = WAITING[self.transport]
        for name in (self.transport, f"{self.transport}6"):
            for line in _text(self.proc / "net" / name).splitlines()[1:]:
                match line.split():
                    case [_, local, _, state, _, _, _, _, _, inode, *_] if state == waiting:
                        address, _, number = local.partition(":")
                        if int(number, 16) == port and _collide(host, address):
                            yield inode

    def _has(self, pid: int, sockets: set[str]) -> bool:
        return any(_target(fd) in sockets for fd in _entries(self.proc / str(pid) / "fd"))

    def _name(self, pid: int) -> str:
        return _clean(_text(self.proc / str(pid) / "comm").strip()) or "a program"


def explain_bind_failure(error: CannotListenError, at: str) -> str:
    """L{Ports.explain} for the process and the machine we are in."""
    return Ports(Path("/proc"), os.getpid()).explain(error, at)


def _collide(host: str, digits: str) -> bool:
    """
    Can a socket bound to C{digits} keep us from binding C{host}?

    @param digits: an address as in C{/proc/net/tcp}: machine words in hexadecimal.
    """
    words = [digits[i : i + 8] for i in range(0, len(digits), 8)]
    packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    theirs = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
    return theirs.is_unspecified or plain(host) in EVERYWHERE or plain(host) == plain(str(theirs))


def _reason(error: CannotListenError) -> str:
    reason = getattr(error.socketError, "strerror", None) or str(error.socketError)
    return _clean(reason)


def _clean(text: str) -> str:
    """A process may call itself anything; keep one line of it that a terminal can bear."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])


# Processes end while we look, and those of others may not be looked at.


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _entries(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
