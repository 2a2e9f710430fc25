"""Certificates for single names."""

import os
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from bumper_tw.pki import authority, files, pem
from bumper_tw.pki.certificates import Cover, belong, covered, not_after, signed_by
from bumper_tw.pki.directory import Credentials
from bumper_tw.pki.leaves import LONGEST
from bumper_tw.pki.vault import Vault
from tests.pki.samples import (
    DAY,
    NOW,
    foreign_leaf,
    new_authority,
    put,
    rsa_key,
)
from tests.pki.vault_case import VaultCase

NAME = "jmq-ngiot-eu.dc.robotww.ecouser.net"


def yes() -> bool:
    """One more may be made."""
    return True


def no() -> bool:
    """No more may be made."""
    return False


#: As long as they come, all in legal labels.
LONGEST_NAME = f"{'x' * 63}.{'x' * 63}.{'x' * 63}.".ljust(LONGEST - 15, "y") + ".ww.ecouser.net"


class LeafCase(VaultCase):
    """A box with an authority, RSA as in life, and a leaf for whoever asks."""

    most = 10

    def setUp(self) -> None:
        super().setUp()
        self.root = new_authority(rsa_key(0))
        self.put_authority(self.root)
        put(self.directory, "bumper.key", pem.key_text(rsa_key(1)))
        self.vault = self.start()

    def put_authority(self, root: authority.Authority) -> None:
        """What an import does."""
        put(self.directory, "ca.crt", pem.text(root.certificate))
        put(self.directory, "ca.key", pem.key_text(root.key))

    def start(self, *more: str) -> Vault:
        """As a start would."""
        vault = self.box.vault(*more, leaves=self.most)
        vault.ensure()
        return vault

    def made(self, name: str = NAME) -> Credentials:
        """What is shown for a name that has to have its own."""
        found = self.vault.single(name, yes)
        assert found is not None
        return found


class SingleTests(LeafCase):
    """One name, one file."""

    def test_pair(self) -> None:
        """RSA first, elliptic curves beside it; both for that name alone, under our authority."""
        made = self.made()
        self.assertIsInstance(made.key, rsa.RSAPrivateKey)
        self.assertIsInstance(made.more[0].key, ec.EllipticCurvePrivateKey)
        self.assertEqual(made.chain[1], self.root.certificate)
        for pair in made.pairs:
            [title] = pair.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            self.assertEqual(title.value, NAME)
            self.assertEqual(covered(pair.certificate), Cover(frozenset([NAME]), frozenset()))
            self.assertTrue(belong(pair.certificate, pair.key))
            self.assertTrue(signed_by(pair.certificate, self.root.certificate))

    def test_small(self) -> None:
        """Each is below a kilobyte, or a little above it for the longest name."""
        for name, most in ((NAME, 1024), (LONGEST_NAME, 1200)):
            for certificate in self.made(name).certificates:
                self.assertLess(len(certificate.public_bytes(Encoding.DER)), most)

    def test_longest(self) -> None:
        """The longest name is kept as well as any, and has no place in the subject."""
        made = self.made(LONGEST_NAME)
        for certificate in made.certificates:
            self.assertEqual(covered(certificate).names, {LONGEST_NAME})
            [part] = certificate.subject
            self.assertEqual((part.oid, part.value), (NameOID.ORGANIZATION_NAME, "bumper_tw"))
        self.assertEqual(self.box.singles(), [f"{LONGEST_NAME}.crt"])
        again = self.start().single(LONGEST_NAME, no)
        assert again is not None
        self.assertEqual(again.certificates, made.certificates)

    def test_keys_are_shared(self) -> None:
        """A new name needs no new key, and the keys are those of the fallback."""
        shown = self.vault.credentials()
        self.assertEqual([p.key for p in self.made().pairs], [p.key for p in shown.pairs])

    def test_kept(self) -> None:
        """What was made is there after a restart, whether or not more may be made."""
        made = self.made()
        self.vault = self.start()
        again = self.vault.single(NAME, no)
        assert again is not None
        self.assertEqual(again.certificates, made.certificates)
        self.assertEqual(self.box.singles(), [f"{NAME}.crt"])
        self.assertEqual((self.directory / "leaves").stat().st_mode & 0o777, 0o700)

    def test_ends(self) -> None:
        """When the first of those in use ends is known, also after a restart, once it is used."""
        self.assertIsNone(self.vault.singles_expire())
        end = min(map(not_after, self.made().certificates))
        self.assertEqual(self.vault.singles_expire(), end)
        self.vault = self.start()
        self.assertIsNone(self.vault.singles_expire())
        self.made()
        self.assertEqual(self.vault.singles_expire(), end)

    def test_spelling(self) -> None:
        """Case and the final dot do not make another name."""
        self.made()
        self.assertIsNotNone(self.vault.single(NAME.upper() + ".", no))

    def test_whose(self) -> None:
        """The vendor's names at any depth and the box's own; nobody else's, and no addresses."""
        for name in ("a.b.c.d.ecovacs.cn", "ecouser.com", "dusty", "dusty.lan", "localhost"):
            self.assertIsNotNone(self.vault.single(name, yes), name)
        for name in ("", "example.org", "xecouser.net", "192.168.7.2", "a.dusty.lan", "../ca"):
            self.assertIsNone(self.vault.single(name, yes), name)

    def test_not_allowed(self) -> None:
        """When too many are made, there is none, and nothing is left on disk."""
        self.assertIsNone(self.vault.single(NAME, no))
        self.assertEqual(self.box.singles(), [])

    def test_none_wanted(self) -> None:
        """With no place for any, none is made."""
        vault = self.box.vault(leaves=0)
        vault.ensure()
        self.assertIsNone(vault.single(NAME, yes))

    def test_no_authority_key(self) -> None:
        """Without the authority's key the fallback has to do."""
        (self.directory / "ca.key").unlink()
        self.assertIsNone(self.start().single(NAME, yes))

    def test_bounds(self) -> None:
        """An authority that does not vouch for a name does not sign for it."""
        (self.directory / "ca.crt").unlink()
        vault = self.box.vault("dusty.example", leaves=5, constrain=True)
        vault.ensure()
        self.assertIsNotNone(vault.single("dusty.example", yes))
        vault.speak_for(["moved.example"], [])
        vault.renew_if_due(NOW)
        self.assertIsNone(vault.single("moved.example", yes))
        self.assertNotIn("moved.example", covered(vault.credentials().leaf).names)

    def test_files(self) -> None:
        """Whoever hands the folder over learns of every file in it."""
        self.made()
        everything = {self.directory, *self.directory.rglob("*")}
        self.assertLessEqual(everything, set(self.vault.files()))


class OwnersTests(LeafCase):
    """An owner's own certificate is shown where it fits."""

    def setUp(self) -> None:
        super().setUp()
        leaf, key = foreign_leaf(NOW, new_authority())
        put(self.directory, "bumper.crt", pem.text(leaf))
        put(self.directory, "bumper.key", pem.key_text(key))
        self.vault = self.start()

    def test_covered(self) -> None:
        """For the names it speaks for, nothing else is made."""
        self.assertIsNone(self.vault.single("portal-ww.ecouser.net", yes))

    def test_others(self) -> None:
        """For the others there is one of ours, with keys of its own."""
        made = self.made()
        self.assertNotEqual(made.key, self.vault.credentials().key)
        self.assertIsInstance(made.key, rsa.RSAPrivateKey)
        self.vault = self.start()
        self.assertEqual(self.made().certificates, made.certificates)


class RenewalTests(LeafCase):
    """They never run out."""

    def test_due(self) -> None:
        """After two thirds of its life there is another, allowed or not."""
        first = self.made()
        self.box.time = NOW + 560 * DAY
        second = self.vault.single(NAME, no)
        assert second is not None
        self.assertNotEqual(second.leaf, first.leaf)
        self.assertGreater(not_after(second.leaf), self.box.time + 800 * DAY)

    def test_clock_jumps(self) -> None:
        """Three years later all that is shown holds, without anybody having been told."""
        self.made()
        self.box.time = NOW + 1100 * DAY
        for made in (self.made(), self.vault.credentials()):
            for certificate in made.certificates:
                self.assertGreater(not_after(certificate), self.box.time + 800 * DAY)

    def test_clock_falls_back(self) -> None:
        """What does not hold yet is made anew; before our authority held, nothing is."""
        made = self.made()
        self.box.time = NOW - timedelta(hours=30)
        self.assertIsNone(self.vault.single(NAME, yes))
        self.box.time = NOW - timedelta(hours=20)
        self.assertEqual(self.made().certificates, made.certificates)

    def test_end_of_the_authority(self) -> None:
        """What lasts as long as the authority is not made anew over and over."""
        end = not_after(self.root.certificate)
        self.box.time = end - 10 * DAY
        first = self.made()
        self.assertEqual(not_after(first.leaf), end)
        self.box.time = end - DAY
        self.assertEqual(self.made().certificates, first.certificates)
        self.box.time = end + DAY
        self.assertIsNone(self.vault.single(NAME, yes))

    def test_other_authority(self) -> None:
        """An authority that was exchanged signs everything anew; what it replaces is kept."""
        first, shown = self.made(), self.vault.credentials()
        other = new_authority(rsa_key(2))
        self.put_authority(other)
        era = self.vault.era()
        self.assertTrue(self.vault.renew_if_due(NOW))
        self.assertIsNot(self.vault.era(), era)
        for made, before in ((self.made(), first), (self.vault.credentials(), shown)):
            self.assertEqual(made.chain[1], other.certificate)
            for certificate, old in zip(made.certificates, before.certificates, strict=True):
                self.assertNotEqual(certificate, old)
                self.assertTrue(signed_by(certificate, other.certificate))
        kept = files.read(self.directory / "bumper.crt.20260601-120000")
        self.assertEqual(kept, pem.text(shown.leaf))

    def test_strange_sibling(self) -> None:
        """A certificate that is not ours in the place of the second one is put aside."""
        leaf, _ = foreign_leaf(NOW, new_authority())
        put(self.directory, "bumper-ec.crt", pem.text(leaf))
        self.assertTrue(self.vault.renew_if_due(NOW))
        kept = files.read(self.directory / "bumper-ec.crt.20260601-120000")
        self.assertEqual(kept, pem.text(leaf))
        [pair] = self.vault.credentials().more
        self.assertEqual(files.read(self.directory / "bumper-ec.crt"), pem.text(pair.certificate))

    def test_same_authority(self) -> None:
        """Looking again changes nothing."""
        era, shown = self.vault.era(), self.vault.credentials()
        self.assertFalse(self.vault.renew_if_due(NOW + DAY))
        self.assertIs(self.vault.era(), era)
        self.assertIs(self.vault.credentials(), shown)

    def test_failing_renewal(self) -> None:
        """A renewal that fails is tried again after an hour, and the old one stays until then."""
        shown = self.vault.credentials()
        right = (self.directory / "ca.crt").read_bytes()
        put(self.directory, "ca.crt", b"spoilt")
        self.box.time = NOW + 600 * DAY
        self.assertIs(self.vault.credentials(), shown)
        put(self.directory, "ca.crt", right)
        self.assertIs(self.vault.credentials(), shown)
        self.box.time += timedelta(hours=1)
        self.assertIsNot(self.vault.credentials(), shown)


class BoundedTests(LeafCase):
    """Names cost a bounded part of the disk."""

    most = 5

    def test_least_recently_used_goes(self) -> None:
        """There are no more than so many, and those in use stay."""
        for number in range(20):
            self.made(f"x{number}.ecouser.net")
            self.vault.used("x0.ecouser.net")
        self.assertEqual(len(self.box.singles()), 5)
        self.assertIn("x0.ecouser.net.crt", self.box.singles())
        self.assertIn("x19.ecouser.net.crt", self.box.singles())

    def test_after_a_restart(self) -> None:
        """The times of the files tell; what is too much goes."""
        for number in range(5):
            self.made(f"x{number}.ecouser.net")
            path = self.directory / "leaves" / f"x{number}.ecouser.net.crt"
            os.utime(path, (1000 + number, 1000 + number))
        self.most = 2
        self.vault = self.start()
        self.made("x3.ecouser.net")
        self.assertEqual(self.box.singles(), ["x3.ecouser.net.crt", "x4.ecouser.net.crt"])

    def test_others_files(self) -> None:
        """What is not ours in the folder is neither counted nor removed."""
        self.made()
        put(self.directory / "leaves", "README", b"mine")
        put(self.directory / "leaves", "Not A Name.crt", b"mine")
        self.vault = self.start()
        for number in range(9):
            self.made(f"x{number}.ecouser.net")
        self.assertLessEqual({"README", "Not A Name.crt"}, set(self.box.singles()))
        self.assertEqual(len(self.box.singles()), 7)


class SpoiltTests(LeafCase):
    """Nothing that happens to the files keeps anybody from connecting."""

    def path(self) -> Path:
        """The file."""
        return self.directory / "leaves" / f"{NAME}.crt"

    def test_garbled(self) -> None:
        """Junk, an empty file, half a file, other people's certificates: made anew."""
        made = self.made()
        right = self.path().read_bytes()
        alien = authority.leaf(
            new_authority(), rsa_key(1), Cover(frozenset([NAME]), frozenset()), NOW
        )
        other = pem.text(self.made("ecouser.net").leaf) * 2
        for wrong in (b"", b"junk", right[:900], pem.text(alien) * 2, other):
            self.path().write_bytes(wrong)
            self.vault = self.start()
            self.assertEqual(self.made().chain[1], made.chain[1])
            self.assertEqual(covered(self.made().leaf).names, {NAME})

    def test_other_keys(self) -> None:
        """When a key was exchanged, what was made for the old one is of no use."""
        self.made()
        for name in ("bumper-ec.key", "bumper-ec.crt"):
            (self.directory / name).unlink()
        self.vault = self.start()
        made = self.made()
        self.assertTrue(all(belong(pair.certificate, pair.key) for pair in made.pairs))

    def test_wrong_curve_key(self) -> None:
        """A key of another kind in the place of the elliptic one is named."""
        put(self.directory, "bumper-ec.key", pem.key_text(rsa_key(0)))
        self.refused("bumper-ec.key", "elliptic")

    def test_no_folder(self) -> None:
        """Where nothing can be written, it is used from memory; one line of the log says so."""
        put(self.directory, "leaves", b"in the way")
        said: list[LogEvent] = []

        @implementer(ILogObserver)
        def hear(event: LogEvent) -> None:
            said.append(event)

        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)
        for number in range(3):
            self.assertIsNotNone(self.vault.single(f"x{number}.ecouser.net", yes))
        self.assertEqual(
            [event["log_namespace"] for event in said], ["bumper_tw.pki.leaves.Leaves"]
        )

    def test_renewal_on_a_full_disk(self) -> None:
        """The fallback is renewed in memory when its file cannot be written."""
        (self.directory / ".bumper.crt.new").mkdir()
        (self.directory / ".bumper-ec.crt.new").mkdir()
        self.box.time = NOW + 600 * DAY
        for certificate in self.vault.credentials().certificates:
            self.assertGreater(not_after(certificate), NOW + 1400 * DAY)

    def test_no_new_key_on_a_full_disk(self) -> None:
        """Where a key cannot be kept, RSA alone is shown, as it was before there was another."""
        for name in ("bumper-ec.key", "bumper-ec.crt"):
            (self.directory / name).unlink()
        (self.directory / ".bumper-ec.key.new").mkdir()
        vault = self.start()
        self.assertEqual(vault.credentials().more, ())
