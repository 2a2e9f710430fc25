"""
Finding what belongs to a path.

Three kinds of pattern: literal paths, found in a dictionary; those of the private API, by what
follows its seven segments, in any version; and those with a variable segment, in a tree.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from attrs import Factory, define, frozen

from bumper_tw.web.routes import PRIVATE

T = TypeVar("T")

VERSIONS = (b"v1", b"v2", b"v3")
#: How many segments the private API has between its prefix and the name of the endpoint.
SEVEN = 7
#: The names of the seven segments.
SEGMENTS = tuple(re.findall(r"<(\w+)>", PRIVATE))[1:]
#: A pattern of the private API: its version, and what follows the segments.
FRONT = re.compile(
    r"/(v[123])/private/(?:\{P\}|" + "/".join(f"<{name}>" for name in SEGMENTS) + r")/+([^/].*)"
)
HOLE = re.compile(r"[<{](\w+)[>}]")
#: Where the table keeps the private API; no path begins so.
INSIDE = b"{P}"
#: More segments than that are not looked at.
MAX_SEGMENTS = 40


@frozen
class Found(Generic[T]):
    """
    What belongs to a path.

    @ivar methods: by method; C{HEAD} goes with C{GET}.
    @ivar segments: the variable parts, decoded.
    """

    methods: Mapping[bytes, T]
    segments: dict[str, str]


@define
class Leaf(Generic[T]):
    """What belongs to one pattern, by version (empty outside of the private API) and method."""

    names: tuple[str, ...] = ()
    versions: dict[bytes, dict[bytes, T]] = Factory(dict)

    def of(self, version: bytes) -> dict[bytes, T]:
        """
        What is there for a version: an app asks the next one sooner or later, and hardly
        anything has ever changed between them.  So it is the next lower one, or the lowest.
        """
        found = self.versions.get(version)
        if found is None:
            known = sorted(self.versions)
            found = self.versions[max((v for v in known if v < version), default=known[0])]
        return found


@define
class Node(Generic[T]):
    """A place in the tree: what follows by name, what follows by any name, what is here."""

    named: dict[bytes, "Node[T]"] = Factory(dict)
    any: "Node[T] | None" = None
    leaf: Leaf[T] | None = None

    def child(self, part: bytes | None) -> "Node[T]":
        """What follows, made if need be; C{None} stands for any name."""
        if part is not None:
            return self.named.setdefault(part, Node())
        if self.any is None:
            self.any = Node()
        return self.any

    def find(self, parts: Sequence[bytes], at: int = 0) -> tuple[Leaf[T], list[bytes]] | None:
        """
        The leaf of a path, and its variable parts.  A name that fits goes before any name.
        """
        if at == len(parts):
            return (self.leaf, []) if self.leaf is not None else None
        part = parts[at]
        named = self.named.get(part)
        found = named.find(parts, at + 1) if named is not None else None
        if found is None and self.any is not None and part:
            found = self.any.find(parts, at + 1)
            if found is not None:
                found[1].insert(0, part)
        return found


class Paths(Generic[T]):
    """The table."""

    def __init__(self) -> None:
        self._exact: dict[bytes, Leaf[T]] = {}
        self._tree: Node[T] = Node()

    def add(self, pattern: str, methods: Iterable[str], what: T, yielding: bool = False) -> None:
        """
        Put something under a pattern.

        @param pattern: a literal path; or one in which C{<name>} or C{{name}} stands for a
            segment, and C{{P}} behind C{/v1/private/} for the seven of the private API.
        @param yielding: leave what is there already.
        @raise ValueError: there is something already.
        """
        version, path = split(pattern)
        there = self._leaf(path).versions.setdefault(version, {})
        for method in (method.encode("ascii") for method in methods):
            if method not in there:
                there[method] = what
            elif not yielding:
                raise ValueError(f"{pattern} is taken for {method.decode('ascii')}")
        if b"GET" in there:
            there.setdefault(b"HEAD", there[b"GET"])

    def _leaf(self, path: bytes) -> Leaf[T]:
        parts = path.split(b"/")[0 if path.startswith(INSIDE) else 1 :]
        holes = [HOLE.fullmatch(part.decode("utf-8")) for part in parts[1:]]
        holes.insert(0, None if path.startswith(INSIDE) else HOLE.fullmatch(parts[0].decode()))
        names = tuple(hole[1] for hole in holes if hole)
        if not names:
            return self._exact.setdefault(path, Leaf())
        node = self._tree
        for part, hole in zip(parts, holes, strict=True):
            node = node.child(None if hole else part)
        if node.leaf is None:
            node.leaf = Leaf(names)
        return node.leaf

    def find(self, path: bytes) -> Found[T] | None:
        """
        What belongs to a path as it stands in a request.

        @raise ValueError: what would be a variable part is not UTF-8.
        """
        leaf = self._exact.get(path)
        if leaf is not None:
            return Found(leaf.versions[b""], {})
        if path[1:3] in VERSIONS and path[3:12] == b"/private/":
            return self._private(path)
        return self._walk(path.split(b"/")[1:], b"", {}) or self._decoded(path)

    def _decoded(self, path: bytes) -> Found[T] | None:
        """A literal path that was sent with more percents than needed."""
        if b"%" not in path:
            return None
        leaf = self._exact.get(unquote_to_bytes(path))
        return Found(leaf.versions[b""], {}) if leaf is not None else None

    def _private(self, path: bytes) -> Found[T] | None:
        parts = path.split(b"/", 3 + SEVEN)
        if len(parts) != 4 + SEVEN or not all(parts[3:-1]):
            return None
        # The app doubles the slash of one of its paths (http.md 3).
        name = INSIDE + b"/" + parts[-1].lstrip(b"/")
        segments = dict(zip(SEGMENTS, map(decoded, parts[3:-1]), strict=True))
        leaf = self._exact.get(name) or self._exact.get(unquote_to_bytes(name))
        if leaf is not None:
            return Found(leaf.of(parts[1]), segments)
        return self._walk(name.split(b"/"), parts[1], segments)

    def _walk(
        self, parts: Sequence[bytes], version: bytes, segments: dict[str, str]
    ) -> Found[T] | None:
        found = self._tree.find(parts) if len(parts) <= MAX_SEGMENTS else None
        if found is None:
            return None
        leaf, values = found
        named = dict(zip(leaf.names, map(decoded, values), strict=True))
        return Found(leaf.of(version), {**segments, **named})


def split(pattern: str) -> tuple[bytes, bytes]:
    """The version of a pattern, empty outside of the private API, and where it is kept."""
    private = FRONT.fullmatch(pattern)
    if private is None:
        return b"", pattern.encode("utf-8")
    return private[1].encode("ascii"), INSIDE + b"/" + private[2].encode("utf-8")


def decoded(part: bytes) -> str:
    """
    A variable part of a path.

    @raise ValueError: it is not UTF-8.
    """
    text = unquote_to_bytes(part) if b"%" in part else part
    return text.decode("utf-8")
