"""Streams out of bytes, however they are cut."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import CLIENT, End, Header, Stanza, StanzaLimits, StreamViolation
from tests.wire.strategies import cut, cuts
from tests.wire.xmpp_samples import (
    BATTERY,
    CLOSE,
    CONVERSATIONS,
    DEEBOT_JS,
    PING,
    ROBOT_AUTH,
    ROBOT_HEADER,
    ROOM,
    SASL,
    SUCKS,
    TLS,
    USER_HEADER,
    crumbs,
    read,
    read_on,
    stanzas,
)

STREAM_NS = b"xmlns:stream='http://etherx.jabber.org/streams'"
STARTTLS = f"<starttls xmlns='{TLS}'/>".encode()

LAUGHS = (
    b"<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>"
    b"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;'>]>" + USER_HEADER + b"<iq>&c;</iq>"
)

#: Headers that open a stream in C{jabber:client}.
HEADERS: dict[str, bytes] = {
    "plain": USER_HEADER,
    "declared": b"<?xml version='1.0'?>" + USER_HEADER,
    "declared otherwise": b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    + USER_HEADER,
    "declared as something else": b"<?xml version='1.0' encoding='ISO-8859-1'?>" + USER_HEADER,
    "white space": b" \r\n\t" + USER_HEADER,
    "white space and a declaration": b"\n <?xml version='1.0'?> \n" + USER_HEADER,
    "another prefix": b"<s:stream xmlns:s='http://etherx.jabber.org/streams' to='ecouser.net' "
    b"version='1.0' xmlns='jabber:client' >",
}

#: Headers that do not.
NO_HEADERS: dict[str, tuple[bytes, str]] = {
    "no XML": (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
    "no namespace": (b"<stream xmlns='jabber:client'>", "invalid-namespace"),
    "undeclared prefix": (b"<stream:stream xmlns='jabber:client'>", "invalid-namespace"),
    "no stream": (b"<stream:s xmlns='jabber:client' " + STREAM_NS + b">", "invalid-namespace"),
    "a server": (b"<stream:stream xmlns='jabber:server' " + STREAM_NS + b">", "invalid-namespace"),
    "no default": (b"<stream:stream " + STREAM_NS + b">", "invalid-namespace"),
    "another default": (
        b"<stream xmlns='http://etherx.jabber.org/streams'>", "invalid-namespace",
    ),
    "comment": (b"<!-- -->" + USER_HEADER, "restricted-xml"),
    "instruction": (b"<?x y?>" + USER_HEADER, "restricted-xml"),
    "document type": (b"<!DOCTYPE x>" + USER_HEADER, "restricted-xml"),
    "entities": (LAUGHS, "restricted-xml"),
    "byte order mark": (b"\xef\xbb\xbf" + USER_HEADER, "not-well-formed"),
    "two bytes each": (USER_HEADER.decode().encode("utf-16"), "not-well-formed"),
    "two bytes each, unmarked": (USER_HEADER.decode().encode("utf-16-le"), "not-well-formed"),
    "two bytes each, the other way": (
        USER_HEADER.decode().encode("utf-16-be"), "not-well-formed",
    ),
}  # fmt: skip


class ConversationTests(SynchronousTestCase):
    """Whole streams of real peers."""

    def test_cut_anywhere(self) -> None:
        """The same comes out whole, byte by byte, and cut in two wherever (xmpp.md 15)."""
        for name, data in CONVERSATIONS.items():
            for lenient in (False, True):
                whole = read([data], lenient)
                self.assertNotIsInstance(whole[-1], str)
                self.assertEqual(read(crumbs(data), lenient), whole, name)
                for i in range(len(data)):
                    self.assertEqual(read([data[:i], data[i:]], lenient), whole, (name, i))

    def test_robot(self) -> None:
        """A robot's stream, restart included, is what xmpp.md 6.1 says."""
        heard = read([CONVERSATIONS["robot"]])
        first, auth, second, *rest = heard
        self.assertEqual(first, Header({"to": "126.ecorobot.net", "version": "1.0"}, CLIENT))
        self.assertEqual(second, first)
        self.assertEqual(
            [(s.name, s.attributes.get("id"), s.child) for s in rest if isinstance(s, Stanza)][2:],
            [
                ("presence", None, (CLIENT, "status")),
                ("iq", "s2c1", None),
                ("iq", "2542", (PING, "ping")),
                ("iq", "2700", ("com:ctl", "query")),
            ],
        )
        assert isinstance(auth, Stanza)
        self.assertEqual((auth.namespace, auth.name), (SASL, "auth"))

    def test_bytes_are_kept(self) -> None:
        """Each stanza is cut out just as it came."""
        for header, stream in ((b"version='1.0'>", SUCKS), (b'"ecouser.net">', DEEBOT_JS)):
            inside = stream.partition(header)[2].removesuffix(CLOSE)
            raws = [r.raw for r in read([stream]) if isinstance(r, Stanza)]
            self.assertEqual(b"".join(raws), inside.replace(b"> <", b"><"))

    def test_language(self) -> None:
        """C{xml:lang} is the one attribute with a prefix that is told."""
        header = read([SUCKS])[0]
        assert isinstance(header, Header)
        self.assertEqual(header.attributes["xml:lang"], "en")

    def test_several_at_once(self) -> None:
        """What comes glued together comes out one by one."""
        heard = stanzas(BATTERY * 3 + ROOM + b"<presence/>")
        self.assertEqual([s.raw for s in heard], [BATTERY] * 3 + [ROOM, b"<presence/>"])

    def test_white_space_between(self) -> None:
        """A blank keeps alive, and is nothing."""
        self.assertEqual(
            stanzas(b" \n" + BATTERY + b" \t" + BATTERY + b"  "), stanzas(BATTERY * 2)
        )

    def test_look_alikes_inside(self) -> None:
        """Only what is at the first level is a stanza."""
        nested = b"<iq><query><iq id='2'/><presence/></query></iq>"
        self.assertEqual([s.raw for s in stanzas(nested)], [nested])

    def test_end_glued_behind(self) -> None:
        """The end may come with the last stanza, and nothing counts behind it."""
        data = USER_HEADER + b"<presence type='unavailable'/>" + CLOSE + b"<!-- < junk"
        for pieces in ([data], crumbs(data)):
            _, presence, end = read(pieces)
            self.assertIsInstance(presence, Stanza)
            self.assertEqual(end, End())

    def test_nothing_is_kept_behind_the_end(self) -> None:
        """Whoever goes on talking fills no memory."""
        reader = StanzaReader(StanzaLimits())
        read_on(reader, [USER_HEADER + CLOSE])
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertEqual(read_on(reader, [b"x" * 10_000] * 1000), [])
        self.assertLess(tracemalloc.get_traced_memory()[0], 1_000_000)

    @given(st.sampled_from(sorted(CONVERSATIONS)), cuts, st.booleans())
    def test_any_fragmentation(self, name: str, places: list[int], lenient: bool) -> None:
        """However a stream is cut, it is the same."""
        data = CONVERSATIONS[name]
        self.assertEqual(read(cut(data, places), lenient), read([data], lenient))


class HeaderTests(SynchronousTestCase):
    """How streams begin."""

    def test_headers(self) -> None:
        """With and without a declaration, white space, either quotes, any prefix."""
        for name, data in HEADERS.items():
            heard = read([data + ROOM])
            self.assertEqual(heard, read([*crumbs(data), ROOM]), name)
            self.assertEqual(heard[0], read([USER_HEADER])[0], name)
            self.assertEqual([s.raw for s in heard if isinstance(s, Stanza)], [ROOM], name)

    def test_self_closed(self) -> None:
        """A header that is closed at once is a stream without stanzas (xmpp.md 3, 7)."""
        data = USER_HEADER[:-1] + b" />" + CLOSE
        for pieces in ([data], crumbs(data)):
            self.assertEqual(read(pieces), [*read([USER_HEADER]), End()])

    def test_no_headers(self) -> None:
        """What does not open a stream has a name, and nothing comes of it."""
        for name, (data, condition) in NO_HEADERS.items():
            self.assertEqual(read([data + BATTERY]), [condition], name)
            self.assertEqual(read(crumbs(data + BATTERY)), [condition], name)

    def test_lenient_namespace(self) -> None:
        """A robot that declares another default namespace is taken to mean ours."""
        for declared in (b"", b"xmlns='jabber:server' "):
            header = b"<stream:stream " + declared + STREAM_NS + b">"
            first, iq = read([header + b"<iq><query/></iq>"], lenient=True)
            assert isinstance(first, Header)
            assert isinstance(iq, Stanza)
            self.assertEqual((iq.namespace, iq.child), (CLIENT, (CLIENT, "query")))
            self.assertEqual(first.namespace.encode() in declared, True)

    def test_leniency_is_judged_late(self) -> None:
        """Whether it is a robot is known from its header only; what came along waits for it."""
        reader = StanzaReader(StanzaLimits(), lenient=True)
        results = reader.feed(USER_HEADER + b"<iq id='&'/>")
        self.assertIsInstance(next(results), Header)
        reader.lenient = False
        self.assertRaises(StreamViolation, next, results)


class RestartTests(SynchronousTestCase):
    """L{StanzaReader.restart} and L{StanzaReader.close}."""

    def test_pipelined(self) -> None:
        """A stream that is there already is read, whatever the old parser made of it."""
        for between in (b"", b"\n", b"<?xml version='1.0'?>"):
            again = between + ROBOT_HEADER + BATTERY
            heard = read([ROBOT_HEADER + ROBOT_AUTH + again])
            self.assertEqual(heard[2:], read([again]))

    def test_later(self) -> None:
        """Who stops in the middle has the rest later: a login takes its time."""
        again = b"<?xml version='1.0'?>" + ROBOT_HEADER + BATTERY
        reader = StanzaReader(StanzaLimits())
        results = reader.feed(ROBOT_HEADER + ROBOT_AUTH + again[:30])
        self.assertIsInstance(next(results), Header)
        self.assertIsInstance(next(results), Stanza)
        reader.restart()
        self.assertEqual(list(reader.feed(b"")), [])
        self.assertEqual(read_on(reader, [again[30:]]), read([again]))

    def test_without_restart(self) -> None:
        """Results that nobody has taken come with the next feed."""
        reader = StanzaReader(StanzaLimits())
        next(reader.feed(USER_HEADER + BATTERY + BATTERY))
        heard = list(reader.feed(ROOM))
        self.assertEqual(heard, stanzas(BATTERY + BATTERY + ROOM))

    def test_old_stanza_is_not_repeated(self) -> None:
        """White space behind the last stanza is all that is left of the old stream."""
        reader = StanzaReader(StanzaLimits())
        list(reader.feed(USER_HEADER + BATTERY + b" "))
        reader.restart()
        self.assertEqual(read_on(reader, [USER_HEADER]), read([USER_HEADER]))

    def test_dropped(self) -> None:
        """Bytes in the clear behind C{starttls} are never executed (xmpp.md 15, 13)."""
        for behind in (BATTERY, CLOSE, b"<iq", USER_HEADER, b"\0"):
            reader = StanzaReader(StanzaLimits())
            heard = []
            for result in reader.feed(USER_HEADER + STARTTLS + behind):
                heard.append(result)
                if isinstance(result, Stanza):
                    reader.restart(keep=False)
            self.assertEqual(len(heard), 2)
            self.assertEqual(read_on(reader, [USER_HEADER]), read([USER_HEADER]))

    def test_limits_count_from_the_restart(self) -> None:
        """Who has logged in may say more at once, even if it is there already."""
        reader = StanzaReader(StanzaLimits(size=300))
        long = b"<iq>" + b"x" * 1000 + b"</iq>"
        heard = []
        for result in reader.feed(ROBOT_HEADER + ROBOT_AUTH + ROBOT_HEADER + long):
            heard.append(result)
            if isinstance(result, Stanza) and result.name == "auth":
                reader.limits = StanzaLimits()
                reader.restart()
        self.assertEqual(heard[3:], stanzas(long))

    def test_closed(self) -> None:
        """Behind a close there is nothing, neither from before nor from later."""
        reader = StanzaReader(StanzaLimits())
        results = reader.feed(USER_HEADER + BATTERY)
        next(results)
        reader.close()
        self.assertEqual(list(results), [])
        self.assertEqual(list(reader.feed(BATTERY)), [])


class RestTests(SynchronousTestCase):
    """L{StanzaReader.rest}."""

    def rested(self, pieces: list[bytes]) -> list[object]:
        """What is read by somebody who rests after each piece."""
        heard: list[object] = []
        reader = StanzaReader(StanzaLimits())
        for piece in pieces:
            heard += read_on(reader, [piece])
            reader.rest()
        return heard

    def test_any_cut(self) -> None:
        """It changes nothing, wherever in a stream that is."""
        for whole in CONVERSATIONS.values():
            for place in range(len(whole)):
                pieces = [whole[:place], whole[place:]]
                self.assertEqual(self.rested(pieces), read(pieces), whole[:place])

    def test_crumbs(self) -> None:
        """Nor between all bytes, and with the prefixes of the header."""
        header = USER_HEADER.replace(b" to=", b" xmlns:p='urn:p' to=")
        whole = header + b" <iq id='1'><p:a/></iq>" + BATTERY + b"\n" + BATTERY + CLOSE
        self.assertEqual(self.rested(crumbs(whole)), read([whole]))

    def test_memory(self) -> None:
        """What is needed meanwhile is a small part of what reading takes."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        reader = StanzaReader(StanzaLimits())
        read_on(reader, [USER_HEADER + BATTERY])
        awake = tracemalloc.get_traced_memory()[0]
        reader.rest()
        self.assertLess(tracemalloc.get_traced_memory()[0], awake - 4096)
