"""Texts that are good for a short while: between two steps of one login."""

from collections.abc import Callable

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from bumper_tw.errors import LoginRefused

#: Seconds.  Clients take their steps within one; a person may stop to read in between.
LIFE = 3600.0

#: As many are open at once; the oldest go first.
LIMIT = 10_000


@frozen
class Ticket:
    """
    What a text stands for.

    @ivar session: the digest of the token of the login it belongs to.
    @ivar expires_at: seconds since the epoch.
    """

    uid: str
    session: str
    expires_at: float


class Tickets:
    """
    Tickets of one kind, in memory: a restart costs a client one more login.

    They are not used up: the apps present the same one at two places (http-auth.md 2.10).
    """

    def __init__(self, clock: IReactorTime, random_hex: Callable[[int], str], prefix: str) -> None:
        self._clock, self._random_hex, self._prefix = clock, random_hex, prefix
        # All live equally long, so the order of insertion is the order of expiry.
        self._tickets: dict[str, Ticket] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def issue(self, uid: str, session: str) -> str:
        """A new ticket: the prefix and 32 hexadecimal digits."""
        self.purge(LIMIT - 1)
        text = self._prefix + self._random_hex(16)
        self._tickets[text] = Ticket(uid, session, self._clock.seconds() + LIFE)
        return text

    def read(self, text: str) -> Ticket:
        """
        What a ticket stands for.

        @raise LoginRefused: it is unknown, or too old.
        """
        found = self._tickets.get(text)
        if found is None or found.expires_at <= self._clock.seconds():
            raise LoginRefused("unknown or expired ticket")
        return found

    def purge(self, limit: int = LIMIT) -> None:
        """Drop what has expired, and the oldest beyond C{limit}."""
        now = self._clock.seconds()
        while self._tickets:
            oldest = next(iter(self._tickets))
            if self._tickets[oldest].expires_at > now and len(self._tickets) <= limit:
                return
            del self._tickets[oldest]
