"""Stanzas that come in pieces are there as soon as their last byte is, whatever expat this is."""

from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.wire.xmpp_reader import StanzaReader
from bumper_tw.wire.xmpp_stanzas import Header, Stanza, StanzaLimits
from tests.wire.xmpp_samples import BATTERY, USER_HEADER

#: Stanzas in which each kind of piece may be cut.
SAID = (
    BATTERY,
    b"<iq a='>' b=\">'\"><x>a > b ' c</x></iq>",
    b"<iq><x>&amp;&#x10FFFF;</x></iq>",
    b"<iq><x><![CDATA[ it's <b> & ]] > ]]></x></iq>",
    b"<iq>" + b"<a b='" + b"x>" * 700 + b"'/></iq>",
    b"<iq>" + b"<![CDATA[" + b"x>'<y " * 300 + b"]]></iq>",
    "<iq><x>K\u00fcche \u2603 \U0001f9f9 ]]&gt;</x></iq>".encode(),
    b"<presence/>",
)


class PieceTests(SynchronousTestCase):
    """One stanza, cut in three."""

    def reader(self) -> StanzaReader:
        """A reader that knows the header."""
        reader = StanzaReader(StanzaLimits())
        [header] = reader.feed(USER_HEADER)
        self.assertIsInstance(header, Header)
        return reader

    def assertRead(self, said: bytes, *pieces: bytes) -> None:
        """The last piece completes it."""
        reader = self.reader()
        for piece in pieces[:-1]:
            self.assertEqual(list(reader.feed(piece)), [])
        [stanza] = reader.feed(pieces[-1])
        assert isinstance(stanza, Stanza)
        self.assertEqual(stanza.raw, said)

    def test_three(self) -> None:
        """Expat looks at the second piece of a tag, and may put off the third."""
        for said in SAID:
            step = max(1, len(said) // 60)
            for first in range(1, len(said) - 2, step):
                for size in (1, 2, 7):
                    second = min(first + size, len(said) - 1)
                    self.assertRead(said, said[:first], said[first:second], said[second:])

    def test_crumbs(self) -> None:
        """Byte by byte."""
        for said in SAID:
            self.assertRead(said, *(said[at : at + 1] for at in range(len(said))))

    def test_header(self) -> None:
        """The same goes for the header, which nothing is in front of."""
        for first in range(1, len(USER_HEADER) - 2):
            reader = StanzaReader(StanzaLimits())
            pieces = (
                USER_HEADER[:first],
                USER_HEADER[first : first + 1],
                USER_HEADER[first + 1 :],
            )
            found = [result for piece in pieces for result in reader.feed(piece)]
            self.assertEqual(len(found), 1, first)
