"""
The passwords of newer robots: JWTs that the vendor's cloud made (mqtt.md 3.1, 3.3).

Nobody but the vendor can check their signature, so what they say proves nothing; it can
only give away that a token was made for another robot.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Longer ones were never seen; they are taken for an opaque secret.
LONGEST = 8192

#: Header, claims and signature (RFC 7515, 3.1).
THREE_PARTS = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

#: Claims that can mean nothing but a robot.
ROBOT_CLAIMS = ("did", "deviceId", "device_id")

#: Claims that name a party of any kind: a robot only if they look like one.
PARTY_CLAIMS = ("sub", "u", "c", "uid", "client_id", "clientId")

#: What a device id normally looks like (mqtt.md 2.1).
LIKE_A_DID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read(secret: bytes) -> Mapping[str, Any] | None:
    """
    The claims of a JWT, unchecked; C{None} for what is no JWT.

    One whose claims cannot be read has none: it changes like any other, so it must not be
    taken for a secret that stays.
    """
    parts = THREE_PARTS.fullmatch(secret) if len(secret) <= LONGEST else None
    if parts is None or _table(parts[1]) is None:
        return None
    return _table(parts[2]) or {}


def _table(part: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=="))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def names_another(claims: Mapping[str, Any], did: str) -> bool:
    """Whether claims speak of another robot than C{did}."""
    return any(name != did for name in _robots(claims))


def _robots(claims: Mapping[str, Any]) -> Iterator[str]:
    """The device ids in claims, whether alone or in front of class and resource."""
    for claim in (*ROBOT_CLAIMS, *PARTY_CLAIMS):
        value = claims.get(claim)
        name = value.partition("@")[0] if isinstance(value, str) else ""
        if name and (claim in ROBOT_CLAIMS or LIKE_A_DID.fullmatch(name)):
            yield name
