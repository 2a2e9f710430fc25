"""What one client is owed at QoS 1 and 2: what is on its way, and what waits behind that."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from attrs import define

from bumper_tw.kept import KeptMessage
from bumper_tw.values import Message

#: The highest packet identifier (MQTT 3.1.1, 2.3.1).
HIGHEST = 65_535

#: About the bytes that one owed message takes besides its payload and topic.
WEIGHT = 300


def weight_of(message: Message) -> int:
    """About the bytes that owing a message takes."""
    return WEIGHT + len(message.topic) + len(message.payload)


@define(eq=False)
class Owed:
    """
    One message that a client is owed.

    @ivar number: of the publication, rising.
    @ivar message: C{qos} is what this client gets, and C{retain} the flag it sees.
    @ivar sent: whether it went out, on this connection or an earlier one.
    @ivar released: whether the client has it (PUBREC), so that only PUBREL is owed.
    """

    number: int
    packet_id: int
    message: Message
    sent: bool = False
    released: bool = False


class Window:
    """
    Packet identifiers, and at most so many messages under way at a time.

    A message keeps its identifier from when it is owed until it is settled, so that it can
    go to disk before it goes out, and out again under the same one (MQTT-4.4.0-1).

    @ivar weight: about the bytes that all that is owed takes.
    @ivar sent: the number of the last message that went out.
    """

    __slots__ = ("_last_id", "_owed", "_queue", "_size", "_under_way", "sent", "weight")

    def __init__(self, size: int) -> None:
        self._size = size
        self._owed: dict[int, Owed] = {}
        # A deque costs 600 bytes even when it is empty, and most clients never need one.
        self._queue: deque[Owed] | None = None
        self._under_way = self._last_id = self.weight = self.sent = 0

    def __len__(self) -> int:
        """How many messages are owed."""
        return len(self._owed)

    def owe(self, number: int, message: Message) -> Owed:
        """
        Reserve an identifier for a message; it goes out once it was given to L{line_up}.

        The caller sees to it that there are fewer than L{HIGHEST}.
        """
        packet_id = self._next_id()
        owed = self._owed[packet_id] = Owed(number, packet_id, message)
        self.weight += weight_of(message)
        return owed

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % HIGHEST + 1
            if self._last_id not in self._owed:
                return self._last_id

    def line_up(self, owed: Owed) -> None:
        """The message may go out, behind those before it."""
        if self._queue is None:
            self._queue = deque()
        self._queue.append(owed)

    def next(self) -> Owed | None:
        """What goes out now, if anything may."""
        if not self._queue or self._under_way >= self._size:
            return None
        owed = self._queue.popleft()
        self._under_way += 1
        owed.sent = True
        self.sent = owed.number
        return owed

    @property
    def room(self) -> bool:
        """Whether one more could go out as soon as it is on disk."""
        return len(self._owed) < self._size

    def release(self, packet_id: int) -> bool:
        """
        The client has a QoS 2 message (PUBREC).

        @return: whether that is news.
        """
        owed = self._owed.get(packet_id)
        if owed is None or not owed.sent or owed.released or owed.message.qos != 2:
            return False
        owed.released = True
        return True

    def settle(self, packet_id: int, qos: int) -> Owed | None:
        """
        The last acknowledgement of a message came: PUBACK of QoS 1, PUBCOMP of QoS 2.

        @return: C{None} if nothing under way had this identifier and QoS.
        """
        owed = self._owed.get(packet_id)
        if (
            owed is None
            or owed.message.qos != qos
            or not (owed.released if qos == 2 else owed.sent)
        ):
            return None
        del self._owed[packet_id]
        self._under_way -= 1
        self.weight -= weight_of(owed.message)
        return owed

    def drop(self, owed: Owed) -> bool:
        """Take back what never went out; whether it was owed."""
        if self._owed.get(owed.packet_id) is not owed:
            return False
        del self._owed[owed.packet_id]
        self.weight -= weight_of(owed.message)
        return True

    def withdraw(self, unwanted: Callable[[Message], bool], again: bool) -> list[Owed]:
        """
        Take back what is not to go out after all.

        @param again: also what did go out, and would once more on a new connection.
        """
        lined_up = self._queue or ()
        asked = [*(self.under_way() if again else ()), *lined_up]
        gone = [owed for owed in asked if not owed.released and unwanted(owed.message)]
        for owed in gone:
            del self._owed[owed.packet_id]
            self._under_way -= owed.sent
            self.weight -= weight_of(owed.message)
        if gone:
            self._queue = deque(owed for owed in lined_up if owed.packet_id in self._owed)
        return gone

    def under_way(self) -> Iterator[Owed]:
        """What has to go out again on a new connection, in order (MQTT-4.6.0-1)."""
        return (owed for owed in list(self._owed.values()) if owed.sent)

    def restore(self, kept: Iterable[KeptMessage], sent: int | None) -> None:
        """
        Take up what an earlier run owed.

        @param sent: the number of the last message that went out; C{None} when nobody knows:
            as many as could have been under way are taken to have been.
        """
        for message in kept:
            before = self._under_way < self._size if sent is None else message.number <= sent
            self._take_up(message, before or message.released)

    def _take_up(self, kept: KeptMessage, sent: bool) -> None:
        owed = Owed(kept.number, kept.packet_id, kept.message, sent, kept.released)
        self._owed[kept.packet_id] = owed
        self.weight += weight_of(kept.message)
        self._last_id = kept.packet_id
        if sent:
            self._under_way += 1
            self.sent = max(self.sent, kept.number)
        else:
            self.line_up(owed)
