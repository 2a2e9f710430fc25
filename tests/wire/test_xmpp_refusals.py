"""What ends a stream, and what it may cost."""

import sys
import tracemalloc
from collections import Counter
from types import FrameType

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_document import PATIENCE
from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import CLIENT, Header, Stanza, StanzaLimits, StreamViolation
from tests.wire.strategies import cut, cuts
from tests.wire.xmpp_samples import (
    BATTERY,
    CLOSE,
    ROBOT_HEADER,
    USER_HEADER,
    Result,
    crumbs,
    read,
    read_on,
    stanzas,
)

STREAM_NS = b"xmlns:stream='http://etherx.jabber.org/streams'"

#: What is between headers and stanzas in garbage that nearly is XML.
SHREDS = st.sampled_from([
    b"<", b">", b"/>", b"</", b"'", b'"', b"=", b"&", b"&amp;", b"&x;", b" ", b"\n", b"<iq",
    b"<iq ", b"</iq>", b"<presence/>", b"<query xmlns='com:ctl'>", b"</query>", b"<![CDATA[",
    b"]]>", b"a", b"id='1'", b"<v:a>", b"\xc3", b"\xa4", b"\0", BATTERY, CLOSE, USER_HEADER,
    b"<message ",
])  # fmt: skip
garbage = st.one_of(st.binary(max_size=60), st.lists(SHREDS, max_size=25).map(b"".join))

#: What is refused behind a header, and as what.
REFUSED: list[tuple[bytes, str]] = [
    (b"<!-- x -->", "restricted-xml"),
    (b"<iq><!-- x --></iq>", "restricted-xml"),
    (b"<?php x?>", "restricted-xml"),
    (b"<?xml-stylesheet href='x'?>", "restricted-xml"),
    (b"<iq>&nbsp;</iq>", "restricted-xml"),
    (b"<iq id='&lol9;'/>", "restricted-xml"),
    (b"<!DOCTYPE a>", "restricted-xml"),
    (b"<?xml version='1.0'?>", "not-well-formed"),
    (b"<iq id=1/>", "not-well-formed"),
    (b"<iq id='a' id='b'/>", "not-well-formed"),
    (b"<iq id='a&b'/>", "not-well-formed"),
    (b"<iq id='a<b'/>", "not-well-formed"),
    (b"<iq></presence>", "not-well-formed"),
    (b"</iq>", "not-well-formed"),
    (b"<iq>\xff</iq>", "not-well-formed"),
    (b"<iq>\0</iq>", "not-well-formed"),
    (b"<iq><v:q/></iq>", "invalid-namespace"),
    (b"<iq v:id=''/>", "invalid-namespace"),
    (b"text", "bad-format"),
    (b"<iq/>text<iq/>", "bad-format"),
    (b"&amp;", "bad-format"),
    (b"<![CDATA[x]]><iq/>", "bad-format"),
    (b"<![CDATA[x]]>" + CLOSE, "bad-format"),
]

SMALL = StanzaLimits(size=200, depth=3, attributes=2, elements=4)
#: What fits just so, and what does not.
EDGES: list[tuple[bytes, bytes]] = [
    (b"<iq>" + b"x" * 191 + b"</iq>", b"<iq>" + b"x" * 192 + b"</iq>"),
    (b"<iq id='" + b"x" * 189 + b"'/>", b"<iq id='" + b"x" * 190 + b"'/>"),
    (b"<iq><a><b/></a></iq>", b"<iq><a><b><c/></b></a></iq>"),
    (b"<iq a='' b=''/>", b"<iq a='' b='' c=''/>"),
    (b"<iq><q a='' b=''/></iq>", b"<iq><q a='' b='' c=''/></iq>"),
    (b"<iq><a/><a/><a/></iq>", b"<iq><a/><a/><a/><a/></iq>"),
]


class RefusalTests(SynchronousTestCase):
    """What ends a stream."""

    def test_refused(self) -> None:
        """Each sin has its name, and what came before it is given out."""
        before = read([USER_HEADER + BATTERY])
        for data, condition in REFUSED:
            stream = USER_HEADER + BATTERY + data + BATTERY
            for pieces in ([stream], crumbs(stream)):
                heard = read(pieces)
                self.assertEqual((heard[:2], heard[-1]), (before, condition), data)

    def test_nothing_behind_a_violation(self) -> None:
        """A stream that has gone wrong stays so."""
        reader = StanzaReader(StanzaLimits())
        self.assertEqual(read_on(reader, [USER_HEADER, b"</iq>"])[1:], ["not-well-formed"])
        self.assertEqual(read_on(reader, [BATTERY]), [])

    def test_edges(self) -> None:
        """A stanza may have all that the limits say, and not a bit more."""
        header = b"<stream:stream xmlns='jabber:client' " + STREAM_NS + b">"
        for fits, exceeds in EDGES:
            for one_by_one in (False, True):
                for data, result in ((fits, fits), (exceeds, "policy-violation")):
                    pieces = crumbs(header + data) if one_by_one else [header + data]
                    *_, last = read(pieces, limits=SMALL)
                    self.assertEqual(last.raw if isinstance(last, Stanza) else last, result)

    def test_header_edges(self) -> None:
        """The header has the same limits."""
        exact = StanzaLimits(size=len(USER_HEADER), attributes=2)
        self.assertIsInstance(read([USER_HEADER], limits=exact)[0], Header)
        for limits in (
            StanzaLimits(size=len(USER_HEADER) - 1),
            StanzaLimits(attributes=1),
        ):
            self.assertEqual(read([USER_HEADER], limits=limits), ["policy-violation"])
            self.assertEqual(read(crumbs(USER_HEADER), limits=limits), ["policy-violation"])

    def test_endless(self) -> None:
        """Five megabytes without an end stop at the limit, and fill no memory (xmpp.md 15, 17)."""
        for start in (b"<message id='", b"<message ", b"<iq>", b"<iq><a><b/>", b"<iq><![CDATA["):
            for lenient in (False, True):
                reader = StanzaReader(StanzaLimits(), lenient)
                list(reader.feed(USER_HEADER + start))
                self.assertLess(self.endured(reader, b"x" * 1000), 67)

    def test_endless_otherwise(self) -> None:
        """Nor do comments, entities, declarations and names without an end."""
        for start in (b"<iq>&", b"<!--", b"<?x ", b"</", b"<", b"<iq>&#"):
            reader = StanzaReader(StanzaLimits())
            list(reader.feed(USER_HEADER + start))
            self.assertLess(self.endured(reader, b"1" * 1000), 67)
        for start in (b"<!DOCTYPE x '", b"<?xml ", b"<stream:stream id='", b"<!-- "):
            reader = StanzaReader(StanzaLimits())
            self.assertLess(self.endured(reader, b"1" * 1000, start), 67)

    def endured(self, reader: StanzaReader, piece: bytes, start: bytes = b"") -> int:
        """How many pieces a reader takes before it has enough, and that it holds few bytes."""
        tracemalloc.start()
        pieces = 0
        with self.assertRaises(StreamViolation):
            while pieces < 5000:
                list(reader.feed(piece if pieces else start))
                pieces += 1
        self.assertLess(tracemalloc.get_traced_memory()[1], 1_000_000)
        tracemalloc.stop()
        return pieces

    def test_crumbs_are_cheap(self) -> None:
        """A tag of full size, byte by byte, is not read again for each of its bytes."""
        for start, piece, end in (
            (b"<iq id='", b"&gt;", b"'/>"), (b"<iq id='", b'x>"', b"'/>"),
            (b"<iq><a b='", b">", b"'/></iq>"), (b'<iq><a b="', b"'", b'"/></iq>'),
        ):  # fmt: skip
            data = start + piece * (65_000 // len(piece)) + end
            heard, parses = self.counted([USER_HEADER, *crumbs(data)])
            self.assertEqual([s.raw for s in heard if isinstance(s, Stanza)], [data])
            self.assertLess(parses, PATIENCE + 50)

    def counted(self, pieces: list[bytes]) -> tuple[list[Result | str], int]:
        """What is read, and how often expat was asked."""
        calls: Counter[str] = Counter()

        def count(frame: FrameType, event: str, called: object) -> None:
            if event == "c_call":
                calls[getattr(called, "__name__", "")] += 1

        sys.setprofile(count)
        try:
            heard = read(pieces)
            return heard, calls["Parse"]
        finally:
            sys.setprofile(None)

    @given(garbage, cuts, st.booleans())
    @example(b"<iq id='&'><", [3], True)
    @example(b"</iq><iq <message ", [1, 2], True)
    def test_garbage(self, data: bytes, places: list[int], lenient: bool) -> None:
        """Whatever comes is read or refused by name, and the same however it is cut."""
        stream = USER_HEADER + data + BATTERY
        self.assertEqual(read(cut(stream, places), lenient), read([stream], lenient))

    @given(garbage, st.booleans())
    def test_garbage_sent_on(self, data: bytes, lenient: bool) -> None:
        """Whatever passes is one stanza for whoever receives it, and says who it is from."""
        for stanza in read([ROBOT_HEADER + data], lenient):
            if isinstance(stanza, Stanza) and stanza.namespace == CLIENT:
                sent = stanza.addressed("r@x/atom")
                [received] = stanzas(sent)
                self.assertEqual(received.attributes, stanza.attributes | {"from": "r@x/atom"})
                self.assertEqual((received.raw, received.child), (sent, stanza.child))

    @given(garbage, cuts)
    def test_garbage_at_the_door(self, data: bytes, places: list[int]) -> None:
        """The same in front of a header."""
        stream = data + USER_HEADER
        self.assertEqual(read(cut(stream, places)), read([stream]))
