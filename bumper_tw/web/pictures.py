"""
Pictures, drawn by us: one for each category of robots (http-endpoints.md 9.1), for each kind of
part that wears off, and for the pairing wizard.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from bumper_tw.dialect import models, pairing
from bumper_tw.errors import StartError
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.consumables import CONSUMABLES
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import ANY, GET, Route

#: Each drawing is an SVG file; the PNG beside it, which apps get, is made from it by
#: C{python -m tools.pictures}.
PICTURES = Path(__file__).with_name("data") / "pictures"

#: The drawing of a category of robots.
DRAWN = {
    "DEEBOT": "vacuum",
    "WINBOT": "window",
    "GOATBOT": "mower",
    "AIRBOT": "purifier",
    "Air-Quality-Monitor": "monitor",
    "POOLBOT": "pool",
}
#: The drawing of a part that wears off, by its kind.
PARTS = {
    "sideBrush": "sidebrush",
    "brush": "brush",
    "heap": "filter",
    "dustBag": "dustbag",
    "oneTimeCloth": "cloth",
    "unitCare": "care",
    "dModule": "capsule",
}
#: For whatever else an app may want to see.
NEUTRAL = "robot"

#: Drawings for the pages of the pairing wizard, and what they are known by there: ids of ours
#: that look like the vendor's.
GUIDES = {pairing.id_of(f"guide {name}"): name for name in ("power", "press", "qcode")}

#: Where clients look for pictures, and by which methods.
PATHS = {
    "/api/pim/file/get/<id>": ANY,
    "/api/pim/api/pim/file/get/<id>": ANY,
    "/api/ecms/file/get/<id>": ANY,
    "/api/pim/product/image": GET,
    "/pim/images/<id>": ANY,
    "/public/<id>/<image>": ANY,
    "/upload/global/<year>/<month>/<day>/<id>": ANY,
}

#: How clients may name a product in a query.
NAMES = ("id", "icon", "iconId", "mid", "pid", "productId", "materialNo", "model", "classid")

#: For how long an app need not ask again.
KEEP = ("Cache-Control", "public, max-age=86400")


@frozen
class Picture:
    """
    One picture as it is sent.

    @ivar tag: says whether it is still the same (RFC 9110, 8.8.3).
    """

    body: bytes
    tag: str

    def answer(self, known: str) -> Answer:
        """
        The picture; or no more than that it is still the same.

        @param known: the C{If-None-Match} of the request.
        """
        headers = (KEEP, ("ETag", self.tag))
        tags = {each.strip().removeprefix("W/") for each in known.split(",")}
        if self.tag in tags or "*" in tags:
            return Answer(b"", 304, "image/png", headers)
        return Answer(self.body, content_type="image/png", headers=headers)


class PictureRoutes:
    """Shows a robot of the category that an id stands for, and some robot for every other id."""

    def __init__(self, pictures: Mapping[str, Picture]) -> None:
        """
        @param pictures: by the names of their drawings.
        """
        self._pictures = pictures
        self._drawings: Mapping[str, str] | None = None

    def routes(self) -> Iterator[Route]:
        """FI01 to FI07."""
        for path, methods in PATHS.items():
            yield Route(path, methods, self.picture, portal_failure)

    def picture(self, call: Call) -> Answer:
        """
        Whatever the request names.

        @raise BadRequest: it has more parameters than anybody sends.
        """
        drawing = next(filter(None, map(self._drawing, named_in(call))), NEUTRAL)
        return self._pictures[drawing].answer(call.header("if-none-match"))

    def _drawing(self, name: str) -> str | None:
        if self._drawings is None:
            self._drawings = {**drawings(), **parts(), **GUIDES}
        return self._drawings.get(name)


def named_in(call: Call) -> Iterator[str]:
    """What a request may name a picture by: an id in its path, or a product in its query."""
    for segment in ("image", "id"):
        yield call.segments.get(segment, "").partition(".")[0]
    yield from (call.query(name) for name in NAMES)


def drawings() -> dict[str, str]:
    """The drawing for each id of a picture, product, material, model and class."""
    found: dict[str, str] = {}
    for category, ids in known():
        if category in DRAWN:
            found.update((each, DRAWN[category]) for each in ids if each)
    return found


def parts() -> dict[str, str]:
    """The drawing for the icon of each part."""
    return {each.icon: PARTS[each.type] for each in CONSUMABLES if each.type in PARTS}


def known() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every robot there is: its category, and what it is known by."""
    table = pairing.table()
    for robot in (*table.flat, *(each for family in table.families for each in family.robots)):
        yield robot.category, (robot.icon_id, robot.class_id)
    for model in models.all_models():
        ids = (model.icon_id, model.product_id, model.material_no, model.class_id, model.model)
        yield model.category, ids


def load() -> dict[str, Picture]:
    """
    Read the pictures.

    @raise StartError: one is missing.
    """
    names = (*DRAWN.values(), *PARTS.values(), *GUIDES.values(), NEUTRAL)
    return {name: read(name) for name in names}


def read(name: str) -> Picture:
    """
    Read one picture.

    @raise StartError: it cannot be read.
    """
    path = PICTURES / f"{name}.png"
    try:
        body = path.read_bytes()
    except OSError as wrong:
        raise StartError(f"{path}: {wrong.strerror}") from wrong
    return Picture(body, f'"{sha256(body).hexdigest()[:16]}"')
