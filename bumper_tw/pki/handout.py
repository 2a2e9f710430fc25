"""The authority's certificate in the forms that phones and computers take it in."""

import plistlib
from uuid import UUID, uuid5

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bumper_tw.pki import bundle, pem
from bumper_tw.pki.certificates import not_before

#: What the UUIDs of our profiles are derived from, together with the authority.
PROFILES = UUID("6f0a2c1e-53a7-4d0b-9f46-b7c1d9a5e283")

#: The front of the identifiers of a profile, and of what is in it.
IDENTIFIER = "tw.bumper.authority"

#: Bytes of a fingerprint that a person compares at a glance.
GROUP = 4


def der(ca: x509.Certificate) -> bytes:
    """The certificate in binary, which is what phones and Windows open as a file."""
    return ca.public_bytes(Encoding.DER)


def packed(ca: x509.Certificate) -> bytes:
    """The archive that robots fetch, with this authority alone."""
    return bundle.archive(pem.text(ca), int(not_before(ca).timestamp()))


def name(ca: x509.Certificate) -> str:
    """
    What systems call it in their lists, as one line of text; the whole subject if there is no
    common name.
    """
    names = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return _line(str(names[0].value) if names else ca.subject.rfc4514_string())


def fingerprint(ca: x509.Certificate) -> str:
    """
    Its SHA-256, for people: eight groups, with spaces between, of four bytes each, with colons
    between.
    """
    pairs = [f"{byte:02X}" for byte in ca.fingerprint(SHA256())]
    return " ".join(":".join(pairs[at : at + GROUP]) for at in range(0, len(pairs), GROUP))


def mobileconfig(ca: x509.Certificate, host: str) -> bytes:
    """
    A configuration profile for Apple's systems that holds the certificate, unsigned.

    A profile replaces the one with its identifier (Apple, "Configuration Profile Reference",
    PayloadIdentifier), so identifier and UUIDs depend on the certificate alone: to install it
    again, from whatever address, leaves one.

    @param host: the name or address of this box, for people.
    """
    unique = ca.fingerprint(SHA256()).hex()
    identifier = f"{IDENTIFIER}.{unique[:16]}"
    title = f"{name(ca)} (robots at home)"
    root = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.root",
        "PayloadUUID": _uuid(f"root {unique}"),
        "PayloadDisplayName": name(ca),
        "PayloadDescription": "The authority that signs for your own robot server.",
        "PayloadCertificateFileName": "bumper.crt",
        "PayloadContent": der(ca),
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(f"profile {unique}"),
        "PayloadDisplayName": title,
        "PayloadDescription": f"Lets this device trust the robot server at {_line(host)}. After "
        "it is installed, trust has to be switched on under About, Certificate Trust Settings.",
        "PayloadOrganization": "bumper_tw",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [root],
    }
    return plistlib.dumps(profile)


def _line(text: str) -> str:
    # An owner's own authority may be called anything, and XML knows no control characters.
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _uuid(what: str) -> str:
    return str(uuid5(PROFILES, what)).upper()
