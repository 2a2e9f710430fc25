"""What parties over XMPP that do not read may make the server bear."""

from collections.abc import Hashable
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


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
