"""
Answers that are data: read at the start, and anew when the owner says so.

Those that come with the program are beside it; the owner's own are in the data directory, and
go before them.  To add one takes no Python.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from stat import S_ISREG

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.errors import StartError
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.engine.entries import MAX_FILE, Entry, Kind, parse
from bumper_tw.web.engine.hosts import strangers
from bumper_tw.web.engine.template import Filling, People
from bumper_tw.web.engine.wrapping import family, is_own
from bumper_tw.web.failures import portal_failure
from bumper_tw.web.routes import PRIVATE, Excuse, Layer, Route

#: The answers that come with the program.
SHIPPED = Path(__file__).parent.parent / "data" / "answers"

#: Files that one folder may have.
MAX_FILES = 100

#: What happens to a request besides its answer, or before it: C{None} for "answer as usual".
#: L{BadRequest<bumper_tw.errors.BadRequest>} becomes a failure as its family has it.
Deed = Callable[[Entry, Call], Answer | Deferred[Answer | None] | None]

#: What the program does itself whatever the owner says: who somebody is, and which robot hears.
KEPT = frozenset({
    "/v1/private/{P}/user/login", "/v1/private/{P}/user/checkLogin",
    "/v1/private/{P}/user/getAuthCode",
    "/v1/private/{P}/user/loginCheckMobile", "/v1/private/{P}/user/logout",
    "/v1/global/auth/getAuthCode", "/newauth.do", "/api/users/user.do", "/user.do",
    "/api/appsvr/oauth_callback", "/api/appsvr/oauth/token", "/api/new-perm/token/sst/issue",
    "/lookup.do", "/api/appsvr/service/list", "/api/basis/dc/get-by-area", "/api/appsvr/app.do",
    "/api/iot/devmanager.do", "/api/dim/devmanager.do", "/api/iot/endpoint/control",
    "/api/lg/log.do", "/discover",
})  # fmt: skip


@frozen
class Nobody:
    """Whoever asks, when nobody can say who it is."""

    uid: str = ""
    account: str = "bumper"
    email: str = "bumper@home.local"
    nickname: str = ""


NOBODY = Nobody()


def nobody(_: Call) -> Nobody:
    """Asks nobody who he is."""
    return NOBODY


class Answers:
    """
    What the data files say.

    @ivar entries: all of them, the owner's first.
    @ivar counts: how many requests each entry with a deed had, by its id or else its path.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        own: Path | None = None,
        deeds: Mapping[Kind, Deed] | None = None,
        people: People = nobody,
        shipped: Path = SHIPPED,
    ) -> None:
        """
        @param own: the owner's folder, which need not be there.
        @param deeds: what is done by kind of entry, besides counting.
        @param people: tells who asks.
        """
        self._clock, self._own, self._shipped = clock, own, shipped
        self._deeds, self._people = dict(deeds or {}), people
        self._theirs: tuple[Entry, ...] = ()
        self._ours: tuple[Entry, ...] = ()
        self.counts: Counter[str] = Counter()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, the owner's first."""
        return self._theirs + self._ours

    def load(self, use: Callable[[list[Route]], None] = lambda _: None) -> None:
        """
        Read the files.

        @param use: takes their routes into use; it may refuse.
        @raise StartError: something is wrong with one; the text tells with which.  What was
            read before stays.
        """
        ours = shipped_entries() if self._shipped == SHIPPED else tuple(entries_in(self._shipped))
        theirs = tuple(entries_in(self._own)) if self._own is not None else ()
        for entry in theirs:
            check_owners(entry)
        use(list(self._made_of(theirs, ours)))
        self._ours, self._theirs = ours, theirs
        self._warn()

    def _warn(self) -> None:
        """The owner may lead his clients away, if he knows what he does."""
        for entry in self._theirs:
            told = sorted({host for value in entry.values for host in strangers(said(value))})
            if told:
                self._log.warn(
                    "{place} names {hosts}, which is not this box",
                    place=entry.origin,
                    hosts=", ".join(told),
                )

    def routes(self) -> Iterator[Route]:
        """One for each path of each entry."""
        return self._made_of(self._theirs, self._ours)

    def _made_of(self, theirs: Iterable[Entry], ours: Iterable[Entry]) -> Iterator[Route]:
        for entry in theirs:
            yield from self._each(entry, Layer.INSTEAD if entry.instead else Layer.OWNERS)
        for entry in ours:
            yield from self._each(entry, Layer.SHIPPED)

    def _each(self, entry: Entry, layer: Layer) -> Iterator[Route]:
        def answer(call: Call) -> Answer | Deferred[Answer]:
            return self._answer(entry, call)

        for path in map(spelt, entry.paths):
            failure = self._failure(path)
            yield Route(path, entry.methods, answer, failure, layer, entry.room, entry.origin)

    def _answer(self, entry: Entry, call: Call) -> Answer | Deferred[Answer]:
        if entry.kind is Kind.ANSWER:
            return self._render(entry, call)
        self.counts[entry.id or entry.paths[0]] += 1
        deed = self._deeds.get(entry.kind)
        done = deed(entry, call) if deed is not None else None
        if isinstance(done, Deferred):
            return done.addCallback(lambda other: other or self._render(entry, call))
        return done or self._render(entry, call)

    def _render(self, entry: Entry, call: Call) -> Answer:
        return entry.render(Filling(call, self._now_ms(), self._people))

    def _failure(self, path: str) -> Excuse:
        relatives = family(path)
        if relatives is None:
            return portal_failure

        def failure(_: Call, why: Exception) -> Answer:
            return relatives.failed(str(why), self._now_ms())

        return failure

    def _now_ms(self) -> int:
        return int(self._clock.seconds() * 1000)


def spelt(pattern: str) -> str:
    """A path of an entry as routes spell it."""
    private = pattern.replace("/private/{P}", PRIVATE.removeprefix("/<version>"))
    return re.sub(r"\{(\w+)\}", r"<\1>", private)


def said(value: object) -> str:
    """A body as a text."""
    return to_json(value).decode("utf-8")


@cache
def shipped_entries() -> tuple[Entry, ...]:
    """
    Our own entries: these files do not change while we run.

    @raise StartError: something is wrong with one.
    """
    return tuple(entries_in(SHIPPED))


def entries_in(folder: Path) -> Iterator[Entry]:
    """
    The entries of all C{.json} files in a folder, in the order of their names.

    @raise StartError: something is wrong with one.
    """
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix == ".json")
    except FileNotFoundError:
        return
    except OSError as wrong:
        raise StartError(f"{folder}: {wrong.strerror}") from wrong
    if len(files) > MAX_FILES:
        raise StartError(f"{folder}: more than {MAX_FILES} files")
    taken: dict[tuple[str, str], str] = {}
    for entry in chain.from_iterable(map(entries_of, files)):
        once(entry, taken)
        yield entry


def once(entry: Entry, taken: dict[tuple[str, str], str]) -> None:
    """
    Of several entries in one folder, each has paths of its own.

    @raise StartError: this has one of another's.
    """
    for key in ((path, method) for path in entry.paths for method in entry.methods):
        if key in taken:
            raise StartError(f"{entry.origin}: {key[0]} is in {taken[key]} already")
        taken[key] = entry.origin


def entries_of(path: Path) -> Iterable[Entry]:
    """
    The entries of one file.

    @raise StartError: it cannot be read, or is wrong.
    """

    def beside(name: str) -> bytes:
        return contents(path.with_name(name))

    try:
        return parse(contents(path), str(path), beside)
    except ValueError as wrong:
        raise StartError(str(wrong)) from wrong


def contents(path: Path) -> bytes:
    """
    What is in a file.

    @raise StartError: it cannot be read, is no file, or is too long.
    """
    try:
        if not S_ISREG(path.stat().st_mode):
            # To read a pipe would mean to wait for whoever writes to it.
            raise StartError(f"{path}: not a file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as wrong:
        raise StartError(f"{path}: {wrong.strerror}") from wrong
    if len(data) > MAX_FILE:
        raise StartError(f"{path}: longer than {MAX_FILE} bytes")
    return data


def check_owners(entry: Entry) -> None:
    """
    Some things the owner does not answer by data.

    @raise StartError: he tries.
    """
    for path in entry.paths:
        if is_own(path):
            raise StartError(f"{entry.origin}: {path} is for this program's own API")
        if re.sub("^/v[23]/|//+", slashes, path) in KEPT:
            raise StartError(f"{entry.origin}: {path} is answered by the program only")


def slashes(found: re.Match[str]) -> str:
    """A path in its first version, and without a slash too many."""
    return "/" if found[0].startswith("//") else "/v1/"
