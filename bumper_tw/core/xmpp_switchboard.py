"""Who is bound over XMPP, by address (xmpp.md 8)."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.core.xmpp_bounds import Unread
from bumper_tw.core.xmpp_questions import PingWatch
from bumper_tw.core.xmpp_services import Place
from bumper_tw.dialect.domains import ATOM
from bumper_tw.values import DeviceId, Principal
from bumper_tw.wire.xmpp_jid import Key
from bumper_tw.wire.xmpp_stanzas import Stanza
from bumper_tw.xmpp_interfaces import RobotSaid

if TYPE_CHECKING:
    from bumper_tw.core.xmpp_binding import Binding
    from bumper_tw.core.xmpp_parties import RobotBinding, UserBinding

#: Under which robots are addressed.
RESOURCES = frozenset({"", ATOM})

#: Whether a user and a robot, by its did, have to do with one another.
Permits = Callable[[Principal, str], bool]


@frozen
class RouterLimits:
    """
    How stanzas are passed on.

    @ivar fanout: whether the events of a robot for one session of a user reach his others.
    @ivar backlog: as many bytes may wait for somebody who does not read.
    @ivar unread: the same for all together.
    @ivar sessions: of one user.
    @ivar takeovers: of one address within a minute.
    @ivar questions: as many of a session are remembered.
    @ivar patience: seconds that a robot has to answer a ping.
    """

    fanout: bool = True
    backlog: int = 262_144
    unread: int = 33_554_432
    sessions: int = 32
    takeovers: int = 10
    questions: int = 256
    patience: float = 10.0


class Switchboard:
    """
    Everybody who is bound, by address.

    @ivar robots: each has one resource, so it is not in the key.
    @ivar users: the sessions of each, by resource.
    @ivar listeners: hear what robots say.
    @ivar expecting: are told of each robot that says it is there.
    @ivar unread: what waits for those who do not read.
    @ivar counts: what happened to stanzas, by name.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, limits: RouterLimits, permits: Permits, counts: Counter[str]
    ) -> None:
        self.clock, self.limits, self.permits, self.counts = clock, limits, permits, counts
        self.robots: dict[Key, RobotBinding] = {}
        self.users: dict[Key, dict[str, UserBinding]] = {}
        self.listeners: tuple[RobotSaid, ...] = ()
        self.expecting: tuple[Callable[[DeviceId], None], ...] = ()
        self.watch = PingWatch(clock, limits.patience)
        self.unread: Unread[Binding] = Unread(limits.unread)
        self._spoofed, self._slow, self._loud = Repeats(clock), Repeats(clock), Repeats(clock)

    def robot(self, to: Place) -> "RobotBinding | None":
        """Whom a user means, if it is here; under another resource nobody is."""
        return self.robots.get(to.key) if to.resource in RESOURCES else None

    def everybody(self) -> "list[UserBinding]":
        """All sessions of all users."""
        return [session for sessions in self.users.values() for session in sessions.values()]

    def said(self, device: DeviceId, stanza: Stanza) -> None:
        """A robot has said something; a listener that breaks does not keep it from others."""
        for listener in self.listeners:
            try:
                listener(device, stanza)
            except Exception:  # noqa: BLE001 - a bulkhead of the architecture
                self._log.failure("a listener failed on what {did} said", did=device.did)

    def present(self, device: DeviceId) -> None:
        """A robot is there."""
        for expecting in self.expecting:
            try:
                expecting(device)
            except Exception:  # noqa: BLE001 - a bulkhead of the architecture
                self._log.failure("a listener failed as {did} came", did=device.did)

    def spoofed(self, address: str, claimed: str) -> None:
        """Somebody calls himself somebody else."""
        self.counts["senders corrected"] += 1
        more = self._spoofed.say(address)
        if more is not None:
            self._log.warn(
                "{address} sends stanzas as {claimed!r}; they go out under its own address{more}",
                address=address,
                claimed=claimed[:64],
                more=again(more),
            )

    def overrun(self, address: str) -> None:
        """Somebody does not read, and misses something."""
        self.counts["dropped for slow readers"] += 1
        more = self._slow.say(address)
        if more is not None:
            self._log.warn(
                "{address} does not read, what is for it is dropped{more}",
                address=address,
                more=again(more),
            )

    def flooded(self, address: str, copies: int) -> None:
        """A robot says so much to so many that they miss something."""
        self.counts["dropped for loud robots"] += copies
        more = self._loud.say(address)
        if more is not None:
            self._log.warn(
                "{address} says too much to everybody, some of it is dropped{more}",
                address=address,
                more=again(more),
            )
