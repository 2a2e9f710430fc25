"""Certificates and keys as named files of one folder."""

from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.certificates import PrivateKey


@frozen
class Folder:
    """
    A folder of certificates and keys.

    Every method raises L{StartError} with the name of the file that is garbled, or that cannot be
    read or written.
    """

    path: Path

    def certificates(self, name: str) -> tuple[x509.Certificate, ...] | None:
        """The certificates in a file; C{None} if there is no such file."""
        return pem.read(self.path / name)

    def key(self, name: str) -> PrivateKey | None:
        """The key in a file; C{None} if there is no such file."""
        path = self.path / name
        held = files.read(path)
        return None if held is None else pem.key(path, held)

    def curve_key(self, name: str) -> ec.EllipticCurvePrivateKey | None:
        """The key in a file, which has to be one of elliptic curves."""
        key = self.key(name)
        if key is not None and not isinstance(key, ec.EllipticCurvePrivateKey):
            raise StartError(f"{self.path / name} must hold a key of elliptic curves.")
        return key

    def put(self, name: str, certificate: x509.Certificate) -> None:
        """Write a certificate, for everybody to read."""
        files.write(self.path / name, pem.text(certificate), files.PUBLIC)

    def put_key(self, name: str, key: PrivateKey) -> None:
        """Write a key, for its owner alone."""
        files.write(self.path / name, pem.key_text(key), files.PRIVATE)

    def new_key(self, name: str, make: Callable[[], PrivateKey]) -> PrivateKey:
        """Make a key and write it."""
        key = make()
        self.put_key(name, key)
        return key
