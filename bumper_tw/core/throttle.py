"""How often somebody may be wrong."""

from attrs import define
from twisted.internet.interfaces import IReactorTime

from bumper_tw.errors import LoginRefused


class TooManyAttempts(LoginRefused):
    """Somebody was wrong too often; even the right password does not help for a while."""


@define
class Window:
    """The attempts of one peer in one stretch of time that began at C{since}."""

    since: float
    attempts: int = 0


class Throttle:
    """
    Limits wrong passwords per peer address.

    An attempt counts when it begins, and is taken back when it succeeds: those that still
    wait for their answer are limited, too.
    """

    def __init__(
        self, clock: IReactorTime, attempts: int = 10, seconds: float = 60.0, peers: int = 1000
    ) -> None:
        """
        @param attempts: as many may fail within C{seconds}.
        @param peers: as many addresses are remembered; the oldest is forgotten first.
        """
        self._clock, self._attempts, self._seconds = clock, attempts, seconds
        self._peers = peers
        self._windows: dict[str, Window] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def enter(self, peer: str) -> None:
        """
        An attempt begins.

        @raise TooManyAttempts: it must not.
        """
        window = self._window(peer)
        if window.attempts >= self._attempts:
            raise TooManyAttempts("too many wrong passwords; wait a minute")
        window.attempts += 1

    def succeeded(self, peer: str) -> None:
        """An attempt was right."""
        window = self._windows.get(peer)
        if window is not None and window.attempts > 0:
            window.attempts -= 1

    def _window(self, peer: str) -> Window:
        now = self._clock.seconds()
        window = self._windows.get(peer)
        if window is not None and now - window.since < self._seconds:
            return window
        # Put behind the others, so that the first one is the oldest.
        self._windows.pop(peer, None)
        while len(self._windows) >= self._peers:
            del self._windows[next(iter(self._windows))]
        fresh = self._windows[peer] = Window(now)
        return fresh
