"""What we owe a client while the disk is slow: its acknowledgements, in their order."""

from collections import deque
from collections.abc import Callable

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.errors import ProtocolViolation, StorageError
from bumper_tw.front.outbox import Outbox, Wave

#: How many answers, and how many bytes of what they answer, may wait for the disk before we
#: stop listening to the client; half of that, and we listen again.
CROWDED, HEAVY = 1000, 1_048_576


@define(eq=False)
class Owed:
    """
    One answer.

    @ivar packet: as it is written.
    @ivar size: how many bytes what it answers keeps in memory.
    @ivar then: what to do once it is written.
    @ivar due: whether it may be written, as far as it alone is concerned.
    """

    packet: bytes
    size: int = 0
    then: Callable[[], None] | None = None
    due: bool = False


class Queue:
    """What is owed to one client; there is no such thing while nothing waits for the disk."""

    __slots__ = ("_owed", "_size", "paused")

    def __init__(self) -> None:
        self._owed: deque[Owed] = deque()
        self._size = 0
        #: Whether the client is not listened to.
        self.paused = False

    def __bool__(self) -> bool:
        return bool(self._owed)

    def add(self, owed: Owed) -> None:
        """Put one behind the others."""
        self._owed.append(owed)
        self._size += owed.size

    def next_due(self) -> Owed | None:
        """Take the first, if it is due."""
        if not self._owed or not self._owed[0].due:
            return None
        self._size -= self._owed[0].size
        return self._owed.popleft()

    def holds(self, most: int, bytes_at_most: int) -> bool:
        """Whether there is no more than this in it."""
        return len(self._owed) <= most and self._size <= bytes_at_most


class Answers(Outbox):
    """
    The half of a connection that answers.

    Answers go out in the order of the questions (MQTT-4.6.0-2, MQTT-4.6.0-3), so one that is due
    waits behind one that is not.
    """

    __slots__ = ("_queue",)

    _log = Logger()

    def __init__(self, wave: Wave) -> None:
        super().__init__(wave)
        self._queue: Queue | None = None

    @property
    def peer(self) -> str:
        """The other side, for the log."""
        raise NotImplementedError

    def close(self, reason: str) -> None:
        """End the connection, with one line for the owner; once."""
        raise NotImplementedError

    def violated(self, wrong: ProtocolViolation) -> None:
        """The client has done what it may not."""
        raise NotImplementedError

    def owe(self, kept: Deferred[None] | None, owed: Owed) -> None:
        """Answer once C{kept} has fired and all earlier answers are written."""
        if kept is None and self._queue is None:
            self._settle(owed)
        elif not self._shut:
            self._wait(kept, owed)
        elif kept is not None:
            kept.addErrback(_nobody_is_here)

    def _wait(self, kept: Deferred[None] | None, owed: Owed) -> None:
        queue = self._queue = self._queue or Queue()
        queue.add(owed)
        if not queue.paused and not queue.holds(CROWDED, HEAVY):
            queue.paused = True
            self.transport.pauseProducing()
        if kept is None:
            owed.due = True
            return
        kept.addCallback(self._kept, owed).addErrback(self._unkept)

    def _settle(self, owed: Owed) -> None:
        # There is none for QoS 0, which waits all the same: it must not pile up.
        if owed.packet:
            self.answer(owed.packet)
        if owed.then is not None:
            owed.then()

    def _kept(self, _: object, owed: Owed) -> None:
        owed.due = True
        # Settling one may end the connection, and then there is no queue any more.
        while self._queue is not None and (first := self._queue.next_due()) is not None:
            self._settle(first)
        queue = self._queue
        if queue is None:
            return
        if queue.paused and queue.holds(CROWDED // 2, HEAVY // 2):
            queue.paused = False
            self.transport.resumeProducing()
        if self._queue is queue and not queue:
            self._queue = None

    def _unkept(self, failure: Failure) -> None:
        why = failure.value
        if isinstance(why, ProtocolViolation):
            self.violated(why)
            return
        if not isinstance(why, StorageError):
            self._log.failure("answering {peer} broke", failure, peer=self.peer)
        # The client will try again when it is back (MQTT-4.8.0-2).
        self.close(f"what it said cannot be kept: {why}")

    def finish(self) -> None:
        super().finish()
        self._queue = None

    def stopProducing(self) -> None:
        super().stopProducing()
        self._queue = None

    @property
    def congested(self) -> bool:
        """Whether the client is not listened to, as too much waits for the disk."""
        return self._queue is not None and self._queue.paused


def _nobody_is_here(failure: Failure) -> None:
    """It cannot be kept, and there is nobody left to tell."""
    failure.trap(StorageError, ProtocolViolation)
