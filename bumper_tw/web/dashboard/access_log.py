"""
Who did what here: logins, refusals, changes and downloads; not what is only looked at.

What the owner does, what members of the house do, and what others want is kept apart, so that
nobody can push out what somebody else did; and who gets in stands for itself.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from attrs import asdict, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from bumper_tw.errors import BadRequest, BumperError, LoginRefused, StorageError
from bumper_tw.front.contact import clean
from bumper_tw.web.api import FAILURES
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.origins import is_safe
from bumper_tw.web.routes import Ask, Route

#: As much is kept of what the owner did, and of what others did or wanted.
DONE, OTHERS = 400, 100

#: As much is kept of anything that somebody says.
LONGEST = 100

#: How browsers are told to save what comes.
SAVED = "content-disposition"

#: The status of what was refused.
NO = frozenset({401, 403, 429})

#: Where somebody becomes the owner, in our eyes.
ENTRANCES = frozenset({"/login", "/welcome", "/api/session", "/api/owner"})
SOMEBODY, OWNER = "somebody, ", "owner, "
TOKEN, ACCOUNT = "token ", "account "

#: What stands for itself.
DECIDED = "who gets in"

#: What decides who gets in from now on.
DECISIVE = (
    "/login",
    "/welcome",
    "/logout",
    "/api/session",
    "/api/owner",
    "/api/tokens",
    "/api/accounts",
)

#: From here on a status tells of a failure; and what is told of something that broke.
FAILED, BROKEN = 400, 500

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
    @ivar about: what else the path names: an action, a service, an account.
    @ivar why: for what reason it was refused, if somebody said.
    """

    number: int
    at: float
    who: str
    peer: str
    what: str
    did: str
    status: int
    times: int = 1
    about: str = ""
    why: str = ""

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
        # By who it was, and for what.
        self._rings: dict[str, deque[Access]] = {
            OWNER: deque(maxlen=DONE),
            ACCOUNT: deque(maxlen=OTHERS),
            SOMEBODY: deque(maxlen=OTHERS),
            DECIDED: deque(maxlen=OTHERS),
        }
        self._number = 0

    def entries(self) -> list[Access]:
        """All of them, the newest first."""
        every = [access for ring in self._rings.values() for access in ring]
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
            reason = str(wrong) if isinstance(wrong, BumperError) else ""
            self.add(call, route.path, who or self._who(call), status_of(wrong), reason)

    def add(self, call: Call, path: str, who: str, status: int, why: str = "") -> None:
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
            about=clean(about(call), LONGEST),
            why=clean(why, LONGEST),
        )
        self._keep(self._rings[ring_of(access, path)], access)

    def _keep(self, kept: deque[Access], access: Access) -> None:
        if kept and access.same(kept[-1]):
            access = evolve(access, times=kept.pop().times + 1)
        kept.append(access)
        self._heard(access)


def about(call: Call) -> str:
    """What the path names besides a robot; of settings, which."""
    named = [said for name, said in call.segments.items() if name != "did"]
    try:
        chosen = [*call.body()] if call.method == "PATCH" else []
    except BadRequest:
        chosen = []
    return " ".join([*named, *chosen])


def let_in(who: str, path: str, status: int) -> str:
    """Who it turns out to be, after the answer; in words."""
    if path in ENTRANCES and status < FAILED and who.startswith(SOMEBODY):
        return OWNER + who.removeprefix(SOMEBODY)
    return who


def ring_of(access: Access, path: str) -> str:
    """
    With what else something is kept.

    @param path: without what is somebody's.
    """
    if access.who.startswith(ACCOUNT):
        return ACCOUNT
    if not access.who.startswith((OWNER, TOKEN)):
        return SOMEBODY
    return DECIDED if access.status < FAILED and path.startswith(DECISIVE) else OWNER


def is_saved(answer: Answer) -> bool:
    """Whether it is a file that is taken away."""
    return any(name.lower() == SAVED for name, _ in answer.headers)


def status_of(wrong: Exception) -> int:
    """The status that a failure ends with."""
    return next((status for cls, status in STATUSES.items() if isinstance(wrong, cls)), BROKEN)


def told(access: Access) -> dict[str, object]:
    """One of them as JSON has it."""
    return asdict(access)
