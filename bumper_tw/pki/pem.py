"""PEM text to keys and certificates and back; what is garbled is named by its file."""

import re
from pathlib import Path
from typing import Any

import cryptography
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bumper_tw.errors import StartError
from bumper_tw.pki import files
from bumper_tw.pki.certificates import PrivateKey

#: One certificate among others, or among the comments that C{openssl x509 -text} leaves.
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")

#: A private key among other things, such as the parameters that C{openssl ecparam} puts first.
KEY = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]*-----END \1PRIVATE KEY-----")

#: What cryptography says of a certificate that is spoilt in one place or another; the
#: C{KeyError} is how older releases stumble over an unknown kind of string in a name.
GARBLED = (
    ValueError,
    TypeError,
    KeyError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

#: Checking that an RSA key is made of primes takes a good part of a start, three times; a key
#: that fits its certificate is the owner's.  Releases before 39 always check.
TRUSTING: dict[str, Any] = (
    {"unsafe_skip_rsa_key_validation": True}
    if int(cryptography.__version__.split(".")[0]) >= 39
    else {}
)


def key(path: Path, held: bytes) -> PrivateKey:
    """
    The private key in a file, the first if there are several.

    @param path: Where C{held} came from, for the error.
    @raise StartError: It is garbled, locked with a passphrase, or neither RSA nor EC.
    """
    block = KEY.search(held)
    try:
        found = load_pem_private_key(block[0] if block else held, password=None, **TRUSTING)
    except TypeError as error:
        raise StartError(f"{path} is locked with a passphrase; store it without one.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StartError(f"{path} does not hold a readable private key.") from error
    if not isinstance(found, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise StartError(f"{path} holds a key that is neither RSA nor elliptic curve.")
    return found


def certificates(path: Path, held: bytes) -> tuple[x509.Certificate, ...]:
    """
    The certificates in a file, at least one, in their order.

    @param path: Where C{held} came from, for the error.
    @raise StartError: There is none, or one is garbled.
    """
    try:
        found = tuple(map(_certificate, BLOCK.findall(held)))
    except GARBLED as error:
        raise StartError(f"{path} does not hold a readable certificate.") from error
    if not found:
        raise StartError(f"{path} does not hold a certificate.")
    return found


def read(path: Path) -> tuple[x509.Certificate, ...] | None:
    """
    The certificates in a file, in their order; C{None} if there is no such file.

    @raise StartError: It cannot be read, holds none, or one is garbled.
    """
    held = files.read(path)
    return None if held is None else certificates(path, held)


def key_text(private: PrivateKey) -> bytes:
    """A key as unencrypted PKCS#8."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def text(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _certificate(block: bytes) -> x509.Certificate:
    certificate = x509.load_pem_x509_certificate(block)
    # All of these are parsed late; let a garbled one show itself while its file is known.
    certificate.public_key()
    for part in ("subject", "issuer", "extensions", "signature_hash_algorithm"):
        getattr(certificate, part)
    return certificate
