"""An authority from elsewhere takes the place of ours."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from bumper_tw.app.owning import hand_over, make_folder
from bumper_tw.errors import BadRequest
from bumper_tw.pki.authority import marked
from bumper_tw.pki.directory import CA_KEY
from bumper_tw.pki.importing import Found, take_over
from bumper_tw.pki.inventory import FALLBACK, authority_in, common_in


def is_there(directory: Path, certificate: x509.Certificate) -> bool:
    """Whether that is our authority."""
    try:
        return authority_in(directory) == certificate and (directory / CA_KEY).exists()
    except BadRequest:
        return False


def take(found: Found, directory: Path, now: datetime) -> list[str]:
    """
    Put it in the place of ours, which is kept beside it.

    @return: what there is to say.
    @raise StartError: a file cannot be written; all is as it was.
    """
    make_folder(directory.absolute())
    written = take_over(found.authority, directory, now)
    hand_over(directory, written)
    return [*(f"kept: {path}" for path in written[:-2]), *_owners_own(directory)]


def _owners_own(directory: Path) -> Iterator[str]:
    """What another authority does not change."""
    for entry in common_in(directory):
        if entry.title == FALLBACK and not marked(entry.certificate):
            yield f"{directory}/bumper.crt is your own, and stays what everybody else is shown"
