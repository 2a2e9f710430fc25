"""
One look at the certs directory: check what is there, make what is missing.

A key is written before its certificate.  So a key alone is the trace of a start that was
cut short, and is used; a server certificate without its key is a mistake of the owner's.
"""

from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509

from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import Authority, leaf, made_here, new_key, root
from bumper_tw.pki.certificates import (
    Cover,
    PrivateKey,
    belong,
    covered,
    may_sign,
    not_after,
    not_before,
    renewal,
    signed_by,
)

#: A box without a clock starts in the past; a certificate made there would be born expired.
PLAUSIBLE = datetime(2025, 1, 1, tzinfo=UTC)

CA = "ca.crt"
CA_KEY = "ca.key"
LEAF = "bumper.crt"
LEAF_KEY = "bumper.key"


@frozen
class Credentials:
    """
    What a TLS server shows and proves.

    @ivar chain: The leaf, then who signed it, and so on.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate of the server itself."""
        return self.chain[0]


@frozen
class Contents:
    """
    What the directory holds, after all checks.

    @ivar ca_key: None if there is none; then nothing can be renewed.
    """

    ca: x509.Certificate
    ca_key: PrivateKey | None
    credentials: Credentials

    @property
    def own(self) -> bool:
        """Did we make the server certificate, under this authority?"""
        return made_here(self.credentials.leaf, self.ca)


@frozen
class Look:
    """
    A look at the directory at one moment.

    @ivar now: Aware of its zone.
    @ivar cover: What a leaf of ours has to speak for.
    """

    directory: Path
    now: datetime
    cover: Cover

    def contents(self) -> Contents:
        """
        Check and complete the directory.

        @raise StartError: A file is garbled, expired, not yet valid, unreadable or does not
            fit its companion; or something is missing and cannot be made.
        """
        ca, ca_key = self._root()
        chain, key = self._certificates(LEAF), self._key(LEAF_KEY)
        if chain is None:
            return Contents(ca, ca_key, self._new_leaf(ca, ca_key, key))
        if key is None:
            raise StartError(f"{self.directory / LEAF_KEY} is missing, but {LEAF} is there.")
        self._must_fit(chain[0], LEAF, key, LEAF_KEY)
        if ca_key is not None and made_here(chain[0], ca) and self._is_due(chain[0]):
            return Contents(ca, ca_key, self._new_leaf(ca, ca_key, key))
        self._must_hold(chain[0], LEAF)
        return Contents(ca, ca_key, Credentials(complete(chain, ca), key))

    def _root(self) -> tuple[x509.Certificate, PrivateKey | None]:
        found, key = self._certificates(CA), self._key(CA_KEY)
        if found is None:
            return self._new_root(key)
        ca = found[0]
        self._must_hold(ca, CA)
        if key is not None:
            self._must_fit(ca, CA, key, CA_KEY)
        return ca, key

    def _new_root(self, key: PrivateKey | None) -> tuple[x509.Certificate, PrivateKey]:
        self._must_know_the_date()
        key = key or self._new_key(CA_KEY)
        return self._write(CA, root(key, self.now)), key

    def _new_leaf(
        self, ca: x509.Certificate, ca_key: PrivateKey | None, key: PrivateKey | None
    ) -> Credentials:
        signer = self._signer(ca, ca_key)
        self._must_know_the_date()
        key = key or self._new_key(LEAF_KEY)
        made = self._write(LEAF, leaf(signer, key, self.cover, self.now))
        return Credentials((made, ca), key)

    def _signer(self, ca: x509.Certificate, ca_key: PrivateKey | None) -> Authority:
        if ca_key is None:
            path = self.directory / CA_KEY
            raise StartError(f"{path} is missing, so {CA} cannot sign a server certificate.")
        if not may_sign(ca):
            raise StartError(f"{self.directory / CA} is not the certificate of an authority.")
        return Authority(ca, ca_key)

    def _is_due(self, certificate: x509.Certificate) -> bool:
        # An address that is gone does no harm; renewing for it would, where a network
        # interface comes and goes.
        return self.now >= renewal(certificate) or not covered(certificate).includes(self.cover)

    def _must_know_the_date(self) -> None:
        if self.now < PLAUSIBLE:
            raise StartError(
                f"No certificate can be made in {self.directory} while the clock of this box"
                f" says {self.now:%Y-%m-%d}; set it first."
            )

    def _must_hold(self, certificate: x509.Certificate, name: str) -> None:
        path, start, end = self.directory / name, not_before(certificate), not_after(certificate)
        if self.now > end:
            raise StartError(f"{path} expired on {end:%Y-%m-%d}; replace or remove it.")
        if self.now < start:
            raise StartError(
                f"{path} holds from {start:%Y-%m-%d} on, but the clock of this box says"
                f" {self.now:%Y-%m-%d}."
            )

    def _must_fit(
        self, certificate: x509.Certificate, name: str, key: PrivateKey, key_name: str
    ) -> None:
        if not belong(certificate, key):
            path = self.directory / name
            raise StartError(f"{path} and {self.directory / key_name} do not belong together.")

    def _certificates(self, name: str) -> tuple[x509.Certificate, ...] | None:
        path = self.directory / name
        held = files.read(path)
        return None if held is None else pem.certificates(path, held)

    def _key(self, name: str) -> PrivateKey | None:
        path = self.directory / name
        held = files.read(path)
        return None if held is None else pem.key(path, held)

    def _new_key(self, name: str) -> PrivateKey:
        key = new_key()
        files.write(self.directory / name, pem.key_text(key), files.PRIVATE)
        return key

    def _write(self, name: str, certificate: x509.Certificate) -> x509.Certificate:
        files.write(self.directory / name, pem.text(certificate), files.PUBLIC)
        return certificate


def complete(
    chain: tuple[x509.Certificate, ...], ca: x509.Certificate
) -> tuple[x509.Certificate, ...]:
    """The chain with the authority at its end, if it is the authority's."""
    if chain[-1] != ca and signed_by(chain[-1], ca):
        return (*chain, ca)
    return chain
