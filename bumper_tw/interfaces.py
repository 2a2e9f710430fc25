"""
Every seam between floors, with what may be relied on.

Methods that return a L{Deferred} never raise; the others never block.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from bumper_tw.errors import CommandFailed
from bumper_tw.readings import Report
from bumper_tw.values import (
    CleaningLog,
    Command,
    Device,
    DeviceId,
    Home,
    Principal,
    Reply,
    RequestId,
    Token,
    User,
)

T = TypeVar("T")

#: Takes back what was registered.
Undo = Callable[[], None]


class IAuthenticator(Interface):
    """Tells who somebody is."""

    def login(credentials: object) -> Deferred[Principal]:
        """
        Check credentials of one of the kinds in L{bumper_tw.dialect.logins}.

        @return: fails with L{LoginRefused<bumper_tw.errors.LoginRefused>} when they are wrong.
        """


class IRobotLink(Interface):
    """A way to reach one attached robot, whatever it speaks."""

    def deliver(command: Command, request: RequestId) -> None:
        """
        Put C{command} on the wire.  Never blocks; an answer, if there is one, comes
        back through L{ICommandCorrelator.replied}.

        @raise CommandFailed: it cannot be reached after all.
        @raise BadRequest: the wire has no words for this command.
        """

    def withdraw(request: RequestId) -> None:
        """Nobody waits for this answer any more: what has not gone out yet stays here."""


class IDeviceRegistry(Interface):
    """Which robots there are, and how they can be reached.  All in memory."""

    def attach(device: Device, link: IRobotLink) -> Callable[[], bool]:
        """
        A robot is here: remember it, or refresh what we know, and reach it by C{link}.

        @return: the undo.  It says whether the link was still ours to remove: a robot
            reconnects before its old connection is found dead.
        @raise LoginRefused: there are too many robots.
        """

    def link(did: str) -> IRobotLink:
        """
        The way to a robot.

        @raise DeviceUnknown: nobody has seen it.
        @raise DeviceOffline: it is not connected.
        """

    def device(did: str) -> Device:
        """
        What we know of a robot.

        @raise DeviceUnknown: nothing.
        """

    def devices() -> Sequence[Device]:
        """Every robot, the first known first."""

    def online(did: str) -> bool:
        """Whether the robot has a connection now."""

    def update(device: Device) -> Deferred[None]:
        """Change what we know of a robot; fires when it is on disk."""

    def forget(did: str) -> Deferred[None]:
        """Drop a robot; it comes back when it connects again."""

    def watch(listener: Callable[[Device, bool], None]) -> Undo:
        """Call C{listener} with a robot and its connection state at each change."""


class ICommandCorrelator(Interface):
    """Puts questions to robots, and brings each answer to whoever asked."""

    def send(command: Command, timeout: float | None = None, by: str = "") -> Deferred[Reply]:
        """
        Ask a robot.  Cancelling the result drops the wait.

        @param timeout: seconds; C{None} for the configured one.
        @param by: who asks, in a word for the owner; empty for this box itself.
        @return: fails with a L{CommandFailed<bumper_tw.errors.CommandFailed>}.
        """

    def replied(device: DeviceId, name: str, request: RequestId, body: bytes) -> None:
        """A robot has answered.  Nobody may be waiting any more; then nothing happens."""

    def failed(device: DeviceId, name: str, request: RequestId, why: CommandFailed) -> None:
        """The same, where the answer says that there will be none."""

    def detached(device: DeviceId) -> None:
        """A robot has gone: what it still owed fails."""


class IRobotPresence(Interface):
    """What an edge tells about a robot that is connected to it."""

    def listening() -> None:
        """The robot can hear commands from now on."""

    def gone() -> None:
        """Its connection has ended."""


class ITelemetry(Interface):
    """The reports of all robots, on their way from the edges to everybody."""

    def record(report: Report) -> None:
        """Number it, keep it, tell everybody."""

    def listen(listener: Callable[[Report], None]) -> Undo:
        """Hear every report from now on."""

    def latest(did: str) -> Sequence[Report]:
        """The newest of each kind, from memory."""


class ITelemetryStore(Interface):
    """Reports on disk."""

    def append(reports: Sequence[Report]) -> Deferred[None]:
        """Keep them: all or none."""

    def latest() -> Deferred[list[Report]]:
        """The newest of each kind for every robot."""

    def history(did: str, kind: str, since: float, limit: int) -> Deferred[list[Report]]:
        """At most C{limit} reports of one kind (or of all, when empty), the newest first."""

    def prune(before: float, keep: int) -> Deferred[int]:
        """Drop reports older than C{before}, and all but the newest C{keep}; how many went."""

    def forget(did: str) -> Deferred[None]:
        """Drop everything about one robot."""


class ICleaningLogStore(Interface):
    """Cleaning jobs on disk."""

    def record(log: CleaningLog) -> Deferred[None]:
        """
        Add a job, or what is new about a known one: what the report does not say stays, and a
        duration never shrinks (mqtt.md 11).
        """

    def logs(did: str, limit: int) -> Deferred[list[CleaningLog]]:
        """The newest first."""

    def remove(ids: Sequence[str]) -> Deferred[None]:
        """Drop jobs by their L{CleaningLog.id}."""

    def forget(did: str) -> Deferred[None]:
        """Drop all jobs of one robot."""

    def prune(keep: int) -> Deferred[int]:
        """Drop all but the newest C{keep} of each robot; how many went."""


class IDeviceStore(Interface):
    """Robots on disk."""

    def load() -> Deferred[list[Device]]:
        """Every robot, the first known first."""

    def save(device: Device) -> Deferred[None]:
        """Add or replace one."""

    def remove(did: str) -> Deferred[None]:
        """Drop one."""


class IAccountStore(Interface):
    """Users, their passwords, tokens and homes on disk."""

    def load() -> Deferred[tuple[list[User], list[Token], list[Home]]]:
        """Everything but the passwords."""

    def save_user(user: User) -> Deferred[None]:
        """Add or replace one; a password stays."""

    def remove_user(uid: str) -> Deferred[None]:
        """Drop a user with tokens, homes and password."""

    def save_token(token: Token, surplus: Sequence[str] = ()) -> Deferred[None]:
        """Add or replace one, and drop those whose place it takes, by digest."""

    def remove_tokens(digests: Sequence[str]) -> Deferred[None]:
        """Drop tokens; unknown ones are fine."""

    def save_home(home: Home) -> Deferred[None]:
        """Add or replace one."""

    def remove_home(home_id: str) -> Deferred[None]:
        """Drop one."""

    def password(uid: str) -> Deferred[str | None]:
        """The password hash of a user, or C{None} for somebody nobody has added."""

    def passwords() -> Deferred[dict[str, str]]:
        """The password hash of everybody whom the owner has added, by uid."""

    def set_password(user: User, hashed: str) -> Deferred[None]:
        """Add a user, or change the password of one."""


class IDatabase(Interface):
    """
    Runs work on the database, off the reactor thread, in the order of calls.

    What waits while a transaction runs goes into the next one together (group commit); each
    piece of work still succeeds or fails by itself.
    """

    def interact(work: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """
        Call C{work(cursor, *arguments)} in a transaction.

        @return: fires when the transaction is on disk.  Fails with what C{work} raised, which
            is rolled back alone, or with
            L{StorageError<bumper_tw.errors.StorageError>} when the disk refuses.
        """

    def close() -> Deferred[None]:
        """Finish what waits, then let go of the file."""


class IRobotSecretStore(Interface):
    """What robots brought when they first logged in, on disk; never a secret itself."""

    def load() -> Deferred[dict[str, str]]:
        """What is stored, by did, the first known first."""

    def save(did: str, secret: str) -> Deferred[None]:
        """Add or replace one; fires when it is safe from a power cut."""

    def remove(did: str) -> Deferred[None]:
        """Drop one; unknown ones are fine."""


class IRecordStore(Interface):
    """
    Small records on disk, by shelf and key; each is a value that JSON can write.

    For what is all in memory while the server runs: see L{bumper_tw.core.shelf}.
    """

    def load(shelf: str) -> Deferred[dict[str, Any]]:
        """All records of one shelf by key, the first known first."""

    def save(shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        """Add or replace some: all or none."""

    def remove(shelf: str, keys: Iterable[str]) -> Deferred[None]:
        """Drop some; unknown ones are fine."""


class IFeed(Interface):
    """
    What pages are told while they are open: of each thing the newest only.

    All in memory, and at once.  A page that comes back says what it has heard last; so each change
    has a place in one order.
    """

    position: str = Attribute("The place of the newest change; what a page goes on from.")

    def put(key: str, kind: str, value: Any) -> None:
        """
        Something is like this now.

        @param key: what; the change before of the same key is forgotten.
        @param kind: what pages listen for by; it also says who may hear it.
        @param value: what JSON can write; it does not change any more.
        """

    def drop(key: str) -> None:
        """Something is no more; who comes back does not hear of it.  An unknown one is fine."""
