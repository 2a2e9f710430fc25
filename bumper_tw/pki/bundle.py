"""The archive of authorities that newer robots keep (http-discovery.md 7)."""

import gzip
import hashlib
import io
import tarfile

FOLDER = "ca-certificates"


def archive(authorities: bytes, when: int) -> bytes:
    """
    A gzip-compressed tar of the authorities and their MD5, the same for the same input.

    @param authorities: PEM, one certificate after the other.
    @param when: The time that the members carry, in seconds since 1970.
    """
    sums = f"{hashlib.md5(authorities, usedforsecurity=False).hexdigest()}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "ca-certificates.crt", authorities, when)
        _add(tar, "MD5SUMS", sums, when)
    return gzip.compress(packed.getvalue(), mtime=when)


def _add(tar: tarfile.TarFile, name: str, held: bytes, when: int) -> None:
    member = tarfile.TarInfo(f"{FOLDER}/{name}")
    member.size, member.mtime, member.mode = len(held), when, 0o644
    tar.addfile(member, io.BytesIO(held))
