"""One page that is open, and what it is told (HTML standard, 9.2, server-sent events)."""

from collections.abc import Callable

from bumper_tw.core.feed import Change, Feed
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.interfaces import Undo
from bumper_tw.people_interfaces import IPermits
from bumper_tw.web.dashboard.cards import Card
from bumper_tw.web.streams import Outlet

#: Bytes that wait for a browser that does not keep up; beyond that it has to begin anew.
BACKLOG = 1 << 18
#: Milliseconds after which a browser comes back that has lost its connection.
RETRY = 2000

#: Kinds that are about one robot, and say which.
OF_ROBOTS = frozenset({"robot", "gone", "place", "trace", "map", "command"})


def spelled(kind: str, position: str, value: object) -> bytes:
    """One event; compact JSON is one line."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), position.encode(), to_json(value))


class Script:
    """Events as they are sent; each is written out once, however many pages hear it."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._change: Change | None = None
        self._text = b""

    def of(self, change: Change) -> bytes:
        """A change as an event."""
        if change is not self._change:
            self._change = change
            place = self._feed.place(change.number)
            self._text = spelled(change.kind, place, change.value)
        return self._text


class Hearing:
    """
    What one listener may hear.

    @ivar kinds: that are for him at all; C{None} for all.
    @ivar robots: that he has to do with.
    """

    def __init__(
        self, kinds: frozenset[str] | None, permits: IPermits, uid: str, robots: set[str]
    ) -> None:
        """
        @param robots: when he begins to listen.
        """
        self.kinds, self._permits, self._uid = kinds, permits, uid
        self.robots = robots

    def kind(self, kind: str) -> bool:
        """Whether that is for him at all."""
        return self.kinds is None or kind in self.kinds

    def may(self, change: Change) -> bool:
        """Whether he may hear this."""
        if not self.kind(change.kind):
            return False
        return change.kind not in OF_ROBOTS or self._robot(change)

    def _robot(self, change: Change) -> bool:
        did = change.value.get("did", "")
        if change.kind == "gone":
            # Nobody may use it any more.
            return did in self.robots
        may = self._permits.may_use(self._uid, did)
        if may:
            self.robots.add(did)
        return may


class EventFlow:
    """
    Tells one page what is new.

    While the browser does not take anything, of each thing the newest change is kept for it.

    @ivar hearing: what it may hear.
    """

    def __init__(
        self,
        feed: Feed,
        script: Script,
        hearing: Hearing,
        position: str,
        cards: Callable[[], list[Card]],
    ) -> None:
        """
        @param position: where the page was made, or what it has heard last.
        @param cards: what a page needs that has to begin anew.
        """
        self._feed, self._script, self.hearing = feed, script, hearing
        self._position, self._cards = position, cards
        self._outlet: Outlet | None = None
        self._undo: list[Undo] = []
        self._waiting: dict[str, bytes] = {}
        self._size = 0
        self._anew = False

    def when_ended(self, undo: Undo) -> None:
        """Call that in the end."""
        self._undo.append(undo)

    def begin(self, outlet: Outlet) -> None:
        """See L{bumper_tw.web.streams.Flow}."""
        self._outlet = outlet
        # Both in one turn, so that there is neither a gap nor anything twice.
        self._undo.append(self._feed.listen(self._changed))
        missed = self._feed.since(self._position)
        self._anew = missed is None
        for change in missed or ():
            self._keep(change)
        outlet.write(b"retry: %d\n\n" % RETRY)
        self.resume()

    def resume(self) -> None:
        """See L{bumper_tw.web.streams.Flow}."""
        if self._outlet is None or self._outlet.paused:
            return
        if self._anew:
            self._begin_anew(self._outlet)
        elif self._waiting:
            self._outlet.write(b"".join(self._waiting.values()))
        self._waiting, self._size = {}, 0

    def _begin_anew(self, outlet: Outlet) -> None:
        self._anew = False
        cards = self._cards() if self.hearing.kind("robot") else []
        outlet.write(spelled("reset", self._feed.position, {"cards": cards}))

    def ended(self) -> None:
        """See L{bumper_tw.web.streams.Flow}."""
        self._outlet, self._waiting = None, {}
        while self._undo:
            self._undo.pop()()

    def end(self) -> None:
        """No more for this page."""
        if self._outlet is not None:
            self._outlet.end()

    def beat(self) -> None:
        """
        Say that the connection is alive, and where the feed is: a page that may hear little of
        it shall not have to begin anew when it comes back.
        """
        if self._outlet is not None and not self._outlet.paused:
            self._outlet.write(b": still here\nid: %b\n\n" % self._feed.position.encode())

    def _changed(self, change: Change) -> None:
        self._keep(change)
        self.resume()

    def _keep(self, change: Change) -> None:
        """Put a change where it waits; that is short, as long as the browser keeps up."""
        if self._anew or not self.hearing.may(change):
            return
        text = self._script.of(change)
        self._size += len(text) - len(self._waiting.pop(change.key, b""))
        self._waiting[change.key] = text
        if self._size > BACKLOG:
            self._waiting, self._size, self._anew = {}, 0, True
