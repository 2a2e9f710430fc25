"""What is in the certs directory, for people; nothing is made or changed here."""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bumper_tw.errors import BadRequest
from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import made_here
from bumper_tw.pki.directory import CA, CURVE_LEAF, LEAF
from bumper_tw.pki.leaves import FOLDER, SUFFIX, names_in, single_name

#: What people call the authority, and what is shown to whoever asks for nothing that has its own.
AUTHORITY, FALLBACK = "ca", "fallback"


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
        """It, without those."""
        return self.chain[0]


def authority_in(directory: Path) -> x509.Certificate:
    """
    The authority.

    @raise BadRequest: there is none yet.
    @raise StartError: it cannot be read.
    """
    held = files.read(directory / CA)
    if held is None:
        raise BadRequest(
            f"there is no {directory / CA} yet; the first start of the server makes it"
        )
    return pem.certificates(directory / CA, held)[0]


def common_in(directory: Path) -> Iterator[Entry]:
    """
    The authority, and what everybody gets to see who asks for nothing that has its own.

    @raise BadRequest: there is no authority yet.
    @raise StartError: a file cannot be read.
    """
    ca = authority_in(directory)
    yield Entry(AUTHORITY, "authority", (ca,))
    for name in (LEAF, CURVE_LEAF):
        held = files.read(directory / name)
        if held is not None:
            chain = pem.certificates(directory / name, held)
            own = made_here(chain[0], ca)
            yield Entry(FALLBACK, "for all other names" if own else "the owner's", chain)


def singles_in(directory: Path) -> Iterator[Entry]:
    """
    The certificates for single names, by name.

    @raise StartError: a file cannot be read.
    """
    for name in sorted(names_in(directory / FOLDER)):
        yield from single_in(directory, name)


def single_in(directory: Path, asked: str) -> Iterator[Entry]:
    """
    Those of one name, one for each kind of key; none if nobody has asked for it.

    @raise StartError: its file cannot be read.
    """
    name = single_name(asked)
    path = directory / FOLDER / f"{name}{SUFFIX}"
    held = files.read(path) if name else None
    for certificate in pem.certificates(path, held) if held is not None else ():
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
