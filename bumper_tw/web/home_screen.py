"""What the app asks for to draw its home screen."""

from collections.abc import Callable

from bumper_tw.errors import BadRequest
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, POST, Route, guarded

#: The tiles of a robot, and whether they do something (http-endpoints.md 5.4).  Pictures of a
#: camera would go through somebody else's service.
TILES = {"battery": True, "charge": True, "clean": True, "tmallstand": False, "video": False}

#: Products, or red dots, in one question; nobody has so many.
MAX_NAMES = 500


class HomeScreenRoutes:
    """
    Tiles and red dots.

    @param guard: lets those through who may use the portal.
    """

    def __init__(self, guard: Callable[[Call], object]) -> None:
        self._guard = guard

    def routes(self) -> tuple[Route, ...]:
        """PC05 and AD04."""
        batch = "/api/pim/product/software/config/batch"
        return (
            Route(batch, POST, guarded(self._guard, tiles), portal_failure),
            Route("/api/ecms/app/element/hint", ANY, hints, portal_failure),
        )


def tiles(call: Call) -> Answer:
    """
    PC05: one entry for each product, in the order asked; the code is that of HTTP here.

    @raise BadRequest: that are no products.
    """
    pids: list[object] = call.optional("pids", [])
    if len(pids) > MAX_NAMES or not all(isinstance(pid, str) for pid in pids):
        raise BadRequest("pids is not a list of products")
    data = [{"cfg": {"supported": TILES}, "pid": pid} for pid in pids]
    return json_answer({"code": 200, "message": "success", "ret": "ok", "data": data})


def hints(call: Call) -> Answer:
    """
    AD04: there is no red dot anywhere.

    @raise BadRequest: there are more places than any app has.
    """
    codes = call.query("codes").split(",")
    if len(codes) > MAX_NAMES:
        raise BadRequest("too many codes")
    data = dict.fromkeys(codes, False)
    return json_answer({"code": 0, "message": "success", "success": True, "data": data})
