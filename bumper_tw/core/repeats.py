"""How often the same thing is said: clients that are turned away come back for ever."""

from attrs import define
from twisted.internet.interfaces import IReactorTime


@define
class Spell:
    """A stretch of time that began with a line at C{since}, and what was kept back in it."""

    since: float
    kept_back: int = 0


class Repeats:
    """
    Lets one line per key and stretch of time through, and counts the others.

    However many keys there are, no more than C{most} lines come in one stretch: whoever
    invents a new name for each attempt does not fill the disk either.

    @ivar lost: lines kept back because too many others were said.
    """

    def __init__(self, clock: IReactorTime, seconds: float = 60.0, most: int = 1000) -> None:
        """
        @param seconds: how long a key is silent after a line.
        @param most: as many keys are remembered.
        """
        self._clock, self._seconds, self._most = clock, seconds, most
        # A key moves to the end when it speaks, so the first one has been silent for longest.
        self._spells: dict[str, Spell] = {}
        self.lost = 0

    def __len__(self) -> int:
        return len(self._spells)

    def say(self, key: str) -> int | None:
        """
        Something has happened that deserves a line.

        @return: C{None} when it is to be kept back; otherwise how many were since the last
            line about the same key.
        """
        now = self._clock.seconds()
        spell = self._spells.get(key)
        if spell is not None and self._is_young(spell, now):
            spell.kept_back += 1
            return None
        if spell is None and not self._has_room(now):
            self.lost += 1
            return None
        self._spells.pop(key, None)
        self._spells[key] = Spell(now)
        return 0 if spell is None else spell.kept_back

    def _is_young(self, spell: Spell, now: float) -> bool:
        # A clock that was set back must not keep anybody silent for longer.
        return 0 <= now - spell.since < self._seconds

    def _has_room(self, now: float) -> bool:
        if len(self._spells) < self._most:
            return True
        oldest = next(iter(self._spells))
        if self._is_young(self._spells[oldest], now):
            return False
        del self._spells[oldest]
        return True


def again(times: int) -> str:
    """What to add to a line that was kept back so many times; nothing for none."""
    return f" ({times} more since the last line about it)" if times else ""
