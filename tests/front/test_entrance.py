"""Tests for L{bumper_tw.front.entrance}: one port, and which protocol comes on it."""

from typing import Any

from OpenSSL import SSL
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import ITCPTransport, IUNIXTransport
from twisted.logger import globalLogPublisher
from zope.interface import classImplements

from bumper_tw.front.contact import Outcome, Speech
from bumper_tw.front.crowd import Unwelcome
from bumper_tw.front.tls import Buffered, Direct, TlsLayer
from tests.front.entrances import CONNECT, FIRST, GET, HEADER, NOW, EntranceCase, TlsPeer
from tests.lines import Line


class ChoiceTests(EntranceCase):
    """The first bytes tell."""

    def test_clear(self) -> None:
        """In clear text each protocol gets to its own, whole or byte by byte."""
        for speech, first in FIRST.items():
            for piece in (len(first), 1):
                line = self.connect(self.entrance(tls=False))
                for start in range(0, len(first), piece):
                    line.receive(first[start : start + piece])
                speaker = self.speakers[speech].made[-1]
                self.assertEqual(speaker.heard, first)
                self.assertEqual(bytes(line.sent), first.upper())
                line.drop()
                self.assertTrue(speaker.gone)
        self.assertEqual([len(each.made) for each in self.speakers.values()], [2, 2, 2])

    def test_tls(self) -> None:
        """Inside of TLS as well; and so when each byte of TLS comes alone."""
        for speech, first in FIRST.items():
            for piece in (0, 1):
                line = self.connect(self.entrance())
                peer = TlsPeer(line, self, piece=piece)
                peer.shake()
                peer.send(first)
                speaker = self.speakers[speech].made[-1]
                self.assertEqual((speaker.heard, peer.plain), (first, first.upper()))
                line.drop()
                self.assertTrue(speaker.gone)

    def test_versions(self) -> None:
        """TLS 1.2 and 1.3 make no difference."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            peer = TlsPeer(self.connect(self.entrance()), self, highest=version)
            peer.shake()
            peer.send(CONNECT)
            self.assertEqual(self.speakers[Speech.MQTT].made[-1].heard, CONNECT)

    def test_names(self) -> None:
        """Whatever name is asked for, and without one, the protocol is found by its bytes."""
        names = ("portal-eu.ecouser.net", "mq-eu.ecouser.net", "example.org", "")
        for name in names:
            peer = TlsPeer(self.connect(self.entrance()), self, server_name=name)
            peer.shake()
            peer.send(CONNECT)
            self.assertEqual(self.speakers[Speech.MQTT].made[-1].heard, CONNECT)
        self.assertEqual(self.asked.names, [(name, "192.0.2.7") for name in names])

    def test_tls_on_plain(self) -> None:
        """On a listener without TLS a client may begin with TLS all the same."""
        peer = TlsPeer(self.connect(self.entrance("web", tls=False)), self)
        peer.shake()
        peer.send(GET)
        self.assertEqual(self.speaker(Speech.HTTP).heard, GET)
        self.assertEqual(self.contact().outcome, Outcome.CHOSEN)

    def test_white_space(self) -> None:
        """White space before the first byte that counts is waited through; endless one is not."""
        line = self.connect(self.entrance(tls=False))
        for byte in (b"\r", b"\n", b"GET / HTTP/1.1\r\n\r\n"):
            line.receive(byte)
        self.assertEqual(self.speaker(Speech.HTTP).heard, b"\r\nGET / HTTP/1.1\r\n\r\n")
        other = self.connect(self.entrance(tls=False))
        other.receive(b" " * 64)
        self.assertTrue(other.over)

    def test_left_to_its_own(self) -> None:
        """On a port for one protocol, bytes of no other one are for that to complain about."""
        line = self.connect(self.entrance("mqtt", tls=False))
        line.receive(b"\xe0\x00")
        self.assertEqual(self.speaker(Speech.MQTT).heard, b"\xe0\x00")

    def test_xmpp_by_itself(self) -> None:
        """A port for XMPP alone leaves TLS to the stream."""
        line = self.connect(self.entrance("xmpp", tls=False))
        line.receive(b"\x16\x03\x01")
        self.assertEqual(self.speaker(Speech.XMPP).heard, b"\x16\x03\x01")

    def test_layers(self) -> None:
        """What is written is encrypted at once, or once a turn, as a listener likes it."""
        context = self.asked.choose("", "").context
        for direct, kind in ((True, Direct), (False, Buffered)):
            layer = TlsLayer(self.clock, self.asked, direct)
            threshold: object = object()
            self.assertIs(type(layer.secured(context, threshold)), kind)  # type: ignore[arg-type]  # not begun


class RecordTests(EntranceCase):
    """What the journal has."""

    def test_hello(self) -> None:
        """Everything that the client offers, what was agreed upon, and what it was shown."""
        peer = TlsPeer(self.connect(self.entrance()), self, alpn=(b"h2", b"http/1.1"))
        peer.shake()
        contact = self.contact()
        assert contact.hello is not None
        self.assertEqual(contact.hello.server_name, "portal-eu.ecouser.net")
        self.assertEqual(contact.hello.alpn, ("h2", "http/1.1"))
        self.assertIn(0x0304, contact.hello.versions)
        self.assertEqual(contact.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384")
        self.assertEqual((contact.shown, contact.outcome), ("fixed", Outcome.SECURED))
        peer.send(GET)
        self.assertEqual((contact.speech, contact.outcome), (Speech.HTTP, Outcome.CHOSEN))

    def test_where(self) -> None:
        """From where to where, since when and until when."""
        line = self.connect(self.entrance("web", tls=False), "192.0.2.9")
        contact = self.contact()
        self.assertEqual((contact.host, contact.port), ("192.0.2.9", 50_000))
        self.assertEqual((contact.local, contact.local_port), ("192.0.2.1", 443))
        self.assertEqual((contact.serves, contact.wants_tls), ("web", False))
        self.clock.advance(3)
        self.drop(line)
        self.assertEqual((contact.began, contact.ended), (NOW, NOW + 3))
        self.assertEqual((contact.reason, contact.by_us), ("the other side closed it", False))

    def test_bytes(self) -> None:
        """Bytes are counted as they pass the socket, which with TLS are more."""
        line = self.connect(self.entrance(tls=False))
        line.receive(GET)
        contact = self.contact()
        self.assertEqual((contact.received, contact.sent), (len(GET), len(line.sent)))
        second = self.connect(self.entrance())
        peer = TlsPeer(second, self)
        peer.shake()
        peer.send(GET)
        newest = next(iter(self.journal.contacts()))
        self.assertEqual(newest.sent, len(second.sent))
        self.assertGreater(newest.received, len(GET))

    def test_revisions(self) -> None:
        """Each step is a change of its own, so that somebody who watches sees it."""
        told: list[Outcome] = []
        stop = self.journal.watch(lambda _: told.append(self.contact().outcome))
        peer = TlsPeer(self.connect(self.entrance()), self)
        peer.shake()
        peer.send(GET)
        self.assertEqual(told[1:], [Outcome.HANDSHAKE, Outcome.SECURED, Outcome.CHOSEN])
        stop()
        self.drop(peer.line)
        self.assertEqual(len(told), 4)


class FailureTests(EntranceCase):
    """Those who come to nothing: each is told, the owner hears of it once."""

    def setUp(self) -> None:
        super().setUp()
        self.log: list[str] = []
        observer: Any = self.observe
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def observe(self, event: dict[str, object]) -> None:
        """One line."""
        if event.get("log_namespace") == "bumper_tw.front.entrance.Reception":
            self.log.append(str(event["log_format"]).format(**event))

    def test_untrusted(self) -> None:
        """A client that does not trust us says so, with TLS 1.2 and 1.3."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            line = self.connect(self.entrance())
            TlsPeer(line, self, verify=True, highest=version).shake()
            self.drop(line)
            contact = next(iter(self.journal.contacts()))
            self.assertEqual(contact.outcome, Outcome.TLS_FAILED)
            self.assertIn("alert", contact.alert)
        # The second one is kept back.
        [said] = self.log
        self.assertIn("192.0.2.7 came to port 443 and was not understood: TLS failed: ", said)

    def test_too_old(self) -> None:
        """A client that knows only TLS 1.0."""
        line = self.connect(self.entrance())
        TlsPeer(line, self, highest=SSL.TLS1_VERSION).shake()
        self.settle()
        contact = self.contact()
        self.assertEqual(contact.outcome, Outcome.TLS_FAILED)
        self.assertIn(contact.alert, {"unsupported protocol", "no shared cipher"})
        assert contact.hello is not None
        self.assertEqual(contact.hello.versions, (0x0301,))

    def test_cut(self) -> None:
        """A client that goes in the middle of the handshake."""
        line = self.connect(self.entrance())
        peer = TlsPeer(line, self)
        try:
            peer.tls.do_handshake()
        except SSL.WantReadError:
            peer.flush()
        self.drop(line)
        self.assertEqual(self.contact().outcome, Outcome.HANDSHAKE)
        self.assertEqual(len(self.log), 1)

    def test_no_hello(self) -> None:
        """What begins like TLS and is none is answered with an alert."""
        line = self.connect(self.entrance())
        line.receive(b"\x16\x03\x01\x00\x05nonsense")
        self.settle()
        self.assertEqual(line.sent[:1], b"\x15")
        self.assertEqual(self.contact().outcome, Outcome.TLS_FAILED)

    def test_clear_on_tls(self) -> None:
        """Clear text where only TLS is spoken gets an answer in its own language."""
        for first, answer in (
            (GET, b"HTTP/1.1 400 Bad Request"),
            (CONNECT, b"\x20\x02\x00\x03"),
            (HEADER, b"<?xml"),
        ):
            line = self.connect(self.entrance())
            line.receive(first)
            self.settle()
            self.assertTrue(bytes(line.sent).startswith(answer))
            self.assertTrue(line.lost)
            contact = next(iter(self.journal.contacts()))
            self.assertEqual(contact.outcome, Outcome.WRONG_LAYER)
        self.assertEqual([each.made for each in self.speakers.values()], [[], [], []])

    def test_wrong_port(self) -> None:
        """MQTT where only HTTP is spoken, inside of TLS; what follows is not heard."""
        line = self.connect(self.entrance("web"))
        peer = TlsPeer(line, self)
        peer.shake()
        peer.send(CONNECT)
        self.assertEqual(peer.plain, b"\x20\x02\x00\x03")
        line.receive(b"more")
        contact = self.contact()
        self.assertEqual((contact.outcome, contact.speech), (Outcome.WRONG_PROTOCOL, Speech.MQTT))
        self.assertEqual(self.speakers[Speech.HTTP].made, [])
        self.clock.advance(1)
        self.settle()
        self.assertTrue(line.lost)

    def test_nothing_known(self) -> None:
        """Bytes of no protocol: the record has how they began."""
        line = self.connect(self.entrance(tls=False))
        line.receive(b"\x00\x01\x02")
        self.settle()
        contact = self.contact()
        self.assertEqual((contact.outcome, contact.first), (Outcome.NO_PROTOCOL, "00 01 02"))
        self.assertTrue(line.lost)
        self.assertEqual((contact.reason, contact.by_us), ("this box closed it", True))

    def test_nothing_secret(self) -> None:
        """How a request begins that has come to the wrong port is not kept."""
        for entrance in (self.entrance(), self.entrance("mqtt", tls=False)):
            self.connect(entrance).receive(b"GET /?t=secret HTTP/1.1\r\n\r\n")
            self.settle()
            self.assertEqual(next(iter(self.journal.contacts())).first, "")

    def test_who_closed(self) -> None:
        """Whoever is inside and ends it is told of as such, with TLS as without; and who went."""
        for tls in (False, True):
            line = self.connect(self.entrance(tls=tls))
            peer = TlsPeer(line, self)
            if tls:
                peer.shake()
            (peer.send if tls else line.receive)(GET)
            inside: Any = self.speakers[Speech.HTTP].made[-1]
            inside.transport.loseConnection()
            peer.take()
            self.drop(line)
            contact = next(iter(self.journal.contacts()))
            self.assertEqual((contact.reason, contact.by_us), ("this box closed it", True))
        line = self.connect(self.entrance())
        peer = TlsPeer(line, self)
        peer.shake()
        peer.send(GET)
        peer.tls.shutdown()
        peer.flush()
        self.drop(line)
        contact = next(iter(self.journal.contacts()))
        self.assertEqual((contact.reason, contact.by_us), ("the other side closed it", False))

    def test_capitals(self) -> None:
        """What begins with capitals and is no request is not taken for one, nor waited for."""
        for first in (b"SSH-2.0-OpenSSH_9.2\r\n", b"A" * 21, b"HELO"):
            line = self.connect(self.entrance(tls=False))
            line.receive(first)
            self.settle()
            self.assertEqual(line.lost, first != b"HELO")
        outcomes = [contact.outcome for contact in self.journal.contacts()]
        self.assertEqual(outcomes, [Outcome.SILENT, Outcome.NO_PROTOCOL, Outcome.NO_PROTOCOL])

    def test_silent(self) -> None:
        """Who says nothing is cut at the deadline; nobody needs a line about a port scan."""
        line = self.connect(self.entrance())
        self.clock.advance(10)
        self.settle()
        self.assertTrue(line.lost)
        contact = self.contact()
        self.assertEqual((contact.outcome, contact.by_us), (Outcome.SILENT, True))
        self.assertEqual(self.log, [])

    def test_slow(self) -> None:
        """Bytes buy no time: neither of a hello nor inside of TLS."""
        first = self.connect(self.entrance())
        first.receive(b"\x16\x03")
        second = self.connect(self.entrance())
        TlsPeer(second, self).shake()
        self.clock.advance(9)
        first.receive(b"\x01")
        self.clock.advance(1)
        self.settle()
        self.assertTrue(first.lost and second.lost)
        outcomes = {contact.outcome for contact in self.journal.contacts()}
        self.assertEqual(outcomes, {Outcome.TOO_SLOW})

    def test_nothing_waits(self) -> None:
        """Once a protocol is chosen there is no timer of ours, nor when all have gone."""
        line = self.connect(self.entrance(tls=False))
        line.receive(GET)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        other = self.connect(self.entrance())
        self.drop(other)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class CrowdTests(EntranceCase):
    """Those who say nothing are bounded, in all and from one address."""

    def test_per_peer(self) -> None:
        """One address has a share; whoever has chosen does not count."""
        entrance = self.entrance(tls=False)
        lines = [self.connect(entrance) for _ in range(3)]
        self.assertIsInstance(self.connect(entrance).protocol, Unwelcome)
        lines[0].receive(GET)
        self.assertNotIsInstance(self.connect(entrance).protocol, Unwelcome)
        self.drop(lines[1])
        self.assertNotIsInstance(self.connect(entrance).protocol, Unwelcome)

    def test_turned_away(self) -> None:
        """Whoever is turned away counts until he is gone."""
        entrance = self.entrance(tls=False)
        for _ in range(3):
            line = self.connect(entrance)
            line.slow = True
            line.receive(b"\x00")
        self.assertIsInstance(self.connect(entrance).protocol, Unwelcome)
        self.clock.advance(1)
        self.settle()
        self.assertNotIsInstance(self.connect(entrance).protocol, Unwelcome)

    def test_in_all(self) -> None:
        """When there are too many in all, the oldest of whoever has the most makes room."""
        entrance = self.entrance()
        few = [self.connect(entrance, f"192.0.2.{number}") for number in range(3)]
        many = [self.connect(entrance, "192.0.2.66") for _ in range(2)]
        late = [self.connect(entrance, f"192.0.2.{number}") for number in (98, 99)]
        self.settle()
        # With two of them gone the next one is of those who have one each.
        self.assertEqual([line.lost for line in many], [True, False])
        self.assertEqual([line.lost for line in few], [True, False, False])
        self.assertEqual([line.lost for line in late], [False, False])
        self.assertEqual(len(self.reception.strangers), 5)
        [gone] = [each for each in self.journal.contacts() if each.host == "192.0.2.66"][1:]
        self.assertEqual((gone.outcome, gone.by_us), (Outcome.CROWDED, True))

    def test_ipv6(self) -> None:
        """A network of IPv6 counts as one address: who is in it may have them all."""
        entrance = self.entrance()
        for number in range(3):
            self.connect(entrance, f"2001:db8:0:1::{number}")
        self.assertIsInstance(self.connect(entrance, "2001:db8:0:1:ffff::1").protocol, Unwelcome)
        other = self.connect(entrance, "2001:db8:0:2::1").protocol
        self.assertNotIsInstance(other, Unwelcome)
        self.assertNotIsInstance(self.connect(entrance, "fe80::1%eth0").protocol, Unwelcome)

    def test_told(self) -> None:
        """Whoever is refused is in the journal: once in a while, not each time."""
        entrance = self.entrance(tls=False)
        for _ in range(3):
            self.connect(entrance)
        refused = [self.connect(entrance) for _ in range(4)]
        self.settle()
        self.assertTrue(all(line.lost for line in refused))
        outcomes = [each.outcome for each in self.journal.contacts()]
        self.assertEqual(outcomes.count(Outcome.CROWDED), 1)

    def test_full_house(self) -> None:
        """When whoever is behind has no room, the record says so."""
        entrance = self.entrance("web", tls=False)
        full: Any = self.speakers[Speech.HTTP]
        full.buildProtocol = lambda _: Unwelcome()
        line = self.connect(entrance)
        line.receive(GET)
        self.settle()
        self.assertTrue(line.lost)
        self.assertEqual(self.contact().outcome, Outcome.CROWDED)


class TcpLine(Line):
    """A line that says that it is TCP."""

    hurried: object = None

    def setTcpNoDelay(self, enabled: object) -> None:
        self.hurried = enabled


class LocalLine(Line):
    """A local socket, which Twisted says could do the same."""


# They do as far as these tests go.
declare: Any = classImplements
declare(TcpLine, ITCPTransport)
declare(LocalLine, ITCPTransport, IUNIXTransport)


class SocketTests(EntranceCase):
    """What is asked of sockets."""

    def test_in_a_hurry(self) -> None:
        """Small messages do not wait on TCP for the acknowledgement of others."""
        built: Any = self.entrance().buildProtocol(IPv4Address("TCP", "192.0.2.7", 50_000))
        self.assertIs(TcpLine(self.clock, "192.0.2.7", built).hurried, True)

    def test_local(self) -> None:
        """A local socket cannot, and is not asked; nobody comes from anywhere there."""
        built: Any = self.entrance(tls=False).buildProtocol(UNIXAddress(None))
        line = LocalLine(self.clock, "", built)
        line.receive(GET)
        self.assertEqual(self.speaker(Speech.HTTP).heard, GET)
        self.assertEqual(self.contact().host, "")


class WatchTests(EntranceCase):
    """Those who watch the journal."""

    def test_broken(self) -> None:
        """One who fails costs neither the others nor the connection anything."""

        def broken(_: object) -> None:
            raise ZeroDivisionError

        heard: list[object] = []
        self.journal.watch(broken)
        self.journal.watch(heard.append)
        self.connect(self.entrance(tls=False)).receive(GET)
        self.assertEqual(self.speaker(Speech.HTTP).heard, GET)
        self.assertGreater(len(heard), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), len(heard))
