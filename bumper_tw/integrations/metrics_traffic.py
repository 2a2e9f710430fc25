"""Figures of what goes on: robots, connections, messages, requests, commands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from typing import Protocol

from attrs import frozen
from prometheus_client.metrics_core import Metric

from bumper_tw.core.commands import CommandCorrelator
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.xmpp_router import XmppRouter
from bumper_tw.front.alerts import Trouble
from bumper_tw.front.contact import Outcome, Speech
from bumper_tw.integrations.metrics_shapes import (
    counter,
    counters,
    gauge,
    gauges,
    histograms,
    word,
)
from bumper_tw.integrations.metrics_watch import (
    ALERTS,
    NO_ALERT,
    OTHER,
    Contacts,
    Latencies,
    Roll,
)
from bumper_tw.values import Company, Device, PayloadKind

#: How protocols are called, by what robots are asked to speak.
PROTOCOLS = {Company.MQTT: "mqtt", Company.XMPP: "xmpp"}

#: How payloads are called.
PAYLOADS = {PayloadKind.JSON: "json", PayloadKind.XML: "xml", PayloadKind.BINARY: "binary"}

#: How what was spoken on a connection is called.
SPOKEN = {
    Speech.NOTHING: "none",
    Speech.HTTP: "http",
    Speech.MQTT: "mqtt",
    Speech.XMPP: "xmpp",
    Speech.OTHER: "other",
}

#: Why the web did not give what it was asked for, as those who count it call it.
COMPLAINTS = (
    "broken", "crowded", "large", "method", "refused", "slow", "unknown", "unstored",
)  # fmt: skip

Counts = Mapping[str, int]


class Website(Protocol):
    """What is looked at of the web."""

    @property
    def counts(self) -> Counter[str]:
        """What went wrong how often, and C{requests}."""

    @property
    def channels(self) -> Sized:
        """The connections."""


@frozen
class Robots:
    """Which robots there are."""

    registry: DeviceRegistry
    roll: Roll

    def read(self) -> Iterator[Metric]:
        """Their figures."""
        devices = self.registry.devices()
        here = Counter(kind_of(each) for each in devices if self.registry.online(each.id.did))
        yield gauge("bumper_robots_known", "Robots that this server knows.", len(devices))
        yield gauge(
            "bumper_robots_missing",
            "Robots that have been connected since the start, and are not now.",
            self.roll.missing,
        )
        yield gauges(
            "bumper_robots_online",
            "Robots that are connected now.",
            ("protocol", "payload"),
            {(p, k): here[p, k] for p in PROTOCOLS.values() for k in PAYLOADS.values()},
        )


def kind_of(device: Device) -> tuple[str, str]:
    """What a robot speaks."""
    return PROTOCOLS[device.company], PAYLOADS[device.kind]


def contacts(seen: Contacts) -> Iterator[Metric]:
    """Figures of connections, whatever they were for."""
    yield gauge("bumper_contacts_open", "Connections that are open now.", seen.open)
    yield counters(
        "bumper_contacts",
        "Connections that have ended, by what was spoken, and what became of them.",
        ("protocol", "result"),
        {
            (SPOKEN[speech], word(outcome.value)): seen.ended[speech, outcome]
            for speech in Speech
            for outcome in Outcome
        },
    )
    yield counters(
        "bumper_tls_failures",
        "TLS handshakes that failed, by what is behind that.",
        ("reason",),
        {(word(each.value),): seen.troubles[each] for each in Trouble},
    )
    yield counters(
        "bumper_tls_alerts",
        "TLS handshakes that failed, by the alert that the client sent; none: this box gave up.",
        ("alert",),
        {(each,): seen.alerts[each] for each in sorted({*ALERTS, NO_ALERT, OTHER})},
    )


def logins(protocol: str, counts: Counts) -> Iterator[Metric]:
    """
    Figures that connections over MQTT and XMPP have in common.

    @param counts: by name.
    """
    name, called = f"bumper_{protocol}", protocol.upper()
    yield counter(f"{name}_connections", f"Connections over {called}.", counts["connections"])
    yield counter(
        f"{name}_connections_refused",
        f"Connections over {called} that were too many.",
        counts["connections refused"],
    )
    yield counters(
        f"{name}_logins",
        f"Logins over {called}, by how they ended.",
        ("result",),
        {("accepted",): counts["logins"], ("refused",): counts["logins refused"]},
    )
    yield counter(
        f"{name}_violations",
        f"Connections over {called} that broke the rules of the protocol, or a limit.",
        counts["violations"],
    )


@frozen
class Mqtt:
    """
    The broker.

    @ivar counts: of its connections, by name.
    """

    broker: MqttBroker
    counts: Counts

    def read(self) -> Iterator[Metric]:
        """Its figures."""
        yield from logins("mqtt", self.counts)
        yield from self._state()
        yield from self._messages(self.broker.counts)

    def _state(self) -> Iterator[Metric]:
        clients, retained = self.broker.clients, self.broker.retained
        yield gauges(
            "bumper_mqtt_clients",
            "Clients that are here, and sessions that wait for their client.",
            ("state",),
            {("connected",): clients.connected, ("away",): clients.away},
        )
        yield gauge("bumper_mqtt_subscriptions", "Subscriptions.", len(self.broker.tree))
        yield gauge("bumper_mqtt_retained_messages", "Retained messages.", len(retained))
        yield gauge("bumper_mqtt_retained_bytes", "Bytes of retained messages.", retained.size)
        yield gauge(
            "bumper_mqtt_owed_bytes",
            "Bytes of messages that wait for clients of persistent sessions.",
            clients.owed,
        )

    @staticmethod
    def _messages(counts: Counts) -> Iterator[Metric]:
        yield counter(
            "bumper_mqtt_messages_received", "Messages that came in.", counts["published"]
        )
        yield counter("bumper_mqtt_messages_sent", "Messages that went out.", counts["delivered"])
        yield counters(
            "bumper_mqtt_messages_dropped",
            "Messages that were lost for somebody, or not kept as he wanted.",
            ("reason",),
            {
                ("slow_reader",): counts["dropped for slow readers"],
                ("session_not_kept",): counts["not kept"],
                ("not_retained",): counts["not retained"],
            },
        )
        yield counters(
            "bumper_mqtt_denied",
            "What clients may not do, or have no room for.",
            ("action",),
            {
                ("publish",): counts["publications denied"],
                ("subscribe",): counts["subscriptions denied"],
            },
        )


@frozen
class Xmpp:
    """
    The XMPP side.

    @ivar counts: of its connections, by name.
    """

    router: XmppRouter
    counts: Counts

    def read(self) -> Iterator[Metric]:
        """Its figures."""
        yield from logins("xmpp", self.counts)
        yield gauges(
            "bumper_xmpp_sessions",
            "Robots and sessions of users that are here.",
            ("role",),
            {("robot",): self.router.robots, ("user",): self.router.sessions},
        )
        yield from self._stanzas(self.router.counts)

    def _stanzas(self, counts: Counts) -> Iterator[Metric]:
        yield counter("bumper_xmpp_stanzas_received", "Stanzas that came in.", counts["received"])
        yield counter(
            "bumper_xmpp_stanzas_relayed",
            "Stanzas that were passed on, once for each who got them.",
            counts["relayed"],
        )
        yield counters(
            "bumper_xmpp_stanzas_dropped",
            "Stanzas that did not get to where they should.",
            ("reason",),
            {
                ("slow_reader",): counts["dropped for slow readers"],
                ("loud_robot",): counts["dropped for loud robots"],
                ("denied",): counts["requests denied"],
                ("robot_offline",): counts["robot not there"],
                ("not_understood",): counts["not understood"],
                ("unreadable",): self.counts["unreadable"],
            },
        )
        yield counter(
            "bumper_xmpp_senders_corrected",
            "Stanzas that were sent under somebody else's address.",
            counts["senders corrected"],
        )


def http(site: Website) -> Iterator[Metric]:
    """Figures of the web."""
    counts = site.counts
    yield gauge("bumper_http_connections", "Connections over HTTP.", len(site.channels))
    yield counter("bumper_http_requests", "Requests over HTTP.", counts["requests"])
    yield counters(
        "bumper_http_failures",
        "Requests that did not get what they wanted, by the reason.",
        ("reason",),
        {(each,): counts[each] for each in COMPLAINTS},
    )


@frozen
class Commands:
    """What robots are asked to do."""

    correlator: CommandCorrelator
    latencies: Latencies

    def read(self) -> Iterator[Metric]:
        """Its figures."""
        counts = self.correlator.counts
        yield histograms(
            "bumper_command_duration_seconds",
            "Seconds until a command to a robot had ended, by how it did.",
            ("outcome",),
            {(outcome,): found for outcome, found in self.latencies.by_outcome.items()},
        )
        yield gauge(
            "bumper_commands_waiting",
            "Commands that have no answer yet.",
            self.correlator.waiting,
        )
        yield counters(
            "bumper_command_replies_ignored",
            "Replies of robots that nobody waited for.",
            ("reason",),
            {("late",): counts["late"], ("foreign",): counts["foreign"]},
        )
