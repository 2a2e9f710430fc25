"""Why DNS cannot be answered at an address, said in one line that ends with the way out."""

import errno
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from attrs import frozen
from twisted.internet.error import CannotListenError

from bumper_tw.app.ports import Ports

#: Programs that answer DNS, by the names of their processes, and what C{bumper dns --for} calls
#: them.
RESOLVERS = {
    "dnsmasq": "dnsmasq",
    "pihole-FTL": "pihole",
    "unbound": "unbound",
    "AdGuardHome": "adguard",
    "named": "bind",
}

#: The kernel cuts the names of processes.
STUB = "systemd-resolve"

MOVE = "choose another port with dns.port, or one address with dns.interface"

#: Sockets that wait for questions: the file, and the state that they are in there.
WAITING = {"tcp": "0A", "udp": "07"}


@frozen
class QuestionPorts(Ports):
    """
    Finds out who answers questions where.

    @ivar transport: C{tcp} or C{udp}.
    """

    transport: str = "udp"

    def explained(self, error: CannotListenError) -> str:
        """One line for the owner: which port, why not, and what to do."""
        place = f"{self.transport} port {error.port} at {error.interface}"
        number = getattr(error.socketError, "errno", None)
        if number in {errno.EACCES, errno.EPERM}:
            return f"{place} needs privileges: grant CAP_NET_BIND_SERVICE, or {MOVE}"
        if number == errno.EADDRNOTAVAIL:
            return f"{place}: that is no address of this box; correct dns.interface"
        if number == errno.EADDRINUSE:
            return f"{place} is held by {self._held_by(str(error.interface), int(error.port))}"
        reason = getattr(error.socketError, "strerror", None) or error.socketError
        return f"{place} cannot be opened: {reason}"

    def _held_by(self, host: str, port: int) -> str:
        program = self.listening(host, port)
        if program is None:
            return f"another program; stop it, or {MOVE}"
        who = f"{program.name} (pid {program.pid})"
        if program.name.startswith(STUB):
            return f"{who}; set DNSStubListener=no in /etc/systemd/resolved.conf, or {MOVE}"
        if program.name in RESOLVERS:
            line = f"bumper dns --for {RESOLVERS[program.name]}"
            return f"{who}; let it answer with dns.serve = false and {line}, or stop it, or {MOVE}"
        return f"{who}; stop it, or {MOVE}"

    def _inodes(self, host: str, port: int) -> Iterator[str]:
        for family in ("", "6"):
            for line in _lines(self.proc / "net" / f"{self.transport}{family}"):
                match line.split():
                    case [_, local, _, state, _, _, _, _, _, inode, *_]:
                        if state == WAITING[self.transport] and _collides(local, host, port):
                            yield inode


def _collides(local: str, host: str, port: int) -> bool:
    """
    Whether a socket takes what we want.

    @param local: as in C{/proc/net/udp}: machine words in hexadecimal, and the port.
    """
    digits, _, number = local.partition(":")
    if int(number, 16) != port:
        return False
    words = [digits[i : i + 8] for i in range(0, len(digits), 8)]
    packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    theirs = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
    mapped = theirs.ipv4_mapped if isinstance(theirs, IPv6Address) else None
    return theirs.is_unspecified or (mapped or theirs) == ip_address(host)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()[1:]
    except OSError:
        return []
