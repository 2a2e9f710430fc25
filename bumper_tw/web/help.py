"""The app's help, as far as it is about the robots that are here (http-endpoints-app.md 6)."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.fleet import Fleet
from bumper_tw.dialect import models
from bumper_tw.dialect.envelopes import private_failed, private_ok
from bumper_tw.values import Device
from bumper_tw.web.accounts import private_code
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import ANY, Route, private

#: In which versions of the private API somebody may ask.
VERSIONS = ("v1", "v2", "v3")


class HelpRoutes:
    """
    For which robots there is help.

    @param user: who uses the private API; empty for nobody in particular.
    """

    def __init__(self, clock: IReactorTime, fleet: Fleet, user: Callable[[Call], str]) -> None:
        self._clock, self._fleet, self._user = clock, fleet, user

    def routes(self) -> Iterator[Route]:
        """HP01."""
        for version in VERSIONS:
            yield Route(private(version, "/help/getHelpIndex"), ANY, self.index, self.failed)

    def index(self, call: Call) -> Answer:
        """
        HP01: the products of the robots that somebody may use, each once.

        @raise LoginRefused: nobody who may ask.
        """
        own = self._fleet.seen_by(self._user(call))
        # Of several robots of a class the first counts.
        products = {each.id.model: product(each, call.base_url) for each in reversed(own)}
        data = {"indexProductList": list(reversed(products.values())), "moreHelpModuleList": []}
        return json_answer(private_ok(data, self._now_ms()))

    def failed(self, _: Call, why: Exception) -> Answer:
        """E9."""
        return json_answer(private_failed(private_code(why), str(why), self._now_ms()))

    def _now_ms(self) -> int:
        return int(self._clock.seconds() * 1000)


def product(device: Device, base_url: str) -> dict[str, Any]:
    """What a robot is; one that no catalogue knows has the name of its class."""
    class_id = device.id.model
    model = models.model(class_id)
    return {
        "imgUrl": f"{base_url}/api/pim/api/pim/file/get/{(model and model.icon_id) or class_id}",
        "isConfNet": "Y",
        "marketName": model.name if model else class_id,
        "materialNo": model.material_no if model else "",
        "model": model.model if model else "",
        "productId": (model and model.product_id) or class_id,
    }
