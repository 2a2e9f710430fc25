"""Entries of the journal as JSON text, made once for all who ask, and a few at a time."""

from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Entry

#: As many are made before others get their turn: five milliseconds on a small board.
AT_ONCE = 10

#: As many texts are kept, of 3 kB at most, or 15 kB when nothing is left out.
KEPT = 400

#: Seconds that a text holds, if its entry does not change: others may, that tell who it is.
FRESH = 5.0

#: The number of the contact, or the revision of the remark; and whether nothing is left out.
Key = tuple[bool, int, bool]


@frozen
class Text:
    """
    What was made of an entry.

    @ivar revision: of the entry then.
    @ivar until: seconds since 1970.
    """

    revision: int
    until: float
    text: bytes


class JournalEntries:
    """Makes the texts; whoever asks for many, waits until nobody else does."""

    def __init__(self, clock: IReactorTime, chronicle: Chronicle) -> None:
        self._clock, self._chronicle, self._turns = clock, chronicle, DeferredLock()
        self._texts: OrderedDict[Key, Text] = OrderedDict()

    def told(
        self, entries: Sequence[Entry], full: bool
    ) -> list[bytes] | Coroutine[Any, Any, list[bytes]]:
        """
        Their texts.

        @param full: leave nothing out.
        """
        self._forget()
        missing = sum(self._kept(each, full) is None for each in entries)
        if missing <= AT_ONCE:
            return [self._text(each, full) for each in entries]
        return self._in_turn(entries, full)

    async def _in_turn(self, entries: Sequence[Entry], full: bool) -> list[bytes]:
        await self._turns.acquire()
        try:
            return await self._in_parts(entries, full)
        finally:
            self._turns.release()

    async def _in_parts(self, entries: Sequence[Entry], full: bool) -> list[bytes]:
        texts: list[bytes] = []
        made = 0
        for entry in entries:
            if self._kept(entry, full) is None:
                made += 1
                if made % AT_ONCE == 0:
                    await deferLater(self._clock, 0)
            texts.append(self._text(entry, full))
        return texts

    def _text(self, entry: Entry, full: bool) -> bytes:
        kept = self._kept(entry, full)
        if kept is not None:
            return kept
        text = to_json(self._chronicle.entry(entry, full))
        key = key_of(entry, full)
        self._texts.pop(key, None)
        self._texts[key] = Text(entry.revision, self._clock.seconds() + FRESH, text)
        if len(self._texts) > KEPT:
            self._texts.popitem(last=False)
        return text

    def _kept(self, entry: Entry, full: bool) -> bytes | None:
        found = self._texts.get(key_of(entry, full))
        if found is None or found.revision != entry.revision:
            return None
        return found.text if found.until > self._clock.seconds() else None

    def _forget(self) -> None:
        """What holds no more: it stands in front of what does."""
        now = self._clock.seconds()
        while self._texts and next(iter(self._texts.values())).until <= now:
            self._texts.popitem(last=False)


def key_of(entry: Entry, full: bool) -> Key:
    """What tells entries from each other."""
    if isinstance(entry, Contact):
        return True, entry.number, full
    return False, entry.revision, full
