"""Countries and regions as the vendor's clients know them (http-discovery.md 3 and 4)."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

TABLE = Path(__file__).with_name("data") / "areas.csv"

#: The data centre of a continent.  The vendor's own table puts most of Europe into America
#: and looks cut off, so this is simpler and better (http-discovery.md 3).
CENTRES = {"eu": "eu", "as": "ap"}

ELSEWHERE = "na"


@frozen
class Area:
    """
    One country or region.

    @ivar code: two capital letters, with the vendor's own C{UK} and C{IC}.
    @ivar index_letter: under which letter a Chinese reader looks for it.
    @ivar list_place: its place in the app's list; C{None} if it is not shown.
    @ivar code_place: its place among the codes a client may ask about; C{None} if the
        vendor refuses it.
    @ivar continent: C{eu}, C{as}, C{na}, C{ww}, or empty where clients name none.
    """

    code: str
    english: str
    chinese: str
    index_letter: str
    list_place: int | None
    code_place: int | None
    continent: str


def data_centre(area: str) -> str | None:
    """
    The data centre of an area: C{eu}, C{ap} or C{na}.

    @param area: its code, in any case.
    @return: C{None} for a code that nobody uses.
    """
    known = table().get(area.upper())
    return None if known is None else CENTRES.get(known.continent, ELSEWHERE)


def codes() -> tuple[str, ...]:
    """The codes that an error names as possible, in the vendor's order and small letters."""
    placed = [(area.code_place, area.code) for area in table().values() if area.code_place]
    return tuple(code.lower() for _, code in sorted(placed))


def areas() -> tuple[Area, ...]:
    """What the app offers to choose from, in the vendor's order."""
    placed = [(area.list_place, area) for area in table().values() if area.list_place]
    return tuple(area for _, area in sorted(placed, key=lambda pair: pair[0]))


@cache
def table() -> Mapping[str, Area]:
    """Every area by its code; read when it is first asked for, and kept."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: entry(row) for row in csv.DictReader(file)})


def entry(row: dict[str, str]) -> Area:
    """One row of the table."""
    return Area(
        row["code"],
        row["en_name"],
        row["zh_name"],
        row["py_first"],
        place(row["get_areas_order"]),
        place(row["dc_order"]),
        row["client_continent"],
    )


def place(cell: str) -> int | None:
    """A place in an order, from 1."""
    return int(cell) if cell else None
