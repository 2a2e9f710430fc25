"""Where questions arrive: a socket for UDP and one for TCP at each address of this box."""

from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import (
    DatagramProtocol,
    Protocol,
    ServerFactory,
    connectionDone,
)
from twisted.protocols.basic import Int16StringReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from bumper_tw.dns.responder import Responder
from bumper_tw.front.crowd import Headcount, Unwelcome

#: Bytes of a question; the longest name with EDNS and its options is far below.
LONGEST = 4096

#: TCP connections: in all, and from one address.
STREAMS, STREAMS_PER_PEER = 60, 20

#: Seconds without a whole question after which a connection ends (RFC 7766, 6.2.3).
IDLE = 10.0


class DatagramDoor(DatagramProtocol):
    """UDP at one address."""

    noisy = False
    transport: Any

    def __init__(self, responder: Responder, local: str) -> None:
        self._responder, self._local = responder, local

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        def tell(answer: bytes) -> None:
            if self.transport is None:
                return
            # The asker may have gone, or made his address up; whoever wants to know asks again.
            with suppress(OSError):
                self.transport.write(answer, addr)

        self._responder.heard(datagram, str(addr[0]), self._local, whole=False, tell=tell)


class StreamDoor(Int16StringReceiver, TimeoutMixin):
    """
    One TCP connection.

    As long as somebody does not read our answers, his questions are not read either.
    """

    transport: Any
    MAX_LENGTH = LONGEST

    def __init__(self, factory: "StreamDoors", host: str) -> None:
        self._doors, self._host = factory, host
        self._here = False

    def callLater(self, period: float, func: Any) -> Any:
        return self._doors.clock.callLater(period, func)

    def connectionMade(self) -> None:
        self._here = True
        self._doors.open.add(self)
        self._doors.room.enter(self._host)
        self.transport.registerProducer(self, True)
        self.setTimeout(IDLE)

    def stringReceived(self, string: bytes) -> None:
        self.resetTimeout()
        self._doors.responder.heard(
            string, self._host, self._doors.local, whole=True, tell=self._tell
        )

    def _tell(self, answer: bytes) -> None:
        if self._here:
            self.sendString(answer)

    def lengthLimitExceeded(self, length: int) -> None:  # noqa: ARG002
        self.transport.abortConnection()

    def timeoutConnection(self) -> None:
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self.setTimeout(None)
        self._here = False
        self._doors.open.discard(self)
        self._doors.room.leave(self._host)


class StreamDoors(ServerFactory):
    """
    TCP at one address.

    @ivar room: how many connections there are, at this address and all others.
    @ivar open: those at this address.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, responder: Responder, local: str, room: Headcount
    ) -> None:
        self.clock, self.responder, self.local, self.room = clock, responder, local, room
        self.open: set[StreamDoor] = set()

    def dismiss(self) -> None:
        """End all connections."""
        for door in list(self.open):
            door.transport.abortConnection()

    def buildProtocol(self, addr: "IAddress | None") -> Protocol:
        host = str(getattr(addr, "host", ""))
        return Unwelcome() if self.room.full(host) else StreamDoor(self, host)
