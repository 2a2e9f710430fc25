"""Answers that go on: a stream without an end, or a file piece by piece."""

from typing import Any, BinaryIO, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.web.call import Answer

#: Bytes of a file that are read at a time.
PIECE = 1 << 16


class Outlet(Protocol):
    """Where an answer goes."""

    @property
    def paused(self) -> bool:
        """Whether the client has to take some first.  What is written all the same waits."""

    def write(self, data: bytes) -> None:
        """A piece.  After the end, nothing happens."""

    def end(self) -> None:
        """That was all."""

    def abort(self) -> None:
        """The rest is missing: close the connection so that the client notices."""


class Flow(Protocol):
    """What goes on writing an answer."""

    def begin(self, outlet: Outlet) -> None:
        """The head is written, now for the rest; perhaps L{Outlet.paused} already."""

    def resume(self) -> None:
        """The client took some."""

    def ended(self) -> None:
        """
        It is over, however that came about: nothing that is written arrives any more.

        Called once, also if it has never begun, as for HEAD.
        """


@frozen
class Streamed(Answer):
    """
    An answer of which there is only the head yet.

    @ivar flow: writes the rest.
    @ivar size: of the rest in bytes; C{None} if nobody knows, then its end is the end of the
        connection.
    """

    flow: Flow = field(kw_only=True)
    size: int | None = field(default=None, kw_only=True)

    @classmethod
    def file(
        cls,
        handle: BinaryIO,
        size: int,
        content_type: str = "application/octet-stream",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> "Streamed":
        """
        A file, as fast as the client takes it; it is closed in the end.

        @param handle: as many bytes as C{size} are read, from where it stands.
        """
        flow = FileFlow(handle, size)
        return cls(b"", 200, content_type, headers, flow=flow, size=size)


class FileFlow:
    """Reads a file."""

    _log = Logger()

    def __init__(self, handle: BinaryIO, size: int) -> None:
        self._handle, self._left = handle, size
        self._outlet: Outlet | None = None
        self._reading = False

    def begin(self, outlet: Outlet) -> None:
        """See L{Flow}."""
        self._outlet = outlet
        self._pour(outlet)

    def resume(self) -> None:
        """See L{Flow}."""
        # A transport may have room again while it is written to.
        if self._outlet is not None and not self._reading:
            self._pour(self._outlet)

    def ended(self) -> None:
        """See L{Flow}."""
        self._outlet, self._left = None, 0
        self._handle.close()

    def _pour(self, outlet: Outlet) -> None:
        self._reading = True
        while self._left and not outlet.paused:
            piece = self._read()
            if not piece:
                outlet.abort()
                return
            self._left -= len(piece)
            outlet.write(piece)
        self._reading = False
        if not self._left:
            outlet.end()

    def _read(self) -> bytes:
        """The next piece; empty if there is none, though there should be."""
        try:
            return self._handle.read(min(PIECE, self._left))
        except OSError as wrong:
            self._log.error("a file cannot be read on: {why}", why=wrong.strerror)
            return b""


@implementer(IPushProducer)
class Pipe:
    """
    One answer on its way into its connection.

    @ivar paused: see L{Outlet}.
    """

    def __init__(self, request: Any, answer: Streamed) -> None:
        """
        @param request: whose answer it is.
        """
        self._request, self._channel = request, request.channel
        self._flow, self._endless = answer.flow, answer.size is None
        self.paused = False
        self._over = False

    def open(self) -> None:
        """Let it begin."""
        # Answers before it on the same connection may wait to be taken.
        self.paused = self._channel.paused
        self._channel.flowing = self
        self._request.registerProducer(self, True)
        self._flow.begin(self)

    def write(self, data: bytes) -> None:
        """See L{Outlet}."""
        if not self._over:
            self._channel.write(data)

    def end(self) -> None:
        """See L{Outlet}."""
        if not self._over:
            self._close()
            self._request.done()

    def abort(self) -> None:
        """See L{Outlet}."""
        if not self._over:
            self._close()
            self._channel.abort()

    def stop(self) -> None:
        """The server stops; what has an end does not get there any more."""
        if self._endless:
            self.end()
        else:
            self.abort()

    def pauseProducing(self) -> None:
        """The client does not keep up."""
        self.paused = True

    def resumeProducing(self) -> None:
        """It does again."""
        self.paused = False
        if not self._over:
            self._flow.resume()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._close()

    def _close(self) -> None:
        if self._over:
            return
        self._over, self.paused = True, True
        self._channel.flowing = None
        self._request.unregisterProducer()
        self._flow.ended()
