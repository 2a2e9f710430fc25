"""The journal over HTTP: what has changed, at once or as soon as something does."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.errors import BadRequest
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Entry
from bumper_tw.web.api import failure, number
from bumper_tw.web.call import Answer, Call, is_address
from bumper_tw.web.journal_entries import JournalEntries
from bumper_tw.web.routes import GET, Route, guarded

#: Entries in one answer; and when nobody says how many.
MOST, SOME = 300, 200

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
    @ivar before: nothing that was changed after that revision, or with it; 0 for no such limit.
    @ivar host: only contacts from that address; empty for everything.
    @ivar limit: as many entries.
    @ivar wait: seconds, when there is nothing yet.
    @ivar full: leave nothing out.
    """

    after: int
    before: int
    host: str
    limit: int
    wait: float
    full: bool = False

    def concerns(self, entry: Entry) -> bool:
        """Whether it is about that entry, as it is now."""
        return (
            entry.revision > self.after
            and (not self.before or entry.revision < self.before)
            and (not self.host or host_of(entry) == self.host)
        )


@define(eq=False)
class Poller:
    """Somebody who waits."""

    wanted: Wanted
    woken: Deferred[None]
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
        self._entries = JournalEntries(clock, chronicle)
        self._pollers: set[Poller] = set()
        self._unwatch: Callable[[], None] | None = None

    def routes(self) -> tuple[Route, ...]:
        """C{/api/journal}."""
        return (Route("/api/journal", GET, guarded(self._guard, self.show), failure),)

    def show(self, call: Call) -> Answer | Deferred[Answer]:
        """What has changed since somebody asked last."""
        wanted = self._wanted(call)
        news = not wanted.wait or next(self._latest(wanted), None) is not None
        if news or len(self._pollers) >= self._most:
            return self._render(wanted)
        return self._wait(wanted)

    def stop(self) -> None:
        """Whoever waits is answered now, and nobody waits any more."""
        self._most = 0
        for poller in list(self._pollers):
            self._wake(poller)

    def _wanted(self, call: Call) -> Wanted:
        after = int(number(call.query("after", "0"), "after"))
        before = int(number(call.query("before", "0"), "before"))
        limit = int(number(call.query("limit", str(SOME)), "limit"))
        wait = number(call.query("wait", "0"), "wait")
        host = call.query("host").removeprefix("::ffff:")
        full = call.query("full", "0")
        if host and not is_address(host):
            raise BadRequest("host is no address")
        if full not in {"0", "1"}:
            raise BadRequest("full is neither 0 nor 1")
        # Whoever comes back after we have started anew knows of revisions that are yet to come.
        known = after if after <= self._journal.revision else 0
        limit, wait = max(1, min(limit, MOST)), min(wait, LONGEST)
        return Wanted(known, before, host, limit, wait, full == "1")

    def _latest(self, wanted: Wanted) -> Iterator[Entry]:
        """What is to be told, what has changed last first."""
        for entry in self._journal.latest():
            if entry.revision <= wanted.after:
                return
            if wanted.concerns(entry):
                yield entry

    def _found(self, wanted: Wanted) -> tuple[int, list[Entry]]:
        """What is to be told, and the revision to go on from."""
        if not wanted.after:
            # Who begins, gets the last ones.
            last = list(islice(self._latest(wanted), wanted.limit))
            return self._journal.revision, last[::-1]
        # Who follows gets all in their order.
        found = list(self._latest(wanted))[::-1]
        given = found[: wanted.limit]
        return (given[-1].revision if len(found) > len(given) else self._journal.revision), given

    def _render(self, wanted: Wanted) -> Answer | Deferred[Answer]:
        revision, given = self._found(wanted)
        texts = self._entries.told(given, wanted.full)
        if isinstance(texts, list):
            return self._told(revision, texts)
        return Deferred.fromCoroutine(texts).addCallback(lambda made: self._told(revision, made))

    def _told(self, revision: int, entries: Sequence[bytes]) -> Answer:
        head = to_json({"started": self._started, "revision": revision, "entries": []})
        return Answer(b"".join((head.removesuffix(b"]}"), b",".join(entries), b"]}")))

    # Waiting

    def _wait(self, wanted: Wanted) -> Deferred[Answer]:
        woken: Deferred[None] = Deferred(lambda _: self._forget(poller))
        timer = self._clock.callLater(wanted.wait, lambda: self._wake(poller))
        # He comes back for what is more than that.
        poller = Poller(evolve(wanted, limit=min(wanted.limit, SOME)), woken, timer)
        self._pollers.add(poller)
        if self._unwatch is None:
            self._unwatch = self._journal.watch(self._heard)
        return woken.addCallback(lambda _: self._render(poller.wanted))

    def _heard(self, entry: Entry) -> None:
        for poller in self._pollers:
            if not poller.has_news and poller.wanted.concerns(entry):
                poller.has_news = True
                left = poller.timer.getTime() - self._clock.seconds()
                poller.timer.reset(max(0.0, min(TOGETHER, left)))

    def _wake(self, poller: Poller) -> None:
        self._forget(poller)
        poller.woken.callback(None)

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
