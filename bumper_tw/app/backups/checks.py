"""What has to be right in an archive besides its bytes."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from bumper_tw.app.backups.manifest import BASE, CERTS, Manifest, Refused
from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.certificates import belong, may_sign
from bumper_tw.pki.directory import CA, CA_KEY, CURVE_KEY, CURVE_LEAF, LEAF, LEAF_KEY, RSA_KEY
from bumper_tw.pki.vault import CONFIG_KEY, FILES, SECRET_BYTES, TOKEN_KEY

#: Which key belongs to which certificate.
PAIRS = ((CA, CA_KEY), (LEAF, LEAF_KEY), (CURVE_LEAF, CURVE_KEY))

#: Keys without a certificate.
ALONE = (RSA_KEY, CONFIG_KEY)


def must_be_whole(manifest: Manifest) -> None:
    """
    An archive has a database and an authority.

    @raise Refused: one is missing, or a file of the certificates is too large to be one.
    """
    for name in (BASE, f"{CERTS}/{CA}"):
        if manifest.find(name) is None:
            raise Refused(f"it has no {name}")
    for name in FILES:
        member = manifest.find(f"{CERTS}/{name}")
        if member is not None and member.size > files.MAX_BYTES:
            raise Refused(f"{member.name} in it is too large to be a certificate or a key")


def must_fit(held: Mapping[str, bytes]) -> None:
    """
    Certificates and keys can be read, and belong together.

    @param held: their files, by their names in the archive.
    @raise Refused: they do not.
    """
    try:
        for certificate, key in PAIRS:
            _must_fit(held, f"{CERTS}/{certificate}", f"{CERTS}/{key}")
        for key in ALONE:
            name = f"{CERTS}/{key}"
            if name in held:
                found = pem.key(Path(name), held[name])
                if key == CONFIG_KEY and not isinstance(found, rsa.RSAPrivateKey):
                    raise Refused(f"{name} in it is a key of the wrong kind")
    except StartError as wrong:
        raise Refused(f"of its certificates, {wrong}") from wrong
    if len(held.get(f"{CERTS}/{TOKEN_KEY}", bytes(SECRET_BYTES))) < SECRET_BYTES:
        raise Refused(f"{CERTS}/{TOKEN_KEY} in it is too short")


def _must_fit(held: Mapping[str, bytes], certificate: str, key: str) -> None:
    chain = pem.certificates(Path(certificate), held[certificate]) if certificate in held else ()
    found = pem.key(Path(key), held[key]) if key in held else None
    if chain and found and not belong(chain[0], found):
        raise Refused(f"{certificate} and {key} in it do not belong together")
    if chain and certificate.endswith(f"/{CA}") and not may_sign(chain[0]):
        raise Refused(f"{certificate} in it is not the certificate of an authority")
