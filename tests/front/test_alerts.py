"""Tests for L{bumper_tw.front.alerts}: real handshakes fail in real ways, and are understood."""

from datetime import datetime, timedelta

from cryptography import x509
from OpenSSL import SSL, crypto

from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.alerts import WORDS, Trouble, came_before, trouble
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact, Outcome
from bumper_tw.front.tls import words
from bumper_tw.pki import authority
from tests.front.entrances import Asked, EntranceCase, TlsPeer
from tests.front.fixed import Fixed, blank
from tests.pki.samples import COVER, NOW, ec_key, new_authority

YEARS = timedelta(days=5 * 365)
#: Alerts by number (RFC 8446, 6.2), and what they mean to us.
ALERTS = {
    40: Trouble.GIVEN_UP,
    42: Trouble.DISLIKED,
    43: Trouble.DISLIKED,
    44: Trouble.DISLIKED,
    45: Trouble.CLOCK,
    46: Trouble.UNTRUSTED,
    48: Trouble.UNTRUSTED,
    49: Trouble.GIVEN_UP,
    51: Trouble.OTHER,
    70: Trouble.VERSION,
    71: Trouble.CIPHER,
    80: Trouble.GIVEN_UP,
    86: Trouble.VERSION,
    90: Trouble.GIVEN_UP,
    112: Trouble.DISLIKED,
}


class HandshakeTests(EntranceCase):
    """Clients of OpenSSL, each with another objection, at an entrance of ours."""

    def setUp(self) -> None:
        super().setUp()
        root, key = new_authority(ec_key()), ec_key()
        self.root = root.certificate
        context = blank()
        leaf = authority.leaf(root, key, COVER, NOW)
        context.use_certificate(crypto.X509.from_cryptography(leaf))
        context.add_extra_chain_cert(crypto.X509.from_cryptography(self.root))
        context.use_privatekey(crypto.PKey.from_cryptography_key(key))
        self.asked = Asked(Fixed(context))
        acquaintances = Acquaintances(self.clock, self.journal)
        self.addCleanup(acquaintances.stop)
        self.chronicle = Chronicle(self.clock, self.journal, acquaintances)

    def meet(self, client: SSL.Context, name: str = "portal-eu.ecouser.net") -> Contact:
        """A client comes, and shakes hands as far as it will; it leaves then."""
        line = self.connect(self.entrance())
        peer = TlsPeer(line, self, name)
        peer.tls = SSL.Connection(client, None)
        peer.tls.set_tlsext_host_name(name.encode())
        peer.tls.set_connect_state()
        peer.shake()
        self.drop(line)
        return next(self.journal.contacts())

    def named(self, client: SSL.Context, name: str = "portal-eu.ecouser.net") -> str:
        """What that comes to."""
        return self.chronicle.diagnosis(self.meet(client, name)).name

    def trusting(self, when: datetime, version: int, *roots: x509.Certificate) -> SSL.Context:
        """A client that trusts those, and believes that it is then."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        store = context.get_cert_store()
        assert store is not None
        for each in roots:
            store.add_cert(crypto.X509.from_cryptography(each))
        store.set_time(when)
        context.set_verify(SSL.VERIFY_PEER)
        return context

    def test_trust(self) -> None:
        """A client without our authority; a robot by its name; and one that has it."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            stranger = self.trusting(NOW, version)
            self.assertEqual(self.named(stranger), "untrusted-ca")
            self.assertEqual(self.named(stranger, "ca.robotww.ecouser.net"), "robot-pins")
            friend = self.trusting(NOW, version, self.root)
            self.assertEqual(self.meet(friend).outcome, Outcome.SECURED)

    def test_proved(self) -> None:
        """The same after somebody there has shown his trust."""
        stranger = self.trusting(NOW, SSL.TLS1_3_VERSION)
        self.assertEqual(self.named(stranger), "untrusted-ca")
        self.meet(self.trusting(NOW, SSL.TLS1_3_VERSION, self.root), "box.lan").proved()
        self.assertEqual(self.named(stranger), "app-pins")

    def test_time(self) -> None:
        """A client from the future sees that it has run out; one from the past says less."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            later = self.trusting(NOW + YEARS, version, self.root)
            self.assertEqual(self.named(later), "clock")
            contact = self.meet(self.trusting(NOW - YEARS, version, self.root))
            found = self.chronicle.diagnosis(contact)
            self.assertIs(trouble(contact.alert), Trouble.DISLIKED)
            self.assertIn("clock is behind", found.sentence)

    def test_pinned(self) -> None:
        """A check of the program's own, without an error of OpenSSL."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
        contact = self.meet(context)
        self.assertEqual(contact.outcome, Outcome.TLS_FAILED)
        self.assertIn(self.chronicle.diagnosis(contact).name, {"handshake-cut", "untrusted-ca"})

    def test_left(self) -> None:
        """A client that has nothing against us, and leaves when the handshake is over."""
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION):
            name = f"v{version}.ecouser.net"
            friend = self.trusting(NOW, version, self.root)
            found = []
            for _ in range(3):
                self.clock.advance(90)
                found.append(self.named(friend, name))
            self.assertEqual(found, ["unfinished", "unfinished", "app-pins"])

    def test_old(self) -> None:
        """A client that knows nothing newer than TLS 1.1."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_VERSION)
        context.set_max_proto_version(SSL.TLS1_1_VERSION)
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
        self.assertEqual(self.named(context), "old-tls")

    def test_cipher(self) -> None:
        """A client that knows no suite for our key."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(b"AES128-SHA:@SECLEVEL=0")
        contact = self.meet(context)
        found = self.chronicle.diagnosis(contact)
        self.assertEqual(found.name, "no-cipher")
        self.assertIn("offers AES128-SHA", found.sentence)

    def test_alerts(self) -> None:
        """Every alert that a client may send in the middle of the handshake."""
        for number, meaning in ALERTS.items():
            line = self.connect(self.entrance())
            peer = TlsPeer(line, self, highest=SSL.TLS1_2_VERSION)
            with self.assertRaises(SSL.WantReadError):
                peer.tls.do_handshake()
            peer.flush()
            line.receive(bytes((21, 3, 3, 0, 2, 2, number)))
            self.settle()
            self.drop(line)
            contact = next(self.journal.contacts())
            self.assertEqual(contact.outcome, Outcome.TLS_FAILED, number)
            self.assertIs(trouble(contact.alert), meaning, contact.alert)

    def test_clear(self) -> None:
        """OpenSSL's own words for what is no TLS."""
        for said in (b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("101200044d5154540402003c0006")):
            server = SSL.Connection(self.asked.fixed.context, None)
            server.set_accept_state()
            server.bio_write(said)
            failed = self.assertRaises(SSL.Error, server.do_handshake)
            self.assertIs(trouble(words(failed)), Trouble.CLEAR)


class WordTests(EntranceCase):
    """The table."""

    def test_generations(self) -> None:
        """OpenSSL 1.1.1 and 3 spell it in one way, 4 in another, programs in a third."""
        for spelling in (
            "sslv3 alert certificate unknown",
            "tls alert certificate unknown",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        ):
            self.assertIs(trouble(spelling), Trouble.UNTRUSTED)

    def test_reachable(self) -> None:
        """No line of the table hides behind another."""
        for part, meaning in WORDS:
            self.assertIs(trouble(f"tls {part} x"), meaning, part)
        self.assertIs(trouble(""), Trouble.OTHER)

    def test_before(self) -> None:
        """What our own end says comes before the certificate, what the client says behind."""
        for words_, before in (
            ("no shared cipher", True),
            ("UNSUPPORTED_PROTOCOL", True),
            ("tlsv1 alert protocol version", False),
            ("SSLV3_ALERT_BAD_CERTIFICATE", False),
            ("unexpected eof while reading", False),
            ("", False),
        ):
            self.assertIs(came_before(words_), before, words_)
