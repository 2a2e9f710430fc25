"""What is in the certs directory, for people; nothing is made or changed here."""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bumper_tw.errors import BadRequest
from bumper_tw.pki import pem
from bumper_tw.pki.authority import marked
from bumper_tw.pki.certificates import signed_by
from bumper_tw.pki.directory import CA, CURVE_LEAF, LEAF
from bumper_tw.pki.leaves import FOLDER, SUFFIX, names_in, single_name

#: What people call the authority, and what is shown to whoever asks for nothing that has its own.
AUTHORITY, FALLBACK = "ca", "fallback"

FOR_OTHERS = "for all other names"


@frozen
class Entry:
    """
    One certificate.

    @ivar title: L{AUTHORITY}, L{FALLBACK}, or the single name.
    @ivar what: the role it has.
    @ivar chain: with those that stand behind it in the file.
    """

    title: str
    what: str
    chain: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself, without those that stand behind it."""
        return self.chain[0]


def authority_in(directory: Path) -> x509.Certificate:
    """
    The authority.

    @raise BadRequest: there is none yet.
    @raise StartError: it cannot be read.
    """
    found = pem.read(directory / CA)
    if found is None:
        raise BadRequest(
            f"there is no {directory / CA} yet; the first start of the server makes it"
        )
    return found[0]


def common_in(directory: Path) -> Iterator[Entry]:
    """
    The authority, and what everybody gets to see who asks for nothing that has its own.

    @raise BadRequest: there is no authority yet.
    @raise StartError: a file cannot be read.
    """
    ca = authority_in(directory)
    yield Entry(AUTHORITY, "authority", (ca,))
    for name in (LEAF, CURVE_LEAF):
        chain = pem.read(directory / name)
        if chain is not None:
            yield Entry(FALLBACK, role(chain[0], ca), chain)


def role(leaf: x509.Certificate, ca: x509.Certificate) -> str:
    """Whose the certificate is that is shown where there is no other."""
    if not marked(leaf):
        return "the owner's"
    # After an import, until the server has been told.
    return FOR_OTHERS if signed_by(leaf, ca) else f"{FOR_OTHERS}, not yet under this {AUTHORITY}"


def singles_in(directory: Path) -> Iterator[Entry]:
    """
    The certificates for single names, by name.

    @raise StartError: a file cannot be read.
    """
    for name in sorted(names_in(directory / FOLDER)):
        yield from single_in(directory, name)


def single_in(directory: Path, asked: str) -> Iterator[Entry]:
    """
    The certificates of one name, one for each kind of key; none if nobody has asked for it.

    @raise StartError: its file cannot be read.
    """
    name = single_name(asked)
    found = pem.read(directory / FOLDER / f"{name}{SUFFIX}") if name else None
    for certificate in found or ():
        yield Entry(name, "single name", (certificate,))


def kind(certificate: x509.Certificate) -> str:
    """The kind of its key, such as C{RSA 2048} or C{EC P-256}."""
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC P-{key.key_size}"
        case _:
            return "another"
