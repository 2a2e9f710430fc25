"""The stores in dictionaries: for tests, and to show what the others must do."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from bumper_tw.broker_interfaces import IMqttStore
from bumper_tw.interfaces import IAccountStore, ICleaningLogStore, IDeviceStore, ITelemetryStore
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
from bumper_tw.readings import Report
from bumper_tw.storage.cleaning import merged
from bumper_tw.storage.mqtt import bare
from bumper_tw.values import CleaningLog, Device, Home, Message, Principal, Token, User


@implementer(IDeviceStore)
@define
class MemoryDeviceStore:
    """Robots by their did."""

    devices: dict[str, Device] = field(factory=dict)

    def load(self) -> Deferred[list[Device]]:
        return succeed(list(self.devices.values()))

    def save(self, device: Device) -> Deferred[None]:
        self.devices[device.id.did] = device
        return succeed(None)

    def remove(self, did: str) -> Deferred[None]:
        self.devices.pop(did, None)
        return succeed(None)


@implementer(IAccountStore)
@define
class MemoryAccountStore:
    """Users and password hashes by uid, tokens by digest, homes by id."""

    users: dict[str, User] = field(factory=dict)
    hashes: dict[str, str] = field(factory=dict, repr=False)
    tokens: dict[str, Token] = field(factory=dict)
    homes: dict[str, Home] = field(factory=dict)

    def load(self) -> Deferred[tuple[list[User], list[Token], list[Home]]]:
        tokens = sorted(self.tokens.values(), key=lambda token: token.digest)
        return succeed((list(self.users.values()), tokens, list(self.homes.values())))

    def save_user(self, user: User) -> Deferred[None]:
        self.users[user.uid] = user
        return succeed(None)

    def remove_user(self, uid: str) -> Deferred[None]:
        self.users.pop(uid, None)
        self.hashes.pop(uid, None)
        self.tokens = {key: token for key, token in self.tokens.items() if token.uid != uid}
        self.homes = {key: home for key, home in self.homes.items() if home.uid != uid}
        return succeed(None)

    def save_token(self, token: Token, surplus: Sequence[str] = ()) -> Deferred[None]:
        self.tokens[token.digest] = token
        return self.remove_tokens(surplus)

    def remove_tokens(self, digests: Sequence[str]) -> Deferred[None]:
        for digest in digests:
            self.tokens.pop(digest, None)
        return succeed(None)

    def save_home(self, home: Home) -> Deferred[None]:
        self.homes[home.id] = home
        return succeed(None)

    def remove_home(self, home_id: str) -> Deferred[None]:
        self.homes.pop(home_id, None)
        return succeed(None)

    def password(self, uid: str) -> Deferred[str | None]:
        return succeed(self.hashes.get(uid))

    def passwords(self) -> Deferred[dict[str, str]]:
        return succeed(dict(self.hashes))

    def set_password(self, user: User, hashed: str) -> Deferred[None]:
        self.users.setdefault(user.uid, user)
        self.hashes[user.uid] = hashed
        return succeed(None)


@implementer(ITelemetryStore)
@define
class MemoryTelemetryStore:
    """Reports in the order they were appended, and the newest by robot and kind."""

    reports: list[Report] = field(factory=list)
    newest: dict[tuple[str, str], Report] = field(factory=dict)

    def append(self, reports: Sequence[Report]) -> Deferred[None]:
        for report in reports:
            if report.reading.kept:
                self.reports.append(report)
                self.newest[report.did, report.kind] = report
        return succeed(None)

    def latest(self) -> Deferred[list[Report]]:
        return succeed([self.newest[key] for key in sorted(self.newest)])

    def history(self, did: str, kind: str, since: float, limit: int) -> Deferred[list[Report]]:
        wanted = (
            report
            for report in self.reports
            if report.did == did and kind in {"", report.kind} and report.at >= since
        )
        return succeed(newest_first(wanted)[:limit])

    def prune(self, before: float, keep: int) -> Deferred[int]:
        had = len(self.reports)
        young = [report for report in self.reports if report.at >= before]
        self.reports = newest_first(young)[:keep][::-1]
        return succeed(had - len(self.reports))

    def forget(self, did: str) -> Deferred[None]:
        self.reports = [report for report in self.reports if report.did != did]
        self.newest = {key: report for key, report in self.newest.items() if key[0] != did}
        return succeed(None)


@implementer(ICleaningLogStore)
@define
class MemoryCleaningLogStore:
    """Jobs by their id."""

    jobs: dict[str, CleaningLog] = field(factory=dict)

    def record(self, log: CleaningLog) -> Deferred[None]:
        known = self.jobs.get(log.id)
        self.jobs[log.id] = log if known is None else merged(known, log)
        return succeed(None)

    def logs(self, did: str, limit: int) -> Deferred[list[CleaningLog]]:
        return succeed(self._newest(did)[:limit])

    def remove(self, ids: Sequence[str]) -> Deferred[None]:
        for each in ids:
            self.jobs.pop(each, None)
        return succeed(None)

    def forget(self, did: str) -> Deferred[None]:
        self.jobs = {i: log for i, log in self.jobs.items() if log.device.did != did}
        return succeed(None)

    def prune(self, keep: int) -> Deferred[int]:
        had = len(self.jobs)
        robots = {log.device.did for log in self.jobs.values()}
        kept = [log for did in robots for log in self._newest(did)[:keep]]
        self.jobs = {log.id: log for log in kept}
        return succeed(had - len(self.jobs))

    def _newest(self, did: str) -> list[CleaningLog]:
        own = (log for log in self.jobs.values() if log.device.did == did)
        return sorted(own, key=lambda log: (log.started_at, log.id), reverse=True)


def newest_first(reports: Iterable[Report]) -> list[Report]:
    """By time, and the later of two at the same time first."""
    # Turned round afterwards, because sorting keeps the order of equals.
    return sorted(reports, key=lambda report: report.at)[::-1]


@define
class MemorySession:
    """What the broker keeps for one client, in tables that change."""

    who: Principal
    client_id: str
    left_at: float | None = None
    sent: int = 0
    subscriptions: dict[str, int] = field(factory=dict)
    queue: dict[int, KeptMessage] = field(factory=dict)
    received: set[int] = field(factory=set)

    def kept(self, key: str) -> KeptSession:
        """The same, as it is loaded."""
        return KeptSession(
            key,
            self.who,
            self.client_id,
            self.left_at,
            self.sent,
            tuple(self.subscriptions.items()),
            tuple(sorted(self.queue.values(), key=lambda owed: (owed.number, owed.packet_id))),
            frozenset(self.received),
        )

    def left(self, change: Left) -> None:
        """It waits."""
        self.left_at, self.sent = change.at, change.sent

    def subscribed(self, change: Subscribed) -> None:
        """It hears something."""
        self.subscriptions[change.topic_filter] = change.qos

    def unsubscribed(self, change: Unsubscribed) -> None:
        """It does not want to hear that."""
        self.subscriptions.pop(change.topic_filter, None)

    def queued(self, change: Queued) -> None:
        """It is owed something."""
        message = evolve(change.message, origin=origin(change.message))
        self.queue[change.packet_id] = KeptMessage(change.number, change.packet_id, message)

    def released(self, change: Released) -> None:
        """It has that."""
        owed = self.queue.get(change.packet_id)
        if owed is not None:
            self.queue[change.packet_id] = evolve(owed, released=True)

    def settled(self, change: Settled) -> None:
        """It is not owed that any more."""
        self.queue.pop(change.packet_id, None)

    def taken(self, change: Received) -> None:
        """It has published something."""
        self.received.add(change.packet_id)

    def forgotten(self, change: Forgotten) -> None:
        """It has done with that."""
        self.received.discard(change.packet_id)


#: What becomes of a session.
STEPS: dict[type[Change], Callable[[MemorySession, Any], None]] = {
    Left: MemorySession.left,
    Subscribed: MemorySession.subscribed,
    Unsubscribed: MemorySession.unsubscribed,
    Queued: MemorySession.queued,
    Released: MemorySession.released,
    Settled: MemorySession.settled,
    Received: MemorySession.taken,
    Forgotten: MemorySession.forgotten,
}


@implementer(IMqttStore)
@define
class MemoryMqttStore:
    """Sessions by their key, retained messages by their topic."""

    sessions: dict[str, MemorySession] = field(factory=dict)
    retained: dict[str, tuple[Message, float]] = field(factory=dict)

    def load(self) -> Deferred[Kept]:
        sessions = tuple(session.kept(key) for key, session in self.sessions.items())
        numbers = (owed.number for session in sessions for owed in session.queue)
        return succeed(Kept(sessions, tuple(self.retained.values()), max(numbers, default=0)))

    def apply(self, changes: Sequence[Change]) -> Deferred[None]:
        for change in changes:
            if isinstance(change, Retained):
                self._retain(change.message, change.at)
            elif isinstance(change, Opened):
                self._open(change)
            elif isinstance(change, Ended):
                self.sessions.pop(change.key, None)
            elif change.key in self.sessions:
                STEPS[type(change)](self.sessions[change.key], change)
        return succeed(None)

    def _retain(self, message: Message, at: float) -> None:
        if message.payload:
            word = evolve(message, retain=True, origin=origin(message))
            self.retained[message.topic] = (word, at)
        else:
            self.retained.pop(message.topic, None)

    def _open(self, change: Opened) -> None:
        session = self.sessions.setdefault(change.key, MemorySession(change.who, change.client_id))
        session.who, session.client_id = bare(change.who), change.client_id
        session.left_at, session.sent = None, 0


def origin(message: Message) -> Principal | None:
    """What is kept of who published something."""
    return None if message.origin is None else bare(message.origin)
