"""How often the same thing is said: clients that are turned away come back for ever."""

from typing import Self

from attrs import define
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.allowance import Shares

#: Lines at once, and again within each minute.  After a power cut all come back at the same
#: time: that is enough for thirty robots and as many other clients.
LINES = 60


@define
class Spell:
    """A stretch of time that began with a line at C{since}, and what was kept back in it."""

    since: float
    kept_back: int = 0


class Times(int):
    """
    How many lines were kept back since the last one about the same thing.

    @ivar others: how many about other things were, because there was too much to say.
    """

    others: int

    def __new__(cls, times: int = 0, others: int = 0) -> Self:
        made = super().__new__(cls, times)
        made.others = others
        return made


class Repeats:
    """
    Lets one line per key and stretch of time through, and counts the others.

    However many keys there are, no more than C{lines} come in one stretch: whoever invents a
    new name for each attempt does not fill the disk either.  That is apart from how many keys
    are remembered, so that a name which was said before cannot be used for more.

    @ivar lost: lines kept back because too many others were said.
    """

    def __init__(
        self,
        clock: IReactorTime,
        seconds: float = 60.0,
        most: int = 1000,
        lines: int = LINES,
        share: int = LINES,
    ) -> None:
        """
        @param seconds: how long a key is silent after a line.
        @param most: as many keys are remembered.
        @param lines: as many lines there are at once, and again within each stretch.
        @param share: as many of these about one peer, which cannot hide the others then.
        """
        self._clock, self._seconds, self._most = clock, seconds, most
        self._lines = Shares(clock, share, lines, seconds)
        # A key moves to the end when it speaks, so the first one has been silent for longest.
        self._spells: dict[str, Spell] = {}
        self._untold = self.lost = 0

    def __len__(self) -> int:
        return len(self._spells)

    def say(self, key: str, peer: str = "") -> Times | None:
        """
        Something has happened that deserves a line.

        @param peer: who caused it, as far as that can be told; it may have a share of the
            lines, whatever the keys are.
        @return: C{None} when it is to be kept back; otherwise how many were since the last
            line about the same key.
        """
        now = self._clock.seconds()
        spell = self._spells.get(key)
        if spell is not None and self._is_young(spell, now):
            spell.kept_back += 1
            return None
        if not self._may_say(spell, peer, now):
            self._keep_back(spell)
            return None
        self._lines.take(peer)
        self._spells.pop(key, None)
        self._spells[key] = Spell(now)
        others, self._untold = self._untold, 0
        return Times(0 if spell is None else spell.kept_back, others)

    def _may_say(self, spell: Spell | None, peer: str, now: float) -> bool:
        return self._lines.has(peer) and (spell is not None or self._has_room(now))

    def _keep_back(self, spell: Spell | None) -> None:
        """There is too much to say; a key that is not remembered has nothing to count by."""
        self.lost += 1
        if spell is None:
            self._untold += 1
        else:
            spell.kept_back += 1

    def _is_young(self, spell: Spell, now: float) -> bool:
        # A clock that was set back must not keep anybody silent for longer.
        return 0 <= now - spell.since < self._seconds

    def _has_room(self, now: float) -> bool:
        if len(self._spells) < self._most:
            return True
        oldest = next(iter(self._spells))
        if self._is_young(self._spells[oldest], now):
            return False
        self._untold += self._spells.pop(oldest).kept_back
        return True


def again(times: int) -> str:
    """What to add to a line for those that were kept back; nothing for none."""
    others = times.others if isinstance(times, Times) else 0
    parts = [f"{times} more since the last line about it"] if times else []
    parts += [f"{others} about others left out"] if others else []
    return f" ({', '.join(parts)})" if parts else ""
