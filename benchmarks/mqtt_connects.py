"""MQTT clients that come and go, as fast as a broker lets them."""

import select
import socket
import ssl
from time import perf_counter

from benchmarks.mqtt_frames import CONNACK, hello
from benchmarks.mqtt_load import PATIENCE, Refused
from benchmarks.server import HOST

#: Clients at once, so that the broker need not wait for one of them.
CALLERS = 8

DISCONNECT = b"\xe0\x00"

#: More than a broker says to one of them.
ENOUGH = 4096


class Caller:
    """One client, again and again."""

    def __init__(self, calls: "Calls", name: str) -> None:
        self._calls, self._hello = calls, hello(name)
        self._session: ssl.SSLSession | None = None
        self._again = False
        self.dial()

    def dial(self) -> None:
        """Connect, and begin to talk."""
        plain = socket.create_connection((HOST, self._calls.port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        context = self._calls.context
        self._socket, self._shaking, self._welcome = plain, context is not None, b""
        if context is not None:
            session = self._session if self._calls.resumed else None
            self._socket = context.wrap_socket(
                plain, do_handshake_on_connect=False, server_hostname=HOST, session=session
            )
        self._calls.watch(self, self._socket.fileno())
        self._greet()

    def _greet(self) -> None:
        if isinstance(self._socket, ssl.SSLSocket):
            try:
                self._socket.do_handshake()
            except ssl.SSLWantReadError:
                return
            self._check(self._socket)
        self._shaking = False
        self._socket.sendall(self._hello)

    def _check(self, secured: ssl.SSLSocket) -> None:
        """@raise Refused: the session of the last time is not continued."""
        if self._calls.resumed and self._again and not secured.session_reused:
            raise Refused("it resumes no TLS sessions")

    def readable(self) -> None:
        """There is something to read, or the broker hung up."""
        if self._shaking:
            self._greet()
            return
        try:
            heard = self._socket.recv(ENOUGH)
        except ssl.SSLWantReadError:
            return
        if heard:
            self._answer(heard)
        else:
            self._end()

    def _answer(self, heard: bytes) -> None:
        self._welcome += heard
        if self._welcome == CONNACK:
            if isinstance(self._socket, ssl.SSLSocket):
                self._session = self._socket.session
            self._socket.sendall(DISCONNECT)
        elif not CONNACK.startswith(self._welcome):
            raise Refused(f"{heard!r} to CONNECT")

    def _end(self) -> None:
        if self._welcome != CONNACK:
            raise Refused("it hangs up before CONNACK")
        self._calls.done += 1
        self._again = True
        self.hang_up()
        self.dial()

    def hang_up(self) -> None:
        """Close the connection; epoll forgets it."""
        self._socket.close()


class Calls:
    """
    All of them.

    @ivar done: logins that came to their end.
    @ivar resumed: whether a TLS session is brought back.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None, resumed: bool) -> None:
        """
        Begin.

        @raise Refused: the broker does not let us in.
        """
        self.port, self.context, self.resumed, self.done = port, context, resumed, 0
        self._epoll, self._callers = select.epoll(), dict[int, Caller]()
        self._all = [Caller(self, f"caller{number}") for number in range(CALLERS)]

    def watch(self, caller: Caller, number: int) -> None:
        """This file is its own from now on."""
        self._callers[number] = caller
        self._epoll.register(number, select.EPOLLIN)

    def run(self, seconds: float) -> None:
        """
        Go on for a time.

        @raise Refused: the broker stops answering, or answers something else.
        """
        until = perf_counter() + seconds
        while perf_counter() < until:
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                raise Refused("it does not hang up after DISCONNECT")
            for number, _ in ready:
                self._callers[number].readable()

    def close(self) -> None:
        """Hang up for all."""
        self._epoll.close()
        for caller in self._all:
            caller.hang_up()
