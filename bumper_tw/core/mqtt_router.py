"""The embedded broker: who is connected, and who hears what."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol as Shape

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.mqtt_session import MqttSession, SessionLimits
from bumper_tw.errors import LoginRefused
from bumper_tw.interfaces import IMqttBroker, IMqttOutlet, IMqttSession, Undo
from bumper_tw.values import Message, Principal
from bumper_tw.wire.mqtt_codec import publish_bytes
from bumper_tw.wire.mqtt_topics import SubscriptionTree

#: Short names (mqtt.md 4.2).  What others publish under them is heard by us alone: we repeat
#: it under its long name, and from there under its short one.
SHORT = ("p2p/", "rsp/", "attr/")


class Subscriber(Shape):
    """
    What hangs in the subscription tree.

    @ivar ours: whether that is our own code.
    """

    ours: bool

    def deliver(self, message: Message, granted: int, packet: bytes) -> None:
        """Hear one publication."""


class Listener:
    """Our own code as a subscriber."""

    ours = True

    def __init__(self, hear: Callable[[Message], None]) -> None:
        self._hear = hear

    def deliver(self, message: Message, granted: int, packet: bytes) -> None:  # noqa: ARG002
        """Hear one publication, as it is."""
        self._hear(message)


@implementer(IMqttBroker)
class MqttBroker:
    """
    Sessions by client id, and one tree of all subscriptions.

    @ivar tree: every subscription, with the QoS granted.
    @ivar counts: what happened to publications, by name.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        rules: MqttRules,
        limits: SessionLimits,
        takeovers_per_minute: int = 10,
    ) -> None:
        self._clock, self._rules, self._limits = clock, rules, limits
        self._takeovers_per_minute = takeovers_per_minute
        self._sessions: dict[str, MqttSession] = {}
        self._pending: deque[Message] = deque()
        self._publishing = False
        self.tree: SubscriptionTree[Subscriber, int] = SubscriptionTree()
        self.counts: Counter[str] = Counter()

    def publish(self, message: Message) -> None:
        """
        Deliver to every match, in the order of calls.

        What a listener publishes while it hears something goes out right behind that, so
        that nobody sees an answer before its question (mqtt.md 4.3).
        """
        self._pending.append(message)
        if self._publishing:
            return
        self._publishing = True
        try:
            while self._pending:
                self._fan_out(self._pending.popleft())
        finally:
            self._publishing = False

    def _fan_out(self, message: Message) -> None:
        found = self.tree.match(message.topic)
        if message.origin is not None and message.topic.startswith(SHORT):
            found = [entry for entry in found if entry[0].ours]
        if not found:
            return
        packet = publish_bytes(message.topic, message.payload)
        if len(found) > 1:
            found = strongest(found)
        for subscriber, granted in found:
            try:
                subscriber.deliver(message, granted, packet)
            except Exception:  # noqa: BLE001 - a bulkhead of the architecture
                self._log.failure("a subscriber failed on {topic}", topic=message.topic)

    def subscribe(self, topic_filter: str, deliver: Callable[[Message], None]) -> Undo:
        listener = Listener(deliver)
        self.tree.add(topic_filter, listener, 0)

        def unsubscribe() -> None:
            self.tree.remove(topic_filter, listener)

        return unsubscribe

    def wanted(self, topic: str) -> bool:
        return any(not subscriber.ours for subscriber, _ in self.tree.match(topic))

    def open(self, who: Principal, client_id: str, outlet: IMqttOutlet) -> IMqttSession:
        session = MqttSession(self, who, client_id, outlet, self._rules, self._limits)
        older = self._sessions.get(session.place)
        if older is not None:
            session.takeovers = self._take_over(older, who)
        self._sessions[session.place] = session
        return session

    def _take_over(self, older: MqttSession, who: Principal) -> list[float]:
        """
        The newcomer wins, if it is the same party (MQTT-3.1.4-2, mqtt.md 3.6).

        @return: when the client id changed hands in the last minute.
        """
        if (older.who.role, older.who.name) != (who.role, who.name):
            raise LoginRefused(f"client id {older.client_id} is in use by {older.who}")
        now = self._clock.seconds()
        recent = [then for then in older.takeovers if now - then < 60]
        if len(recent) >= self._takeovers_per_minute:
            # In open mode two parties with one id would throw each other out for ever.
            raise LoginRefused(f"client id {older.client_id} changes hands too often")
        self.counts["taken over"] += 1
        older.outlet.close("another connection took its place")
        older.close()
        return [*recent, now]

    def closed(self, session: MqttSession) -> None:
        """A session has ended."""
        if self._sessions.get(session.place) is session:
            del self._sessions[session.place]

    @property
    def sessions(self) -> int:
        """How many clients are connected."""
        return len(self._sessions)


def strongest(found: list[tuple[Subscriber, int]]) -> list[tuple[Subscriber, int]]:
    """Each subscriber once, with the best QoS of its overlapping subscriptions."""
    best: dict[Subscriber, int] = {}
    for subscriber, granted in found:
        if granted >= best.get(subscriber, 0):
            best[subscriber] = granted
    return list(best.items())
