"""Answers that are files: constants, the product catalogue, certificates, pictures."""

from pathlib import Path
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

from bumper_tw.dialect import models
from bumper_tw.dialect.envelopes import (
    FAILED,
    app_ok,
    bare,
    private_failed,
    to_json,
)
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.constants import Constant
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, GET, Excuse, Route

#: The files of this module: C{answers.json} and C{robot.png}.
DATA = Path(__file__).with_name("data")

#: In how many ways one catalogue is kept: once per name a client has for this box.
MAX_NAMES = 4


class Certificates(Protocol):
    """What the web hands out of our keys."""

    def ca_bundle(self) -> bytes:
        """The archive of authorities (http-discovery.md 7)."""


class CatalogueRoutes:
    """
    Whatever does not depend on accounts or robots.

    @param answers: see L{bumper_tw.web.constants.load}.
    @param picture: what is shown for every product, in the PNG format.
    """

    def __init__(
        self,
        clock: IReactorTime,
        certificates: Certificates,
        answers: tuple[Constant, ...],
        picture: bytes,
    ) -> None:
        self._clock, self._certificates = clock, certificates
        self._answers, self._picture = answers, picture
        self._products: dict[str, bytes] = {}

    def routes(self) -> tuple[Route, ...]:
        """DI07, OT01, OT02, OT05, PC01, XX05, the pictures, and every constant answer."""
        by_class = "/api/pim/product/getProductIotMap"
        wukong = "/api/ota/products/wukong/class/<class_id>/firmware/latest.json"
        return (
            Route("/ca-certificates.tar.gz", GET, self.authorities, portal_failure),
            Route("/v0.1/public/codepush/update_check", GET, self.bundle, portal_failure),
            Route("/api/appsvr/codepush/checkupdate", ANY, self.bundle_app, portal_failure),
            Route(wukong, ANY, self.firmware, portal_failure),
            Route(by_class, ANY, self.products, portal_failure),
            Route("/api/pim/product/getConfigProducts", ANY, self.products, portal_failure),
            *(Route(path, ANY, self.picture, portal_failure) for path in PICTURES),
            *map(self._constant, self._answers),
        )

    def _constant(self, constant: Constant) -> Route:
        def answer(call: Call) -> Answer:
            return constant.render(call, self._now_ms())

        failure: Excuse = self.private_failure if constant.private else portal_failure
        return Route(constant.path, constant.methods, answer, failure)

    def _now_ms(self) -> int:
        return int(self._clock.seconds() * 1000)

    def authorities(self, _: Call) -> Answer:
        """DI07."""
        disposition = ("Content-Disposition", 'attachment; filename="ca-certificates.tar.gz"')
        body = self._certificates.ca_bundle()
        return Answer(body, content_type="application/gzip", headers=(disposition,))

    def bundle(self, call: Call) -> Answer:
        """OT01: there is no newer screen for any robot."""
        return json_answer({"update_info": no_bundle(call)})

    def bundle_app(self, call: Call) -> Answer:
        """OT02: the same, wrapped."""
        return json_answer(app_ok({"update_info": no_bundle(call)}))

    def firmware(self, _: Call) -> Answer:
        """OT05: what the vendor says when there is nothing newer; robots stay as they are."""
        return Answer(b"Not Found", 404, "text/plain; charset=utf-8")

    def picture(self, _: Call) -> Answer:
        """One for all; it does not change, so an app may keep it."""
        keep = ("Cache-Control", "max-age=86400")
        return Answer(self._picture, content_type="image/png", headers=(keep,))

    def products(self, call: Call) -> Answer:
        """PC01: every class that the catalogue has a product for."""
        base_url = call.base_url
        if base_url not in self._products:
            if len(self._products) >= MAX_NAMES:
                self._products.clear()
            self._products[base_url] = to_json(bare(iot_map(base_url)))
        return Answer(self._products[base_url])

    def private_failure(self, _: Call, why: Exception) -> Answer:
        """E9."""
        return json_answer(private_failed(FAILED, str(why), self._now_ms()))


#: Where clients look for pictures (http-endpoints.md 9.1).
PICTURES = (
    "/api/pim/file/get/<id>",
    "/api/pim/api/pim/file/get/<id>",
    "/api/ecms/file/get/<id>",
    "/api/pim/product/image",
    "/pim/images/<id>",
    "/public/<id>/<image>",
    "/upload/global/<year>/<month>/<day>/<id>",
)


def iot_map(base_url: str) -> list[dict[str, Any]]:
    """Class by class, what it is (http-endpoints.md 5.1)."""
    return [
        {"classid": model.class_id, "product": iot_product(model, base_url)}
        for model in models.all_models()
        if model.product_id
    ]


def iot_product(model: models.Model, base_url: str) -> dict[str, Any]:
    """One product.  Its flags must be booleans; one client cannot read anything else."""
    supported = dict.fromkeys(model.supported, True)
    return {
        "_id": model.product_id,
        "materialNo": model.material_no,
        "smartType": model.smart_type,
        "name": model.name,
        "icon": model.icon_id,
        "model": model.model,
        "UILogicId": model.ui_logic_id,
        "ota": model.ota,
        "supportType": {**supported, **dict.fromkeys(model.unsupported, False)},
        "iconUrl": f"{base_url}/api/pim/file/get/{model.icon_id}",
        "status": "valid",
    }


def no_bundle(call: Call) -> dict[str, Any]:
    """What says that the app has the newest screen for its robot (http-endpoints.md 8.1)."""
    return {
        "download_url": "",
        "description": "",
        "is_available": False,
        "is_disabled": True,
        "target_binary_range": call.query("app_version", "1.0.0"),
        "label": call.query("label"),
        "package_hash": call.query("package_hash"),
        "package_size": 0,
        "should_run_binary_version": False,
        "update_app_version": False,
        "is_mandatory": False,
        "deployment_key": call.query("deployment_key"),
        "deployment_name": call.query("deployment_name", "Production"),
        "publish_time": 0,
    }
