"""Connections in memory."""

from collections.abc import Sequence

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

#: How much a transport takes before it pauses whoever writes, as on a real one.
BUFFER = 65_536


class Line:
    """
    A connection in memory that behaves as TCP does.

    It pauses its producer when the other side does not read, delivers nothing while it is
    paused itself, and closes only once there is no producer and nothing to send; and it
    tells so in a later turn of the clock.

    @ivar sent: what the other side has read.
    @ivar slow: whether it reads nothing for now.
    """

    def __init__(self, clock: Clock, host: str, protocol: Protocol) -> None:
        self.clock, self.host, self.protocol = clock, host, protocol
        self.sent, self.waiting, self.inbox = bytearray(), bytearray(), bytearray()
        self.slow = self.closing = self.aborted = self.lost = False
        self.reading = True
        self.producer: IPushProducer | None = None
        protocol.makeConnection(self)

    # What the protocol calls

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", self.host, 50_000)

    @property
    def disconnecting(self) -> bool:
        return self.closing

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 443)

    def write(self, data: bytes) -> None:
        if self.lost:
            return
        if not self.slow:
            self.sent += data
            return
        self.waiting += data
        if len(self.waiting) > BUFFER and self.producer is not None:
            self.producer.pauseProducing()

    def writeSequence(self, data: Sequence[bytes]) -> None:
        self.write(b"".join(data))

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        assert self.producer is None, "a second producer"
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None
        self._close()

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True
        self.clock.callLater(0, self._deliver)

    def loseConnection(self) -> None:
        self.closing = True
        self._close()

    def abortConnection(self) -> None:
        self.aborted = True
        self.clock.callLater(0, self.drop)

    # What the test calls

    def receive(self, data: bytes) -> None:
        """The other side says something."""
        self.inbox += data
        self._deliver()

    def read_on(self) -> None:
        """The other side reads again."""
        self.slow = False
        self.sent += self.waiting
        self.waiting.clear()
        if self.producer is not None:
            self.producer.resumeProducing()
        self._close()

    def drop(self) -> None:
        """The connection ends, whoever wanted it."""
        if not self.lost:
            self.lost = True
            if self.producer is not None:
                self.producer.stopProducing()
            self.protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def over(self) -> bool:
        """Whether the server wants no more of it."""
        return self.closing or self.aborted or self.lost

    def _close(self) -> None:
        if self.closing and self.producer is None and not self.waiting:
            self.clock.callLater(0, self.drop)

    def _deliver(self) -> None:
        if self.reading and self.inbox and not self.lost:
            data = bytes(self.inbox)
            self.inbox.clear()
            self.protocol.dataReceived(data)
