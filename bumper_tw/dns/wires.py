"""Asking another server one question, over UDP or TCP."""

import socket
from collections.abc import Callable
from secrets import randbelow
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ClientFactory, connectionDone
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.dns.packets import (
    HEADER,
    RCODE,
    RESPONSE,
    TRUNCATED,
    Question,
    Unreadable,
    asked,
    read_header,
)
from bumper_tw.errors import BumperError

#: An address and a port.
Server = tuple[str, int]

#: Bytes of an answer over UDP that we look at.
LARGEST = 4096


class NoAnswer(BumperError):
    """A server did not answer a question."""


class AnswerTimedOut(NoAnswer):
    """A server stayed silent."""


class Unreachable(NoAnswer):
    """Nothing listens there, or there is no way to it."""


def belongs(data: bytes, question: Question, number: int) -> bool:
    """
    Whether this is the answer to a question of ours.  Some servers repeat the name in another
    spelling.
    """
    try:
        theirs, flags = read_header(data)
    except Unreadable:
        return False
    same = data[HEADER.size : HEADER.size + len(question.wire)].lower() == question.wire.lower()
    one = HEADER.unpack_from(data)[2] == 1
    return theirs == number and bool(flags & RESPONSE) and one and same


def is_truncated(data: bytes) -> bool:
    """Whether the rest has to be fetched over TCP."""
    return bool(read_header(data)[1] & TRUNCATED)


def code_of(data: bytes) -> int:
    """The result that an answer tells."""
    return read_header(data)[1] & RCODE


class _Exchange:
    """A question, and the place of its answer."""

    def __init__(self, question: Question, number: int, close: Callable[[], object]) -> None:
        self._question, self._number, self._close = question, number, close
        self.answer: Deferred[bytes] = Deferred(self._given_up)
        self._over = False

    def heard(self, data: bytes) -> None:
        """Something came; what is no answer to this question is passed over."""
        if belongs(data, self._question, self._number) and self._end():
            self.answer.callback(data)

    def failed(self, why: NoAnswer) -> None:
        """No answer will come any more."""
        if self._end():
            self.answer.errback(why)

    def _given_up(self, _: object) -> None:
        self._end()

    def _end(self) -> bool:
        """Only once: closing a connection may tell us that it is closed, here and now."""
        if self._over:
            return False
        self._over = True
        self._close()
        return True


class Socket(Protocol):
    """A socket for datagrams, connected to one server; it never waits."""

    def fileno(self) -> int: ...

    def send(self, data: bytes, /) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


def connected(server: Server) -> Socket:
    """
    A new socket, on a port that the kernel picks at random.

    It is connected, so the kernel drops what comes from elsewhere, and says when nothing
    listens there.
    """
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.connect(server)
    except OSError:
        made.close()
        raise
    return made


@implementer(IReadDescriptor)
class Datagrams:
    """
    One question over UDP, from a socket of its own.

    A port of Twisted's writes two lines into the log for each, so this is read by itself.
    """

    def __init__(self, reactor: Any, socket: Socket, question: Question, number: int) -> None:
        self._reactor, self._socket, self._question = reactor, socket, question
        self._number = number
        self.exchange = _Exchange(question, number, self._close)
        reactor.addReader(self)

    def ask(self) -> None:
        """Send the question."""
        try:
            self._socket.send(asked(self._question, self._number))
        except OSError as why:
            self._failed(why)

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return "DNS"

    def doRead(self) -> None:
        try:
            data = self._socket.recv(LARGEST)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as why:
            self._failed(why)
        else:
            self.exchange.heard(data)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops, or cannot use the socket."""
        self.exchange.failed(Unreachable(str(reason.value)))

    def _failed(self, why: OSError) -> None:
        self.exchange.failed(Unreachable(why.strerror or str(why)))

    def _close(self) -> None:
        self._reactor.removeReader(self)
        self._socket.close()


class OneStream(ClientFactory):
    """Makes one connection, and no lines in the log."""

    noisy = False

    def __init__(self, stream: "Stream") -> None:
        self._stream = stream

    def buildProtocol(self, _: object) -> "Stream":
        return self._stream


class Stream(Int16StringReceiver):
    """One question over TCP."""

    transport: Any

    def __init__(self, question: Question, number: int) -> None:
        self._question, self._number = question, number
        self.exchange = _Exchange(question, number, self._close)

    def connectionMade(self) -> None:
        self.sendString(asked(self._question, self._number))

    def stringReceived(self, string: bytes) -> None:
        self.exchange.heard(string)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self.exchange.failed(Unreachable("the connection ended without an answer"))

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()


@frozen
class Wires:
    """
    Ways to other servers.

    @ivar reactor: opens sockets, and knows the time.
    @ivar number: makes numbers below its argument that nobody can guess.
    @ivar connected: see L{connected}.
    """

    reactor: Any
    number: Callable[[int], int] = randbelow
    connected: Callable[[Server], Socket] = connected

    def over_udp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]:
        """
        @param server: an address and a port.
        @return: the answer, cut off perhaps; fails with L{NoAnswer}.
        """
        return Deferred.fromCoroutine(self._over_udp(server, question, seconds))

    async def _over_udp(self, server: Server, question: Question, seconds: float) -> bytes:
        try:
            made = self.connected(server)
        except OSError as why:
            raise Unreachable(f"{server[0]}: {why.strerror or why}") from None
        ours = Datagrams(self.reactor, made, question, self.number(1 << 16))
        ours.ask()
        return await self._in_time(ours.exchange.answer, server, seconds)

    def over_tcp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]:
        """
        Ask where an answer may be of any length.

        @param server: an address and a port.
        @return: the whole answer; fails with L{NoAnswer}.
        """
        return Deferred.fromCoroutine(self._over_tcp(server, question, seconds))

    async def _over_tcp(self, server: Server, question: Question, seconds: float) -> bytes:
        ours = Stream(question, self.number(1 << 16))
        # An address needs no looking up; this one takes both sorts.
        endpoint = TCP4ClientEndpoint(self.reactor, *server, timeout=seconds)
        try:
            await endpoint.connect(OneStream(ours))
        except (ConnectError, OSError) as why:
            raise Unreachable(f"{server[0]}: {why}") from None
        return await self._in_time(ours.exchange.answer, server, seconds)

    async def _in_time(self, answer: Deferred[bytes], server: Server, seconds: float) -> bytes:
        try:
            return await answer.addTimeout(seconds, self.reactor)
        except TimedOut:
            raise AnswerTimedOut(f"{server[0]} did not answer within {seconds:g} s") from None
