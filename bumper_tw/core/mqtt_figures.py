"""Figures of the broker under C{$SYS}, named as household dashboards know them."""

from collections.abc import Mapping

from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.values import Message

#: What all of it is under.
ROOT = "$SYS/broker"


class Figures:
    """
    Publishes what has changed, retained.

    Only local services hear it that the owner's rules allow to (mqtt.md 4.5).
    """

    def __init__(self, broker: MqttBroker, version: str, connections: Mapping[str, int]) -> None:
        """
        @param version: of this program.
        @param connections: counts of connections, by name.
        """
        self._broker, self._connections = broker, connections
        self._since = broker.clock.seconds()
        self._told: dict[str, str] = {}
        self._say("version", version)

    def publish(self) -> None:
        """Tell what is new."""
        for name, value in self._figures().items():
            self._say(name, str(value))

    def _say(self, name: str, value: str) -> None:
        if self._told.get(name) != value:
            self._told[name] = value
            self._broker.publish(Message(f"{ROOT}/{name}", value.encode(), retain=True))

    def _figures(self) -> dict[str, object]:
        broker, counts = self._broker, self._broker.counts
        clients, connections = broker.clients, self._connections
        return {
            "uptime": f"{int(broker.clock.seconds() - self._since)} seconds",
            "clients/connected": clients.connected,
            "clients/disconnected": clients.away,
            "clients/total": clients.connected + clients.away,
            "clients/refused": connections.get("logins refused", 0),
            "connections/refused": connections.get("connections refused", 0),
            "connections/violations": connections.get("violations", 0),
            "publish/messages/received": counts["published"],
            "publish/messages/sent": counts["delivered"],
            "publish/messages/dropped": counts["dropped for slow readers"],
            "publish/messages/denied": counts["publications denied"],
            "subscriptions/count": len(broker.tree),
            "subscriptions/denied": counts["subscriptions denied"],
            "retained messages/count": len(broker.retained),
            "retained messages/bytes": broker.retained.size,
            "store/messages/bytes": clients.owed,
        }
