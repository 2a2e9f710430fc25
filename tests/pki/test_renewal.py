"""The certs directory over the years, and what is kept beside the certificates."""

import gzip
import hashlib
import io
import stat
import tarfile

from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.certificates import belong, covered, not_after, renewal
from bumper_tw.pki.vault import Vault
from tests.pki.samples import (
    ADDRESSES,
    DAY,
    NAMES,
    NOW,
    ec_key,
    put,
    put_keys,
    rsa_key,
)
from tests.pki.vault_case import VaultCase

DAYS_TO_RENEWAL = 550


class RenewalTests(VaultCase):
    """Our own leaf never runs out."""

    def setUp(self) -> None:
        super().setUp()
        put_keys(self.directory)
        self.vault = self.box.vault()
        self.vault.ensure()
        self.first = self.vault.credentials()

    def test_not_before_time(self) -> None:
        """Until two thirds of its life are over, nothing happens."""
        held = self.box.held()
        almost = renewal(self.first.leaf) - DAY
        self.assertFalse(self.vault.renew_if_due(NOW))
        self.assertFalse(self.vault.renew_if_due(almost))
        self.assertEqual(self.box.held(), held)

    def test_due(self) -> None:
        """Then there is a new one, under the same authority and with the same key."""
        later = NOW + DAYS_TO_RENEWAL * DAY
        self.assertTrue(self.vault.renew_if_due(later))
        second = self.vault.credentials()
        self.assertNotEqual(second.leaf, self.first.leaf)
        self.assertEqual(second.chain[1], self.first.chain[1])
        self.assertTrue(belong(second.leaf, self.first.key))
        self.assertEqual(self.vault.expires(), not_after(second.leaf))
        self.assertGreater(self.vault.expires(), later + 800 * DAY)
        self.assertFalse(self.vault.renew_if_due(later))
        self.assertEqual(files.read(self.directory / "bumper.crt"), pem.text(second.leaf))

    def test_due_at_start(self) -> None:
        """A box that was off for three years makes a new one when it starts."""
        self.box.time = NOW + 1100 * DAY
        vault = self.box.vault()
        vault.ensure()
        self.assertGreater(vault.expires(), self.box.time)

    def test_new_name(self) -> None:
        """A leaf that lacks a name of the box is replaced at the next start."""
        vault = self.box.vault("robots.lan")
        vault.ensure()
        self.assertIn("robots.lan", covered(vault.credentials().leaf).names)

    def test_new_address(self) -> None:
        """When the box moves, the next look replaces the leaf; what is gone does no harm."""
        self.vault.speak_for(NAMES, ADDRESSES[:1])
        self.assertFalse(self.vault.renew_if_due(NOW))
        self.vault.speak_for([*NAMES, "moved"], ADDRESSES)
        self.assertTrue(self.vault.renew_if_due(NOW))
        self.assertIn("moved", covered(self.vault.credentials().leaf).names)

    def test_owner_replaces(self) -> None:
        """A leaf that its owner has put there meanwhile is taken up, not overwritten."""
        leaf = self.put_foreign_leaf()
        held = self.box.held()
        self.assertTrue(self.vault.renew_if_due(NOW + DAYS_TO_RENEWAL * DAY))
        self.assertEqual(self.vault.credentials().chain, (leaf,))
        self.assertEqual(self.box.held(), held)

    def test_failure_keeps_the_old(self) -> None:
        """A directory that was spoilt meanwhile is reported, and the old leaf goes on."""
        put(self.directory, "bumper.crt", b"spoilt")
        self.assertRaises(StartError, self.vault.renew_if_due, NOW)
        self.assertIs(self.vault.credentials(), self.first)


class BundleTests(VaultCase):
    """The archive robots fetch (http-discovery.md 7)."""

    def test_members(self) -> None:
        """It holds our authority alone, and its MD5 with a line feed."""
        put_keys(self.directory)
        vault = self.box.vault()
        with tarfile.open(fileobj=io.BytesIO(vault.ca_bundle()), mode="r:gz") as tar:
            held = {name: self.member(tar, name) for name in tar.getnames()}
        digest = hashlib.md5(vault.ca_pem()).hexdigest()
        self.assertEqual(
            held,
            {
                "ca-certificates/ca-certificates.crt": vault.ca_pem(),
                "ca-certificates/MD5SUMS": f"{digest}\n".encode(),
            },
        )

    def member(self, tar: tarfile.TarFile, name: str) -> bytes:
        """What is in one member."""
        stream = tar.extractfile(name)
        assert stream is not None
        return stream.read()

    def test_same_every_time(self) -> None:
        """Another start gives the same bytes, and none of them are of a key."""
        put_keys(self.directory)
        first = self.box.vault().ca_bundle()
        self.assertEqual(self.box.vault().ca_bundle(), first)
        self.assertNotIn(b"PRIVATE", gzip.decompress(first))


class SecretTests(VaultCase):
    """The two secrets beside the certificates."""

    def mode(self, name: str) -> int:
        """The permission bits of a file in the directory."""
        return stat.S_IMODE((self.directory / name).stat().st_mode)

    def other_start(self) -> Vault:
        """The same directory, opened anew."""
        return self.box.vault()

    def test_signing_secret(self) -> None:
        """It is 32 bytes, private, and survives a restart."""
        secret = self.box.vault().signing_secret()
        self.assertEqual((len(secret), self.mode("token.key")), (32, 0o600))
        self.assertEqual(self.other_start().signing_secret(), secret)

    def test_signing_secret_garbled(self) -> None:
        """A cut secret is not used."""
        put(self.directory, "token.key", b"short")
        error = self.assertRaises(StartError, self.box.vault().signing_secret)
        self.assertIn("token.key", str(error))
        self.assertNotIn("short", str(error))

    def test_config_key(self) -> None:
        """It is made at first use, private, survives a restart, and is not the TLS key."""
        vault = self.box.vault()
        key = vault.config_key()
        self.assertIs(vault.config_key(), key)
        self.assertEqual(self.mode("config.key"), 0o600)
        self.assertEqual(self.other_start().config_key().public(), key.public())
        self.assertEqual([path.name for path in self.directory.iterdir()], ["config.key"])

    def test_config_key_must_be_rsa(self) -> None:
        """Apps cannot encrypt with an elliptic curve."""
        put(self.directory, "config.key", pem.key_text(ec_key()))
        error = self.assertRaises(StartError, self.box.vault().config_key)
        self.assertIn("config.key", str(error))
        put(self.directory, "config.key", pem.key_text(rsa_key(0)))
        self.assertTrue(self.box.vault().config_key().public())
