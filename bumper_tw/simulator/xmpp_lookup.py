"""How an XMPP robot finds its server: one HTTP request, read naively (robots.md 3.1)."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from urllib.parse import urlencode

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from bumper_tw.simulator.record import Frame, Transcript, Violations
from bumper_tw.simulator.xmpp_profile import Search

PATIENCE = 10
SOON = 2
LARGEST_ANSWER = 1 << 16
QUESTION = {"todo": "FindBest", "service": "EcoMsgNew"}
CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]{1,6})\r\n")
CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding:")
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
BLANKS = re.compile(rb"\s")
DOTTED = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")

Dial = Callable[[str, int], IStreamClientEndpoint]
"""Gives the way to a host and port, in clear text."""


class NotFound(Exception):
    """The answer of the lookup leads nowhere."""


@frozen
class Request:
    """One HTTP request; a new robot asks in a form, the next time in JSON, and so on."""

    host: str
    as_json: bool
    close: bool

    def encode(self) -> bytes:
        """Write it down."""
        kind = "application/json" if self.as_json else "application/x-www-form-urlencoded"
        compact = json.dumps(QUESTION, separators=(",", ":"))
        body = compact if self.as_json else urlencode(QUESTION)
        close = "Connection: close\r\n" if self.close else ""
        return (
            f"POST /lookup.do HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n{close}\r\n{body}"
        ).encode()


class Asking(Protocol):
    """Asks, and collects the answer until it is complete or the server closes."""

    def __init__(self, request: Request, framed: Callable[[bool, bytes], None]) -> None:
        self._request, self._framed = request, framed
        self._heard = b""
        self.answer: Deferred[bytes] = Deferred(self._give_up)

    def connectionMade(self) -> None:
        raw = self._request.encode()
        self._framed(True, raw)
        if self.transport is not None:
            self.transport.write(raw)

    def dataReceived(self, data: bytes) -> None:
        self._framed(False, data)
        self._heard += data
        if complete(self._heard) or len(self._heard) > LARGEST_ANSWER:
            self._finish()

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        if not self.answer.called:
            self.answer.callback(self._heard)

    def _finish(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
        if not self.answer.called:
            self.answer.callback(self._heard)

    def _give_up(self, _answer: Deferred[bytes]) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


def complete(heard: bytes) -> bool:
    """Tell whether an HTTP answer is there as a whole, by its length."""
    head, end, body = heard.partition(b"\r\n\r\n")
    length = CONTENT_LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])


@define(eq=False)
class AskingFactory(Factory):
    """Builds the one protocol an endpoint asks for."""

    asking: Asking
    noisy = False

    def buildProtocol(self, _addr: IAddress | None) -> Asking:
        return self.asking


@define(eq=False)
class Lookup:
    """Finds the server for one robot, again and again."""

    _clock: IReactorTime
    _dial: Dial
    _search: Search
    _rng: random.Random
    _transcript: Transcript
    _violations: Violations
    _as_json: bool = field(default=False, init=False)

    @property
    def asks(self) -> bool:
        """Whether there is a lookup at all."""
        return self._search.lookup

    def find(self) -> Deferred[tuple[str, int]]:
        """
        Ask where the server is; without a lookup that is known.

        @return: fires with a dotted address and a port; fails with L{NotFound}, or with what
            a connection fails with
        """
        return Deferred.fromCoroutine(self._find())

    async def _find(self) -> tuple[str, int]:
        search = self._search
        if not search.lookup:
            return search.host, search.port
        began = self._clock.seconds()
        answer = await self._ask()
        if self._clock.seconds() - began > SOON:
            self._violations.add(f"lookup: no answer within {SOON} s")
        try:
            return self._read(answer)
        except NotFound as reason:
            self._violations.add(f"lookup: {reason}")
            raise

    async def _ask(self) -> bytes:
        # In half the runs (robots.md 3.1).
        close = self._rng.random() < 0.5
        request = Request(f"{self._search.host}:{self._search.port}", self._as_json, close)
        self._as_json = not self._as_json
        asking = Asking(request, self._framed)
        endpoint = self._dial(self._search.host, self._search.port)
        connected: Deferred[IProtocol] = endpoint.connect(AskingFactory(asking))
        await connected.addTimeout(PATIENCE, self._clock)
        return await asking.answer.addTimeout(PATIENCE, self._clock)

    def _framed(self, outgoing: bool, raw: bytes) -> None:
        self._transcript.add(Frame(self._clock.seconds(), outgoing, raw))

    def _read(self, answer: bytes) -> tuple[str, int]:
        head, _, body = answer.partition(b"\r\n\r\n")
        status = STATUS.match(head)
        if status is None or status[1] != b"200":
            raise NotFound(f"status {head[:12]!r}")
        if BLANKS.search(body):
            raise NotFound("blanks in the answer")
        if CHUNKED.search(head):
            raise NotFound("the answer comes in chunks")
        return naively(body.decode("utf-8", "replace"))


def naively(text: str) -> tuple[str, int]:
    """
    Read the answer as robots do: by looking for two pieces of text.

    @raise NotFound: one of them is missing, or what follows is no address
    """
    host = text.partition('"ip":"')[2].partition('"')[0]
    port = re.match("[0-9]*", text.partition('"port":')[2])
    if not DOTTED.fullmatch(host) or port is None or not 0 < int(port[0] or 0) < 1 << 16:
        raise NotFound(f"no address in {text[:100]}")
    return host, int(port[0])
