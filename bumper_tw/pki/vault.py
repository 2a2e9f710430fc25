"""
The certs directory: what is there is used as it is, what is missing is made, and the leaf
that we made ourselves is made anew in time.

    - C{ca.crt}, C{ca.key}: the authority that phones and robots are told to trust
    - C{bumper.crt}, C{bumper.key}: the server certificate, with its chain if it has one
    - C{bumper-ec.crt}, C{bumper-ec.key}: the same with a key of elliptic curves
    - C{bumper-rsa.key}: for single names, where C{bumper.key} belongs to the owner's certificate
    - C{leaves}: a folder of certificates for single names
    - C{config.key}: what apps encrypt passwords with
    - C{token.key}: what our tokens are signed with

A renewal keeps the server's key: then it is one rename, and no power cut can leave a
certificate beside a key that does not fit.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.logger import Logger

from bumper_tw.errors import StartError
from bumper_tw.pki import files, handout, pem
from bumper_tw.pki.authority import Authority, cover, new_key
from bumper_tw.pki.bounds import Bounds
from bumper_tw.pki.certificates import Address, covered, not_after, not_before, renewal
from bumper_tw.pki.config_key import ConfigKey
from bumper_tw.pki.directory import (
    CA,
    CA_KEY,
    CURVE_KEY,
    CURVE_LEAF,
    LEAF,
    LEAF_KEY,
    RSA_KEY,
    Contents,
    Credentials,
    Look,
)
from bumper_tw.pki.folder import Folder
from bumper_tw.pki.leaves import Leaves, Mint, single_name
from bumper_tw.pki.zones import in_zone

SECRET_BYTES = 32

#: What apps encrypt passwords with, and what our tokens are signed with.
CONFIG_KEY, TOKEN_KEY = "config.key", "token.key"

#: Every file that may be in the directory.
FILES = (
    CA,
    CA_KEY,
    LEAF,
    LEAF_KEY,
    CURVE_LEAF,
    CURVE_KEY,
    RSA_KEY,
    CONFIG_KEY,
    TOKEN_KEY,
)

#: How long a renewal that has failed is not tried again when somebody connects.
PATIENCE = timedelta(hours=1)


class Vault:
    """
    The certificates and keys of this box.

    Every method may block: on the disk always, and on making an RSA key for up to some
    seconds when something is missing.

    @param directory: Made if it is not there, and then closed to other users.
    @param names: What the box is called in its network, apart from C{localhost}.
    @param addresses: Where it can be reached, apart from loopback.
    @param now: The time, aware of its zone.
    @param leaves: How many single names may have a certificate of their own.
    @param constrain: Whether a new authority vouches for known names only.
    """

    _log = Logger()

    def __init__(
        self,
        directory: Path,
        names: Sequence[str],
        addresses: Sequence[Address],
        now: Callable[[], datetime],
        leaves: int = 0,
        constrain: bool = False,
    ) -> None:
        self._directory, self._now = directory, now
        self._singles, self._constrain = leaves > 0, constrain
        self._leaves = Leaves(directory, leaves)
        self._cover = cover(names, addresses)
        # When somebody who connects is reason enough to look after the certificates.
        self._attend_at: datetime | None = None
        self._own = False
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
        before, found = self._loaded(), self._look(now)
        renewed = found.marks() != before.marks()
        if renewed:
            self._take(found)
            self._say(found)
        return renewed

    def credentials(self) -> Credentials:
        """
        What listeners are to use now; see L{ensure} for errors.

        The same until it is renewed.  That happens here, too, when it is high time: the clock
        may jump by years, once it is set.
        """
        contents, now = self._loaded(), self._now()
        if self._attend_at is not None and now >= self._attend_at:
            self._attend(now)
            contents = self._loaded()
        return contents.credentials

    def era(self) -> object:
        """An object that stays the same while what L{single} has given is still to be used."""
        return self._contents

    def single(self, asked: str, may_make: Callable[[], bool]) -> Credentials | None:
        """
        A certificate for one name of the vendor's or of this box.

        @param asked: what a client wants to see.
        @param may_make: is asked before the first one for a name is made.
        @return: C{None} if what L{credentials} gives has to do.
        """
        name, contents = single_name(asked), self._loaded()
        signer, now = contents.authority, self._now()
        if signer is None or not self._deserves(name, contents) or not _holds(signer, now):
            return None
        mint = Mint(signer, contents.leaf_keys)
        found = self._leaves.find(name, mint, now)
        if found is None and (self._leaves.known(name) or may_make()):
            found = self._leaves.make(name, mint, now)
        return found

    def used(self, name: str) -> None:
        """What L{single} gave for that name is in use."""
        self._leaves.used(name)

    def files(self) -> Iterator[Path]:
        """The folder and all that may be in it, for whoever hands it over to somebody else."""
        yield self._directory
        for name in FILES:
            yield self._directory / name
        yield from self._leaves.paths()

    def _deserves(self, name: str, contents: Contents) -> bool:
        if not (in_zone(name) or name in self._cover.names):
            return False
        if not Bounds.of(contents.ca).allow_name(name):
            return False
        return self._own or not covered(contents.credentials.leaf).speaks_for(name)

    def _attend(self, now: datetime) -> None:
        self._attend_at = now + PATIENCE
        try:
            self.renew_if_due(now)
        except StartError as why:
            self._log.error("the server certificate is not renewed: {why}", why=why)

    def expires(self) -> datetime:
        """When a server certificate ceases to hold, in UTC; see L{ensure} for errors."""
        return min(map(not_after, self._loaded().credentials.certificates))

    def singles_expire(self) -> datetime | None:
        """The same of the first certificate for a single name that is in use, if there is one."""
        return self._leaves.ends()

    def ca_pem(self) -> bytes:
        """The authority's certificate, for whoever is to trust us; see L{ensure} for errors."""
        return pem.text(self._loaded().ca)

    def ca_bundle(self) -> bytes:
        """The archive robots fetch, with our authority alone; see L{ensure} for errors."""
        return handout.packed(self._loaded().ca)

    def config_key(self) -> ConfigKey:
        """
        The key that apps encrypt with, made at first use.

        @raise StartError: Its file is garbled, or cannot be read or written.
        """
        if self._config_key is None:
            self._config_key = ConfigKey(self._open_config_key(self._directory / CONFIG_KEY))
        return self._config_key

    def signing_secret(self) -> bytes:
        """
        What our tokens are signed with, 32 bytes, made at first use.

        @raise StartError: Its file is garbled, or cannot be read or written.
        """
        if self._secret is None:
            self._secret = self._open_secret(self._directory / TOKEN_KEY)
        return self._secret

    def _loaded(self) -> Contents:
        return self._contents or self._load()

    def _load(self) -> Contents:
        contents = self._look(self._now())
        self._take(contents)
        self._say(contents)
        return contents

    def _look(self, now: datetime) -> Contents:
        look = Look(Folder(self._directory), now, self._cover, self._singles, self._constrain)
        return look.contents()

    def _take(self, contents: Contents) -> None:
        self._contents = contents
        self._own = contents.own
        firsts = map(renewal, contents.credentials.certificates)
        self._attend_at = min(firsts) if self._own and contents.ca_key is not None else None

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

        left_out = self._cover.names - Bounds.of(contents.ca).within(self._cover).names
        if contents.own and left_out:
            self._log.warn(
                "{where}/ca.crt does not vouch for {names}", where=where, names=sorted(left_out)
            )

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


def _holds(signer: Authority, now: datetime) -> bool:
    """A clock that is far off would make certificates that are born expired."""
    return not_before(signer.certificate) <= now <= not_after(signer.certificate)
