"""Which of the vendor's host names our server certificate speaks for."""

from collections.abc import Iterator

#: The zones whose names robots and apps ask for (http.md 1.2).  Aliyun is not among them:
#: whoever redirects all of it breaks other devices in the house.
ZONES = (
    "ecouser.net",
    "ecouser.com",
    "ecouser.cn",
    "ecovacs.com",
    "ecovacs.net",
    "ecovacs.cn",
)

#: How every name below one of them ends.
BELOW = tuple(f".{zone}" for zone in ZONES)

#: The zone with names several labels deep; a wildcard stands for one label only.
DEEP_ZONE = "ecouser.net"

#: Data centres: those of the country list, and those seen in names.
REGIONS = ("eu", "na", "as", "ap", "ww", "cn")

#: The levels below C{ww} and below its Chinese twin C{cn} that have names under them.
SERVICES = ("dc", "area", "app", "base", "ngiot", "rop", *(f"dc-{where}" for where in REGIONS))

#: The same below C{robotww} and C{robotcn}, which robots alone use.
ROBOT_SERVICES = ("dc", "area", "ca")

#: The name a client sees as the subject, as the vendor's own certificates have it.
COMMON_NAME = f"*.{DEEP_ZONE}"


def in_zone(name: str) -> bool:
    """Is it one of the vendor's names, however deep?  In lower case."""
    return name in ZONES or name.endswith(BELOW)


def vendor_names() -> tuple[str, ...]:
    """Every name and wildcard of the vendor, the one of the subject first."""
    return (COMMON_NAME, *_shallow(), *_deep())


def _shallow() -> Iterator[str]:
    for zone in ZONES:
        yield zone
        if zone != DEEP_ZONE:
            yield f"*.{zone}"


def _deep() -> Iterator[str]:
    for world in ("ww", "cn"):
        yield f"*.{world}.{DEEP_ZONE}"
        yield from (f"*.{service}.{world}.{DEEP_ZONE}" for service in SERVICES)
        yield f"*.robot{world}.{DEEP_ZONE}"
        yield from (f"*.{service}.robot{world}.{DEEP_ZONE}" for service in ROBOT_SERVICES)
