"""Tests for L{bumper_tw.app.doctor.keeping}."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.doctor import keeping
from bumper_tw.app.doctor.finding import Verdict
from bumper_tw.app.doctor.strictness import fault
from bumper_tw.pki import authority, pem
from bumper_tw.pki.authority import Authority
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.migrations import DATABASE, migrate
from tests.app.doctor.cases import BOX, NOW, announcing, seen, well
from tests.pki.samples import ec_key, foreign_leaf, new_authority

TODAY = datetime.fromtimestamp(NOW, UTC)
DAY = timedelta(days=1)


class KeepingCase(SynchronousTestCase):
    """A house with a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.certs, self.data = self.folder / "certs", self.folder / "data"
        for folder in (self.certs, self.data):
            folder.mkdir(parents=True)
        self.house = well(self.folder)

    def wrong(self, verdict: Verdict, *words: str) -> None:
        """Something is wrong, the sentence has some words, and there is a remedy."""
        self.assertIs(verdict.sound, False, verdict)
        for word in words:
            self.assertIn(word, verdict.sentence)
        self.assertNotEqual(verdict.remedy, "")

    def put(self, name: str, held: bytes) -> Path:
        """A file among the certificates, as old as it should be."""
        place = self.certs / name
        place.write_bytes(held)
        place.chmod(0o600)
        os.utime(place, (NOW - 5000, NOW - 5000))
        return place

    def certify(self, made: datetime = TODAY, addresses: tuple[str, ...] = (BOX,)) -> Authority:
        """An authority of ours and its leaf."""
        ours = new_authority(now=made)
        key = ec_key()
        what = authority.cover(("box",), map(ip_address, addresses))
        leaf = authority.leaf(ours, key, what, made)
        self.put("ca.crt", pem.text(ours.certificate))
        self.put("bumper.crt", pem.text(leaf) + pem.text(ours.certificate))
        return ours


class CertificateTests(KeepingCase):
    """L{keeping.certificate}."""

    def test_well(self) -> None:
        """What we make ourselves passes, also a strict look."""
        self.certify()
        self.assertIs(keeping.certificate(self.house).sound, True)

    def test_not_made(self) -> None:
        """Before the first start there is none, and none is missing."""
        self.assertIsNone(keeping.certificate(self.house).sound)

    def test_garbled(self) -> None:
        """A file that is none."""
        self.certify()
        self.put("bumper.crt", b"nonsense")
        self.wrong(keeping.certificate(self.house), "bumper.crt")

    def test_missing_authority(self) -> None:
        """A leaf alone is not enough."""
        self.certify()
        (self.certs / "ca.crt").unlink()
        self.wrong(keeping.certificate(self.house), "ca.crt")

    def test_expires(self) -> None:
        """Some days are too few."""
        self.certify()
        later = evolve(self.house, now=NOW + 820 * 86_400)
        self.wrong(keeping.certificate(later), "bumper.crt", "days only")

    def test_later(self) -> None:
        """One of the future is the clock's business."""
        self.certify(made=TODAY + 30 * DAY)
        self.assertIsNone(keeping.certificate(self.house).sound)
        self.wrong(keeping.clock(self.house), "ca.crt")

    def test_other_address(self) -> None:
        """The box has moved, and nobody has noticed."""
        self.certify(addresses=("192.168.1.1",))
        self.wrong(keeping.certificate(self.house), BOX)
        self.assertIs(keeping.certificate(announcing("192.168.1.1", self.house)).sound, True)

    def test_not_strict(self) -> None:
        """A leaf of the old kind, without the identifier of its issuer."""
        ours = self.certify()
        self.put("bumper.crt", pem.text(old_fashioned(ours)))
        self.wrong(keeping.certificate(self.house), "strict")

    def take_over(self, imported: Authority, address: str = BOX) -> None:
        """An authority that was somewhere else before, and the leaf we have made with it."""
        what = authority.cover(("box",), [ip_address(address)])
        self.put("ca.crt", pem.text(imported.certificate))
        self.put("bumper.crt", pem.text(authority.leaf(imported, ec_key(), what, TODAY)))

    def test_old_fashioned_authority(self) -> None:
        """An imported one without what strict clients want: no new leaf helps, so that is told."""
        for end in (2000, 400):
            self.take_over(imported_authority(days=end))
            verdict = keeping.certificate(self.house)
            self.assertIsNone(verdict.sound, verdict)
            self.assertEqual(verdict.remedy, "")
            for words in ("ca.crt", "Python 3.13", "phones and robots do not mind"):
                self.assertIn(words, verdict.sentence)
        self.take_over(imported_authority(), "192.168.1.1")
        self.wrong(keeping.certificate(self.house), BOX)

    def test_lenient_clients(self) -> None:
        """Others than strict ones have nothing against such an authority, indeed."""
        imported = imported_authority()
        leaf = authority.leaf(imported, ec_key(), authority.cover((), ()), TODAY)
        found = fault((leaf,), imported.certificate, TODAY)
        assert found is not None
        self.assertTrue(found.of_authority)
        self.assertIsNone(fault((leaf,), imported.certificate, TODAY, strict=False))
        ours = new_authority(now=TODAY)
        found = fault((old_fashioned(ours),), ours.certificate, TODAY)
        assert found is not None
        self.assertFalse(found.of_authority)

    def test_no_authority(self) -> None:
        """One that may not sign is accepted by nobody; that is mended by another one only."""
        self.take_over(imported_authority(ca=False))
        verdict = keeping.certificate(self.house)
        self.wrong(verdict, "nobody accepts", "ca.crt")
        self.assertIn("ca.key", verdict.remedy)

    def test_authority_expires(self) -> None:
        """Its end is also that of all it has signed; another leaf does not help."""
        self.take_over(imported_authority(days=5))
        verdict = keeping.certificate(self.house)
        self.wrong(verdict, "ca.crt is good for 5 days only")
        self.assertIn("ca.key", verdict.remedy)

    def test_owners(self) -> None:
        """A certificate of somebody else's is told of, and not judged."""
        self.certify()
        leaf, _ = foreign_leaf(TODAY, new_authority(now=TODAY))
        self.put("bumper.crt", pem.text(leaf))
        self.assertIsNone(keeping.certificate(self.house).sound)


def old_fashioned(issuer: Authority) -> x509.Certificate:
    """A leaf with no more than its names."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(ec_key().public_key())
        .serial_number(7)
        .not_valid_before(TODAY - DAY)
        .not_valid_after(TODAY + 100 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("box")]), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )


def imported_authority(days: int = 2000, ca: bool = True) -> Authority:
    """One as other programs make them: it says what it is, and nothing else."""
    key = ec_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bumper CA")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(8)
        .not_valid_before(TODAY - DAY)
        .not_valid_after(TODAY + days * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(made, key)


class KeyTests(KeepingCase):
    """L{keeping.ca_key}."""

    def test_rights(self) -> None:
        """Nobody but its owner may read it."""
        place = self.put("ca.key", b"secret")
        self.assertIs(keeping.ca_key(self.house).sound, True)
        place.chmod(0o640)
        self.wrong(keeping.ca_key(self.house), "0640")

    def test_none(self) -> None:
        """It may be kept elsewhere."""
        self.assertIsNone(keeping.ca_key(self.house).sound)


class StrangerTests(KeepingCase):
    """Whoever may not look is told so, and nothing is said to be wrong."""

    def test_other_user(self) -> None:
        """The folders belong to the server's user."""
        self.certify()
        stranger = evolve(self.house, uid=os.geteuid() + 1)
        for look in (keeping.certificate, keeping.ca_key, keeping.disk, keeping.database):
            verdict = look(stranger)
            self.assertIsNone(verdict.sound)
            self.assertIn("ask as that user", verdict.sentence)

    def test_inside(self) -> None:
        """The server itself has to get on with what is there."""
        self.data.rmdir()
        self.data.write_bytes(b"")
        inside = seen(evolve(self.house, uid=os.geteuid() + 1), pid=self.house.ports.own_pid)
        self.wrong(keeping.disk(inside), str(self.data))


class ClockTests(KeepingCase):
    """L{keeping.clock}."""

    def test_well(self) -> None:
        """Nothing is of the future; whether the kernel agrees is only told."""
        self.certify()
        self.assertIsNot(keeping.clock(self.house).sound, False)

    def test_long_ago(self) -> None:
        """A box without a battery starts in 1970."""
        self.wrong(keeping.clock(evolve(self.house, now=86_400.0)), "1970")

    def test_older_than_the_database(self) -> None:
        """What was written yesterday was not written tomorrow."""
        place = self.data / DATABASE
        place.touch()
        os.utime(place, (NOW + 90_000, NOW + 90_000))
        self.wrong(keeping.clock(self.house), DATABASE)


class DiskTests(KeepingCase):
    """L{keeping.disk} and L{keeping.database}."""

    def test_disk(self) -> None:
        """A folder that can be written, one that is not there, and one that is none."""
        self.assertIs(keeping.disk(self.house).sound, True)
        self.assertEqual(list(self.data.iterdir()), [])
        self.data.rmdir()
        self.assertIsNone(keeping.disk(self.house).sound)
        self.data.write_bytes(b"")
        self.wrong(keeping.disk(self.house), str(self.data))

    def test_database(self) -> None:
        """One of ours, in use or not."""
        migrate(self.data / DATABASE)
        self.assertIs(keeping.database(self.house).sound, True)
        with closing(InlineDatabase(self.data / DATABASE)):
            self.assertIs(keeping.database(self.house).sound, True)

    def test_none(self) -> None:
        """There is none before the first start."""
        self.assertIsNone(keeping.database(self.house).sound)

    def test_not_writable(self) -> None:
        """The server cannot write to it, whatever it looks like."""
        migrate(self.data / DATABASE)
        self.wrong(keeping.database(seen(self.house, database=False)), "write")

    def test_foreign(self) -> None:
        """That of another program, one of a newer version, and one that is none."""
        place = self.data / DATABASE
        with closing(sqlite3.connect(place)) as other:
            other.execute("CREATE TABLE theirs (x)")
        self.wrong(keeping.database(self.house), "another program")
        place.write_bytes(b"nothing of the kind" * 100)
        self.wrong(keeping.database(self.house), DATABASE)
        place.unlink()
        migrate(place)
        with closing(sqlite3.connect(place)) as ours:
            ours.execute("PRAGMA user_version = 4000")
        self.wrong(keeping.database(self.house), "newer")

    def test_damaged(self) -> None:
        """A page of it is overwritten."""
        place = self.data / DATABASE
        migrate(place)
        held = bytearray(place.read_bytes())
        held[4096:8192] = bytes(range(256)) * 16
        place.write_bytes(held)
        self.wrong(keeping.database(self.house), DATABASE)
