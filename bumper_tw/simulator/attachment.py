"""What every robot's connection has in common: it comes back, and it ends in good order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.interfaces import IProtocol, IReactorTime
from zope.interface import Interface

from bumper_tw.simulator.record import Frame, Transcript, Violations
from bumper_tw.simulator.timers import Timers

GIVE_UP = 30
CLOSE_WITHIN = 2
UNREACHABLE = (ConnectError, DNSLookupError, ConnectingCancelledError, CancelledError, OSError)


class IAttached(Interface):
    """Whoever lives on a connection."""

    def link_down() -> None:
        """The connection is gone; the link looks for the next one by itself."""


class Client(Protocol):
    """One connection, once there is one."""

    def close(self) -> None:
        """Say goodbye."""

    def abort(self) -> None:
        """Close without a word."""

    def freeze(self) -> None:
        """Read and write nothing more, keep the TCP connection."""


C = TypeVar("C", bound=Client)
U = TypeVar("U", bound=IAttached)


@define(eq=False)
class Attachment(Generic[C, U]):
    """
    Keeps one robot connected.  Its delays are real seconds, whatever the robot's speed.

    Subclasses say how to connect, and when a login was accepted.
    """

    _clock: IReactorTime
    _user: U
    transcript: Transcript
    violations: Violations
    _timers: Timers = field(init=False)
    _client: C | None = field(default=None, init=False)
    _left: list[C] = field(factory=list, init=False)
    _attempt: Deferred[IProtocol] | Deferred[None] | None = field(default=None, init=False)
    _ready: Deferred[None] | None = field(default=None, init=False)
    _ended: Deferred[None] | None = field(default=None, init=False)
    _up: bool = field(default=False, init=False)
    _running: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._timers = Timers(self._clock)

    @property
    def up(self) -> bool:
        """Whether the server accepted the login of the present connection."""
        return self._up

    def start(self) -> Deferred[None]:
        """
        Connect, and stay connected.

        @return: fires when the server does its part; fails when it refuses to, or with
            L{CancelledError} when stopped before
        """
        self._running, self._failures = True, 0
        ready = self._ready = Deferred()
        self._connect()
        return ready

    def stop(self) -> Deferred[None]:
        """
        Say goodbye and stay away.

        @return: fires when the connection is gone, after two seconds at the latest
        """
        self._running = False
        self._timers.drop_all()
        self._end_start(None)
        if self._attempt is not None:
            self._attempt.cancel()
        for frozen in tuple(self._left):
            frozen.abort()
        ended = self._ended = Deferred()
        client = self._client
        if client is None:
            self._finish()
        else:
            self._timers.after(CLOSE_WITHIN, client.abort)
            client.close()
        return ended

    def leave_half_open(self) -> None:
        """Freeze the present connection and open another one (robots.md 8)."""
        if self._client is not None:
            self._client.freeze()
            self._left.append(self._client)
            self._gone()
            self._connect()

    def framed(self, outgoing: bool, raw: bytes) -> None:
        self.transcript.add(Frame(self._clock.seconds(), outgoing, raw))

    def offended(self, reason: str) -> None:
        self.violations.add(reason)

    def _connect(self) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        """Drop what belongs to the connection that is gone."""
        raise NotImplementedError

    def _settle(self) -> None:
        """The server has done its part."""
        self._failures = 0
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.callback(None)

    def _end_start(self, reason: Exception | None) -> None:
        ready, self._ready = self._ready, None
        if ready is not None and reason is None:
            ready.cancel()
        elif ready is not None and reason is not None:
            ready.errback(reason)

    def _is_present(self, client: C) -> bool:
        """Tell whether a connection that was lost is the one in use."""
        if client in self._left:
            self._left.remove(client)
        return client is self._client

    def _after_loss(self, waits: Sequence[int]) -> None:
        self._gone()
        if self._running:
            self._retry(waits)
        else:
            self._finish()

    def _retry(self, waits: Sequence[int]) -> None:
        """Try again; the last of the waits, in seconds, repeats."""
        wait = waits[min(self._failures, len(waits) - 1)]
        self._failures += 1
        self._timers.after(wait, self._connect, "retry")

    def _gone(self) -> None:
        self._client = None
        self._forget()
        if self._up:
            self._up = False
            self._user.link_down()

    def _finish(self) -> None:
        self._timers.drop_all()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended.callback(None)
