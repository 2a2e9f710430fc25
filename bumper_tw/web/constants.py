"""
Answers that never change, from C{data/answers.json}; to add one takes no Python.

Each entry has

  - C{path}: a route, where C{{P}} is the front of the private API (http.md 1.6);
  - C{methods}: which ones; both GET and POST when left out;
  - C{envelope}: C{private}, C{app}, C{bare}, C{todo} (S1 to S4, http.md 2), C{raw} for JSON as
    it stands, or C{html} for a page;
  - C{body}: what goes into it.  The words C{{host}}, C{{base_url}}, C{{country}} and
    C{{now_ms}} in its texts are replaced; a text that is C{{now_ms}}, or C{{later_ms}} for
    half a day later, and nothing else becomes a number.  In a page nothing is replaced;
  - C{by} and C{bodies}, instead: the query parameter that chooses among several bodies; for
    any other value it is C{body}.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from bumper_tw.dialect.envelopes import app_ok, bare, private_ok, to_json, todo_ok
from bumper_tw.errors import StartError
from bumper_tw.web.call import JSON, Answer, Call
from bumper_tw.web.routes import ANY, PRIVATE

HTML = "text/html; charset=utf-8"

#: A placeholder in JSON text; the time also without the quotes around it.
HOLE = re.compile(r'("\{(?:now|later)_ms\}"|\{[a-z_]+\})')
#: How far C{later_ms} is away: half a day.
LATER_MS = 12 * 3600 * 1000

#: What can stand in for a placeholder.
FILLERS: dict[str, Callable[[Call, int], str]] = {
    '"{now_ms}"': lambda _, now: str(now),
    "{now_ms}": lambda _, now: str(now),
    '"{later_ms}"': lambda _, now: str(now + LATER_MS),
    "{host}": lambda call, _: call.host,
    "{base_url}": lambda call, _: call.base_url,
    "{country}": lambda call, _: quoted(call.segments.get("country", "us").upper()),
}

#: How an entry's body is wrapped; a page is not.
ENVELOPES: dict[str, Callable[[Any], Any]] = {
    "private": lambda body: {**private_ok(body, 0), "time": "{now_ms}"},
    "app": app_ok,
    "bare": bare,
    "todo": todo_ok,
    "raw": lambda body: body,
}

#: What an entry may say, and as what.
SHAPE: dict[str, type] = {
    "path": str, "methods": list, "envelope": str, "by": str, "bodies": dict,
}  # fmt: skip


def quoted(text: str) -> str:
    """C{text} as it stands between the quotes of JSON."""
    return to_json(text).decode("utf-8")[1:-1]


@frozen
class Template:
    """A text with holes in it."""

    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """
        Find the holes.

        @raise ValueError: nobody knows what belongs into one.
        """
        pieces = tuple(HOLE.split(text))
        for hole in pieces[1::2]:
            if hole not in FILLERS:
                raise ValueError(f"nobody knows {hole}")
        return cls(pieces)

    def fill(self, call: Call, now_ms: int) -> bytes:
        """The text for one request."""
        filled = list(self.pieces)
        filled[1::2] = [FILLERS[hole](call, now_ms) for hole in self.pieces[1::2]]
        return "".join(filled).encode("utf-8")


@frozen
class Constant:
    """One entry of the file: what it answers, to which value of which parameter."""

    path: str
    methods: tuple[str, ...]
    private: bool
    content_type: str
    by: str
    bodies: Mapping[str, Template]
    default: Template

    def render(self, call: Call, now_ms: int) -> Answer:
        """The answer to one request."""
        chosen = self.bodies.get(call.query(self.by)) if self.by else None
        return Answer((chosen or self.default).fill(call, now_ms), content_type=self.content_type)


def parse_entry(entry: dict[str, Any]) -> Constant:
    """
    An entry of the file.

    @raise ValueError: it says something else than the format above.
    """
    check_shape(entry)
    envelope = entry["envelope"]
    bodies = {key: template(envelope, body) for key, body in entry.get("bodies", {}).items()}
    return Constant(
        entry["path"].replace("{P}", PRIVATE.removeprefix("/<version>")),
        tuple(entry.get("methods", ANY)),
        envelope == "private",
        HTML if envelope == "html" else JSON,
        entry.get("by", ""),
        bodies,
        template(envelope, entry["body"]),
    )


def check_shape(entry: dict[str, Any]) -> None:
    """
    Only known words, and of their kind.

    @raise ValueError: otherwise.
    """
    for name in ("path", "envelope", "body"):
        if name not in entry:
            raise ValueError(f"{name} is missing")
    for name, value in entry.items():
        if name != "body" and not isinstance(value, SHAPE.get(name, ())):
            raise ValueError(f"{name} is unknown or of the wrong kind")
    if not set(entry.get("methods", ANY)) <= set(ANY):
        raise ValueError("methods are GET and POST")


def template(envelope: str, body: Any) -> Template:
    """
    A body in its envelope.

    @raise ValueError: there is no such envelope, or the body cannot be in it.
    """
    if envelope == "html":
        if not isinstance(body, str):
            raise ValueError("a page is a text")
        return Template((body,))
    if envelope not in ENVELOPES:
        raise ValueError(f"there is no envelope {envelope}")
    return Template.parse(to_json(ENVELOPES[envelope](body)).decode("utf-8"))


def load(path: Path) -> tuple[Constant, ...]:
    """
    The constant answers in a file.

    @raise StartError: it is not there, or not of the format above; the text says where.
    """
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise StartError(f"{path}: {wrong}") from wrong
    return tuple(parsed(entries, path))


def parsed(entries: Any, path: Path) -> Iterator[Constant]:
    """The entries one by one; see L{load}."""
    seen = set()
    for number, entry in enumerate(entries, 1):
        try:
            constant = parse_entry(entry)
        except (ValueError, TypeError) as wrong:
            raise StartError(f"{path}: entry {number}: {wrong}") from wrong
        if constant.path in seen:
            raise StartError(f"{path}: entry {number}: {constant.path} is there twice")
        seen.add(constant.path)
        yield constant
