"""How many connections there may be, and what becomes of one too many."""

from collections import Counter
from typing import Any

from twisted.internet.protocol import Protocol


class Unwelcome(Protocol):
    """
    One connection too many.

    Not building a protocol at all would leave it open: what puts TLS on a factory does not
    expect that.
    """

    transport: Any

    def connectionMade(self) -> None:
        self.transport.abortConnection()


class Headcount:
    """How many there are, in all and from each address."""

    def __init__(self, most: int, most_per_peer: int) -> None:
        self._most, self._most_per_peer = most, most_per_peer
        self._peers: Counter[str] = Counter()
        self._all = 0

    def __len__(self) -> int:
        """From how many addresses they come."""
        return len(self._peers)

    def full(self, host: str) -> bool:
        """Whether there is no room for one more from this address."""
        return self._all >= self._most or self._peers[host] >= self._most_per_peer

    def enter(self, host: str) -> None:
        """One more."""
        self._all += 1
        self._peers[host] += 1

    def leave(self, host: str) -> None:
        """One less."""
        self._all -= 1
        self._peers[host] -= 1
        if not self._peers[host]:
            del self._peers[host]
