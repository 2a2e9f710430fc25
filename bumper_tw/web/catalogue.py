"""The product catalogue and certificates."""

from typing import Any, Protocol

from bumper_tw.dialect import models
from bumper_tw.dialect.envelopes import bare, to_json
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, GET, Route

#: In how many ways one catalogue is kept: once per name a client has for this box.
MAX_NAMES = 4


class Certificates(Protocol):
    """What the web hands out of our keys."""

    def ca_bundle(self) -> bytes:
        """The archive of authorities (http-discovery.md 7)."""


class CatalogueRoutes:
    """What does not depend on accounts or robots, and is not data either."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._products: dict[str, bytes] = {}

    def routes(self) -> tuple[Route, ...]:
        """DI07, PC01, XX05."""
        by_class = "/api/pim/product/getProductIotMap"
        return (
            Route("/ca-certificates.tar.gz", GET, self.authorities, portal_failure),
            Route(by_class, ANY, self.products, portal_failure),
            Route("/api/pim/product/getConfigProducts", ANY, self.products, portal_failure),
        )

    def authorities(self, _: Call) -> Answer:
        """DI07."""
        disposition = ("Content-Disposition", 'attachment; filename="ca-certificates.tar.gz"')
        body = self._certificates.ca_bundle()
        return Answer(body, content_type="application/gzip", headers=(disposition,))

    def products(self, call: Call) -> Answer:
        """PC01: every class that the catalogue has a product for."""
        base_url = call.base_url
        if base_url not in self._products:
            if len(self._products) >= MAX_NAMES:
                self._products.clear()
            self._products[base_url] = to_json(bare(iot_map(base_url)))
        return Answer(self._products[base_url])


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
