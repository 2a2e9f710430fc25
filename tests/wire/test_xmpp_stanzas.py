"""Stanzas, and how they are sent on."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_stanzas import CLIENT, Stanza
from tests.wire.xmpp_samples import BATTERY, PING, ROBOT_JID, ROOM, USER_HEADER, stanza, stanzas

#: One line per rule: what came, the new C{to}, and what goes on from C{r@x/atom}.
ADDRESSED: dict[str, tuple[bytes, str | None, bytes]] = {
    "from is appended": (b"<iq id='1'/>", None, b"<iq id='1' from='r@x/atom'/>"),
    "from is replaced where it was": (
        b"<iq from='admin@x' id='1'>t</iq>", None, b"<iq from='r@x/atom' id='1'>t</iq>",
    ),
    "to is left": (b"<iq to='A@B/c'/>", None, b"<iq to='A@B/c' from='r@x/atom'/>"),
    "to is replaced where it was": (
        b"<iq to='A@B/c' id='1'/>", "u@y/z", b"<iq to='u@y/z' id='1' from='r@x/atom'/>",
    ),
    "to is appended": (b"<iq/>", "u@y/z", b"<iq from='r@x/atom' to='u@y/z'/>"),
    "double quotes": (
        b'<iq id="it\'s &quot;1&quot;"><a b="c"/></iq>', None,
        b"<iq id='it&apos;s &quot;1&quot;' from='r@x/atom'><a b=\"c\"/></iq>",
    ),
    "white space in the tag": (
        b"<iq\n id = '1'\t to= \"a\"  ><a /></iq >", None,
        b"<iq id='1' to='a' from='r@x/atom'><a /></iq >",
    ),
    "empty with white space": (b"<iq id='' />", None, b"<iq id='' from='r@x/atom'/>"),
    "xmlns is dropped": (
        b"<iq xmlns='jabber:client' id='1'><q xmlns='com:sf'/></iq>", None,
        b"<iq id='1' from='r@x/atom'><q xmlns='com:sf'/></iq>",
    ),
    "another xmlns stays": (
        b"<a xmlns='com:sf'><b/></a>", None, b"<a xmlns='com:sf' from='r@x/atom'><b/></a>",
    ),
    "xmlns for the children stays": (
        b"<c:iq xmlns:c='jabber:client' xmlns='com:ctl'><q/></c:iq>", None,
        b"<c:iq xmlns:c='jabber:client' xmlns='com:ctl' from='r@x/atom'><q/></c:iq>",
    ),
    "look-alikes of from": (
        b"<iq xmlns:c='u' c:from='a' xfrom='b' id=' from=\"c\"/>'>from='d'</iq>", None,
        b"<iq xmlns:c='u' c:from='a' xfrom='b' id=' from=\"c\"/>' from='r@x/atom'>from='d'</iq>",
    ),
    "brackets in values": (
        b"<iq id='a>b/>c'/>", None, b"<iq id='a>b/>c' from='r@x/atom'/>",
    ),
    "not quite empty": (b"<iq></iq>", None, b"<iq from='r@x/atom'></iq>"),
    "text that looks like an end": (b"<iq>/></iq>", None, b"<iq from='r@x/atom'>/></iq>"),
}  # fmt: skip

PREFIXED = USER_HEADER[:-1] + b" xmlns:v='urn:\"v\"&amp;&apos;' xmlns:w='urn:w'>"


class StanzaTests(SynchronousTestCase):
    """L{Stanza}."""

    def test_addressed(self) -> None:
        """Only the start tag changes, and only what must."""
        for rule, (raw, to, sent) in ADDRESSED.items():
            self.assertEqual(stanza(raw).addressed("r@x/atom", to), sent, rule)

    def test_copies(self) -> None:
        """For several it is what it would be for each, also where an address is strange."""
        several = ["<'&\">", "a@ecouser.net/b", "to='x'"]
        for rule, (raw, _, _) in ADDRESSED.items():
            sent = list(stanza(raw).copies("r@x/atom", several))
            alone = [stanza(raw).addressed("r@x/atom", to) for to in several]
            self.assertEqual(sent, alone, rule)

    def test_still_the_same(self) -> None:
        """What is sent on is read as the same stanza, C{from} and C{to} apart."""
        for rule, (raw, to, _) in ADDRESSED.items():
            before = stanza(raw)
            after = stanza(before.addressed("r@x/atom", to))
            expected = before.attributes | {"from": "r@x/atom"} | ({"to": to} if to else {})
            self.assertEqual(after.attributes, expected, rule)
            self.assertEqual((after.namespace, after.child), (before.namespace, before.child))

    def test_addresses_are_escaped(self) -> None:
        """Nothing breaks out of an address."""
        sent = stanza(b"<iq/>").addressed("a'/><x b='&", '<">')
        self.assertEqual(sent, b"<iq from='a&apos;/&gt;&lt;x b=&apos;&amp;' to='&lt;\"&gt;'/>")
        self.assertEqual(stanza(sent).attributes, {"from": "a'/><x b='&", "to": '<">'})

    def test_inside_is_untouched(self) -> None:
        """Text beyond ASCII, entities and CDATA go on as they came (xmpp.md 15, 18)."""
        sent = stanza(ROOM).addressed(ROBOT_JID)
        inside = ROOM[ROOM.index(b"<query") :]
        self.assertTrue(sent.endswith(b">" + inside), sent)

    def test_prefix_of_the_header(self) -> None:
        """What was declared on the header is declared on the stanza that needs it."""
        [used, unused, own] = stanzas(
            b"<iq><v:q/></iq><iq><q/></iq><iq xmlns:v='o'><v:q/></iq>", PREFIXED
        )
        declared = b" xmlns:v='urn:\"v\"&amp;&apos;'"
        self.assertEqual(used.addressed("a"), b"<iq from='a'" + declared + b"><v:q/></iq>")
        self.assertEqual(unused.addressed("a"), b"<iq from='a'><q/></iq>")
        self.assertEqual(own.addressed("a"), b"<iq xmlns:v='o' from='a'><v:q/></iq>")
        self.assertEqual(stanza(used.addressed("a")).child, ('urn:"v"&\'', "q"))

    def test_prefix_of_the_stream(self) -> None:
        """Everybody declares C{stream} alike, so it is not declared again."""
        kept = stanza(b"<iq><stream:q/></iq>")
        self.assertEqual(kept.addressed("a"), b"<iq from='a'><stream:q/></iq>")

    def test_parts(self) -> None:
        """Names, attributes and the first child are told without their prefixes."""
        read = stanza(b"<c:iq xmlns:c='jabber:client' xml:lang='e' id='&lt;'> <c:a/><b/></c:iq>")
        self.assertEqual((read.namespace, read.name), (CLIENT, "iq"))
        self.assertEqual(read.attributes, {"id": "<"})
        self.assertEqual(read.child, (CLIENT, "a"))

    def test_child(self) -> None:
        """A ping is one by its namespace; C{query} alone is in the namespace of its stanza."""
        ping = f"<iq><query xmlns='{PING}'/></iq>".encode()
        self.assertEqual(stanza(ping).child, (PING, "query"))
        self.assertEqual(stanza(b"<iq><query><ctl/></query></iq>").child, (CLIENT, "query"))
        self.assertIsNone(stanza(b"<presence>text</presence>").child)
        self.assertEqual(stanza(BATTERY).child, ("com:ctl", "query"))

    def test_secrets_are_not_shown(self) -> None:
        """What is between the tags does not get into a log by accident."""
        self.assertNotIn("c2VjcmV0", repr(stanza(b"<auth>c2VjcmV0</auth>")))

    def test_no_stanza(self) -> None:
        """One that nobody has read cannot be sent on."""
        broken = Stanza("iq", CLIENT, {}, None, b"iq")
        self.assertRaises(ValueError, broken.addressed, "a")
