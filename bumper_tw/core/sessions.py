"""The tokens that are good now: in memory, and on disk before anybody is told."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.tokens import digest
from bumper_tw.interfaces import IAccountStore
from bumper_tw.values import Token

#: What a token is for.
ACCESS, USER, API = "access", "user", "api"

#: A client that logs in again and again pushes out its own tokens first ...
PER_CLIENT = 10
#: ... before those of the household's other clients.
PER_USER = 50


def settled(writes: Sequence[Deferred[None]]) -> Deferred[None]:
    """
    Fires when all is on disk, or fails with what the first one failed with.

    A client that hangs up meanwhile cancels what it waits for, and not the writing.
    """
    result: Deferred[None] = Deferred()

    def done(outcomes: list[tuple[bool, Any]]) -> None:
        wrong = [failure for fine, failure in outcomes if not fine]
        result.errback(wrong[0]) if wrong else result.callback(None)

    DeferredList(writes, consumeErrors=True).addCallback(done)
    return result


class Sessions:
    """Gives tokens out, finds them again, and takes them back."""

    def __init__(
        self,
        clock: IReactorTime,
        store: IAccountStore,
        random_hex: Callable[[int], str],
        seconds: float,
    ) -> None:
        """
        @param seconds: how long a token is good.
        """
        self._clock, self._store, self._random_hex = clock, store, random_hex
        self.seconds = seconds
        self._tokens: dict[str, Token] = {}
        # By user, the oldest first.
        self._of_user: dict[str, dict[str, Token]] = {}
        # The newest of each client, by its digest.
        self._of_client: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def load(self, tokens: Iterable[Token]) -> None:
        """Remember the tokens of earlier runs."""
        for token in sorted(tokens, key=lambda token: token.expires_at):
            self._remember(token)

    def digests(self) -> frozenset[str]:
        """What is known now."""
        return frozenset(self._tokens)

    def issue(
        self, uid: str, purpose: str, client: str, text: str = ""
    ) -> tuple[str, Token, Deferred[None]]:
        """
        A new token.

        @param text: what it shall read; without it, 32 random hexadecimal digits.
        @return: its text, what is kept of it, and when that is on disk.
        """
        text = text or self._random_hex(16)
        token = Token(digest(text), uid, purpose, self._clock.seconds() + self.seconds, client)
        surplus = self._surplus(uid, client)
        self._remember(token)
        return text, token, self._save(token, surplus)

    def _save(self, token: Token, surplus: Sequence[str]) -> Deferred[None]:
        for key in surplus:
            self._forget(key)
        return settled([self._store.save_token(token, surplus)])

    def find(self, text: str) -> Token | None:
        """The token that reads C{text}, if it is still good."""
        return self.live(digest(text)) if text else None

    def live(self, key: str) -> Token | None:
        """The token of a digest, if it is still good."""
        token = self._tokens.get(key)
        return token if token is not None and token.expires_at > self._clock.seconds() else None

    def of_client(self, client: str) -> Token | None:
        """The newest token of a client, if it is still good."""
        return self.live(self._of_client.get(client, ""))

    def of_user(self, uid: str) -> list[Token]:
        """The good tokens of a user, the newest first."""
        now = self._clock.seconds()
        tokens = self._of_user.get(uid, {}).values()
        return [token for token in reversed(tokens) if token.expires_at > now]

    def renew(self, token: Token) -> Deferred[Token]:
        """
        Let a token that is in use live on, once half of its life is over: clients are
        configured with one and start with it for years (http-auth.md 2.10).
        """
        until = self._clock.seconds() + self.seconds
        if until - token.expires_at < self.seconds / 2:
            return succeed(token)
        renewed = evolve(token, expires_at=until)
        self._remember(renewed)
        return self._save(renewed, []).addCallback(lambda _: renewed)

    def revoke(self, keys: Sequence[str]) -> Deferred[None]:
        """Take tokens back, by their digests."""
        for key in keys:
            self._forget(key)
        return self._store.remove_tokens(keys)

    def purge(self) -> Deferred[None]:
        """Drop what has expired; asks the disk only if there was anything."""
        now = self._clock.seconds()
        old = [key for key, token in self._tokens.items() if token.expires_at <= now]
        return self.revoke(old) if old else succeed(None)

    def _surplus(self, uid: str, client: str) -> list[str]:
        """What has to go before this client of this user gets one more."""
        now, mine = self._clock.seconds(), self._of_user.get(uid, {})
        expired = [key for key, token in mine.items() if token.expires_at <= now]
        good = [(key, token) for key, token in mine.items() if token.expires_at > now]
        own = [key for key, token in good if token.client == client]
        gone = own[: max(0, len(own) - PER_CLIENT + 1)]
        left = [key for key, _ in good if key not in gone]
        return [*expired, *gone, *left[: max(0, len(left) - PER_USER + 1)]]

    def _remember(self, token: Token) -> None:
        # Out and in again: a token that was renewed is the youngest.
        self._forget(token.digest)
        self._tokens[token.digest] = token
        self._of_user.setdefault(token.uid, {})[token.digest] = token
        if token.client:
            self._of_client[token.client] = token.digest

    def _forget(self, key: str) -> None:
        token = self._tokens.pop(key, None)
        if token is None:
            return
        if self._of_client.get(token.client) == key:
            del self._of_client[token.client]
        mine = self._of_user[token.uid]
        del mine[key]
        if not mine:
            del self._of_user[token.uid]
