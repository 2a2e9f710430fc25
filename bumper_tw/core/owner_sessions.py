"""
Browsers in which the owner is logged in.

A browser has a random text; here is only its digest, so a stolen database opens nothing.
"""

import hashlib
import hmac
from collections.abc import Callable

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.shelf import Shelf
from bumper_tw.errors import StorageError
from bumper_tw.interfaces import IRecordStore

SHELF = "owner sessions"

#: As many browsers at once; the one that was away longest goes.
MOST = 50

#: 256 bits.
TOKEN_BYTES = 32

#: Of what only tells one browser from others.
KNOWN_BYTES = 16

#: What browsers keep is no longer.
LONGEST = 200

#: Seconds after which it is worth a write that a browser is still there.
COARSE = 600.0


@frozen
class Arrival:
    """
    Where somebody comes from who wants to be let in.

    @ivar peer: an address.
    @ivar label: his browser in a few words, fit to be shown.
    @ivar secure: whether it is over TLS.
    @ivar known: what his browser got when he was let in before; empty for nothing.
    """

    peer: str
    label: str = ""
    secure: bool = False
    known: str = ""


@frozen
class Session:
    """
    One browser.

    @ivar id: the digest of its text; opens nothing.
    @ivar epoch: of the password that opened it; another password ends it.
    @ivar since: seconds since the epoch.
    @ivar seen: the same, to some ten minutes.
    """

    id: str
    epoch: str
    label: str
    peer: str
    secure: bool
    since: float
    seen: float


@frozen
class Opened:
    """
    A session that has just begun, and its text, which is told once.

    @ivar known: what tells later that this browser was let in; see L{is_known}.
    """

    token: str
    session: Session
    known: str


def digest_of(text: str) -> str:
    """What is kept of a random text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def csrf_of(token: str) -> str:
    """
    What a change has to come with besides the cookie: only who reads our pages knows it.  It is
    made of the cookie, so it is as secret, and nothing of it is kept.
    """
    return hmac.new(token.encode("utf-8", "replace"), b"csrf", hashlib.sha256).hexdigest()


def known_again(name: str, epoch: str) -> str:
    """
    What a browser keeps of having been let in, also when it is logged in no more.  It opens
    nothing, and nothing of it is kept here: it is made with what nobody else knows, and with
    another password it is good no more.

    @param name: random.
    """
    proof = hmac.new(epoch.encode(), b"known" + name.encode("utf-8", "replace"), hashlib.sha256)
    return f"{name}.{proof.hexdigest()}"


def is_known(text: str, epoch: str) -> bool:
    """Whether a browser was let in with the password of that epoch."""
    if not epoch or not 0 < len(text) <= LONGEST:
        return False
    expected = known_again(text.partition(".")[0], epoch)
    return hmac.compare_digest(expected.encode(), text.encode("utf-8", "replace"))


class OwnerSessions:
    """All of them, in memory and on disk."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: IRecordStore,
        random_hex: Callable[[int], str],
        seconds: Callable[[], float],
    ) -> None:
        """
        @param seconds: for so long a browser may do nothing.
        """
        self._clock, self._random_hex, self._seconds = clock, random_hex, seconds
        self._shelf = Shelf(store, SHELF, Session, 2 * MOST)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return self._shelf.load(store)

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        return self._shelf.flush()

    def open(self, arrival: Arrival, epoch: str) -> Opened:
        """
        Begin one, with a text that nobody has had before.  A disk that is full does not keep the
        owner out; then it lasts until the next start.
        """
        token, now = self._random_hex(TOKEN_BYTES), self._clock.seconds()
        session = Session(
            digest_of(token), epoch, arrival.label, arrival.peer, arrival.secure, now, now
        )
        self._quietly(self._shelf.drop(*self._surplus(epoch)))
        self._quietly(self._shelf.put(session.id, session))
        return Opened(token, session, known_again(self._random_hex(KNOWN_BYTES), epoch))

    def _surplus(self, epoch: str) -> list[str]:
        good = sorted(self.listed(epoch), key=lambda session: session.seen)
        gone = {each.id for each in self._shelf} - {each.id for each in good}
        return [*gone, *(each.id for each in good[: max(0, len(good) - MOST + 1)])]

    def find(self, token: str, secure: bool, epoch: str) -> Session | None:
        """
        Whose text that is; C{None} for nobody's, or when it was away too long.

        @param secure: a text that went over the air in clear text is worth nothing over TLS, and
            one that has not is not to.
        """
        if not token or len(token) > LONGEST:
            return None
        session = self._shelf.get(digest_of(token))
        if session is None or session.secure != secure or not self._is_good(session, epoch):
            return None
        return self._seen(session)

    def listed(self, epoch: str) -> list[Session]:
        """Those that are good, the oldest first."""
        return [session for session in self._shelf if self._is_good(session, epoch)]

    def end(self, session_id: str) -> Deferred[None]:
        """End one, at once; fires when that is on disk.  An unknown one is fine."""
        return self._shelf.drop(session_id)

    def end_all(self, but: str = "") -> Deferred[None]:
        """
        End all.

        @param but: except that one, by its id.
        """
        return self._shelf.drop_where(lambda session: session.id != but)

    def _is_good(self, session: Session, epoch: str) -> bool:
        fresh = self._clock.seconds() - session.seen <= self._seconds()
        return bool(epoch) and session.epoch == epoch and fresh

    def _seen(self, session: Session) -> Session:
        now = self._clock.seconds()
        # Also where the clock was set back: it would never be too old.
        if abs(now - session.seen) < COARSE:
            return session
        session = evolve(session, seen=now)
        self._quietly(self._shelf.put(session.id, session))
        return session

    def _quietly(self, written: Deferred[None]) -> None:
        written.addErrback(self._not_written)

    def _not_written(self, failure: Failure) -> None:
        """The shelf tries again."""
        failure.trap(StorageError)
        self._log.warn("a login is not on disk yet: {why}", why=failure.getErrorMessage())
