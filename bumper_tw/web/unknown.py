"""
What clients hear that ask for something nobody answers: a success without anything in it, as
their family has it.  An app that is told "not found" asks for ever, or shows an error.
"""

import re
from collections.abc import Callable, Container, Iterator
from functools import cache
from typing import Any

from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.people import People
from bumper_tw.core.unknown import PRIVATE, Seen, UnknownPaths
from bumper_tw.dialect import models
from bumper_tw.errors import BadRequest, DeviceUnknown
from bumper_tw.interfaces import IDeviceRegistry
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.engine.wrapping import Family, family, is_own
from bumper_tw.web.guard import fields_of
from bumper_tw.web.routes import Route

#: Who changes something expects that it is so afterwards.
METHODS = frozenset({"GET", "HEAD", "POST"})
#: A longer body is not parsed for a report.
READ = 1 << 16

#: What a User-Agent may say of itself.
AGENT = re.compile(r"([A-Za-z][A-Za-z_.-]{0,31}/\d{1,4}(?:\.\d{1,4}){0,3})(?:$|[ ;(])")
#: The name and the version of an app, in the private API's segments.
NAME = re.compile(r"[A-Za-z_-]{1,32}")
VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,3}")

NOT_FOUND = {"code": 404, "msg": "not found", "message": "not found"}

#: Whether a text names something of this house.
Own = Callable[[str], bool]


class UnknownAnswers:
    """
    Notes and answers.

    @ivar pages: one of our pages, where there are any.
    @param house: gives whatever tells what is ours at the moment.
    @param harmless: whether anybody is to be told of success.
    """

    def __init__(
        self,
        clock: IReactorTime,
        unknown: UnknownPaths,
        house: Callable[[], Own],
        harmless: bool,
    ) -> None:
        self._clock, self._unknown = clock, unknown
        self._house, self.harmless = house, harmless
        self.pages: Route | None = None

    def __call__(self, call: Call, known: Container[str]) -> Answer | None:
        """
        The answer to a request that no route is for.

        @param known: the words that paths of routes are made of.
        @return: C{None} for our own API, whose clients are to hear of their mistake.
        """
        if is_own(call.path):
            return None
        found = family(call.path)
        if found is None and self.pages is not None and is_astray(call, self.pages):
            return self.pages.failure(call, DeviceUnknown("there is no such page"))
        self._unknown.note(seen(call, found), self._house(), known)
        if found is None or not self.harmless or call.method not in METHODS:
            return json_answer(NOT_FOUND, 404)
        return found.ok(int(self._clock.seconds() * 1000))


def is_astray(call: Call, page: Route) -> bool:
    """Whether it is a browser that looks for a page of ours, and no app, nor a robot."""
    looks = call.method in {"GET", "HEAD"} and "text/html" in call.header("accept").lower()
    return looks and page.here is not None and page.here(call)


class House:
    """Knows what is ours: robots, users, their names and homes, and classes of robots."""

    def __init__(self, registry: IDeviceRegistry, accounts: Accounts, people: People) -> None:
        self._registry, self._accounts, self._people = registry, accounts, people

    def __call__(self) -> Own:
        """What it knows at the moment."""
        # Most requests have no word that has to be looked up.
        words = cache(self._words)

        def is_ours(text: str) -> bool:
            return text.casefold() in words() or models.model(text) is not None

        return is_ours

    def _words(self) -> frozenset[str]:
        all_ = (*self._robots(), *self._users())
        return frozenset(word.casefold() for word in all_ if word)

    def _robots(self) -> Iterator[str]:
        for device in self._registry.devices():
            yield from (device.id.did, device.name, device.nick)

    def _users(self) -> Iterator[str]:
        for uid in self._accounts.household.uids():
            user = self._accounts.user(uid)
            account = user.account if user is not None else ""
            # Of an e-mail address the front alone is a name, too.
            yield from (uid, account, account.partition("@")[0])
            yield self._people.profile(uid).nickname
        yield from (home.name for home in self._accounts.household.every_home())


def seen(call: Call, found: Family | None) -> Seen:
    """A request as far as a report is about it."""
    return Seen(
        method=call.method,
        path=call.path,
        peer=call.peer,
        query=names(call),
        body=body(call),
        content_type=call.header("content-type"),
        size=len(call.raw),
        app=app(call),
        family=found.name if found is not None else "",
    )


def names(call: Call) -> list[str]:
    """The names of its query parameters; none when there are too many."""
    try:
        return call.query_names()
    except BadRequest:
        return []


def body(call: Call) -> Any:
    """The fields of its body, as far as that is short."""
    return fields_of(call) if len(call.raw) <= READ else None


def app(call: Call) -> str:
    """What asked: the app that the path names, or else the User-Agent; its version with it."""
    if PRIVATE.fullmatch(call.path):
        name, version = call.path.split("/")[6:8]
        if NAME.fullmatch(name) and VERSION.fullmatch(version):
            return f"{name}/{version}"
    agent = AGENT.match(call.header("user-agent"))
    return agent[1] if agent else ""
