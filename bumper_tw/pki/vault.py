"""
The certs directory: what is there is used as it is, what is missing is made, and the leaf
that we made ourselves is made anew in time.

    - C{ca.crt}, C{ca.key}: the authority that phones and robots are told to trust
    - C{bumper.crt}, C{bumper.key}: the server certificate, with its chain if it has one
    - C{config.key}: what apps encrypt passwords with
    - C{token.key}: what our tokens are signed with

A renewal keeps the server's key: then it is one rename, and no power cut can leave a
certificate beside a key that does not fit.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.logger import Logger

from bumper_tw.errors import StartError
from bumper_tw.pki import bundle, files, pem
from bumper_tw.pki.authority import cover, new_key
from bumper_tw.pki.certificates import Address, not_after, not_before
from bumper_tw.pki.config_key import ConfigKey
from bumper_tw.pki.directory import Contents, Credentials, Look

SECRET_BYTES = 32

#: Every file that may be in the directory.
FILES = ("ca.crt", "ca.key", "bumper.crt", "bumper.key", "config.key", "token.key")


class Vault:
    """
    The certificates and keys of this box.

    Every method may block: on the disk always, and on making an RSA key for up to some
    seconds when something is missing.

    @param directory: Made if it is not there, and then closed to other users.
    @param names: What the box is called in its network, apart from C{localhost}.
    @param addresses: Where it can be reached, apart from loopback.
    @param now: The time, aware of its zone.
    """

    _log = Logger()

    def __init__(
        self,
        directory: Path,
        names: Sequence[str],
        addresses: Sequence[Address],
        now: Callable[[], datetime],
    ) -> None:
        self._directory, self._now = directory, now
        self._cover = cover(names, addresses)
        self._contents: Contents | None = None
        self._config_key: ConfigKey | None = None
        self._secret: bytes | None = None

    def ensure(self) -> None:
        """
        Load what is there and make what is missing, at start-up.

        @raise StartError: A file is garbled, expired, not yet valid, unreadable or does not
            fit its companion; or something is missing and cannot be made.
        """
        self._load()

    def speak_for(self, names: Sequence[str], addresses: Sequence[Address]) -> None:
        """The box has moved: the next L{renew_if_due} sees to it that the leaf says so."""
        self._cover = cover(names, addresses)

    def renew_if_due(self, now: datetime) -> bool:
        """
        Look at the directory again, and make a new leaf if two thirds of the old one's life
        are over, or if it lacks a name or address of the box.  A leaf that we did not make is
        never touched, but a new one that its owner has put there is taken up.

        @return: Whether L{credentials} are others than before: then new connections need them.
        @raise StartError: As L{ensure}; the old credentials stay in use.
        """
        before = self.credentials()
        self._contents = self._look(now)
        # A key has no equality of its own, but it fits its certificate, so that one tells.
        renewed = self._contents.credentials.chain != before.chain
        if renewed:
            self._say(self._contents)
        return renewed

    def credentials(self) -> Credentials:
        """What listeners are to use now; see L{ensure} for errors."""
        return self._loaded().credentials

    def renewable(self) -> bool:
        """Will the server certificate be renewed by itself?  See L{ensure} for errors."""
        contents = self._loaded()
        return contents.own and contents.ca_key is not None

    def expires(self) -> datetime:
        """When the server certificate ceases to hold, in UTC; see L{ensure} for errors."""
        return not_after(self._loaded().credentials.leaf)

    def ca_pem(self) -> bytes:
        """The authority's certificate, for whoever is to trust us; see L{ensure} for errors."""
        return pem.text(self._loaded().ca)

    def ca_bundle(self) -> bytes:
        """The archive robots fetch, with our authority alone; see L{ensure} for errors."""
        return bundle.archive(self.ca_pem(), int(not_before(self._loaded().ca).timestamp()))

    def config_key(self) -> ConfigKey:
        """
        The key that apps encrypt with, made at first use.

        @raise StartError: Its file is garbled, or cannot be read or written.
        """
        if self._config_key is None:
            self._config_key = ConfigKey(self._open_config_key(self._directory / "config.key"))
        return self._config_key

    def signing_secret(self) -> bytes:
        """
        What our tokens are signed with, 32 bytes, made at first use.

        @raise StartError: Its file is garbled, or cannot be read or written.
        """
        if self._secret is None:
            self._secret = self._open_secret(self._directory / "token.key")
        return self._secret

    def _loaded(self) -> Contents:
        return self._contents or self._load()

    def _load(self) -> Contents:
        contents = self._contents = self._look(self._now())
        self._say(contents)
        return contents

    def _look(self, now: datetime) -> Contents:
        return Look(self._directory, now, self._cover).contents()

    def _say(self, contents: Contents) -> None:
        where, end = self._directory, not_after(contents.credentials.leaf)
        if not contents.own:
            self._log.warn(
                "{where}/bumper.crt is not ours: renew it before {end}", where=where, end=end
            )
        elif contents.ca_key is None:
            self._log.warn(
                "{where}/ca.key is missing: no renewal before {end}", where=where, end=end
            )
        else:
            self._log.info("server certificate in {where} holds until {end}", where=where, end=end)

    def _open_config_key(self, path: Path) -> rsa.RSAPrivateKey:
        held = files.read(path)
        if held is None:
            made = new_key()
            files.write(path, pem.key_text(made), files.PRIVATE)
            return made
        found = pem.key(path, held)
        if not isinstance(found, rsa.RSAPrivateKey):
            raise StartError(f"{path} must hold an RSA key, because apps encrypt with it.")
        return found

    def _open_secret(self, path: Path) -> bytes:
        held = files.read(path)
        if held is None:
            held = secrets.token_bytes(SECRET_BYTES)
            files.write(path, held, files.PRIVATE)
        if len(held) != SECRET_BYTES:
            raise StartError(
                f"{path} must hold {SECRET_BYTES} bytes; remove it to have it made anew."
            )
        return held
