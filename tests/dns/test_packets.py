"""Reading and writing messages."""

import contextlib
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.packets import (
    PLAIN,
    ROOM,
    Unreadable,
    asked,
    question,
    read_question,
    read_records,
    refusal,
    reply,
)
from tests.dns.samples import NUMBER, a, answer, opt, query, read, soa


class QuestionTests(SynchronousTestCase):
    """What is a question, and what is not."""

    def test_plain(self) -> None:
        """The name is folded, the section is kept as it was spelled."""
        data = query("A.Example.ORG", dns.MX)
        found = read_question(data)
        self.assertEqual(found.labels, (b"a", b"example", b"org"))
        seen = (found.number, found.kind, found.category, found.name, found.wire)
        self.assertEqual(seen, (NUMBER, dns.MX, dns.IN, "a.example.org", data[12:]))
        self.assertEqual((found.edns, found.room), (None, PLAIN))

    def test_edns(self) -> None:
        """How much an asker has room for is bounded both ways."""
        for said, room in ((100, PLAIN), (900, 900), (65535, ROOM)):
            self.assertEqual(read_question(query(edns=opt(said))).room, room)

    def test_edns_wishes(self) -> None:
        """The version, and the wish for signatures."""
        found = read_question(query(edns=opt(version=3, signed=True)))
        self.assertEqual((found.version, found.signed), (3, True))

    def test_every_beginning(self) -> None:
        """Of a whole question no beginning is one."""
        whole = query(edns=opt())
        for length in range(len(whole)):
            self.assertRaises(Unreadable, read_question, whole[:length])

    def test_counts(self) -> None:
        """No question, two of them, and answers in a question are refused."""
        whole = query()
        for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 65535)):
            data = whole[:4] + struct.pack("!HHHH", *counts) + whole[12:]
            self.assertRaises(Unreadable, read_question, data)

    def test_two_opts(self) -> None:
        """EDNS twice is an error (RFC 6891, 6.1.1)."""
        whole = query()
        data = whole[:11] + b"\2" + whole[12:] + opt() + opt()
        self.assertRaises(Unreadable, read_question, data)

    def test_pointers(self) -> None:
        """The name of a question cannot point anywhere."""
        head = query()[:12]
        self.assertRaises(Unreadable, read_question, head + b"\xc0\x0c" + b"\0\1\0\1")

    def test_long_name(self) -> None:
        """A name of 255 bytes is read, a longer one is not."""
        head, tail = query()[:12], b"\0\1\0\1"
        longest = (b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"x" * 61 + b"\0"
        self.assertEqual(len(longest), 255)
        self.assertEqual(len(read_question(head + longest + tail).labels), 4)
        longer = (b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\0"
        self.assertRaises(Unreadable, read_question, head + longer + tail)

    def test_name_for_people(self) -> None:
        """What belongs into no name cannot steer a terminal."""
        self.assertEqual(read_question(query("a\x1b[2Jb.org")).name, "a?[2jb.org")

    def test_ours(self) -> None:
        """A question of ours is one."""
        data = asked(question("Example.org", dns.AAAA, 1), 99)
        self.assertEqual(read_question(data), read_question(query("Example.org", dns.AAAA, 99)))

    @given(st.binary(max_size=300))
    def test_anything(self, data: bytes) -> None:
        """Any bytes are a question or L{Unreadable}."""
        with contextlib.suppress(Unreadable):
            read_question(data)


class AnswerTests(SynchronousTestCase):
    """Records, and replies."""

    def test_records(self) -> None:
        """Each record with its section and its time to live."""
        asked = read_question(query("example.org"))
        data = answer(asked, a("example.org"), authority=[soa("org", 60, 30)])
        first, second = read_records(data, 12 + len(asked.wire))
        self.assertEqual((first.place, first.kind, first.life), (0, dns.A, 300))
        self.assertEqual(first.body, bytes([192, 0, 2, 80]))
        self.assertEqual(struct.unpack_from("!I", data, first.life_at), (300,))
        self.assertEqual((second.place, second.kind, second.life), (1, dns.SOA, 60))

    @given(st.binary(max_size=300))
    def test_any_records(self, data: bytes) -> None:
        """Whatever follows the question is read in one walk, or L{Unreadable}."""
        asked = read_question(query())
        whole = struct.pack("!HHHHHH", 1, 0x8180, 1, 9999, 9999, 9999) + asked.wire + data
        self.assertRaises(Unreadable, lambda: list(read_records(whole, 12 + len(asked.wire))))

    def test_extended_code(self) -> None:
        """A result of more than four bits is split between the header and EDNS."""
        data = reply(read_question(query(edns=opt())), code=16)
        self.assertEqual(read(data).rCode, 0)
        self.assertEqual(data[-6], 1)

    def test_refusal(self) -> None:
        """Without a question there is a header, and none for an answer."""
        data = refusal(query(), dns.EFORMAT)
        message = read(data)
        self.assertEqual((len(data), message.id, message.rCode), (12, NUMBER, dns.EFORMAT))
        self.assertRaises(Unreadable, refusal, data, dns.EFORMAT)
