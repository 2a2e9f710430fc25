"""The XML stream as robots read it: by a strict push parser, or by plain text search."""

from __future__ import annotations

import re
from xml.parsers import expat

from attrs import define, field, frozen

from bumper_tw.simulator.xml_text import MOST_ELEMENTS, Node

STREAMS = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
PING = "urn:xmpp:ping"
CONTROL = "com:ctl"
SERVICE = "com:sf"

LARGEST_STANZA = 1 << 20
TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
SOUP = re.compile(rb"<([/?]?)([\w:.-]+)([^>]*?)(/?)>")
PAIR = re.compile(rb"([\w:.-]+)='([^']*)'")


class BadStream(Exception):
    """What the server sends is no XML stream; the text says why."""


@define
class Element(Node):
    """
    An element with its namespace.

    @ivar raw: the bytes of a whole stanza, empty for what is inside of one
    """

    namespace: str = CLIENT
    raw: bytes = b""

    @property
    def first(self) -> Element | None:
        """The first child."""
        child = self.children[0] if self.children else None
        return child if isinstance(child, Element) else None


@frozen
class Opened:
    """The server's stream header, its tag and attributes."""

    raw: bytes
    attributes: dict[str, str]


@frozen
class Closed:
    """The end tag of the server's stream."""


Part = Opened | Element | Closed


@define
class _Tree:
    """Puts tags together to stanzas."""

    parts: list[Part] = field(factory=list)
    open: list[Element] = field(factory=list)
    rooted: bool = False
    count: int = 0

    def root(self, name: str, namespace: str, attributes: dict[str, str], raw: bytes) -> None:
        self.rooted = True
        if (name, namespace) != ("stream", STREAMS):
            raise BadStream(f"begins with {name}")
        self.parts.append(Opened(raw, attributes))

    def begin(self, element: Element) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise BadStream("too many elements")
        if self.open:
            self.open[-1].children.append(element)
        self.open.append(element)

    def text(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data

    def stanza(self, element: Element, raw: bytes) -> None:
        element.raw, self.count = raw, 0
        self.parts.append(element)

    def take(self) -> list[Part]:
        parts, self.parts = self.parts, []
        return parts


class StrictReader:
    """Reads one stream with a push parser: anything not well-formed is an error."""

    def __init__(self) -> None:
        self._tree, self._held = _Tree(), bytearray()
        # Newer parsers put off what looks unfinished; a robot wants each stanza at once.
        self._unfinished = b""
        self._offset = self._start = 0
        self._empty_end = -1
        parser = self._parser = expat.ParserCreate("UTF-8", " ")
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._tree.text
        parser.StartDoctypeDeclHandler = parser.CommentHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted

    def feed(self, data: bytes) -> list[Part]:
        """
        Read on.

        @raise BadStream: this stream is broken for good
        """
        self._held += data
        try:
            self._parser.Parse(self._finished(data), False)
        except expat.ExpatError as error:
            raise BadStream(str(error)) from error
        if len(self._held) > LARGEST_STANZA:
            raise BadStream("stanza too large")
        return self._tree.take()

    def _finished(self, data: bytes) -> bytes:
        """What has come up to the end of the last tag; all of it where that may never come."""
        if b"<!" in data:
            whole, self._unfinished = self._unfinished + data, b""
            return whole
        said, mark, self._unfinished = (self._unfinished + data).rpartition(b">")
        return said + mark

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        tree = self._tree
        namespace, _, local = name.rpartition(" ")
        if not tree.rooted:
            tree.root(local, namespace, attributes, self._cut(0, self._tag_end()))
            return
        if not tree.open:
            self._start, end = self._parser.CurrentByteIndex, self._tag_end()
            self._empty_end = end if self._held[end - 2 : end] == b"/>" else -1
        tree.begin(Element(local, attributes, namespace=namespace))

    def _end(self, _name: str) -> None:
        tree = self._tree
        if not tree.open:
            tree.parts.append(Closed())
            return
        element = tree.open.pop()
        if not tree.open:
            end = self._empty_end if self._empty_end >= 0 else self._tag_end()
            tree.stanza(element, self._cut(self._start - self._offset, end))

    def _tag_end(self) -> int:
        tag = TAG.match(self._held, self._parser.CurrentByteIndex - self._offset)
        if tag is None:
            raise BadStream("a tag that ends nowhere")
        return tag.end()

    def _cut(self, start: int, end: int) -> bytes:
        raw = bytes(self._held[start:end])
        del self._held[:end]
        self._offset += end
        return raw

    def _restricted(self, *_parts: object) -> None:
        raise BadStream("comment, instruction or document type")


class NaiveReader:
    """
    Reads one stream the way the oldest firmware does: it looks for tags, and for attributes
    in single quotes; what is in double quotes is not there for it.
    """

    def __init__(self) -> None:
        self._tree, self._held = _Tree(), b""
        self._start = self._seen = 0

    def feed(self, data: bytes) -> list[Part]:
        """
        Read on.

        @raise BadStream: nothing a robot could find its way in
        """
        self._held += data
        for tag in SOUP.finditer(self._held, self._seen):
            self._tree.text(self._held[self._seen : tag.start()].decode("utf-8", "replace"))
            self._seen = tag.end()
            self._take(tag)
        done = self._start if self._tree.open else self._seen
        self._held, self._seen, self._start = self._held[done:], self._seen - done, 0
        if len(self._held) > LARGEST_STANZA:
            raise BadStream("stanza too large")
        return self._tree.take()

    def _take(self, tag: re.Match[bytes]) -> None:
        kind, name, inside, empty = tag.groups()
        if kind == b"/":
            self._end(tag)
        elif not kind:
            self._begin(tag, self._element(name.decode(), inside))
            if empty:
                self._end(tag)

    def _begin(self, tag: re.Match[bytes], element: Element) -> None:
        tree = self._tree
        if not tree.rooted:
            tree.root(element.name, element.namespace, element.attributes, tag[0])
            return
        if not tree.open:
            self._start = tag.start()
        tree.begin(element)

    def _element(self, name: str, inside: bytes) -> Element:
        found = {
            key.decode(): value.decode("utf-8", "replace") for key, value in PAIR.findall(inside)
        }
        outer = self._tree.open[-1].namespace if self._tree.open else CLIENT
        namespace = found.pop("xmlns", outer)
        prefix, _, local = name.rpartition(":")
        return Element(local, found, namespace=STREAMS if prefix == "stream" else namespace)

    def _end(self, tag: re.Match[bytes]) -> None:
        tree = self._tree
        if not tree.open:
            tree.parts.append(Closed())
            return
        # Whatever the tag is called: it ends what was opened last.
        element = tree.open.pop()
        if not tree.open:
            tree.stanza(element, self._held[self._start : tag.end()])


Reader = StrictReader | NaiveReader
