"""
Lets the owner of the box in, and nobody else: browsers with a cookie, scripts with a token.

A cookie comes along with whatever any page sends here; so who brings one has to call the box by a
name of its own, from a page of ours, and for a change with what only our pages know.  A token is
sent by nobody by accident.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, frozen

from bumper_tw.core.api_tokens import PREFIX, ApiToken, Scope
from bumper_tw.core.owner_access import OwnerAccess
from bumper_tw.core.owner_sessions import Arrival, Session, csrf_of
from bumper_tw.errors import Forbidden, LoginRefused
from bumper_tw.values import OWNER, Principal, Role
from bumper_tw.web.browsers import browser_name
from bumper_tw.web.call import FORM, Call
from bumper_tw.web.guard import NOT_OURS, fields_of
from bumper_tw.web.origins import FOREIGN, is_cross_site, is_near, is_safe, is_same_origin
from bumper_tw.web.own_names import OwnNames
from bumper_tw.web.owner_cookies import known_text, session_tokens
from bumper_tw.web.routes import Route, guarded

CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf"

#: What strangers hear, and what members of the house do.
ELSEWHERE = "this is only for the network of the house; dashboard.everywhere = true changes that"
UNPROVEN = "this did not come from a page of this box; open the page again"
FIRST = "log in first"
TOO_LITTLE = "this token is not for that; it needs the scope {scope}"
HOUSE_ONLY = (
    "this is about the whole house, for the owner of the box: log in to the page with his "
    "password, or use a token of his with the scope house"
)


@frozen
class Visitor:
    """
    The owner in one of his browsers.

    @ivar csrf: what a change has to come with.
    """

    session: Session
    csrf: str


class Doorman:
    """Tells who calls, or refuses."""

    def __init__(
        self,
        access: OwnerAccess,
        names: OwnNames,
        accounts: Callable[[Call], Principal],
        household: Callable[[], bool] = lambda: True,
        everywhere: Callable[[], bool] = lambda: False,
        named: Callable[[str], str] = str,
    ) -> None:
        """
        @param accounts: tells who has the token of an account.
        @param household: whether robots are everybody's.
        @param everywhere: whether to let in from public addresses, too.
        @param named: the account of a user, by the user id.
        """
        self._access, self._names, self._accounts = access, names, accounts
        self._household, self._everywhere, self._named = household, everywhere, named

    def here(self, call: Call) -> bool:
        """
        Whether somebody calls this box by a name of its own, and from near: strangers do not even
        see where to log in.
        """
        return self._names.called(call) and self._is_near(call)

    def knows(self, call: Call) -> bool:
        """Whether somebody brings along what is the owner's, good or not."""
        bearer = bearer_of(call)
        return bearer.startswith(PREFIX) if bearer else bool(session_tokens(call))

    def house(self, call: Call) -> Principal:
        """
        Who may see and change everything: the owner.  As long as he has no password, members of a
        household in which everything is everybody's may see it, too.

        @raise LoginRefused: somebody else.
        """
        if self.knows(call):
            return self.owner(call, Scope.HOUSE)
        who = self._accounts(call)
        if self._access.is_set or not self._household() or not is_safe(call):
            raise Forbidden(HOUSE_ONLY)
        return who

    def owner(self, call: Call, scope: Scope | None = None) -> Principal:
        """
        The owner himself.

        @param scope: what a token has to be for; C{None}: it depends on the method.
        @raise LoginRefused: somebody else.
        """
        if not bearer_of(call):
            return Principal(Role.OWNER, OWNER, label=self.visitor(call).session.label)
        token = self._token(call)
        wanted = scope or (Scope.READ if is_safe(call) else Scope.CONTROL)
        if not token.allows(wanted):
            raise Forbidden(TOO_LITTLE.format(scope=wanted.value))
        return Principal(Role.OWNER, OWNER, label=token.name)

    def _token(self, call: Call) -> ApiToken:
        self._check_near(call)
        return self._access.tokens.find(bearer_of(call))

    def visitor(self, call: Call) -> Visitor:
        """
        The owner in a browser.

        @raise LoginRefused: it is not logged in.
        @raise Forbidden: it may be, but it is not he who asks.
        """
        self._check_place(call)
        found = self.found(call)
        if found is None:
            raise LoginRefused(FIRST)
        text, session = found
        csrf = csrf_of(text)
        if not is_safe(call) and not equal(csrf, csrf_said(call)):
            raise Forbidden(UNPROVEN)
        return Visitor(session, csrf)

    def found(self, call: Call) -> tuple[str, Session] | None:
        """The session that a browser shows, with its text; whoever may have sent it."""
        for text in session_tokens(call):
            session = self._access.session(text, call.secure)
            if session is not None:
                return text, session
        return None

    def arrival(self, call: Call) -> Arrival:
        """
        Somebody who wants to be let in.

        @raise Forbidden: not from there, or not so.
        """
        self._check_place(call)
        # Before there is a session, it is only this that keeps other sites from logging in here.
        if is_cross_site(call):
            raise Forbidden(FOREIGN)
        label = browser_name(call.header("user-agent"))
        return Arrival(call.peer, label, call.secure, known_text(call))

    def named_right(self, routes: Iterable[Route]) -> Iterator[Route]:
        """
        The same routes of our own API, for those only who call this box as no page on the internet
        can be called: also those that ask nobody who he is.
        """
        for route in routes:
            ask = guarded(self._check_name, route.answer)
            yield route if route.here is not None else evolve(route, answer=ask)

    def _check_name(self, call: Call) -> None:
        if not self._names.believed(call):
            raise Forbidden(NOT_OURS)

    def who(self, call: Call) -> str:
        """Who calls, in words for the owner; never refuses."""
        try:
            if not self.knows(call):
                return f"account {self._named(self._accounts(call).name)}"
            if bearer_of(call):
                return f"token {self._token(call).name}"
            found = self.found(call)
            if found is not None:
                return f"owner, {found[1].label}"
        except LoginRefused:
            pass
        return f"somebody, {browser_name(call.header('user-agent'))}"

    def _check_place(self, call: Call) -> None:
        self._check_near(call)
        if not self._names.called(call):
            raise Forbidden(NOT_OURS)
        # Links to our pages may be anywhere; what they would get is kept from them by the browser.
        asked = not is_safe(call) or call.path.startswith("/api/")
        if not is_same_origin(call) or (asked and is_cross_site(call)):
            raise Forbidden(FOREIGN)

    def _check_near(self, call: Call) -> None:
        if not self._is_near(call):
            raise Forbidden(ELSEWHERE)

    def _is_near(self, call: Call) -> bool:
        return self._everywhere() or is_near(call)


def bearer_of(call: Call) -> str:
    """The token in the header for it; no cookie."""
    scheme, _, token = call.header("authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def csrf_said(call: Call) -> str:
    """What came along to prove that a page of ours sent it; empty for nothing."""
    said = call.header(CSRF_HEADER)
    if said or not call.header("content-type").lower().startswith(FORM):
        return said
    field = fields_of(call).get(CSRF_FIELD, "")
    return field if isinstance(field, str) else ""


def equal(secret: str, said: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(secret.encode(), said.encode("utf-8", "replace"))
