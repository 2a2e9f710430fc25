"""The journal over HTTP: what has changed, at once or as soon as something does."""

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater

from bumper_tw.errors import BadRequest
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Entry
from bumper_tw.web.api import failure, number
from bumper_tw.web.call import Answer, Call, is_address, json_answer
from bumper_tw.web.routes import GET, Route, guarded

#: Entries in one answer; and when nobody says how many, or in one go.
MOST, SOME = 1000, 200

#: As many seconds may somebody wait; whatever is between us and him gives up after a minute.
LONGEST = 55.0

#: What changes within so many seconds is one answer.
TOGETHER = 0.2

#: As many may wait at the same time; the next is answered at once.
POLLERS = 20


@frozen
class Wanted:
    """
    What somebody wants to know.

    @ivar after: nothing that was changed before that revision, or with it; 0 for the last ones.
    @ivar host: only contacts from that address; empty for everything.
    @ivar limit: as many entries.
    @ivar wait: seconds, when there is nothing yet.
    """

    after: int
    host: str
    limit: int
    wait: float

    def concerns(self, entry: Entry) -> bool:
        """Whether it is about that entry, as it is now."""
        return entry.revision > self.after and (not self.host or host_of(entry) == self.host)


@define(eq=False)
class Poller:
    """Somebody who waits."""

    wanted: Wanted
    answer: Deferred[Answer]
    timer: IDelayedCall
    has_news: bool = False


class JournalRoutes:
    """
    The route.

    @param guard: tells who asks, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
    """

    def __init__(
        self,
        clock: IReactorTime,
        chronicle: Chronicle,
        guard: Callable[[Call], object],
        most: int = POLLERS,
    ) -> None:
        """
        @param most: as many may wait at the same time.
        """
        self._clock, self._chronicle, self._guard, self._most = clock, chronicle, guard, most
        self._journal, self._started = chronicle.journal, clock.seconds()
        self._pollers: set[Poller] = set()
        self._unwatch: Callable[[], None] | None = None

    def routes(self) -> tuple[Route, ...]:
        """C{/api/journal}."""
        return (Route("/api/journal", GET, guarded(self._guard, self.show), failure),)

    def show(self, call: Call) -> Answer | Deferred[Answer]:
        """What has changed since somebody asked last."""
        wanted = self._wanted(call)
        news = any(map(wanted.concerns, self._journal)) if wanted.wait else True
        if news or len(self._pollers) >= self._most:
            return self._render(wanted)
        return self._wait(wanted)

    def stop(self) -> None:
        """Whoever waits is answered now, and nobody waits any more."""
        self._most = 0
        for poller in list(self._pollers):
            self._tell(poller)

    def _wanted(self, call: Call) -> Wanted:
        after = int(number(call.query("after", "0"), "after"))
        limit = int(number(call.query("limit", str(SOME)), "limit"))
        wait = number(call.query("wait", "0"), "wait")
        host = call.query("host").removeprefix("::ffff:")
        if host and not is_address(host):
            raise BadRequest("host is no address")
        # Whoever comes back after we have started anew knows of revisions that are yet to come.
        known = after if after <= self._journal.revision else 0
        return Wanted(known, host, max(1, min(limit, MOST)), min(wait, LONGEST))

    def _found(self, wanted: Wanted) -> tuple[int, list[Entry]]:
        """What is to be told, and the revision to go on from."""
        found = [entry for entry in self._journal if wanted.concerns(entry)]
        # Who follows gets all in their order; who begins, the last ones.
        given = found[: wanted.limit] if wanted.after else found[-wanted.limit :]
        cut = bool(wanted.after) and len(found) > len(given)
        return (given[-1].revision if cut else self._journal.revision), given

    def _render(self, wanted: Wanted) -> Answer | Deferred[Answer]:
        revision, given = self._found(wanted)
        if len(given) > SOME:
            return Deferred.fromCoroutine(self._render_many(revision, given))
        return self._told(revision, map(self._chronicle.entry, given))

    async def _render_many(self, revision: int, given: list[Entry]) -> Answer:
        """So that others get their turn in between."""
        told: list[dict[str, Any]] = []
        for start in range(0, len(given), SOME):
            told += map(self._chronicle.entry, given[start : start + SOME])
            await deferLater(self._clock, 0)
        return self._told(revision, told)

    def _told(self, revision: int, entries: Iterable[dict[str, Any]]) -> Answer:
        return json_answer(
            {"started": self._started, "revision": revision, "entries": list(entries)}
        )

    # Waiting

    def _wait(self, wanted: Wanted) -> Deferred[Answer]:
        answer: Deferred[Answer] = Deferred(lambda _: self._forget(poller))
        timer = self._clock.callLater(wanted.wait, lambda: self._tell(poller))
        # He comes back for what is more than that.
        poller = Poller(evolve(wanted, limit=min(wanted.limit, SOME)), answer, timer)
        self._pollers.add(poller)
        if self._unwatch is None:
            self._unwatch = self._journal.watch(self._heard)
        return answer

    def _heard(self, entry: Entry) -> None:
        for poller in self._pollers:
            if not poller.has_news and poller.wanted.concerns(entry):
                poller.has_news = True
                left = poller.timer.getTime() - self._clock.seconds()
                poller.timer.reset(max(0.0, min(TOGETHER, left)))

    def _tell(self, poller: Poller) -> None:
        self._forget(poller)
        revision, given = self._found(poller.wanted)
        poller.answer.callback(self._told(revision, map(self._chronicle.entry, given)))

    def _forget(self, poller: Poller) -> None:
        self._pollers.discard(poller)
        if poller.timer.active():
            poller.timer.cancel()
        if not self._pollers and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None


def host_of(entry: Entry) -> str:
    """Whose entry it is; empty for what is about this box."""
    return entry.host if isinstance(entry, Contact) else ""


def anybody(_: Call) -> Any:
    """For a socket that only those can open who may see everything."""
