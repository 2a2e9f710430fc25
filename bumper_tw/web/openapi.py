"""
What all of this answers, as an OpenAPI 3.1 document.

Paths and methods come from the routes, shapes of constant answers from the data that they are
made of.  What our own API takes and gives is written down in C{data/own_api}.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import field, frozen

from bumper_tw import __version__
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.errors import BadRequest
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.engine.entries import Entry
from bumper_tw.web.engine.envelopes import ENVELOPES
from bumper_tw.web.engine.wrapping import is_own
from bumper_tw.web.routes import GET, PRIVATE, Layer, Route

DATA = Path(__file__).with_name("data")

OWN, VENDOR = "own", "vendor"
HOLE = re.compile(r"[<{](\w+)[>}]")
#: A text of a constant answer that becomes a number.
NUMBER = re.compile(r"\{(?:now|later)_ms\}")
#: What is ours besides what is below C{/api}.
OURS = frozenset({"/discover", "/healthz", "/metrics", "/readyz"})
#: Pages for people, which are no part of any API.
PAGES = re.compile(r"/ca(/.*)?")
#: What may come from a route of the vendor's that is code: nobody has written that down.
ANYTHING: Mapping[str, Any] = {"*/*": {}}
JSON = "application/json"

#: How OpenAPI calls what has no parts.
SCALARS: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}

Operation = dict[str, Any]


@frozen
class Documented:
    """
    Everything that is answered.

    @ivar routes: those that are code.
    @ivar entries: those that are data.
    """

    routes: tuple[Route, ...]
    entries: tuple[Entry, ...] = field(default=())


class OpenApiRoutes:
    """
    Serves the document.

    @param documented: gives what there is at the moment.
    """

    def __init__(self, documented: Callable[[], Documented]) -> None:
        self._documented = documented
        self._of: tuple[Entry, ...] | None = None
        self._rendered: dict[str, bytes] = {}

    def routes(self) -> tuple[Route, ...]:
        """C{/api/openapi.json}."""
        return (Route("/api/openapi.json", GET, self.show, failure),)

    def show(self, call: Call) -> Answer:
        """All of it, or the part that C{tag} names; there are no secrets in it."""
        tag = call.query("tag")
        if tag not in {"", OWN, VENDOR}:
            raise BadRequest(f"tag is neither {OWN} nor {VENDOR}")
        body = self._document(tag)
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        if etag in call.header("if-none-match"):
            return Answer(b"", 304, headers=(("ETag", etag),))
        return Answer(body, headers=(("ETag", etag), ("Cache-Control", "no-cache")))

    def _document(self, tag: str) -> bytes:
        documented = self._documented()
        # The owner's answers are read anew when he says so; then they are other objects.
        if documented.entries != self._of:
            self._of = documented.entries
            self._rendered.clear()
        if tag not in self._rendered:
            self._rendered[tag] = to_json(document(documented, tag))
        return self._rendered[tag]


@cache
def described() -> Mapping[str, Any]:
    """What is written down of our own API."""
    found: dict[str, Any] = {"schemas": {}, "operations": {}}
    for file in sorted((DATA / "own_api").glob("*.json")):
        for part, named in json.loads(file.read_text("utf-8")).items():
            found[part] |= named
    return found


def document(documented: Documented, tag: str = "") -> dict[str, Any]:
    """
    The document.

    @param tag: C{own}, C{vendor}, or nothing for both.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bumper_tw",
            "version": __version__,
            "description": "The API of this box, and what it answers in the vendor's place.",
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": OWN, "description": "of this box"},
            {"name": VENDOR, "description": "as apps and robots expect it"},
        ],
        "paths": paths(documented, tag),
        "components": {
            "schemas": described()["schemas"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def paths(documented: Documented, tag: str) -> dict[str, dict[str, Operation]]:
    """Every path with its operations; what comes first in two layers counts."""
    found: dict[str, dict[str, Operation]] = {}
    spelled: dict[str, str] = {}
    for path, method, operation in sorted_operations(documented):
        # Two spellings that differ in the names of their segments are one path.
        known = spelled.setdefault(HOLE.sub("{}", path), path)
        if tag in {"", *operation["tags"]}:
            found.setdefault(known, {}).setdefault(method.lower(), operation)
    return found


def sorted_operations(documented: Documented) -> Iterator[tuple[str, str, Operation]]:
    """The owner's answers that go before everything, then code, then data."""
    instead = [entry for entry in documented.entries if entry.instead]
    others = [entry for entry in documented.entries if not entry.instead]
    yield from entry_operations(instead)
    for route in documented.routes:
        if route.layer is Layer.CODE:
            yield from route_operations(route)
    yield from entry_operations(others)


def entry_operations(entries: Iterable[Entry]) -> Iterator[tuple[str, str, Operation]]:
    """One for each path and method of each entry."""
    for entry in entries:
        for path in map(spelling, entry.paths):
            for method in entry.methods:
                yield path, method, entry_operation(entry, path)


def route_operations(route: Route) -> Iterator[tuple[str, str, Operation]]:
    """One for each method of a route."""
    path = spelling(route.path)
    if route.here is not None or PAGES.fullmatch(path):
        return
    for method in route.methods:
        if is_ours(path):
            yield path, method, own_operation(path, method)
        else:
            yield path, method, vendor_operation(path)


def spelling(path: str) -> str:
    """A path as OpenAPI spells it."""
    front = PRIVATE.removeprefix("/<version>/private")
    return HOLE.sub(r"{\1}", path.replace("/{P}", front))


def is_ours(path: str) -> bool:
    """Whether it is of our own API."""
    return path in OURS or is_own(path)


def segments(path: str) -> list[dict[str, Any]]:
    """The parameters in a path."""
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in HOLE.findall(path)
    ]


def own_operation(path: str, method: str) -> Operation:
    """
    One of our own, as it is written down.

    @raise KeyError: it is not.
    """
    about = described()["operations"][f"{method} {path}"]
    queries = [
        {"name": name, "in": "query", **query} for name, query in about.get("query", {}).items()
    ]
    operation: Operation = {
        "tags": [OWN],
        "summary": about["about"],
        "parameters": [*segments(path), *queries],
        "responses": own_responses(about),
    }
    if "body" in about:
        content = {JSON: {"schema": about["body"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation | ({} if about.get("public") else {"security": [{"token": []}]})


def own_responses(about: Mapping[str, Any]) -> dict[str, Any]:
    """What may come back."""
    kind = about.get("type", JSON)
    shape = {"schema": about["answer"]} if "answer" in about else {}
    done = {"content": {kind: shape}}
    alike = {
        str(code): {"description": HTTPStatus(code).phrase} | done
        for code in about.get("alike", ())
    }
    wrong = [*about.get("errors", ()), *([] if about.get("public") else [401]), 405]
    return (
        {"200": {"description": "done"} | done}
        | alike
        | {str(code): own_failure(code) for code in sorted(wrong)}
    )


def own_failure(code: int) -> dict[str, Any]:
    """One of the ways in which it does not go well."""
    told = {"description": HTTPStatus(code).phrase}
    if code == HTTPStatus.NOT_MODIFIED:
        return told
    return told | {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}


def vendor_operation(path: str) -> Operation:
    """One of the vendor's that is code: what is known of it is in the documents only."""
    return {
        "tags": [VENDOR],
        "parameters": segments(path),
        "responses": {
            "200": {"description": "an answer, or the refusal of its family", "content": ANYTHING},
            "4XX": {"description": "cannot be understood", "content": ANYTHING},
        },
    }


def entry_operation(entry: Entry, path: str) -> Operation:
    """One that is data."""
    kind = entry.content_type.partition(";")[0]
    shape = {"schema": entry_schema(entry)} if entry.envelope in ENVELOPES else {}
    content = {kind: shape}
    operation: Operation = {
        "tags": [VENDOR],
        "parameters": [*segments(path), *chosen_by(entry)],
        "responses": {str(entry.status): {"description": "always the same", "content": content}},
    }
    return operation | ({"summary": entry.about} if entry.about else {})


def chosen_by(entry: Entry) -> list[dict[str, Any]]:
    """The query parameter that the answer depends on, with those values that make a difference."""
    if not entry.by:
        return []
    values = sorted(entry.bodies)
    return [{"name": entry.by, "in": "query", "schema": {"type": "string", "examples": values}}]


def entry_schema(entry: Entry) -> dict[str, Any]:
    """What the bodies of an entry have in common, one by one."""
    schemas: list[dict[str, Any]] = []
    for value in entry.values:
        schema = schema_of(value)
        if schema not in schemas:
            schemas.append(schema)
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def schema_of(value: Any) -> dict[str, Any]:
    """The schema of values like this one; an empty array and null tell nothing of others."""
    match value:
        case dict():
            inner = {name: schema_of(each) for name, each in value.items()}
            return {"type": "object", "required": list(value), "properties": inner}
        case list():
            return {"type": "array", "items": schema_of(value[0]) if value else {}}
        case None:
            return {}
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return {"type": "integer"}
    return {"type": SCALARS[type(value)]}
