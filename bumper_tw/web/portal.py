"""Logging in to the vendor's portal: C{user.do} and what newer apps do (http-auth.md 2)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.accounts import Accounts, Session
from bumper_tw.core.oauth import Pair
from bumper_tw.dialect.envelopes import FAILED, TOKEN_INVALID, user_failed
from bumper_tw.errors import BadRequest, LoginRefused
from bumper_tw.web import account_bodies as bodies
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.failures import session_failure
from bumper_tw.web.guard import Guard, text_of
from bumper_tw.web.routes import ANY, POST, Route, both

#: What C{user.do} does for one C{todo}.
Todo = Callable[[Call, dict[str, Any]], Answer | Deferred[Answer]]

#: C{newauth.do} was asked for something else (http.md 2.3).
UNKNOWN_TODO = "1202"

#: The question a robot asks before it has any session (http-discovery.md 1).
UNGUARDED = frozenset({"FindBest"})


class UnknownTodo(BadRequest):
    """Something that C{newauth.do} does not do."""


class UserRoutes:
    """The todos of the portal's C{user.do} (http-endpoints.md 2)."""

    def __init__(
        self,
        accounts: Accounts,
        clock: IReactorTime,
        guard: Guard,
        todos: Mapping[str, Todo],
    ) -> None:
        """
        @param todos: what C{user.do} does for robots.
        """
        self._accounts, self._clock, self._guard = accounts, clock, guard
        own: dict[str, Todo] = {
            "loginByItToken": self.login,
            "GetAuthCode": self.code,
            "logout": self.logout,
        }
        self._todos = {**{name: self._guarded(name, todo) for name, todo in todos.items()}, **own}

    def routes(self) -> Iterator[Route]:
        """AU08, and XX01 for C{sucks}."""
        paths = ("/api/users/user.do", "/user.do")
        yield from both(*paths, methods=POST, answer=self.user, failure=user_do_failed)

    def user(self, call: Call) -> Answer | Deferred[Answer]:
        """Whatever is to be done."""
        body = call.body()
        todo = self._todos.get(todo_in(body))
        if todo is None:
            raise BadRequest("unknown todo" if body.get("todo") else "todo is missing")
        return todo(call, body)

    def _guarded(self, name: str, todo: Todo) -> Todo:
        def guarded(call: Call, body: dict[str, Any]) -> Answer | Deferred[Answer]:
            self._guard.portal(call)
            return todo(call, body)

        return todo if name in UNGUARDED else guarded

    def login(self, call: Call, body: dict[str, Any]) -> Deferred[Answer]:
        """2.4.  One client misspells C{userId}, some leave it out."""
        ticket, resource = call.field("token", str), call.field("resource", str)
        session = self._accounts.exchange(ticket, text_of(body, "userId", "userid"), resource)
        return session.addCallback(self._welcome, resource)

    def _welcome(self, session: Session, resource: str) -> Answer:
        return json_answer(bodies.portal_login(session, resource, self._clock.seconds()))

    def code(self, call: Call, _body: dict[str, Any]) -> Answer:
        """2.6."""
        uid, token = self._guard.claim(call)
        return json_answer(bodies.result_ok(code=self._accounts.code_for(uid, token)))

    def logout(self, call: Call, body: dict[str, Any]) -> Deferred[Answer]:
        """2.9."""
        uid, (_, token) = text_of(body, "userId", "userid"), self._guard.claim(call)
        if not uid:
            raise BadRequest("userId is missing")
        done = self._accounts.leave(uid, token)
        return done.addCallback(lambda _: json_answer(bodies.result_ok()))


def todo_in(body: Mapping[str, Any]) -> str:
    """What is to be done; empty when it is missing or no text."""
    todo = body.get("todo")
    return todo if isinstance(todo, str) else ""


def user_do_failed(call: Call, wrong: Exception) -> Answer:
    """E6; E2 where the reference answers so."""
    todo = _todo_of(call)
    if todo == "GetAuthCode":
        return json_answer(bodies.result_failed(str(bodies.NO_SESSION), str(wrong)))
    errno = bodies.NO_SESSION if isinstance(wrong, LoginRefused) else 1
    return json_answer(user_failed(str(wrong), todo[:64], errno))


def _todo_of(call: Call) -> str:
    try:
        return todo_in(call.body())
    except BadRequest:
        return ""


class OAuthRoutes:
    """The tokens of the newer apps."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> Iterator[Route]:
        """AU07, AU09 to AU11."""
        yield Route("/newauth.do", POST, self.code, newauth_failed)
        paths = ("/api/appsvr/oauth_callback", "/api/appsvr/oauth/token")
        yield from both(*paths, methods=ANY, answer=self.pair, failure=oauth_failed)
        yield Route("/api/new-perm/token/sst/issue", POST, self.control, session_failure)

    def code(self, call: Call) -> Answer:
        """2.5."""
        if todo_in(call.body()) != "OLoginByITToken":
            raise UnknownTodo("unknown todo")
        code = self._accounts.code(call.optional("itToken", ""))
        return json_answer(bodies.result_ok(authCode=code))

    def pair(self, call: Call) -> Deferred[Answer]:
        """2.7."""
        code, refresh = call.query("code"), call.query("refresh_token")
        if not code and not refresh:
            raise BadRequest("neither code nor refresh_token was given")
        oauth = self._accounts.oauth
        pair = oauth.by_code(code) if code else oauth.by_refresh(refresh)
        return pair.addCallback(_pair_answer)

    def control(self, call: Call) -> Answer:
        """2.8."""
        acl, subject = call.field("acl", list), call.field("sub", str)
        seconds = call.field("exp", int)
        ticket = self._accounts.control(call.bearer(), acl, subject, seconds)
        return json_answer(bodies.control_ticket(ticket))


def _pair_answer(pair: Pair) -> Answer:
    return json_answer(bodies.token_pair(pair))


def newauth_failed(_call: Call, wrong: Exception) -> Answer:
    """E2."""
    if isinstance(wrong, UnknownTodo):
        return json_answer(bodies.result_failed(UNKNOWN_TODO, str(wrong)))
    code = TOKEN_INVALID if isinstance(wrong, LoginRefused) else FAILED
    return json_answer(bodies.result_failed(code, str(wrong)))


def oauth_failed(_call: Call, wrong: Exception) -> Answer:
    """E4."""
    return json_answer(bodies.oauth_failed(str(wrong)))
