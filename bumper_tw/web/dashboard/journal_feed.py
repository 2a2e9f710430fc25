"""What happens in the journal, for pages that are open; a burst of it costs little."""

from collections import OrderedDict

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Entry
from bumper_tw.interfaces import IFeed
from bumper_tw.web.dashboard.house_journal import called, is_visit
from bumper_tw.web.dashboard.house_words import Named

#: Entries that pages are told of; older ones are dropped.
KEPT = 300

#: Seconds for which changes wait, so that a connection that comes and goes is told once.
PAUSE = 0.25

#: As many are told in one turn: of each it has to be found out what it means.
AT_ONCE = 10

#: As many wait to be told; of a burst the newest.
WAITING = 200


class JournalFeed(Service):
    """Watches the journal and puts entries into the feed."""

    def __init__(
        self, clock: IReactorTime, chronicle: Chronicle, feed: "IFeed", named: Named = str
    ) -> None:
        """
        @param named: what robots are called.
        """
        self.setName("journal for pages")
        self._named = named
        self._clock, self._chronicle, self._feed = clock, chronicle, feed
        self._waiting: OrderedDict[str, Entry] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._timer: IDelayedCall | None = None
        self._unwatch = lambda: None

    def startService(self) -> None:
        super().startService()
        self._unwatch = self._chronicle.journal.watch(self._heard)

    def stopService(self) -> None:
        super().stopService()
        self._unwatch()
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _heard(self, entry: Entry) -> None:
        key = feed_key(entry)
        self._waiting[key] = entry
        self._waiting.move_to_end(key)
        if len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)
        if self._timer is None:
            self._timer = self._clock.callLater(PAUSE, self._tell)

    def _tell(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._put(*self._waiting.popitem(last=False))
        self._timer = self._clock.callLater(PAUSE, self._tell) if self._waiting else None

    def _put(self, key: str, entry: Entry) -> None:
        value = called(self._chronicle.entry(entry), self._named)
        self._feed.put(key, "journal", {**value, "visit": is_visit(value)})
        self._told[key] = None
        self._told.move_to_end(key)
        if len(self._told) > KEPT:
            oldest, _ = self._told.popitem(last=False)
            self._feed.drop(oldest)


def feed_key(entry: Entry) -> str:
    """What an entry is called in the feed."""
    number = f"c{entry.number}" if isinstance(entry, Contact) else f"r{entry.revision}"
    return f"journal {number}"
