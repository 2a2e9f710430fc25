"""What one party over XMPP may make the others, and the server, bear."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

#: How many copies of what one robot says go to others: in a second, and at once.  A robot that
#: draws its map makes ten a second for each session that looks on.
COPIES, AT_ONCE = 500.0, 1000.0

P = TypeVar("P", bound=Hashable)


class Allowance:
    """So much a second, and what was not used for a while at once."""

    __slots__ = ("_at", "_clock", "_left")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock, self._left, self._at = clock, AT_ONCE, clock.seconds()

    def take(self, number: int) -> bool:
        """Use some, if there is anything left; the last ones may be more than that."""
        now = self._clock.seconds()
        self._left = min(AT_ONCE, self._left + max(0.0, now - self._at) * COPIES)
        self._at = now
        if self._left <= 0:
            return False
        self._left -= number
        return True


class Unread(Generic[P]):
    """How many bytes wait for all who do not read, together."""

    def __init__(self, most: int) -> None:
        self._most, self._all = most, 0
        self._waiting: dict[P, int] = {}

    def __len__(self) -> int:
        """For how many something waits, as far as was noticed."""
        return len(self._waiting)

    def has_room(self, party: P, waiting: int) -> bool:
        """
        Whether more may wait for somebody who does not read.

        @param waiting: how many bytes do now.
        """
        self._all += waiting - self._waiting.get(party, 0)
        self._waiting[party] = waiting
        return self._all < self._most

    def forget(self, party: P) -> None:
        """Nothing waits for him any more."""
        self._all -= self._waiting.pop(party, 0)
