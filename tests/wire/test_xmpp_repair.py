"""What robots forget to escape."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import End, Stanza, StanzaLimits
from tests.wire.strategies import cut, cuts
from tests.wire.xmpp_samples import (
    BATTERY,
    CLOSE,
    ROBOT_HEADER,
    crumbs,
    read,
    read_on,
    stanza,
    stanzas,
)

#: What came, and what is made of it.
REPAIRED: dict[str, tuple[bytes, bytes]] = {
    "the name of a network": (
        b"<iq id='1'><query xmlns='com:ctl'><ctl ret='ok' s='a&b<c'/></query></iq>",
        b"<iq id='1'><query xmlns='com:ctl'><ctl ret='ok' s='a&amp;b&lt;c'/></query></iq>",
    ),
    "double quotes": (b'<iq><a s="<&>\'"/></iq>', b'<iq><a s="&lt;&amp;>\'"/></iq>'),
    "entities stay": (
        b"<iq a='&amp;&lt;&gt;&quot;&apos;&#228;&#xE4;&'/>",
        b"<iq a='&amp;&lt;&gt;&quot;&apos;&#228;&#xE4;&amp;'/>",
    ),
    "entities nobody knows": (b"<iq a='&auml;'>&b;</iq>", b"<iq a='&amp;auml;'>&amp;b;</iq>"),
    "in text": (b"<iq><a>Q&A</a></iq>", b"<iq><a>Q&amp;A</a></iq>"),
    "at the end": (b"<iq>&</iq>", b"<iq>&amp;</iq>"),
    "in the first tag": (b"<iq id='a<b&c'/>", b"<iq id='a&lt;b&amp;c'/>"),
    "like a tag": (b"<iq><a s='<b/>'/></iq>", b"<iq><a s='&lt;b/>'/></iq>"),
    "a prefix": (b"<iq><v:a/></iq>", b"<iq xmlns:v='jabber:client'><v:a/></iq>"),
    "prefixes": (
        b"<iq w:b='1'><v:a u:c=''/></iq>",
        b"<iq xmlns:u='jabber:client' xmlns:v='jabber:client' xmlns:w='jabber:client' w:b='1'>%b"
        % b"<v:a u:c=''/></iq>",
    ),
    "in a message": (b"<message>&</message>", b"<message>&amp;</message>"),
    "in a presence": (b"<presence><status>&</status></presence >",
                      b"<presence><status>&amp;</status></presence >"),
}  # fmt: skip

#: What is beyond repair, how often something is dropped, and what is read all the same.
DROPPED: dict[str, tuple[bytes, int, list[bytes]]] = {
    "tags that do not match": (b"<iq><a></iq>" + BATTERY, 1, [BATTERY]),
    "twice": (b"<iq><a></iq><iq><b></iq>" + BATTERY, 2, [BATTERY]),
    "a tag too many": (b"<iq/></query></iq>" + BATTERY, 1, [b"<iq/>", BATTERY]),
    "no end": (b"<iq id='1'><query id=>" + BATTERY, 1, [BATTERY]),
    "text between": (b"text " + BATTERY + b"more text" + BATTERY, 2, [BATTERY, BATTERY]),
    "control characters": (b"<iq>\x01</iq>" + BATTERY, 1, [BATTERY]),
    "no UTF-8": (b"<iq a='\xff'/>" + BATTERY, 1, [BATTERY]),
    "not even a character": (b"<iq>&#0;&</iq>" + BATTERY, 1, [BATTERY]),
    "no stanza": (b"<iqq &/><a>&</a>" + BATTERY, 1, [BATTERY]),
    "two alike": (b"<iq a='' a=''/>" + BATTERY, 1, [BATTERY]),
    "an unclosed quote": (b"<iq><a b='c/></iq>" + BATTERY, 1, [BATTERY]),
    "one that follows at once": (b"<iq id='&'" + BATTERY, 1, [BATTERY]),
}


def results(data: bytes) -> list[bytes]:
    """What is read as stanzas in a lenient stream."""
    return [s.raw for s in stanzas(data, ROBOT_HEADER, lenient=True)]


class RepairTests(SynchronousTestCase):
    """A lenient L{StanzaReader}."""

    def test_repaired(self) -> None:
        """What can only be text is escaped, once, and read as meant."""
        for rule, (came, read_as) in REPAIRED.items():
            self.assertEqual(results(came), [read_as], rule)
            self.assertEqual(results(BATTERY + came + BATTERY), [BATTERY, read_as, BATTERY], rule)
            self.assertEqual(results(came * 3), [read_as] * 3, rule)

    def test_sent_on(self) -> None:
        """What is sent on is well-formed: a user's reader takes it."""
        for rule, (came, _) in REPAIRED.items():
            [repaired] = stanzas(came, ROBOT_HEADER, lenient=True)
            again = stanza(repaired.addressed("r@x"))
            self.assertEqual(again.child, repaired.child, rule)

    def test_network(self) -> None:
        """The attribute says what the robot meant."""
        [iq] = stanzas(b"<iq id='a&b<c'/>", ROBOT_HEADER, lenient=True)
        self.assertEqual(iq.attributes, {"id": "a&b<c"})

    def test_not_waiting(self) -> None:
        """A repaired stanza comes out with its last byte, not with the next stanza."""
        for rule, (came, read_as) in REPAIRED.items():
            reader = StanzaReader(StanzaLimits(), lenient=True)
            self.assertEqual(len(read_on(reader, [ROBOT_HEADER, *crumbs(came[:-1])])), 1, rule)
            [only] = reader.feed(came[-1:])
            assert isinstance(only, Stanza)
            self.assertEqual(only.raw, read_as, rule)

    def test_dropped(self) -> None:
        """What is beyond repair is dropped up to the next stanza, and the stream goes on."""
        for rule, (came, drops, raws) in DROPPED.items():
            for pieces in ([ROBOT_HEADER + came], crumbs(ROBOT_HEADER + came)):
                reader = StanzaReader(StanzaLimits(), lenient=True)
                heard = read_on(reader, pieces)
                self.assertEqual([s.raw for s in heard if isinstance(s, Stanza)], raws, rule)
                self.assertEqual((reader.dropped, len(heard) - 1), (drops, len(raws)), rule)

    def test_end_behind_rubbish(self) -> None:
        """The end of the stream is found, too."""
        for came in (b"text", b"<iq id='&'", b"<iq><a></iq></a>"):
            *_, end = read([ROBOT_HEADER + came + CLOSE], lenient=True)
            self.assertEqual(end, End(), came)

    def test_cut_anywhere(self) -> None:
        """It does not matter how a broken stream is cut."""
        parts = [came for came, _ in REPAIRED.values()] + [came for came, *_ in DROPPED.values()]
        for came in parts:
            data = ROBOT_HEADER + BATTERY + came + BATTERY + CLOSE
            whole = read([data], lenient=True)
            self.assertEqual(read(crumbs(data), lenient=True), whole)
            for i in range(len(ROBOT_HEADER), len(data)):
                self.assertEqual(read([data[:i], data[i:]], lenient=True), whole, (came, i))

    @given(
        st.lists(st.sampled_from([c for c, *_ in [*REPAIRED.values(), *DROPPED.values()]])), cuts
    )
    def test_any_fragmentation(self, parts: list[bytes], places: list[int]) -> None:
        """Nor how much is broken."""
        data = ROBOT_HEADER + b"".join(parts) + CLOSE
        self.assertEqual(read(cut(data, places), lenient=True), read([data], lenient=True))

    def test_never_repaired(self) -> None:
        """What is forbidden ends the stream even where something else is broken as well."""
        limits = StanzaLimits(depth=2, attributes=2, elements=3, size=400)
        for came, condition in (
            (b"<iq a='&'><!-- --></iq>", "restricted-xml"),
            (b"<iq><!-- & --></iq>", "restricted-xml"),
            (b"<!-- --><iq a='&'/>", "restricted-xml"),
            (b"<iq a='&'><?x y?></iq>", "restricted-xml"),
            (b"<iq a='&'><a><b/></a></iq>", "policy-violation"),
            (b"<iq a='&' b='' c=''/>", "policy-violation"),
            (b"<iq a='&'><a/><a/><a/></iq>", "policy-violation"),
            (b"<iq a='&'>" + b"x" * 400 + b"</iq>", "policy-violation"),
            (b"<iq a='" + b"&" * 100 + b"'/>", "policy-violation"),
        ):
            for pieces in ([ROBOT_HEADER + came], crumbs(ROBOT_HEADER + came)):
                heard = read(pieces, lenient=True, limits=limits)
                self.assertEqual(heard[1:], [condition], came)

    def test_header_is_not_repaired(self) -> None:
        """A stream that does not begin well does not begin."""
        header = ROBOT_HEADER.replace(b"126", b"&")
        self.assertEqual(read([header + BATTERY], lenient=True), ["not-well-formed"])

    def test_endless_rubbish(self) -> None:
        """Who never comes to the next stanza is not heard any longer."""
        for start in (b"x", b"<iq a='&", b"<iq></a>", b"</a>", b"<auth &"):
            pieces = [ROBOT_HEADER, start, *[b"x" * 1000] * 70]
            self.assertEqual(read(pieces, lenient=True)[1:], ["policy-violation"], start)
            self.assertEqual(
                read([b"".join(pieces)], lenient=True)[1:], ["policy-violation"], start
            )

    def test_restart_behind_rubbish(self) -> None:
        """A restart forgets what was broken."""
        for rubbish in (b"text", b"<iq a='&"):
            reader = StanzaReader(StanzaLimits(), lenient=True)
            read_on(reader, [ROBOT_HEADER + rubbish])
            reader.restart(keep=False)
            self.assertEqual(
                read_on(reader, [ROBOT_HEADER + BATTERY]), read([ROBOT_HEADER + BATTERY])
            )
