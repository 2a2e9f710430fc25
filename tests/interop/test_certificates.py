"""
What a started server shows, verified by openssl as strictly as it can.

Nothing here is downloaded; without the openssl command most of it is not tested.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bumper_tw.dialect.hosts import known_hosts
from tests.interop.case import CHOICE, InteropCase, clients_wanted, unavailable
from tests.interop.children import PATIENCE
from tests.interop.server import HOST, Server, own_environment

#: A name deep in a zone, of which nobody has ever heard.
DEEP = "x.dc-eu.ww.ecouser.net"

#: Suites of TLS 1.2 with one kind of certificate each.
KINDS = {"rsa": "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "ec": "ECDHE-ECDSA-AES128-GCM-SHA256"}

#: Bytes that a certificate for one name may have.
SMALL = 1024

#: Names of a zone that nobody needs: how many are tried, and how many more when there is time.
JUNK, MUCH_JUNK = 1000, 10_000

#: Files that those may become.
PLACES = 20

#: Bytes by which the server may grow over them, contexts and OpenSSL's own pools included.
GROWTH = 24 << 20


class CertificateCase(InteropCase):
    """A server, and an openssl that trusts it alone."""

    def setUp(self) -> None:
        super().setUp()
        clients_wanted()
        found = shutil.which("openssl")
        if found is None:
            unavailable("there is no openssl command here")
        self.openssl = found

    def start(self, leaves: int = 1000, more: str = "") -> Server:
        """A server that makes as many certificates as are asked for."""
        file = self.folder / "bumper.toml"
        file.write_text(f"[tls]\nleaves = {leaves}\nnew_leaves_per_minute = 10000\n{more}\n")
        server = self.serve("--config", str(file))
        self.port = server.ports().web_tls
        return server

    def run_openssl(self, *words: str) -> str:
        """What openssl says, which has to go well."""
        argv = [self.openssl, *words]
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, f"{argv}\n{done.stdout}{done.stderr}")
        return done.stdout

    def shown(self, ca: Path, asked: str, *words: str, verify: str = "") -> x509.Certificate:
        """The certificate for a name, verified strictly."""
        name = ["-servername", asked] if asked else ["-noservername"]
        strict = ["-x509_strict", "-verify_return_error", "-CAfile", str(ca)]
        if asked or verify:
            strict += ["-verify_hostname", asked or verify]
        where = ["-connect", f"{HOST}:{self.port}"]
        said = self.run_openssl("s_client", *where, *name, *strict, *words)
        self.assertIn("Verify return code: 0 (ok)", said)
        return x509.load_pem_x509_certificate(said.encode())


class ShownTests(CertificateCase):
    """Every name that anybody is known to ask for."""

    def test_every_name(self) -> None:
        """Each has its own certificate, small and strictly valid, for each kind of key."""
        server = self.start()
        sizes: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for asked in (*known_hosts(), DEEP, "localhost"):
            for kind, suites in KINDS.items():
                found = self.shown(server.ca, asked, "-tls1_2", "-cipher", suites)
                self.assertEqual(names_of(found), [asked])
                sizes[kind].append(len(found.public_bytes(Encoding.DER)))
        self.assertLess(max(map(max, sizes.values())), SMALL, sizes)
        files = list((server.certs / "leaves").glob("*.crt"))
        self.assertEqual(len(files), len(known_hosts()) + 2)

    def test_newest(self) -> None:
        """TLS 1.3, by what signatures the client can verify."""
        server = self.start()
        for algorithms, kind in (
            ("rsa_pss_rsae_sha256", rsa.RSAPublicKey),
            ("ecdsa_secp256r1_sha256:rsa_pkcs1_sha256", ec.EllipticCurvePublicKey),
        ):
            found = self.shown(server.ca, DEEP, "-tls1_3", "-sigalgs", algorithms)
            self.assertIsInstance(found.public_key(), kind)

    def test_without_a_name(self) -> None:
        """Who asks for nothing gets one for all names that we know, and for our addresses."""
        server = self.start()
        for suites in KINDS.values():
            kind = ("-tls1_2", "-cipher", suites)
            self.shown(server.ca, "", *kind, verify="jmq-ngiot-eu.dc.robotww.ecouser.net")
            self.shown(server.ca, "", *kind, "-verify_ip", HOST)
        for file in ("bumper.crt", "bumper-ec.crt"):
            for name in known_hosts():
                words = ("-CAfile", str(server.ca), "-x509_strict", "-verify_hostname", name)
                self.run_openssl(
                    "verify", *words, "-purpose", "sslserver", str(server.certs / file)
                )

    def test_constrained(self) -> None:
        """An authority that vouches for known names only is as good for these."""
        server = self.start(more="constrain = true")
        self.assertIn("Name Constraints", self.run_openssl("x509", "-in", str(server.ca), "-text"))
        for asked in ("portal-ww.ecouser.net", DEEP, "localhost"):
            self.shown(server.ca, asked)
        self.shown(server.ca, "", "-verify_ip", HOST)

    def test_import(self) -> None:
        """An authority that was imported signs all that is shown, once the server is told."""
        server = self.start()
        before = self.shown(server.ca, DEEP)
        other = self.other_authority()
        argv = [sys.executable, "-m", "bumper_tw.app.cli", "certs", "import", str(other.parent)]
        environ = {**own_environment(), "BUMPER_TLS_DIRECTORY": str(server.certs)}
        done = subprocess.run(
            argv, cwd=server.folder, env=environ, capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        os.kill(server.child.pid, signal.SIGHUP)
        server.child.wait_for("holds until", 2)
        after = self.shown(other, DEEP)
        self.shown(other, "", "-verify_ip", HOST)
        self.assertNotEqual(after.issuer, before.issuer)


class JunkTests(CertificateCase):
    """Names that somebody makes up."""

    def test_made_up(self) -> None:
        """They take a bounded part of the disk, of the memory and of the time."""
        server = self.start(leaves=PLACES)
        self.greet("warm.ecouser.net")
        random, size = Random(6), memory(server.child.pid)
        count = MUCH_JUNK if os.environ.get(CHOICE) == "require" else JUNK
        for _ in range(count):
            self.greet(
                f"{random.getrandbits(64):x}.{random.choice(('ww', 'dc', 'x.y'))}.ecouser.net"
            )
        self.assertLessEqual(len(list((server.certs / "leaves").iterdir())), PLACES)
        self.assertLess(memory(server.child.pid) - size, GROWTH)
        self.shown(server.ca, DEEP)

    def test_rate(self) -> None:
        """From one address, only a part of what may be made within a minute is made."""
        server = self.serve()
        self.port = server.ports().web_tls
        began = monotonic()
        for number in range(200):
            self.greet(f"x{number}.ww.ecouser.net")
        # A third of thirty, and what comes back while this takes its time.
        most = 10 + (monotonic() - began) / 6
        self.assertLessEqual(len(list((server.certs / "leaves").iterdir())), most)
        self.shown(server.ca, "x199.ww.ecouser.net")

    def greet(self, asked: str) -> None:
        """Ask for a name, and leave once something has come back."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = context.wrap_bio(incoming, outgoing, server_hostname=asked)
        self.assertRaises(ssl.SSLWantReadError, hello.do_handshake)
        with socket.create_connection((HOST, self.port), timeout=PATIENCE) as connection:
            connection.sendall(outgoing.read())
            self.assertTrue(connection.recv(65536))


def names_of(certificate: x509.Certificate) -> list[str]:
    """The host names that a certificate speaks for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value.get_values_for_type(x509.DNSName)


def memory(pid: int) -> int:
    """Bytes that a process has in memory."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        unavailable("this system does not tell how much memory a process has")
    found = re.search(r"^VmRSS:\s*(\d+) kB", status.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10
