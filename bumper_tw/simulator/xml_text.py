"""The robots' own XML: a small reader on expat and a single-quoting writer (mqtt.md 8.1)."""

from __future__ import annotations

from xml.parsers import expat

from attrs import define, field

MOST_ELEMENTS = 256


class BadXml(Exception):
    """The text is not one plain element."""


@define
class Node:
    """An element with its attributes, children and text."""

    name: str
    attributes: dict[str, str] = field(factory=dict)
    children: list[Node] = field(factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """Give an attribute."""
        return self.attributes.get(name, default)

    def child(self, name: str) -> Node | None:
        """Find the first child of a name."""
        return next((node for node in self.children if node.name == name), None)


@define
class _Builder:
    root: Node | None = None
    open: list[Node] = field(factory=list)
    count: int = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise BadXml("too many elements")
        node = Node(name, attributes)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def end(self, _name: str) -> None:
        self.open.pop()

    def characters(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data


def _no_doctype(*_parts: object) -> None:
    raise BadXml("document type")


def read(payload: bytes) -> Node:
    """
    Read one element, with or without a declaration.

    @raise BadXml: malformed, with a document type, or of too many elements
    """
    builder, parser = _Builder(), expat.ParserCreate()
    parser.StartElementHandler = builder.begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(payload, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from error
    if builder.root is None:
        raise BadXml("empty")
    return builder.root


ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;"})


def write(name: str, attributes: dict[str, object], *inside: str) -> str:
    """
    Write one element with single quotes.

    @param inside: children, written already
    """
    head = "".join(
        f" {key}='{str(value).translate(ESCAPES)}'" for key, value in attributes.items()
    )
    body = "".join(inside)
    return f"<{name}{head}>{body}</{name}>" if body else f"<{name}{head}/>"


def escape(value: str) -> str:
    """Escape text between tags."""
    return value.translate(ESCAPES)
