"""Clients that connect, say one thing, hear the answer and are gone, again and again."""

import select
import socket
import ssl
from collections.abc import Sequence
from time import perf_counter

from attrs import frozen

from benchmarks.load import PATIENCE
from benchmarks.mqtt_load import Refused
from benchmarks.server import HOST

#: More than is said to one of them.
ENOUGH = 65_536


@frozen
class Errand:
    """
    What somebody comes for.

    @ivar questions: what each of them says first.
    @ivar answer: how the answer begins.
    @ivar farewell: what he says after that; the server hangs up.
    """

    questions: Sequence[bytes]
    answer: bytes
    farewell: bytes = b""


class Visitor:
    """
    One client.

    @ivar session: the TLS session that it brings back, if it does.
    """

    _socket: socket.socket
    session: ssl.SSLSession | None = None

    def __init__(self, visits: "Visits", question: bytes) -> None:
        self._visits, self._question = visits, question
        self.dial()

    def dial(self) -> None:
        """Connect, and begin to talk."""
        plain = socket.create_connection((HOST, self._visits.port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        self._socket, self._heard, context = plain, b"", self._visits.context
        if context is not None:
            self._socket = context.wrap_socket(
                plain,
                do_handshake_on_connect=False,
                server_hostname=self._visits.name,
                session=self.session,
            )
        self._shaking, self._waiting = context is not None, True
        self._visits.watch(self, self._socket.fileno())
        self._ask()

    def _ask(self) -> None:
        if isinstance(self._socket, ssl.SSLSocket):
            try:
                self._socket.do_handshake()
            except ssl.SSLWantReadError:
                return
            self.secured(self._socket)
        self._shaking = False
        self._socket.sendall(self._question)

    def readable(self) -> None:
        """There is something to read, or the server hung up."""
        if self._shaking:
            self._ask()
            return
        try:
            heard = self._socket.recv(ENOUGH)
        except ssl.SSLWantReadError:
            return
        if heard:
            self._hear(heard)
        else:
            self._end()

    def _hear(self, heard: bytes) -> None:
        errand = self._visits.errand
        self._heard += heard
        if not errand.answer.startswith(self._heard[: len(errand.answer)]):
            raise Refused(f"{self._heard[:40]!r} to {self._question[:40]!r}")
        if self._waiting and len(self._heard) >= len(errand.answer):
            self._waiting = False
            if isinstance(self._socket, ssl.SSLSocket):
                self.answered(self._socket)
            if errand.farewell:
                self._socket.sendall(errand.farewell)

    def _end(self) -> None:
        if self._waiting:
            raise Refused("it hangs up before it answers")
        self._visits.done += 1
        self.hang_up()
        self.dial()

    def hang_up(self) -> None:
        """Close the connection; epoll forgets it."""
        self._socket.close()

    def secured(self, connection: ssl.SSLSocket) -> None:
        """
        The handshake is over; some want to see how.

        @raise Refused: not as it should have been.
        """

    def answered(self, connection: ssl.SSLSocket) -> None:
        """The answer came over TLS; some keep the session."""


class Visits:
    """
    All clients that come for one errand.

    @ivar done: how many visits came to their end.
    """

    #: What each of them is.
    kind: type[Visitor] = Visitor

    def __init__(
        self, port: int, errand: Errand, context: ssl.SSLContext | None, name: str
    ) -> None:
        """
        Begin.

        @param name: whom they ask for.
        @raise Refused: they are not served.
        """
        self.port, self.errand, self.context, self.name = port, errand, context, name
        self.done = 0
        self._epoll, self._visitors = select.epoll(), dict[int, Visitor]()
        self._all = [self.kind(self, question) for question in errand.questions]

    def watch(self, visitor: Visitor, number: int) -> None:
        """A visitor reads from that file descriptor from now on."""
        self._visitors[number] = visitor
        self._epoll.register(number, select.EPOLLIN)

    def run(self, seconds: float) -> None:
        """
        Go on for a time.

        @raise Refused: the server stops answering, or answers something else.
        """
        until = perf_counter() + seconds
        while perf_counter() < until:
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                raise Refused("it does not hang up")
            for number, _ in ready:
                self._visitors[number].readable()

    def close(self) -> None:
        """Hang up for all visitors."""
        self._epoll.close()
        for visitor in self._all:
            visitor.hang_up()
