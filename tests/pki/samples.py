"""What the tests of certificates share: a moment, keys that cost nothing, a stocked directory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bumper_tw.pki import authority, files, pem
from bumper_tw.pki.authority import Authority
from bumper_tw.pki.certificates import PrivateKey
from bumper_tw.pki.vault import Vault

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

NAMES = ("dusty", "dusty.lan")
ADDRESSES = (ip_address("192.168.7.2"), ip_address("fd00::2"))
COVER = authority.cover(NAMES, ADDRESSES)


@cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """The RSA key of that number, made once per run."""
    del number
    return authority.new_key()


def ec_key() -> ec.EllipticCurvePrivateKey:
    """A key that is made in no time."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(key: PrivateKey | None = None, now: datetime = NOW) -> Authority:
    """An authority of that moment."""
    key = key or ec_key()
    return Authority(authority.root(key, now), key)


def foreign_leaf(
    now: datetime, issuer: Authority, names: Sequence[str] = ("*.ecouser.net",)
) -> tuple[x509.Certificate, PrivateKey]:
    """A server certificate that an owner has made without us, and its key."""
    key = ec_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 800 * DAY)
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    return made, key


def put(directory: Path, name: str, held: bytes) -> None:
    """Place a file as an owner would, with whatever mode."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(held)


def put_keys(directory: Path) -> None:
    """Place quick keys, as after a start that was cut short, so that none has to be made."""
    for name in ("ca.key", "bumper.key"):
        files.write(directory / name, pem.key_text(ec_key()), files.PRIVATE)


class Box:
    """A vault in a directory, and the box's clock."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.time = NOW

    def vault(self, *more: str, leaves: int = 0, constrain: bool = False) -> Vault:
        """The vault as a start would make it; C{more} are further names of the box."""
        names = [*NAMES, *more]
        return Vault(self.directory, names, ADDRESSES, lambda: self.time, leaves, constrain)

    def held(self) -> dict[str, bytes]:
        """Every file there is, apart from those of single names."""
        files = filter(Path.is_file, self.directory.iterdir())
        return {path.name: path.read_bytes() for path in files}

    def singles(self) -> list[str]:
        """The files of single names."""
        return sorted(path.name for path in (self.directory / "leaves").glob("*"))
