"""TLS of the robots, and the command line."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.simulator.__main__ import parser, robots
from bumper_tw.simulator.endpoints import Credulous, connect_endpoint
from bumper_tw.simulator.identity import Kind
from tests.simulator.rig import StringEndpoint


def server_context(names: list[bytes | None]) -> SSL.Context:
    """Make a server with a certificate nobody signed; it notes the names it is called."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody.invalid")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(days=36500)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(start).not_valid_after(end)
    certificate = builder.sign(key, hashes.SHA256())
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_privatekey(crypto.PKey.from_cryptography_key(key))
    context.use_certificate(crypto.X509.from_cryptography(certificate))
    context.set_tlsext_servername_callback(lambda server: names.append(server.get_servername()))
    return context


def shake(connection: SSL.Connection) -> None:
    """Do as much of a handshake as possible."""
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return


def pump(source: SSL.Connection, target: SSL.Connection) -> None:
    """Carry the bytes of one side to the other."""
    try:
        target.bio_write(source.bio_read(1 << 16))
    except SSL.WantReadError:
        return


class CredulousTests(SynchronousTestCase):
    """TLS without verification."""

    def called(self, name: str) -> list[bytes | None]:
        """Shake hands with an unknown server, and see what it was called."""
        names: list[bytes | None] = []
        server = SSL.Connection(server_context(names), None)
        server.set_accept_state()
        unused: Any = None
        client = Credulous(name).clientConnectionForTLS(unused)
        client.set_connect_state()
        for _ in range(4):
            shake(client)
            pump(client, server)
            shake(server)
            pump(server, client)
        client.send(b"hello")
        pump(client, server)
        self.assertEqual(server.recv(5), b"hello")
        return [name for name in names if name]

    def test_name_is_sent(self) -> None:
        """An unverifiable server is accepted, and called by its name."""
        self.assertEqual(self.called("mq-eu.ecouser.net"), [b"mq-eu.ecouser.net"])

    def test_no_name(self) -> None:
        """Addresses and empty names are not sent."""
        self.assertEqual([self.called(""), self.called("192.0.2.1")], [[], []])


class CommandLineTests(SynchronousTestCase):
    """C{python -m bumper_tw.simulator}."""

    def test_endpoints(self) -> None:
        """Plain connections have no TLS around them, others have."""
        reactor = MemoryReactorClock()
        plain = connect_endpoint(reactor, "localhost", 1883, tls=False)
        wrapped = connect_endpoint(reactor, "localhost", 8883)
        self.assertIsInstance(plain, HostnameEndpoint)
        self.assertNotIsInstance(wrapped, HostnameEndpoint)

    def test_fleet(self) -> None:
        """The numbers asked for, each with its own identity."""
        options = parser().parse_args(["--plain", "--json", "3", "--xml", "2"])
        fleet = robots(Clock(), StringEndpoint(), options)
        self.assertEqual([robot.kind for robot in fleet], [Kind.JSON] * 3 + [Kind.XML] * 2)
        self.assertEqual(len({robot.identity.did for robot in fleet}), 5)
        self.assertFalse(options.tls)

    def test_defaults(self) -> None:
        """Without options: one JSON robot over TLS at its own pace."""
        options = parser().parse_args([])
        self.assertEqual(
            (options.port, options.tls, options.json, options.xml, options.speed),
            (8883, True, 1, 0, 1.0),
        )
