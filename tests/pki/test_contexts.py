"""Handshakes in memory, with clients old and strict."""

import contextlib
from datetime import datetime
from ipaddress import ip_address

from OpenSSL import SSL, crypto
from service_identity import VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.pki import authority
from bumper_tw.pki.authority import Authority
from bumper_tw.pki.contexts import ServerContexts
from bumper_tw.pki.directory import Credentials
from bumper_tw.pki.openssl import CIPHERS
from tests.pki.chosen import Chosen
from tests.pki.samples import COVER, DAY, NOW, ec_key, new_authority, rsa_key


class Echo(Protocol):
    """Says back what it hears."""

    def dataReceived(self, data: bytes) -> None:
        """Twisted hands us plain text here."""
        assert self.transport is not None
        self.transport.write(data)


def strict(root: Authority, now: datetime = NOW) -> SSL.Context:
    """A client that trusts that authority alone, and checks it by the book."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    store = context.get_cert_store()
    assert store is not None
    store.add_cert(crypto.X509.from_cryptography(root.certificate))
    store.set_time(now)
    store.set_flags(crypto.X509StoreFlags.X509_STRICT)
    context.set_verify(SSL.VERIFY_PEER)
    return context


def careless(version: int, ciphers: bytes = b"ALL:@SECLEVEL=0") -> SSL.Context:
    """A client that believes anything, and speaks just one version."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(ciphers)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    return context


class Meeting:
    """A client and a listener of ours, with their bytes carried to and fro in memory."""

    def __init__(self, creator: IOpenSSLServerConnectionCreator, client: SSL.Context) -> None:
        self.creator = creator
        self.transport = StringTransportWithDisconnection()
        self.clock = Clock()
        wrapped = Factory.forProtocol(Echo)
        factory = TLSMemoryBIOFactory(creator, False, wrapped, self.clock)
        self.server: TLSMemoryBIOProtocol = factory.buildProtocol(None)
        self.transport.protocol = self.server
        self.server.makeConnection(self.transport)
        self.client = SSL.Connection(client, None)
        self.client.set_connect_state()

    def shake(self, name: bytes = b"portal-ww.ecouser.net") -> None:
        """Shake hands; raises the client's C{SSL.Error} if that fails."""
        self.client.set_tlsext_host_name(name)
        for _ in range(8):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            self.carry()

    def carry(self) -> None:
        """Carry what either side has to say to the other."""
        with contextlib.suppress(SSL.WantReadError):
            self.server.dataReceived(self.client.bio_read(65536))
        # Twisted gathers small writes until the reactor's next turn.
        self.clock.advance(0)
        answer = self.transport.value()
        self.transport.clear()
        if answer:
            self.client.bio_write(answer)

    def cipher_list(self) -> list[str]:
        """Every suite that the listener would speak."""
        return self.creator.serverConnectionForTLS(self.server).get_cipher_list()

    def echo(self, data: bytes) -> bytes:
        """Say something and hear what comes back."""
        self.client.send(data)
        self.carry()
        return self.client.recv(65536)


class ContextCase(SynchronousTestCase):
    """A box with its certificates, RSA as in life."""

    def setUp(self) -> None:
        self.root = new_authority(rsa_key(0))
        self.credentials = self.made(NOW)
        self.contexts = ServerContexts(lambda: self.credentials)

    def made(self, now: datetime) -> Credentials:
        """The credentials of a leaf made at that moment."""
        key = rsa_key(1)
        leaf = authority.leaf(self.root, key, COVER, now)
        return Credentials((leaf, self.root.certificate), key)

    def meet(self, client: SSL.Context, legacy: bool = False) -> Meeting:
        """Shake hands with one of the two kinds of listener."""
        meeting = Meeting(Chosen(self.contexts.chooser(legacy)), client)
        meeting.shake()
        return meeting


class HandshakeTests(ContextCase):
    """Who gets in, and with what."""

    def test_newest(self) -> None:
        """A modern client gets TLS 1.3, and is understood."""
        meeting = self.meet(strict(self.root))
        self.assertEqual(meeting.client.get_protocol_version_name(), "TLSv1.3")
        self.assertEqual(meeting.echo(b"hello"), b"hello")

    def test_plainest_suites(self) -> None:
        """TLS 1.2 without forward secrecy and with CBC is there for old robots."""
        for cipher in ("AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"):
            meeting = self.meet(careless(SSL.TLS1_2_VERSION, cipher.encode()))
            self.assertEqual(meeting.client.get_cipher_name(), cipher)
            self.assertEqual(meeting.echo(b"hello"), b"hello")

    def test_best_suite_wins(self) -> None:
        """We choose, and choose forward secrecy, even if the client would rather not."""
        ours = b"AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"
        meeting = self.meet(careless(SSL.TLS1_2_VERSION, ours))
        self.assertEqual(meeting.client.get_cipher_name(), "ECDHE-RSA-AES128-GCM-SHA256")

    def test_unsound_suites(self) -> None:
        """No suite without authentication or encryption, and none that is broken."""
        for legacy in (False, True):
            chosen = Chosen(self.contexts.chooser(legacy))
            offered = Meeting(chosen, strict(self.root)).cipher_list()
            self.assertIn("AES128-SHA", offered)
            for bad in ("ADH", "AECDH", "NULL", "RC4", "DES", "MD5", "PSK", "SRP", "EXP"):
                self.assertEqual([name for name in offered if bad in name], [])

    def test_anonymous_client(self) -> None:
        """Who offers only anonymous suites is refused, with the list of CIPHERS in force."""
        self.assertIn("!aNULL", CIPHERS)
        client = careless(SSL.TLS1_2_VERSION, b"aNULL:@SECLEVEL=0")
        self.assertRaises(SSL.Error, self.meet, client)

    def test_old_versions(self) -> None:
        """TLS 1.0 and 1.1 are refused, unless the listener is a legacy one."""
        for version, name in ((SSL.TLS1_VERSION, "TLSv1"), (SSL.TLS1_1_VERSION, "TLSv1.1")):
            self.assertRaises(SSL.Error, self.meet, careless(version))
            meeting = self.meet(careless(version), legacy=True)
            self.assertEqual(meeting.client.get_protocol_version_name(), name)
            self.assertEqual(meeting.echo(b"hello"), b"hello")

    def test_legacy_is_not_a_downgrade(self) -> None:
        """A modern client gets TLS 1.3 from a legacy listener, too."""
        meeting = self.meet(strict(self.root), legacy=True)
        self.assertEqual(meeting.client.get_protocol_version_name(), "TLSv1.3")

    def test_no_certificate_asked(self) -> None:
        """A robot has none, and is not asked for one."""
        meeting = self.meet(careless(SSL.TLS1_2_VERSION))
        self.assertEqual(meeting.client.get_client_ca_list(), [])

    def test_whole_chain(self) -> None:
        """The leaf comes with its authority."""
        chain = self.meet(strict(self.root)).client.get_peer_cert_chain()
        assert chain is not None
        self.assertEqual(tuple(c.to_cryptography() for c in chain), self.credentials.chain)

    def test_tickets(self) -> None:
        """A robot that comes back resumes its session, of which we have kept nothing."""
        context = careless(SSL.TLS1_2_VERSION)
        first = self.meet(context).client
        session = first.get_session()
        assert session is not None
        again = Meeting(Chosen(self.contexts.chooser()), context)
        again.client.set_session(session)
        again.shake()
        self.assertEqual(again.echo(b"hello"), b"hello")
        self.assertEqual(again.client.master_key(), first.master_key())
        self.assertNotEqual(self.meet(context).client.master_key(), first.master_key())

    def test_elliptic_curve(self) -> None:
        """An owner's certificate with an elliptic curve works as well."""
        key = ec_key()
        leaf = authority.leaf(self.root, key, COVER, NOW)
        self.credentials = Credentials((leaf, self.root.certificate), key)
        self.contexts.reload()
        self.assertEqual(self.meet(strict(self.root)).echo(b"hello"), b"hello")


class NameTests(ContextCase):
    """A client that checks names finds the one it asked for."""

    def test_vendor_names(self) -> None:
        """Names of every depth and zone that robots and apps are known to use."""
        client = self.meet(strict(self.root)).client
        for name in (
            "ecouser.net",
            "portal-ww.ecouser.net",
            "jmq-ngiot-eu.dc.ww.ecouser.net",
            "jmq-ngiot-de.area.ww.ecouser.net",
            "jmq-ngiot-eu.dc.robotww.ecouser.net",
            "api-app.dc-eu.ww.ecouser.net",
            "users-base.dc-na.ww.ecouser.net",
            "codepush-base.dc-as.ww.ecouser.net",
            "api-app.ww.ecouser.net",
            "ca.robotww.ecouser.net",
            "ca.robotcn.ecouser.net",
            "jmq-ngiot-cn.dc.cn.ecouser.net",
            "eco-us-api.ecovacs.com",
            "gl-cn-api.ecovacs.cn",
            "lbo.ecovacs.net",
            "lb-de.ecovacs.net",
            "portal.ecouser.com",
            "portal.ecouser.cn",
        ):
            verify_hostname(client, name)

    def test_own_names(self) -> None:
        """The box by its names and addresses, and by loopback."""
        client = self.meet(strict(self.root)).client
        # Names without a dot are left to test_authority: older releases of service_identity
        # break on them when there are wildcards around.
        verify_hostname(client, "dusty.lan")
        for address in ("192.168.7.2", "fd00::2", "127.0.0.1", "::1"):
            verify_ip_address(client, str(ip_address(address)))

    def test_other_names(self) -> None:
        """It speaks for nobody else."""
        client = self.meet(strict(self.root)).client
        for name in ("example.org", "iot.aliyun.com", "a.b.ecovacs.com"):
            self.assertRaises(VerificationError, verify_hostname, client, name)

    def test_other_authority(self) -> None:
        """Who trusts another authority does not get in by mistake."""
        self.assertRaises(SSL.Error, self.meet, strict(new_authority()))


class ReloadTests(ContextCase):
    """A renewal takes effect without a restart."""

    def test_new_connections(self) -> None:
        """New connections see the new leaf; an open one goes on."""
        opened = self.meet(strict(self.root))
        later = NOW + 600 * DAY
        self.credentials = self.made(later)
        self.contexts.reload()
        for legacy in (False, True):
            fresh = self.meet(strict(self.root, later), legacy).client.get_peer_certificate()
            assert fresh is not None
            self.assertEqual(fresh.to_cryptography(), self.credentials.leaf)
        self.assertEqual(opened.echo(b"still here"), b"still here")

    def test_refused(self) -> None:
        """A pair that OpenSSL refuses is an error with a reason; the old one stays."""
        good = self.credentials
        self.credentials = Credentials(good.chain, rsa_key(0))
        error = self.assertRaises(StartError, self.contexts.reload)
        self.assertIn("mismatch", str(error))
        fresh = self.meet(strict(self.root)).client.get_peer_certificate()
        assert fresh is not None
        self.assertEqual(fresh.to_cryptography(), good.leaf)
