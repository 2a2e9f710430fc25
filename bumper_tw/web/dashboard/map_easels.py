"""Pictures of floors, drawn where that stops nobody else."""

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bumper_tw.core.maps import RobotMap
from bumper_tw.core.passwords import InThread
from bumper_tw.web.dashboard.map_image import Picture, picture

#: Pictures that are kept until they are others.
PICTURES = 16
#: Seconds between two drawings of one map.
PAUSE = 1.0


@define(eq=False)
class Easel:
    """
    Where the map of one robot is drawn.

    @ivar known: the map.
    @ivar revision: of what was drawn last; C{None} if nothing was.
    @ivar free_at: when the next may be drawn.
    @ivar busy: whether one is being drawn, or is to be as soon as it may.
    @ivar waiting: those who get the next one.
    """

    known: RobotMap
    revision: int | None = None
    picture: Picture | None = None
    free_at: float = 0.0
    busy: bool = False
    waiting: list[Deferred[Picture | None]] = field(factory=list)


class Drawings:
    """Pictures by robot: one drawing of each at a time, shared by all who ask."""

    def __init__(self, clock: IReactorTime, in_thread: InThread) -> None:
        self._clock, self._in_thread = clock, in_thread
        self._easels: dict[str, Easel] = {}

    def of(self, did: str, known: RobotMap) -> Deferred[Picture | None]:
        """The floor of a robot, no older than it is now; C{None} if nothing is known of it."""
        easel = self._easels.pop(did, None) or Easel(known)
        self._easels[did] = easel
        while len(self._easels) > PICTURES:
            del self._easels[next(iter(self._easels))]
        if easel.revision == known.drawn:
            return succeed(easel.picture)
        waiting: Deferred[Picture | None] = Deferred()
        easel.known = known
        easel.waiting.append(waiting)
        if not easel.busy:
            easel.busy = True
            self._soon(easel)
        return waiting

    def _soon(self, easel: Easel) -> None:
        pause = easel.free_at - self._clock.seconds()
        if pause > 0:
            # A clock that was set back makes nobody wait longer.
            self._clock.callLater(min(pause, PAUSE), self._draw, easel)
        else:
            self._draw(easel)

    def _draw(self, easel: Easel) -> None:
        asked, easel.waiting = easel.waiting, []
        now = easel.known.copy()
        drawn = self._in_thread(lambda: picture(now))
        drawn.addBoth(self._drawn, easel, now.drawn, asked)

    def _drawn(
        self,
        drawn: "Picture | Failure | None",
        easel: Easel,
        revision: int,
        asked: list[Deferred[Picture | None]],
    ) -> None:
        easel.free_at = self._clock.seconds() + PAUSE
        if not isinstance(drawn, Failure):
            easel.revision, easel.picture = revision, drawn
        if easel.revision == easel.known.drawn:
            # Those who have asked meanwhile want no other.
            asked, easel.waiting = asked + easel.waiting, []
        easel.busy = bool(easel.waiting)
        if easel.busy:
            self._soon(easel)
        for each in asked:
            each.callback(drawn)
