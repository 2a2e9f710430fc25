"""What is retained, on its way to somebody who has just subscribed."""

from collections import deque
from typing import TYPE_CHECKING

from attrs import define
from twisted.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker
    from bumper_tw.core.mqtt_session import MqttSession

#: As many topics are looked at before it is somebody else's turn.
SLICE = 200


@define
class Walk:
    """One filter that is under way, and the topics that are left of it."""

    topic_filter: str
    granted: int
    topics: deque[str]


class Reminders:
    """
    Filters to be reminded of, one after the other.

    It goes as fast as the client takes it, as there may be a lot; in between it is somebody
    else's turn.  There are never more filters than the client is subscribed to.
    """

    __slots__ = ("_broker", "_filters", "_session", "_timer", "_walk")

    def __init__(self, session: "MqttSession", broker: "MqttBroker") -> None:
        self._session, self._broker = session, broker
        # Most clients never need either.
        self._filters: dict[str, int] | None = None
        self._walk: Walk | None = None
        self._timer: IDelayedCall | None = None

    def add(self, topic_filter: str, granted: int) -> None:
        """Remind of all that a filter stands for, behind what waits already."""
        if self._filters is None:
            self._filters = {}
        self._filters[topic_filter] = granted

    def drop(self, topic_filter: str) -> None:
        """The client has taken a filter back (MQTT-3.10.4-2)."""
        if self._filters is not None:
            self._filters.pop(topic_filter, None)
        if self._walk is not None and self._walk.topic_filter == topic_filter:
            self._walk = None

    def clear(self) -> None:
        """Nobody wants to be reminded any more."""
        self._filters = self._walk = None
        self._rest()

    def pause(self) -> None:
        """The client is gone for now: what was under way begins anew when it is back."""
        walk, self._walk = self._walk, None
        if walk is not None:
            self.add(walk.topic_filter, walk.granted)
        self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Send what the client takes now."""
        if self._timer is not None or not (self._walk or self._filters):
            return
        if self._walk is None:
            self._walk = self._next()
        if self._send_some(self._walk):
            self._timer = self._broker.clock.callLater(0, self._again)

    def _next(self) -> Walk:
        """Look for what the next filter stands for; that alone may take a while."""
        filters = self._filters or {}
        topic_filter = next(iter(filters))
        granted = filters.pop(topic_filter)
        return Walk(topic_filter, granted, deque(self._broker.retained.match(topic_filter)))

    def _send_some(self, walk: Walk) -> bool:
        """Send a slice; whether there is more that the client would take."""
        for _ in range(min(SLICE, len(walk.topics))):
            topic = walk.topics[0]
            # The last word of now: what was retained meanwhile must not be followed by what was
            # retained before.
            message = self._broker.retained.get(topic)
            if message is not None and self._broker.verdicts.may_hear(self._session.who, topic):
                if not self._session.takes_more(message):
                    return False
                self._broker.remind(self._session, message, walk.granted)
            walk.topics.popleft()
        if not walk.topics:
            self._walk = None
        return self._walk is not None or bool(self._filters)

    def _again(self) -> None:
        self._timer = None
        self.go_on()
