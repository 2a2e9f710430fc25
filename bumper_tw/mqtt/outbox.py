"""What goes out to one client, and what waits while it does not read."""

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from bumper_tw.errors import ProtocolViolation

#: How many bytes of answers may wait for a client that asks and does not read.
UNREAD = 262_144


@implementer(IPushProducer)
class Outbox:
    """
    The writing half of a connection, paused by its transport when the other side is slow.

    It bounds what the client itself causes, our answers.  What others publish is for the
    session to bound, which asks how much waits: C{len}.
    """

    def __init__(self, transport: Any) -> None:
        """
        @param transport: TCP or TLS on it, a consumer besides.
        """
        self._transport = transport
        self._waiting = bytearray()
        self._answers = 0
        self._paused = self._over = False
        transport.registerProducer(self, True)

    def __len__(self) -> int:
        return len(self._waiting)

    def write(self, packet: bytes) -> None:
        """Send one packet, or keep it until the client reads."""
        if self._paused:
            self._waiting += packet
        elif not self._over:
            self._transport.write(packet)

    def answer(self, packet: bytes) -> None:
        """
        Send what the client asked for.

        @raise ProtocolViolation: it asks on and on, and does not read.
        """
        self._answers += len(packet) if self._paused else 0
        if self._answers > UNREAD:
            raise ProtocolViolation("A client asks on and on without reading.")
        self.write(packet)

    def finish(self) -> None:
        """Let what waits go out, and take nothing more."""
        # A transport does not close while somebody still produces for it.
        self._transport.unregisterProducer()
        self.resumeProducing()
        self._over = True

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused, self._answers = False, 0
        waiting, self._waiting = self._waiting, bytearray()
        if waiting:
            self._transport.write(bytes(waiting))

    def stopProducing(self) -> None:
        """The transport is gone."""
        self._waiting.clear()
        self._paused, self._over = False, True
