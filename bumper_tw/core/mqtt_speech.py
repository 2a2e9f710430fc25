"""What one client says: whether it may, that it is said once, and where it goes."""

from collections import Counter
from typing import TYPE_CHECKING

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from bumper_tw.broker_interfaces import IMqttLane, IMqttOutlet
from bumper_tw.core.mqtt_questions import Questions
from bumper_tw.errors import ProtocolViolation
from bumper_tw.kept import Change, Forgotten, Received
from bumper_tw.values import Message, Principal, Role
from bumper_tw.wire.mqtt_topics import check_topic

if TYPE_CHECKING:
    from bumper_tw.core.mqtt_router import MqttBroker

#: The topics of questions to robots and their answers.
CONVERSATION = "iot/p2p/"

#: How many publications of one user may be refused in how many seconds (mqtt.md 5.3).
REFUSALS, A_MINUTE = 100, 60.0


class Speech:
    """
    The half of a session that listens to its client.

    @ivar key: what names the session.
    @ivar outlet: where its client is connected; C{None} while it is away.
    @ivar kept: whether the session lives on when the connection ends.
    @ivar received_ids: of QoS 2 publications that wait for their PUBREL; C{None} before there
        is any, as most clients never send one.
    """

    __slots__ = (
        "_broker", "_lanes", "_lanes_of", "_questions", "_refused", "kept", "key", "outlet",
        "received_ids", "who",
    )  # fmt: skip

    def __init__(self, broker: "MqttBroker", who: Principal, key: str, kept: bool) -> None:
        self._broker, self.who, self.key, self.kept = broker, who, key, kept
        self.outlet: IMqttOutlet | None = None
        self.received_ids: set[int] | None = None
        self._lanes: dict[bytes, IMqttLane | None] = {}
        self._lanes_of = 0
        self._questions = Questions(broker.clock) if who.role is Role.ROBOT else None
        self._refused: tuple[float, int] = (0.0, 0)

    @property
    def counts(self) -> Counter[str]:
        """The broker's counts."""
        return self._broker.counts

    def publish(self, message: Message, packet_id: int | None = None) -> Deferred[None] | None:
        changes: list[Change] = []
        if packet_id is not None:
            if packet_id in (self.received_ids or ()):
                # What is acknowledged is the first one, which may not be on disk yet.
                return self._broker.journal.write() if self.kept else None
            self._receive(packet_id, changes)
        if self._may_publish(message.topic, "publish to"):
            self.counts["published"] += 1
            kept = self._broker.accept(self._cleared(message), changes)
        else:
            self._refuse()
            kept = self._broker.journal.write(*changes) if changes else None
        if packet_id is not None and kept is not None:
            kept.addErrback(self._not_received, packet_id)
        if not message.qos and kept is not None:
            # Nobody is promised anything; the client only has to wait for its turn.
            kept.addErrback(self._broker.unkept)
        return kept

    def _not_received(self, failure: Failure, packet_id: int) -> Failure:
        """Sent again under the same identifier, it is to be published."""
        if self.received_ids is not None:
            self.received_ids.discard(packet_id)
        if self.kept:
            self._broker.journal.note(Forgotten(self.key, packet_id))
        return failure

    def _receive(self, packet_id: int, changes: list[Change]) -> None:
        received, most = self.received_ids or set(), self._broker.limits.unreleased
        if len(received) >= most:
            raise ProtocolViolation(f"{most} publications wait for their PUBREL")
        received.add(packet_id)
        self.received_ids = received
        if self.kept:
            changes.append(Received(self.key, packet_id))

    def _cleared(self, message: Message) -> Message:
        """Without the flag, where nothing may be retained (mqtt.md 3.6)."""
        if message.retain and not self._broker.verdicts.may_retain(self.who, message.topic):
            return evolve(message, retain=False)
        return message

    def _may_publish(self, topic: str, deed: str) -> bool:
        if self._broker.verdicts.may_publish(self.who, topic) and self._was_asked(topic):
            return True
        # MQTT 3.1.1 has no negative PUBACK, and closing would send a robot into a reconnect
        # loop (mqtt.md 5.3).
        self._broker.verdicts.refuse("publications denied", self.who, deed, topic)
        return False

    def _was_asked(self, topic: str) -> bool:
        """An answer needs a question (mqtt.md 5.3)."""
        if self._questions is None or not topic.startswith(CONVERSATION):
            return True
        return self._questions.may_answer(topic)

    def _refuse(self) -> None:
        if self.who.role is not Role.USER or self.outlet is None:
            return
        now = self._broker.clock.seconds()
        since, refusals = self._refused
        self._refused = (now, 1) if now - since >= A_MINUTE else (since, refusals + 1)
        if self._refused[1] >= REFUSALS:
            self.outlet.close(f"{REFUSALS} publications refused within a minute")

    def lane(self, topic: bytes) -> "IMqttLane | None":
        """
        Where QoS 0 publications of the client go that may be passed on as they are.

        Right until anything changes that the broker knows of, see L{current_lanes}.

        @return: C{None} if there is more to do about such a topic.
        """
        try:
            text = topic.decode()
            check_topic(text)
        except ValueError:
            return None
        if text.count("/") >= self._broker.limits.levels:
            return None
        # Robots' answers need questions, and somebody who may not has to be told about.
        if self._questions is None and self._broker.verdicts.may_publish(self.who, text):
            return self._broker.lane(text)
        return None

    def current_lanes(self) -> "dict[bytes, IMqttLane | None]":
        """What L{lane} said, by topic, as far as it still holds; for the caller to add to."""
        generation = self._broker.generation
        if self._lanes_of != generation:
            self._lanes_of = generation
            self._lanes = {}
        return self._lanes

    def released(self, packet_id: int) -> Deferred[None] | None:
        journal = self._broker.journal
        if self.received_ids and packet_id in self.received_ids:
            self.received_ids.discard(packet_id)
            return journal.write(Forgotten(self.key, packet_id)) if self.kept else None
        # A repetition; that it was released may still be on its way to the disk.
        return journal.write() if self.kept else None
