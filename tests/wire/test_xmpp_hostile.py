"""What somebody cannot make a reader of streams pay who means no good."""

import gc
import tracemalloc
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire import xmpp_stanzas
from bumper_tw.wire.xmpp_reader import HEADER, PREFIXES, REPAIRS, StanzaReader
from bumper_tw.wire.xmpp_stanzas import End, Header, Stanza, StanzaLimits, StreamViolation
from tests.wire.strategies import cut
from tests.wire.xmpp_samples import (
    BATTERY,
    CLOSE,
    ROBOT_HEADER,
    USER_HEADER,
    crumbs,
    read,
    stanzas,
)

#: Bytes of names that nobody has said before, in each test: remembered, they need ten times that.
PLENTY = 1 << 18


def names(template: bytes) -> Iterator[bytes]:
    """Stanzas, of which each has a new name in it."""
    number = said = 0
    while said < PLENTY:
        stanza = template.replace(b"?", b"n%d" % number)
        number, said = number + 1, said + len(stanza)
        yield stanza


class NameTests(SynchronousTestCase):
    """Expat remembers every name as long as it lives."""

    def grown(self, template: bytes, piece: int) -> int:
        """How much more memory is needed after so many new names."""
        reader = StanzaReader(StanzaLimits())
        list(reader.feed(USER_HEADER))
        said = b"".join(names(template))
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        heard = 0
        for start in range(0, len(said), piece):
            heard += sum(1 for _ in reader.feed(said[start : start + piece]))
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertEqual(heard, said.count(b"<iq"))
        return after - before

    def test_elements(self) -> None:
        """Names of elements are forgotten, however the stream is cut."""
        for piece in (65_536, 5000):
            self.assertLess(self.grown(b"<iq><?/></iq>", piece), 400_000)

    def test_attributes(self) -> None:
        """So are those of attributes."""
        self.assertLess(self.grown(b"<iq ?='1'/>", 4999), 400_000)

    def test_nothing_is_lost(self) -> None:
        """Nobody notices that it begins anew: neither what is cut, nor the end."""
        number = 200_000 // len(BATTERY)
        said = ROBOT_HEADER + BATTERY * number + CLOSE + BATTERY
        whole = read([said])
        self.assertEqual(len(whole), number + 2)
        self.assertIsInstance(whole[-1], End)
        for piece in (1000, 4097, 65_536):
            self.assertEqual(read(cut(said, list(range(0, len(said), piece)))), whole)

    def test_large_stanza(self) -> None:
        """A stanza of full size is read to its end, also behind others, also in crumbs."""
        large = b"<iq>" + b"x" * 65_000 + b"</iq>"
        said = ROBOT_HEADER + b"<iq/>" * 100 + large + b"<iq/>" + large
        heard = [each.raw for each in read(crumbs(said)) if isinstance(each, Stanza)]
        self.assertEqual(heard, [b"<iq/>"] * 100 + [large, b"<iq/>", large])


class HeaderTests(SynchronousTestCase):
    """A header is kept as long as its stream."""

    def test_size(self) -> None:
        """It is not larger than anybody needs."""
        room = HEADER - len(USER_HEADER) - len(b" x=''")
        for size, reads in ((room, True), (room + 1, False)):
            header = USER_HEADER.replace(b" to=", b" x='%b' to=" % (b"y" * size))
            [first] = read([header])
            self.assertEqual(isinstance(first, Header), reads)
            if not reads:
                self.assertEqual(first, "policy-violation")

    def test_prefixes(self) -> None:
        """It does not declare more prefixes either: each is looked for in each stanza."""
        for number, reads in ((PREFIXES, True), (PREFIXES + 1, False)):
            declared = b"".join(b" xmlns:p%d='a'" % n for n in range(number))
            [first] = read([USER_HEADER.replace(b" to=", declared + b" to=")])
            self.assertEqual(isinstance(first, Header), reads)

    def test_long_namespaces(self) -> None:
        """What stands for a prefix is not kept beyond its stream."""
        cached = xmpp_stanzas.escaped_often
        cached.cache_clear()
        header = USER_HEADER.replace(b" to=", b" xmlns:p='%b' to=" % (b"u" * 2000))
        [stanza] = stanzas(b"<iq><p:a/></iq>", header)
        self.assertIn(b"u" * 2000, stanza.addressed("a@ecouser.net/b"))
        self.assertEqual(cached.cache_info().currsize, 1)


class BrokenTests(SynchronousTestCase):
    """To put something right costs twenty times as much as to read it."""

    def test_repairs(self) -> None:
        """Only so much is put right before the caller allows for more."""
        reader = StanzaReader(StanzaLimits(), lenient=True)
        heard = list(reader.feed(ROBOT_HEADER + b"<iq>&</iq>" * REPAIRS))
        self.assertEqual(len(heard), REPAIRS + 1)
        reader.repairs = 1
        self.assertEqual(len(list(reader.feed(b"<iq>&</iq>"))), 1)
        with self.assertRaises(StreamViolation) as raised:
            list(reader.feed(b"<iq>&</iq>"))
        self.assertEqual(raised.exception.condition, "policy-violation")

    def test_drops(self) -> None:
        """The same for what is dropped, within one piece or in many."""
        said = ROBOT_HEADER + b"<iq></a>" * (REPAIRS + 1)
        for pieces in ([said], crumbs(said)):
            self.assertEqual(read(pieces, lenient=True)[1:], ["policy-violation"])


class DocumentTypeTests(SynchronousTestCase):
    """A document type is refused by its name wherever it is (xmpp.md 3, 8 and 15, 16)."""

    def test_between_stanzas(self) -> None:
        """It is nothing that could be dropped, or told from other mistakes."""
        for said in (b"<!DOCTYPE a>", b"<iq/> <!DOCTYPE a [<!ENTITY x 'y'>]>"):
            for lenient in (False, True):
                for pieces in ([ROBOT_HEADER + said], crumbs(ROBOT_HEADER + said)):
                    self.assertEqual(read(pieces, lenient=lenient)[-1], "restricted-xml")

    def test_in_a_stanza(self) -> None:
        """Nor anything that could be put right."""
        first, later = b"<iq><!DOCTYPE a></iq>", b"<iq a='&'><!DOCTYPE a><a/></iq>"
        for said, lenient in ((first, False), (first, True), (later, True)):
            for pieces in ([ROBOT_HEADER + said], crumbs(ROBOT_HEADER + said)):
                self.assertEqual(read(pieces, lenient=lenient)[1:], ["restricted-xml"])

    def test_behind_another_mistake(self) -> None:
        """What nobody gets to does not count."""
        for pieces in (
            [USER_HEADER + b"<iq></a><!DOCTYPE a>"],
            crumbs(USER_HEADER + b"<iq></a><!D"),
        ):
            self.assertEqual(read(pieces)[1:], ["not-well-formed"])

    def test_words(self) -> None:
        """Between quotes it is a name like any other."""
        said = b"<iq><a s='<!DOCTYPE a>'/></iq>"
        heard = read([ROBOT_HEADER + said], lenient=True)
        self.assertIsInstance(heard[-1], Stanza)
