"""Maps over our own API."""

from collections.abc import Callable

from twisted.internet.defer import Deferred

from bumper_tw.core.fleet import Fleet
from bumper_tw.errors import DeviceOffline, DeviceUnknown
from bumper_tw.values import Device, Principal
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.map_sight import MapSight, picture_url
from bumper_tw.web.dashboard.map_view import Seen, map_values
from bumper_tw.web.routes import GET, POST, Route


class MapRoutes:
    """
    The routes.

    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
    """

    def __init__(self, fleet: Fleet, sight: MapSight, guard: Callable[[Call], Principal]) -> None:
        self._fleet, self._sight, self._guard = fleet, sight, guard

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        robot = "/api/robots/<did>/"
        return (
            Route(robot + "map", GET, self.map, failure),
            Route(robot + "map.png", GET, self.picture, failure),
            Route(robot + "map/survey", POST, self.survey, failure),
            Route(robot + "cleanings/<job>/path", GET, self.path, failure),
        )

    def _robot(self, call: Call) -> Device:
        return self._fleet.robot(self._guard(call).name, call.segments["did"])

    def map(self, call: Call) -> Deferred[Answer]:
        """A map, with where the robot is and has been."""
        device = self._robot(call)
        return self._sight.seen(device).addCallback(render_map)

    def picture(self, call: Call) -> Deferred[Answer]:
        """Its floor."""
        device, known = self._robot(call), call.header("if-none-match")
        return self._sight.seen(device).addCallback(render_picture, known)

    def survey(self, call: Call) -> Answer:
        """
        Have the robot asked for what is new; what comes is told as it comes.

        @raise DeviceOffline: it cannot be asked.
        """
        did = self._robot(call).id.did
        if not self._sight.is_online(did):
            raise DeviceOffline(f"{did} is offline")
        self._sight.survey(did)
        return json_answer({"did": did, "asked": True})

    def path(self, call: Call) -> Answer:
        """
        Where the robot was in a job.

        @raise DeviceUnknown: nobody knows.
        """
        did, job = self._robot(call).id.did, call.segments["job"]
        found = self._sight.path(did, job)
        if found is None:
            raise DeviceUnknown("nobody knows where the robot was then")
        return json_answer({"did": did, "job": job, "points": found})


def render_map(seen: Seen) -> Answer:
    """A map."""
    url = "" if seen.picture is None else picture_url(seen.did, seen.picture)
    return json_answer(map_values(seen, url))


def render_picture(seen: Seen, known: str) -> Answer:
    """
    A picture, unless the browser has it.

    @raise DeviceUnknown: there is none.
    """
    if seen.picture is None:
        raise DeviceUnknown("there is no map of this robot yet")
    etag = f'"{seen.picture.revision}"'
    headers = (("ETag", etag), ("Cache-Control", "private, no-cache"))
    if etag in known:
        return Answer(b"", 304, headers=headers)
    return Answer(seen.picture.png, content_type="image/png", headers=headers)
