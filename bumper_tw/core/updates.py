"""
Who asked for newer software; there never is any, unless the owner lets one thing through.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import Shelf, key_of
from bumper_tw.core.tallies import Tallies, Tally
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore

#: As many attempts are kept.
MOST = 1000
#: Seconds that somebody who was allowed an update may take to ask for it.
ALLOWED_FOR = 86_400.0
#: As long may anything be that a stranger says.
LONGEST = 64

#: The names on disk.
ATTEMPTS, ALLOWED = "update attempts", "updates allowed"


@frozen
class Attempt(Tally):
    """
    Somebody asked for an update.

    @ivar did: the robot; empty for whoever cannot be told to be one.
    @ivar model: its class, as far as it is known.
    @ivar peer: the address that was asked from, if it is not known to be a robot.
    @ivar kind: C{firmware}, C{address} of the machine that has it, C{bundle} of screens, or
        C{app}.
    @ivar module: what of it.
    @ivar version: what it has.
    """

    did: str = ""
    model: str = ""
    peer: str = ""
    kind: str = ""
    module: str = ""
    version: str = ""


@frozen
class Allowance:
    """The owner lets one robot have one update; C{at} in seconds since the epoch."""

    did: str
    at: float


class Updates:
    """
    Remembers attempts and what was allowed.

    @ivar counts: attempts since the start, by kind.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: IRecordStore) -> None:
        self._clock = clock
        self.counts: Counter[str] = Counter()
        self._attempts = Tallies(clock, store, ATTEMPTS, Attempt, MOST)
        self._allowed: Shelf[Allowance] = Shelf(store, ALLOWED, Allowance, MOST)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left, and what was allowed meanwhile."""
        return settled([self._attempts.load(store), self._allowed.load(store)])

    def flush(self) -> Deferred[Any]:
        """Write what has been counted, and that what was allowed is used."""
        return settled([self._attempts.flush(), self._allowed.flush()])

    def note(
        self,
        kind: str,
        peer: str,
        did: str = "",
        model: str = "",
        module: str = "",
        version: str = "",
    ) -> None:
        """Somebody asked; see L{Attempt}."""
        self.counts[kind] += 1
        model, module, version = tidy(model), tidy(module), tidy(version)
        told = "" if did else peer
        key = key_of(tidy(did), model, told, kind, module, version)
        if self._attempts.again(key):
            return
        attempt = Attempt(
            did=tidy(did), model=model, peer=told, kind=kind, module=module, version=version
        )
        if self._attempts.add(key, attempt, peer, whose):
            self._log.info(
                "{who} asks for a newer {kind} {module} than {version}: it has to stay",
                who=did or f"{peer} {model}".strip(),
                kind=kind,
                module=module,
                version=version or "none",
            )

    def attempts(self) -> list[Attempt]:
        """All that are known, the first in front."""
        return list(self._attempts)

    def of(self, did: str) -> list[Attempt]:
        """Those of one robot."""
        return [attempt for attempt in self._attempts if attempt.did == did]

    def forget(self, did: str) -> Deferred[Any]:
        """A robot is gone."""
        gone = self._attempts.drop_where(lambda attempt: attempt.did == did)
        return settled([gone, self._allowed.drop(did)])

    def allow(self, did: str) -> Deferred[None]:
        """Let one update through to a robot, within a day."""
        return self._allowed.put(did, Allowance(did, self._clock.seconds()))

    def disallow(self, did: str) -> Deferred[None]:
        """Let nothing through to a robot after all."""
        return self._allowed.drop(did)

    def allowed(self, did: str) -> bool:
        """Whether the next update would be let through."""
        allowance = self._allowed.get(did)
        past = -1.0 if allowance is None else self._clock.seconds() - allowance.at
        return 0 <= past < ALLOWED_FOR

    def take(self, did: str, find: Callable[[], bytes | None]) -> bytes | None:
        """
        The one update that was allowed; the next one is not.

        @param find: gives what the owner has for this robot.
        @return: C{None} when there is none, or none was allowed.
        """
        if not self.allowed(did):
            return None
        found = find()
        if found is None:
            self._log.warn("an update of {did} is allowed, but there is none for it", did=did)
            return None
        # The shelf knows that it is used, even if the disk does not yet.
        self._allowed.drop(did).addErrback(self._unwritten)
        self._log.warn("{did} gets the update that was allowed once", did=did)
        return found

    def _unwritten(self, failure: Failure) -> None:
        failure.trap(StorageError)
        self._log.warn(
            "an update stays allowed on disk for now: {why}", why=failure.getErrorMessage()
        )


def whose(attempt: Attempt) -> str:
    """Who made an attempt."""
    return attempt.did or attempt.peer


def tidy(text: str) -> str:
    """What somebody said, in one line that ends."""
    return "".join(letter for letter in text[:LONGEST] if letter.isprintable())
