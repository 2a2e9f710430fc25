"""
The little XML of robots (mqtt.md 8.1), read without trust.

Robots write elements, attributes in either quotes, and now and then text.  They forget to
escape C{&} and C{<} in network names (robots.md 8), so a value reaches to its closing quote
whatever is in it.  Document types, entities, comments and sections are refused.
"""

import re
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from bumper_tw.dialect import lenient

#: Levels of elements; robots use four.
MAX_DEPTH = 16

#: Elements in one payload; a list of a hundred cleaning logs has a hundred and one.
MAX_ELEMENTS = 2000

#: Attributes of one element; robots use a dozen.
MAX_ATTRIBUTES = 500

NAME = r"[A-Za-z_][\w.:-]*+"
VALUE = r"""(?:"[^"]*+"|'[^']*+')"""

#: One tag.  There is one way only to read it, so its cost is its length.
TAG = re.compile(
    rf"<(?P<close>/?)(?P<name>{NAME})(?P<attributes>(?:\s*+{NAME}\s*+=\s*+{VALUE}){{0,{MAX_ATTRIBUTES}}})"
    r"\s*+(?P<empty>/?)>"
)
ATTRIBUTE = re.compile(rf"({NAME})\s*+=\s*+({VALUE})")
ESCAPE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
ESCAPED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


@define
class Element:
    """
    One element, names without prefixes.

    @ivar text: the text before its first child.
    """

    name: str
    attributes: dict[str, str] = field(factory=dict)
    children: "list[Element]" = field(factory=list)
    text: str = ""

    def get(self, *names: str) -> str:
        """The first of these attributes that is not empty; else an empty string."""
        return next((self.attributes[n] for n in names if self.attributes.get(n)), "")

    def child(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def plain(self) -> dict[str, Any]:
        """Its attributes as JSON values, with its C{text} and C{children} if it has any."""
        values: dict[str, Any] = dict(self.attributes)
        if self.text:
            values["text"] = self.text
        if self.children:
            values["children"] = [{"element": c.name, **c.plain()} for c in self.children]
        return values


def parse(body: bytes) -> Element:
    """
    Read one document.

    @raise ValueError: it is not one, uses what is refused, or is too large or too deep.
    """
    text = undeclared(lenient.decoded(body))
    top = Element("")
    path = [top]
    for tag, words in pieces(text):
        if tag is None:
            write(path, words)
        elif tag["close"]:
            close(path, tag["name"])
        else:
            enter(path, tag)
    if len(path) > 1 or len(top.children) != 1:
        raise ValueError("not one XML element")
    return top.children[0]


def undeclared(text: str) -> str:
    """The document without its XML declaration."""
    if not text.startswith("<?xml"):
        return text
    _, mark, rest = text.partition("?>")
    if not mark:
        raise ValueError("XML declaration does not end")
    return rest.lstrip()


def pieces(text: str) -> Iterator[tuple[re.Match[str] | None, str]]:
    """Cut a document into tags and the words between them."""
    position = tags = 0
    while position < len(text):
        start = text.find("<", position)
        start = len(text) if start < 0 else start
        if start > position:
            yield None, text[position:start]
        if start == len(text):
            return
        tag = TAG.match(text, start)
        tags += 1
        if tag is None or tags > 2 * MAX_ELEMENTS:
            raise ValueError("not XML" if tag is None else "too many XML elements")
        yield tag, ""
        position = tag.end()


def enter(path: list[Element], tag: re.Match[str]) -> None:
    """An element begins, and ends at once when it is empty."""
    element = Element(local(tag["name"]), attributes(tag["attributes"]))
    path[-1].children.append(element)
    if tag["empty"]:
        return
    if len(path) > MAX_DEPTH:
        raise ValueError("XML nested too deeply")
    path.append(element)


def close(path: list[Element], name: str) -> None:
    """The innermost element ends."""
    if len(path) == 1 or path[-1].name != local(name):
        raise ValueError("XML element closed that is not open")
    path.pop()


def write(path: list[Element], words: str) -> None:
    """There is text in the innermost element."""
    words = words.strip()
    if words and len(path) == 1:
        raise ValueError("text outside of the XML element")
    if not path[-1].children and not path[-1].text:
        path[-1].text = unescaped(words)


def attributes(text: str) -> dict[str, str]:
    """The attributes of one tag; of two with one name the last counts."""
    found = ATTRIBUTE.findall(text)
    return {local(name): unescaped(value[1:-1]) for name, value in found}


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


def unescaped(text: str) -> str:
    """Text with the escapes of XML resolved; any other ampersand stands for itself."""
    return ESCAPE.sub(character, text) if "&" in text else text


def character(escape: re.Match[str]) -> str:
    """What one escape stands for; one that no text may contain stays as it is written."""
    decimal, hexadecimal, name = escape.groups()
    if name:
        return ESCAPED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    legal = 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF or code in {9, 10, 13}
    return chr(code) if legal else escape[0]
