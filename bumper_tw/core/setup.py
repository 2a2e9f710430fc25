"""How far the house is set up: each step is done when it was seen to work, and never before."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.shelf import Shelf
from bumper_tw.errors import BadRequest, StorageError
from bumper_tw.interfaces import IFeed, IRecordStore

#: The steps, in their order.
ADDRESS, DNS, TRUST, ROBOT, HOME_ASSISTANT = STEPS = (
    "address",
    "dns",
    "trust",
    "robot",
    "home-assistant",
)

#: How a step can be, and what that is called.
STATES = {"done": "Seen to work", "skipped": "Not needed here", "waiting": "Not seen yet"}

#: What this is called on disk and in the feed.
NAME = "setup"

#: That something works still is noted once in so many seconds.
AGAIN = 3600.0


@frozen
class Progress:
    """
    How far one step is.

    @ivar at: when it was first seen to work, in seconds since the epoch; 0 for not yet.
    @ivar by: who showed it, in words.
    @ivar host: the address that somebody came from; empty if that is not known.
    @ivar last: when it was last seen to work, about an hour less or more.
    @ivar skipped: whether the owner has said that it is not needed here.
    """

    at: float = 0.0
    by: str = ""
    host: str = ""
    last: float = 0.0
    skipped: bool = False

    @property
    def done(self) -> bool:
        """Whether it was seen to work."""
        return self.at > 0


class SetUp:
    """
    The steps, remembered over restarts.

    Only L{observed} makes a step done; the owner can pass over one, which is shown as such.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: IRecordStore, feed: IFeed) -> None:
        self._clock, self._feed = clock, feed
        self._shelf = Shelf(store, NAME, Progress, len(STEPS))
        # Whose the newest sign of each step was: more may be known of him a moment later.
        self._whose: dict[str, object] = {}
        self._arrivals: Sequence[Mapping[str, Any]] = ()

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs have seen."""
        return self._shelf.load(store)

    def flush(self) -> Deferred[None]:
        """Write what the disk has refused."""
        return self._shelf.flush()

    def progress(self, step: str) -> Progress:
        """How far a step is."""
        return self._shelf.get(step) or Progress()

    def wants(self, step: str, whose: object) -> bool:
        """
        Whether there is anything to be learnt from somebody: the step is not done, or nobody has
        shown for a while that it is, or it was he who did.
        """
        known = self.progress(step)
        return not known.done or self._is_old(known) or self._whose.get(step) == whose

    def _is_old(self, known: Progress) -> bool:
        # A clock that was wrong before must not keep us from noting anything.
        return not 0 <= self._clock.seconds() - known.last < AGAIN

    def observed(self, step: str, whose: object, by: str, host: str = "") -> None:
        """
        A step was seen to work.

        @param whose: tells who has shown it from everybody else.
        @param by: who that is, in words.
        """
        known, now = self.progress(step), self._clock.seconds()
        is_same = known.done and self._whose.get(step) == whose
        if known.done and not self._is_old(known):
            news = evolve(known, by=by, host=host) if is_same else known
        else:
            self._whose[step] = whose
            news = evolve(known, at=known.at or now, by=by, host=host, last=now)
        if news != known:
            self._keep(step, news)

    def skip(self, step: str, skipped: bool) -> Deferred[None]:
        """
        The owner says that a step is not needed here, or is after all; it is not done by that.

        @return: fires when it is on disk.
        @raise BadRequest: there is no such step.
        """
        if step not in STEPS:
            raise BadRequest(f"there is no step {step[:40]!r}; there are {', '.join(STEPS)}")
        known = self.progress(step)
        if known.skipped is skipped:
            return self._shelf.flush()
        return self._put(step, evolve(known, skipped=skipped))

    def _keep(self, step: str, news: Progress) -> None:
        self._put(step, news).addErrback(self._unkept)

    def _put(self, step: str, news: Progress) -> Deferred[None]:
        done = self._shelf.put(step, news)
        self.tell()
        return done

    def _unkept(self, failure: Failure) -> None:
        """The shelf tries again."""
        failure.trap(StorageError)
        self._log.warn("set-up is not on disk yet: {why}", why=failure.getErrorMessage())

    def arrived(self, arrivals: Sequence[Mapping[str, Any]]) -> None:
        """Who comes as robots do, and how that went: the newest first, as JSON has it."""
        if arrivals != self._arrivals:
            self._arrivals = arrivals
            self.tell()

    def tell(self) -> None:
        """Tell the pages that are open."""
        self._feed.put(NAME, NAME, self.entry())

    def entry(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        steps = [{"step": step, **shown(self.progress(step))} for step in STEPS]
        return {"steps": steps, "arrivals": list(self._arrivals)}


def shown(progress: Progress) -> dict[str, Any]:
    """One step, as JSON has it, and as pages say it."""
    values = asdict(progress) | {"at": progress.at or None, "last": progress.last or None}
    state = state_of(progress)
    said = {"state": state, "state_text": STATES[state], "seen_text": seen_words(progress)}
    return {"done": progress.done, **values, **said}


def state_of(progress: Progress) -> str:
    """One of L{STATES}; what was seen counts more than what the owner says."""
    if progress.done:
        return "done"
    return "skipped" if progress.skipped else "waiting"


def seen_words(progress: Progress) -> str:
    """Who has shown it; empty for nobody."""
    if not progress.done:
        return ""
    where = f", at {progress.host}" if progress.host else ""
    return f"Shown by {progress.by or 'somebody'}{where}"
