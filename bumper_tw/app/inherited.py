"""Sockets that systemd has opened for us, so that we need no privileges (systemd.socket(5))."""

import socket
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from os import dup

from attrs import frozen
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint

from bumper_tw.app.settings import Listen
from bumper_tw.errors import StartError

#: Endpoints of this kind are such sockets.
KIND = "systemd:"

#: What stands before the name of one, in an endpoint.
NAMED = "name="

FORM = 'is no endpoint; expected such as "systemd:domain=INET6:name=https"'

ABSENT = (
    "is a socket that systemd has to open, and it has not: start the server with systemctl start "
    "bumper, and see that systemctl status bumper-{name}.socket says listening; without systemd "
    'write a port into [[listen]], such as at = "tcp:443"'
)

DEAF = (
    "is no socket at which anybody can connect; its unit needs ListenStream= and Accept=no, and "
    "no two [[listen]] may name it"
)


@frozen
class Place:
    """
    Where a socket is.

    @ivar port: C{None} for one that is a file.
    """

    family: int
    host: str
    port: int | None


def is_inherited(at: str) -> bool:
    """Whether an endpoint is a socket that systemd has opened."""
    return at.startswith(KIND)


def name_of(at: str) -> str:
    """What the unit of the socket calls it; empty for one that is counted."""
    named = (part for part in at.split(":") if part.startswith(NAMED))
    return next(named, "").removeprefix(NAMED)


def endpoint(reactor: object, at: str) -> IStreamServerEndpoint:
    """
    An endpoint from its description.

    @raise StartError: there is nothing of this kind, or it is a socket that we have not got.
    """
    if is_inherited(at):
        adopted: IStreamServerEndpoint = _adopted(reactor, at)[0]
        return adopted
    try:
        made: IStreamServerEndpoint = serverFromString(reactor, at)
    except ValueError:
        raise StartError(f"{at} in [[listen]] is no endpoint that Twisted knows") from None
    return made


def port_passed(at: str) -> int | None:
    """
    The TCP port of a socket from systemd; C{None} for other endpoints, and when it is not there.

    To be asked before anything listens: what is adopted gets another number.
    """
    if not is_inherited(at):
        return None
    try:
        return _adopted(None, at)[1].port
    except StartError:
        return None


def require(listen: Iterable[Listen]) -> None:
    """
    See that we got the sockets that we cannot do without, before any work is begun.

    @raise StartError: one is missing.
    """
    for each in listen:
        if is_inherited(each.at) and not each.optional:
            _adopted(None, each.at)


def left_over(environ: MutableMapping[str, str], listen: Iterable[Listen]) -> Iterator[str]:
    """
    The names of sockets that we got, and nobody asked for: whoever connects there waits in vain.

    They are taken out of the environment; L{serverFromString} knows them already.
    """
    names = environ.pop("LISTEN_FDNAMES", "")
    # It stays when the sockets were meant for another process.
    given = names.split(":") if names and "LISTEN_PID" not in environ else []
    wanted = {name_of(each.at) for each in listen if is_inherited(each.at)}
    return (name for name in dict.fromkeys(given) if name not in wanted and "" not in wanted)


def _adopted(reactor: object, at: str) -> tuple[AdoptedStreamServerEndpoint, Place]:
    try:
        made = serverFromString(reactor, at)
    except (KeyError, IndexError):
        raise StartError(f"{at} {ABSENT.format(name=name_of(at) or '*')}") from None
    except (ValueError, TypeError, AttributeError):
        raise StartError(f"{at} {FORM}") from None
    place = _place(made.fileno)
    if place is None:
        raise StartError(f"{at} {DEAF}")
    # Where the kernel has no IPv6, systemd opens the same port for IPv4.
    made.addressFamily = place.family
    return made, place


def _place(handle: int) -> Place | None:
    """Where a socket accepts connections; C{None} if it does not."""
    try:
        with _opened(handle) as opened:
            if not opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return None
            family, name = opened.family, opened.getsockname()
    except OSError:
        return None
    return Place(family, *name[:2]) if isinstance(name, tuple) else Place(family, "", None)


@contextmanager
def _opened(handle: int) -> Iterator[socket.socket]:
    """A socket of our own for a moment; the one that was passed stays open."""
    with socket.socket(fileno=dup(handle)) as opened:
        yield opened
