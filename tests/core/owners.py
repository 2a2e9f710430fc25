"""A box with an owner, or still without one, whose disk can be full."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.owner_sessions import Arrival, Opened
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.throttle import Throttle
from bumper_tw.core.turns import Turns
from bumper_tw.errors import StorageError
from bumper_tw.storage.memory_records import MemoryRecordStore
from tests.core.lodging import at_once

NOW = 1_795_000_000.0
HOURS = 3600.0
WEEK = 168 * HOURS
WORD = "correct horse"
SOFA = Arrival("192.168.7.33", "Firefox on Linux")
PHONE = Arrival("192.168.7.44", "Safari on iPhone", secure=True)


@define
class MoodyStore(MemoryRecordStore):
    """A disk that is full now and then."""

    full: bool = False

    def save(self, shelf: str, records: Mapping[str, Any]) -> Deferred[None]:
        return fail(StorageError("full")) if self.full else super().save(shelf, records)

    def remove(self, shelf: str, keys: Iterable[str]) -> Deferred[None]:
        return fail(StorageError("full")) if self.full else super().remove(shelf, keys)


@define(eq=False)
class Box:
    """One box; what is random counts up."""

    clock: Clock = field(factory=Clock)
    store: MoodyStore = field(factory=MoodyStore)
    access: OwnerAccess = field(init=False)
    _numbers: Any = field(factory=lambda: count(1))

    def __attrs_post_init__(self) -> None:
        self.clock.advance(NOW)
        self.start()

    def start(self) -> None:
        """The server starts, again."""
        self.access = OwnerAccess(
            self.clock,
            self.store,
            Passwords(at_once, self.random_hex, Turns()),
            Throttle(self.clock),
            self.random_hex,
            self.random_hex,
            lambda: WEEK,
        )
        self.access.load(self.store)

    def random_hex(self, size: int) -> str:
        """Something that nobody has had before."""
        return f"{next(self._numbers):0{2 * size}x}"


class OwnerCase(SynchronousTestCase):
    """A box without an owner."""

    def setUp(self) -> None:
        self.box = Box()

    def claimed(self, word: str = WORD) -> Opened:
        """Somebody becomes the owner, on the sofa."""
        access = self.box.access
        return self.successResultOf(access.claim(access.code.current(), word, SOFA))

    def login(self, word: str = WORD, arrival: Arrival = SOFA) -> Deferred[Opened]:
        """Somebody tries to log in."""
        return self.box.access.login(word, arrival)

    def known(self, opened: Opened) -> bool:
        """Whether a browser is logged in."""
        session = opened.session
        return self.box.access.session(opened.token, session.secure) is not None
