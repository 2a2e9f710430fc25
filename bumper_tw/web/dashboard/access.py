"""
The pages before the pages: logging in, the first visit, logging out.

They work without scripts.  As there is no session yet that could prove that a form is ours, it
comes with a cookie that says the same as one of its fields; besides, browsers say which page has
sent it.
"""

from collections.abc import Callable
from urllib.parse import quote

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.core.owner_access import LONGEST, SHORTEST, OwnerAccess
from bumper_tw.core.owner_sessions import Opened
from bumper_tw.core.throttle import TooManyAttempts
from bumper_tw.errors import BadRequest, Forbidden, LoginRefused, StorageError
from bumper_tw.interfaces import IFeed
from bumper_tw.web import owner_cookies
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.frame import Admit, Visit, moved, page_failure, shown, template
from bumper_tw.web.doorman import Doorman, equal
from bumper_tw.web.guard import fields_of
from bumper_tw.web.routes import GET, POST, Route

FORM_BYTES = 16

#: Where nobody wants to go on to.
DOORS = frozenset({"/login", "/logout", "/welcome"})

#: As long may what somebody wants to see be.
LONGEST_PATH = 500

STALE = "the form was open for too long, or this browser keeps no cookies; please try again"
DIFFERENT = "the two passwords are not the same"
UNSTORED = "it cannot be stored now: the disk refuses; the log says more"

#: What is wrong with a form, by status.
WRONG: tuple[tuple[type[Exception], int], ...] = (
    (TooManyAttempts, 429),
    (BadRequest, 400),
    (LoginRefused, 403),
    (StorageError, 503),
)


def admission(doorman: Doorman, feed: IFeed) -> Admit:
    """
    Lets the owner see pages.

    @return: raises L{LoginRefused} for everybody else.
    """

    def admit(call: Call) -> Visit:
        return Visit(doorman.visitor(call).csrf, feed.position, call.path)

    return admit


def next_of(said: str) -> str:
    """
    Where to go on after logging in: a page of this box, whoever made the link.

    @param said: a path, decoded.
    @return: the same, or that of the first page.
    """
    # Two slashes, or what browsers take for them, begin the name of another box.
    good = said.startswith("/") and said[1:2] not in {"/", "\\"} and len(said) <= LONGEST_PATH
    return said if good and said not in DOORS else "/"


def spelled(path: str) -> str:
    """A path as it stands in a link or a header."""
    return quote(path, safe="/~@:,=+")


class DoorForm(Element):
    """
    A form of one of these pages.

    @param name: of the template.
    @param token: what its browser has to bring back.
    @param onward: where to go on to.
    @param wrong: what was wrong when it was sent; empty for nothing.
    """

    def __init__(self, name: str, token: str, onward: str, wrong: str = "") -> None:
        super().__init__(template(name))
        self._token, self._onward, self._wrong = token, onward, wrong

    @renderer
    def form(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        return tag.fillSlots(
            token=self._token,
            onward=self._onward,
            link=spelled(self._onward),
            shortest=str(SHORTEST),
            longest=str(LONGEST),
        )

    @renderer
    def wrong(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only after something was."""
        return tag(f"{self._wrong[:1].upper()}{self._wrong[1:]}.") if self._wrong else ""


class AccessPages:
    """C{/login}, C{/welcome}, C{/logout}."""

    def __init__(
        self,
        access: OwnerAccess,
        doorman: Doorman,
        random_hex: Callable[[int], str],
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        """
        @param changed: is called whenever others than before are let in.
        """
        self._access, self._doorman, self._random_hex = access, doorman, random_hex
        self._changed = changed

    def routes(self) -> tuple[Route, ...]:
        """For whoever calls this box by a name of its own."""
        here = self._doorman.here
        answers = (
            ("/login", GET, self.login),
            ("/login", POST, self.log_in),
            ("/welcome", GET, self.welcome),
            ("/welcome", POST, self.claim),
            ("/logout", POST, self.log_out),
        )
        return tuple(
            Route(path, methods, answer, page_failure, here=here)
            for path, methods, answer in answers
        )

    def login(self, call: Call) -> Answer | Deferred[Answer]:
        """The form, for whoever is not logged in."""
        onward = next_of(call.query("next"))
        if not self._access.is_set:
            return moved("/welcome")
        return moved(spelled(onward)) if self._is_in(call) else self._form(call, "login", onward)

    def log_in(self, call: Call) -> Deferred[Answer]:
        """The form comes back."""
        return Deferred.fromCoroutine(self._log_in(call))

    async def _log_in(self, call: Call) -> Answer:
        fields = texts(call)
        onward = next_of(fields.get("next", ""))
        try:
            self._check_form(call)
            arrival = self._doorman.arrival(call)
            opened = await self._access.login(fields.get("password", ""), arrival)
        except (LoginRefused, StorageError) as wrong:
            return await self._again(call, "login", onward, wrong)
        return self._in(call, opened, onward)

    def welcome(self, call: Call) -> Answer | Deferred[Answer]:
        """The first visit."""
        if self._access.is_set:
            return moved("/login")
        self._access.invite()
        return self._form(call, "welcome", "/setup")

    def claim(self, call: Call) -> Deferred[Answer]:
        """Its form comes back."""
        return Deferred.fromCoroutine(self._claim(call))

    async def _claim(self, call: Call) -> Answer:
        fields = texts(call)
        password = fields.get("password", "")
        try:
            self._check_form(call)
            arrival = self._doorman.arrival(call)
            if password != fields.get("again"):
                raise BadRequest(DIFFERENT)
            opened = await self._access.claim(fields.get("code", ""), password, arrival)
        except (BadRequest, LoginRefused, StorageError) as wrong:
            return await self._again(call, "welcome", "/setup", wrong)
        return self._in(call, opened, "/setup")

    def log_out(self, call: Call) -> Deferred[Answer]:
        """This browser is forgotten; the form is on every page, with the proof of these."""
        session = self._doorman.visitor(call).session
        gone = moved("/login", owner_cookies.left(call))
        # Even when the disk refuses: here it is ended, and the shelf tries again.
        ended = self._access.sessions.end(session.id).addErrback(unstored)
        self._changed()
        return ended.addCallback(lambda _: gone)

    def _is_in(self, call: Call) -> bool:
        try:
            self._doorman.visitor(call)
        except LoginRefused:
            return False
        return True

    def _in(self, call: Call, opened: Opened, onward: str) -> Answer:
        forget(self._access, self._doorman, call)
        self._changed()
        return moved(spelled(onward), *owner_cookies.entered(call, opened))

    def _check_form(self, call: Call) -> None:
        """
        Whether a form is one that this browser got from us.

        @raise Forbidden: it is not.
        """
        said = texts(call).get("form", "")
        if not any(kept and equal(kept, said) for kept in owner_cookies.form_tokens(call)):
            raise Forbidden(STALE)

    async def _again(self, call: Call, name: str, onward: str, wrong: Exception) -> Answer:
        """The form once more, with what was wrong, and without what was typed."""
        status = next(status for cls, status in WRONG if isinstance(wrong, cls))
        text = UNSTORED if isinstance(wrong, StorageError) else str(wrong)
        return await self._form(call, name, onward, text, status)

    def _form(
        self, call: Call, name: str, onward: str, wrong: str = "", status: int = 200
    ) -> Deferred[Answer]:
        token = self._random_hex(FORM_BYTES)
        form = DoorForm(name, token, onward, wrong)
        made = shown(Visit(path=f"/{name}"), TITLES[name], form, status=status)
        return made.addCallback(with_header, owner_cookies.with_form(call, token))


TITLES = {"login": "Log in", "welcome": "Welcome"}


def forget(access: OwnerAccess, doorman: Doorman, call: Call) -> None:
    """A browser that is let in had another session, which it shows no more."""
    before = doorman.found(call)
    if before is not None:
        access.sessions.end(before[1].id).addErrback(unstored)


def with_header(answer: Answer, *headers: tuple[str, str]) -> Answer:
    """An answer with one more, or some."""
    return evolve(answer, headers=(*answer.headers, *headers))


def texts(call: Call) -> dict[str, str]:
    """The fields of a form."""
    return {name: text for name, text in fields_of(call).items() if isinstance(text, str)}


def unstored(failure: Failure) -> None:
    """See L{bumper_tw.core.shelf}: it is tried again."""
    failure.trap(StorageError)
