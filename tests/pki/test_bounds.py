"""What an authority vouches for."""

import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bumper_tw.pki import authority, pem
from bumper_tw.pki.authority import Authority
from bumper_tw.pki.bounds import Bounds, constraints
from bumper_tw.pki.certificates import Cover
from tests.pki.samples import ADDRESSES, COVER, NAMES, NOW, new_authority, rsa_key


def bounded() -> Authority:
    """An authority that vouches for known names only."""
    limits = constraints(NAMES, ADDRESSES)
    return Authority(authority.root(rsa_key(0), NOW, limits), rsa_key(0))


class BoundsTests(SynchronousTestCase):
    """Names and addresses against the constraints of an authority."""

    def setUp(self) -> None:
        self.bounds = Bounds.of(bounded().certificate)

    def test_not_critical(self) -> None:
        """Who cannot read constraints can read the certificate all the same."""
        found = bounded().certificate.extensions.get_extension_for_class(x509.NameConstraints)
        self.assertFalse(found.critical)

    def test_ours(self) -> None:
        """The vendor's zones, private names and addresses, and this box."""
        self.assertEqual(self.bounds.within(COVER), COVER)
        for name in ("a.b.c.ecouser.net", "ecovacs.cn", "box.lan", "robots.home.arpa", "x.local"):
            self.assertTrue(self.bounds.allow_name(name), name)
        for address in ("10.1.2.3", "172.31.0.1", "192.168.255.1", "fe80::1", "fdff::1"):
            self.assertTrue(self.bounds.allow_address(ip_address(address)), address)

    def test_others(self) -> None:
        """A bank, a look-alike, a public address."""
        for name in ("bank.example", "notecouser.net", "ecouser.net.example", "lan.example", ""):
            self.assertFalse(self.bounds.allow_name(name), name)
        for address in ("8.8.8.8", "172.32.0.1", "2001:4860::1"):
            self.assertFalse(self.bounds.allow_address(ip_address(address)), address)

    def test_public_address_of_the_box(self) -> None:
        """An address that this box has is its own, public or not."""
        own = ip_address("203.0.113.7")
        limits = constraints([], [own])
        self.assertIn(
            x509.IPAddress(ip_network("203.0.113.7/32")), limits.permitted_subtrees or []
        )

    def test_none(self) -> None:
        """Without constraints there are no bounds."""
        free = Bounds.of(new_authority().certificate)
        self.assertTrue(free.allow_name("bank.example"))
        self.assertTrue(free.allow_address(ip_address("8.8.8.8")))

    def test_excluded(self) -> None:
        """What another software has left out is left out; its dot in front is understood."""
        bounds = Bounds(
            (x509.DNSName(".ecouser.net"),),
            (x509.DNSName("ww.ecouser.net"), x509.IPAddress(ip_network("10.0.0.0/8"))),
        )
        self.assertTrue(bounds.allow_name("portal.ecouser.net"))
        self.assertTrue(bounds.allow_name("*.ecouser.net"))
        self.assertFalse(bounds.allow_name("ecouser.net"))
        self.assertFalse(bounds.allow_name("a.ww.ecouser.net"))
        self.assertFalse(bounds.allow_address(ip_address("10.0.0.1")))
        self.assertTrue(bounds.allow_address(ip_address("192.168.0.1")))

    def test_strict_openssl(self) -> None:
        """OpenSSL verifies what is within, and refuses what is not."""
        openssl = shutil.which("openssl")
        if openssl is None:
            raise SkipTest("there is no openssl command here")
        folder = Path(self.mktemp())
        folder.mkdir()
        signer = bounded()
        (folder / "ca.crt").write_bytes(pem.text(signer.certificate))
        bank = Cover(frozenset(["bank.example"]), frozenset())
        for name, what, good in (("own", COVER, True), ("bank", bank, False)):
            leaf = authority.leaf(signer, rsa_key(1), what, NOW)
            (folder / f"{name}.crt").write_bytes(pem.text(leaf))
            when = str(int(NOW.timestamp()))
            argv = [openssl, "verify", "-x509_strict", "-attime", when, "-CAfile", "ca.crt"]
            done = subprocess.run(
                [*argv, f"{name}.crt"], cwd=folder, capture_output=True, check=False
            )
            self.assertEqual(done.returncode == 0, good, done.stderr)
