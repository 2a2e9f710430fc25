"""
One XML document out of bytes, on expat: a stream from its header to its end or restart.

No tree is built.  Expat tells where elements begin and end, and stanzas are cut out of the bytes
as they came.
"""

import re
from collections import deque
from xml.parsers import expat

from bumper_tw.wire.xmpp_repair import SectionWatch, TagWatch
from bumper_tw.wire.xmpp_stanzas import (
    CLIENT,
    STREAMS,
    End,
    Header,
    Stanza,
    StanzaLimits,
    StreamViolation,
)

#: A tag longer than this many bytes that is not whole is looked at byte by byte, once: reading it
#: again each time something comes costs the square of its length when it comes in crumbs.
PATIENCE = 1024

#: As much as is whole: text, entities, tags, sections, comments and instructions.  Expat is
#: given nothing else: since CVE-2023-52425 it may let a tag in pieces wait for what comes behind
#: it, and not every Python can forbid that.  There is one way only to read each piece.
_WHOLE = re.compile(
    rb"(?:[^<&]++|&[^;<&]*+(?:;|(?=[<&]))|<(?![!?])(?:[^<>'\"]++|'[^'<]*+'|\"[^\"<]*+\")*>"
    rb"|<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>){1,50}",
    re.DOTALL,
)
#: What may be the beginning of one; anything else no more bytes can put right.
_PART = re.compile(
    rb"&[^;<&]*+\Z|</?\Z|<!(?:\[CDATA\[|--|(?:\[C?D?A?T?A?|-)?\Z)|<\?"
    rb"|</?[A-Za-z_:\x80-\xff](?:[^<>'\"\x00-\x08]++|'[^'<]*+'|\"[^\"<]*+\")*"
    rb"(?:'[^'<]*+|\"[^\"<]*+)?\Z"
)

#: How a section begins in which nothing is a tag.
SECTION = b"<![CDATA["

_TAG = re.compile(rb"<(?:[^>'\"]++|'[^']*+'|\"[^\"]*+\")*>")
_XML_LANG = "http://www.w3.org/XML/1998/namespace lang"

#: The errors of expat that have a condition of their own.
_CONDITIONS = {
    expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]: "restricted-xml",
    expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]: "invalid-namespace",
}


class Unreadable(StreamViolation):
    """It is no XML; a lenient reader tries to put it right."""


class Document:
    """
    Reads one document.

    All places are counted from the beginning of L{held}.

    @ivar held: the bytes that are needed yet; more are appended from outside.
    @ivar results: what has been found and not been taken.
    @ivar begin: where the stanza in progress, or what is between two stanzas, begins.
    @ivar taken: where the last result that was taken ends.
    @ivar fault: why it cannot be read any further, behind the results.
    @ivar header: its start tag, empty as long as that is not complete.
    @ivar prefixes: see L{Stanza}.
    """

    def __init__(self) -> None:
        self.held = bytearray()
        self.results: deque[tuple[Header | Stanza | End, int]] = deque()
        self.begin = self.taken = 0
        self.fault: StreamViolation | None = None
        self.header = b""
        self.prefixes: dict[str, str] = {}
        self._namespaces: dict[str | None, str] = {}
        self._limits = StanzaLimits()
        self._seen = self._parsed = self._gone = 0
        self._depth = self._elements = 0
        self._over = False
        self._default = CLIENT
        self._name = ("", "")
        self._attributes: dict[str, str] = {}
        self._child: tuple[str, str] | None = None
        self._watch: TagWatch | SectionWatch | None = None
        self._parser: expat.XMLParserType | None = _new_parser()
        self._parser.StartNamespaceDeclHandler = self._namespace
        self._heed(self._parser)

    def _heed(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._restricted
        parser.CommentHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted

    def rest(self) -> None:
        """Let go of expat, 12 KiB, until something comes; not in the middle of a stanza."""
        if self.between and not self.results and self.fault is None and not self._over:
            self._trim()
            self._parser = None

    def dispose(self) -> None:
        """
        Let go of expat: it knows this object, and the garbage collector, which does not see how
        much expat holds, would take its time.
        """
        self._parser = None

    def _awake(self) -> expat.XMLParserType:
        """Expat; where it was let go of, a new one that knows the header."""
        if self._parser is None:
            self._parser = _new_parser()
            self._parser.Parse(self.header, False)
            self._heed(self._parser)
            self._gone = len(self.header)
        return self._parser

    @classmethod
    def after(cls, header: bytes) -> "Document":
        """A document whose header has been read already."""
        document = cls()
        document.held += header
        document.parse(StanzaLimits(size=len(header), attributes=len(header)))
        document.results.clear()
        document._trim()
        return document

    @property
    def between(self) -> bool:
        """Whether it is between two stanzas, and nothing of the next one is there."""
        return self._depth == 1 and self.begin == len(self.held)

    def take(self) -> Header | Stanza | End:
        """The next result."""
        result, self.taken = self.results.popleft()
        return result

    def parse(self, limits: StanzaLimits) -> bool:
        """
        Look at what has come, unless that has been done.  All results must have been taken.

        @return: whether there is a result or a fault.
        """
        if self._over:
            self.held.clear()
            self.taken = 0
        if self._over or self._seen == len(self.held):
            return False
        self._limits = limits
        if self._watch is None or self._watch.end(self.held) is not None:
            self._watch = None
            self._trim()
            self.fault = self._foreign() or self._read()
        self._seen = len(self.held)
        if self.fault is None and self._seen > self.begin:
            self.fault = self._overdue()
        return bool(self.results) or self.fault is not None

    def _trim(self) -> None:
        begin = self.begin
        if self._gone == self._parsed == 0:
            # White space may stand before a declaration that opens a stream anew.
            del self.held[: len(self.held) - len(self.held.lstrip())]
        if begin:
            del self.held[:begin]
            self._gone += begin
            self._parsed -= begin
            self._seen -= begin
        self.begin = self.taken = 0

    def _foreign(self) -> StreamViolation | None:
        # Expat guesses UTF-16 whatever it has been told, and others would read what it takes for
        # one stanza as quite another one.
        if self.header:
            return None
        first, second = bytes(self.held[:1]), self.held[1:2]
        if first in (b"", b"<") and second != b"\0":
            return None
        return Unreadable("not-well-formed", "a stream does not begin like this")

    def _read(self) -> StreamViolation | None:
        end = _whole(self.held, self._parsed)
        fresh = bytes(self.held[self._parsed : end])
        fault: StreamViolation | None = None
        try:
            self._awake().Parse(fresh, False)
        except expat.ExpatError as error:
            condition = _CONDITIONS.get(error.code, "not-well-formed")
            fault = Unreadable(condition, f"the XML cannot be read: {error}")
        except StreamViolation as violation:
            fault = violation
        self._parsed = end
        return None if self._over else self._text_between() or fault

    def _overdue(self) -> StreamViolation | None:
        """Judge what is there of something unfinished."""
        if self._over:
            return None
        if len(self.held) - self.begin > self._limits.size:
            return _excess("bytes")
        if self._watch is None:
            token = min(self._parsed, self._here())
            if len(self.held) - token > PATIENCE:
                return self._hold(token)
        return None

    def _hold(self, token: int) -> StreamViolation | None:
        if self.held.startswith(SECTION, token):
            self._watch = SectionWatch(token)
            return None
        if self.held.startswith((b"<!", b"<?"), token):
            return StreamViolation("restricted-xml", "a declaration or comment without an end")
        if self.held.startswith(b"&", token):
            return Unreadable("restricted-xml", "an entity without an end")
        self._watch = TagWatch(token)
        self._watch.end(self.held)
        return None

    def _text_between(self) -> StreamViolation | None:
        """Skip white space between two stanzas."""
        if self._depth != 1 or self.begin == len(self.held):
            return None
        gap = self.held[self.begin :].lstrip()
        if gap and gap[0] != ord("<"):
            return Unreadable("bad-format", "there is text between two stanzas")
        self.begin = len(self.held) - len(gap)
        return None

    # What expat calls.

    def _namespace(self, prefix: str | None, namespace: str | None) -> None:
        self._namespaces[prefix] = namespace or ""

    def _restricted(self, *_: object) -> None:
        raise StreamViolation("restricted-xml", "no DTD, comment or processing instruction here")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth = depth = self._depth + 1
        if len(attributes) > self._limits.attributes:
            raise _excess("attributes")
        if depth > 2:
            self._inner(name, depth - 1)
        elif depth == 2:
            self._stanza(name, attributes)
        else:
            self._open(name, attributes)

    def _inner(self, name: str, level: int) -> None:
        self._elements += 1
        if level > self._limits.depth:
            raise _excess("levels")
        if self._elements > self._limits.elements:
            raise _excess("elements")
        if self._child is None:
            self._child = self._split(name)

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if name != f"{STREAMS} stream":
            raise StreamViolation("invalid-namespace", "this is no stream")
        # Only the default namespace and the prefixes of the header matter.
        self._awake().StartNamespaceDeclHandler = None
        at = self._here()
        end = self._tag_end(at)
        if end > self._limits.size:
            raise _excess("bytes")
        self.header = bytes(self.held[at:end])
        self._default = self._namespaces.pop(None, "")
        self.prefixes = {
            prefix: namespace
            for prefix, namespace in self._namespaces.items()
            if prefix is not None and (prefix, namespace) != ("stream", STREAMS)
        }
        plain = {"xml:lang" if key == _XML_LANG else key: attributes[key] for key in attributes}
        self._found(Header(_unprefixed(plain), self._default), end)

    def _stanza(self, name: str, attributes: dict[str, str]) -> None:
        at = self._here()
        if at > self.begin and self.held[self.begin : at].strip():
            raise Unreadable("bad-format", "there is text between two stanzas")
        self.begin = at
        self._name, self._attributes = self._split(name), attributes
        self._child = None
        self._elements = 1

    def _end(self, _: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == 2:
            self._finish()
        elif depth == 1:
            self._close()

    def _finish(self) -> None:
        end = self._end_of_element()
        if end - self.begin > self._limits.size:
            raise _excess("bytes")
        namespace, name = self._name
        raw = bytes(self.held[self.begin : end])
        attributes = _unprefixed(self._attributes)
        stanza = Stanza(name, namespace, attributes, self._child, raw, self.prefixes)
        self._found(stanza, end)

    def _end_of_element(self) -> int:
        # Expat is before an end tag, but behind an empty element; "<a/></b>" looks like both.
        at = self._here()
        looks_empty = self._child is None and self.held.endswith(b"/>", self.begin, at)
        if looks_empty and self._tag_end(self.begin) == at:
            return at
        return self.held.index(b">", at) + 1

    def _close(self) -> None:
        at = self._here()
        if at > self.begin and self.held[self.begin : at].strip():
            raise Unreadable("bad-format", "there is text at the end of the stream")
        empty = self.header.endswith(b"/>")
        self._over = True
        self._found(End(), at if empty else self.held.index(b">", at) + 1)

    def _found(self, result: Header | Stanza | End, end: int) -> None:
        self.results.append((result, end))
        self.begin = end

    def _here(self) -> int:
        return self._awake().CurrentByteIndex - self._gone

    def _tag_end(self, at: int) -> int:
        tag = _TAG.match(self.held, at)
        if tag is None:
            raise Unreadable("not-well-formed", "a tag has no end")
        return tag.end()

    def _split(self, name: str) -> tuple[str, str]:
        namespace, _, local = name.rpartition(" ")
        return CLIENT if namespace == self._default else namespace, local


def _whole(held: bytearray, start: int) -> int:
    """Up to where what has come since C{start}, outside of any tag, can be read."""
    end = start
    while whole := _WHOLE.match(held, end):
        end = whole.end()
    return end if end < len(held) and _PART.match(held, end) else len(held)


def _new_parser() -> expat.XMLParserType:
    return expat.ParserCreate("UTF-8", " ")


def _unprefixed(attributes: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in attributes.items() if " " not in key}


def _excess(what: str) -> StreamViolation:
    return StreamViolation("policy-violation", f"a stanza has too many {what}")
