"""The owner's password, browsers and tokens, for scripts and for the page about them."""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred

from bumper_tw.core.api_tokens import ApiToken
from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.owner_sessions import Opened, Session, csrf_of
from bumper_tw.errors import BadRequest, Forbidden, LoginRefused
from bumper_tw.values import Principal
from bumper_tw.web import owner_cookies
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.access import forget, unstored, with_header
from bumper_tw.web.dashboard.access_log import AccessLog, told
from bumper_tw.web.doorman import Doorman, Visitor, bearer_of
from bumper_tw.web.routes import GET, POST, Ask, Route

#: Nothing of it is for anybody's cache.
PRIVATE = ("Cache-Control", "no-store")

#: What says that a body is JSON; a form of another site cannot say so.
JSON_TYPE = "application/json"


@frozen
class AccessRoutes:
    """
    C{/api/session}, C{/api/sessions}, C{/api/owner}, C{/api/tokens}, C{/api/access}.

    @ivar house: who may see and change everything.
    @ivar changed: is called whenever others than before are let in.
    """

    access: OwnerAccess
    doorman: Doorman
    log: AccessLog
    house: Callable[[Call], Principal]
    changed: Callable[[], object] = lambda: None

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        answers: tuple[tuple[str, tuple[str, ...], Ask], ...] = (
            ("/api/session", GET, self.state),
            ("/api/session", POST, self.log_in),
            ("/api/session", ("DELETE",), self.log_out),
            ("/api/sessions", GET, self.sessions),
            ("/api/sessions/<session>", ("DELETE",), self.end_session),
            ("/api/owner", POST, self.claim),
            ("/api/owner/password", ("PUT",), self.change_password),
            ("/api/tokens", GET, self.tokens),
            ("/api/tokens", POST, self.make_token),
            ("/api/tokens/<token>", ("DELETE",), self.remove_token),
            ("/api/access", GET, self.accesses),
        )
        return tuple(Route(path, methods, ask, failure) for path, methods, ask in answers)

    # Logging in

    def state(self, call: Call) -> Answer:
        """Whether there is an owner, and whether this is he."""
        self.doorman.arrival(call)
        try:
            visitor: Visitor | None = self.doorman.visitor(call)
        except LoginRefused:
            visitor = None
        return private(
            {
                "set": self.access.is_set,
                "in": visitor is not None,
                "csrf": visitor.csrf if visitor else "",
            }
        )

    def log_in(self, call: Call) -> Deferred[Answer]:
        """The password gives a cookie, and what changes have to come with."""
        check_json(call)
        password, arrival = call.field("password", str), self.doorman.arrival(call)
        return self.access.login(password, arrival).addCallback(self._in, call)

    def claim(self, call: Call) -> Deferred[Answer]:
        """The first visit."""
        check_json(call)
        code, password = call.field("code", str), call.field("password", str)
        claimed = self.access.claim(code, password, self.doorman.arrival(call))
        return claimed.addCallback(self._in, call)

    def _in(self, opened: Opened, call: Call) -> Answer:
        forget(self.access, self.doorman, call)
        self.changed()
        return let_in(opened, call)

    def log_out(self, call: Call) -> Deferred[Answer]:
        """This browser is forgotten."""
        session = self.doorman.visitor(call).session
        ended = self.access.sessions.end(session.id).addErrback(unstored)
        self.changed()
        return ended.addCallback(lambda _: with_header(done(), owner_cookies.left(call)))

    def change_password(self, call: Call) -> Deferred[Answer]:
        """Another password; this browser stays, under a new text."""
        # Not with a token: whoever has found one must not take the box.
        self.doorman.visitor(call)
        old, new = call.field("old", str), call.field("new", str)
        changed = self.access.change_password(old, new, self.doorman.arrival(call))
        return changed.addCallback(self._in, call)

    # Browsers

    def sessions(self, call: Call) -> Answer:
        """The browsers that are logged in."""
        self.house(call)
        mine = self._mine(call)
        return private({"sessions": [session_told(each, mine) for each in self.access.browsers()]})

    def _mine(self, call: Call) -> str:
        return "" if bearer_of(call) else self.doorman.visitor(call).session.id

    def end_session(self, call: Call) -> Deferred[Answer]:
        """One of them has to log in again."""
        self.house(call)
        ended = self.access.sessions.end(call.segments["session"])
        self.changed()
        return ended.addCallback(done)

    # Tokens

    def tokens(self, call: Call) -> Answer:
        """The tokens, without their texts, which nobody has."""
        self.house(call)
        return private({"tokens": [token_told(each) for each in self.access.tokens.listed()]})

    def make_token(self, call: Call) -> Deferred[Answer]:
        """One more; this answer alone has its text."""
        self._check_owner(call)
        scopes = call.field("scopes", list)
        if not all(isinstance(scope, str) for scope in scopes):
            raise BadRequest("scopes is not an array of texts")
        made = self.access.tokens.make(call.field("name", str), scopes, call.optional("days", 0))
        return made.addCallback(lambda new: private({"token": new.text, **token_told(new.token)}))

    def remove_token(self, call: Call) -> Deferred[Answer]:
        """One of them opens nothing any more."""
        self._check_owner(call)
        removed = self.access.tokens.remove(call.segments["token"])
        self.changed()
        return removed.addCallback(done)

    def _check_owner(self, call: Call) -> None:
        """
        Whether it is the owner, also where others may see the house as long as there is none.

        @raise LoginRefused: it is not.
        """
        self.house(call)
        if not self.doorman.knows(call):
            raise Forbidden("this is for the owner of the box, who has to set his password first")

    # Who did what

    def accesses(self, call: Call) -> Answer:
        """The access log, the newest first."""
        self.house(call)
        return private({"entries": [told(each) for each in self.log.entries()]})


def check_json(call: Call) -> None:
    """
    Whether it may come from a script only: browsers ask us before they send this for another
    site.

    @raise BadRequest: a form could have sent it.
    """
    if not call.header("content-type").lower().startswith(JSON_TYPE):
        raise BadRequest("the Content-Type is not application/json")


def let_in(opened: Opened, call: Call) -> Answer:
    """What a browser gets that is logged in."""
    answer = private({"csrf": csrf_of(opened.token), "session": opened.session.id})
    return with_header(answer, *owner_cookies.entered(call, opened))


def session_told(session: Session, mine: str) -> dict[str, Any]:
    """
    A browser as JSON has it.

    @param mine: the id of the one that asks.
    """
    return {
        "id": session.id,
        "label": session.label,
        "peer": session.peer,
        "secure": session.secure,
        "since": session.since,
        "seen": session.seen,
        "this": session.id == mine,
    }


def token_told(token: ApiToken) -> dict[str, Any]:
    """A token as JSON has it."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created": token.created,
        "used": token.used or None,
        "expires": token.expires or None,
    }


def private(value: object) -> Answer:
    """JSON that no cache keeps."""
    return with_header(json_answer(value), PRIVATE)


def done(_: object = None) -> Answer:
    """It is done, and there is nothing to say."""
    return private({"ok": True})
