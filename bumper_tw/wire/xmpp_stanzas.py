"""What the bytes of an XML stream mean (RFC 6120, 4; xmpp.md 3)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from xml.sax.saxutils import escape

from attrs import define, field, frozen

from bumper_tw.errors import ProtocolViolation

#: What clients and robots speak, and what every relayed stanza is in.
CLIENT = "jabber:client"

#: What the header of a stream is in.
STREAMS = "http://etherx.jabber.org/streams"

#: Characters of text that is worth remembering as it is written; whoever makes up something
#: longer fills no memory.
USUAL = 300

_ATTRIBUTE = re.compile(rb"""\s++([^\s=/>]++)\s*+=\s*+(?:'([^']*+)'|"([^"]*+)")""")
_START = re.compile(rb"""<([^\s/>]++)((?:[^/>'"]++|'[^']*+'|"[^"]*+")*)""")


class StreamViolation(ProtocolViolation):
    """
    A peer broke the rules of XML streams.

    @ivar condition: what its stream error is called (RFC 6120, 4.9.3).
    """

    def __init__(self, condition: str, reason: str) -> None:
        super().__init__(reason)
        self.condition = condition


@frozen
class StanzaLimits:
    """
    What one stanza may cost.

    @ivar size: bytes.
    @ivar depth: elements within one another, the stanza being the first.
    @ivar attributes: of one element.
    @ivar elements: in the stanza.
    """

    size: int = 65_536
    depth: int = 16
    attributes: int = 64
    elements: int = 1000


@frozen
class Header:
    """
    A stream begins.

    @ivar attributes: those without a prefix, and C{"xml:lang"}.
    @ivar namespace: the default one as it was declared, which its stanzas are in; in a lenient
        stream it may be another than C{jabber:client}, and is taken for it (xmpp.md 3, 13).
    """

    attributes: dict[str, str]
    namespace: str


@frozen
class End:
    """The stream has ended in good order."""


@define
class Stanza:
    """
    One whole element at the first level of a stream.

    @ivar name: without a prefix: C{iq}, C{presence}, C{auth}...
    @ivar namespace: C{jabber:client} for what a client says.
    @ivar attributes: those of its start tag without a prefix, unescaped.
    @ivar child: namespace and name of its first child element, if it has one.
    @ivar raw: as it came.
    @ivar prefixes: those declared on the header of its stream, C{stream} apart, and what each
        stands for.
    """

    name: str
    namespace: str
    attributes: dict[str, str]
    child: tuple[str, str] | None
    raw: bytes = field(repr=False)
    prefixes: Mapping[str, str] = field(factory=dict, repr=False)

    def addressed(self, sender: str, to: str | None = None) -> bytes:
        """
        The stanza on its way to somebody: only the start tag is written anew, in single quotes,
        everything between the tags is what it was byte for byte (xmpp.md 8.5).

        @param sender: the new C{from}.
        @param to: the new C{to}; C{None} leaves it as it was written.
        """
        name, written, rest = _start_tag(self.raw)
        new = {b"from": _escaped(sender)}
        if to is not None:
            new[b"to"] = _escaped(to)
        kept = {**written, **new}
        if b"xmlns" in kept and self._inherits(name):
            del kept[b"xmlns"]
        for prefix, namespace in self.prefixes.items():
            if f"{prefix}:".encode() in self.raw:
                kept.setdefault(f"xmlns:{prefix}".encode(), _escaped(namespace))
        return b"<%b%b%b" % (name, b"".join([b" %b='%b'" % pair for pair in kept.items()]), rest)

    def copies(self, sender: str, receivers: Iterable[str]) -> Iterator[bytes]:
        """The same for each of several, at a third of the cost."""
        # A character that no stanza contains.
        before, _, behind = self.addressed(sender, "\0").partition(b"\0")
        return (before + _escaped(to) + behind for to in receivers)

    def _inherits(self, name: bytes) -> bool:
        # Where it goes the default namespace is the same.  A stanza whose name has a prefix may
        # declare another one for its children.
        return self.namespace == CLIENT and b":" not in name


def _start_tag(raw: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Cut into name, attributes with values for single quotes, and all that is behind them."""
    start = _START.match(raw)
    if start is None:
        raise ValueError("this is no stanza")
    attributes = {
        key: single or double.replace(b"'", b"&apos;")
        for key, single, double in _ATTRIBUTE.findall(start[2])
    }
    return start[1], attributes, raw[start.end() :]


def _escaped(text: str) -> bytes:
    return escaped_often(text) if len(text) <= USUAL else _escape(text)


def _escape(text: str) -> bytes:
    return escape(text, {"'": "&apos;"}).encode()


#: The same addresses come again and again.
escaped_often = lru_cache(maxsize=4096)(_escape)
