"""How XMPP robots read: the stream, the lookup, and the command line that starts them."""

from __future__ import annotations

import argparse
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.__main__ import parser, xmpp_robots
from bumper_tw.simulator.identity import xmpp_identities
from bumper_tw.simulator.xml_text import Node
from bumper_tw.simulator.xmpp_link import BACK_OFF, LOOK_AGAIN
from bumper_tw.simulator.xmpp_profile import Search, Wire, XmppProfile
from bumper_tw.simulator.xmpp_xml import (
    BadStream,
    Closed,
    Element,
    NaiveReader,
    Opened,
    Part,
    Reader,
    StrictReader,
)
from tests.simulator.xmpp_rig import (
    BIND,
    BOUND,
    DEVICE_INFO,
    DUMMY,
    OPENING,
    PING,
    XmppRig,
    features,
)

ME = b"E1@126.ecorobot.net/atom"
QUOTED = (
    b"<iq id='1' to='a&gt;b'><query xmlns='com:ctl'><ctl td='x'>gr\xc3\xbcn</ctl></query></iq>"
)
STANZAS = (
    features(BIND),
    BOUND % (b"2521", ME),
    PING % (ME, 1),
    DUMMY % ME,
    DEVICE_INFO % ME,
    QUOTED,
    b"<iq type='result' id='2522'/>",
)
STREAM = OPENING % b"1" + b" ".join(STANZAS) + b"</stream:stream>"


def read(reader: Reader, *pieces: bytes) -> list[Part]:
    """Feed a reader."""
    return [part for piece in pieces for part in reader.feed(piece)]


class ReaderTests(SynchronousTestCase):
    """What both parsers make of one stream."""

    def test_raw(self) -> None:
        """The bytes of each stanza are kept, to the last one."""
        for reader in (StrictReader(), NaiveReader()):
            opened, *parts, closed = read(reader, STREAM)
            assert isinstance(opened, Opened)
            self.assertEqual(opened.raw, OPENING % b"1")
            raws = tuple(part.raw for part in parts if isinstance(part, Element))
            self.assertEqual((raws, closed), (STANZAS, Closed()))

    @given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
    def test_any_cut(self, cuts: list[int]) -> None:
        """Segments make no difference."""
        edges = [0, *sorted(cuts), len(STREAM)]
        pieces = [STREAM[start:end] for start, end in pairwise(edges)]
        for make in (StrictReader, NaiveReader):
            self.assertEqual(read(make(), *pieces), read(make(), STREAM))

    @given(st.binary(max_size=200))
    def test_garbage(self, data: bytes) -> None:
        """Garbage is a named error, or nothing."""
        for make in (StrictReader, NaiveReader):
            reader = make()
            try:
                parts = read(reader, OPENING % b"1", data)
            except BadStream:
                continue
            self.assertIsInstance(parts[0], Opened)

    def test_namespaces(self) -> None:
        """Children inherit the namespace of their parent."""
        for reader in (StrictReader(), NaiveReader()):
            ping = read(reader, OPENING % b"1", PING % (ME, 1))[1]
            assert isinstance(ping, Element)
            first = ping.first
            assert first is not None
            self.assertEqual((ping.namespace, first.namespace), ("jabber:client", "urn:xmpp:ping"))
            self.assertIsNone(first.first)

    def test_naive(self) -> None:
        """Text search knows no entities, no double quotes, and no rules."""
        reader = NaiveReader()
        [_, stanza] = read(reader, OPENING % b"1", b"<iq id=\"1\" to='a&amp;b'><ctl/></query>")
        assert isinstance(stanza, Element)
        self.assertEqual(stanza.attributes, {"to": "a&amp;b"})
        self.assertEqual([child.name for child in stanza.children], ["ctl"])

    def test_restricted(self) -> None:
        """A strict robot takes no comment, no instruction and no document type."""
        for data in (b"<!-- -->", b"<?php ?>", b"<iq><![CDATA[x"):
            reader = StrictReader()
            reader.feed(OPENING % b"1")
            if b"CDATA" in data:
                self.assertEqual(reader.feed(data), [])
            else:
                self.assertRaises(BadStream, reader.feed, data)
        self.assertRaises(BadStream, StrictReader().feed, b"<!DOCTYPE a [")

    def test_bounds(self) -> None:
        """A stanza without an end does not fill the memory."""
        for reader in (StrictReader(), NaiveReader()):
            reader.feed(OPENING % b"1" + b"<iq a='")
            with self.assertRaises(BadStream):
                for _ in range(20):
                    reader.feed(b"x" * 65536)

    def test_other_root(self) -> None:
        """A stream begins with a stream header."""
        for reader in (StrictReader(), NaiveReader()):
            self.assertRaises(BadStream, reader.feed, b"<html>")

    def test_child(self) -> None:
        """What robots obey is a plain node."""
        self.assertIsInstance(Element("ctl"), Node)


GOOD = b'{"ip":"198.51.100.7","port":5223,"result":"ok"}'


def answer(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    """Wrap a body."""
    return head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


class LookupTests(SynchronousTestCase):
    """How a robot finds its server (robots.md 3.1)."""

    def asking(self, seed: int = 0) -> XmppRig:
        """Have a robot ask."""
        search = Search("lbo.ecovacs.net", 8007, lookup=True)
        return XmppRig(XmppProfile(wire=Wire.PLAIN), search, seed=seed).start()

    def test_request(self) -> None:
        """It asks in a form, and goes where the answer says."""
        rig = self.asking()
        self.assertEqual(rig.exchange.dialled, [("lbo.ecovacs.net", 8007)])
        head, _, body = rig.line.value().partition(b"\r\n\r\n")
        self.assertTrue(
            head.startswith(
                b"POST /lookup.do HTTP/1.1\r\nHost: lbo.ecovacs.net:8007\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n"
            )
        )
        self.assertEqual(body, b"todo=FindBest&service=EcoMsgNew")
        self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
        rig.hear(answer(GOOD))
        self.assertFalse(rig.exchange.lines[0].connected)
        self.assertEqual(rig.exchange.dialled[1:], [("198.51.100.7", 5223)])
        rig.log_in()
        self.assertEqual((rig.robot.connected, rig.complaints), (True, []))

    def test_order_of_keys(self) -> None:
        """The keys come in either order, and the end of the connection ends the answer too."""
        rig = self.asking()
        body = b'{"result":"ok","ip":"198.51.100.7","port":5223}'
        rig.hear(b"HTTP/1.0 200 OK\r\n\r\n", body)
        rig.line.loseConnection()
        self.assertEqual(rig.exchange.dialled[1:], [("198.51.100.7", 5223)])

    def test_either_connection(self) -> None:
        """Some runs ask to close the connection, and some do not."""
        asked = [b"Connection: close" in self.asking(seed).line.value() for seed in range(8)]
        self.assertEqual({*asked}, {True, False})

    def test_useless(self) -> None:
        """What no robot can read is a complaint; it asks again, in JSON the next time."""
        for useless, why in (
            (answer(b'{"ip": "198.51.100.7", "port": 5223}'), "blanks in the answer"),
            (answer(GOOD + b"\n"), "blanks in the answer"),
            (answer(b'{"ip":"bumper","port":5223}'), "no address in"),
            (answer(b'{"ip":"198.51.100.7","port":"5223"}'), "no address in"),
            (answer(b"{}"), "no address in"),
            (answer(GOOD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"), "in chunks"),
            (answer(GOOD, b"HTTP/1.1 500 Oops\r\n"), "status"),
        ):
            rig = self.asking()
            rig.hear(useless)
            [complaint] = rig.complaints
            self.assertIn(why, complaint)
            rig.clock.advance(LOOK_AGAIN[0])
            self.assertTrue(
                rig.line.value().endswith(b'\r\n\r\n{"todo":"FindBest","service":"EcoMsgNew"}')
            )
            rig.stop()

    def test_slow(self) -> None:
        """More than two seconds is a complaint, more than ten is too late."""
        rig = self.asking()
        rig.clock.advance(3)
        rig.hear(answer(GOOD))
        self.assertEqual(rig.complaints, ["lookup: no answer within 2 s"])
        rig = self.asking()
        rig.clock.advance(10)
        self.assertFalse(rig.line.connected)
        rig.clock.advance(LOOK_AGAIN[0])
        self.assertEqual(len(rig.exchange.lines), 2)

    def test_patience(self) -> None:
        """After 10, 20, 30 s it tries again, up to once a minute."""
        rig = self.asking()
        rig.exchange.refusals = 8
        rig.line.loseConnection()
        for wait in (10, 20, 30, 40, 50, 60, 60):
            before = len(rig.exchange.dialled)
            rig.clock.advance(wait - 1)
            self.assertEqual(len(rig.exchange.dialled), before)
            rig.clock.advance(1)
            self.assertEqual(len(rig.exchange.dialled), before + 1)

    def test_each_time(self) -> None:
        """A robot that lost its server asks where it is now."""
        rig = self.asking()
        rig.hear(answer(GOOD))
        rig.log_in()
        rig.line.loseConnection()
        rig.clock.advance(BACK_OFF[0])
        self.assertEqual(rig.exchange.dialled[-1], ("lbo.ecovacs.net", 8007))

    def test_stop(self) -> None:
        """A robot that is switched off while asking leaves nothing behind."""
        rig = self.asking()
        rig.stop()
        self.assertEqual((rig.line.connected, rig.clock.getDelayedCalls()), (False, []))


class CommandLineTests(SynchronousTestCase):
    """C{python -m bumper_tw.simulator --xmpp}."""

    def made(self, *arguments: str) -> list[Search]:
        """Make robots, and tell where they look."""
        options = parser().parse_args(["--json", "0", *arguments])
        robots = xmpp_robots(Clock(), options)
        return [robot._link._lookup._search for robot in robots]

    def test_places(self) -> None:
        """A fixed address, or a lookup as URL or as C{host:port}."""
        self.assertEqual(
            self.made("--xmpp", "2", "--host", "h"), [Search("h", 5223), Search("h", 5223)]
        )
        self.assertEqual(self.made("--xmpp", "1", "--xmpp-port", "1"), [Search("localhost", 1)])
        asked = Search("box", 8007, lookup=True)
        for text in ("box:8007", "http://box:8007/lookup.do", "http://box"):
            self.assertEqual(self.made("--xmpp", "1", "--lookup", text), [asked])
        self.assertEqual(self.made(), [])

    def test_bad_lookup(self) -> None:
        """What is no place is refused."""
        [action] = [act for act in parser()._actions if act.dest == "lookup"]
        with self.assertRaises(argparse.ArgumentError):
            parser()._get_values(action, ["https://box"])

    def test_identities(self) -> None:
        """The same robots for the same seed, named as robots of the first generation are."""
        one, two = xmpp_identities(2, 5)
        self.assertEqual(xmpp_identities(1, 5), [one])
        self.assertNotEqual(one.sn, two.sn)
        self.assertEqual((one.did, one.cls, one.resource), (one.sn, "126", "atom"))
        self.assertRegex(one.owner, r"^[a-z0-9]{16}@ecouser\.net$")
