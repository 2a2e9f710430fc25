"""
What clients ask for that nobody answers here: the report by which gaps close.

Nothing in it tells whose robot it was, or what was in the request: of a path what could be
somebody's becomes a star, and of queries and bodies only names and kinds are kept.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.shelf import key_of
from bumper_tw.core.tallies import Tallies, Tally
from bumper_tw.interfaces import IRecordStore

#: As many paths are listed, and as many ways of asking for each.
PATHS, SHAPES = 300, 8
#: As many segments of a path, names in a query or a body, and levels of a body are looked at.
SEGMENTS, NAMES, DEPTH = 20, 40, 3

#: The name on disk.
SHELF = "unknown paths"

#: What may stand in a path or be the name of a field.
WORD = re.compile(r"[A-Za-z0-9._-]{1,40}")
#: Hexadecimal digits, however they are grouped, are an id, an address or a hash.
HEX = re.compile(r"[0-9a-fA-F]{8,}")
#: Serial numbers, times and counters.
DIGITS = re.compile(r"\d{5,}")
#: How long a word is taken for a token that has so many digits; the longer ones are in mixed case.
TOKEN, TOKEN_DIGITS = 10, 4
MIXED, MIXED_DIGITS = 16, 2
#: The private API, whose seven segments tell who asks (http.md 1.6).
PRIVATE = re.compile(r"/(v\d)/private/(?:[^/]*/){7}/?(.*)", re.DOTALL)
PRIVATE_NAME = "{P}"
STAR = "*"

#: Sizes of bodies, each up to so many bytes.
SIZES = ((0, ""), (256, "256 B"), (4096, "4 kB"), (65_536, "64 kB"))
LARGE = "larger"

#: How kinds of JSON values are called.
KINDS = ((bool, "boolean"), (str, "text"), (int, "number"), (float, "number"), (list, "array"))


@frozen
class Seen:
    """
    A request, as it came.

    @ivar query: names of parameters.
    @ivar body: its fields; C{None} for none that can be read.
    @ivar size: of the body, in bytes.
    @ivar app: what asked, and its version, as C{name/1.2.3}; or nothing.
    @ivar family: of the path; empty for none.
    """

    method: str
    path: str
    peer: str = ""
    query: Sequence[str] = ()
    body: Any = None
    content_type: str = ""
    size: int = 0
    app: str = ""
    family: str = ""


@frozen
class Unknown(Tally):
    """
    One path that nobody answers.

    @ivar shapes: how it was asked for, each way once.
    """

    method: str = ""
    path: str = ""
    family: str = ""
    shapes: tuple[Mapping[str, Any], ...] = field(default=())


class UnknownPaths:
    """The report."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: IRecordStore) -> None:
        self._told_full = False
        self._paths = Tallies(clock, store, SHELF, Unknown, PATHS)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return self._paths.load(store)

    def report(self) -> list[Unknown]:
        """All of it, what was seen first in front."""
        return list(self._paths)

    @property
    def unlisted(self) -> int:
        """How many requests are not in it, because there was no room."""
        return self._paths.lost

    def flush(self) -> Deferred[Any]:
        """Write what has been counted."""
        return self._paths.flush()

    def forget(self) -> Deferred[None]:
        """Begin anew."""
        return self._paths.drop_where(lambda _: True)

    def note(self, seen: Seen, is_own: Callable[[str], bool]) -> bool:
        """
        Somebody asked for a path that nobody answers.

        @param is_own: whether a text names something of this house: a robot, a class, a user.
        @return: whether for the first time, and there was room to list it.
        """
        method = seen.method if seen.method.isalpha() and len(seen.method) <= 10 else STAR
        path, shape = redacted(seen.path, is_own), shape_of(seen, is_own)
        key = key_of(method, path)
        if self._paths.again(key, lambda known: with_shape(known, shape)):
            return False
        if self._paths.full:
            self._paths.lost += 1
            self._tell_full()
            return False
        unknown = Unknown(method=method, path=path, family=seen.family, shapes=(shape,))
        added = self._paths.add(key, unknown, seen.peer)
        if added:
            self._log.info(
                "nobody answers {method} {path}; bumper unknown tells more",
                method=method,
                path=path,
            )
        return added

    def _tell_full(self) -> None:
        if not self._told_full:
            self._log.warn("more than {most} unknown paths: further ones not listed", most=PATHS)
            self._told_full = True


def with_shape(known: Unknown, shape: Mapping[str, Any]) -> Unknown:
    """The same, asked for in this way, too."""
    if shape in known.shapes or len(known.shapes) >= SHAPES:
        return known
    return evolve(known, shapes=(*known.shapes, shape))


def redacted(path: str, is_own: Callable[[str], bool]) -> str:
    """A path without what could be somebody's."""
    found = PRIVATE.fullmatch(path)
    head, rest = (f"/{found[1]}/private/{PRIVATE_NAME}/", found[2]) if found else ("/", path[1:])
    segments = rest.split("/")
    more = ["..."] if len(segments) > SEGMENTS else []
    return head + "/".join([*(bare(each, is_own) for each in segments[:SEGMENTS]), *more])


def bare(word: str, is_own: Callable[[str], bool]) -> str:
    """A word, or a star for one that tells too much."""
    return word if not word or (is_plain(word) and not is_own(word)) else STAR


def is_plain(word: str) -> bool:
    """Whether a word looks like part of an interface, and not like a value."""
    if WORD.fullmatch(word) is None or DIGITS.search(word):
        return False
    if HEX.fullmatch(re.sub("[._-]", "", word)):
        return False
    return not is_token(word)


def is_token(word: str) -> bool:
    """Whether a word looks made by chance."""
    digits = sum(letter.isdigit() for letter in word)
    mixed = len(word) >= MIXED and not (word.islower() or word.isupper())
    return (len(word) >= TOKEN and digits >= TOKEN_DIGITS) or (mixed and digits >= MIXED_DIGITS)


def shape_of(seen: Seen, is_own: Callable[[str], bool]) -> dict[str, Any]:
    """What a request was made of, as JSON; what is not there is left out."""
    parts = {
        "query": sorted({bare(name, is_own) for name in seen.query[:NAMES]}),
        "body": dict(sorted(fields(seen.body, is_own))[:NAMES]),
        "type": media_type(seen.content_type),
        "size": size_class(seen.size),
        "app": seen.app,
    }
    return {name: part for name, part in parts.items() if part}


def fields(
    value: Any, is_own: Callable[[str], bool], above: str = "", depth: int = DEPTH
) -> Iterable[tuple[str, str]]:
    """The names of the fields in a body, with dots between the levels, and their kinds."""
    if not isinstance(value, dict):
        return
    for name, inner in list(value.items())[:NAMES]:
        full = above + bare(name, is_own)
        yield full, kind_of(inner)
        if depth > 1:
            yield from fields(inner, is_own, f"{full}.", depth - 1)


def kind_of(value: Any) -> str:
    """How the kind of a JSON value is called."""
    if value is None:
        return "null"
    return next((name for kind, name in KINDS if isinstance(value, kind)), "object")


def media_type(text: str) -> str:
    """The type of a body, without parameters."""
    kind = text.partition(";")[0].strip().lower()
    return kind if re.fullmatch(r"[a-z]{1,20}/[a-z.+-]{1,40}", kind) else STAR if kind else ""


def size_class(size: int) -> str:
    """Roughly how long a body was."""
    return next((name for most, name in SIZES if size <= most), LARGE)
