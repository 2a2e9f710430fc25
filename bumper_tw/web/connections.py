"""The connections of a site: how many there may be, and how they end."""

from collections import Counter
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from bumper_tw.front.contact import plain_address
from bumper_tw.front.crowd import Headcount, Unwelcome
from bumper_tw.web.channel import LeanChannel
from bumper_tw.web.request import LeanRequest, Limits

T = TypeVar("T")

#: How many seconds clients have to close when the server stops; an answer that is in the
#: making then has to be there by the end of them.
FAREWELL = 1.0


class Connected(Site):
    """
    A site that knows who is connected to it.

    @ivar counts: how often what went wrong.
    @ivar channels: the connections there are, and the address each is from.
    @ivar everybody: how many that are.
    """

    # Twisted's own would first negotiate HTTP/2.
    protocol = LeanChannel  # type: ignore[assignment]  # declared more narrowly than needed
    counts: Counter[str]

    def __init__(self, resource: IResource, clock: IReactorTime, limits: Limits) -> None:
        super().__init__(resource, LeanRequest, reactor=clock)
        # Twisted's is reset by every byte; L{LeanChannel} has its own.
        self.timeOut = None
        self.limits = limits
        self.channels: dict[LeanChannel, str] = {}
        self.everybody = Headcount(limits.connections, limits.per_peer)
        self._waiting: list[Deferred[None]] = []

    def buildProtocol(self, addr: "IAddress | None") -> Any:
        """A connection, unless there are too many."""
        if self.everybody.full(plain_address(addr)):
            self.counts["crowded"] += 1
            return Unwelcome()
        return super().buildProtocol(addr)

    def opened(self, channel: LeanChannel) -> None:
        """A connection begins."""
        host = self.channels[channel] = plain_address(channel.getPeer())
        self.everybody.enter(host)

    def closed(self, channel: LeanChannel) -> None:
        """A connection has ended."""
        host = self.channels.pop(channel, None)
        if host is None:
            return
        self.everybody.leave(host)
        while self._waiting and not self.channels:
            self._waiting.pop().callback(None)

    def farewell(self) -> Deferred[None]:
        """
        Close every connection, once it has its answer; those that take longer than
        L{FAREWELL}, without.

        @return: fires when the last is gone.
        """
        for channel in list(self.channels):
            channel.finish()
        if not self.channels:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._waiting.append(gone)
        patience = self.reactor.callLater(FAREWELL, self._abort_all)
        return gone.addBoth(self._no_more, patience)

    def _abort_all(self) -> None:
        for channel in list(self.channels):
            channel.abort()

    @staticmethod
    def _no_more(result: T, patience: IDelayedCall) -> T:
        if patience.active():
            patience.cancel()
        return result
