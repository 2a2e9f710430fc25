"""
The entries of data files: text in, records out (C{docs/answers.rst} has the format).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from attrs import frozen

from bumper_tw.dialect.envelopes import parse_json, to_json
from bumper_tw.web.call import JSON, Answer
from bumper_tw.web.engine.envelopes import ENVELOPES, FILES, NOTHING, TEXTS, page
from bumper_tw.web.engine.template import NO_STORE, Filling, Template
from bumper_tw.web.routes import ANY

#: Bytes of one file, entries in it, and how deep one may be nested.
MAX_FILE = 1 << 20
MAX_ENTRIES = 2000
MAX_DEPTH = 32
#: The largest body an upload may be allowed.
MAX_ROOM = 64 << 20
METHODS = ("GET", "POST", "PUT")
#: A path: literal segments, C{{P}} and C{{name}}; a slash at the end counts.
PATH = re.compile(r"(?:/(?:\{[A-Za-z_]+\}|[A-Za-z0-9._~*@$+=,:;!'()-]*))+")
#: C{{P}} has its place.
PRIVATE = re.compile(r"/v[123]/private/\{P\}/+[^/].*")
FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(?:; charset=utf-8)?")


class Kind(Enum):
    """What happens besides the answer."""

    ANSWER = "answer"
    SINK = "sink"
    UPLOAD = "upload"
    UPDATE = "update"


#: What an entry may say, and as what.
SHAPE: Mapping[str, type | tuple[type, ...]] = {
    "id": str, "about": str, "path": str, "also": list, "methods": list, "envelope": str,
    "by": str, "bodies": dict, "file": str, "kind": str, "status": int, "type": str,
    "room": int, "instead": bool,
}  # fmt: skip

#: Finds a file beside the one that names it.
Beside = Callable[[str], bytes]


@frozen
class Entry:
    """
    One answer.

    @ivar id: the row of the endpoint tables it is for; the owner's need none.
    @ivar paths: the patterns it is under; see L{bumper_tw.web.engine.paths.Paths.add}.
    @ivar by: the query parameter that chooses among C{bodies}; for any other value it is
        C{default}.
    @ivar values: the same bodies before their holes were found, for descriptions; in the
        end of it stands the default.
    @ivar room: bytes that its requests may be long; 0 for as many as everybody's.
    @ivar instead: whether it goes before an answer of the program.
    @ivar origin: where it stands.
    """

    id: str
    about: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    kind: Kind
    envelope: str
    by: str
    bodies: Mapping[str, Template]
    default: Template
    values: tuple[Any, ...]
    status: int
    content_type: str
    room: int
    instead: bool
    origin: str

    def render(self, filling: Filling) -> Answer:
        """The answer to one request."""
        chosen = self.bodies.get(filling.call.query(self.by)) if self.by else None
        made = chosen or self.default
        headers = NO_STORE if made.links else ()
        return Answer(made.fill(filling), self.status, self.content_type, headers)


def parse(text: bytes, origin: str, beside: Beside) -> tuple[Entry, ...]:
    """
    The entries of one file.

    @param origin: how the file is called.
    @raise ValueError: it says something else than the format; the text tells which entry.
    """
    if len(text) > MAX_FILE:
        raise ValueError(f"{origin}: more than {MAX_FILE} bytes")
    try:
        found = parse_json(text)
    except ValueError as wrong:
        raise ValueError(f"{origin}: {wrong}") from wrong
    if not isinstance(found, list) or len(found) > MAX_ENTRIES:
        raise ValueError(f"{origin}: not a list of at most {MAX_ENTRIES} entries")
    return tuple(_parsed(found, origin, beside))


def _parsed(found: list[Any], origin: str, beside: Beside) -> Iterator[Entry]:
    taken: set[tuple[str, str]] = set()
    for number, said in enumerate(found, 1):
        place = f"{origin}: entry {number}"
        try:
            entry = parse_entry(said, place, beside)
            _once(entry, taken)
        except ValueError as wrong:
            raise ValueError(f"{place}: {wrong}") from wrong
        yield entry


def _once(entry: Entry, taken: set[tuple[str, str]]) -> None:
    for path in entry.paths:
        for method in entry.methods:
            if (path, method) in taken:
                raise ValueError(f"{path} is there twice")
            taken.add((path, method))


def parse_entry(said: Any, origin: str, beside: Beside) -> Entry:
    """
    One entry.

    @raise ValueError: it says something else than the format.
    """
    check_shape(said)
    envelope, name = said["envelope"], said.get("file", "")
    bodies = said.get("bodies", {})
    values = (*bodies.values(), said.get("body", NOTHING))
    *chosen, default = (template(envelope, value, name, beside) for value in values)
    return Entry(
        id=said.get("id", ""),
        about=said.get("about", ""),
        paths=checked_paths(said),
        methods=checked_methods(said.get("methods", list(ANY))),
        kind=Kind(said.get("kind", "answer")),
        envelope=envelope,
        by=said.get("by", ""),
        bodies=dict(zip(bodies, chosen, strict=True)),
        default=default,
        values=tuple(wrapped(envelope, value) for value in values),
        status=said.get("status", 200),
        content_type=content_type(said),
        room=said.get("room", 0),
        instead=said.get("instead", False),
        origin=origin,
    )


def check_shape(said: Any) -> None:
    """
    Only known words, and of their kind.

    @raise ValueError: otherwise.
    """
    if not isinstance(said, dict):
        raise ValueError("not an object")
    for name in ("path", "envelope"):
        if name not in said:
            raise ValueError(f"{name} is missing")
    for name, value in said.items():
        if name != "body" and not _is(value, SHAPE.get(name, ())):
            raise ValueError(f"{name} is unknown or of the wrong kind")
    _check_values(said)


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _check_values(said: Mapping[str, Any]) -> None:
    if said["envelope"] not in (*ENVELOPES, *TEXTS):
        raise ValueError(f"there is no envelope {said['envelope']}")
    if too_deep(said):
        raise ValueError("nested too deeply")
    if ("by" in said) != ("bodies" in said):
        raise ValueError("by and bodies go together")
    if not 200 <= said.get("status", 200) <= 599:
        raise ValueError("status is between 200 and 599")
    if not 0 <= said.get("room", 0) <= MAX_ROOM:
        raise ValueError(f"room is at most {MAX_ROOM}")
    if said.get("kind", "answer") not in {kind.value for kind in Kind}:
        raise ValueError(f"kind is one of {', '.join(kind.value for kind in Kind)}")


def too_deep(value: object) -> bool:
    """Whether a value is nested deeper than L{MAX_DEPTH}."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in children(each)]
        if not level:
            return False
    return True


def children(value: object) -> Iterable[object]:
    """What a value is made of."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def checked_paths(said: Mapping[str, Any]) -> tuple[str, ...]:
    """
    The paths of an entry.

    @raise ValueError: one of them is none.
    """
    paths = (said["path"], *said.get("also", ()))
    for path in paths:
        if not isinstance(path, str) or not PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a path")
        if "{P}" in path and (not PRIVATE.fullmatch(path) or path.count("{P}") > 1):
            raise ValueError("{P} stands behind /v1/private/, /v2/private/ or /v3/private/")
    return paths


def checked_methods(said: list[Any]) -> tuple[str, ...]:
    """
    The methods of an entry.

    @raise ValueError: one of them is none that entries have.
    """
    if not said or not all(method in METHODS for method in said) or len(set(said)) < len(said):
        raise ValueError(f"methods are some of {', '.join(METHODS)}")
    return tuple(said)


def content_type(said: Mapping[str, Any]) -> str:
    """
    What the answer is.

    @raise ValueError: it is nothing that could stand in a header.
    """
    usual = TEXTS.get(said["envelope"], JSON) or FILES.get(said.get("file", "").rpartition(".")[2])
    chosen = said.get("type", usual) or "application/octet-stream"
    if not TYPE.fullmatch(chosen):
        raise ValueError("type is like text/plain; charset=utf-8")
    return str(chosen)


def wrapped(envelope: str, body: Any) -> Any:
    """A body in its envelope; C{None} for one that is no JSON."""
    return ENVELOPES[envelope](body) if envelope in ENVELOPES else None


def template(envelope: str, body: Any, name: str, beside: Beside) -> Template:
    """
    What an answer is made of.

    @raise ValueError: the body cannot be in this envelope, or has a hole that nobody fills.
    """
    if (envelope == "file") != bool(name):
        raise ValueError("file is for the envelope of this name")
    if envelope in ENVELOPES:
        made = Template.parse(to_json(ENVELOPES[envelope](body)).decode("utf-8"))
        # A time is a number, which nothing can be called.
        parse_json(made.sample())
        return made
    if envelope == "file":
        if not FILE.fullmatch(name):
            raise ValueError("file is the name of one in the same folder")
        return Template.plain(beside(name))
    # Nothing is replaced in a text: what is sent to us cannot become part of a page.
    return Template.plain(as_text(envelope, body).encode("utf-8"))


def as_text(envelope: str, body: Any) -> str:
    """
    The body of an answer that is no JSON.

    @raise ValueError: it is no text, nor (for a page) an object of a title and texts.
    """
    match envelope, body:
        case "empty", _ if body is NOTHING:
            return ""
        case (("html" | "text"), str()):
            return body
        case "html", {"title": str(title), "text": [*texts]} if all(
            isinstance(text, str) for text in texts
        ):
            return page(title, *texts)
    raise ValueError("a page is a text, or an object with a title and a list called text")
