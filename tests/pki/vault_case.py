"""A box with a certs directory, and what an owner may do to it."""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.errors import StartError
from bumper_tw.pki import pem
from bumper_tw.pki.authority import Authority
from tests.pki.samples import (
    NOW,
    Box,
    foreign_leaf,
    new_authority,
    put,
)


class VaultCase(SynchronousTestCase):
    """A box with an empty place for its certificates."""

    def setUp(self) -> None:
        self.box = Box(Path(self.mktemp()))
        self.directory = self.box.directory

    def put_root(self) -> Authority:
        """An authority, complete with its key."""
        made = new_authority()
        put(self.directory, "ca.crt", pem.text(made.certificate))
        put(self.directory, "ca.key", pem.key_text(made.key))
        return made

    def put_foreign_leaf(self, now: datetime = NOW) -> x509.Certificate:
        """A server certificate that another authority signed."""
        leaf, key = foreign_leaf(now, new_authority(now=now))
        put(self.directory, "bumper.crt", pem.text(leaf))
        put(self.directory, "bumper.key", pem.key_text(key))
        return leaf

    def refused(self, *words: str) -> None:
        """The start is refused with one sentence that contains all of C{words}."""
        before = self.box.held()
        error = self.assertRaises(StartError, self.box.vault().ensure)
        for word in (str(self.directory), *words):
            self.assertIn(word, str(error))
        self.assertRegex(str(error), r"\A[^\n]+\.\Z")
        self.assertEqual(self.box.held(), before)
