"""
What the owner of a small box need not set himself: C{server.profile = "small"}.

The limits of the other profile bound what a fault or a stranger may cost a computer.  A router
has a tenth of its memory, flash that wears out, and a household's robots: the figures below are
room for fifty of these, and what is kept of them fits into a few megabytes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SMALL = "small"

#: What each setting is there unless the owner says otherwise, by its key.
SMALL_DEFAULTS: Mapping[str, int | bool] = MappingProxyType(
    {
        "server.threads": 2,
        "tls.leaves": 50,
        "tls.contexts": 16,
        "front.undecided": 60,
        "front.undecided_per_peer": 30,
        "front.journal": 200,
        "dns.cache": 300,
        "identity.robots": 50,
        "commands.queued": 16,
        "storage.history_days": 7,
        "storage.history_reports": 20_000,
        "storage.cleaning_logs": 200,
        "storage.cache_bytes": 512_000,
        "mqtt.max_packet": 1 << 18,
        "mqtt.all_levels": 50_000,
        "mqtt.subscriptions": 500,
        "mqtt.inflight": 16,
        "mqtt.queued": 100,
        "mqtt.backlog_bytes": 1 << 18,
        "mqtt.sessions": 100,
        "mqtt.session_bytes": 4 << 20,
        "mqtt.retained": 1000,
        "mqtt.retained_bytes": 2 << 20,
        "mqtt.connections": 100,
        "mqtt.connections_per_peer": 50,
        "mqtt.strangers": 40,
        "mqtt.strangers_per_peer": 20,
        "xmpp.backlog_bytes": 1 << 17,
        "xmpp.sessions_per_user": 8,
        "xmpp.connections": 100,
        "xmpp.connections_per_peer": 50,
        "xmpp.strangers": 40,
        "xmpp.strangers_per_peer": 20,
        "web.max_body": 1 << 18,
        "web.upload_bytes": 2 << 20,
        "web.uploads_robot_bytes": 8 << 20,
        "web.uploads_bytes": 32 << 20,
        "web.connections": 100,
        "web.connections_per_peer": 50,
        # Loads a library of its own.
        "metrics.serve": False,
    }
)


def defaults_of(profile: object) -> Mapping[str, Any]:
    """What differs in a profile from the defaults of the settings themselves."""
    return SMALL_DEFAULTS if profile == SMALL else MappingProxyType({})
