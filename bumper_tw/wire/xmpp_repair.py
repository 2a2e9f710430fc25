"""What robots forget to escape, put right (xmpp.md 3, 11 to 13)."""

import re
from collections.abc import Iterable

#: How much of what has been searched in vain may be the beginning of what is sought.
LONGEST = 48

_TAGS = re.compile(rb"<[A-Za-z_/](?:[^<>'\"]++|'[^']*+'|\"[^\"]*+\")*>")

_QUOTE_OR_END = re.compile(rb"['\">]")

# There is no white space without end in these, so that a search may be taken up again shortly
# before where the last one stopped.
_START = re.compile(rb"<(?:iq|presence|message)[\s/>]")
_CLOSE = rb"</(?:[\w.-]{1,20}:)?stream\s{0,8}>"
_NEXT = re.compile(b"%b|%b" % (_START.pattern, _CLOSE))
_END = re.compile(rb"</(?:iq|presence|message)\s{0,8}>|(?=%b)" % _NEXT.pattern)

_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_PREFIX = re.compile(rb"(?:</?|\s)([A-Za-z_][\w.-]{0,63}):[A-Za-z_][\w.-]*+(?=[\s=/>])")
_DECLARED = re.compile(rb"xmlns:([\w.-]++)")
_DECLARATION = re.compile(rb"<!(?![\[-])[^<]")
_OURS = frozenset({b"xml", b"xmlns", b"stream"})


class TagWatch:
    """
    Waits for the end of one start tag or end tag, and looks at each byte once.

    @ivar at: how far it has looked.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self._quote = b""

    def end(self, held: bytearray) -> int | None:
        """
        Look at what has come.

        @return: where the tag ends, C{None} as long as it does not.
        """
        while self.at < len(held):
            if self._quote:
                closing = held.find(self._quote, self.at)
                if closing < 0:
                    break
                self.at, self._quote = closing + 1, b""
            else:
                mark = _QUOTE_OR_END.search(held, self.at)
                if mark is None:
                    break
                self.at = mark.end()
                if mark.group() == b">":
                    return self.at
                self._quote = mark.group()
        self.at = len(held)
        return None


class SectionWatch:
    """The same for a section of text."""

    def __init__(self, at: int) -> None:
        self._at = at

    def end(self, held: bytearray) -> int | None:
        """See L{TagWatch.end}."""
        found = held.find(b"]]>", self._at)
        # Its end may have come in part.
        self._at = max(self._at, len(held) - 2)
        return None if found < 0 else found + 3


class BrokenStanza:
    """Finds where a stanza ends that cannot be parsed."""

    def __init__(self) -> None:
        self._searched = 1
        self._watch: TagWatch | None = TagWatch(1)

    def end(self, held: bytearray) -> int | None:
        """
        Look at what has come.

        @param held: begins with the stanza.
        @return: where it ends: behind its last tag, or before the next stanza.
        """
        ends = [self._self_closed(held), self._by_words(held)]
        return min((end for end in ends if end is not None), default=None)

    def _self_closed(self, held: bytearray) -> int | None:
        end = None if self._watch is None else self._watch.end(held)
        if end is None:
            return None
        self._watch = None
        return end if held[end - 2 : end] == b"/>" else None

    def _by_words(self, held: bytearray) -> int | None:
        found = _END.search(held, self._searched)
        self._searched = max(1, len(held) - LONGEST)
        return found.end() if found else None


def is_stanza(text: bytearray) -> bool:
    """Whether a stanza of a client begins here, so that its end can be found."""
    return _START.match(text) is not None


def declaration(text: bytes | bytearray) -> int | None:
    """Where something like a document type begins, which nobody means as text."""
    found = _DECLARATION.search(text)
    return found.start() if found else None


def next_start(held: bytearray) -> int | None:
    """Where the next stanza, or the end of the stream, begins."""
    found = _NEXT.search(held)
    return found.start() if found else None


def repaired(text: bytes, declared: Iterable[str]) -> bytes:
    """
    A stanza with everything escaped that can only have been meant as text, and with all its
    prefixes declared.

    @param declared: prefixes that need it no more.
    """
    text = _TAGS.sub(_without_brackets, _AMPERSAND.sub(b"&amp;", text))
    known = _OURS.union(prefix.encode() for prefix in declared)
    missing = {*_PREFIX.findall(text)} - {*_DECLARED.findall(text)} - known
    new = b"".join(b" xmlns:%b='jabber:client'" % prefix for prefix in sorted(missing))
    name = _START.match(text)
    end = name.end() - 1 if name else 0
    return text[:end] + new + text[end:]


def _without_brackets(tag: re.Match[bytes]) -> bytes:
    return b"<" + tag[0][1:].replace(b"<", b"&lt;")
