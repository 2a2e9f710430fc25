"""Whether an answer would lead somebody away from this box."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

#: Whatever stands behind a scheme.
LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://([^/\s\"'<>\\?#]*)")
#: A name with a dot in it that ends in letters.
DOTTED = re.compile(
    r"(?<![A-Za-z0-9_@/.-])(?:[A-Za-z0-9_-]{1,63}\.){1,9}[A-Za-z]{2,24}(?![A-Za-z0-9_@-]|\.[A-Za-z])"
)
FOUR = re.compile(r"(?<![0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![0-9.])")
SIX = re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:])")
HOLE = re.compile(r"\{[A-Za-z_]+(?:\.[A-Za-z0-9_-]+)?\}")
#: What looks like a name and is a file, or stays in the house.
HARMLESS = re.compile(
    r"(?i).*\.(?:html?|png|jpe?g|gif|svg|json|js|css|gz|tar|conf|do|zip|txt|local)"
)


def strangers(text: str) -> Iterator[str]:
    """
    Every host and address that a text names: behind a scheme, as a dotted name, or as an
    address.  What stands in a hole (C{{base_url}}) is none.
    """
    text = HOLE.sub("", text)
    links = LINK.findall(text)
    yield from links
    yield from (name for name in DOTTED.findall(text) if not HARMLESS.fullmatch(name))
    yield from FOUR.findall(text)
    yield from filter(_is_six, SIX.findall(text))


def _is_six(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False
