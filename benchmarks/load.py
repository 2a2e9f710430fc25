"""
Clients that cost little: plain sockets, one epoll loop, TLS in memory.

A client of the web is a generator that yields requests and is sent the answers; a robot
answers what it is asked at once.
"""

import json
import select
import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from attrs import evolve, frozen

from benchmarks.server import HOST
from bumper_tw.simulator.identity import Identity, Kind, Profile, identities, login
from bumper_tw.simulator.mqtt import (
    CONNACK,
    PUBLISH,
    REFUSED,
    SUBACK,
    Splitter,
    connect,
    message,
    publish,
    subscribe,
)
from bumper_tw.simulator.topics import RobotTopics

#: Seconds without anything from the server after which what is missing is lost.
PATIENCE = 20.0

#: Bytes read at one time: from a socket, and of one record of TLS.  Python makes room for all
#: of them first, which is cheap only as long as it need not ask the kernel for it.
AT_ONCE, RECORD = 65_536, 16_384

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\nContent-Length: "

#: What a robot says about itself in each answer.
ABOUT = {"pri": 1, "tzm": 480, "ver": "0.0.1", "fwVer": "1.14.3", "hwVer": "0.1.1"}


class Disconnected(Exception):
    """The server closed a connection that was in use."""


class Wire:
    """
    A connection to the server.

    The socket blocks, and is read only when there is something.  TLS goes through memory:
    OpenSSL at the socket itself reads twice for each record.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection((HOST, port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        if tls:
            self._tls = tls.wrap_bio(self._in, self._out, server_hostname=HOST)
            self._shake_hands(self._tls)

    def _shake_hands(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._in.write(self._heard())
            else:
                self._flush()
                return

    def _flush(self) -> None:
        written = self._out.read()
        if written:
            self._socket.sendall(written)

    def _heard(self) -> bytes:
        heard = self._socket.recv(AT_ONCE)
        if not heard:
            raise Disconnected
        return heard

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Write bytes."""
        if self._tls:
            self._tls.write(data)
            self._flush()
        else:
            self._socket.sendall(data)

    def receive(self) -> bytes:
        """
        Wait for bytes.

        @return: what has come; empty when it was only TLS talking.
        @raise Disconnected: there will be no more.
        """
        heard = self._heard()
        if not self._tls:
            return heard
        self._in.write(heard)
        return self._decrypted(self._tls)

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        pieces: list[bytes] = []
        try:
            while piece := tls.read(RECORD):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        return b"".join(pieces)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def tls_context() -> ssl.SSLContext:
    """TLS that trusts everybody: what is measured is the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Party(Protocol):
    """Somebody at the end of a wire."""

    wire: Wire

    def readable(self) -> None:
        """There is something to read."""


class Loop:
    """Lets parties read when there is something for them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._parties: dict[int, Party] = {}

    def add(self, party: Party) -> None:
        """From now on it reads."""
        self._parties[party.wire.fileno()] = party
        self._epoll.register(party.wire.fileno(), select.EPOLLIN)

    def remove(self, party: Party) -> None:
        """Hang up for it."""
        self._epoll.unregister(party.wire.fileno())
        del self._parties[party.wire.fileno()]
        party.wire.close()

    def run(self, done: Callable[[], bool]) -> bool:
        """
        Go on until something holds.

        @return: C{False} when nothing came for L{PATIENCE} seconds.
        """
        while not done():
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                return False
            for number, _ in ready:
                self._parties[number].readable()
        return True


@frozen
class Page:
    """An answer over HTTP."""

    status: int
    body: bytes


#: Yields requests, is sent the answers.
Talk = Generator[bytes, Page, None]


class Browser:
    """
    One keep-alive connection that has one question open at a time.

    @ivar over: whether its talk has come to its end.
    """

    def __init__(self, wire: Wire, talk: Talk) -> None:
        self.wire, self._talk, self.over = wire, talk, False
        self._pieces: list[bytes] = []
        self._missing = 0
        self._status = 0

    def begin(self) -> None:
        """Ask the first question."""
        self._say(None)

    def _say(self, page: Page | None) -> None:
        try:
            request = next(self._talk) if page is None else self._talk.send(page)
        except StopIteration:
            self.over = True
        else:
            self.wire.send(request)

    def readable(self) -> None:
        """See L{Party}."""
        heard = self.wire.receive()
        if heard and not self._status:
            heard = self._head(heard)
        if self._status:
            self._body(heard)

    def _head(self, heard: bytes) -> bytes:
        """Read a head, once it is complete; what follows it is returned."""
        head, end, rest = b"".join([*self._pieces, heard]).partition(HEAD_END)
        if not end:
            self._pieces = [head]
            return b""
        _, _, length = head.partition(LENGTH)
        self._pieces, self._missing = [], int(length.partition(b"\r")[0])
        self._status = int(head[9:12])
        return rest

    def _body(self, heard: bytes) -> None:
        self._pieces.append(heard)
        self._missing -= len(heard)
        if self._missing <= 0:
            page = Page(self._status, b"".join(self._pieces))
            self._pieces, self._status = [], 0
            self._say(page)


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A request as aiohttp writes it, which is below deebot-client."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        "Accept: */*",
        "Accept-Encoding: gzip, deflate",
        *headers,
    ]
    if body:
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
    return "\r\n".join(lines).encode("ascii") + HEAD_END + body


def post(path: str, value: object, *headers: str) -> bytes:
    """A request with JSON in it, with the spaces of Python's own."""
    return request("POST", path, json.dumps(value).encode(), *headers)


class Robot:
    """
    A robot that answers every question with its name and with the question's own mark.

    @ivar silent: whether it hears and says nothing.
    @ivar ready: whether it can be asked.
    """

    def __init__(self, wire: Wire, identity: Identity) -> None:
        self.wire, self.identity = wire, identity
        self.silent, self.ready = False, False
        self._topics, self._splitter = RobotTopics.of(identity), Splitter()
        # Nobody pings here; the server's own limit of silence is an hour.
        wire.send(connect(evolve(login(identity, Profile()), keep_alive=0)))

    def readable(self) -> None:
        """See L{Party}."""
        for first, body in self._splitter.feed(self.wire.receive()):
            self._take(first, body)

    def _take(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == CONNACK and not body[1]:
            self.wire.send(subscribe(1, self._topics.requests()))
        elif kind == SUBACK:
            self.ready = body[2] < REFUSED
        elif kind == PUBLISH and not self.silent:
            self._answer(first, body)

    def _answer(self, first: int, body: bytes) -> None:
        heard = message(first & 15, body)
        asked = self._topics.request(heard.topic)
        if asked is not None:
            mark = json.loads(heard.payload)["header"]["ts"]
            self.wire.send(publish(self._topics.reply(asked), self._said(mark)))

    def _said(self, mark: str) -> bytes:
        data = {"value": 77, "isLow": 0, "did": self.identity.did}
        answer = {"header": {**ABOUT, "ts": mark}, "body": {"code": 0, "msg": "ok", "data": data}}
        return json.dumps(answer, separators=(",", ":")).encode()


def fleet(
    loop: Loop, port: int, tls: ssl.SSLContext | None, count: int, first: int = 0
) -> list[Robot]:
    """
    Robots that can be asked.

    @param first: how many there are already.
    @raise Disconnected: the server does not let one of them in.
    """
    newcomers = identities(first + count, Kind.JSON)[first:]
    robots = [Robot(Wire(port, tls), who) for who in newcomers]
    for robot in robots:
        loop.add(robot)
    if not loop.run(lambda: all(robot.ready for robot in robots)):
        raise Disconnected
    return robots


def dismiss(loop: Loop, parties: Sequence[Party]) -> None:
    """Hang up for all of them."""
    for party in parties:
        loop.remove(party)
