"""Questions to a certificate: whose it is, who signed it, what for, and until when."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Address = IPv4Address | IPv6Address
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
E = TypeVar("E", bound=x509.ExtensionType)


@frozen
class Cover:
    """What a certificate speaks for: host names, wildcards among them, and addresses."""

    names: frozenset[str]
    addresses: frozenset[Address]

    def includes(self, other: "Cover") -> bool:
        """Does it speak for everything C{other} does?"""
        return self.names >= other.names and self.addresses >= other.addresses

    def speaks_for(self, name: str) -> bool:
        """Does it speak for a name, itself or by a wildcard for its first label?"""
        _, _, rest = name.partition(".")
        return name in self.names or f"*.{rest}" in self.names


def belong(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Is C{certificate} about the public half of C{key}?"""
    there = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    here = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return there == here


def may_sign(certificate: x509.Certificate) -> bool:
    """Is it the certificate of an authority?"""
    found = extension(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Does C{issuer} stand behind C{certificate}, by name and by signature?"""
    digest = certificate.signature_hash_algorithm
    if certificate.issuer != issuer.subject or digest is None:
        return False
    signature, body = certificate.signature, certificate.tbs_certificate_bytes
    try:
        match issuer.public_key():
            case rsa.RSAPublicKey() as public:
                public.verify(signature, body, padding.PKCS1v15(), digest)
            case ec.EllipticCurvePublicKey() as public:
                public.verify(signature, body, ec.ECDSA(digest))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def covered(certificate: x509.Certificate) -> Cover:
    """What C{certificate} speaks for."""
    found = extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return Cover(frozenset(), frozenset())
    addresses = found.get_values_for_type(x509.IPAddress)
    return Cover(
        frozenset(found.get_values_for_type(x509.DNSName)),
        frozenset(a for a in addresses if isinstance(a, IPv4Address | IPv6Address)),
    )


def not_before(certificate: x509.Certificate) -> datetime:
    """When it begins to hold, in UTC."""
    return _moment(certificate, "not_valid_before")


def not_after(certificate: x509.Certificate) -> datetime:
    """When it ceases to hold, in UTC."""
    return _moment(certificate, "not_valid_after")


def renewal(certificate: x509.Certificate) -> datetime:
    """When it is time for the next one: two thirds of its life are over, in UTC."""
    start = not_before(certificate)
    return start + (not_after(certificate) - start) * 2 / 3


def _moment(certificate: x509.Certificate, field: str) -> datetime:
    # The aware fields came with cryptography 42, and the naive ones are on their way out.
    aware: datetime | None = getattr(certificate, f"{field}_utc", None)
    if aware is not None:
        return aware
    naive: datetime = getattr(certificate, field)
    return naive.replace(tzinfo=UTC)


def extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """The extension of that C{kind}, if there is one."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
