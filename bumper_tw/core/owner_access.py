"""
The owner of the box: one password, the browsers he is logged in with, the tokens of his scripts.

He has no account, and nothing of his is known to any vendor: so here the hash is over the password
itself, not over what an app makes of it.
"""

import hashlib
import unicodedata
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.allowance import Allowance
from bumper_tw.core.api_tokens import ApiTokens
from bumper_tw.core.owner_code import GOOD_FOR, OwnerCode
from bumper_tw.core.owner_sessions import (
    Arrival,
    Opened,
    OwnerSessions,
    Session,
    is_known,
)
from bumper_tw.core.passwords import Passwords
from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import Shelf
from bumper_tw.core.throttle import Guess, Throttle, TooManyAttempts
from bumper_tw.errors import BadRequest, LoginRefused, StorageError
from bumper_tw.interfaces import IRecordStore

SHELF, KEY = "owner", "password"

#: How long a password may be, in characters.
SHORTEST, LONGEST = 8, 200

#: How the throttle calls what is guessed.
PASSWORD, CODE = "password", "code"

#: As many wrong passwords may come within so many seconds from all addresses together: whoever has
#: a whole network at hand guesses no faster.  He would lock out the owner, too: so browsers in
#: which he was let in before have nothing to do with that, nor with their addresses.
GUESSES, GUESS_SECONDS = 100, 60.0

#: As many refused logins are in the log, and in how many seconds.
REFUSED_LINES, REFUSED_SECONDS = 5, 60.0

#: Seconds between two lines that somebody guesses.
GUESS_LINE_SECONDS = 600.0

#: Seconds between two lines with the code.
CODE_SECONDS = 60.0

EPOCH_BYTES = 8


@frozen
class Password:
    """
    What is kept of the password.

    @ivar hashed: by L{bumper_tw.core.passwords}.
    @ivar epoch: random; another password has another one.
    @ivar at: when it was set, in seconds since the epoch.
    """

    hashed: str
    epoch: str
    at: float


def prepared(password: str) -> str:
    """
    A password as it is hashed: however a keyboard composes its letters, and of one length, as
    inside of scrypt short texts are filled up with zeros.

    @raise LoginRefused: it is longer than any.
    """
    if len(password) > LONGEST:
        raise LoginRefused("that is not the password")
    normal = unicodedata.normalize("NFC", password)
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()


def checked_password(password: str) -> str:
    """
    A new password, when it is a good one.

    @raise BadRequest: it is too short, too long, or one letter many times.
    """
    if len(password) < SHORTEST:
        raise BadRequest(f"the password has fewer than {SHORTEST} characters")
    if len(password) > LONGEST:
        raise BadRequest(f"the password has more than {LONGEST} characters")
    if len(set(password)) == 1:
        raise BadRequest("the password is one character many times")
    return password


class OwnerAccess:
    """
    Who the owner is.

    @ivar code: proves it as long as there is no password.
    @ivar sessions: browsers that are logged in.
    @ivar tokens: of scripts.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: IRecordStore,
        passwords: Passwords,
        throttle: Throttle,
        random_hex: Callable[[int], str],
        random_text: Callable[[int], str],
        session_seconds: Callable[[], float],
    ) -> None:
        """
        @param random_hex: so many random bytes, in hexadecimal.
        @param random_text: the same in the Base64 of URLs.
        @param session_seconds: for so long a browser may do nothing.
        """
        self._clock, self._passwords, self._throttle = clock, passwords, throttle
        self._random_hex = random_hex
        self._shelf = Shelf(store, SHELF, Password, 1)
        self.code = OwnerCode(clock, random_hex)
        self.sessions = OwnerSessions(clock, store, random_hex, session_seconds)
        self.tokens = ApiTokens(clock, store, random_text)
        self._code_lines = Allowance(clock, 1, CODE_SECONDS)
        self._guesses = Allowance(clock, GUESSES, GUESS_SECONDS)
        self._refused_lines = Allowance(clock, REFUSED_LINES, REFUSED_SECONDS)
        self._guess_lines = Allowance(clock, 1, GUESS_LINE_SECONDS)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        parts = (self._shelf, self.sessions, self.tokens)
        return settled([part.load(store) for part in parts])

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        parts = (self._shelf, self.sessions, self.tokens)
        return settled([part.flush() for part in parts])

    @property
    def is_set(self) -> bool:
        """Whether there is a password."""
        return KEY in self._shelf

    @property
    def set_at(self) -> float:
        """When it was set, in seconds since the epoch; 0 if it was not."""
        kept = self._shelf.get(KEY)
        return kept.at if kept else 0.0

    @property
    def epoch(self) -> str:
        """Of the password; empty if there is none."""
        kept = self._shelf.get(KEY)
        return kept.epoch if kept else ""

    def session(self, token: str, secure: bool) -> Session | None:
        """The browser that has this text; see L{OwnerSessions.find}."""
        return self.sessions.find(token, secure, self.epoch)

    def browsers(self) -> list[Session]:
        """Those that are logged in, the oldest first."""
        return self.sessions.listed(self.epoch)

    # The first visit

    def invite(self) -> None:
        """Somebody stands before the door of a box that has no owner: the log tells the code."""
        if not self.is_set and self._code_lines.left >= 1:
            self._code_lines.take()
            # Above what may be left out of the log: without this line nobody gets in.
            self._log.warn(
                "the code for the first visit is {code}; it is good for {minutes} minutes",
                code=self.code.current(),
                minutes=round(GOOD_FOR / 60),
            )

    def claim(self, code: str, password: str, arrival: Arrival) -> Deferred[Opened]:
        """
        Become the owner.

        @return: the first session.  Fails with L{LoginRefused} when the code is wrong or there is
            an owner already, with L{BadRequest} when the password is a bad one, and with
            L{StorageError}; then nothing has changed.
        """
        return Deferred.fromCoroutine(self._claim(code, password, arrival))

    async def _claim(self, code: str, password: str, arrival: Arrival) -> Opened:
        self._check_code(code, arrival)
        prepared_text = prepared(checked_password(password))
        hashed = await self._passwords.hashed(prepared_text)
        # Meanwhile somebody else may have been faster.
        self._check_code(code, arrival)
        self.code.burn()
        await self._keep(self._fresh(hashed))
        self._log.info("the owner's password is set, from {peer}", peer=arrival.peer)
        return self.sessions.open(arrival, self.epoch)

    def _check_code(self, code: str, arrival: Arrival) -> None:
        guess = self._throttle.guess(arrival.peer, CODE)
        if self.is_set:
            raise LoginRefused("there is a password already; log in with it")
        try:
            self.code.check(code)
        except LoginRefused:
            guess.wrong()
            self._refused(CODE, arrival)
            raise

    # From then on

    def login(self, password: str, arrival: Arrival) -> Deferred[Opened]:
        """
        Log a browser in.

        @return: fails with L{LoginRefused}, which after many wrong ones is
            L{TooManyAttempts<bumper_tw.core.throttle.TooManyAttempts>}.
        """
        return Deferred.fromCoroutine(self._login(password, arrival))

    async def _login(self, password: str, arrival: Arrival) -> Opened:
        kept = await self._proven(password, arrival)
        self._log.info(
            "the owner is logged in, from {peer} with {browser}",
            peer=arrival.peer,
            browser=arrival.label,
        )
        return self.sessions.open(arrival, kept.epoch)

    def change_password(self, old: str, new: str, arrival: Arrival) -> Deferred[Opened]:
        """
        Take another password; all browsers have to log in with it.

        @return: a session for the browser that asked.  Fails as L{login} and L{claim} do.
        """
        return Deferred.fromCoroutine(self._change(old, new, arrival))

    async def _change(self, old: str, new: str, arrival: Arrival) -> Opened:
        checked_password(new)
        kept = await self._proven(old, arrival)
        hashed = await self._passwords.hashed(prepared(new))
        self._check_same(kept)
        await self._keep(self._fresh(hashed))
        self._log.info("the owner's password is changed, from {peer}", peer=arrival.peer)
        self.sessions.end_all().addErrback(_not_yet)
        return self.sessions.open(arrival, self.epoch)

    def reset(self) -> Deferred[None]:
        """
        Forget the password, and all browsers with it; tokens stay.

        @return: fires when that is on disk.  Fails with L{StorageError}; then it stays.
        """
        return Deferred.fromCoroutine(self._reset())

    async def _reset(self) -> None:
        await self._keep(None)
        self._log.warn("the owner's password is removed; the next visit sets another one")
        # Whatever becomes of it: without the password that opened them they are good no more.
        self.sessions.end_all().addErrback(_not_yet)

    async def _proven(self, password: str, arrival: Arrival) -> Password:
        """
        What is kept, when that is the password.

        @raise LoginRefused: it is not.
        """
        kept = self._shelf.get(KEY)
        if is_known(arrival.known, self.epoch):
            guess = self._throttle.guess(f"browser {arrival.known}", PASSWORD)
            right = await self._compare(password, kept, guess)
        else:
            guess = self._throttle.guess(arrival.peer, PASSWORD)
            right = await self._strangers(password, kept, guess)
        if kept is None or not right:
            self._refused(PASSWORD, arrival)
            raise LoginRefused("that is not the password")
        self._check_same(kept)
        return kept

    def _compare(self, password: str, kept: Password | None, guess: Guess) -> Deferred[bool]:
        return self._passwords.check(prepared(password), kept.hashed if kept else None, guess)

    async def _strangers(self, password: str, kept: Password | None, guess: Guess) -> bool:
        """
        The same for a browser that nobody was let in with.

        @raise TooManyAttempts: all of them together were wrong too often.
        """
        if self._guesses.left < 1:
            self._guessed()
            raise TooManyAttempts("too many wrong passwords; wait a minute")
        # First, as many may be looked at together; what was not found wrong is given back.
        self._guesses.take()
        wrong = False
        try:
            right = await self._compare(password, kept, guess)
            wrong = not right
        finally:
            self._guesses.take(0 if wrong else -1)
        return right

    def _guessed(self) -> None:
        if self._guess_lines.left >= 1:
            self._guess_lines.take()
            self._log.warn(
                "somebody guesses the password for the pages, from many addresses; for now it is "
                "taken only from browsers that were logged in before"
            )

    def _check_same(self, kept: Password) -> None:
        """
        Hashing takes a while.

        @raise LoginRefused: there is another password by now.
        """
        if self.epoch != kept.epoch:
            raise LoginRefused("the password was changed just now")

    def _fresh(self, hashed: str) -> Password:
        return Password(hashed, self._random_hex(EPOCH_BYTES), self._clock.seconds())

    async def _keep(self, kept: Password | None) -> None:
        """Memory and disk have the same, or stay as they were."""
        before = self._shelf.get(KEY)
        try:
            await self._put(kept)
        except StorageError:
            self._put(before).addErrback(_not_yet)
            raise

    def _put(self, kept: Password | None) -> Deferred[None]:
        return self._shelf.drop(KEY) if kept is None else self._shelf.put(KEY, kept)

    def _refused(self, what: str, arrival: Arrival) -> None:
        if self._refused_lines.left >= 1:
            self._refused_lines.take()
            self._log.warn("wrong {what} for the pages, from {peer}", what=what, peer=arrival.peer)


def _not_yet(failure: Failure) -> None:
    """The shelf tries again."""
    failure.trap(StorageError)
