"""What is known of each robot class: protocol, payloads and catalogue (http-devices.md 1)."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from sys import intern
from types import MappingProxyType

from attrs import frozen

from bumper_tw.values import Company, PayloadKind

CATALOGUE = Path(__file__).with_name("data") / "products.csv"

#: How the catalogue names a payload kind; where it is silent, JSON is the rule.
FORMATS = {"json": PayloadKind.JSON, "xml": PayloadKind.XML, "": PayloadKind.JSON}

#: What names begin with, and the category of such robots; whatever else there is, is L{UNKNOWN}.
NAMED = {"DEEBOT": "DEEBOT", "GOAT": "GOATBOT", "WINBOT": "WINBOT"}
UNKNOWN = "UNKNOWN"


@frozen
class Model:
    """
    One robot class.

    The texts are the vendor's, who does not fill in all of them for every class.

    @ivar name: what a shop calls it.
    @ivar category: what the app calls C{product_category} (http-devices.md 1.1).
    @ivar kind: how it writes its payloads.
    @ivar ui_logic_id: which screens the app shows for it.
    @ivar smart_type: how it is paired; see L{scode}.
    @ivar ota: whether it takes firmware over the air.
    @ivar supported: features the vendor says it has: C{share}, C{alexa}, C{assistant}.
    @ivar unsupported: features the vendor says it has not.
    """

    class_id: str
    name: str
    category: str
    company: Company
    kind: PayloadKind
    model: str
    material_no: str
    ui_logic_id: str
    product_id: str
    icon_id: str
    smart_type: str
    ota: bool
    supported: tuple[str, ...]
    unsupported: tuple[str, ...]

    def supports(self, feature: str) -> bool | None:
        """Does the vendor say so?  C{None}: he says nothing."""
        if feature in self.supported:
            return True
        return False if feature in self.unsupported else None


def model(class_id: str) -> Model | None:
    """What is known of a class; C{None} if it is in no catalogue."""
    return catalogue().get(class_id)


def all_models() -> tuple[Model, ...]:
    """Every class that is known, ordered by its id."""
    return tuple(catalogue().values())


def payload_kind(class_id: str) -> PayloadKind:
    """How robots of a class write; XMPP robots all write XML, unknown ones JSON."""
    known = model(class_id)
    if known is not None:
        return known.kind
    return PayloadKind.XML if company(class_id) is Company.XMPP else PayloadKind.JSON


def company(class_id: str) -> Company:
    """What clients choose a protocol by (http-devices.md 1)."""
    known = model(class_id)
    return usual_company(class_id) if known is None else known.company


def usual_company(class_id: str) -> Company:
    """XMPP robots have classes of three digits (http-devices.md 1)."""
    numeric = len(class_id) == 3 and class_id.isascii() and class_id.isdigit()
    return Company.XMPP if numeric else Company.MQTT


def scode(smart_type: str) -> dict[str, object]:
    """What the app may offer for a robot, by its C{smart_type} (http-devices.md 1.2)."""
    if smart_type.startswith("BLAP"):
        bluetooth = {"bt_mode": True, "ff_mode": True, "fwPlat": "DZ"}
        return {"battery": True, "appArchVer": "2.0", **bluetooth}
    wide = smart_type.startswith("MQ")
    return {
        "battery": True,
        "tmallstand": wide,
        "video": wide,
        "clean": True,
        "charge": True,
        "chargestate": True,
    }


def category_of_name(name: str) -> str:
    """The category of a robot of which no more than its name is known (http-devices.md 1.1)."""
    begins = (category for word, category in NAMED.items() if name.startswith(word))
    return next(begins, UNKNOWN)


@cache
def catalogue() -> Mapping[str, Model]:
    """Every known class by its id; read when it is first asked for, and kept."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["class_id"]: entry(row) for row in csv.DictReader(file)})


def entry(row: dict[str, str]) -> Model:
    """One row of the catalogue; words that many rows share are kept once."""
    class_id = row["class_id"]
    named = Company(row["company"]) if row["company"] else usual_company(class_id)
    return Model(
        class_id=class_id,
        name=row["name"],
        category=intern(row["category"]),
        company=named,
        kind=FORMATS[row["data_format"]],
        model=row["model"],
        material_no=row["material_no"],
        ui_logic_id=row["ui_logic_id"],
        product_id=row["product_id"],
        icon_id=row["icon_id"],
        smart_type=intern(row["smart_type"]),
        ota=row["ota"] == "1",
        supported=words(row["support"]),
        unsupported=words(row["unsupported"]),
    )


def words(cell: str) -> tuple[str, ...]:
    """A cell with several words."""
    return tuple(map(intern, cell.split("|"))) if cell else ()
