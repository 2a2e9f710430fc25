"""The connection of a robot: login, subscriptions, back-off and an orderly end (robots.md 4.1)."""

# ruff: noqa: N805 the methods of a zope interface have no self

from __future__ import annotations

from collections import deque

from attrs import define, field
from twisted.internet.interfaces import IProtocol, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from bumper_tw.simulator.attachment import GIVE_UP, UNREACHABLE, Attachment, IAttached
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

BACK_OFF = (1, 2, 5, 10, 30, 60)
"""Seconds before the next attempt; the last one repeats (robots.md 4.1)."""

CONNACK_WITHIN = 2


class SubscriptionRefused(Exception):
    """The server does not grant the robot its own requests."""


class ILinkUser(IAttached):
    """Whoever lives on a link."""

    def link_up() -> None:
        """The login was accepted; subscriptions are on their way."""

    def link_ready() -> None:
        """The first filter was granted: requests may come."""

    def link_complete() -> None:
        """All filters were answered."""

    def link_heard(message: Message) -> None:
        """A message was delivered."""


@implementer(IMqttUser)
@define(eq=False)
class Link(Attachment[MqttClient, ILinkUser]):
    """
    Keeps one robot connected over MQTT.

    Its start succeeds when the first filter is granted, and fails with
    L{SubscriptionRefused} when it is not.

    @ivar filters: what to subscribe to, the one for requests first
    """

    _endpoint: IStreamClientEndpoint
    _login: Login
    filters: tuple[str, ...]
    _waiting: deque[tuple[int, str, bool]] = field(factory=deque, init=False)
    _packet_id: int = field(default=0, init=False)

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
            self._user.link_ready()
            self._settle()
        if topic_filter == self.filters[-1]:
            self._user.link_complete()

    def heard(self, client: MqttClient, message: Message) -> None:
        if message.retain:
            self.violations.add(f"retained message on {message.topic}")
        if client is self._client:
            self._user.link_heard(message)

    def lost(self, client: MqttClient) -> None:
        if self._is_present(client):
            self._after_loss(BACK_OFF)

    def _judge(self, topic_filter: str, code: int, forbidden: bool) -> None:
        refused = code == REFUSED
        if forbidden and not refused:
            self.violations.add(f"granted {topic_filter}")
        elif not forbidden and code:
            self.violations.add(f"SUBACK {code} for {topic_filter}")
            if topic_filter == self.filters[0]:
                self._end_start(SubscriptionRefused(topic_filter))

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
            self._retry(BACK_OFF)

    def _late(self) -> None:
        self.violations.add(f"no CONNACK within {CONNACK_WITHIN} s")

    def _forget(self) -> None:
        self._timers.drop("connack")
        self._waiting.clear()
