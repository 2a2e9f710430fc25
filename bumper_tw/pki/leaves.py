"""
Certificates for single names: small, made when a name is first asked for, kept as files.

A file holds the same certificate for each kind of key.  The keys are shared by all of them, so
that a new name costs signatures and nothing else.
"""

from datetime import datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509
from twisted.logger import Logger

from bumper_tw.errors import StartError
from bumper_tw.pki import files, pem
from bumper_tw.pki.authority import HOST_NAME, Authority, due, leaf, made_here
from bumper_tw.pki.certificates import Cover, PrivateKey, belong, covered, not_after
from bumper_tw.pki.directory import Credentials, Pair

FOLDER = "leaves"
SUFFIX = ".crt"

#: As long as the name of a file may be, with what stands around it while it is written; the few
#: longer host names that there could be do without a certificate of their own.
LONGEST = 255 - len(f"..new{SUFFIX}")


def single_name(asked: str) -> str:
    """
    A name as it can be the only one of a certificate, or C{""}.

    @param asked: whatever a client has sent; what comes back is also good for a file.
    """
    name = asked.rstrip(".").lower() if len(asked) <= LONGEST + 1 else ""
    return name if HOST_NAME.fullmatch(name) and len(name) <= LONGEST else ""


@frozen
class Mint:
    """
    Whoever can make certificates for single names.

    @ivar keys: one of each kind.
    """

    authority: Authority
    keys: tuple[PrivateKey, ...]

    def make(self, name: str, now: datetime) -> Credentials:
        """The certificate for a name that L{single_name} has let through."""
        what = Cover(frozenset([name]), frozenset())
        return self._credentials(
            [Pair(leaf(self.authority, key, what, now, name), key) for key in self.keys]
        )

    def recognise(
        self, name: str, held: tuple[x509.Certificate, ...], now: datetime
    ) -> Credentials | None:
        """The certificates in a file, if they are still as good as new ones would be."""
        if len(held) != len(self.keys):
            return None
        pairs = [Pair(*pair) for pair in zip(held, self.keys, strict=True)]
        good = all(self._is_good(pair, name, now) for pair in pairs)
        return self._credentials(pairs) if good else None

    def _is_good(self, pair: Pair, name: str, now: datetime) -> bool:
        found, ca = pair.certificate, self.authority.certificate
        return (
            covered(found).names == {name}
            and belong(found, pair.key)
            and made_here(found, ca)
            and not due(found, ca, now)
        )

    def _credentials(self, pairs: list[Pair]) -> Credentials:
        chain = (pairs[0].certificate, self.authority.certificate)
        return Credentials(chain, pairs[0].key, tuple(pairs[1:]))


class Leaves:
    """
    The files; there are no more than so many, and the least recently used one goes first.

    Nothing here fails: what cannot be written is used all the same.

    @param most: how many names there are at the most.
    """

    _log = Logger()

    def __init__(self, directory: Path, most: int) -> None:
        self._directory, self._most = directory / FOLDER, most
        self._names: dict[str, None] | None = None
        self._complained = False
        self._ends: dict[str, datetime] = {}

    def known(self, name: str) -> bool:
        """Were certificates made for that name before?"""
        return name in self._listed()

    def find(self, name: str, mint: Mint, now: datetime) -> Credentials | None:
        """The certificates of a name that were made before, if they are still good."""
        held = self._read(name) if self.known(name) else None
        found = held and mint.recognise(name, held, now)
        if found:
            self._note(name, found)
            self.used(name)
            self._touch(name)
        return found or None

    def make(self, name: str, mint: Mint, now: datetime) -> Credentials:
        """New certificates for a name, which are kept if that is possible."""
        made = mint.make(name, now)
        text = b"".join(map(pem.text, made.certificates))
        try:
            # One that a power cut takes away is made again.
            files.write(self._path(name), text, files.PUBLIC, lasting=False)
        except StartError as why:
            self._complain(why)
        else:
            self._complained = False
            self._note(name, made)
            self._listed()[name] = None
            self.used(name)
            self._shorten()
        return made

    def used(self, name: str) -> None:
        """The certificate for that name is in use, so that others go first."""
        names = self._listed()
        if name in names:
            names[name] = names.pop(name)

    def ends(self) -> datetime | None:
        """When the first of those that were used since the start ceases to hold, in UTC."""
        return min(self._ends.values(), default=None)

    def _note(self, name: str, found: Credentials) -> None:
        self._ends[name] = min(map(not_after, found.certificates))

    def paths(self) -> list[Path]:
        """The folder and all files in it, if there are any."""
        if not self._directory.is_dir():
            return []
        return [self._directory, *(self._path(name) for name in self._listed())]

    def _listed(self) -> dict[str, None]:
        """The names, the least recently used first."""
        if self._names is None:
            self._names = dict.fromkeys(names_in(self._directory))
            self._shorten()
        return self._names

    def _shorten(self) -> None:
        names = self._names or {}
        while len(names) > self._most:
            oldest = next(iter(names))
            del names[oldest]
            self._ends.pop(oldest, None)
            self._remove(oldest)

    def _remove(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as why:
            self._complain(why)

    def _read(self, name: str) -> tuple[x509.Certificate, ...] | None:
        try:
            return pem.read(self._path(name))
        except StartError as why:
            self._log.info("made anew: {why}", why=why)
            return None

    def _touch(self, name: str) -> None:
        """The time of a file tells the next start when it was used."""
        try:
            self._path(name).touch()
        except OSError as why:
            self._complain(why)

    def _complain(self, why: Exception) -> None:
        if not self._complained:
            self._log.warn("certificates of single names are not kept: {why}", why=why)
        self._complained = True

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{SUFFIX}"


def names_in(directory: Path) -> list[str]:
    """The names that have a file in the folder of leaves, the least recently used first."""
    try:
        found = {
            path.name.removesuffix(SUFFIX): _time(path) for path in directory.glob(f"*{SUFFIX}")
        }
    except OSError:
        return []
    return sorted((name for name in found if single_name(name) == name), key=lambda n: found[n])


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
