"""
Taking over an authority that phones and robots trust already, such as that of another Bumper.

Others keep it in C{ca.crt} and C{ca.key}; their C{ca.pem} may hold the key of the server rather
than that of the authority, so a key counts only if it fits.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bumper_tw.errors import BadRequest, StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import KEY_BITS, Authority
from bumper_tw.pki.certificates import (
    PrivateKey,
    belong,
    extension,
    may_sign,
    not_after,
    not_before,
)
from bumper_tw.pki.directory import CA, CA_KEY

#: Where others keep the certificate of an authority, and its key, the likeliest first.
CERTIFICATES = (
    "ca.crt",
    "ca.pem",
    "ca.cer",
    "ca-cert.pem",
    "cacert.pem",
    "rootCA.crt",
    "rootCA.pem",
)
KEYS = (
    "ca.key",
    "ca-key.pem",
    "ca.key.pem",
    "cakey.pem",
    "rootCA.key",
    "rootCA-key.pem",
    "ca.pem",
)


@frozen
class Found:
    """
    An authority in somebody's folder.

    @ivar path: the file of its certificate.
    """

    authority: Authority
    path: Path


def authority_from(folder: Path, now: datetime) -> Found:
    """
    The authority in a folder, complete with its key.

    @raise BadRequest: there is none, its key is missing, or it cannot be used.
    @raise StartError: a file cannot be read.
    """
    path, certificate = _certificate(folder)
    start, end = not_before(certificate), not_after(certificate)
    if not start <= now <= end:
        raise BadRequest(f"{path} holds from {start:%Y-%m-%d} to {end:%Y-%m-%d}, and not now")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise BadRequest(f"{path} may not sign certificates")
    for found in _keys(folder):
        if belong(certificate, found):
            return Found(Authority(certificate, found), path)
    raise BadRequest(f"there is no key in {folder} that belongs to {path.name}, such as ca.key")


def _certificate(folder: Path) -> tuple[Path, x509.Certificate]:
    for path, held in _held(folder, CERTIFICATES):
        if pem.BLOCK.search(held):
            for certificate in pem.certificates(path, held):
                if may_sign(certificate):
                    return path, certificate
    raise BadRequest(f"there is no certificate of an authority in {folder}, such as ca.crt")


def _keys(folder: Path) -> Iterator[PrivateKey]:
    for path, held in _held(folder, KEYS):
        if b"PRIVATE KEY-----" in held:
            yield pem.key(path, held)


def _held(folder: Path, names: tuple[str, ...]) -> Iterator[tuple[Path, bytes]]:
    for name in names:
        held = files.read(folder / name)
        if held is not None:
            yield folder / name, held


def weaknesses(certificate: x509.Certificate) -> Iterator[str]:
    """What strict clients will not like about an authority; nothing can be done about it."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < KEY_BITS:
        yield f"its key of {key.key_size} bits is too short for newer clients"
    if extension(certificate, x509.SubjectKeyIdentifier) is None:
        yield "it has no subject key identifier, which strict clients miss"
    if extension(certificate, x509.KeyUsage) is None:
        yield "it does not say what it is for, which strict clients miss"


def take_over(found: Authority, directory: Path, now: datetime) -> list[Path]:
    """
    Put an authority in the place of ours, which is kept beside it.

    A copy is made before anything is changed, and a failure undoes what was.

    @return: the files that were written.
    @raise StartError: they cannot be; all is as it was.
    """
    kept = [*_copied(directory / CA, now, files.PUBLIC), *_copied(directory / CA_KEY, now)]
    before = files.read(directory / CA_KEY)
    files.write(directory / CA_KEY, pem.key_text(found.key), files.PRIVATE)
    try:
        files.write(directory / CA, pem.text(found.certificate), files.PUBLIC)
    except StartError:
        _put_back(directory / CA_KEY, before)
        raise
    return [*kept, directory / CA_KEY, directory / CA]


def _copied(path: Path, now: datetime, mode: int = files.PRIVATE) -> Iterator[Path]:
    held = files.read(path)
    if held is not None:
        copy = path.with_name(f"{path.name}.{now:%Y%m%d-%H%M%S}")
        files.write(copy, held, mode)
        yield copy


def _put_back(path: Path, before: bytes | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        files.write(path, before, files.PRIVATE)
