"""Bytes of an XML stream into stanzas (RFC 6120, 4; xmpp.md 3)."""

from collections.abc import Iterator

from bumper_tw.wire.xmpp_document import Document, Unreadable
from bumper_tw.wire.xmpp_repair import LONGEST, BrokenStanza, is_stanza, next_start, repaired
from bumper_tw.wire.xmpp_stanzas import (
    CLIENT,
    End,
    Header,
    Stanza,
    StanzaLimits,
    StreamViolation,
)


class StanzaReader:
    """
    Reads one stream, whatever pieces it comes in.

    @ivar limits: may be changed at any time.
    @ivar lenient: whether what robots forget to escape is put right (xmpp.md 3, 11 to 13); may be
        changed between two results.
    @ivar dropped: how often something was beyond repair, and all was dropped up to the next
        stanza.
    """

    def __init__(self, limits: StanzaLimits, lenient: bool = False) -> None:
        self.limits = limits
        self.lenient = lenient
        self.dropped = 0
        self._closed = False
        self._restart(b"")

    def feed(self, data: bytes) -> Iterator[Header | Stanza | End]:
        """
        Read on.  The consumer may call L{restart} or L{close} between two results; or stop in
        the middle, and have the rest from the next call.

        @raise StreamViolation: the stream cannot be read any further; what came before that
            has been given out.
        """
        if not self._closed:
            self._document.held += data
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

    def _restart(self, rest: bytes | bytearray) -> None:
        self._document = Document()
        self._document.held += rest
        self._step = self._parse
        self._skipped = 0
        self._broken = BrokenStanza()

    def _results(self) -> Iterator[Header | Stanza | End]:
        while not self._closed:
            document = self._document
            if document.results:
                yield self._checked(document.take())
            elif document.fault is not None:
                self._recover(document.fault)
            elif not self._step():
                return

    def _checked(self, result: Header | Stanza | End) -> Header | Stanza | End:
        if isinstance(result, Header) and result.namespace != CLIENT and not self.lenient:
            raise self._violation("invalid-namespace", "the stream is not in jabber:client")
        return result

    def _violation(self, condition: str, reason: str) -> StreamViolation:
        self.close()
        return StreamViolation(condition, reason)

    # What may be the next step; each says whether another one is due.

    def _parse(self) -> bool:
        return self._document.parse(self.limits)

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
        if not (self.lenient and document.header and isinstance(fault, Unreadable)):
            self.close()
            raise fault
        rest = document.held[document.begin :]
        if is_stanza(rest):
            self._go_on(rest)
            self._step, self._broken = self._mend, BrokenStanza()
        else:
            self._drop(rest)

    def _try_again(self, broken: bytes, rest: bytearray) -> None:
        document = self._go_on(repaired(broken, self._document.prefixes))
        document.parse(self.limits)
        self._step = self._parse
        if document.between or not isinstance(document.fault, Unreadable | None):
            document.held += rest
        else:
            self._drop(rest)

    def _drop(self, rest: bytearray) -> None:
        self.dropped += 1
        self._go_on(rest)
        self._step, self._skipped = self._skip, 0

    def _go_on(self, rest: bytes | bytearray) -> Document:
        self._document = Document.after(self._document.header)
        self._document.held += rest
        return self._document
