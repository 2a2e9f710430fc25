"""Which TCP ports of this box somebody listens on, as everybody may know who asks its kernel."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from struct import iter_unpack, pack

from bumper_tw.app.addresses import plain
from bumper_tw.app.ports import EVERYWHERE, LISTENING


def is_held(proc: Path, host: str, port: int) -> bool:
    """
    Whether somebody is in the way of a listener; the kernel does not tell everybody who.

    @param proc: where the kernel shows its sockets; nobody is in the way if it does not.
    @param host: the address of the listener, C{""} for all of them.
    """
    taken = {address for address, number in _listening(proc) if number == port}
    if plain(host) in EVERYWHERE:
        return bool(taken)
    return not taken.isdisjoint({*EVERYWHERE, plain(host)})


def _listening(proc: Path) -> Iterator[tuple[str, int]]:
    for table in ("tcp", "tcp6"):
        for line in _lines(proc / "net" / table):
            match line.split():
                case [_, local, _, state, *_] if state == LISTENING:
                    address, _, port = local.partition(":")
                    yield _address(address), int(port, 16)


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text("ascii", "replace").splitlines()
    except OSError:
        return []


def _address(digits: str) -> str:
    """An address as the kernel prints it there: machine words in hexadecimal."""
    words = iter_unpack(">I", bytes.fromhex(digits))
    return plain(str(ip_address(b"".join(pack("=I", word) for (word,) in words))))
