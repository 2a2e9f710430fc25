"""The certs directory: first start, later starts, the owner's own files."""

import stat
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bumper_tw.pki import authority, pem
from bumper_tw.pki.certificates import belong, covered, not_after, signed_by
from tests.pki.samples import (
    COVER,
    DAY,
    NOW,
    ec_key,
    foreign_leaf,
    new_authority,
    put,
    put_keys,
)
from tests.pki.vault_case import VaultCase


class FirstStartTests(VaultCase):
    """Nothing is there, or not all of it."""

    def test_empty(self) -> None:
        """Everything is made: RSA, private where it must be, and a chain that fits."""
        vault = self.box.vault()
        vault.ensure()
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in self.directory.iterdir()}
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o700)
        self.assertEqual(
            {modes.pop(f"{name}.key") for name in ("ca", "bumper", "bumper-ec")}, {0o600}
        )
        self.assertEqual(set(modes), {"ca.crt", "bumper.crt", "bumper-ec.crt"})
        credentials = vault.credentials()
        leaf, root = credentials.chain
        self.assertEqual(pem.text(root), vault.ca_pem())
        self.assertTrue(signed_by(leaf, root) and belong(leaf, credentials.key))
        self.assertEqual(covered(leaf), COVER)

    def test_second_start_changes_nothing(self) -> None:
        """What was made once is used from then on."""
        put_keys(self.directory)
        first = self.box.vault()
        first.ensure()
        held = self.box.held()
        second = self.box.vault()
        second.ensure()
        self.assertEqual(self.box.held(), held)
        self.assertEqual(second.credentials().chain, first.credentials().chain)

    def test_cut_short(self) -> None:
        """Keys without certificates, as a power cut leaves them, are used."""
        put_keys(self.directory)
        keys = self.box.held()
        self.box.vault().ensure()
        self.assertLessEqual(keys.items(), self.box.held().items())

    def test_authority_alone(self) -> None:
        """An imported authority signs the leaf, and keeps its files."""
        made = self.put_root()
        put(self.directory, "bumper.key", pem.key_text(ec_key()))
        before = self.box.held()
        vault = self.box.vault()
        self.assertEqual(vault.credentials().chain[1], made.certificate)
        self.assertLessEqual(before.items(), self.box.held().items())

    def test_authority_without_key(self) -> None:
        """An authority that cannot sign is of no use without a leaf."""
        put(self.directory, "ca.crt", pem.text(new_authority().certificate))
        self.refused("ca.key", "missing")

    def test_not_an_authority(self) -> None:
        """A certificate that may not sign is refused as an authority."""
        key = ec_key()
        leaf = authority.leaf(new_authority(), key, COVER, NOW)
        put(self.directory, "ca.crt", pem.text(leaf))
        put(self.directory, "ca.key", pem.key_text(key))
        self.refused("ca.crt", "authority")

    def test_no_clock(self) -> None:
        """A box that starts in 1970 makes nothing that would be born expired."""
        put_keys(self.directory)
        self.box.time = datetime(1970, 1, 1, tzinfo=UTC)
        self.refused("clock", "1970-01-01")


class OwnFilesTests(VaultCase):
    """The owner's files are used as they are, or refused by name."""

    def test_foreign_leaf(self) -> None:
        """A leaf of another authority is shown without ours, and never renewed."""
        self.put_root()
        leaf = self.put_foreign_leaf()
        held = self.box.held()
        vault = self.box.vault("other")
        vault.ensure()
        self.assertEqual(vault.credentials().chain, (leaf,))
        self.assertFalse(vault.renew_if_due(not_after(leaf) - DAY))
        self.assertEqual(self.box.held(), held)

    def test_foreign_leaf_without_mark(self) -> None:
        """A leaf that the owner made under our authority is shown with it, and left alone."""
        root = self.put_root()
        leaf, key = foreign_leaf(NOW, root)
        put(self.directory, "bumper.crt", pem.text(leaf))
        put(self.directory, "bumper.key", pem.key_text(key))
        vault = self.box.vault()
        self.assertEqual(vault.credentials().chain, (leaf, root.certificate))
        self.assertFalse(vault.renew_if_due(NOW + DAY))

    def test_chain_in_the_file(self) -> None:
        """Intermediates behind the leaf are shown, comments between them are skipped."""
        self.put_root()
        top = new_authority()
        leaf, key = foreign_leaf(NOW, top)
        text = b"Issuer: me\n" + pem.text(leaf) + b"\n# and\n" + pem.text(top.certificate)
        put(self.directory, "bumper.crt", text)
        put(self.directory, "bumper.key", pem.key_text(key))
        self.assertEqual(self.box.vault().credentials().chain, (leaf, top.certificate))

    def test_no_authority_key(self) -> None:
        """Without the authority's key all works, except that nothing is renewed."""
        put_keys(self.directory)
        self.box.vault().ensure()
        (self.directory / "ca.key").unlink()
        vault = self.box.vault("other")
        vault.ensure()
        self.assertFalse(vault.renew_if_due(vault.expires() - DAY))

    def test_leaf_without_key(self) -> None:
        """A certificate without its key is named."""
        self.put_root()
        self.put_foreign_leaf()
        (self.directory / "bumper.key").unlink()
        self.refused("bumper.key", "missing")

    def test_mismatched_pairs(self) -> None:
        """A key beside somebody else's certificate is named, for both pairs."""
        self.put_root()
        self.put_foreign_leaf()
        for name in ("bumper", "ca"):
            path = self.directory / f"{name}.key"
            right = path.read_bytes()
            path.write_bytes(pem.key_text(ec_key()))
            self.refused(f"{name}.crt", f"{name}.key", "do not belong together")
            path.write_bytes(right)

    def test_expired(self) -> None:
        """An expired certificate of the owner's is named with its date."""
        self.put_root()
        leaf = self.put_foreign_leaf(NOW - 900 * DAY)
        self.refused("bumper.crt expired", f"{not_after(leaf):%Y-%m-%d}")

    def test_not_yet_valid(self) -> None:
        """A clock that is behind is suspected, and the date is given."""
        self.put_root()
        self.put_foreign_leaf(NOW + 10 * DAY)
        self.refused("bumper.crt", "2026-06-10", "clock", "2026-06-01")

    def test_expired_authority(self) -> None:
        """An authority that is over cannot be used."""
        old = new_authority(now=NOW - 6000 * DAY)
        put(self.directory, "ca.crt", pem.text(old.certificate))
        self.refused("ca.crt expired")

    def test_garbled(self) -> None:
        """Junk, empty and cut files are named, and survive."""
        put_keys(self.directory)
        self.box.vault().ensure()
        for path in sorted(self.directory.iterdir()):
            right = path.read_bytes()
            block = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
            for wrong in (b"", b"\xff\0junk", right[: len(right) // 2], block):
                path.write_bytes(wrong)
                self.refused(path.name)
            path.write_bytes(right)

    def test_unusable_keys(self) -> None:
        """A locked key and a key of an odd kind say what is wrong with them."""
        root = self.put_root()
        locked = root.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        )
        put(self.directory, "ca.key", locked)
        self.refused("ca.key", "passphrase")
        odd = ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        put(self.directory, "ca.key", odd)
        self.refused("ca.key", "RSA")
