"""What pages are told while they are open: of each thing the newest change, in one order."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from attrs import frozen
from twisted.logger import Logger
from zope.interface import implementer

from bumper_tw.interfaces import IFeed, Undo

#: Of as many things the newest change is known.
MOST = 5000

#: A place in the order, as pages say it: which run of this program, and the number in it.
POSITION = re.compile(r"([0-9A-Za-z]{1,64})-([0-9]{1,15})")


@frozen
class Change:
    """
    Something is like this now.

    @ivar number: its place in the order of all changes of this run.
    @ivar key: what it is about.
    @ivar kind: what pages listen for by.
    @ivar value: what JSON can write.
    """

    number: int
    key: str
    kind: str
    value: Any


Listener = Callable[[Change], None]


@implementer(IFeed)
class Feed:
    """
    All in memory.

    Who has rendered a page at a L{position}, and asks for what came L{since} in the same turn
    of the reactor as he begins to L{listen}, hears the newest of everything, and each change
    once.  What was dropped he does not hear of; whoever drops something that is on pages puts
    a change of another key that says so.
    """

    _log = Logger()

    def __init__(self, epoch: str, most: int = MOST) -> None:
        """
        @param epoch: stands for this run: letters and digits that no other run had.
        @param most: of so many things the newest change is known.
        """
        self._epoch, self._most = epoch, most
        self._number = 0
        # What whoever is at an older place cannot be told any more.
        self._floor = 0
        # In the order of numbers: what changes again goes to the end.
        self._newest: dict[str, Change] = {}
        self._listeners: dict[object, tuple[int, Listener]] = {}
        self._untold: deque[Change] = deque()
        self._telling = False

    def __len__(self) -> int:
        """Of how many things something is known."""
        return len(self._newest)

    @property
    def position(self) -> str:
        return self.place(self._number)

    def place(self, number: int) -> str:
        """The position of a change."""
        return f"{self._epoch}-{number}"

    def put(self, key: str, kind: str, value: Any) -> None:
        self._number += 1
        change = Change(self._number, key, kind, value)
        self._newest.pop(key, None)
        self._newest[key] = change
        if len(self._newest) > self._most:
            self._floor = self._newest.pop(next(iter(self._newest))).number
        self._untold.append(change)
        self._tell_all()

    def drop(self, key: str) -> None:
        # The floor stays: nobody has to hear of what is no more.
        self._newest.pop(key, None)

    def listen(self, listener: Listener) -> Undo:
        """Hear every change from now on, in their order."""
        token = object()
        self._listeners[token] = (self._number, listener)

        def undo() -> None:
            self._listeners.pop(token, None)

        return undo

    def since(self, position: str) -> list[Change] | None:
        """
        What is newer than what somebody has heard, in its order.

        @param position: of the newest change that he knows of, or at which his page was made.
        @return: C{None} if nobody can tell any more: he has to begin anew.
        """
        number = self._number_of(position)
        if number is None or not self._floor <= number <= self._number:
            return None
        newest = reversed(self._newest.values())
        return list(takewhile(lambda change: change.number > number, newest))[::-1]

    def _number_of(self, position: str) -> int | None:
        found = POSITION.fullmatch(position)
        return int(found[2]) if found and found[1] == self._epoch else None

    def _tell_all(self) -> None:
        # A listener may put something itself: the others hear that behind what it is due to.
        if self._telling:
            return
        self._telling = True
        try:
            while self._untold:
                self._tell(self._untold.popleft())
        finally:
            self._telling = False

    def _tell(self, change: Change) -> None:
        for listener in self._listeners_of(change):
            try:
                listener(change)
            except Exception:  # noqa: BLE001 - a bulkhead of the architecture
                self._log.failure("a page was not told of {kind}", kind=change.kind)

    def _listeners_of(self, change: Change) -> Iterator[Listener]:
        """Who is there still, and has not had the change by L{since}."""
        for token in list(self._listeners):
            number, listener = self._listeners.get(token, (change.number, None))
            if listener is not None and change.number > number:
                yield listener
