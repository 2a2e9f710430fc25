"""What pages and scripts get to see of maps."""

from urllib.parse import quote

from twisted.internet.defer import Deferred

from bumper_tw.core.cartography import Cartography
from bumper_tw.core.maps import RobotMap
from bumper_tw.interfaces import IDeviceRegistry, ITelemetry
from bumper_tw.readings import Position
from bumper_tw.values import Device
from bumper_tw.web.dashboard.map_easels import Drawings
from bumper_tw.web.dashboard.map_image import Picture
from bumper_tw.web.dashboard.map_view import Seen
from bumper_tw.web.dashboard.robot_traits import name_of

#: Seconds between two looks that let a robot be asked for what is new.
GLANCE = 60.0


class MapSight:
    """Maps with their pictures, and who is on them."""

    def __init__(
        self,
        maps: Cartography,
        registry: IDeviceRegistry,
        telemetry: ITelemetry,
        drawings: Drawings,
    ) -> None:
        self._maps, self._registry, self._telemetry = maps, registry, telemetry
        self._drawings = drawings

    def is_online(self, did: str) -> bool:
        """Whether a robot can be asked."""
        return self._registry.online(did)

    def was_asked(self, did: str) -> bool:
        """Whether a robot has had its time to tell of a map."""
        return self._maps.surveyor.was_asked(did)

    def look(self, did: str) -> None:
        """Somebody looks at a robot: what is new is asked for, if that has not just been done."""
        self._maps.survey(did, GLANCE)

    def survey(self, did: str) -> Deferred[bool]:
        """The same, because somebody wants it now."""
        return self._maps.survey(did)

    def seen(self, device: Device) -> Deferred[Seen]:
        """The map of a robot; never fails."""
        return self._maps.known(device.id.did).addCallback(self._drawn, device)

    def _drawn(self, known: RobotMap, device: Device) -> Deferred[Seen]:
        return self._drawings.of(device.id.did, known).addCallback(self._seen, known, device)

    def _seen(self, picture: Picture | None, known: RobotMap, device: Device) -> Seen:
        did = device.id.did
        readings = (report.reading for report in self._telemetry.latest(did))
        position = next((each for each in readings if isinstance(each, Position)), Position())
        name = name_of(device, self._registry.devices())
        return Seen(did, name, known, picture, position)

    def path(self, did: str, job: str) -> "list[tuple[int, int, int]] | None":
        """Where a robot was in a job; C{None} if nobody knows."""
        return self._maps.coverage.path(did, job)


def picture_url(did: str, picture: Picture) -> str:
    """The address of the picture; it is another when the picture is."""
    return f"/api/robots/{quote(did, safe='')}/map.png?revision={picture.revision}"
