"""
Why a handshake failed: OpenSSL's words, as far as they mean something to an owner.

OpenSSL 1.1.1 and 3 say C{sslv3 alert} where 4 says C{tls alert}; what follows is the same.  With
C{alert} in it, the other side said so; without, it is our own end that gave up.
"""

from enum import Enum


class Trouble(Enum):
    """What is behind the words."""

    #: The client looked at our certificate, and does not know who vouches for it.
    UNTRUSTED = "untrusted"
    #: The same, or the name, the purpose or the time is not to its liking.
    DISLIKED = "disliked"
    #: The client says that our certificate has run out.
    CLOCK = "clock"
    #: No version in common.
    VERSION = "version"
    #: A version, but nothing else in common.
    CIPHER = "cipher"
    #: Clear text where TLS was expected.
    CLEAR = "clear"
    #: The client gave up, and does not say why; often a check of its own failed.
    GIVEN_UP = "given up"
    #: The client left without even that.
    GONE = "gone"
    #: Anything else.
    OTHER = "other"


#: What may stand in the words, the first that does counts.
WORDS: tuple[tuple[str, Trouble], ...] = (
    ("alert unknown ca", Trouble.UNTRUSTED),
    # Android's Conscrypt and Apple say this of an authority that they do not know; so does
    # Mbed TLS of a certificate that is not valid yet.
    ("alert certificate unknown", Trouble.UNTRUSTED),
    # Go says this of everything; OpenSSL of a name that does not fit, and of a certificate
    # that is not valid yet.
    ("alert bad certificate", Trouble.DISLIKED),
    ("alert unsupported certificate", Trouble.DISLIKED),
    ("alert certificate revoked", Trouble.DISLIKED),
    ("unrecognized name", Trouble.DISLIKED),
    ("alert certificate expired", Trouble.CLOCK),
    ("not yet valid", Trouble.CLOCK),
    ("alert protocol version", Trouble.VERSION),
    ("unsupported protocol", Trouble.VERSION),
    ("version too low", Trouble.VERSION),
    ("version too high", Trouble.VERSION),
    ("inappropriate fallback", Trouble.VERSION),
    ("no protocols available", Trouble.VERSION),
    ("no shared cipher", Trouble.CIPHER),
    ("no ciphers", Trouble.CIPHER),
    ("no suitable", Trouble.CIPHER),
    ("no shared signature", Trouble.CIPHER),
    ("no shared group", Trouble.CIPHER),
    ("unsupported elliptic curve", Trouble.CIPHER),
    ("alert insufficient security", Trouble.CIPHER),
    ("http request", Trouble.CLEAR),
    ("https proxy request", Trouble.CLEAR),
    ("wrong version number", Trouble.CLEAR),
    ("unknown protocol", Trouble.CLEAR),
    # What a check of the program's own, such as a pin, makes of OpenSSL.
    ("alert internal error", Trouble.GIVEN_UP),
    ("alert access denied", Trouble.GIVEN_UP),
    ("alert handshake failure", Trouble.GIVEN_UP),
    ("alert user cancel", Trouble.GIVEN_UP),
    ("unexpected eof", Trouble.GONE),
    ("close notify", Trouble.GONE),
    ("shutdown while in init", Trouble.GONE),
)


def trouble(words: str) -> Trouble:
    """
    What is behind the reason of a failed handshake.

    @param words: as OpenSSL spells it.
    """
    plain = words.lower().replace("_", " ")
    return next((meaning for part, meaning in WORDS if part in plain), Trouble.OTHER)


def came_before(words: str) -> bool:
    """
    Whether a handshake failed before our certificate was sent: our own end found nothing in
    common, or no TLS at all.
    """
    early = {Trouble.VERSION, Trouble.CIPHER, Trouble.CLEAR}
    return trouble(words) in early and "alert" not in words.lower()
