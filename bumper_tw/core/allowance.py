"""How much may happen within some time: so much at once, and what is used up comes back evenly."""

from twisted.internet.interfaces import IReactorTime


class Allowance:
    """So much at once, and as much again in each stretch of time."""

    def __init__(self, clock: IReactorTime, most: int, seconds: float) -> None:
        """
        @param seconds: after which all that was used up is back.
        """
        self._clock, self._most, self._seconds = clock, most, seconds
        self._left, self._at = float(most), clock.seconds()

    @property
    def left(self) -> float:
        """How much there is now."""
        now = self._clock.seconds()
        # A clock that was set back takes nothing away, and what comes back goes on from there.
        past, self._at = max(0.0, now - self._at), now
        self._left = min(float(self._most), self._left + past * self._most / self._seconds)
        return self._left

    @property
    def whole(self) -> bool:
        """Whether nothing is used up."""
        return self.left >= self._most

    def take(self, number: int = 1) -> None:
        """Use some up; whoever calls has looked whether there is any."""
        self._left -= number


class Shares:
    """
    An allowance for all, of which nobody has more than a share.

    Only shares that are not whole are remembered, and the common allowance bounds how many
    those can be, however many names are made up.
    """

    def __init__(self, clock: IReactorTime, share: int, common: int, seconds: float) -> None:
        self._clock, self._share, self._seconds = clock, share, seconds
        self._common = Allowance(clock, common, seconds)
        self._shares: dict[str, Allowance] = {}

    def __len__(self) -> int:
        return len(self._shares)

    def has(self, name: str, number: int = 1) -> bool:
        """Whether somebody may take so many."""
        share = self._shares.get(name)
        left = self._share if share is None else share.left
        return min(self._common.left, left) >= number

    def take(self, name: str, number: int = 1) -> bool:
        """
        Use some up, at least one.

        @return: whether there were so many; if not, nothing is used up.
        """
        if not self.has(name, number):
            return False
        self._common.take(number)
        self._of(name).take(number)
        return True

    def _of(self, name: str) -> Allowance:
        if name not in self._shares:
            self._shares = {n: share for n, share in self._shares.items() if not share.whole}
            self._shares[name] = Allowance(self._clock, self._share, self._seconds)
        return self._shares[name]
