"""What a setting may be: the kinds of values, each with its own words for what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import frozen

from bumper_tw.app.addresses import is_host_name, is_target
from bumper_tw.app.ports import is_endpoint
from bumper_tw.errors import StartError

#: The parts of the server that have log levels.
PARTS = (
    "app", "core", "dns", "front", "integrations", "mqtt", "pki", "simulator", "storage", "web",
    "xmpp",
)  # fmt: skip

#: What a line of the log can be, from the least important on.
LEVELS = ("debug", "info", "warn", "error")


@frozen
class Kind:
    """
    What a setting may be.

    @ivar expected: that in words, after "expected".
    @ivar native: its types in TOML, exactly: a bool is no number to the owner.
    @ivar fit: is a value of this type a good one?
    @ivar make: the setting, from a good value.
    @ivar read: the TOML value, from the text in a variable or option.
        All three raise C{ValueError}, or L{StartError} where they know better words.
    """

    expected: str
    native: tuple[type, ...]
    fit: Callable[[Any], object] = lambda _: True
    make: Callable[[Any], object] = lambda value: value
    read: Callable[[str], object] = str

    def check(self, value: object) -> object:
        """
        The setting that C{value} makes.

        @raise ValueError: it is of another type, or not a good one.
        """
        if type(value) not in self.native or not self.fit(value):
            raise ValueError(self.expected)
        return self.make(value)


def choice(*words: str) -> Kind:
    """One of a few words."""
    return Kind("one of " + ", ".join(words), (str,), lambda word: word in words)


def whole(low: int, high: int, unit: str = "") -> Kind:
    """A number without a fraction; both ends are allowed."""
    expected = f"a whole number of {unit} from {low} to {high}"
    return Kind(expected.replace("of  ", ""), (int,), lambda n: low <= n <= high, int, int)


def number(low: float, high: float, unit: str) -> Kind:
    """A number; both ends are allowed."""
    expected = f"a number of {unit} from {low:g} to {high:g}"
    return Kind(expected, (int, float), lambda n: low <= n <= high, float, float)


def split(text: str) -> list[str]:
    """The parts of a list in text, between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _names(value: str | list[object]) -> tuple[object, ...]:
    names = split(value) if isinstance(value, str) else value
    return tuple(HOST_NAME.check(name) for name in names)


def _addresses(value: str | list[object]) -> tuple[object, ...]:
    addresses = split(value) if isinstance(value, str) else value
    return tuple(ONE_ADDRESS.check(address) for address in addresses)


def _levels(table: dict[str, object]) -> Mapping[str, object]:
    for part in table:
        known(f"log.levels.{part}", [f"log.levels.{name}" for name in PARTS])
    return MappingProxyType({part: LEVEL.check(level) for part, level in table.items()})


def _is_file(path: str) -> bool:
    """Whether C{path} can name a file: "." and "/" cannot, and are not the same as nothing."""
    return "\0" not in path and Path(path).name not in {"", ".."}


def known(name: str, names: Iterable[str]) -> str:
    """C{name}, if it is one of C{names}; the error names the nearest of them."""
    if name in names:
        return name
    short = "".join(c for c in name[:80] if c.isprintable())
    hints = [f"; did you mean {near}?" for near in get_close_matches(short, names, 1, 0.5)]
    raise StartError(f"{short} is unknown" + "".join(hints))


WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
FLAG = Kind("true or false", (bool,), read=lambda text: WORDS.get(text.lower()))
FOLDER = Kind("the path of a folder", (str,), lambda path: path and "\0" not in path, Path)
FILE = Kind('the path of a file, or ""', (str,), lambda path: not path or _is_file(path), Path)
HOST_NAME = Kind("a host name", (str,), is_host_name)
NAMES = Kind("a list of host names", (str, list), make=_names)
LEVEL = choice(*LEVELS)
PART_LEVELS = Kind(
    f"levels, each {LEVEL.expected}",
    (dict,),
    make=_levels,
    read=lambda text: dict(pair.split("=", 1) for pair in split(text)),
)
ADDRESS = Kind(
    'an IP address of this box, or ""', (str,), lambda host: not host or is_target(host)
)
ONE_ADDRESS = Kind("an IP address", (str,), is_target)
ADDRESSES = Kind("a list of IP addresses", (str, list), make=_addresses)
ENDPOINT = Kind('an endpoint such as "tcp:443"; TLS is tls = true', (str,), is_endpoint)
