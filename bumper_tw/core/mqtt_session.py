"""One client of the broker: its connections, its subscriptions, and what it is owed."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.broker_interfaces import Granted, IMqttOutlet, IMqttSession
from bumper_tw.core.mqtt_publication import Publication
from bumper_tw.core.mqtt_reminders import Reminders
from bumper_tw.core.mqtt_speech import CONVERSATION, Speech
from bumper_tw.core.mqtt_window import HIGHEST, Owed, Window, weight_of
from bumper_tw.kept import KeptSession, Left, Queued, Released, Settled, Subscribed, Unsubscribed
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_codec import encode, publish_bytes
from bumper_tw.wire.mqtt_packets import SUBSCRIPTION_REFUSED, PubRel
from bumper_tw.wire.mqtt_topics import check_filter, depth

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker


@frozen
class SessionLimits:
    """
    What one client can cost us (mqtt.md 3.6).

    @ivar subscriptions: filters at one time; Home Assistant has one for each topic.
    @ivar levels: in the deepest filter.
    @ivar inflight: QoS 1 and 2 publications sent and not acknowledged.
    @ivar queued: the same waiting behind those.
    @ivar backlog: bytes in front of a slow reader before publications are dropped, and the same
        of QoS 1 and 2 publications that are not acknowledged.
    @ivar unreleased: QoS 2 publications of the client that wait for their PUBREL.
    """

    subscriptions: int = 5000
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
    @ivar ready: fires when CONNACK may be written; C{None} for at once.
    """

    ours = False

    __slots__ = (
        "_allowed", "_filters", "_reminders", "_resumed", "_will", "_window", "client_id",
        "left_at", "present", "ready", "takeovers",
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
        # The revision of the rules by which all that waits may be heard.
        self._allowed = 0
        self._window = Window(broker.limits.inflight)
        self._reminders = Reminders(self, broker)
        self.ready: Deferred[None] | None = None
        self._will: Message | None = None

    def restore(self, kept: KeptSession) -> None:
        """Take up what an earlier run left."""
        self.received_ids = set(kept.received) or None
        self._window.restore(kept.queue, kept.sent if kept.left_at is not None else None)
        self._broker.clients.charge(self.who, self._window.weight)
        for topic_filter, qos in kept.subscriptions:
            self._add(topic_filter, qos)

    # The connection

    def connect(self, outlet: IMqttOutlet, will: Message | None) -> None:
        """The client is here; nothing is written before L{resume}."""
        self.outlet, self._resumed = outlet, False
        self._will = None
        if will is not None and self._may_publish(will.topic, "leave a will on"):
            self._will = will

    def resume(self) -> None:
        self._resumed = True
        self._withdraw(again=True)
        released = [owed for owed in self._window.under_way() if owed.released]
        for owed in self._window.under_way():
            if not owed.released:
                self._transmit(owed, again=True)
        if released:
            self._release_again(released)
        self._pump()
        self._reminders.go_on()

    def _release_again(self, released: Sequence[Owed]) -> None:
        outlet = self.outlet

        def release(_: object) -> None:
            for owed in released:
                if outlet is not None and outlet is self.outlet:
                    outlet.write(encode(PubRel(owed.packet_id)))

        # That these were released may still be on its way to the disk, see received.
        written = self._broker.journal.write() if self.kept else succeed(None)
        written.addCallbacks(release, lambda failure: self.give_up(failure, outlet))

    def give_up(self, failure: Failure, outlet: "IMqttOutlet | None") -> None:
        """What this connection was promised cannot be kept: it has to begin anew."""
        self._broker.unkept(failure)
        if outlet is not None and outlet is self.outlet:
            outlet.close("the disk refuses")

    def close(self, outlet: IMqttOutlet, farewell: bool) -> None:
        if outlet is not self.outlet:
            return
        self.outlet, self._resumed = None, False
        self._reminders.pause()
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

    def forget_will(self) -> None:
        """Whatever happens, the will is not published."""
        self._will = None

    def turn_away(self, outlet: IMqttOutlet) -> None:
        self.forget_will()
        if not self.present:
            self._broker.clients.release(self)
        self.close(outlet, farewell=True)

    def keep_no_more(self) -> None:
        """The session ends with the connection."""
        self._broker.clients.charge(self.who, -self._window.weight)
        self.kept = False

    def end(self) -> None:
        """Nothing is heard and owed any more."""
        for topic_filter in list(self._filters):
            self._remove(topic_filter)
        self._reminders.clear()
        if self.kept:
            self.keep_no_more()
        self._window = Window(self._broker.limits.inflight)

    # Subscribing

    def subscribe(self, requests: Sequence[tuple[str, int]]) -> Granted:
        codes = [self._grant(topic_filter, qos) for topic_filter, qos in requests]
        changes = [
            Subscribed(self.key, topic_filter, code)
            for (topic_filter, _), code in zip(requests, codes, strict=True)
            if self.kept and code < SUBSCRIPTION_REFUSED
        ]
        written = self._broker.journal.write(*changes) if changes else None
        return Granted(requests, codes, written)

    def _grant(self, topic_filter: str, qos: int) -> int:
        try:
            check_filter(topic_filter)
        except ValueError:
            return self._deny(topic_filter)
        if not self._broker.verdicts.may_subscribe(self.who, topic_filter):
            return self._deny(topic_filter)
        limit = self._limit(topic_filter)
        if limit is not None:
            what = f"for subscription {topic_filter[:64]!r}"
            self._broker.verdicts.no_room("subscriptions denied", self.who, what, limit)
            return SUBSCRIPTION_REFUSED
        self._add(topic_filter, qos)
        return qos

    def _limit(self, topic_filter: str) -> str | None:
        """The setting that leaves no room for a filter, if one does; empty for the disk."""
        broker, levels = self._broker, depth(topic_filter)
        if levels > broker.limits.levels:
            return "mqtt.max_levels"
        if self.kept and broker.journal.crowded:
            return ""
        if topic_filter in self._filters:
            return None
        if len(self._filters) >= broker.limits.subscriptions:
            return "mqtt.subscriptions"
        return None if broker.clients.may_subscribe(levels) else "mqtt.all_levels"

    def _add(self, topic_filter: str, qos: int) -> None:
        if topic_filter not in self._filters:
            self._broker.clients.levels += depth(topic_filter)
        self._filters[topic_filter] = qos
        self._broker.tree.add(topic_filter, self, qos)
        self._broker.changed()

    def _remove(self, topic_filter: str) -> None:
        del self._filters[topic_filter]
        self._reminders.drop(topic_filter)
        self._broker.clients.levels -= depth(topic_filter)
        self._broker.tree.remove(topic_filter, self)
        self._broker.changed()

    def _deny(self, topic_filter: str) -> int:
        self._broker.verdicts.refuse(
            "subscriptions denied", self.who, "subscribe to", topic_filter
        )
        return SUBSCRIPTION_REFUSED

    def unsubscribe(self, filters: Sequence[str]) -> Deferred[None] | None:
        gone = [each for each in dict.fromkeys(filters) if each in self._filters]
        for topic_filter in gone:
            self._remove(topic_filter)
        if not gone or not self.kept:
            return None
        return self._broker.journal.write(*(Unsubscribed(self.key, each) for each in gone))

    def remind(self, granted: Granted) -> None:
        for (topic_filter, _), code in zip(granted.requests, granted.codes, strict=True):
            # A client may have taken it back already.
            if code < SUBSCRIPTION_REFUSED and topic_filter in self._filters:
                self._reminders.add(topic_filter, code)
        self._reminders.go_on()

    def drained(self) -> None:
        self._reminders.go_on()

    @property
    def filters(self) -> Collection[str]:
        return self._filters.keys()

    def takes_more(self, message: Message) -> bool:
        """Whether something retained could go out now, and need not wait."""
        if self.outlet is None or not self._resumed or self.outlet.backlog():
            return False
        return self._window.room and (not len(self._window) or self._fits(message))

    # Being delivered to

    def deliver(self, publication: Publication, granted: int) -> None:
        """
        Send one publication.

        @param granted: the QoS of the subscription.
        """
        message = publication.message
        if self._questions is not None and message.topic.startswith(CONVERSATION):
            self._questions.asked(message.topic)
        if message.qos and granted:
            self._owe(
                message if message.qos <= granted else evolve(message, qos=granted), publication
            )
        else:
            self.pass_on(publication.frame, 1)

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

    def _owe(self, message: Message, publication: Publication) -> None:
        """QoS 1 and 2: within the window, or behind it."""
        if not self._fits(message):
            self.counts["dropped for slow readers"] += 1
            return
        owed = self._window.owe(publication.number, message)
        if self.kept:
            self._broker.clients.charge(self.who, weight_of(message))
            publication.changes.append(Queued(self.key, owed.number, owed.packet_id, message))
        elif message.qos == 1:
            self.send(owed)
            return
        # What is not kept after all is published again: twice, at QoS 1, does not matter.
        publication.owing.append((self, owed))

    def _fits(self, message: Message) -> bool:
        window, limits = self._window, self._broker.limits
        if len(window) >= min(limits.inflight + limits.queued, HIGHEST):
            return False
        weight = weight_of(message)
        if not len(window) and self.outlet is not None:
            # Behind nothing it need not wait, however large it is, and whatever others left.
            return True
        if self.kept and not self._may_be_kept(weight):
            return False
        return not len(window) or window.weight + weight <= limits.backlog

    def _may_be_kept(self, weight: int) -> bool:
        return self._broker.clients.has_room(self.who, weight) and not self._broker.journal.crowded

    def send(self, owed: Owed) -> None:
        """What is owed may go out."""
        self._window.line_up(owed)
        self._pump()

    def drop(self, owed: Owed) -> None:
        """What is owed could not be kept; whoever published it was not told that it was."""
        if self._window.drop(owed):
            self._settled(owed)

    def _settled(self, owed: Owed) -> None:
        """It is not owed any more, which a restart has to find as well."""
        if self.kept:
            self._broker.clients.charge(self.who, -weight_of(owed.message))
            self._broker.journal.note(Settled(self.key, owed.packet_id))

    def _withdraw(self, again: bool = False) -> None:
        """Let go of what may not be heard any more; C{again}: if it was sent before, too."""
        who, verdicts = self.who, self._broker.verdicts
        self._allowed = verdicts.revision
        for owed in self._window.withdraw(lambda m: not verdicts.may_hear(who, m.topic), again):
            self._settled(owed)

    def _pump(self) -> None:
        if self._resumed and self._allowed != self._broker.verdicts.revision:
            self._withdraw()
        while self._resumed and (owed := self._window.next()) is not None:
            self._transmit(owed)

    def _transmit(self, owed: Owed, again: bool = False) -> None:
        message = owed.message
        if self.outlet is not None:
            self.counts["delivered"] += 1
            packet = publish_bytes(
                message.topic, message.payload, message.qos, message.retain, again, owed.packet_id
            )
            self.outlet.write(packet)

    def acknowledged(self, packet_id: int) -> None:
        self._settle(packet_id, 1)

    def completed(self, packet_id: int) -> None:
        self._settle(packet_id, 2)

    def _settle(self, packet_id: int, qos: int) -> None:
        settled = self._window.settle(packet_id, qos)
        if settled is None:
            return
        self._settled(settled)
        self._pump()
        self._reminders.go_on()

    def received(self, packet_id: int) -> Deferred[None] | None:
        news = self._window.release(packet_id)
        if not self.kept:
            return None
        # Sent again after a restart it would be new to the client, which forgets the identifier
        # with the PUBREL: so that has to wait for the disk.
        journal = self._broker.journal
        return journal.write(Released(self.key, packet_id)) if news else journal.write()
