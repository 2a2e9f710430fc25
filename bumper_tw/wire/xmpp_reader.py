"""Bytes of an XML stream into stanzas (RFC 6120, 4; xmpp.md 3)."""

from collections.abc import Iterator

from bumper_tw.wire.xmpp_document import Document, Unreadable
from bumper_tw.wire.xmpp_repair import (
    LONGEST,
    BrokenStanza,
    declaration,
    is_stanza,
    next_start,
    repaired,
)
from bumper_tw.wire.xmpp_stanzas import (
    CLIENT,
    End,
    Header,
    Stanza,
    StanzaLimits,
    StreamViolation,
)

#: Expat remembers each name of an element or attribute that it has ever read, and takes ten bytes
#: and more for each of theirs; so it is replaced after so many.
NAMES = 16_384

#: The longest header, and the most prefixes on it: both are kept, and looked at for each stanza.
HEADER, PREFIXES = 4096, 16

#: How many stanzas are put right or dropped: each costs as much as twenty others, and a large one
#: some milliseconds.
REPAIRS = 50


class StanzaReader:
    """
    Reads one stream, whatever pieces it comes in.

    @ivar limits: may be changed at any time.
    @ivar lenient: whether what robots forget to escape is put right (xmpp.md 3, 11 to 13); may be
        changed between two results.
    @ivar dropped: how often something was beyond repair, and all was dropped up to the next
        stanza.
    @ivar repairs: how many more stanzas are put right or dropped, until somebody sets it anew.
    """

    def __init__(self, limits: StanzaLimits, lenient: bool = False) -> None:
        self.limits = limits
        self.lenient = lenient
        self.dropped, self.repairs = 0, REPAIRS
        self._closed = False
        self._begin(Document(), b"")

    def feed(self, data: bytes) -> Iterator[Header | Stanza | End]:
        """
        Read on.  The consumer may call L{restart} or L{close} between two results; or stop in
        the middle, and have the rest from the next call.

        @raise StreamViolation: the stream cannot be read any further; what came before that
            has been given out.
        """
        if not self._closed:
            self._document.held += data
            self._fed += len(data)
        return self._results()

    def restart(self, keep: bool = True) -> None:
        """
        Expect a new stream (xmpp.md 3, 6).  What is kept is read by the next L{feed}, or by the
        one in progress.

        @param keep: whether bytes that came behind the last result belong to it; they are
            dropped at STARTTLS.
        """
        self._restart(self._document.held[self._document.taken :] if keep else b"")

    def rest(self) -> None:
        """Nothing is expected for a while: need less memory until then."""
        self._document.rest()

    def close(self) -> None:
        """Read nothing any more."""
        self._closed = True
        self._document.held.clear()
        self._document.dispose()

    def _restart(self, rest: bytes | bytearray) -> None:
        self._document.dispose()
        self._begin(Document(), rest)

    def _begin(self, document: Document, rest: bytes | bytearray) -> None:
        self._document = document
        self._document.held += rest
        self._step = self._parse
        self._fed = self._skipped = 0
        self._broken = BrokenStanza()

    def _results(self) -> Iterator[Header | Stanza | End]:
        while not self._closed:
            document = self._document
            if document.results:
                result = document.take()
                yield result if result.__class__ is Stanza else self._checked(result)
            elif document.fault is not None:
                self._recover(document.fault)
            elif not self._step():
                return

    def _checked(self, result: Header | Stanza | End) -> Header | Stanza | End:
        if isinstance(result, Header):
            self._check_header(result)
        elif isinstance(result, End):
            self._step = self._ended
        return result

    def _check_header(self, header: Header) -> None:
        if header.namespace != CLIENT and not self.lenient:
            raise self._violation("invalid-namespace", "the stream is not in jabber:client")
        document = self._document
        if len(document.header) > HEADER or len(document.prefixes) > PREFIXES:
            raise self._violation("policy-violation", "the header of the stream is too long")

    def _violation(self, condition: str, reason: str) -> StreamViolation:
        self.close()
        return StreamViolation(condition, reason)

    # What may be the next step; each says whether another one is due.

    def _parse(self) -> bool:
        if self._fed > NAMES:
            self._renew()
        return self._document.parse(self.limits)

    def _renew(self) -> None:
        document = self._document
        # What there is of a stanza is read again, so there has to be more of what is not.
        again = len(document.held) - document.begin
        if self._fed > NAMES + 4 * again and document.header:
            self._go_on(document.held[document.begin :])

    def _ended(self) -> bool:
        """Nothing is read behind the end."""
        self._document.held.clear()
        return False

    def _mend(self) -> bool:
        """Wait for the whole of a broken stanza."""
        held = self._document.held
        end = self._broken.end(held)
        if (len(held) if end is None else end) > self.limits.size:
            raise self._violation("policy-violation", "a stanza has too many bytes")
        if end is not None:
            self._try_again(bytes(held[:end]), held[end:])
        return end is not None

    def _skip(self) -> bool:
        """Wait for the next stanza."""
        held = self._document.held
        start = next_start(held)
        gone = max(0, len(held) - LONGEST) if start is None else start
        del held[:gone]
        self._skipped += gone
        if self._skipped > self.limits.size:
            raise self._violation("policy-violation", "there is no stanza to go on with")
        if start is not None:
            self._step = self._parse
        return start is not None

    def _recover(self, fault: StreamViolation) -> None:
        document = self._document
        rest = document.held[document.begin :]
        if self._is_declaration(rest):
            raise self._violation("restricted-xml", "no DTD here")
        if not (self.lenient and document.header and isinstance(fault, Unreadable)):
            self.close()
            raise fault
        if not self.repairs:
            raise self._violation("policy-violation", "too much has to be put right")
        self.repairs -= 1
        if is_stanza(rest):
            self._go_on(rest)
            self._step, self._broken = self._mend, BrokenStanza()
        else:
            self._drop(rest)

    def _is_declaration(self, faulty: bytes | bytearray) -> bool:
        """Whether that is what cannot be read: an element in its place can."""
        header, place = self._document.header, declaration(faulty)
        if not header or place is None:
            return False
        before = Document.after(header)
        before.held += faulty[:place] + b"<a/>"
        before.parse(self.limits)
        before.dispose()
        return not isinstance(before.fault, Unreadable)

    def _try_again(self, broken: bytes, rest: bytearray) -> None:
        text = repaired(broken, self._document.prefixes)
        document = self._go_on(text)
        document.parse(self.limits)
        self._step = self._parse
        if isinstance(document.fault, Unreadable) and self._is_declaration(text):
            raise self._violation("restricted-xml", "no DTD here")
        if document.between or not isinstance(document.fault, Unreadable | None):
            document.held += rest
        else:
            self._drop(rest)

    def _drop(self, rest: bytearray) -> None:
        self.dropped += 1
        self._go_on(rest)
        self._step, self._skipped = self._skip, 0

    def _go_on(self, rest: bytes | bytearray) -> Document:
        old, new = self._document, Document.after(self._document.header)
        old.dispose()
        new.held += rest
        self._document, self._fed = new, 0
        return new
