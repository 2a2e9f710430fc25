"""Which robots the app can pair, and how (http-endpoints.md 5.2 to 5.8)."""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from sys import intern
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from attrs import evolve, frozen

from bumper_tw.dialect import models

TABLE = Path(__file__).with_name("data") / "pairing.csv"

#: What the two lists of the table are called there.
GROUPS, FLAT = "groups", "confignet"

#: What a robot needs of an app where the table is silent: any version will do.
ANY_VERSION = "1.0.0"

#: Characters of a QR code, and parameters in it; those on robots have a tenth.
MAX_CODE, MAX_PARAMETERS = 2048, 20

#: Under which word of the help's tree a category stands; whatever else there is, under L{MORE}.
ROOTS = {"DEEBOT": "DEEBOT", "WINBOT": "WINBOT", "GOATBOT": "GOAT"}
MORE = "MORE"


@frozen
class Pairable:
    """
    One robot in the picker of the pairing wizard.

    @ivar series_id: the family it stands in; empty in the flat list.
    @ivar category: empty in the flat list where nobody knows it.
    @ivar class_id: empty in the flat list.
    @ivar smart_type: how it is paired (http-endpoints.md 5.8), and
    @ivar smart_types: in which further ways.
    @ivar icon_id: of its picture.
    @ivar apps: which editions of the app know it.
    @ivar android: the oldest version that does, as C{ios} and C{harmony}.
    @ivar check_tips: what the vendor calls so, a number.
    @ivar steps: how many pages of the wizard the vendor has for it.
    """

    group_id: str
    series_id: str
    name: str
    category: str
    sort: int
    class_id: str
    smart_type: str
    smart_types: tuple[str, ...]
    icon_id: str
    popular: bool
    apps: tuple[str, ...]
    android: str
    ios: str
    harmony: str
    material_no: str
    fail_count: int
    check_tips: int
    steps: int
    ota: bool


@frozen
class Family:
    """Robots that stand together in the picker."""

    id: str
    name: str
    sort: int
    robots: tuple[Pairable, ...]


@frozen
class Table:
    """
    All that can be paired.

    @ivar families: with their robots, in the vendor's order.
    @ivar flat: what older apps show, in one list.
    @ivar classes: the first robot of each class.
    """

    families: tuple[Family, ...]
    flat: tuple[Pairable, ...]
    classes: Mapping[str, Pairable]


@frozen
class Code:
    """
    What the QR code on a robot says; either part may be empty.

    @ivar serial: its serial number.
    @ivar class_id: its class.
    """

    serial: str
    class_id: str


@frozen
class Branch:
    """
    A knot of the help's tree (http-endpoints.md 5.5).

    @ivar id: of a family or of a robot; for a root one of ours, as the vendor's are not known.
    """

    id: str
    name: str
    children: tuple["Branch", ...] = ()


def robot(class_id: str) -> Pairable | None:
    """What the wizard shows for a class; C{None} when it does not know it."""
    return table().classes.get(class_id)


def read_code(text: str) -> Code | None:
    """
    What a QR code says: it is a URL with C{sn} and C{mid} in its query.

    @return: C{None} when it is something else, or longer than a code can be.
    """
    if len(text) > MAX_CODE:
        return None
    try:
        found = parse_qs(urlsplit(text).query, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    serial, class_id = (found.get(name, [""])[0] for name in ("sn", "mid"))
    return Code(serial, class_id) if serial or class_id else None


def tree() -> tuple[Branch, ...]:
    """The robots by category and family, each name once in a family."""
    roots: dict[str, list[Branch]] = {name: [] for name in (*ROOTS.values(), MORE)}
    for family in table().families:
        root = ROOTS.get(family.robots[0].category, MORE)
        roots[root].append(Branch(family.id, family.name, leaves(family.robots)))
    return tuple(Branch(id_of(name), name, tuple(found)) for name, found in roots.items())


def id_of(name: str) -> str:
    """An id of ours that looks like the vendor's: 24 hexadecimal digits."""
    return name.encode().hex()[:24].ljust(24, "0")


def leaves(robots: Sequence[Pairable]) -> tuple[Branch, ...]:
    """Robots as the ends of the tree; those of one name are one."""
    named: dict[str, Branch] = {}
    for each in robots:
        named.setdefault(each.name, Branch(each.group_id, each.name))
    return tuple(named.values())


@cache
def table() -> Table:
    """The whole table; read when it is first asked for, and kept."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups = [row for row in rows if row["list"] == GROUPS]
    made = families(groups)
    robots = [each for family in made for each in family.robots]
    # Reversed, as the first of a class is the one that counts.
    classes = {each.class_id: each for each in reversed(robots)}
    categories = {each.name: each.category for each in robots}
    flat = [named(entry(row), categories) for row in rows if row["list"] == FLAT]
    return Table(made, tuple(flat), MappingProxyType(classes))


def families(rows: Sequence[Mapping[str, str]]) -> tuple[Family, ...]:
    """The families in the order of the table."""
    members: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        members.setdefault(row["family_id"], []).append(row)
    return tuple(map(family_of, members.values()))


def family_of(rows: Sequence[Mapping[str, str]]) -> Family:
    """One family, by the rows of its robots."""
    first = rows[0]
    return Family(
        first["family_id"],
        first["family_name"],
        int(first["family_sort"]),
        tuple(map(entry, rows)),
    )


def named(robot: Pairable, categories: Mapping[str, str]) -> Pairable:
    """A robot of the flat list with its category: by its name, as it has no class there."""
    known = categories.get(robot.name) or models.category_of_name(robot.name)
    return evolve(robot, category=intern(known))


def entry(row: Mapping[str, str]) -> Pairable:
    """One row of the table; words that many rows share are kept once."""
    return Pairable(
        group_id=row["group_id"],
        series_id=intern(row["family_id"]),
        name=row["group_name"],
        category=intern(row["category"]),
        sort=int(row["sort"]),
        class_id=row["mid"],
        smart_type=intern(row["smart_type"]),
        smart_types=models.words(row["smart_types"]),
        icon_id=row["icon_id"],
        popular=row["is_popular"] == "1",
        apps=models.words(row["belong_app"]),
        android=intern(row["min_android"] or ANY_VERSION),
        ios=intern(row["min_ios"] or ANY_VERSION),
        harmony=intern(row["min_harmony"] or ANY_VERSION),
        material_no=row["material_no"],
        fail_count=int(row["fail_count"]),
        check_tips=int(row["check_tips"]),
        steps=int(row["steps"]),
        ota=row["ota"] == "1",
    )
