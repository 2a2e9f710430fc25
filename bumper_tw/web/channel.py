"""
One HTTP connection, and what it may cost.

Twisted's channel reads the requests.  Ours adds how long they may take to arrive, and waits
with the next one until the client has taken enough of the answers.
"""

from typing import Any

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from bumper_tw.front.contact import contact_of
from bumper_tw.web.streams import Pipe

#: How many seconds a client may take over the last answer and over closing.
CLOSING = 15.0


class LeanChannel(HTTPChannel):
    """
    One connection; its site knows it for as long as it lives.

    It has one deadline: for the first request from the beginning of the connection, for a
    later one from its first byte, and between them for the client to say something.  While
    an answer is in the making there is none, but for one that goes on, and that the client does
    not take.  Most deadlines are never reached, so its one timer is not moved for each: when it
    rings too early, it is wound up again.

    @ivar contact: the record of the connection.
    @ivar flowing: the answer that goes on, if there is one.
    """

    flowing: Pipe | None = None
    _paused_at = 0.0

    site: Any
    #: TCP or TLS on it.
    transport: Any
    # LineReceiver's own, of which Twisted has no types.
    _buffer: bytes
    _handlingRequest: bool
    _ours: "IAddress | None" = None
    _theirs: "IAddress | None" = None
    _leaving = False

    def connectionMade(self) -> None:
        """A client is here."""
        self._clock: IReactorTime = self.site.reactor
        self.contact = contact_of(self.transport)
        patience = self.site.limits.request
        #: Whether the deadline is that of a request.
        self._begun = True
        self._due = self._rings = self._clock.seconds() + patience
        self._timer: IDelayedCall = self._clock.callLater(patience, self._ring)
        self.site.opened(self)
        super().connectionMade()

    def getHost(self) -> IAddress:
        """Our end; asking the system for it takes longer than making some answers."""
        if self._ours is None:
            self._ours = super().getHost()
        return self._ours

    def getPeer(self) -> IAddress:
        """The end of the client."""
        if self._theirs is None:
            self._theirs = super().getPeer()
        return self._theirs

    # Reading

    def dataReceived(self, data: bytes) -> None:
        """Bytes, which buy no time, or the leave to go on with those that wait here."""
        if self._leaving:
            return
        LineReceiver.dataReceived(self, data)
        if not self._begun and not self.paused and self._has_begun():
            self._begun = True
            self._expect(self.site.limits.request)

    def _has_begun(self) -> bool:
        """Whether a part of a request is here."""
        return bool(self._buffer or self.requests) and not self._handlingRequest

    def requestDone(self, request: object) -> None:
        """It is answered; now for the next."""
        self._begun = False
        self._expect(self.site.limits.idle)
        if self._buffer:
            # What arrived while we were paused comes after what had arrived before.
            self._dataBuffer.append(self.clearLineBuffer())
        super().requestDone(request)

    def pauseProducing(self) -> None:
        """
        The client does not take its answers.  Twisted stops reading then, but goes on with
        the requests it has read, a segment of which is worth hundreds of answers; and while
        a request is answered, which is when most answers are written, it does not even stop.
        """
        self.paused, self._paused_at = True, self._clock.seconds()
        super().pauseProducing()
        self._networkProducer.pauseProducing()

    def resumeProducing(self) -> None:
        """It took some: on with what waits."""
        self.paused = False
        if self._leaving:
            return
        super().resumeProducing()
        # Also while an answer is in the making: only who reads hears that a client leaves.
        self._networkProducer.resumeProducing()
        if not self._begun:
            self._expect(self.site.limits.idle)
        self.dataReceived(b"")

    # Time

    def _expect(self, seconds: float) -> None:
        """Move the deadline; the timer only if it would ring too late."""
        self._due = self._clock.seconds() + seconds
        if self._due < self._rings and self._timer.active():
            self._rings = self._due
            self._timer.reset(seconds)

    def _wind(self, seconds: float) -> None:
        self._rings = self._clock.seconds() + seconds
        self._timer = self._clock.callLater(seconds, self._ring)

    def _ring(self) -> None:
        left = self._due - self._clock.seconds()
        if self._handlingRequest and not self._leaving:
            self._wait_for_answer(self.site.limits.idle)
        elif left > 0:
            self._wind(left)
        elif self._leaving:
            self.abort()
        else:
            self._give_up()

    def _wait_for_answer(self, idle: float) -> None:
        """One that goes on does so while the client takes some of it now and then."""
        stuck = self.paused and self.flowing is not None
        past = self._clock.seconds() - self._paused_at if stuck else 0.0
        if past >= idle:
            self.abort()
        else:
            # A clock that was set back must not make it wait for longer.
            self._wind(min(idle, idle - past))

    def _give_up(self) -> None:
        if self._has_begun():
            self.site.slow(self)
        self._wind(CLOSING)
        self.loseConnection()

    # Ending

    def finish(self) -> None:
        """Close as soon as what was asked is answered."""
        self.persistent = False
        if self.flowing is not None:
            self.flowing.stop()
        elif not self.requests:
            self.loseConnection()

    def loseConnection(self) -> None:
        """Close, once what is written is with the client; nothing more is heard."""
        if self._leaving:
            return
        self._leaving, self.persistent = True, False
        self.clearLineBuffer()
        self._expect(CLOSING)
        # Over TLS the other side answers the farewell, which has to be read.
        self._networkProducer.resumeProducing()
        super().loseConnection()

    def abort(self) -> None:
        """Close now."""
        self._leaving = True
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        self._leaving = True
        if self._timer.active():
            self._timer.cancel()
        super().connectionLost(reason)
        self.site.closed(self)
