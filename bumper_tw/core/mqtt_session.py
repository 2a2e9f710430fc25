"""One client of the broker: its subscriptions, and what is on its way to it."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.interfaces import IMqttOutlet, IMqttSession
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import publish_bytes
from bumper_tw.wire.mqtt_packets import SUBSCRIPTION_REFUSED
from bumper_tw.wire.mqtt_topics import check_filter, matches

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker

#: The highest QoS granted.
BEST_QOS = 1


@frozen
class SessionLimits:
    """
    What one client can cost us (mqtt.md 3.6).

    @ivar subscriptions: filters at one time.
    @ivar inflight: QoS 1 publications sent and not acknowledged.
    @ivar queued: QoS 1 publications waiting behind those.
    @ivar backlog: bytes in front of a slow reader before publications are dropped, and the same
        of QoS 1 publications that are not acknowledged.
    """

    subscriptions: int = 64
    inflight: int = 32
    queued: int = 1000
    backlog: int = 1_048_576


@implementer(IMqttSession)
class MqttSession:
    """
    A connected client, as the broker sees it.

    @ivar place: what can be in use only once.
    @ivar takeovers: when its client id changed hands lately, in seconds of the clock.
    """

    _log = Logger()
    ours = False

    def __init__(
        self,
        broker: "MqttBroker",
        who: Principal,
        client_id: str,
        outlet: IMqttOutlet,
        rules: MqttRules,
        limits: SessionLimits,
    ) -> None:
        self._broker, self._rules, self._limits = broker, rules, limits
        self.who, self.client_id, self.outlet = who, client_id, outlet
        self.takeovers: list[float] = []
        # A robot is in one place at a time, whatever resource it comes with: with two, the one
        # that leaves would take the other offline.
        self.place = f"robot {who.name}" if who.role is Role.ROBOT else f"client {client_id}"
        self._filters: set[str] = set()
        self._inflight: dict[int, Message] = {}
        self._queue: deque[Message] = deque()
        self._owed = 0
        self._last_id = 0
        self._denied: set[str] = set()
        self._says = rules.says(who)
        self._open = True

    @property
    def counts(self) -> Counter[str]:
        """The broker's counts."""
        return self._broker.counts

    def subscribe(self, requests: Sequence[tuple[str, int]]) -> Sequence[int]:
        # More than one may have need not be looked at: there is room for many in a packet.
        most = self._limits.subscriptions
        codes = [self._grant(topic_filter, qos) for topic_filter, qos in requests[:most]]
        return codes + [self._refuse(topic_filter) for topic_filter, _ in requests[most:]]

    def _grant(self, topic_filter: str, qos: int) -> int:
        try:
            check_filter(topic_filter)
        except ValueError:
            return self._refuse(topic_filter)
        full = len(self._filters) >= self._limits.subscriptions
        if (full and topic_filter not in self._filters) or not self._rules.may_subscribe(
            self.who, topic_filter
        ):
            return self._refuse(topic_filter)
        granted = min(qos, BEST_QOS)
        self._filters.add(topic_filter)
        self._broker.tree.add(topic_filter, self, granted)
        return granted

    def _refuse(self, topic_filter: str) -> int:
        self.counts["subscriptions denied"] += 1
        self._say_once("subscribe to", topic_filter)
        return SUBSCRIPTION_REFUSED

    def _say_once(self, deed: str, topic: str) -> None:
        """One line for each family of topics, so that nobody can flood the log."""
        family = f"{deed} {'/'.join(topic.split('/')[:2])[:64]}"
        if family not in self._denied and len(self._denied) < 16:
            self._denied.add(family)
            self._log.warn("{who} may not {family!r}", who=self.who, family=family)

    def unsubscribe(self, filters: Sequence[str]) -> None:
        for topic_filter in self._filters.intersection(filters):
            self._filters.discard(topic_filter)
            self._broker.tree.remove(topic_filter, self)

    def publish(self, message: Message) -> None:
        topic = message.topic
        if any(matches(allowed, topic) for allowed in self._says):
            self.counts["published"] += 1
            self._broker.publish(message)
        else:
            # MQTT 3.1.1 has no negative PUBACK, and closing would send a robot into a
            # reconnect loop (mqtt.md 5.3).
            self.counts["publications denied"] += 1
            self._say_once("publish to", topic)

    def deliver(self, message: Message, granted: int, packet: bytes) -> None:
        """
        Send one publication.

        @param granted: the QoS of the subscription.
        @param packet: the publication as a QoS 0 packet, encoded once for everybody.
        """
        if message.qos and granted:
            self._send_surely(message)
        elif self._fits(self.outlet.backlog(), packet):
            self.outlet.write(packet)
        else:
            self.counts["dropped for slow readers"] += 1

    def _fits(self, waiting: int, more: bytes) -> bool:
        """Whether something may wait behind so many bytes; behind none it need not wait."""
        return not waiting or waiting + len(more) <= self._limits.backlog

    def _send_surely(self, message: Message) -> None:
        """QoS 1: within the window, or behind it."""
        room = self._fits(self._owed, message.payload)
        if room and len(self._inflight) < self._limits.inflight:
            self._owed += len(message.payload)
            self._write(message)
        elif room and len(self._queue) < self._limits.queued:
            self._owed += len(message.payload)
            self._queue.append(message)
        else:
            self.counts["dropped for slow readers"] += 1

    def _write(self, message: Message) -> None:
        packet_id = self._next_id()
        self._inflight[packet_id] = message
        self.outlet.write(publish_bytes(message.topic, message.payload, 1, packet_id=packet_id))

    def _next_id(self) -> int:
        """An id that is not in flight; there is one, as the window is smaller than 65,535."""
        while True:
            self._last_id = self._last_id % 65_535 + 1
            if self._last_id not in self._inflight:
                return self._last_id

    def acknowledged(self, packet_id: int) -> None:
        message = self._inflight.pop(packet_id, None)
        if message is None:
            return
        self._owed -= len(message.payload)
        if self._queue:
            self._write(self._queue.popleft())

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._queue.clear()
        self._inflight.clear()
        for topic_filter in self._filters:
            self._broker.tree.remove(topic_filter, self)
        self._filters.clear()
        self._broker.closed(self)
