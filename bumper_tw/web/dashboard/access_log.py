"""
Who did what here: logins, refusals, changes and downloads; not what is only looked at.

What was refused is kept apart, so that nobody who is not let in can push out what was done.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from attrs import asdict, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bumper_tw.errors import LoginRefused, StorageError
from bumper_tw.front.contact import clean
from bumper_tw.web.api import FAILURES
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.origins import is_safe
from bumper_tw.web.routes import Ask, Route

#: As much is kept of what was done, and of what was refused.
DONE, REFUSED = 400, 100

#: As much is kept of anything that somebody says.
LONGEST = 100

#: How browsers are told to save what comes.
SAVED = "content-disposition"

#: The status of what was refused.
NO = frozenset({401, 403, 429})

#: Where somebody becomes the owner, in our eyes.
ENTRANCES = frozenset({"/login", "/welcome", "/api/session", "/api/owner"})
SOMEBODY, OWNER = "somebody, ", "owner, "

#: What is told of something that broke.
BROKEN = 500

#: Every failure, and what the site says for all routes when the disk refuses.
STATUSES = {**{cls: status for cls, (status, _) in FAILURES.items()}, StorageError: 503}


@frozen
class Access:
    """
    Something that somebody did, or wanted to.

    @ivar number: they are numbered from 1 on; a repetition gets the number of the last.
    @ivar at: seconds since the epoch.
    @ivar who: in words.
    @ivar peer: from which address.
    @ivar what: method and path, with C{<names>} for what is somebody's.
    @ivar did: the robot it was about, if it was about one.
    @ivar status: of the answer, as in HTTP.
    @ivar times: how often, one after the other.
    """

    number: int
    at: float
    who: str
    peer: str
    what: str
    did: str
    status: int
    times: int = 1

    @property
    def refused(self) -> bool:
        """Whether somebody was not let in."""
        return self.status in NO

    def same(self, other: "Access") -> bool:
        """Whether it is the same once more."""
        return self == evolve(other, number=self.number, at=self.at, times=self.times)


class AccessLog:
    """The last of them, in memory."""

    def __init__(
        self,
        clock: IReactorTime,
        who: Callable[[Call], str],
        heard: Callable[[Access], None] = lambda _: None,
    ) -> None:
        """
        @param who: says who calls; see L{Doorman.who<bumper_tw.web.doorman.Doorman.who>}.
        @param heard: is told of each.
        """
        self._clock, self._who, self._heard = clock, who, heard
        self._done: deque[Access] = deque(maxlen=DONE)
        self._refused: deque[Access] = deque(maxlen=REFUSED)
        self._number = 0

    def entries(self) -> list[Access]:
        """All of them, the newest first."""
        every = [*self._done, *self._refused]
        return sorted(every, key=lambda access: -access.number)

    def watched(self, routes: Iterable[Route]) -> Iterator[Route]:
        """The same routes, with everybody who uses them being written down."""
        for route in routes:
            yield evolve(route, answer=self._watching(route))

    def _watching(self, route: Route) -> Ask:
        def answer(call: Call) -> Answer | Deferred[Answer]:
            # Now: who logs out is nobody afterwards.
            who = "" if is_safe(call) else self._who(call)
            try:
                result = route.answer(call)
            except Exception as wrong:
                self._failed(call, route, who, wrong)
                raise
            if isinstance(result, Answer):
                return self._answered(result, call, route, who)
            return result.addCallbacks(
                self._answered,
                self._failed_late,
                callbackArgs=(call, route, who),
                errbackArgs=(call, route, who),
            )

        return answer

    def _answered(self, answer: Answer, call: Call, route: Route, who: str) -> Answer:
        if not is_safe(call) or answer.status in NO or is_saved(answer):
            said = who or self._who(call)
            self.add(call, route.path, let_in(said, route.path, answer.status), answer.status)
        return answer

    def _failed_late(self, failure: Failure, call: Call, route: Route, who: str) -> Failure:
        wrong = failure.value
        self._failed(call, route, who, wrong if isinstance(wrong, Exception) else Exception())
        return failure

    def _failed(self, call: Call, route: Route, who: str, wrong: Exception) -> None:
        if not is_safe(call) or isinstance(wrong, LoginRefused):
            self.add(call, route.path, who or self._who(call), status_of(wrong))

    def add(self, call: Call, path: str, who: str, status: int) -> None:
        """
        Write something down.

        @param path: without what is somebody's.
        """
        self._number += 1
        access = Access(
            self._number,
            self._clock.seconds(),
            clean(who, LONGEST),
            call.peer,
            clean(f"{call.method} {path}", LONGEST),
            clean(call.segments.get("did", ""), LONGEST),
            status,
        )
        self._keep(self._refused if access.refused else self._done, access)

    def _keep(self, kept: deque[Access], access: Access) -> None:
        if kept and access.same(kept[-1]):
            access = evolve(access, times=kept.pop().times + 1)
        kept.append(access)
        self._heard(access)


def let_in(who: str, path: str, status: int) -> str:
    """Who it turns out to be, after the answer; in words."""
    if path in ENTRANCES and status < 400 and who.startswith(SOMEBODY):
        return OWNER + who.removeprefix(SOMEBODY)
    return who


def is_saved(answer: Answer) -> bool:
    """Whether it is a file that is taken away."""
    return any(name.lower() == SAVED for name, _ in answer.headers)


def status_of(wrong: Exception) -> int:
    """The status that a failure ends with."""
    return next((status for cls, status in STATUSES.items() if isinstance(wrong, cls)), BROKEN)


def told(access: Access) -> dict[str, object]:
    """One of them as JSON has it."""
    return asdict(access)
