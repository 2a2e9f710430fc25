"""What the tests of certificates share: a moment, keys that cost nothing, a stocked directory."""

from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

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

    def vault(self, *more: str) -> Vault:
        """The vault as a start would make it; C{more} are further names of the box."""
        return Vault(self.directory, [*NAMES, *more], ADDRESSES, lambda: self.time)

    def held(self) -> dict[str, bytes]:
        """Every file there is."""
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}
