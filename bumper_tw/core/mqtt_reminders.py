"""What is retained, on its way to somebody who has just subscribed."""

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker
    from bumper_tw.core.mqtt_session import MqttSession

#: As many topics are looked at before it is somebody else's turn.
SLICE = 200


class Reminders:
    """
    Filters to be reminded of, and the topics of the one that is under way.

    It goes as fast as the client takes it, as there may be a lot; and a client that asks again
    and again costs no more than its share of the time, and no memory.
    """

    __slots__ = ("_broker", "_filters", "_session", "_timer", "_topics")

    def __init__(self, session: "MqttSession", broker: "MqttBroker") -> None:
        self._session, self._broker = session, broker
        # Most clients never need either.
        self._filters: dict[str, int] | None = None
        self._topics: deque[tuple[str, int]] | None = None
        self._timer: IDelayedCall | None = None

    def add(self, topic_filter: str, granted: int) -> None:
        """Remind of all that a filter stands for, behind what waits already."""
        if self._filters is None:
            self._filters = {}
        self._filters[topic_filter] = granted

    def clear(self) -> None:
        """Nobody wants to be reminded any more."""
        self._filters = self._topics = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Send what the client takes now."""
        if self._timer is not None:
            return
        for _ in range(SLICE):
            found = self._next()
            if found is None:
                return
            topic, granted = found
            # The last word of now: what was retained meanwhile must not be followed by what was
            # retained before.
            message = self._broker.retained.get(topic)
            if message is not None and self._broker.verdicts.may_hear(self._session.who, topic):
                if not self._session.takes_more(message):
                    return
                self._broker.remind(self._session, message, granted)
            self._done()
        self._timer = self._broker.clock.callLater(0, self._again)

    def _next(self) -> tuple[str, int] | None:
        """The topic to look at, which stays the next one until L{_done}."""
        while not self._topics:
            if not self._filters:
                self._filters = self._topics = None
                return None
            topic_filter = next(iter(self._filters))
            granted = self._filters.pop(topic_filter)
            topics = self._broker.retained.match(topic_filter)
            self._topics = deque((topic, granted) for topic in topics)
        return self._topics[0]

    def _done(self) -> None:
        if self._topics:
            self._topics.popleft()

    def _again(self) -> None:
        self._timer = None
        self.go_on()
