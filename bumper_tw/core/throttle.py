"""How often somebody may be wrong."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.turns import Turns
from bumper_tw.errors import LoginRefused

#: As much of an account's name tells it from others: names come from the network.
MAX_NAME = 64

#: How long the part of an address of IPv6 is that belongs to one network: whoever has one address
#: in it has them all (RFC 4291, 2.5.1).
NETWORK_BITS = 64


def who_counts(peer: str) -> str:
    """
    What wrong passwords are counted for: an address, of IPv6 the network it is in.

    @param peer: an address, or whatever else somebody is known by.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return peer
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> NETWORK_BITS << NETWORK_BITS)}/{NETWORK_BITS}"


class TooManyAttempts(LoginRefused):
    """Somebody was wrong too often; even the right password does not help for a while."""


@define
class Window:
    """
    What one peer got wrong in one stretch of time that began at C{since}.

    @ivar of: the same for each account.
    """

    since: float
    wrong: int = 0
    of: dict[str, int] = field(factory=dict)


class Throttle:
    """
    Limits wrong passwords, for each account that a peer tries, and for all of these together.

    Behind one address there may be many programs: one that has the wrong password does not
    lock out the others.  Only what was found wrong counts.  Who waits for a verdict, or has
    given up waiting, was not wrong; see L{Guess} for why that is no way round the limit.
    """

    def __init__(
        self,
        clock: IReactorTime,
        attempts: int = 10,
        of_peer: int = 60,
        seconds: float = 60.0,
        peers: int = 1000,
    ) -> None:
        """
        @param attempts: as many may fail within C{seconds} for one account at one peer.
        @param of_peer: as many may fail at one peer, whatever the accounts.
        @param peers: as many addresses are remembered; the oldest is forgotten first.
        """
        self._clock, self._attempts, self._of_peer = clock, attempts, of_peer
        self._seconds, self._peers = seconds, peers
        self._windows: dict[str, Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def guess(self, peer: str, account: str) -> "Guess":
        """
        Somebody brings a password.

        @raise TooManyAttempts: it is not even looked at.
        """
        guess = Guess(self, who_counts(peer), account[:MAX_NAME])
        self.check(guess)
        return guess

    def check(self, guess: "Guess") -> None:
        """
        Whether an attempt may be looked at.

        @raise TooManyAttempts: it may not.
        """
        window = self._windows.get(guess.peer)
        if window is None or not self._is_young(window):
            return
        if window.of.get(guess.account, 0) >= self._attempts or window.wrong >= self._of_peer:
            raise TooManyAttempts("too many wrong passwords; wait a minute")

    def wrong(self, guess: "Guess") -> None:
        """An attempt was found wrong."""
        window = self._window(guess.peer)
        window.wrong += 1
        window.of[guess.account] = window.of.get(guess.account, 0) + 1

    def _window(self, peer: str) -> Window:
        window = self._windows.get(peer)
        if window is not None and self._is_young(window):
            return window
        # Put behind the others, so that the first one is the oldest.
        self._windows.pop(peer, None)
        while len(self._windows) >= self._peers:
            del self._windows[next(iter(self._windows))]
        fresh = self._windows[peer] = Window(self._clock.seconds())
        return fresh

    def _is_young(self, window: Window) -> bool:
        # A clock that was set back must not lock anybody out for longer.
        return 0 <= self._clock.seconds() - window.since < self._seconds


@frozen
class Guess:
    """
    One attempt to get in.

    Many may wait at the same time, so it is looked at again when its turn comes: no more are
    wrong than the limit and the threads allow.
    """

    _throttle: Throttle
    peer: str
    account: str

    def tried(self, turns: Turns, compare: Callable[[], Deferred[bool]]) -> Deferred[bool]:
        """
        Compare when the turn has come, and count it if it was wrong, also when whoever asked
        has gone meanwhile.

        @param compare: whether it is right.
        @return: the same; fails with L{TooManyAttempts}, and as L{Turns.run} does.
        """

        def work() -> Deferred[bool]:
            self._throttle.check(self)
            return compare().addCallback(self._judged)

        return turns.run(work)

    def wrong(self) -> None:
        """It is known to be wrong without any comparing."""
        self._throttle.wrong(self)

    def _judged(self, right: bool) -> bool:
        if not right:
            self.wrong()
        return right
