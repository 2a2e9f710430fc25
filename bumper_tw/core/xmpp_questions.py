"""What users have asked robots over XMPP, and how long they wait for it (xmpp.md 7 and 8.3)."""

from collections import deque
from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.wire.xmpp_jid import Key

#: A question of one session: its stanza id, and the robot.
Mark = tuple[str, Key]

#: Ids that are longer are not kept; clients use up to forty characters.
LONGEST = 128

#: As many pings of one session can be watched at once.
WATCHED = 32


@define(eq=False)
class Ping:
    """
    A ping on its way to a robot.

    @ivar to: the robot, as the asker spells it.
    @ivar due: when the asker is told that no answer came.
    @ivar late: whether he was.
    """

    questions: "Questions"
    mark: Mark
    to: str
    due: float
    late: bool = False


class Questions:
    """
    What one session has asked, and has not heard of; the last ones only.

    @ivar expired: is called with a ping that was not answered in time.
    """

    __slots__ = ("_asked", "_most", "_watch", "expired", "watched")

    def __init__(self, watch: "PingWatch", most: int, expired: Callable[[Ping], None]) -> None:
        self._watch, self._most, self.expired = watch, most, expired
        self._asked: dict[Mark, Ping | None] = {}
        self.watched = 0

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, mark: Mark) -> bool:
        return mark in self._asked

    def ask(self, mark: Mark) -> None:
        """Something was asked."""
        asked = self._asked
        if mark in asked:
            del asked[mark]
        elif len(asked) >= self._most:
            del asked[next(iter(asked))]
        if len(mark[0]) <= LONGEST:
            asked[mark] = None

    def ping(self, mark: Mark, to: str) -> None:
        """Somebody was asked whether he is alive."""
        self.ask(mark)
        if mark in self._asked and self.watched < WATCHED:
            self._asked[mark] = self._watch.begin(self, mark, to)

    def answered(self, mark: Mark) -> bool:
        """
        An answer has come.

        @return: whether it may be passed on; not when the asker was told that none came.
        """
        ping = self._asked.pop(mark, None)
        return ping is None or not ping.late

    def overdue(self, ping: Ping) -> None:
        """The time of a ping is over; it may have been answered long ago."""
        self.watched -= 1
        if self._asked.get(ping.mark) is ping:
            ping.late = True
            self.expired(ping)

    def forget(self) -> None:
        """Nobody waits any more."""
        self._asked.clear()


class PingWatch:
    """One timer for all pings that wait: each waits for the same time."""

    def __init__(self, clock: IReactorTime, patience: float) -> None:
        self._clock, self._patience = clock, patience
        self._pings: deque[Ping] = deque()
        self._timer: IDelayedCall | None = None

    def begin(self, questions: Questions, mark: Mark, to: str) -> Ping:
        """Look after a ping from now on."""
        questions.watched += 1
        ping = Ping(questions, mark, to, self._clock.seconds() + self._patience)
        self._pings.append(ping)
        if self._timer is None:
            self._timer = self._clock.callLater(self._patience, self._tick)
        return ping

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        while self._pings and self._pings[0].due <= now:
            ping = self._pings.popleft()
            ping.questions.overdue(ping)
        if self._pings and self._timer is None:
            self._timer = self._clock.callLater(self._pings[0].due - now, self._tick)

    def stop(self) -> None:
        """The server ends."""
        self._pings.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
