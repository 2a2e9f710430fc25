"""
What clients ask for that nobody answers here: the report by which gaps close.

Nothing in it tells whose robot it was, or what was in the request: of a path what could be
somebody's becomes a star, and of queries and bodies only names and kinds are kept.
"""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.shelf import key_of
from bumper_tw.core.tallies import Tallies, Tally
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore

#: As many paths are listed, and as many ways of asking for each.
PATHS, SHAPES = 300, 8
#: As many segments of a path, names in a query or a body, and levels of a body are looked at.
SEGMENTS, NAMES, DEPTH = 20, 40, 3

#: The name on disk.
SHELF = "unknown paths"

#: What may stand in a path or be the name of a field that no endpoint here has: letters in
#: C{camelCase} or C{snake_case}, as a file perhaps; or a version.
LONGEST = 40
WORD = re.compile(r"([A-Za-z]+(?:_[A-Za-z]+)*)(?:\.(?:do|html|json|js|css|png|jpe?g|gif|svg))?")
VERSION = re.compile(r"v\d{1,2}(?:\.\d{1,2})?")
#: What such a word is made of: its parts are as long as parts of words are, and not as short as
#: they are between the capitals of a token.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LONGEST_PART, LONGEST_CAPITALS, FEW, USUAL, MOST_PARTS = 16, 6, 2, 3, 8
#: Long parts without one are nothing that could be said.
VOWELS, UNSPOKEN = frozenset("aeiouyAEIOUY"), 4
#: Hexadecimal digits are an id, an address or a hash, even if they are letters only.
HEX = re.compile(r"[a-fA-F_]{8,}")
#: The private API, whose seven segments tell who asks (http.md 1.6).
PRIVATE = re.compile(r"/(v\d)/private/(?:[^/]*/){7}/?(.*)", re.DOTALL)
#: What looks like it.
ALMOST_PRIVATE = re.compile(r"/(v\d{1,2})/private(?:/.*)?", re.DOTALL)
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
        # One more, for what comes before another goes.
        self._paths = Tallies(clock, store, SHELF, Unknown, PATHS + 1)
        # Who asked first is known as long as this runs, and never told.
        self._peers: dict[str, str] = {}

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        self._peers.clear()
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
        self._peers.clear()
        return self._paths.drop_where(lambda _: True)

    def note(
        self, seen: Seen, is_own: Callable[[str], bool], known: Container[str] = frozenset()
    ) -> bool:
        """
        Somebody asked for a path that nobody answers.

        @param is_own: whether a text names something of this house: a robot, a class, a user.
        @param known: the words that paths of this program are made of.
        @return: whether for the first time, and there was room to list it.
        """
        method = seen.method if seen.method.isalpha() and len(seen.method) <= 10 else STAR
        bare = Bare(is_own, known)
        path, shape = redacted(seen.path, bare), shape_of(seen, bare)
        key = key_of(method, path)
        if self._paths.again(key, lambda known: with_shape(known, shape)):
            return False
        least = self._least() if len(self._paths) >= PATHS else ""
        if least is None:
            self._paths.lost += 1
            self._tell_full()
            return False
        unknown = Unknown(method=method, path=path, family=seen.family, shapes=(shape,))
        added = self._paths.add(key, unknown, seen.peer)
        if added:
            self._peers[key] = seen.peer
            self._make_room(least)
            self._log.info(
                "nobody answers {method} {path}; bumper unknown tells more",
                method=method,
                path=path,
            )
        return added

    def _keyed(self) -> Iterable[tuple[str, Unknown]]:
        return ((key_of(each.method, each.path), each) for each in self._paths)

    def _least(self) -> str | None:
        """
        The newest of what only one request was for, among those of the peer that has the most
        of them: whoever makes up paths makes room for others.
        """
        once = [key for key, each in self._keyed() if each.count == 1]
        peers = Counter(self._peers.get(key, "") for key in once)
        most = max(peers, key=lambda peer: peers[peer], default="")
        return next((key for key in reversed(once) if self._peers.get(key, "") == most), None)

    def _make_room(self, least: str) -> None:
        if least:
            self._paths.lost += 1
            self._peers.pop(least, None)
            self._paths.drop(least).addErrback(self._undropped)
            self._tell_full()

    def _undropped(self, failure: Failure) -> None:
        """The disk refuses: the next start finds one too many."""
        failure.trap(StorageError)
        self._log.warn("{what} not saved: {why}", what=SHELF, why=failure.getErrorMessage())

    def _tell_full(self) -> None:
        if not self._told_full:
            self._log.warn("more than {most} unknown paths: further ones not listed", most=PATHS)
            self._told_full = True


def with_shape(known: Unknown, shape: Mapping[str, Any]) -> Unknown:
    """The same, asked for in this way, too."""
    if shape in known.shapes or len(known.shapes) >= SHAPES:
        return known
    return evolve(known, shapes=(*known.shapes, shape))


@frozen
class Bare:
    """
    Tells words of an interface from what could be somebody's.

    @ivar is_own: whether a text names something of this house.
    @ivar known: words that are in the paths of this program anyhow.
    """

    is_own: Callable[[str], bool]
    known: Container[str] = frozenset()

    def __call__(self, word: str) -> str:
        """The word, or a star for one that may tell too much."""
        if not word or word in self.known:
            return word
        return word if is_plain(word) and not self.is_own(word) else STAR


def redacted(path: str, bare: Callable[[str], str]) -> str:
    """
    A path without what could be somebody's.

    @param bare: such a word, or a star.
    """
    found, almost = PRIVATE.fullmatch(path), ALMOST_PRIVATE.fullmatch(path)
    if almost and not found:
        return f"/{almost[1]}/private/{PRIVATE_NAME}"
    head, rest = (f"/{found[1]}/private/{PRIVATE_NAME}/", found[2]) if found else ("/", path[1:])
    segments = rest.split("/", SEGMENTS)
    more = ["..."] if len(segments) > SEGMENTS else []
    return head + "/".join([*map(bare, segments[:SEGMENTS]), *more])


def is_plain(word: str) -> bool:
    """Whether a word looks like part of an interface, and not like a value."""
    if len(word) > LONGEST:
        return False
    found = WORD.fullmatch(word)
    if found is None or HEX.fullmatch(word):
        return VERSION.fullmatch(word) is not None
    parts = PART.findall(found[1])
    return len(parts) <= MOST_PARTS and are_usual(parts) and all(map(is_spoken, parts))


def are_usual(parts: Sequence[str]) -> bool:
    """Whether parts of a word are not shorter than in words of somebody's making."""
    letters, alone = sum(map(len, parts)), sum(len(part) == 1 for part in parts)
    return len(parts) <= FEW or (letters >= USUAL * len(parts) and alone <= 1)


def is_spoken(part: str) -> bool:
    """Whether somebody could have called something so."""
    if len(part) > (LONGEST_CAPITALS if part.isupper() else LONGEST_PART):
        return False
    return len(part) <= UNSPOKEN or not VOWELS.isdisjoint(part)


def shape_of(seen: Seen, bare: Callable[[str], str]) -> dict[str, Any]:
    """What a request was made of, as JSON; what is not there is left out."""
    parts = {
        "query": sorted({bare(name) for name in seen.query[:NAMES]}),
        "body": dict(sorted(islice(fields(seen.body, bare), NAMES))),
        "type": media_type(seen.content_type),
        "size": size_class(seen.size),
        "app": program(seen.app, bare),
    }
    return {name: part for name, part in parts.items() if part}


def program(app: str, bare: Callable[[str], str]) -> str:
    """What asked, and its version, if its name looks like that of a program."""
    name, _, version = app.partition("/")
    words = re.split("[.-]", name)
    return app if app and [*map(bare, words)] == words else f"{STAR}/{version}" if app else ""


def fields(
    value: Any, bare: Callable[[str], str], above: str = "", depth: int = DEPTH
) -> Iterable[tuple[str, str]]:
    """The names of the fields in a body, with dots between the levels, and their kinds."""
    if not isinstance(value, dict):
        return
    for name, inner in islice(value.items(), NAMES):
        full = above + bare(name)
        yield full, kind_of(inner)
        if depth > 1:
            yield from fields(inner, bare, f"{full}.", depth - 1)


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
