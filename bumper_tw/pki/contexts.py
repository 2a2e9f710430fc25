"""Which certificate a client gets to see: one for the name it asks for, or the one for all."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from attrs import frozen
from OpenSSL import SSL
from twisted.logger import Logger

from bumper_tw.errors import StartError
from bumper_tw.pki.authority import marked
from bumper_tw.pki.certificates import renewal
from bumper_tw.pki.directory import Credentials
from bumper_tw.pki.leaves import single_name
from bumper_tw.pki.openssl import LEGACY, MODERN, Keys, Strictness, make_context

#: What the journal calls the certificate for all who ask for nothing that has its own: one that
#: we have made, or one of the owner's.
FALLBACK, OWNERS = "fallback", "the owner's"

#: How many contexts for single names are kept, unless somebody says; each takes some 35 kB.
KEPT = 64

#: How long a certificate is shown at least that cannot be had any fresher.
AGAIN = timedelta(hours=1)


@frozen
class Choice:
    """
    What one client gets to see.

    @ivar shown: What the journal calls it: the name, L{FALLBACK} or L{OWNERS}.
    """

    context: SSL.Context
    shown: str


class Singles(Protocol):
    """Whoever has certificates for single names: L{Vault<bumper_tw.pki.vault.Vault>}."""

    def era(self) -> object:
        """An object that stays the same while what L{single} has given is still to be used."""

    def single(self, asked: str, may_make: Callable[[], bool]) -> Credentials | None:
        """
        A certificate for one name, if there is to be one.

        @param may_make: is asked before the first one for a name is made.
        """

    def used(self, name: str) -> None:
        """What was given for that name is in use."""


@frozen
class _Kept:
    """A context for a single name, from some era, and until when it is shown."""

    choice: Choice
    era: object
    until: datetime


class SingleContexts:
    """
    The contexts of single names, the least recently used of which goes first.

    @param singles: Whoever has the certificates.
    @param may_make: Whether somebody at that address may have one more made.
    @param now: The time, aware of its zone.
    @param most: As many are kept.
    """

    _log = Logger()

    def __init__(
        self,
        singles: Singles,
        may_make: Callable[[str], bool],
        now: Callable[[], datetime],
        most: int = KEPT,
    ) -> None:
        self._singles, self._may_make, self._now, self._most = singles, may_make, now, most
        self._kept: dict[tuple[str, Strictness], _Kept] = {}
        self._keys = Keys()

    def __len__(self) -> int:
        return len(self._kept)

    def choose(self, asked: str, host: str, strictness: Strictness) -> Choice | None:
        """The context for a name, if it is to have one of its own."""
        name = single_name(asked)
        if not name:
            return None
        kept = self._kept.pop((name, strictness), None)
        if kept is None or kept.era is not self._singles.era() or self._now() >= kept.until:
            kept = self._new(name, host, strictness)
        else:
            self._singles.used(name)
        if kept is None:
            return None
        self._keep((name, strictness), kept)
        return kept.choice

    def _keep(self, key: tuple[str, Strictness], kept: _Kept) -> None:
        self._kept[key] = kept
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def _new(self, name: str, host: str, strictness: Strictness) -> _Kept | None:
        found = self._singles.single(name, lambda: self._may_make(host))
        if found is None:
            return None
        try:
            context = make_context(found, strictness, self._keys.of)
        except StartError as why:
            self._log.error("no certificate for {name}: {why}", name=name, why=why)
            return None
        until = max(min(map(renewal, found.certificates)), self._now() + AGAIN)
        return _Kept(Choice(context, name), self._singles.era(), until)


class ContextChooser:
    """
    Chooses what the clients of one listener are shown, for those who have read their hello.

    @param source: What to show and prove: the same object until that changes.
    @param legacy: Let TLS 1.0 and 1.1 in, for robots that know nothing newer.
    @param singles: Certificates for single names, if there are any.
    @raise StartError: OpenSSL refuses the certificate or the key.
    """

    _log = Logger()

    def __init__(
        self,
        source: Callable[[], Credentials],
        legacy: bool = False,
        singles: SingleContexts | None = None,
    ) -> None:
        self._source, self._singles = source, singles
        self._strictness = LEGACY if legacy else MODERN
        self.reload()

    def choose(self, server_name: str, host: str) -> Choice:
        """
        What to show to a client; there is always something.

        @param server_name: What it asks for, however odd; empty if it does not say.
        @param host: Its address: nobody has more than a share of the certificates that are made.
        """
        found = None
        if self._singles is not None:
            found = self._singles.choose(server_name, host, self._strictness)
        return found or self._fallback()

    def reload(self) -> None:
        """
        Take up the current credentials for connections to come; those that are open go on.

        @raise StartError: OpenSSL refuses them; the old ones stay in use.
        """
        self._take(self._source())

    def _fallback(self) -> Choice:
        found = self._source()
        if found is not self._seen:
            try:
                self._take(found)
            except StartError as why:
                self._log.error("the old certificate stays in use: {why}", why=why)
        return self._shown

    def _take(self, found: Credentials) -> None:
        # Those that are refused are not tried again with each connection.
        self._seen = found
        shown = FALLBACK if marked(found.leaf) else OWNERS
        self._shown = Choice(make_context(found, self._strictness), shown)


class ServerContexts:
    """
    The two kinds of listener there are, sharing their credentials.

    @param source: What to show and prove, such as L{Vault.credentials
        <bumper_tw.pki.vault.Vault.credentials>}.
    @param singles: Certificates for single names, if there are any.
    """

    def __init__(
        self, source: Callable[[], Credentials], singles: SingleContexts | None = None
    ) -> None:
        self._modern = ContextChooser(source, singles=singles)
        self._legacy = ContextChooser(source, legacy=True, singles=singles)

    def chooser(self, legacy: bool = False) -> ContextChooser:
        """The chooser for a listener, by whether it lets TLS 1.0 and 1.1 in."""
        return self._legacy if legacy else self._modern

    def reload(self) -> None:
        """L{ContextChooser.reload} for all listeners; single names follow by themselves."""
        self._modern.reload()
        self._legacy.reload()
