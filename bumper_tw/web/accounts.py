"""Logging in over HTTP: to the private API of the apps, and to our own (http-auth.md 2)."""

from collections.abc import Callable, Iterator, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from bumper_tw.core.accounts import Accounts, Session
from bumper_tw.core.passwords import md5_hex
from bumper_tw.core.people import People
from bumper_tw.dialect.envelopes import (
    FAILED,
    TOKEN_INVALID,
    private_failed,
    private_ok,
)
from bumper_tw.dialect.logins import PasswordCredentials
from bumper_tw.errors import LoginRefused, UnknownAccount
from bumper_tw.web import account_bodies as bodies
from bumper_tw.web.call import COOKIE, Answer, Call, json_answer
from bumper_tw.web.guard import Guard, text_of
from bumper_tw.web.persons import Persons
from bumper_tw.web.portal import OAuthRoutes, Todo, UserRoutes
from bumper_tw.web.routes import ANY, POST, Route, both, private

#: Wrong account or password: clients ask for another one (http.md 2.3).
WRONG_PASSWORD = "1005"  # noqa: S105 - a code, not a secret


class PrivateRoutes:
    """The private API of the apps: everything is in path and query."""

    _log = Logger()

    def __init__(
        self, accounts: Accounts, clock: IReactorTime, people: People, persons: Persons
    ) -> None:
        self._accounts, self._clock = accounts, clock
        self._people, self._persons = people, persons

    def routes(self) -> Iterator[Route]:
        """AU01 to AU06, AU12, XX02 and the profile of a user."""
        yield from self._everywhere("/user/login", self.login, "v1", "v2")
        yield from self._everywhere("/user/checkLogin", self.check_login, "v1", "v2")
        yield from self._everywhere("/user/loginCheckMobile", self.login, "v1")
        yield from self._everywhere("/user/getAuthCode", self.ticket, "v1")
        yield from self._everywhere("/user/logout", self.logout, "v1")
        yield from self._everywhere("/user/getUserAccountInfo", self.profile, "v1")
        yield Route("/v1/global/auth/getAuthCode", ANY, self.ticket, self.failed)

    def _everywhere(
        self, rest: str, answer: Callable[[Call], Answer | Deferred[Answer]], *versions: str
    ) -> Iterator[Route]:
        paths = (private(version, rest) for version in versions)
        return both(*paths, methods=ANY, answer=answer, failure=self.failed)

    def login(self, call: Call) -> Deferred[Answer]:
        """2.1."""
        credentials = PasswordCredentials(
            account=call.query("account"),
            password=call.query("password"),
            encrypted_account=call.query("encryptAccount"),
            encrypted_password=call.query("encryptPwd"),
            peer=call.peer,
        )
        session = self._accounts.login(credentials, call.segments["device"])
        return session.addCallback(self._welcome, call)

    def check_login(self, call: Call) -> Deferred[Answer]:
        """2.2."""
        session = self._accounts.check_login(
            call.query("uid"), call.query("accessToken"), call.segments["device"]
        )
        return session.addCallback(self._welcome, call)

    def _welcome(self, session: Session, call: Call) -> Answer:
        segments, uid = call.segments, session.user.uid
        noted = self._people.came_from(uid, segments["country"], segments["lang"])
        # Whoever comes in need not wait for that.
        noted.addErrback(lambda failure: self._log.failure("a profile stays as it was", failure))
        return self._ok(bodies.login_data(session, segments["country"], segments["app"]))

    def ticket(self, call: Call) -> Deferred[Answer]:
        """2.3."""
        client = call.segments.get("device") or call.query("deviceId")
        session = self._accounts.ticket(call.query("uid"), call.query("accessToken"), client)
        return session.addCallback(self._ticket)

    def _ticket(self, session: Session) -> Answer:
        return self._ok({"authCode": session.text, "ecovacsUid": session.user.uid})

    def logout(self, call: Call) -> Deferred[Answer]:
        """2.9: whatever it was, it is over."""
        done = self._accounts.logout(call.query("accessToken"))
        return done.addCallback(self._ok)

    def profile(self, call: Call) -> Answer:
        """PR01: whose token it is; at home without one, who logged in last on this device."""
        user = self._persons.user(call)
        if user is None:
            raise LoginRefused("nobody is logged in on this device")
        nickname = self._people.profile(user.uid).nickname
        return self._ok(bodies.account_info(user, call.base_url, nickname))

    def _ok(self, data: object) -> Answer:
        return json_answer(private_ok(data, self._now()))

    def failed(self, _call: Call, wrong: Exception) -> Answer:
        """E9, with the code that makes clients do the right thing."""
        return json_answer(private_failed(private_code(wrong), str(wrong), self._now()))

    def _now(self) -> int:
        return int(self._clock.seconds() * 1000)


def private_code(wrong: Exception) -> str:
    """A failure as the private API numbers it (http.md 2.3)."""
    if isinstance(wrong, UnknownAccount):
        return WRONG_PASSWORD
    return TOKEN_INVALID if isinstance(wrong, LoginRefused) else FAILED


class ApiLogin:
    """The login of our own API."""

    def __init__(self, accounts: Accounts, clock: IReactorTime, guard: Guard) -> None:
        self._accounts, self._clock, self._guard = accounts, clock, guard

    def routes(self) -> Iterator[Route]:
        """C{POST /api/login}."""
        yield Route("/api/login", POST, self.login, api_failed)

    def login(self, call: Call) -> Deferred[Answer]:
        """
        Account (or C{username}) and the password in clear text; or, as an app sends them,
        C{encryptAccount} and C{encryptPwd}.  The answer has the token, and sets it as a
        cookie for browsers.
        """
        self._guard.check_name(call)
        body = call.body()
        password = text_of(body, "password")
        credentials = PasswordCredentials(
            account=text_of(body, "account", "username"),
            password=md5_hex(password) if password else "",
            encrypted_account=text_of(body, "encryptAccount"),
            encrypted_password=text_of(body, "encryptPwd"),
            peer=call.peer,
        )
        session = self._accounts.api_login(credentials)
        return session.addCallback(self._welcome, call.secure)

    def _welcome(self, session: Session, secure: bool) -> Answer:
        expires = int(session.expires_at)
        age = expires - int(self._clock.seconds())
        cookie = f"{COOKIE}={session.text}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict"
        value = {"token": session.text, "expires": expires, "uid": session.user.uid}
        headers = (("Set-Cookie", cookie + ("; Secure" if secure else "")),)
        return Answer(json_answer(value).body, headers=headers)


def api_failed(_call: Call, wrong: Exception) -> Answer:
    """An error in our own words."""
    if isinstance(wrong, LoginRefused):
        return json_answer({"error": str(wrong), "reason": "login"}, 401)
    return json_answer({"error": str(wrong), "reason": "request"}, 400)


def account_routes(
    accounts: Accounts,
    clock: IReactorTime,
    todos: Mapping[str, Todo],
    people: People,
    guard: Guard,
) -> Iterator[Route]:
    """
    Every route that has to do with accounts.

    @param todos: what C{user.do} does for robots.
    """
    persons = Persons(accounts, people, guard)
    yield from PrivateRoutes(accounts, clock, people, persons).routes()
    yield from UserRoutes(accounts, clock, guard, todos).routes()
    yield from OAuthRoutes(accounts).routes()
    yield from ApiLogin(accounts, clock, guard).routes()
