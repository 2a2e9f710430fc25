"""The owner's password file, and the accounts of local services in it (mqtt.md 3.5)."""

import stat
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path

from attrs import field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from bumper_tw.core.password_hashes import MalformedHash, PasswordHash, read
from bumper_tw.core.passwords import InThread
from bumper_tw.core.policies import MAX_ACCOUNT
from bumper_tw.core.remembered import Remembered
from bumper_tw.core.throttle import Guess, Throttle
from bumper_tw.core.turns import OneByOne, Turns
from bumper_tw.errors import StartError, UnknownAccount

MAX_BYTES = 1 << 20
MAX_LINES = 10_000

#: Whoever names some other file by mistake is not told of each of its lines.
MAX_REPORTS = 100

#: What some editors begin a file with.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@frozen
class Entry:
    """
    One account.

    @ivar text: its hash as it stands in the file.
    @ivar hashed: that, understood; C{None} when it cannot be: then nobody gets in by it.
    """

    text: str
    hashed: PasswordHash | None = field(eq=False)


class PasswordFile:
    """Lines of C{user:hash}, as the last reading found them."""

    _log = Logger()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: Mapping[str, Entry] = {}
        self._usable: tuple[PasswordHash, ...] = ()

    def __len__(self) -> int:
        return len(self._entries)

    def load(self) -> frozenset[str]:
        """
        Read the file.  A bad line is reported, and locks nobody else out.

        @return: the users who are new or gone, or have another password than before: who
            came in under a new name did so by another password.
        @raise StartError: it cannot be read, or is no password file; the accounts stay.
        """
        entries, troubles = parsed(_contents(self._path))
        before, self._entries = self._entries, entries
        self._usable = tuple(entry.hashed for entry in entries.values() if entry.hashed)
        self._report(troubles)
        named = {*before, *entries}
        return frozenset(user for user in named if entries.get(user) != before.get(user))

    def reload(self) -> frozenset[str]:
        """The same while the server runs: a file that cannot be read changes nothing."""
        try:
            return self.load()
        except StartError as error:
            self._log.error("{error}; the accounts read before stay", error=error)
            return frozenset()

    def knows(self, user: str) -> bool:
        """Whether the file has something to say of C{user}, even if it cannot be read."""
        return user in self._entries

    def entry(self, user: str) -> Entry | None:
        """The account of a user."""
        return self._entries.get(user)

    def hash_of(self, user: str) -> str | None:
        """The hash of a user, as it stands in the file; C{None} if nobody gets in by it."""
        entry = self._entries.get(user)
        return entry.text if entry is not None and entry.hashed is not None else None

    def decoy(self, user: str) -> PasswordHash | None:
        """Somebody's hash, always the same for the same name, to spend time on."""
        if not self._usable:
            return None
        spread = blake2b(user.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return self._usable[int.from_bytes(spread, "big") % len(self._usable)]

    def _report(self, troubles: list[tuple[int, str]]) -> None:
        for number, trouble in troubles[:MAX_REPORTS]:
            self._log.warn(
                "{path}, line {number}: {trouble}",
                path=self._path,
                number=number,
                trouble=trouble,
            )
        if len(troubles) > MAX_REPORTS:
            more = len(troubles) - MAX_REPORTS
            self._log.warn("{path}: {more} more lines are wrong", path=self._path, more=more)
        if _open_to_all(self._path):
            self._log.warn("{path} can be read by everybody: chmod o-r", path=self._path)


def parsed(held: bytes) -> tuple[dict[str, Entry], list[tuple[int, str]]]:
    """The accounts in a file, and what is wrong with it by line number."""
    entries: dict[str, Entry] = {}
    lines = held.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    troubles = [
        (number, trouble)
        for number, line in enumerate(lines, 1)
        for trouble in _take(line.strip(), entries)
    ]
    return entries, troubles


def _take(line: bytes, entries: dict[str, Entry]) -> Iterator[str]:
    """Put one line's account into C{entries}; yields what is wrong with the line."""
    if not line or line.startswith(b"#"):
        return
    try:
        user, text = _split(line)
    except ValueError as error:
        yield f"{error}; skipped"
        return
    if user in entries:
        yield f"{user} was there already; this line counts"
    hashed = None
    try:
        hashed = read(text)
    except MalformedHash as error:
        yield f"{error}; {user} cannot log in"
    entries[user] = Entry(text, hashed)


def _split(line: bytes) -> tuple[str, str]:
    """User and hash; the reason of C{ValueError} shows nothing that might be secret."""
    try:
        user, colon, text = line.decode().partition(":")
    except UnicodeDecodeError:
        raise ValueError("that is not UTF-8") from None
    user = user.strip()
    if not colon or not user:
        raise ValueError("expected user:hash")
    if len(user) > MAX_ACCOUNT or not user.isprintable():
        raise ValueError(f"a user has up to {MAX_ACCOUNT} printable characters")
    return user, text.strip()


def _contents(path: Path) -> bytes:
    try:
        # What is no file may never end, or never begin.
        if not stat.S_ISREG(path.stat().st_mode):
            raise StartError(f"{path} is not a file")
        with path.open("rb") as stream:
            held = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise StartError(f"{path} cannot be read: {error}") from error
    if len(held) > MAX_BYTES or held.count(b"\n") > MAX_LINES:
        raise StartError(f"{path} is too big: up to {MAX_BYTES} bytes, {MAX_LINES} lines")
    return held


def _open_to_all(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


class FileAccounts:
    """Lets in whom the owner's password file names, with the right password."""

    def __init__(
        self,
        file: PasswordFile,
        in_thread: InThread,
        turns: Turns,
        throttle: Throttle,
        remembered: Remembered,
    ) -> None:
        """
        @param turns: shared with all others that hash.
        @param throttle: may be everybody's, so that all guesses of a peer count together.
        @param remembered: of this file alone, since names are its keys.
        """
        self._file, self._in_thread, self._turns = file, in_thread, turns
        self._alone = OneByOne(turns)
        self._throttle, self._remembered = throttle, remembered

    def knows(self, user: str) -> bool:
        """Whether the file decides about C{user}, and nobody else."""
        return self._file.knows(user)

    def verify(self, user: str, password: bytes, peer: str) -> Deferred[str]:
        """
        Compare a password with the file's.

        @param peer: the address that asks.
        @return: the user.  Fails with L{UnknownAccount} when the password is wrong or nobody
            gets in under that name, with another
            L{LoginRefused<bumper_tw.errors.LoginRefused>} when somebody tries too often.
        """
        return Deferred.fromCoroutine(self._verify(user, password, peer))

    async def _verify(self, user: str, password: bytes, peer: str) -> str:
        # Before anything else: what is remembered must not answer guesses without end.
        guess = self._throttle.guess(peer, user)
        entry = self._file.entry(user)
        right = await self._matches(guess, user, entry, password)
        if not right or self._file.entry(user) != entry:
            raise UnknownAccount("wrong account or password")
        return user

    async def _matches(
        self, guess: Guess, user: str, entry: Entry | None, password: bytes
    ) -> bool:
        if entry is None or entry.hashed is None:
            await self._spend(guess, self._file.decoy(user), password)
            return False
        if self._remembered.knows(user, entry.text, password):
            return True
        if self._remembered.holds(user, entry.text):
            await self._spend(guess, entry.hashed, password)
            return False
        return await self._tried(guess, user, entry.text, entry.hashed, password)

    async def _spend(self, guess: Guess, hashed: PasswordHash | None, password: bytes) -> None:
        """
        Take as long as if it were not known yet that this is wrong.

        It counts at once: whoever hangs up when there is no answer in a moment has guessed.
        """
        guess.wrong()
        if hashed is not None:
            await self._turns_for(hashed).run(lambda: self._compared(hashed, password))

    def _tried(
        self, guess: Guess, user: str, text: str, hashed: PasswordHash, password: bytes
    ) -> Deferred[bool]:
        def work() -> Deferred[bool]:
            # Again: of many that come at once after a restart, the first has worked for all.
            if self._remembered.knows(user, text, password):
                return succeed(True)
            return self._compared(hashed, password).addCallback(learn)

        def learn(right: bool) -> bool:
            # Also when nobody waits any more: who gave up comes again.
            if right and self._file.hash_of(user) == text:
                self._remembered.remember(user, text, password)
            return right

        return guess.tried(self._turns_for(hashed), work)

    def _turns_for(self, hashed: PasswordHash) -> Turns:
        return self._alone if hashed.in_python else self._turns

    def _compared(self, hashed: PasswordHash, password: bytes) -> Deferred[bool]:
        return self._in_thread(lambda: hashed.matches(password))
