"""One client of the broker: its connections, its subscriptions, and what it is owed."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.broker_interfaces import Granted, IMqttOutlet, IMqttSession
from bumper_tw.core.mqtt_speech import CONVERSATION, Speech
from bumper_tw.core.mqtt_window import HIGHEST, Owed, Window
from bumper_tw.kept import (
    Change,
    KeptSession,
    Left,
    Queued,
    Released,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import encode, publish_bytes
from bumper_tw.wire.mqtt_packets import SUBSCRIPTION_REFUSED, PubRel
from bumper_tw.wire.mqtt_topics import check_filter

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker


@frozen
class SessionLimits:
    """
    What one client can cost us (mqtt.md 3.6).

    @ivar subscriptions: filters at one time.
    @ivar levels: in the deepest filter.
    @ivar inflight: QoS 1 and 2 publications sent and not acknowledged.
    @ivar queued: the same waiting behind those.
    @ivar backlog: bytes in front of a slow reader before publications are dropped, and the same
        of QoS 1 and 2 publications that are not acknowledged.
    @ivar unreleased: QoS 2 publications of the client that wait for their PUBREL.
    """

    subscriptions: int = 64
    levels: int = 32
    inflight: int = 32
    queued: int = 1000
    backlog: int = 1_048_576
    unreleased: int = 1000


def robot_key(did: str) -> str:
    """What names the session of a robot."""
    return f"{Role.ROBOT.value}\n{did}"


def key_of(who: Principal, client_id: str) -> str:
    """
    What names a session: no two parties share one.

    A robot is in one place at a time, whatever resource it comes with: with two, the one that
    leaves would take the other offline.
    """
    if who.role is Role.ROBOT:
        return robot_key(who.name)
    return f"{who.role.value}\n{who.name}\n{client_id}"


@implementer(IMqttSession)
class MqttSession(Speech):
    """
    A client, connected or expected back; here is what it hears.

    @ivar left_at: since when the client is away, in seconds since the epoch.
    @ivar takeovers: when the connection changed hands lately, in seconds of the clock.
    """

    ours = False

    __slots__ = (
        "_filters", "_reminders", "_resumed", "_will", "_window", "client_id", "left_at",
        "present", "takeovers",
    )  # fmt: skip

    def __init__(
        self, broker: "MqttBroker", who: Principal, client_id: str, kept: bool = False
    ) -> None:
        super().__init__(broker, who, key_of(who, client_id), kept)
        self.client_id = client_id
        self.present = self._resumed = False
        self.left_at = 0.0
        self.takeovers: Sequence[float] = ()
        self._filters: dict[str, int] = {}
        self._window = Window(broker.limits.inflight)
        self._reminders: deque[tuple[str, int]] | None = None
        self._will: Message | None = None

    def restore(self, kept: KeptSession) -> None:
        """Take up what an earlier run left."""
        self.received_ids = set(kept.received) or None
        self._window.restore(kept.queue, kept.sent if kept.left_at is not None else None)
        self._broker.clients.payloads += self._window.payloads
        for topic_filter, qos in kept.subscriptions:
            self._filters[topic_filter] = qos
            self._broker.tree.add(topic_filter, self, qos)

    # The connection

    def connect(self, outlet: IMqttOutlet, will: Message | None) -> None:
        """The client is here; nothing is written before L{resume}."""
        self.outlet, self._resumed = outlet, False
        self._will = None
        if will is not None and self._may_publish(will.topic, "leave a will on"):
            self._will = will

    def resume(self) -> None:
        self._resumed = True
        for owed in self._window.under_way():
            self._transmit(owed, again=True)
        self._pump()
        self._remind()

    def close(self, outlet: IMqttOutlet, farewell: bool) -> None:
        if outlet is not self.outlet:
            return
        self.outlet, self._resumed = None, False
        self._broker.clients.leave(self)
        if self.kept:
            now = self.left_at = self._broker.clock.seconds()
            self._broker.journal.note(Left(self.key, now, self._window.sent))
        else:
            self.end()
        if farewell:
            self._will = None
        self.last_words()

    def last_words(self) -> None:
        will, self._will = self._will, None
        if will is not None and self._may_publish(will.topic, "leave a will on"):
            self._broker.publish(self._cleared(will))

    def end(self) -> None:
        """Nothing is heard and owed any more."""
        for topic_filter in self._filters:
            self._broker.tree.remove(topic_filter, self)
        self._broker.changed()
        self._filters.clear()
        self._reminders = None
        if self.kept:
            self._broker.clients.payloads -= self._window.payloads
        self._window = Window(self._broker.limits.inflight)

    # Subscribing

    def subscribe(self, requests: Sequence[tuple[str, int]]) -> Granted:
        # More than one may have need not be looked at: there is room for many in a packet.
        most = self._broker.limits.subscriptions
        codes = [self._grant(topic_filter, qos) for topic_filter, qos in requests[:most]]
        codes += [self._deny(topic_filter) for topic_filter, _ in requests[most:]]
        self._broker.changed()
        changes = [
            Subscribed(self.key, topic_filter, code)
            for (topic_filter, _), code in zip(requests, codes, strict=True)
            if self.kept and code < SUBSCRIPTION_REFUSED
        ]
        written = self._broker.journal.write(*changes) if changes else None
        return Granted(requests, codes, written)

    def _grant(self, topic_filter: str, qos: int) -> int:
        limits = self._broker.limits
        try:
            check_filter(topic_filter)
        except ValueError:
            return self._deny(topic_filter)
        full = len(self._filters) >= limits.subscriptions and topic_filter not in self._filters
        deep = topic_filter.count("/") >= limits.levels
        if full or deep or not self._broker.verdicts.may_subscribe(self.who, topic_filter):
            return self._deny(topic_filter)
        self._filters[topic_filter] = qos
        self._broker.tree.add(topic_filter, self, qos)
        return qos

    def _deny(self, topic_filter: str) -> int:
        self._broker.verdicts.refuse(
            "subscriptions denied", self.who, "subscribe to", topic_filter
        )
        return SUBSCRIPTION_REFUSED

    def unsubscribe(self, filters: Sequence[str]) -> Deferred[None] | None:
        gone = [each for each in dict.fromkeys(filters) if each in self._filters]
        for topic_filter in gone:
            del self._filters[topic_filter]
            self._broker.tree.remove(topic_filter, self)
        self._broker.changed()
        if not gone or not self.kept:
            return None
        return self._broker.journal.write(*(Unsubscribed(self.key, each) for each in gone))

    def remind(self, granted: Granted) -> None:
        for (topic_filter, _), code in zip(granted.requests, granted.codes, strict=True):
            # A client may have taken it back already.
            if code < SUBSCRIPTION_REFUSED and topic_filter in self._filters:
                for topic in self._broker.retained.match(topic_filter):
                    self._reminders = self._reminders or deque()
                    self._reminders.append((topic, code))
        self._remind()

    def _remind(self) -> None:
        """Send what is retained, as fast as the client takes it: there may be a lot of it."""
        while self._reminders and self._resumed and self.outlet is not None:
            topic, granted = self._reminders[0]
            # The last word of now: what was retained meanwhile must not be followed by what
            # was retained before.
            message = self._broker.retained.get(topic)
            if self.outlet.backlog() or not (self._window.room and self._may_wait(message)):
                return
            self._reminders.popleft()
            if message is not None and self._broker.verdicts.may_hear(self.who, topic):
                self._broker.remind(self, message, granted)

    def _may_wait(self, message: Message | None) -> bool:
        """Whether something retained need not wait for what is owed before it."""
        return message is None or not len(self._window) or self._fits(message)

    def drained(self) -> None:
        self._remind()

    # Being delivered to

    def deliver(self, message: Message, granted: int, frame: bytes, changes: list[Change]) -> None:
        """
        Send one publication.

        @param granted: the QoS of the subscription.
        @param frame: the publication as a QoS 0 packet, encoded once for everybody.
        @param changes: what has to be on disk before the publication is acknowledged.
        """
        if self._questions is not None and message.topic.startswith(CONVERSATION):
            self._questions.asked(message.topic)
        if message.qos and granted:
            self._owe(message if message.qos <= granted else evolve(message, qos=granted), changes)
        else:
            self.pass_on(frame, 1)

    def pass_on(self, frames: bytes, count: int) -> None:
        """Send QoS 0 packets as they are, or drop all of them."""
        outlet = self.outlet
        if outlet is None or not self._resumed:
            return
        waiting = outlet.backlog()
        if not waiting or waiting + len(frames) <= self._broker.limits.backlog:
            outlet.write(frames)
            self.counts["delivered"] += count
        else:
            self.counts["dropped for slow readers"] += count

    def _owe(self, message: Message, changes: list[Change]) -> None:
        """QoS 1 and 2: within the window, or behind it."""
        if not self._fits(message):
            self.counts["dropped for slow readers"] += 1
            return
        owed = self._window.owe(self._broker.number, message)
        if not self.kept:
            self.send(owed)
        else:
            self._broker.clients.payloads += len(message.payload)
            changes.append(Queued(self.key, owed.number, owed.packet_id, message))
            self._broker.owing.append((self, owed))

    def _fits(self, message: Message) -> bool:
        window, limits = self._window, self._broker.limits
        if len(window) >= min(limits.inflight + limits.queued, HIGHEST):
            return False
        if self.kept and not self._broker.clients.has_room(len(message.payload)):
            return False
        # Behind nothing it need not wait, however large it is.
        return not len(window) or window.payloads + len(message.payload) <= limits.backlog

    def send(self, owed: Owed) -> None:
        """What is owed may go out."""
        self._window.line_up(owed)
        self._pump()

    def drop(self, owed: Owed) -> None:
        """What is owed could not be kept; whoever published it was not told that it was."""
        if self._window.drop(owed):
            self._broker.clients.payloads -= len(owed.message.payload)
            self._broker.journal.note(Settled(self.key, owed.packet_id))

    def _pump(self) -> None:
        while self._resumed and (owed := self._window.next()) is not None:
            self._transmit(owed)

    def _transmit(self, owed: Owed, again: bool = False) -> None:
        if self.outlet is None:
            return
        message = owed.message
        self.counts["delivered"] += not owed.released
        self.outlet.write(
            encode(PubRel(owed.packet_id))
            if owed.released
            else publish_bytes(
                message.topic, message.payload, message.qos, message.retain, again, owed.packet_id
            )
        )

    def acknowledged(self, packet_id: int) -> None:
        self._settle(packet_id, 1)

    def completed(self, packet_id: int) -> None:
        self._settle(packet_id, 2)

    def _settle(self, packet_id: int, qos: int) -> None:
        settled = self._window.settle(packet_id, qos)
        if settled is None:
            return
        if self.kept:
            self._broker.clients.payloads -= len(settled.message.payload)
            self._broker.journal.note(Settled(self.key, packet_id))
        self._pump()
        self._remind()

    def received(self, packet_id: int) -> None:
        news = self._window.release(packet_id)
        if news and self.kept:
            # Sent again after a restart it would be new to the client, which forgets the
            # identifier with the PUBREL: so that has to wait for the disk.
            written = self._broker.journal.write(Released(self.key, packet_id))
            written.addCallbacks(lambda _: self._write_release(packet_id), self._not_released)
        else:
            self._write_release(packet_id)

    def _not_released(self, failure: Failure) -> None:
        self._broker.unkept(failure)
        if self.outlet is not None:
            # It will say so again when it is back (MQTT-4.8.0-2).
            self.outlet.close("what it said cannot be kept")

    def _write_release(self, packet_id: int) -> None:
        if self.outlet is not None:
            self.outlet.write(encode(PubRel(packet_id)))
