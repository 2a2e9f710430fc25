"""How many connections there may be, what becomes of one too many, and when all are gone."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet import protocol
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.front.contact import plain_address


class Room(Protocol):
    """
    How many there is room for at one time.

    @ivar connections: in all.
    @ivar per_peer: from one address.
    @ivar strangers: of the connections, not logged in yet.
    @ivar strangers_per_peer: of those, from one address.
    """

    @property
    def connections(self) -> int: ...

    @property
    def per_peer(self) -> int: ...

    @property
    def strangers(self) -> int: ...

    @property
    def strangers_per_peer(self) -> int: ...


class Guest(Protocol):
    """One connection."""

    @property
    def host(self) -> str:
        """The address of the other side; empty for a local socket."""

    @property
    def stranger(self) -> bool:
        """Whether it has not logged in yet."""


G = TypeVar("G", bound=Guest)


class Unwelcome(protocol.Protocol):
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


class Crowd(Generic[G]):
    """
    All connections to one service.

    @ivar everybody: how many there are.
    @ivar strangers: how many of them are not logged in yet.
    """

    def __init__(
        self, clock: IReactorTime, room: Room, counts: "Counter[str]", log: Logger
    ) -> None:
        """
        @param counts: what happened to connections, by name.
        @param log: of the service.
        """
        self._counts, self._log = counts, log
        self.everybody = Headcount(room.connections, room.per_peer)
        self.strangers = Headcount(room.strangers, room.strangers_per_peer)
        self._refused = Repeats(clock)
        self._guests: dict[G, None] = {}
        self._waiting: list[Deferred[None]] = []

    def __iter__(self) -> Iterator[G]:
        """Everybody who is here now, whoever leaves meanwhile."""
        return iter(list(self._guests))

    def admit(self, addr: "IAddress | None", make: Callable[[str], G]) -> G | Unwelcome:
        """
        Take a connection, or refuse it.

        @param make: makes a guest from an address.
        """
        host = plain_address(addr)
        if self.everybody.full(host) or self.strangers.full(host):
            self._turn_away(host)
            return Unwelcome()
        guest = make(host)
        self._guests[guest] = None
        self.everybody.enter(host)
        self.strangers.enter(host)
        self._counts["connections"] += 1
        return guest

    def _turn_away(self, host: str) -> None:
        self._counts["connections refused"] += 1
        more = self._refused.say(host)
        if more is not None:
            self._log.warn(
                "too many connections, refused one from {peer}{more}", peer=host, more=again(more)
            )

    def known(self, guest: G) -> None:
        """It has logged in."""
        self._counts["logins"] += 1
        self.strangers.leave(guest.host)

    def lost(self, guest: G) -> None:
        """It has ended."""
        del self._guests[guest]
        self.everybody.leave(guest.host)
        if guest.stranger:
            self.strangers.leave(guest.host)
        while self._waiting and not self._guests:
            self._waiting.pop().callback(None)

    def empty(self) -> Deferred[None]:
        """Fires when nobody is here."""
        if not self._guests:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._waiting.append(gone)
        return gone
