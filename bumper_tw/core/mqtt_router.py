"""The embedded broker: what is published reaches whoever may hear it."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol as Shape

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttBroker, IMqttLane, IMqttOutlet, IMqttSession
from bumper_tw.core.mqtt_clients import ClientLimits, Clients
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_publication import Creditor, Publication
from bumper_tw.core.mqtt_retained import RetainedLimits, RetainedMessages
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.core.mqtt_session import MqttSession, SessionLimits
from bumper_tw.core.mqtt_verdicts import Verdicts
from bumper_tw.core.mqtt_window import Owed
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import Undo
from bumper_tw.kept import Change, Kept, Retained
from bumper_tw.values import Message, Principal
from bumper_tw.wire.mqtt_topics import SubscriptionTree

#: Short names (mqtt.md 4.2).  What others publish under them is heard by us alone: we repeat
#: it under its long name, and from there under its short one.
SHORT = ("p2p/", "rsp/", "attr/")

#: How many times somebody hears a topic we remember, each topic counted once more.
REMEMBERED = 50_000


@frozen
class BrokerLimits:
    """What the broker can cost us: one client, all of them, and what is retained."""

    session: SessionLimits = field(factory=SessionLimits)
    clients: ClientLimits = field(factory=ClientLimits)
    retained: RetainedLimits = field(factory=RetainedLimits)


class Subscriber(Shape):
    """
    What hangs in the subscription tree.

    @ivar ours: whether that is our own code.
    """

    ours: bool

    def deliver(self, publication: Publication, granted: int) -> None:
        """Hear one publication."""


class Listener:
    """Our own code as a subscriber."""

    ours = True

    def __init__(self, hear: Callable[[Message], None]) -> None:
        self._hear = hear

    def deliver(self, publication: Publication, granted: int) -> None:  # noqa: ARG002
        """Hear one publication, as it is."""
        self._hear(publication.message)


@implementer(IMqttLane)
class Lane:
    """From one client to those who hear one topic."""

    __slots__ = ("_clients", "_counts")

    def __init__(self, clients: Sequence[MqttSession], counts: Counter[str]) -> None:
        self._clients, self._counts = clients, counts

    def pass_on(self, packets: bytes, count: int) -> None:
        self._counts["published"] += count
        for client in self._clients:
            client.pass_on(packets, count)


@implementer(IMqttBroker)
class MqttBroker:
    """
    One tree of all subscriptions, the last words, and the clients.

    @ivar tree: every subscription, with the QoS granted.
    @ivar retained: the last word on each topic.
    @ivar verdicts: on who may do what.
    @ivar clients: who is connected, and who is expected back.
    @ivar counts: what happened to publications, by name.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        rules: MqttRules,
        journal: Journal,
        limits: BrokerLimits | None = None,
    ) -> None:
        limits = limits or BrokerLimits()
        self.clock, self.journal, self.limits = clock, journal, limits.session
        self.verdicts = Verdicts(clock, rules)
        self.counts: Counter[str] = self.verdicts.counts
        self.clients = Clients(clock, journal, limits.clients)
        self.retained = RetainedMessages(limits.retained)
        self.tree: SubscriptionTree[Subscriber, int] = SubscriptionTree()
        self._number = 0
        self._pending: deque[Message] = deque()
        self._publishing = False
        self._hearers: dict[str, list[tuple[Subscriber, int]]] = {}
        self._changes = self._revision = self._remembered = 0

    # Publishing

    def publish(self, message: Message) -> None:
        self._nobody_waits(self.accept(message, []))

    def _nobody_waits(self, kept: Deferred[None] | None) -> None:
        if kept is not None:
            kept.addErrback(self.unkept)

    def accept(self, message: Message, changes: list[Change]) -> Deferred[None] | None:
        """
        Deliver to every match, in the order of calls.

        What a listener publishes while it hears something goes out right behind that, so
        that nobody sees an answer before its question (mqtt.md 4.3).

        @param changes: what has to be on disk besides before this is acknowledged.
        @return: C{None}, or what fires when it is.
        """
        if self._publishing:
            # Only our own code speaks while it hears, and what vanishes: nobody waits for it.
            self._pending.append(message)
            return self.journal.write(*changes) if changes else None
        self._publishing = True
        try:
            kept = self._fan_out(message, changes)
            while self._pending:
                self._nobody_waits(self._fan_out(self._pending.popleft(), []))
        finally:
            self._publishing = False
        return kept

    def _fan_out(self, message: Message, changes: list[Change]) -> Deferred[None] | None:
        if message.retain:
            self._retain(message, changes)
            message = evolve(message, retain=False)
        publication = self._publication(message, changes)
        for subscriber, granted in self._hearing(message):
            self._deliver(subscriber, publication, granted)
        return self._kept(publication)

    def _publication(self, message: Message, changes: list[Change]) -> Publication:
        self._number += 1
        return Publication(message, self._number, changes)

    def _deliver(self, to: Subscriber, publication: Publication, granted: int) -> None:
        try:
            to.deliver(publication, granted)
        except Exception:  # noqa: BLE001 - a bulkhead of the architecture
            topic = publication.message.topic
            self._log.failure("a subscriber failed on {topic}", topic=topic)

    def remind(self, session: MqttSession, message: Message, granted: int) -> None:
        """Send one client what is retained."""
        publication, outlet = self._publication(message, []), session.outlet
        self._deliver(session, publication, granted)
        kept = self._kept(publication)
        if kept is not None:
            # It has a SUBACK for this, and hears of it again when it subscribes again.
            kept.addErrback(session.give_up, outlet)

    def _kept(self, publication: Publication) -> Deferred[None] | None:
        """Write changes; whoever is owed the publication gets it when that is done."""
        changes, owing = publication.changes, publication.owing
        if not changes and not (owing and self.journal.pending):
            _send(None, owing)
            return None
        # What has nothing to be kept waits for what is under way, or it would overtake that.
        written = self.journal.write(*changes)
        if owing:
            written.addCallbacks(_send, _drop, (owing,), errbackArgs=(owing,))
        return written

    def unkept(self, failure: Failure) -> None:
        """The disk refuses; the journal has told the owner."""
        failure.trap(StorageError)
        self.counts["not kept"] += 1

    # What is retained

    def _retain(self, message: Message, changes: list[Change]) -> None:
        now, before = self.clock.seconds(), self.retained.get(message.topic)
        who = message.origin
        if not self.retained.set(message, now) and who is not None:
            what = f"to retain {message.topic[:64]!r}"
            self.verdicts.no_room("not retained", who, what, "mqtt.retained, mqtt.retained_bytes")
            message = evolve(message, payload=b"")
        news = before is not None or message.payload
        # Our own are made anew at each start.
        if news and (who is not None or (before is not None and before.origin is not None)):
            changes.append(Retained(message, now))

    def restore(self, kept: Kept) -> None:
        """Take up what an earlier run left."""
        self._number = max(kept.number, 0, *(each.sent for each in kept.sessions))
        for message, at in kept.retained:
            if not self.retained.set(evolve(message, retain=True), at):
                # There is less room than there was.
                self.journal.note(Retained(evolve(message, payload=b""), at))
        for each in kept.sessions:
            session = MqttSession(self, each.who, each.client_id, kept=True)
            self.clients.restore(session, each)

    def sweep(self) -> None:
        """Drop what nobody came back for, what is too old, and what nobody may say any more."""
        self.clients.sweep()
        now = self.clock.seconds()
        for topic in self.retained.expired(now) + self.retained.those(self._disowned):
            cleared = Message(topic, b"", retain=True)
            self.retained.set(cleared, now)
            self.journal.note(Retained(cleared, now))

    def _disowned(self, message: Message) -> bool:
        """Whether its author could not retain it today."""
        who = message.origin
        return who is not None and not self.verdicts.may_retain(who, message.topic)

    # Who hears what

    def _hearing(self, message: Message) -> list[tuple[Subscriber, int]]:
        topic = message.topic
        if self._revision != self.verdicts.revision or self._remembered > REMEMBERED:
            self._revision = self.verdicts.revision
            self._forget_hearers()
        found = self._hearers.get(topic)
        if found is None:
            found = self._hearers[topic] = list(self._find(topic))
            self._remembered += 1 + len(found)
        if message.origin is not None and topic.startswith(SHORT):
            return [entry for entry in found if entry[0].ours]
        return found

    def _find(self, topic: str) -> Iterator[tuple[Subscriber, int]]:
        for subscriber, granted in strongest(self.tree.match(topic)):
            client = subscriber if isinstance(subscriber, MqttSession) else None
            if client is None or self.verdicts.may_hear(client.who, topic):
                yield subscriber, granted

    def changed(self) -> None:
        """Somebody subscribed, or took that back: who hears what has to be found anew."""
        self._changes += 1
        self._forget_hearers()

    def _forget_hearers(self) -> None:
        self._hearers.clear()
        self._remembered = 0

    @property
    def generation(self) -> int:
        """Rises whenever a L{lane} may be another."""
        return self._changes + self.verdicts.revision

    def lane(self, topic: str) -> Lane | None:
        """Where packets on a topic go; C{None} if we listen ourselves."""
        if topic.startswith(SHORT):
            return None
        found = self._hearing(Message(topic, b""))
        clients = [subscriber for subscriber, _ in found if isinstance(subscriber, MqttSession)]
        return Lane(clients, self.counts) if len(clients) == len(found) else None

    def subscribe(self, topic_filter: str, deliver: Callable[[Message], None]) -> Undo:
        listener = Listener(deliver)
        self.tree.add(topic_filter, listener, 0)
        self.changed()

        def unsubscribe() -> None:
            self.tree.remove(topic_filter, listener)
            self.changed()

        return unsubscribe

    def wanted(self, topic: str) -> bool:
        return any(not subscriber.ours for subscriber, _ in self.tree.match(topic))

    # Clients

    def open(
        self,
        who: Principal,
        client_id: str,
        outlet: IMqttOutlet,
        clean: bool = True,
        will: Message | None = None,
    ) -> IMqttSession:
        takeovers = self.clients.make_way(who, client_id)
        session = self.clients.earlier(who, client_id)
        if session is not None and clean:
            self.clients.discard(session)
            session = None
        present = session is not None
        if session is None:
            session = MqttSession(self, who, client_id, not clean and self._may_stay(who))
        elif session.who != who:
            self.changed()
        session.who, session.client_id = who, client_id
        session.present, session.takeovers = present, takeovers
        # What was forgotten must not come back after a crash.
        ending = self.clients.is_ending(who, client_id)
        session.ready = self.clients.ended(session.key) if ending else None
        session.connect(outlet, will)
        self.clients.enter(session)
        return session

    def _may_stay(self, who: Principal) -> bool:
        crowded = self.journal.crowded
        if not crowded and self.clients.make_room(who):
            return True
        setting = "" if crowded else "mqtt.sessions"
        self.verdicts.no_room("not kept", who, "to keep the session", setting)
        return False


def _send(_: None, owing: Sequence[tuple[Creditor, Owed]]) -> None:
    for session, owed in owing:
        session.send(owed)


def _drop(failure: Failure, owing: Sequence[tuple[Creditor, Owed]]) -> Failure:
    """Nobody was told that it is safe, so whoever published it will do so again."""
    for session, owed in owing:
        session.drop(owed)
    return failure


def strongest(found: list[tuple[Subscriber, int]]) -> list[tuple[Subscriber, int]]:
    """Each subscriber once, with the best QoS of its overlapping subscriptions."""
    best: dict[Subscriber, int] = {}
    for subscriber, granted in found:
        if granted >= best.get(subscriber, 0):
            best[subscriber] = granted
    return list(best.items())
