"""Tokens for the owner's scripts: what each may do, and until when."""

from collections.abc import Callable, Iterable
from enum import Enum

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.owner_sessions import COARSE, TOKEN_BYTES, digest_of
from bumper_tw.core.shelf import Shelf
from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from bumper_tw.interfaces import IRecordStore

SHELF = "api tokens"

#: How each of them begins, so that one that has got somewhere is known for what it is.
PREFIX = "bmp_"

#: As many there may be.
MOST = 100

#: As long may the name of one be.
LONGEST_NAME = 60

#: As many days may one be good for; also 0, for ever.
MOST_DAYS = 3650

DAY = 86_400.0


class Scope(Enum):
    """What a token is for."""

    #: See robots.
    READ = "read"
    #: Command them, too.
    CONTROL = "control"
    #: See and change everything.
    HOUSE = "house"


#: What else may be done by whom something may be done by.
IMPLIED: dict[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.CONTROL: frozenset({Scope.READ, Scope.CONTROL}),
    Scope.HOUSE: frozenset(Scope),
}


@frozen
class ApiToken:
    """
    One token.

    @ivar id: the digest of its text; opens nothing.
    @ivar scopes: values of L{Scope}, as they were chosen.
    @ivar created: seconds since the epoch.
    @ivar used: the same, to some ten minutes; 0 if it never was.
    @ivar expires: the same; 0 for never.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created: float
    used: float = 0.0
    expires: float = 0.0

    def allows(self, scope: Scope) -> bool:
        """Whether it may be used for that."""
        return any(scope in IMPLIED[each] for each in Scope if each.value in self.scopes)


@frozen
class Made:
    """A token that is new, and its text, which is told once."""

    text: str
    token: ApiToken


class ApiTokens:
    """All of them, in memory and on disk."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, store: IRecordStore, random_text: Callable[[int], str]
    ) -> None:
        """
        @param random_text: so many random bytes, in the Base64 of URLs.
        """
        self._clock, self._random_text = clock, random_text
        self._shelf = Shelf(store, SHELF, ApiToken, 2 * MOST)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return self._shelf.load(store)

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        return self._shelf.flush()

    def listed(self) -> list[ApiToken]:
        """All of them, those that are good no more included, the oldest first."""
        return list(self._shelf)

    def make(self, name: str, scopes: Iterable[str], days: int = 0) -> Deferred[Made]:
        """
        One more.

        @param name: what it is for, in the owner's words.
        @param days: for which it is good; 0 for ever.
        @return: fires when it is on disk.  Fails with L{BadRequest} when it cannot be like that,
            and with L{StorageError}; then there is none.
        """
        return Deferred.fromCoroutine(self._make(name, scopes, days))

    async def _make(self, name: str, scopes: Iterable[str], days: int) -> Made:
        called, chosen = name_of(name), scopes_of(scopes)
        if not 0 <= days <= MOST_DAYS:
            raise BadRequest(f"days is not between 0 and {MOST_DAYS}")
        if len(self._shelf) >= MOST:
            raise BadRequest(f"there are {MOST} tokens already; remove one first")
        text, now = PREFIX + self._random_text(TOKEN_BYTES), self._clock.seconds()
        expires = now + days * DAY if days else 0.0
        token = ApiToken(digest_of(text), called, chosen, now, expires=expires)
        await self._kept(token)
        self._log.info("a token is made: {name}, for {scopes}", name=called, scopes=chosen)
        return Made(text, token)

    async def _kept(self, token: ApiToken) -> None:
        try:
            await self._shelf.put(token.id, token)
        except StorageError:
            self._shelf.drop(token.id).addErrback(_refused)
            raise

    def find(self, text: str) -> ApiToken:
        """
        The token of that text.

        @raise LoginRefused: there is none, or it is good no more.
        """
        token = self._shelf.get(digest_of(text))
        if token is None:
            raise LoginRefused("there is no such token, or no more")
        if token.expires and self._clock.seconds() >= token.expires:
            raise LoginRefused("this token has expired")
        return self._used(token)

    def _used(self, token: ApiToken) -> ApiToken:
        now = self._clock.seconds()
        if abs(now - token.used) < COARSE:
            return token
        token = evolve(token, used=now)
        self._shelf.put(token.id, token).addErrback(_refused)
        return token

    def remove(self, token_id: str) -> Deferred[None]:
        """Remove one, at once; fires when that is on disk.  An unknown one is fine."""
        token = self._shelf.get(token_id)
        if token is not None:
            self._log.info("a token is removed: {name}", name=token.name)
        return self._shelf.drop(token_id)


def name_of(text: str) -> str:
    """
    A name as it is kept: one line, without what steers a terminal.

    @raise BadRequest: nothing is left, or it is too long.
    """
    name = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadRequest(f"a token needs a name of 1 to {LONGEST_NAME} letters")
    return name


def scopes_of(words: Iterable[str]) -> tuple[str, ...]:
    """
    Scopes as they are kept: each once, in their order.

    @raise BadRequest: there is none, or an unknown one.
    """
    wanted = set(words)
    if not wanted or not wanted <= {scope.value for scope in Scope}:
        raise BadRequest("scopes is not made of read, control and house")
    return tuple(scope.value for scope in Scope if scope.value in wanted)


def _refused(failure: Failure) -> None:
    """The shelf tries again."""
    failure.trap(StorageError)
