"""
One look at the certs directory: check what is there, make what is missing.

A key is written before its certificate.  So a key alone is the trace of a start that was
cut short, and is used; a server certificate without its key is a mistake of the owner's.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.logger import Logger

from bumper_tw.errors import StartError
from bumper_tw.pki import files
from bumper_tw.pki.authority import (
    Authority,
    due,
    leaf,
    made_here,
    marked,
    new_curve_key,
    new_key,
    own_part,
    root,
)
from bumper_tw.pki.bounds import Bounds, constraints
from bumper_tw.pki.certificates import (
    Cover,
    PrivateKey,
    belong,
    covered,
    may_sign,
    not_after,
    not_before,
    signed_by,
)
from bumper_tw.pki.folder import Folder

#: A box without a clock starts in the past; a certificate made there would be born expired.
PLAUSIBLE = datetime(2025, 1, 1, tzinfo=UTC)

CA = "ca.crt"
CA_KEY = "ca.key"
LEAF = "bumper.crt"
LEAF_KEY = "bumper.key"

#: The server certificate with a key of elliptic curves.
CURVE_LEAF = "bumper-ec.crt"
CURVE_KEY = "bumper-ec.key"

#: The key of certificates for single names, where C{bumper.key} is that of the owner's own.
RSA_KEY = "bumper-rsa.key"


@frozen
class Pair:
    """A certificate of a server, and the key that belongs to it."""

    certificate: x509.Certificate
    key: PrivateKey


@frozen
class Credentials:
    """
    What a TLS server shows and proves.

    @ivar chain: The leaf, then who signed it, and so on.
    @ivar more: Leaves for keys of another kind, under the same authority: OpenSSL shows the one
        that the client can verify.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey
    more: tuple[Pair, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All leaves with their keys."""
        return (Pair(self.leaf, self.key), *self.more)

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """All leaves."""
        return tuple(pair.certificate for pair in self.pairs)

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate of the server itself."""
        return self.chain[0]


@frozen
class Contents:
    """
    What the directory holds, after all checks.

    @ivar ca_key: None if there is none; then nothing can be renewed.
    @ivar leaf_keys: What certificates for single names are made for; none if they are not made.
    """

    ca: x509.Certificate
    ca_key: PrivateKey | None
    credentials: Credentials
    leaf_keys: tuple[PrivateKey, ...] = ()

    @property
    def own(self) -> bool:
        """Did we make the server certificate, under this authority?"""
        return made_here(self.credentials.leaf, self.ca)

    @property
    def authority(self) -> Authority | None:
        """Who can sign certificates for single names, if anybody."""
        return Authority(self.ca, self.ca_key) if self.ca_key and self.leaf_keys else None

    def marks(self) -> tuple[object, ...]:
        """What tells whether another look has found the same; keys fit, and need no looking."""
        signs = self.authority is not None
        return self.ca, signs, self.credentials.chain, self.credentials.certificates


@frozen
class Look:
    """
    A look at the directory at one moment.

    @ivar folder: That directory.
    @ivar now: Aware of its zone.
    @ivar cover: What a leaf of ours has to speak for.
    @ivar singles: Whether there will be certificates for single names.
    @ivar constrain: Whether a new authority vouches for known names only.
    """

    _log = Logger()

    folder: Folder
    now: datetime
    cover: Cover
    singles: bool = False
    constrain: bool = False

    def contents(self) -> Contents:
        """
        Check and complete the directory.

        @raise StartError: A file is garbled, expired, not yet valid, unreadable or does not
            fit its companion; or something is missing and cannot be made.
        """
        ca, ca_key = self._root()
        shown = self._shown(ca, ca_key)
        return Contents(ca, ca_key, shown, self._leaf_keys(ca, ca_key, shown))

    def _shown(self, ca: x509.Certificate, ca_key: PrivateKey | None) -> Credentials:
        chain, key = self.folder.certificates(LEAF), self.folder.key(LEAF_KEY)
        if chain is None:
            return self._new_leaf(ca, ca_key, key)
        if key is None:
            raise StartError(f"{self.folder.path / LEAF_KEY} is missing, but {LEAF} is there.")
        self._must_fit(chain[0], LEAF, key, LEAF_KEY)
        if ca_key is not None and marked(chain[0]) and self._is_outdated(chain[0], ca):
            return self._renewed(Authority(ca, ca_key), chain[0], key)
        self._must_hold(chain[0], LEAF)
        more = self._sibling(ca, ca_key, key) if made_here(chain[0], ca) else ()
        return Credentials(complete(chain, ca), key, more)

    def _root(self) -> tuple[x509.Certificate, PrivateKey | None]:
        found, key = self.folder.certificates(CA), self.folder.key(CA_KEY)
        if found is None:
            return self._new_root(key)
        ca = found[0]
        self._must_hold(ca, CA)
        if key is not None:
            self._must_fit(ca, CA, key, CA_KEY)
        return ca, key

    def _new_root(self, key: PrivateKey | None) -> tuple[x509.Certificate, PrivateKey]:
        self._must_know_the_date()
        key = key or self.folder.new_key(CA_KEY, new_key)
        bounds = constraints(own_part(self.cover).names, self.cover.addresses)
        made = root(key, self.now, bounds if self.constrain else None)
        self.folder.put(CA, made)
        return made, key

    def _new_leaf(
        self, ca: x509.Certificate, ca_key: PrivateKey | None, key: PrivateKey | None
    ) -> Credentials:
        signer = self._signer(ca, ca_key)
        self._must_know_the_date()
        key = key or self.folder.new_key(LEAF_KEY, new_key)
        made = self._leaf(signer, key)
        self.folder.put(LEAF, made)
        return Credentials((made, ca), key, self._sibling(ca, ca_key, key))

    def _renewed(self, signer: Authority, old: x509.Certificate, key: PrivateKey) -> Credentials:
        """The next of ours; if it cannot be written, it is as good for as long as we run."""
        self._signer(signer.certificate, signer.key)
        self._must_know_the_date()
        made = self._leaf(signer, key)
        if not signed_by(old, signer.certificate):
            # It may come from another box; then its owner would miss it.
            self._attempt(lambda: files.aside(self.folder.path / LEAF, self.now))
        self._attempt(lambda: self.folder.put(LEAF, made))
        more = self._sibling(signer.certificate, signer.key, key)
        return Credentials((made, signer.certificate), key, more)

    def _sibling(
        self, ca: x509.Certificate, ca_key: PrivateKey | None, key: PrivateKey
    ) -> tuple[Pair, ...]:
        """The server certificate for clients with elliptic curves, if C{key} is not of these."""
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return ()
        chain, curve = self.folder.certificates(CURVE_LEAF), self.folder.curve_key(CURVE_KEY)
        fits = chain is not None and curve is not None and belong(chain[0], curve)
        if chain and curve and fits and not self._is_outdated(chain[0], ca):
            return (Pair(chain[0], curve),)
        if ca_key is None or self.now < PLAUSIBLE:
            return ()
        if chain is not None and not made_here(chain[0], ca):
            self._attempt(lambda: files.aside(self.folder.path / CURVE_LEAF, self.now))
        return self._new_sibling(Authority(ca, ca_key), curve)

    def _new_sibling(
        self, signer: Authority, curve: ec.EllipticCurvePrivateKey | None
    ) -> tuple[Pair, ...]:
        if curve is None:
            curve = new_curve_key()
            if not self._attempt(lambda: self.folder.put_key(CURVE_KEY, curve)):
                return ()
        made = self._leaf(signer, curve)
        self._attempt(lambda: self.folder.put(CURVE_LEAF, made))
        return (Pair(made, curve),)

    def _leaf_keys(
        self, ca: x509.Certificate, ca_key: PrivateKey | None, shown: Credentials
    ) -> tuple[PrivateKey, ...]:
        if not self.singles or ca_key is None or not may_sign(ca):
            return ()
        if made_here(shown.leaf, ca):
            return tuple(pair.key for pair in shown.pairs)
        # The owner's key is for the owner's certificate alone.
        found = self._own_key(RSA_KEY, new_key), self._own_key(CURVE_KEY, new_curve_key)
        return tuple(key for key in found if key is not None)

    def _own_key(self, name: str, make: Callable[[], PrivateKey]) -> PrivateKey | None:
        held = self.folder.key(name)
        if held is not None:
            return held
        key = make()
        return key if self._attempt(lambda: self.folder.put_key(name, key)) else None

    def _leaf(self, signer: Authority, key: PrivateKey) -> x509.Certificate:
        return leaf(signer, key, Bounds.of(signer.certificate).within(self.cover), self.now)

    def _signer(self, ca: x509.Certificate, ca_key: PrivateKey | None) -> Authority:
        if ca_key is None:
            path = self.folder.path / CA_KEY
            raise StartError(f"{path} is missing, so {CA} cannot sign a server certificate.")
        if not may_sign(ca):
            raise StartError(f"{self.folder.path / CA} is not the certificate of an authority.")
        return Authority(ca, ca_key)

    def _is_outdated(self, certificate: x509.Certificate, ca: x509.Certificate) -> bool:
        # An address that is gone does no harm; renewing for it would, where a network
        # interface comes and goes.
        needed = Bounds.of(ca).within(self.cover)
        return (
            not made_here(certificate, ca)
            or due(certificate, ca, self.now)
            or not covered(certificate).includes(needed)
        )

    def _attempt(self, change: Callable[[], object]) -> bool:
        """Change a file, if that is possible; what runs already goes on without."""
        try:
            change()
        except StartError as why:
            self._log.warn("going on without the file: {why}", why=why)
            return False
        return True

    def _must_know_the_date(self) -> None:
        if self.now < PLAUSIBLE:
            raise StartError(
                f"No certificate can be made in {self.folder.path} while the clock of this box"
                f" says {self.now:%Y-%m-%d}; set it first."
            )

    def _must_hold(self, certificate: x509.Certificate, name: str) -> None:
        path, start, end = self.folder.path / name, not_before(certificate), not_after(certificate)
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
            path = self.folder.path / name
            raise StartError(f"{path} and {self.folder.path / key_name} do not belong together.")


def complete(
    chain: tuple[x509.Certificate, ...], ca: x509.Certificate
) -> tuple[x509.Certificate, ...]:
    """The chain with the authority at its end, if it is the authority's."""
    if chain[-1] != ca and signed_by(chain[-1], ca):
        return (*chain, ca)
    return chain
