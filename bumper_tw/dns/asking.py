"""Which addresses a name has: as this box sees it, or as one server says."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from attrs import Factory, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.threads import deferToThreadPool
from twisted.names import dns

from bumper_tw.dns.forwarder import Asker
from bumper_tw.dns.packets import HEADER, Question, Unreadable, question, read_records
from bumper_tw.dns.wires import (
    AnswerTimedOut,
    NoAnswer,
    Server,
    Wires,
    code_of,
    is_truncated,
)

#: What can be asked for: the number of the type, the family for the system, and what reads it.
KINDS: dict[str, tuple[int, socket.AddressFamily, Any]] = {
    "A": (dns.A, socket.AF_INET, IPv4Address),
    "AAAA": (dns.AAAA, socket.AF_INET6, IPv6Address),
}

#: What the system says when there is no such name, or nothing of this kind.
NO_ADDRESS = {getattr(socket, "EAI_NODATA", socket.EAI_NONAME), socket.EAI_NONAME}


class NameUnknown(NoAnswer):
    """There is no such name, says the server."""


class LookupRefused(NoAnswer):
    """The server does not answer us, or cannot find out."""


@frozen
class Asking:
    """
    Looks names up.

    @ivar reactor: opens sockets, knows the time, and has threads.
    @ivar wires: how servers are asked.
    @ivar resolve: C{getaddrinfo} of the system.
    """

    reactor: Any
    wires: Asker = field(default=Factory(lambda self: Wires(self.reactor), takes_self=True))
    resolve: Callable[..., list[Any]] = socket.getaddrinfo

    def lookup(
        self, name: str, kind: str, server: Server | None = None, seconds: float = 5.0
    ) -> Deferred[tuple[str, ...]]:
        """
        The addresses of a name.

        @param kind: C{A} or C{AAAA}.
        @param server: an address and a port; C{None} for what programs on this box get, whose
            system does not tell an unknown name from one without such addresses.
        @return: fires with the addresses in canonical spelling, none if the name has none of
            this kind; fails with L{AnswerTimedOut}, L{NameUnknown}, L{LookupRefused} or another
            L{NoAnswer}.
        """
        if server is None:
            return Deferred.fromCoroutine(self._of_system(name, kind, seconds))
        return Deferred.fromCoroutine(self._of_server(name, kind, server, seconds))

    async def _of_server(
        self, name: str, kind: str, server: Server, seconds: float
    ) -> tuple[str, ...]:
        asked = question(name, KINDS[kind][0], 0)
        answer = await self.wires.over_udp(server, asked, seconds)
        if is_truncated(answer):
            answer = await self.wires.over_tcp(server, asked, seconds)
        code = code_of(answer)
        if code == dns.ENAME:
            raise NameUnknown(f"{server[0]} knows no {name}")
        if code != dns.OK:
            raise LookupRefused(f"{server[0]} does not tell the addresses of {name} (code {code})")
        return addresses(answer, asked, kind)

    async def _of_system(self, name: str, kind: str, seconds: float) -> tuple[str, ...]:
        pool, family = self.reactor.getThreadPool(), KINDS[kind][1]
        looking = deferToThreadPool(self.reactor, pool, of_system, self.resolve, name, family)
        try:
            return await looking.addTimeout(seconds, self.reactor)
        except TimedOut:
            raise AnswerTimedOut(f"no answer for {name} within {seconds:g} s") from None
        except OSError as why:
            raise LookupRefused(f"{name} could not be looked up: {why.strerror}") from None


def addresses(answer: bytes, asked: Question, kind: str) -> tuple[str, ...]:
    """
    The addresses in an answer, of whatever name it leads to.

    @raise NoAnswer: it breaks off.
    """
    number, _, read = KINDS[kind]
    try:
        records = list(read_records(answer, HEADER.size + len(asked.wire)))
        found = [str(read(r.body)) for r in records if r.place == 0 and r.kind == number]
    except (Unreadable, ValueError):
        raise NoAnswer(f"what came for {asked.name} cannot be read") from None
    return tuple(dict.fromkeys(found))


def of_system(
    resolve: Callable[..., list[Any]], name: str, family: socket.AddressFamily
) -> tuple[str, ...]:
    """
    What programs on this box get; it waits.

    @raise OSError: the system could not find out.
    """
    try:
        found = resolve(name, None, family, socket.SOCK_STREAM)
    except socket.gaierror as why:
        if why.errno in NO_ADDRESS:
            return ()
        raise
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
