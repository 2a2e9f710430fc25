"""People: accounts of apps, the owner's browsers, and tokens of his scripts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.core.api_tokens import ApiToken
from bumper_tw.core.owner_sessions import Session
from bumper_tw.core.policies import MAX_ACCOUNT
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.frame import Admit, Visit, shown, template
from bumper_tw.web.dashboard.house_parts import (
    DELETE,
    POST,
    PUT,
    Here,
    House,
    api,
    counted,
    kept,
    moment,
    owners_only,
    page,
    rows,
    shown_text,
)
from bumper_tw.web.routes import GET, Route

#: What tokens may do, for people.
SCOPES = {"read": "see robots", "control": "run robots", "house": "see and change everything"}

DONE: Mapping[str, object] = {"ok": True}


class People(Protocol):
    """Accounts; see L{bumper_tw.app.dashboard_people.PeopleDesk}."""

    def users(self) -> Deferred[list[dict[str, Any]]]: ...

    def set_password(self, account: str, password: str, new: bool) -> Deferred[None]: ...

    def remove(self, account: str) -> Deferred[None]: ...


class Access(Protocol):
    """How the owner himself comes in."""

    def browsers(self) -> Sequence[Session]: ...

    @property
    def tokens(self) -> "Tokens": ...


class Tokens(Protocol):
    """The tokens of his scripts."""

    def listed(self) -> Sequence[ApiToken]: ...


class PeopleRoutes:
    """The page, and the API as far as it is about accounts; tokens have routes of their own."""

    def __init__(
        self,
        people: People,
        access: Access,
        admit: Admit,
        house: House,
        here: Here,
        open_house: bool,
        mine: Callable[[Call], str] = lambda _: "",
    ) -> None:
        """
        @param house: tells who asks for the whole house, or raises
            L{LoginRefused<bumper_tw.errors.LoginRefused>}.
        @param open_house: whether apps get in without a password.
        @param mine: the id of the session of the browser that asks.
        """
        self._people, self._access, self._admit = people, access, admit
        self._house, self._here = owners_only(house), here
        self._mine, self._open_house = mine, open_house

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        user = "/api/accounts/<account>"
        return (
            page("/house/people", self.page, self._here),
            api("/api/accounts", GET, self.users),
            api("/api/accounts", POST, self.add),
            api(user, DELETE, self.remove),
            api(f"{user}/password", PUT, self.change),
        )

    def page(self, call: Call) -> Deferred[Answer]:
        """Everybody."""
        return Deferred.fromCoroutine(self._page(self._admit(call), self._mine(call)))

    async def _page(self, visit: Visit, mine: str) -> Answer:
        users, access = await self._people.users(), self._access
        element = PeoplePage(
            users, access.browsers(), mine, access.tokens.listed(), self._open_house
        )
        return await shown(visit, "People", element, "house.js")

    def users(self, call: Call) -> Deferred[Answer]:
        """Accounts, for programs."""
        self._house(call)
        return self._people.users().addCallback(lambda found: json_answer({"accounts": found}))

    def add(self, call: Call) -> Deferred[Answer]:
        """One more account."""
        self._house(call)
        account, password = call.field("account", str), call.field("password", str)
        done = self._people.set_password(account, password, new=True)
        return done.addCallback(lambda _: json_answer(dict(DONE)))

    def change(self, call: Call) -> Deferred[Answer]:
        """Another password; whoever is logged in with the old one is not any more."""
        self._house(call)
        account, password = call.segments["account"], call.field("password", str)
        done = self._people.set_password(account, password, new=False)
        return done.addCallback(lambda _: json_answer(dict(DONE)))

    def remove(self, call: Call) -> Deferred[Answer]:
        """Remove an account with all that is its."""
        self._house(call)
        done = self._people.remove(call.segments["account"])
        return done.addCallback(lambda _: json_answer(dict(DONE)))


class PeoplePage(Element):
    """What is on the page."""

    def __init__(
        self,
        users: Sequence[Mapping[str, Any]],
        browsers: Sequence[Session],
        mine: str,
        tokens: Sequence[ApiToken],
        open_house: bool,
    ) -> None:
        super().__init__(template("house_people"))
        self._users, self._browsers, self._tokens = users, browsers, tokens
        self._mine = mine
        self._open_house = open_house

    @renderer
    def open_house(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where apps get in without a password."""
        return kept(tag, self._open_house)

    @renderer
    def nobody(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is no account."""
        return kept(tag, not self._users)

    @renderer
    def no_tokens(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is no token."""
        return kept(tag, not self._tokens)

    @renderer
    def users(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Accounts."""
        return rows(tag, map(user_row, self._users))

    @renderer
    def browsers(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Where the owner is logged in, the newest first."""
        return rows(tag, (browser_row(each, self._mine) for each in reversed(self._browsers)))

    @renderer
    def tokens(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Tokens, the newest first."""
        return rows(tag, map(token_row, reversed(self._tokens)))


def user_row(user: Mapping[str, Any]) -> Mapping[str, Flattenable]:
    """One account."""
    robots = len(user["robots"])
    return {
        # As long as an account may be, and without what it may not have.
        "account": shown_text(user["account"], MAX_ACCOUNT),
        "name": shown_text(user["account"]),
        "password": "yes" if user["password"] else "no",
        "created": moment(user["created"]),
        "robots": counted(robots, "robot") if robots else "-",
    }


def browser_row(session: Session, mine: str) -> Mapping[str, Flattenable]:
    """One browser."""
    label = shown_text(session.label) or "A browser"
    return {
        "id": session.id,
        "label": f"{label} (this one)" if session.id == mine else label,
        "peer": shown_text(session.peer) or "this box",
        "secure": "yes" if session.secure else "no",
        "since": moment(session.since),
        "seen": moment(session.seen, ago=True),
    }


def token_row(token: ApiToken) -> Mapping[str, Flattenable]:
    """One token; its text is told once only."""
    return {
        "id": token.id,
        "name": shown_text(token.name),
        "scopes": ", ".join(SCOPES.get(each, each) for each in token.scopes),
        "created": moment(token.created),
        "used": moment(token.used, ago=True) if token.used else "never",
        "expires": moment(token.expires) if token.expires else "never",
    }
