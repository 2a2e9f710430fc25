"""Who may publish and subscribe what (mqtt.md 5.1).  What is not allowed is denied."""

from collections.abc import Iterator

from bumper_tw.dialect import plain, topics
from bumper_tw.errors import BadRequest, DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.values import Principal, Role
from bumper_tw.wire.mqtt_topics import covers

#: What a local service hears and says: all telemetry, and commands by their short names.
SERVICE_HEARS = (topics.REPORTS, plain.REPORTS, plain.REPLIES)
SERVICE_SAYS = (plain.COMMANDS,)


class MqttRules:
    """
    The access table.

    In a household every user sees every robot; the registry says which there are.
    """

    def __init__(self, registry: IDeviceRegistry) -> None:
        self._registry = registry

    def says(self, who: Principal) -> tuple[str, ...]:
        """The filters of topics that somebody may publish to."""
        if who.role is Role.ROBOT:
            return topics.robot_may_publish(who.device) + plain.robot_may_publish(who.name)
        return SERVICE_SAYS if who.role is Role.SERVICE else ()

    def may_subscribe(self, who: Principal, requested: str) -> bool:
        """Whether a filter stays within what somebody may hear."""
        return any(covers(allowed, requested) for allowed in self._hears(who, requested))

    def _hears(self, who: Principal, requested: str) -> Iterator[str]:
        """The filters that one may hear, of those that C{requested} could be about."""
        if who.role is Role.ROBOT:
            yield from topics.robot_may_subscribe(who.device)
            yield from plain.robot_may_subscribe(who.name)
        elif who.role is Role.SERVICE:
            yield from SERVICE_HEARS
        else:
            yield from topics.user_may_hear(who)
            for level in set(requested.split("/")):
                yield from self._of_robot(level)

    def _of_robot(self, did: str) -> tuple[str, ...]:
        """The filters that a user may hear of a robot; none if there is no such."""
        try:
            device = self._registry.device(did).id
            return topics.user_may_subscribe(device) + plain.user_may_subscribe(did)
        except (DeviceUnknown, BadRequest, ValueError):
            # The last two: an address that cannot be part of a filter, so nobody hears it.
            return ()
