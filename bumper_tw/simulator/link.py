"""The connection of a robot: login, subscriptions, back-off and an orderly end (robots.md 4.1)."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from collections import deque

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.interfaces import IProtocol, IReactorTime, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from bumper_tw.simulator.mqtt import (
    REFUSED,
    ClientFactory,
    IMqttUser,
    Login,
    Message,
    MqttClient,
    publish,
    subscribe,
)
from bumper_tw.simulator.record import Frame, Transcript, Violations
from bumper_tw.simulator.timers import Timers

BACK_OFF = (1, 2, 5, 10, 30, 60)
"""Seconds before the next attempt; the last one repeats (robots.md 4.1)."""

CONNACK_WITHIN = 2
GIVE_UP = 30
CLOSE_WITHIN = 2
UNREACHABLE = (ConnectError, DNSLookupError, ConnectingCancelledError, CancelledError, OSError)


class SubscriptionRefused(Exception):
    """The server does not grant the robot its own requests."""


class ILinkUser(Interface):
    """Whoever lives on a link."""

    def link_up() -> None:
        """The login was accepted; subscriptions are on their way."""

    def link_ready() -> None:
        """The first filter was granted: requests may come."""

    def link_complete() -> None:
        """All filters were answered."""

    def link_down() -> None:
        """The connection is gone; the link looks for the next one by itself."""

    def link_heard(message: Message) -> None:
        """A message was delivered."""


@implementer(IMqttUser)
@define(eq=False)
class Link:
    """
    Keeps one robot connected.  Its delays are real seconds, whatever the robot's speed.

    @ivar filters: what to subscribe to, the one for requests first
    """

    _clock: IReactorTime
    _endpoint: IStreamClientEndpoint
    _login: Login
    filters: tuple[str, ...]
    _user: ILinkUser
    transcript: Transcript
    violations: Violations
    _timers: Timers = field(init=False)
    _client: MqttClient | None = field(default=None, init=False)
    _left: list[MqttClient] = field(factory=list, init=False)
    _attempt: Deferred[IProtocol] | None = field(default=None, init=False)
    _ready: Deferred[None] | None = field(default=None, init=False)
    _ended: Deferred[None] | None = field(default=None, init=False)
    _waiting: deque[tuple[int, str, bool]] = field(factory=deque, init=False)
    _up: bool = field(default=False, init=False)
    _running: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _packet_id: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._timers = Timers(self._clock)

    @property
    def up(self) -> bool:
        """Whether the server accepted the login of the present connection."""
        return self._up

    def start(self) -> Deferred[None]:
        """
        Connect, and stay connected.

        @return: fires when the first filter is granted; fails with
            L{SubscriptionRefused}, or L{CancelledError} when stopped before
        """
        self._running, self._failures = True, 0
        ready = self._ready = Deferred()
        self._connect()
        return ready

    def stop(self) -> Deferred[None]:
        """
        Say DISCONNECT and stay away.

        @return: fires when the connection is gone, after two seconds at the latest
        """
        self._running = False
        self._timers.drop_all()
        self._end_start(None)
        if self._attempt is not None:
            self._attempt.cancel()
        for frozen in self._left:
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

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 0, or drop it while there is no accepted login."""
        if self._client is not None and self._up:
            self._client.send(publish(topic, payload))

    def subscribe(self, topic_filter: str, forbidden: bool = False) -> None:
        """
        Subscribe to one filter.

        @param forbidden: granting it is a violation
        """
        if self._client is not None:
            self._packet_id = self._packet_id % 65535 + 1
            self._waiting.append((self._packet_id, topic_filter, forbidden))
            self._client.send(subscribe(self._packet_id, topic_filter))

    def framed(self, outgoing: bool, raw: bytes) -> None:
        self.transcript.add(Frame(self._clock.seconds(), outgoing, raw))

    def answered(self, client: MqttClient, code: int) -> None:
        if client is not self._client or self._up:
            self.violations.add("unexpected CONNACK")
            return
        self._timers.drop("connack")
        if code:
            self.violations.add(f"CONNACK {code}")
            client.close()
            return
        self._up = True
        self._user.link_up()
        for topic_filter in self.filters:
            self.subscribe(topic_filter)

    def granted(self, client: MqttClient, packet_id: int, codes: bytes) -> None:
        if client is not self._client:
            return
        if not self._waiting or self._waiting[0][0] != packet_id or len(codes) != 1:
            self.violations.add(f"unexpected SUBACK {packet_id}")
            return
        _, topic_filter, forbidden = self._waiting.popleft()
        self._judge(topic_filter, codes[0], forbidden)
        if topic_filter == self.filters[0] and codes[0] != REFUSED:
            self._settle()
        if topic_filter == self.filters[-1]:
            self._user.link_complete()

    def heard(self, client: MqttClient, message: Message) -> None:
        if message.retain:
            self.violations.add(f"retained message on {message.topic}")
        if client is self._client:
            self._user.link_heard(message)

    def offended(self, reason: str) -> None:
        self.violations.add(reason)

    def lost(self, client: MqttClient) -> None:
        if client in self._left:
            self._left.remove(client)
        if client is not self._client:
            return
        self._gone()
        if self._running:
            self._retry()
        else:
            self._finish()

    def _settle(self) -> None:
        self._failures = 0
        self._user.link_ready()
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.callback(None)

    def _judge(self, topic_filter: str, code: int, forbidden: bool) -> None:
        refused = code == REFUSED
        if forbidden and not refused:
            self.violations.add(f"granted {topic_filter}")
        elif not forbidden and code:
            self.violations.add(f"SUBACK {code} for {topic_filter}")
            if topic_filter == self.filters[0]:
                self._end_start(SubscriptionRefused(topic_filter))

    def _end_start(self, reason: Exception | None) -> None:
        ready, self._ready = self._ready, None
        if ready is not None and reason is None:
            ready.cancel()
        elif ready is not None and reason is not None:
            ready.errback(reason)

    def _connect(self) -> None:
        attempt = self._attempt = self._endpoint.connect(ClientFactory(self._build))
        attempt.addCallbacks(self._connected, self._missed)

    def _build(self) -> MqttClient:
        client = self._client = MqttClient(self._clock, self._login, self)
        self._timers.after(CONNACK_WITHIN, self._late, "connack")
        self._timers.after(GIVE_UP, client.abort, "connack")
        return client

    def _connected(self, _protocol: IProtocol) -> None:
        self._attempt = None

    def _missed(self, failure: Failure) -> None:
        failure.trap(*UNREACHABLE)
        self._attempt = None
        if self._running:
            self._retry()

    def _late(self) -> None:
        self.violations.add(f"no CONNACK within {CONNACK_WITHIN} s")

    def _retry(self) -> None:
        wait = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._timers.after(wait, self._connect, "retry")

    def _gone(self) -> None:
        self._timers.drop("connack")
        self._client = None
        self._waiting.clear()
        if self._up:
            self._up = False
            self._user.link_down()

    def _finish(self) -> None:
        self._timers.drop_all()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended.callback(None)
