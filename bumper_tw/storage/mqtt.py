"""What the MQTT broker keeps, on disk: sessions with what they are owed, retained messages."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from sqlite3 import Cursor
from typing import Any

from attrs import asdict, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.interfaces import IDatabase
from bumper_tw.kept import (
    Change,
    Ended,
    Forgotten,
    Kept,
    KeptMessage,
    KeptSession,
    Left,
    Opened,
    Queued,
    Received,
    Released,
    Retained,
    Settled,
    Subscribed,
    Unsubscribed,
)
from bumper_tw.storage.connection import Durable
from bumper_tw.values import Message, Principal, Role

#: A session that is known keeps its place in the order, and all that is in it.
OPEN = """
    INSERT INTO mqtt_sessions (key, role, name, realm, resource, client_id, left_at, sent)
    VALUES (:key, :role, :name, :realm, :resource, :client_id, NULL, 0)
    ON CONFLICT (key) DO UPDATE SET
        role = excluded.role, name = excluded.name, realm = excluded.realm,
        resource = excluded.resource, client_id = excluded.client_id, left_at = NULL, sent = 0
"""

QUEUE = """
    INSERT INTO mqtt_queue (session, packet_id, number, qos, retain, released)
    SELECT place, :packet_id, :number, :qos, :retain, 0 FROM mqtt_sessions WHERE key = :key
    ON CONFLICT (session, packet_id) DO UPDATE SET
        number = excluded.number, qos = excluded.qos, retain = excluded.retain, released = 0
"""

HAS_BODY = "SELECT 1 FROM mqtt_messages WHERE number = :number"

ADD_BODY = """
    INSERT INTO mqtt_messages (number, topic, payload, role, name, realm, resource)
    VALUES (:number, :topic, :payload, :role, :name, :realm, :resource)
"""

RETAIN = """
    INSERT INTO mqtt_retained (topic, qos, at, payload, role, name, realm, resource)
    VALUES (:topic, :qos, :at, :payload, :role, :name, :realm, :resource)
    ON CONFLICT (topic) DO UPDATE SET
        qos = excluded.qos, at = excluded.at, payload = excluded.payload, role = excluded.role,
        name = excluded.name, realm = excluded.realm, resource = excluded.resource
"""

UNRETAIN = "DELETE FROM mqtt_retained WHERE topic = :topic"

#: Changes that are one statement with the fields of the change; without the session it finds
#: nothing to do.
STATEMENTS: dict[type[Change], str] = {
    Left: "UPDATE mqtt_sessions SET left_at = :at, sent = :sent WHERE key = :key",
    Ended: "DELETE FROM mqtt_sessions WHERE key = :key",
    Subscribed: """
        INSERT INTO mqtt_subscriptions (session, topic_filter, qos)
        SELECT place, :topic_filter, :qos FROM mqtt_sessions WHERE key = :key
        ON CONFLICT (session, topic_filter) DO UPDATE SET qos = excluded.qos
    """,
    Unsubscribed: """
        DELETE FROM mqtt_subscriptions WHERE topic_filter = :topic_filter
            AND session = (SELECT place FROM mqtt_sessions WHERE key = :key)
    """,
    Released: """
        UPDATE mqtt_queue SET released = 1 WHERE packet_id = :packet_id
            AND session = (SELECT place FROM mqtt_sessions WHERE key = :key)
    """,
    Settled: """
        DELETE FROM mqtt_queue WHERE packet_id = :packet_id
            AND session = (SELECT place FROM mqtt_sessions WHERE key = :key)
    """,
    Received: """
        INSERT INTO mqtt_received (session, packet_id)
        SELECT place, :packet_id FROM mqtt_sessions WHERE key = :key
        ON CONFLICT DO NOTHING
    """,
    Forgotten: """
        DELETE FROM mqtt_received WHERE packet_id = :packet_id
            AND session = (SELECT place FROM mqtt_sessions WHERE key = :key)
    """,
}

SESSIONS = """
    SELECT place, key, client_id, left_at, sent, role, name, realm, resource
    FROM mqtt_sessions ORDER BY place
"""
SUBSCRIPTIONS = "SELECT session, topic_filter, qos FROM mqtt_subscriptions ORDER BY session, place"
BODIES = "SELECT number, topic, payload, role, name, realm, resource FROM mqtt_messages"
QUEUES = """
    SELECT session, number, packet_id, qos, retain, released
    FROM mqtt_queue ORDER BY session, number, packet_id
"""
RECEIVED = "SELECT session, packet_id FROM mqtt_received"
RETAINED = """
    SELECT topic, payload, qos, at, role, name, realm, resource FROM mqtt_retained ORDER BY place
"""
#: Of all bodies, readable or not, so that a number never means two of them.
HIGHEST = "SELECT coalesce(max(number), 0) FROM mqtt_messages"


@implementer(IMqttStore)
@frozen
class SqlMqttStore:
    """
    The broker's memory in a database.

    What is kept of a principal is what its rights depend on: role, name, realm and resource.
    """

    _log = Logger()
    database: IDatabase

    def load(self) -> Deferred[Kept]:
        return self.database.interact(load).addCallback(self._readable)

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        return self.database.interact(apply, tuple(changes)) if changes else succeed(None)

    def _readable(self, found: tuple[Kept, Sequence[str]]) -> Kept:
        kept, unreadable = found
        if unreadable:
            self._log.warn(
                "skipped {count} stored sessions and messages that cannot be read, the first: "
                "{what}",
                count=len(unreadable),
                what=unreadable[0],
            )
        return kept


def bare(who: Principal) -> Principal:
    """What is kept of somebody."""
    return Principal(who.role, who.name, who.realm, who.resource)


def columns(who: Principal | None) -> dict[str, str | None]:
    """The columns of somebody; ourselves are C{None}."""
    if who is None:
        return {"role": None, "name": None, "realm": None, "resource": None}
    return {
        "role": who.role.value,
        "name": who.name,
        "realm": who.realm,
        "resource": who.resource,
    }


@Durable
def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Make changes, in order; clients are told that nothing of them gets lost."""
    for change in changes:
        special = SPECIAL.get(type(change))
        if special is None:
            cursor.execute(STATEMENTS[type(change)], asdict(change, recurse=False))
        else:
            special(cursor, change)


def opened(cursor: Cursor, change: Opened) -> None:
    """Remember a session as connected."""
    row = {"key": change.key, "client_id": change.client_id, **columns(change.who)}
    cursor.execute(OPEN, row)


def queued(cursor: Cursor, change: Queued) -> None:
    """Owe a message; its body is added when this is the first session that is owed it."""
    message, number = change.message, change.number
    row = {
        "key": change.key,
        "packet_id": change.packet_id,
        "number": number,
        "qos": message.qos,
        "retain": message.retain,
    }
    if cursor.execute(QUEUE, row).rowcount < 1:
        return
    if cursor.execute(HAS_BODY, {"number": number}).fetchone() is None:
        body = {"number": number, "topic": message.topic, "payload": message.payload}
        cursor.execute(ADD_BODY, body | columns(message.origin))


def retained(cursor: Cursor, change: Retained) -> None:
    """Replace the last word on a topic, or take it back."""
    message = change.message
    if not message.payload:
        cursor.execute(UNRETAIN, {"topic": message.topic})
        return
    row = {
        "topic": message.topic,
        "qos": message.qos,
        "at": change.at,
        "payload": message.payload,
        **columns(message.origin),
    }
    cursor.execute(RETAIN, row)


#: Changes that take more than the fields they have.
SPECIAL: dict[type[Change], Callable[[Cursor, Any], None]] = {
    Opened: opened,
    Queued: queued,
    Retained: retained,
}


def load(cursor: Cursor) -> tuple[Kept, Sequence[str]]:
    """Everything, and what could not be read."""
    reading = Reading(cursor)
    (number,) = cursor.execute(HIGHEST).fetchone()
    kept = Kept(tuple(reading.sessions()), tuple(reading.retained()), number)
    return kept, reading.unreadable


@frozen
class Reading:
    """
    One look at all of it; texts and payloads that are meant several times are in memory once.

    @ivar unreadable: what had to be left out.
    """

    cursor: Cursor
    unreadable: list[str] = field(factory=list)
    _known: dict[tuple[str | None, ...], Principal | None] = field(factory=dict)

    def sessions(self) -> Iterator[KeptSession]:
        """Every session, the first known first."""
        subscriptions, queues, received = self._subscriptions(), self._queues(), self._received()
        for place, key, client_id, left_at, sent, *party in self.cursor.execute(SESSIONS):
            who = self._somebody(party)
            if who is None:
                self.unreadable.append(f"session {key!r}")
                continue
            yield KeptSession(
                key,
                who,
                client_id,
                left_at,
                sent,
                tuple(subscriptions[place]),
                tuple(queues[place]),
                frozenset(received[place]),
            )

    def retained(self) -> Iterator[tuple[Message, float]]:
        """Every last word."""
        for topic, payload, qos, at, *party in self.cursor.execute(RETAINED):
            origin = self._somebody(party)
            if origin is None and party[0] is not None:
                self.unreadable.append(f"retained message on {topic!r}")
                continue
            yield Message(topic, payload, qos, retain=True, origin=origin), at

    def _subscriptions(self) -> defaultdict[int, list[tuple[str, int]]]:
        found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
        for session, topic_filter, qos in self.cursor.execute(SUBSCRIPTIONS):
            found[session].append((topic_filter, qos))
        return found

    def _received(self) -> defaultdict[int, list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for session, packet_id in self.cursor.execute(RECEIVED):
            found[session].append(packet_id)
        return found

    def _queues(self) -> defaultdict[int, list[KeptMessage]]:
        bodies = self._bodies()
        found: defaultdict[int, list[KeptMessage]] = defaultdict(list)
        for session, number, packet_id, qos, retain, released in self.cursor.execute(QUEUES):
            body = bodies.get(number)
            if body is not None:
                topic, payload, origin = body
                message = Message(topic, payload, qos, bool(retain), origin)
                owed = KeptMessage(number, packet_id, message, bool(released))
                found[session].append(owed)
        return found

    def _bodies(self) -> dict[int, tuple[str, bytes, Principal | None]]:
        found: dict[int, tuple[str, bytes, Principal | None]] = {}
        for number, topic, payload, *party in self.cursor.execute(BODIES):
            origin = self._somebody(party)
            if origin is None and party[0] is not None:
                self.unreadable.append(f"message on {topic!r}")
            else:
                found[number] = (topic, payload, origin)
        return found

    def _somebody(self, party: list[str | None]) -> Principal | None:
        """Whose columns these are; C{None} for ourselves, and for what cannot be read."""
        key = tuple(party)
        if key not in self._known:
            self._known[key] = principal(*party)
        return self._known[key]


def principal(role: str | None, *names: str | None) -> Principal | None:
    """Somebody from the columns; C{None} for ourselves, and for what cannot be read."""
    try:
        return Principal(Role(role), *(name or "" for name in names))
    except ValueError:
        return None
