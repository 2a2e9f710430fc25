"""Tests for L{bumper_tw.app.cli_certs}: what owners type about certificates."""

import io
import os
import plistlib
import stat
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.task import Clock

from bumper_tw.app.certificates import open_contexts, open_vault
from bumper_tw.app.settings import Settings, TlsSettings
from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import Authority
from bumper_tw.pki.certificates import signed_by
from bumper_tw.pki.importing import authority_from, take_over
from bumper_tw.pki.vault import Vault
from tests.app.test_cli import Case
from tests.pki.samples import ec_key, foreign_leaf, new_authority, put, rsa_key

NAME = "portal-ww.ecouser.net"


class CertsCase(Case):
    """A folder of certificates as a server has left it, and another Bumper's."""

    def setUp(self) -> None:
        super().setUp()
        self.folder.mkdir(parents=True)
        self.certs, self.theirs = self.folder / "certs", self.folder / "theirs"
        os.environ["BUMPER_TLS_DIRECTORY"] = str(self.certs)
        self.now = datetime.now(UTC)
        self.root = new_authority(rsa_key(0), self.now)
        put(self.certs, "ca.crt", pem.text(self.root.certificate))
        put(self.certs, "ca.key", pem.key_text(self.root.key))
        put(self.certs, "bumper.key", pem.key_text(rsa_key(1)))
        self.vault = Vault(self.certs, [], [], lambda: self.now, leaves=5)
        self.vault.ensure()
        self.vault.single(NAME, lambda: True)

    def other(self) -> Authority:
        """An authority as others make it, with the openssl command."""
        made = new_authority(ec_key(), self.now - timedelta(days=400))
        parameters = (
            b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        )
        put(self.theirs, "ca.crt", pem.text(made.certificate))
        put(self.theirs, "ca.key", parameters + pem.key_text(made.key))
        return made

    def held(self) -> dict[str, bytes]:
        """Every file of ours."""
        found = filter(Path.is_file, self.certs.rglob("*"))
        return {str(path.relative_to(self.certs)): path.read_bytes() for path in found}


class ListTests(CertsCase):
    """C{bumper certs list} and C{show}."""

    def test_list(self) -> None:
        """The authority, the fallback, single names, each with its kind and its end."""
        title, *rows = self.said("certs", "list").splitlines()
        self.assertEqual(title.split(), ["NAME", "KEY", "WHAT", "EXPIRES"])
        self.assertEqual(
            [row.split()[:3] for row in rows],
            [
                ["ca", "RSA", "2048"],
                ["fallback", "RSA", "2048"],
                ["fallback", "EC", "P-256"],
                [NAME, "RSA", "2048"],
                [NAME, "EC", "P-256"],
            ],
        )
        self.assertIn(f"{self.now + timedelta(days=15 * 365 + 3):%Y-%m-}", rows[0])

    def test_show(self) -> None:
        """Subject, names, fingerprint and expiry."""
        said = self.said("certs", "show")
        self.assertIn("CN=*.ecouser.net", said)
        self.assertIn("127.0.0.1", said)
        self.assertNotIn(NAME, said)
        single = self.said("certs", "show", NAME.upper())
        self.assertIn(f"CN={NAME}", single)
        self.assertEqual(single.count("SHA-256"), 2)
        self.assertEqual(self.said("certs", "show", "ca").count("SHA-256"), 1)

    def test_pem(self) -> None:
        """As text, for other programs."""
        self.assertEqual(self.said("certs", "show", "ca", "--pem").encode(), self.vault.ca_pem())

    def test_nobody_asked(self) -> None:
        """A name without its own is explained, and nothing is made for it."""
        before = self.held()
        self.assertIn("fallback covers it", self.complaint("certs", "show", "x.ecouser.net"))
        for odd in ("bank.example", "../../etc/passwd", "\u20ac"):
            self.assertIn("does not cover it", self.complaint("certs", "show", odd))
        self.assertEqual(self.held(), before)

    def test_nothing_yet(self) -> None:
        """Before the first start there is nothing, and nothing is made."""
        os.environ["BUMPER_TLS_DIRECTORY"] = str(self.folder / "none")
        for words in (("list",), ("show",), ("export", str(self.folder / "x.pem"))):
            self.assertIn("no ", self.complaint("certs", *words))
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["certs"])

    def test_other_folder(self) -> None:
        """The folder may be named as it is for the server, before or behind the deed."""
        del os.environ["BUMPER_TLS_DIRECTORY"]
        for words in (("--certs", str(self.certs), "list"), ("list", "--certs", str(self.certs))):
            self.assertIn(NAME, self.said("certs", *words))

    def test_help(self) -> None:
        """What can be typed is called what it is."""
        said = self.typed("certs", "--help")[1]
        self.assertIn(" COMMAND ", said)
        self.assertNotIn("DEED", said)

    def test_owners(self) -> None:
        """An owner's own is told from ours."""
        leaf, _ = foreign_leaf(self.now, new_authority())
        put(self.certs, "bumper.crt", pem.text(leaf))
        self.assertIn("the owner's", self.said("certs", "list"))

    def test_before_it_is_taken_up(self) -> None:
        """Between an import and the server's next look, ours is ours, under the other one."""
        self.other()
        self.said("certs", "import", str(self.theirs))
        said = self.said("certs", "list")
        self.assertNotIn("the owner's", said)
        self.assertEqual(said.count("for all other names, not yet under this ca"), 2)
        self.vault.renew_if_due(self.now)
        self.assertNotIn("not yet", self.said("certs", "list"))


class ImportTests(CertsCase):
    """C{bumper certs import}."""

    def refused(self, *words: str) -> None:
        """It says why, in one line, and everything is as it was."""
        before = self.held()
        said = self.complaint("certs", "import", str(self.theirs))
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(said.count("\n"), 1)
        self.assertEqual(self.held(), before)

    def test_taken_over(self) -> None:
        """Theirs takes the place of ours, which is kept; the server signs all anew with it."""
        made = self.other()
        before = self.held()
        said = self.said("certs", "import", str(self.theirs))
        self.assertIn("SIGHUP", said)
        kept = sorted(path for path in self.held() if path not in before)
        self.assertEqual([name[:7] for name in kept], ["ca.crt.", "ca.key."])
        self.assertEqual(
            [self.held()[name] for name in kept], [before["ca.crt"], before["ca.key"]]
        )
        for name in ("ca.key", kept[1]):
            self.assertEqual(stat.S_IMODE((self.certs / name).stat().st_mode), 0o600)
        for name in ("ca.crt", kept[0]):
            self.assertEqual(stat.S_IMODE((self.certs / name).stat().st_mode), 0o644)
        self.assertTrue(self.vault.renew_if_due(self.now))
        single = self.vault.single(NAME, lambda: False)
        assert single is not None
        for certificate in (*single.certificates, *self.vault.credentials().certificates):
            self.assertTrue(signed_by(certificate, made.certificate))

    def test_twice(self) -> None:
        """The second time there is nothing to do."""
        self.other()
        self.said("certs", "import", str(self.theirs))
        before = self.held()
        self.assertIn("already", self.said("certs", "import", str(self.theirs)))
        self.assertEqual(self.held(), before)

    def test_one_file(self) -> None:
        """Certificate and key in one C{ca.pem}, behind those of a server."""
        made = self.other()
        leaf, key = foreign_leaf(self.now, made)
        both = pem.text(leaf) + pem.text(made.certificate) + pem.key_text(made.key)
        for name in ("ca.crt", "ca.key"):
            (self.theirs / name).unlink()
        put(self.theirs, "ca.pem", both)
        self.said("certs", "import", str(self.theirs))
        self.assertEqual(pem.certificates(self.certs, self.held()["ca.crt"]), (made.certificate,))
        del key

    def test_key_of_the_server(self) -> None:
        """A C{ca.pem} with the key of the server is not a key of the authority."""
        made = self.other()
        leaf, key = foreign_leaf(self.now, made)
        (self.theirs / "ca.key").unlink()
        put(self.theirs, "ca.pem", pem.key_text(key) + pem.text(leaf) + pem.text(made.certificate))
        self.refused("no key", "ca.crt")

    def test_refused(self) -> None:
        """No folder, no authority, garbled, expired, a strange key."""
        self.refused("no certificate of an authority")
        made = self.other()
        put(self.theirs, "ca.key", pem.key_text(ec_key()))
        self.refused("no key")
        put(
            self.theirs,
            "ca.key",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        )
        self.refused("ca.key", "readable")
        leaf, key = foreign_leaf(self.now, made)
        put(self.theirs, "ca.crt", pem.text(leaf))
        put(self.theirs, "ca.key", pem.key_text(key))
        self.refused("no certificate of an authority")
        old = new_authority(ec_key(), self.now - timedelta(days=9000))
        put(self.theirs, "ca.crt", pem.text(old.certificate))
        put(self.theirs, "ca.key", pem.key_text(old.key))
        self.refused("holds from", "not now")
        put(self.theirs, "ca.crt", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
        self.refused("ca.crt", "readable")

    def test_weaknesses(self) -> None:
        """What strict clients will miss is said."""
        key = ec_key()
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plain")])
        plain = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(self.now + timedelta(days=900))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        put(self.theirs, "ca.crt", pem.text(plain))
        put(self.theirs, "ca.key", pem.key_text(key))
        self.assertIn("subject key identifier", self.said("certs", "import", str(self.theirs)))

    def test_owners_certificate_stays(self) -> None:
        """A server certificate of the owner's is not touched, and that is said."""
        self.other()
        leaf, key = foreign_leaf(self.now, new_authority())
        put(self.certs, "bumper.crt", pem.text(leaf))
        put(self.certs, "bumper.key", pem.key_text(key))
        self.assertIn("your own", self.said("certs", "import", str(self.theirs)))
        self.assertEqual(self.held()["bumper.crt"], pem.text(leaf))

    def test_before_the_first_start(self) -> None:
        """An authority may come before anything else is there."""
        made = self.other()
        os.environ["BUMPER_TLS_DIRECTORY"] = str(self.folder / "fresh")
        self.said("certs", "import", str(self.theirs))
        vault = Vault(self.folder / "fresh", [], [], lambda: self.now)
        vault.ensure()
        self.assertEqual(vault.credentials().chain[1], made.certificate)

    def test_undone(self) -> None:
        """When the second file cannot be written, the first is as it was."""
        self.other()
        (self.certs / ".ca.crt.new").mkdir()
        self.assertIn("cannot be written", self.complaint("certs", "import", str(self.theirs)))
        self.assertEqual(files.read(self.certs / "ca.key"), pem.key_text(self.root.key))
        self.assertEqual(files.read(self.certs / "ca.crt"), pem.text(self.root.certificate))

    def test_undone_where_nothing_was(self) -> None:
        """The same where there was no key before: none is left, as one alone would be used."""
        self.other()
        fresh = self.folder / "fresh"
        (fresh / ".ca.crt.new").mkdir(parents=True)
        found = authority_from(self.theirs, self.now)
        self.assertRaises(StartError, take_over, found.authority, fresh, self.now)
        self.assertFalse((fresh / "ca.key").exists())


class ExportTests(CertsCase):
    """C{bumper certs export}."""

    def exported(self, name: str) -> bytes:
        """What is in the file then, which is as private as any new file of the owner's."""
        path = self.folder / name
        self.addCleanup(os.umask, os.umask(0o027))
        self.said("certs", "export", str(path))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        held = path.read_bytes()
        self.assertNotIn(b"PRIVATE", held)
        return held

    def test_forms(self) -> None:
        """By the end of the name: PEM, DER, a profile, an archive."""
        binary = self.root.certificate.public_bytes(Encoding.DER)
        self.assertEqual(self.exported("x.pem"), self.vault.ca_pem())
        for name in ("x.crt", "x.cer", "x.der"):
            self.assertEqual(self.exported(name), binary)
        [root] = plistlib.loads(self.exported("x.mobileconfig"))["PayloadContent"]
        self.assertEqual(root["PayloadContent"], binary)
        packed = self.exported("x.tar.gz")
        self.assertEqual(packed, self.vault.ca_bundle())
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            self.assertEqual(len(tar.getnames()), 2)

    def test_refused(self) -> None:
        """Another ending, a file that is there, a folder that is not."""
        self.assertIn("end in", self.complaint("certs", "export", str(self.folder / "x.zip")))
        before = self.held()
        self.assertIn("exists", self.complaint("certs", "export", str(self.certs / "ca.crt")))
        self.assertEqual(self.held(), before)
        nowhere = str(self.folder / "no" / "x.pem")
        self.assertIn("cannot be written", self.complaint("certs", "export", nowhere))


class OpenTests(CertsCase):
    """How the server begins with its certificates."""

    def test_shares(self) -> None:
        """So many new ones within a minute, a third of that for one address."""
        settings = Settings(tls=TlsSettings(self.certs, new_leaves_per_minute=6))
        clock = Clock()
        chooser = open_contexts(clock, settings, open_vault(settings)).chooser()

        def own(host: str, prefix: str) -> int:
            names = [f"{prefix}{number}.ecouser.net" for number in range(10)]
            return sum(chooser.choose(name, host).shown == name for name in names)

        self.assertEqual(own("192.168.7.1", "a"), 2)
        self.assertEqual(own("192.168.7.2", "b"), 2)
        self.assertEqual(own("192.168.7.3", "c"), 2)
        self.assertEqual(own("192.168.7.4", "d"), 0)
        clock.advance(60)
        self.assertEqual(own("192.168.7.4", "d"), 2)

    def test_constrained(self) -> None:
        """A new authority vouches for known names only, if that is wanted."""
        for constrain in (False, True):
            folder = self.folder / str(constrain)
            put(folder, "ca.key", pem.key_text(ec_key()))
            put(folder, "bumper.key", pem.key_text(ec_key()))
            settings = Settings(tls=TlsSettings(folder, constrain=constrain))
            vault = open_vault(settings)
            [ca] = pem.certificates(folder, vault.ca_pem())
            limits = [e for e in ca.extensions if isinstance(e.value, x509.NameConstraints)]
            self.assertEqual(len(limits), int(constrain))
