"""Numbers of TLS as people know them (the registries of IANA)."""

import re
from collections.abc import Iterable

from bumper_tw.wire.client_hello import ClientHello

#: As many names of one kind stand in a sentence.
FEW = 4

#: How suites begin of which our listeners speak some, with whatever settings: no finite-field
#: Diffie-Hellman, nothing older than AES.
SPOKEN = re.compile(r"TLS_|(?:ECDHE-(?:RSA|ECDSA)-)?(?:AES|CHACHA20)")

#: What stands among suites and is none: values that clients throw in to keep servers honest (RFC
#: 8701), and signals about renegotiation and fallback (RFC 5746, RFC 7507).
NOTHING = frozenset(0x0A0A + 0x1010 * step for step in range(16)) | {0x00FF, 0x5600}

VERSIONS = {
    0x0200: "SSL 2",
    0x0300: "SSL 3",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}

#: The suites that clients offer, by the names that OpenSSL gives them.
CIPHERS = {
    0x0004: "RC4-MD5",
    0x0005: "RC4-SHA",
    0x0009: "DES-CBC-SHA",
    0x000A: "DES-CBC3-SHA",
    0x0016: "DHE-RSA-DES-CBC3-SHA",
    0x002F: "AES128-SHA",
    0x0032: "DHE-DSS-AES128-SHA",
    0x0033: "DHE-RSA-AES128-SHA",
    0x0035: "AES256-SHA",
    0x0038: "DHE-DSS-AES256-SHA",
    0x0039: "DHE-RSA-AES256-SHA",
    0x003C: "AES128-SHA256",
    0x003D: "AES256-SHA256",
    0x0067: "DHE-RSA-AES128-SHA256",
    0x006B: "DHE-RSA-AES256-SHA256",
    0x009C: "AES128-GCM-SHA256",
    0x009D: "AES256-GCM-SHA384",
    0x009E: "DHE-RSA-AES128-GCM-SHA256",
    0x009F: "DHE-RSA-AES256-GCM-SHA384",
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
    0xC007: "ECDHE-ECDSA-RC4-SHA",
    0xC008: "ECDHE-ECDSA-DES-CBC3-SHA",
    0xC009: "ECDHE-ECDSA-AES128-SHA",
    0xC00A: "ECDHE-ECDSA-AES256-SHA",
    0xC011: "ECDHE-RSA-RC4-SHA",
    0xC012: "ECDHE-RSA-DES-CBC3-SHA",
    0xC013: "ECDHE-RSA-AES128-SHA",
    0xC014: "ECDHE-RSA-AES256-SHA",
    0xC023: "ECDHE-ECDSA-AES128-SHA256",
    0xC024: "ECDHE-ECDSA-AES256-SHA384",
    0xC027: "ECDHE-RSA-AES128-SHA256",
    0xC028: "ECDHE-RSA-AES256-SHA384",
    0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256",
    0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
    0xC02F: "ECDHE-RSA-AES128-GCM-SHA256",
    0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
    0xC09C: "AES128-CCM",
    0xC09D: "AES256-CCM",
    0xC0AC: "ECDHE-ECDSA-AES128-CCM",
    0xC0AD: "ECDHE-ECDSA-AES256-CCM",
    0xC0AE: "ECDHE-ECDSA-AES128-CCM8",
    0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
    0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305",
    0xCCAA: "DHE-RSA-CHACHA20-POLY1305",
}

GROUPS = {
    0x0017: "secp256r1",
    0x0018: "secp384r1",
    0x0019: "secp521r1",
    0x001A: "brainpoolP256r1",
    0x001B: "brainpoolP384r1",
    0x001C: "brainpoolP512r1",
    0x001D: "x25519",
    0x001E: "x448",
    0x0100: "ffdhe2048",
    0x0101: "ffdhe3072",
    0x11EC: "X25519MLKEM768",
}

SIGNATURES = {
    0x0201: "rsa_pkcs1_sha1",
    0x0203: "ecdsa_sha1",
    0x0301: "rsa_pkcs1_sha224",
    0x0303: "ecdsa_sha224",
    0x0401: "rsa_pkcs1_sha256",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
}


def called(numbers: Iterable[int], names: dict[int, str]) -> list[str]:
    """These numbers by their names, in hexadecimal where there is none; without L{NOTHING}."""
    return [names.get(each) or f"0x{each:04x}" for each in numbers if each not in NOTHING]


def _few(numbers: Iterable[int], names: dict[int, str]) -> str:
    found = called(numbers, names)
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return (", ".join(found[:FEW]) or "none that is known") + more


def versions(hello: ClientHello | None) -> str:
    """The versions of TLS that a client offers."""
    found = called(hello.versions, VERSIONS) if hello is not None else []
    return ", ".join(found) or "none that is known"


def suites(hello: ClientHello | None) -> str:
    """The first cipher suites that a client offers."""
    return _few(hello.ciphers if hello is not None else (), CIPHERS)


def lacking(hello: ClientHello | None, words: str) -> tuple[str, str]:
    """
    What a client has not got in common with us, and the first ones of that kind that it offers.

    @param words: why TLS failed.
    """
    offered = hello or ClientHello()
    if "signature" in words:
        return "kind of signature", _few(offered.signatures, SIGNATURES)
    if any(part in words for part in ("group", "curve", "key share", "key_share")):
        return "group for the exchange of keys", _few(offered.groups, GROUPS)
    return SUITE, suites(hello)


#: What is lacking most often.
SUITE = "cipher suite"


def is_hopeless(hello: ClientHello | None) -> bool:
    """Whether a client offers suites, and none that our listeners could speak."""
    found = called(hello.ciphers, CIPHERS) if hello is not None else []
    return bool(found) and not any(SPOKEN.match(name) for name in found)
