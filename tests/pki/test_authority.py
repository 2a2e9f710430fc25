"""The certificates we make."""

import shutil
import subprocess
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.pki import authority, pem
from bumper_tw.pki.certificates import (
    belong,
    covered,
    extension,
    may_sign,
    not_after,
    not_before,
    renewal,
    signed_by,
)
from bumper_tw.pki.zones import COMMON_NAME, ZONES, vendor_names
from tests.pki.samples import ADDRESSES, COVER, DAY, NAMES, NOW, ec_key, new_authority, rsa_key


class RootTests(SynchronousTestCase):
    """What phones and robots are asked to trust."""

    def setUp(self) -> None:
        self.key = rsa_key(0)
        self.root = authority.root(self.key, NOW)

    def test_lasts_fifteen_years(self) -> None:
        """It holds from yesterday on, for fifteen years."""
        self.assertEqual(not_before(self.root), NOW - DAY)
        self.assertEqual((not_after(self.root) + DAY).year, NOW.year + 15)

    def test_is_a_modest_key(self) -> None:
        """Old stacks get RSA of 2048 bits."""
        self.assertIsInstance(self.key, rsa.RSAPrivateKey)
        self.assertEqual(self.key.key_size, 2048)
        self.assertTrue(belong(self.root, self.key))

    def test_may_sign(self) -> None:
        """It is an authority, critically so, and may sign certificates and revocations."""
        constraints = self.root.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = self.root.extensions.get_extension_for_class(x509.KeyUsage)
        self.assertTrue(constraints.critical and constraints.value.ca)
        self.assertTrue(usage.critical and usage.value.key_cert_sign and usage.value.crl_sign)
        self.assertFalse(usage.value.digital_signature)
        self.assertTrue(may_sign(self.root))

    def test_names_its_key(self) -> None:
        """It has a subject key identifier, and two authorities have different names."""
        own = extension(self.root, x509.SubjectKeyIdentifier)
        expected = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        self.assertEqual(own, expected)
        self.assertNotEqual(new_authority().certificate.subject, self.root.subject)

    def test_signs_itself(self) -> None:
        """It is self-signed, and nobody else's."""
        self.assertTrue(signed_by(self.root, self.root))
        self.assertFalse(signed_by(self.root, new_authority().certificate))


class LeafTests(SynchronousTestCase):
    """What a listener shows."""

    def setUp(self) -> None:
        self.authority = new_authority(rsa_key(0))
        self.key = rsa_key(1)
        self.leaf = authority.leaf(self.authority, self.key, COVER, NOW)

    def test_lasts_as_long_as_phones_allow(self) -> None:
        """It holds from yesterday on, for 825 days at most, both ends counted."""
        self.assertEqual(not_before(self.leaf), NOW - DAY)
        life = not_after(self.leaf) - not_before(self.leaf) + timedelta(seconds=1)
        self.assertEqual(life, timedelta(days=825))

    def test_never_outlives_its_authority(self) -> None:
        """Near the end of the authority it is shorter."""
        late = not_after(self.authority.certificate) - 100 * DAY
        leaf = authority.leaf(self.authority, self.key, COVER, late)
        self.assertEqual(not_after(leaf), not_after(self.authority.certificate))

    def test_renewal_comes_at_two_thirds(self) -> None:
        """After 550 days of 825 it is time."""
        self.assertEqual((renewal(self.leaf) - not_before(self.leaf)).days, 549)

    def test_serves_only(self) -> None:
        """It is a server's certificate and no authority."""
        self.assertFalse(may_sign(self.leaf))
        usage = extension(self.leaf, x509.KeyUsage)
        assert usage is not None
        self.assertTrue(usage.digital_signature and usage.key_encipherment)
        self.assertFalse(usage.key_cert_sign)
        self.assertEqual(
            extension(self.leaf, x509.ExtendedKeyUsage),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        )

    def test_points_at_its_issuer(self) -> None:
        """It is signed by the authority, and its key identifiers say so."""
        own = extension(self.leaf, x509.SubjectKeyIdentifier)
        above = extension(self.leaf, x509.AuthorityKeyIdentifier)
        root = extension(self.authority.certificate, x509.SubjectKeyIdentifier)
        assert above is not None
        assert root is not None
        self.assertEqual(above.key_identifier, root.digest)
        self.assertEqual(own, x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()))
        self.assertTrue(signed_by(self.leaf, self.authority.certificate))
        self.assertTrue(authority.made_here(self.leaf, self.authority.certificate))

    def test_common_name_is_covered(self) -> None:
        """Clients that look at the subject and those that look at the list see the same."""
        [name] = self.leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        self.assertEqual(name.value, COMMON_NAME)
        self.assertIn(COMMON_NAME, covered(self.leaf).names)

    def test_covers_what_was_asked(self) -> None:
        """The vendor's names, those of the box, loopback; nothing else."""
        self.assertEqual(covered(self.leaf), COVER)
        self.assertLessEqual({*NAMES, "localhost", *vendor_names()}, COVER.names)
        self.assertLessEqual(
            {*ADDRESSES, ip_address("127.0.0.1"), ip_address("::1")}, COVER.addresses
        )

    def test_no_encipherment_without_rsa(self) -> None:
        """A key that cannot encipher does not claim so."""
        usage = extension(authority.leaf(self.authority, ec_key(), COVER, NOW), x509.KeyUsage)
        assert usage is not None
        self.assertFalse(usage.key_encipherment)

    def test_stays_small(self) -> None:
        """With all its names it fits into two packets on the wire."""
        self.assertLess(len(self.leaf.public_bytes(Encoding.DER)), 2800)

    def test_strict_openssl(self) -> None:
        """The strictest verification there is finds nothing."""
        openssl = shutil.which("openssl")
        if openssl is None:
            raise SkipTest("there is no openssl command here")
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "ca.crt").write_bytes(pem.text(self.authority.certificate))
        (folder / "bumper.crt").write_bytes(pem.text(self.leaf))
        when = str(int(NOW.timestamp()))
        strict = [openssl, "verify", "-x509_strict", "-attime", when, "-purpose", "sslserver"]
        files = ["-CAfile", "ca.crt", "bumper.crt"]
        for asked in (
            ["-verify_hostname", "jmq-ngiot-eu.dc.ww.ecouser.net"],
            ["-verify_hostname", "lbo.ecovacs.net"],
            ["-verify_ip", "192.168.7.2"],
        ):
            done = subprocess.run(
                [*strict, *asked, *files], cwd=folder, capture_output=True, check=False
            )
            self.assertEqual((done.returncode, done.stdout), (0, b"bumper.crt: OK\n"), done.stderr)


class CoverTests(SynchronousTestCase):
    """What a certificate has to speak for."""

    def test_names_are_tidied(self) -> None:
        """Case and the final dot do not matter; what no certificate can carry is left out."""
        odd = ["Dusty.LAN.", "", "  ", "b\xfcro", "a b", "-x", "x" * 64, "..", ".".join("a" * 140)]
        base = authority.cover([], [])
        self.assertEqual(authority.cover(odd, []).names - base.names, {"dusty.lan"})

    def test_scopes_are_dropped(self) -> None:
        """A link-local address is covered without the name of its interface."""
        what = authority.cover([], [ip_address("fe80::1%eth0")])
        self.assertIn(ip_address("fe80::1"), what.addresses)

    def test_includes(self) -> None:
        """More covers less, not the other way round."""
        more = authority.cover([*NAMES, "other"], ADDRESSES)
        self.assertTrue(more.includes(COVER))
        self.assertFalse(COVER.includes(more))
        self.assertFalse(authority.cover(NAMES, []).includes(COVER))

    def test_zones(self) -> None:
        """Every zone is there, bare and one level deep; no name twice, and no Aliyun."""
        names = vendor_names()
        self.assertEqual(len(names), len(set(names)))
        for zone in ZONES:
            self.assertIn(zone, names)
            self.assertIn(f"*.{zone}", names)
        self.assertEqual([name for name in names if "aliyun" in name], [])

    def test_foreign_marks(self) -> None:
        """A leaf is ours by its mark and by its signature, not by one of them."""
        own, other = new_authority(), new_authority()
        leaf = authority.leaf(own, ec_key(), COVER, NOW)
        self.assertFalse(authority.made_here(leaf, other.certificate))
