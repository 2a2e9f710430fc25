"""The authority of an older Bumper, which phones and robots trust already."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509

from bumper_tw.app.taking_over import is_there
from bumper_tw.errors import BadRequest, StartError
from bumper_tw.pki import pem
from bumper_tw.pki.certificates import not_after
from bumper_tw.pki.directory import LEAF, LEAF_KEY
from bumper_tw.pki.handout import fingerprint
from bumper_tw.pki.importing import (
    CERTIFICATES,
    Found,
    authority_from,
    weaknesses,
)

#: What its folder may have, if it has any of what matters.
NAMES = (*CERTIFICATES, LEAF)


@frozen
class Theirs:
    """
    What is there.

    @ivar found: C{None} if it cannot be taken over.
    @ivar is_ours: whether it is our authority already.
    @ivar why: why it cannot be taken over, and what can be done.
    """

    found: Found | None = None
    is_ours: bool = False
    why: str = ""


def look(folders: Sequence[Path], directory: Path, now: datetime) -> Theirs:
    """
    Find the authority, and see whether it can be taken over; nothing is changed.

    @param folders: where it may be.
    @param directory: of our own certificates.
    """
    likely = [folder for folder in folders if _has_any(folder)]
    if not likely:
        looked = ", ".join(map(str, folders))
        return Theirs(
            why=f"there are no certificates in {looked}; say where they are: --certs-from FOLDER"
        )
    try:
        found = authority_from(likely[0], now)
    except (BadRequest, StartError) as wrong:
        return Theirs(why=f"{str(wrong).rstrip('.')}. {_advice(likely[0], directory, now)}")
    return Theirs(found, is_there(directory, found.authority.certificate))


def _has_any(folder: Path) -> bool:
    try:
        return any((folder / name).is_file() for name in NAMES)
    except OSError:
        return False


def _advice(folder: Path, directory: Path, now: datetime) -> str:
    """What to do about an authority that cannot sign for us."""
    said = (
        "Without certificate and key of the authority nothing can be signed that phones and "
        "robots trust already. If the key is elsewhere (for one of mkcert in the folder that "
        f'"mkcert -CAROOT" tells), copy it to {folder} as ca.key and import again. '
        "Else import with --without-ca: then phones have to be told to trust our authority, and "
        "so have robots that check who they talk to."
    )
    until = _leaf_until(folder)
    if until is None or until <= now:
        return said
    names = f"ca.crt, {LEAF} and {LEAF_KEY}"
    return (
        f"{said} Or, until {until:%Y-%m-%d}, before the first start here: copy {names} from there "
        f"to {directory}, and everybody is shown the same certificate as before."
    )


def _leaf_until(folder: Path) -> datetime | None:
    """When its server certificate ends, if it has one with a key."""
    try:
        chain = pem.read(folder / LEAF)
        there = chain is not None and (folder / LEAF_KEY).is_file()
    except (StartError, OSError):
        return None
    return not_after(chain[0]) if chain and there else None


def described(certificate: x509.Certificate) -> Sequence[str]:
    """An authority, for people: what it is called, how to compare it, what is weak about it."""
    return [
        certificate.subject.rfc4514_string(),
        f"SHA-256 {fingerprint(certificate)}",
        f"holds until {not_after(certificate):%Y-%m-%d}",
        *(f"but {weakness}" for weakness in weaknesses(certificate)),
    ]
