"""
A leaner L{twisted.web.server.Request}.

Twisted's parses forms, multipart bodies, cookies and queries before anybody asks, and writes
headers and body apart.  Ours parses nothing (L{Call} does, when asked), keeps at most
L{Limits.max_body} bytes of a body, and answers in one write.  Where a request ends on the wire
is for L{bumper_tw.web.channel} to say.
"""

from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.iweb import INonQueuedRequestFactory
from twisted.web.server import Request
from zope.interface import provider

from bumper_tw.front.contact import plain_address
from bumper_tw.front.crowd import Headcount
from bumper_tw.web.call import Answer
from bumper_tw.web.streams import Pipe, Streamed

#: Codes that come without a body (RFC 9110, 6.4.1).
BODILESS = (204, 304)
#: How long the rest of a refused body is read and dropped, in seconds: closed at once, the
#: connection would be reset, and the client would never read why.
LINGER = 2.0


@frozen
class Limits:
    """
    What one client, and all of them, may cost.

    @ivar max_body: bytes of a request body (http.md 3).
    @ivar idle: seconds between an answer and the next request before a connection is closed;
        also to take an answer.
    @ivar request: seconds for a request to arrive in, all of it.
    @ivar connections: at one time, in all.
    @ivar per_peer: at one time, from one address.
    """

    max_body: int = 1 << 20
    idle: float = 60.0
    request: float = 30.0
    connections: int = 1000
    per_peer: int = 100


class Edge(Protocol):
    """What a request needs of its site."""

    limits: Limits
    large: Headcount
    resource: Any

    def date(self) -> bytes:
        """The time as HTTP spells it."""

    def serve(self, request: "LeanRequest") -> bool:
        """Answer a request whose path alone says what to do; was that so?"""

    def room(self, target: bytes) -> int:
        """How long the body of a request for this target may be."""

    def too_large(self, request: "LeanRequest", room: int) -> Answer:
        """The answer to a body that is too long."""

    def broke(self, request: "LeanRequest", failure: Failure) -> None:
        """Deal with a bug."""


def one_line(text: str) -> str:
    """C{text} as a header value: line ends would begin another header."""
    return text.replace("\r", " ").replace("\n", " ")


def head(answer: Answer, version: bytes, date: bytes, closing: bool) -> bytes:
    """The status line and the headers of an answer."""
    reason = RESPONSES.get(answer.status, b"Unknown")
    lines = [b"%b %d %b\r\nDate: %b" % (version, answer.status, reason, date)]
    if answer.status not in BODILESS:
        lines.append(b"Content-Type: %b" % answer.content_type.encode("latin-1"))
        size = answer.size if isinstance(answer, Streamed) else len(answer.body)
        lines += [] if size is None else [b"Content-Length: %d" % size]
    lines.append(b"X-Content-Type-Options: nosniff")
    lines += [one_line(f"{name}: {value}").encode("latin-1") for name, value in answer.headers]
    if closing:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


@provider(INonQueuedRequestFactory)
class LeanRequest(Request):
    """One request on its way in and its answer on the way out."""

    refused = False
    channel: Any
    site: Any
    _dropped = 0
    _is_large = False
    _room: int
    _left: int
    _deadline: "IDelayedCall | None" = None
    _pipe: Pipe | None = None

    def parseCookies(self) -> None:
        """Not now: L{Call.cookie} does, when asked."""

    def getRequestHostname(self) -> bytes:
        """
        The same name for every request: Klein feeds the Host header to its map, where one
        that is no name becomes a traceback, and none of our routes depends on it.
        """
        return b"localhost"

    def gotLength(self, length: int | None) -> None:
        """
        The headers are complete.

        @param length: what the client says its body is long; C{None} for a chunked one.
        """
        self.content = self._body = BytesIO()
        self._edge: Edge = self.channel.site
        # Twisted tells the request what it is for once its body is there.
        self._room = self._edge.room(self.channel._path)  # noqa: SLF001
        self._left = min(self._room, self._edge.limits.max_body)
        if length is not None and not self._fits(length):
            self._refuse_body()

    def _fits(self, size: int) -> bool:
        """
        Whether so many more bytes may come.

        Nobody takes a place among the large ones before his body is larger than others, or at
        least he says so: whoever trickles a chunked one must not shut the others out.
        """
        if size > self._left and not self._is_large:
            self._join_large(self._edge.limits.max_body)
        return size <= self._left

    def _join_large(self, common: int) -> None:
        """Be one of the few whose body is longer than usual; who comes too late may not."""
        peer, large = plain_address(self.getClientAddress()), self._edge.large
        if self._room <= common:
            return
        if large.full(peer):
            self._room = common
            return
        self._is_large = True
        self._left += self._room - common
        large.enter(peer)
        self.notifyFinish().addBoth(lambda _: large.leave(peer))

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body."""
        if self.refused:
            self._drop(len(data))
        elif not self._fits(len(data)):
            self._refuse_body()
        else:
            self._left -= len(data)
            self._body.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The request is complete."""
        if self.refused:
            self._give_up()
            return
        self._begin(command, path, version)
        self.process()

    def _begin(self, command: bytes, path: bytes, version: bytes) -> None:
        self._body.seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path = origin_form(path).partition(b"?")[0]
        self.args = {}
        self.site = self._edge

    def process(self) -> None:
        """Have it answered: by its path alone, or by what Klein makes of it."""
        if not self._edge.serve(self):
            self.prepath = []
            self.postpath = [unquote_to_bytes(part) for part in self.path[1:].split(b"/")]
            self.render(self._edge.resource)

    def reply(self, answer: Answer) -> None:
        """Send the answer, or what there is of it yet, unless there is nobody to send it to."""
        if isinstance(answer, Streamed):
            self._stream(answer)
        elif self._pipe is not None:
            # What goes on has broken; there is no way to say so any more.
            self._pipe.abort()
        elif not self._disconnected:
            self._write_answer(answer, closing=not self.channel.persistent)
            self.done()

    def _stream(self, answer: Streamed) -> None:
        if self._disconnected:
            answer.flow.ended()
            return
        if answer.size is None:
            # Where it ends is where the connection ends (RFC 9112, 6.3): any client knows that.
            self.channel.persistent = False
        self._write_answer(answer, closing=not self.channel.persistent)
        if self.method == b"HEAD" or answer.status in BODILESS:
            answer.flow.ended()
            self.done()
            return
        self._pipe = Pipe(self, answer)
        self._pipe.open()

    def done(self) -> None:
        """All of the answer is written."""
        self.finished = 1
        self._cleanup()

    def finish(self) -> None:
        """Klein finishes what it has handed out; L{reply} has done that already, or will."""
        if not self.finished and self._pipe is None:
            super().finish()

    def _write_answer(self, answer: Answer, closing: bool) -> None:
        self.startedWriting = 1
        self.code = answer.status
        version = self.clientproto
        data = head(answer, version, self._edge.date(), closing)
        if self.method != b"HEAD" and answer.status not in BODILESS:
            data += answer.body
        self.channel.write(data)

    def _refuse_body(self) -> None:
        """Say that the body is too long, and listen a little longer."""
        channel = self.channel
        self.refused = True
        # A client that asks first must hear the refusal, not the invitation.
        self.requestHeaders.removeHeader(b"Expect")
        self._body.truncate(0)
        self._begin(channel._command, channel._path, channel._version)  # noqa: SLF001 - not told yet
        channel.persistent = False
        self._write_answer(self._edge.too_large(self, self._room), closing=True)
        self._deadline = channel.callLater(LINGER, self._give_up)

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > self._room:
            self._give_up()

    def _give_up(self) -> None:
        if not self._disconnected:
            self.channel.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        """The client is gone; whoever works on the answer is told."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        if self._pipe is not None:
            self._pipe.stopProducing()
        super().connectionLost(reason)

    def processingFailed(self, reason: Failure) -> Any:
        """Klein itself broke: that is for the log, and the client gets a plain 500."""
        self._edge.broke(self, reason)


def origin_form(target: bytes) -> bytes:
    """A request target without scheme and host, which only proxies need (RFC 9112, 3.2.2)."""
    if target.startswith(b"/"):
        return target
    _, slashes, rest = target.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if slashes else target
