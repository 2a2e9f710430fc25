"""How long a stream lives: until its client leaves, breaks the rules, or is told to go."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from bumper_tw.dialect import stanzas
from bumper_tw.front.outbox import Outbox

if TYPE_CHECKING:
    from bumper_tw.xmpp.doorstep import Doorstep
    from bumper_tw.xmpp.factory import XmppFactory

#: How many seconds a connection may take to close.
HANG_UP = 1.0


class Lifetime(Outbox):
    """
    The half of a stream that ends it.

    There is one timer: whatever the stream waits for at the moment.
    """

    __slots__ = ("_heard", "_opened", "_over", "_timer", "doorstep", "factory")

    _log = Logger()
    factory: "XmppFactory"
    doorstep: "Doorstep"

    def __init__(self, factory: "XmppFactory", doorstep: "Doorstep") -> None:
        super().__init__(factory.wave)
        self.factory, self.doorstep = factory, doorstep
        self._opened = self._over = False
        self._heard = factory.seconds()
        self._timer: IDelayedCall | None = None

    def _open(self) -> None:
        self._opened = True
        self.answer(stanzas.header(self.factory.random_hex(16)))

    def pauseProducing(self) -> None:
        """Who does not read is not heard either: it would only cause more to be written."""
        super().pauseProducing()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._heard = self.factory.seconds()
        super().resumeProducing()
        if self._flowing and not self.undecided:
            self.transport.resumeProducing()

    @property
    def undecided(self) -> bool:
        """Whether it is being decided who that is; nobody is listened to meanwhile."""
        raise NotImplementedError

    def fail(self, condition: str, reason: str) -> None:
        """The client has done what it may not."""
        self.factory.counts["violations"] += 1
        self.doorstep.contact.broke(reason)
        if not (self._over or self._opened):
            self._open()
        self._end_with(condition, reason)

    def _end_with(self, condition: str, reason: str) -> None:
        if not self._over:
            self.doorstep.log_end(reason)
            self._hang_up(stanzas.stream_error(condition))

    def close(self, reason: str) -> None:
        """End the connection, with one line for the owner; once."""
        if not self._over:
            self.doorstep.log_end(reason)
            self._hang_up(stanzas.CLOSE)

    def _hang_up(self, last: bytes) -> None:
        """Let what is written go out, then end; a peer that is dead already gets no say."""
        if self._over:
            return
        if self._opened:
            self.write(last)
        self.end()
        self.finish()
        # Over TLS the other side answers the farewell, which has to be read.
        self.transport.resumeProducing()
        self._wake(HANG_UP, self._abort)
        self.transport.loseConnection()

    def _abort(self) -> None:
        self._timer = None
        self.doorstep.abort()

    def leave(self) -> None:
        self.end()
        self.finish()

    def end(self) -> None:
        """From now on nothing is heard, said or decided here."""
        self._over = True
        self._sleep()

    def _wake(self, seconds: float, call: Callable[[], None]) -> None:
        self._sleep()
        self._timer = self.factory.clock.callLater(seconds, call)

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
