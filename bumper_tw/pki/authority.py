"""
Keys and certificates, as pure functions: nothing here reads a clock or touches a file.

The recipe is the one every known client accepts, down to C{openssl verify -x509_strict}
and the 825 days that some phones allow under an authority their owner installed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bumper_tw.pki.certificates import (
    Address,
    Cover,
    PrivateKey,
    extension,
    not_after,
    not_before,
    renewal,
    signed_by,
)
from bumper_tw.pki.zones import COMMON_NAME, vendor_names

#: Old robots know no longer keys and no elliptic curves.
KEY_BITS = 2048

#: The subject's organisation in what we make; tells our leaves from the owner's.
ORGANISATION = "bumper_tw"

#: Letters of a common name (X.520, 6.2.2: ub-common-name).
LONGEST_COMMON_NAME = 64

#: Robots boot with a clock that is behind.
BACKDATED = timedelta(days=1)

#: An authority is installed by hand in phones and robots, so it lasts.
ROOT_LIFE = timedelta(days=15 * 365 + 4)

#: Apple's limit for leaves; the last second counts.
LEAF_LIFE = timedelta(days=825) - timedelta(seconds=1)

#: A host name that a certificate can carry; the underscore is wrong, and common.
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*")

#: What the box is called by itself.
OWN_NAMES = ("localhost",)
OWN_ADDRESSES = (ip_address("127.0.0.1"), ip_address("::1"))


@frozen
class Authority:
    """An authority that can sign: its certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: PrivateKey


def cover(names: Iterable[str], addresses: Iterable[Address]) -> Cover:
    """
    What a leaf of this box has to cover: the vendor's names, the box's own, and loopback.

    @param names: The names of the box; what cannot stand in a certificate is left out.
    @param addresses: Its addresses; the scope of a link-local one is dropped.
    """
    tidy = (name.strip().rstrip(".").lower() for name in names)
    own = (name for name in tidy if HOST_NAME.fullmatch(name))
    bare = (ip_address(address.packed) for address in addresses)
    return Cover(
        frozenset([*vendor_names(), *OWN_NAMES, *own]), frozenset([*OWN_ADDRESSES, *bare])
    )


def own_part(what: Cover) -> Cover:
    """What a leaf covers of the box itself, without the vendor's names."""
    return Cover(what.names.difference(vendor_names()), what.addresses)


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA key; takes up to some seconds on a router."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def new_curve_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key on P-256, which every client with elliptic curves knows; takes no time."""
    return ec.generate_private_key(ec.SECP256R1())


def root(
    key: PrivateKey, now: datetime, bounds: x509.NameConstraints | None = None
) -> x509.Certificate:
    """
    The certificate of a new authority.

    @param bounds: What it may vouch for, if not for everything.  RFC 5280, 4.2.1.10 wants that
        to be critical; mbedTLS, which robots may have, then cannot even read the certificate,
        and gives up the handshake whether it verifies or not.  So it is not: who knows
        constraints obeys them, and the others trust us as they would without.

    The subject ends in digits of the key, so that two boxes, or the successor of a lost
    authority, are not mistaken for one another by a phone that knows both.
    """
    own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = _subject(f"bumper_tw CA {own_id.digest.hex()[:8]}")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    start = _start(now)
    blank = (
        _blank(subject, subject, start, start + ROOT_LIFE)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(own_id, critical=False)
    )
    if bounds is not None:
        blank = blank.add_extension(bounds, critical=False)
    return blank.sign(key, hashes.SHA256())


def leaf(
    authority: Authority,
    key: PrivateKey,
    what: Cover,
    now: datetime,
    common_name: str = COMMON_NAME,
) -> x509.Certificate:
    """
    A server certificate for C{key} that speaks for C{what}; it never outlives its authority.

    @param key: The server's key; only its public half gets into the certificate.
    @param common_name: One of the names; left out if it is too long for a subject, as clients
        look at the alternative names (RFC 6125, 6.4.4).
    """
    issuer = authority.certificate
    start = _start(now)
    end = min(start + LEAF_LIFE, not_after(issuer))
    public = key.public_key()
    usage = _usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey))
    return (
        _blank(_subject(common_name), issuer.subject, start, end)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issuer_id(authority), critical=False)
        .add_extension(_alternative(what), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def marked(certificate: x509.Certificate) -> bool:
    """Does this leaf say that we have made it?  Only then may we replace it."""
    marks = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [mark.value for mark in marks] == [ORGANISATION]


def made_here(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Did we make this leaf under C{issuer}?"""
    return marked(certificate) and signed_by(certificate, issuer)


def due(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    """
    Is it time for the next leaf?

    A leaf that lasts as long as its authority is as good as it gets: towards the end of that, a
    new one would be due as soon as it is made.
    """
    if now < not_before(certificate):
        return True
    return now >= renewal(certificate) and not_after(certificate) < not_after(issuer)


def _start(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(microsecond=0) - BACKDATED


def _blank(
    subject: x509.Name, issuer: x509.Name, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _subject(common_name: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION)]
    if len(common_name) <= LONGEST_COMMON_NAME:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(parts)


def _usage(
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    # As the issuer spells it, if it does: other software may count the digest differently.
    spelled = extension(authority.certificate, x509.SubjectKeyIdentifier)
    counted = x509.SubjectKeyIdentifier.from_public_key(authority.key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(spelled or counted)


def _alternative(what: Cover) -> x509.SubjectAlternativeName:
    # The vendor's names come first and in order: some clients look no further than a page.
    vendor = vendor_names()
    rest = sorted(what.names.difference(vendor))
    names = [name for name in vendor if name in what.names] + rest
    addresses = sorted(what.addresses, key=lambda address: (address.version, address.packed))
    return x509.SubjectAlternativeName(
        [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]
    )
