"""What users say of themselves, and what they have set (http-endpoints-app.md 2)."""

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.accounts import Accounts
from bumper_tw.core.people import People, is_country
from bumper_tw.dialect.envelopes import FAILED, TOKEN_INVALID, private_failed, private_ok
from bumper_tw.errors import LoginRefused
from bumper_tw.values import Principal
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.guard import text_of
from bumper_tw.web.persons import Persons
from bumper_tw.web.routes import ANY, Ask, Excuse, Route, both, private
from bumper_tw.web.told import switch_in, told, value_of

#: What the vendor may suggest: how it is called, what it means, and whether the app wants that
#: said below (http-endpoints-app.md 2.6).
SUGGESTIONS: tuple[tuple[str, str, str | None], ...] = (
    ("ACTIVITY", "Activities", "News of activities"),
    ("APP_RECOMMEND", "Recommendations", "What this app recommends"),
    ("MARKETING", "Offers", None),
    ("QUESTIONNAIRE", "Questionnaires", None),
    ("INTRODUCTION", "Introductions", None),
    ("EMAIL", "E-mail", "The same by e-mail"),
)

#: What users may be told of (http-endpoints-app.md 2.6).
RECEIVED = (
    ("ACTIVITY", "Activities"),
    ("SERVICE_NOTIFICATION", "Service"),
    ("CUSTOMER_SERVICE", "Customer service"),
)

#: The vendor spells it so.
ADVERTISING = "PERSONALIZATIONIZATION_ADVERTISING"
ACCEPT = "acceptSuggestion"

#: In front of the names of settings: the two lists have names in common.
SUGGEST, RECEIVE, OTHER = "suggest:", "receive:", "other:"

#: What the fields of requests may be called; no document says how they are.
AREA = ("area", "areaKey", "country", "countryCode", "newArea")
VALUE = ("val", "openOrClose", "value")

#: The versions in which apps ask.
VERSIONS = ("v1", "v2", "v3")


def everywhere(rest: str, answer: Ask, failure: Excuse) -> Iterator[Route]:
    """A name of the private API, in each of its versions."""
    paths = (private(version, rest) for version in VERSIONS)
    return both(*paths, methods=ANY, answer=answer, failure=failure)


class Wrapping:
    """How the private API wraps its answers."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    @property
    def now_ms(self) -> int:
        """Now, in milliseconds since the epoch."""
        return int(self._clock.seconds() * 1000)

    def ok(self, data: object) -> Answer:
        """S1."""
        return json_answer(private_ok(data, self.now_ms))

    def failed(self, _: Call, wrong: Exception) -> Answer:
        """E9."""
        code = TOKEN_INVALID if isinstance(wrong, LoginRefused) else FAILED
        return json_answer(private_failed(code, str(wrong), self.now_ms))


class ProfileRoutes:
    """The settings of the apps."""

    def __init__(self, people: People, persons: Persons, wrapping: Wrapping) -> None:
        self._people, self._persons, self._wrapping = people, persons, wrapping

    def routes(self) -> Iterator[Route]:
        """PR06 to PR11."""
        failed = self._wrapping.failed
        yield from everywhere("/user/changeArea", self.change_area, failed)
        yield from everywhere("/user/queryChangeArea", self.query_area, failed)
        settings = "/userSetting/"
        yield from everywhere(settings + "getSuggestionSetting", self.suggestions, failed)
        yield from everywhere(settings + "getMsgReceiveSetting", self.received, failed)
        yield from everywhere(settings + "saveUserSetting", self.save, failed)

    def change_area(self, call: Call) -> Answer | Deferred[Answer]:
        """PR06: a user moves; what is no country changes nothing."""
        uid, area = self._persons.named(call), told(call, *AREA)
        if not is_country(area):
            return self.query_area(call)
        changed = self._people.change(uid, country=area)
        return changed.addCallback(lambda _: self.query_area(call))

    def query_area(self, _: Call) -> Answer:
        """PR07: all areas are here, so nobody has to log in again."""
        return self._wrapping.ok({"isNeedReLogin": "N"})

    def suggestions(self, call: Call) -> Answer:
        """PR08: nothing is suggested unless somebody wants it."""
        uid = self._persons.person(call).uid

        def chosen(key: str) -> str:
            return self._people.setting(uid, SUGGEST + key, "N")

        items = [
            {"name": name, "settingKey": key, "subTitle": text, "val": chosen(key)}
            for key, name, text in SUGGESTIONS
        ]
        personal = {"settingKey": ADVERTISING, "name": None, "val": chosen(ADVERTISING), "url": ""}
        data = {ACCEPT: chosen(ACCEPT), "itemList": items, "userPersonalization": personal}
        return self._wrapping.ok(data)

    def received(self, call: Call) -> Answer:
        """PR09 and PR10."""
        uid = self._persons.person(call).uid
        settings = [
            {
                "name": name,
                "openOrClose": self._people.setting(uid, RECEIVE + kind, "Y"),
                "settingType": kind,
            }
            for kind, name in RECEIVED
        ]
        return self._wrapping.ok({"list": settings})

    def save(self, call: Call) -> Deferred[Answer]:
        """PR11: both lists are changed here."""
        uid, value = self._persons.named(call), value_of(call, *VALUE)
        on = switch_in(value)
        text = told(call, *VALUE) if on is None else "Y" if on else "N"
        chosen = self._people.choose(uid, setting_name(call), text)
        return chosen.addCallback(lambda _: self._wrapping.ok(None))


def setting_name(call: Call) -> str:
    """Which setting a request is about."""
    key, kind = told(call, "settingKey"), told(call, "settingType")
    if key in {ADVERTISING, ACCEPT, *(key for key, _, _ in SUGGESTIONS)}:
        return SUGGEST + key
    if (kind or key) in {kind for kind, _ in RECEIVED}:
        return RECEIVE + (kind or key)
    return OTHER + (key or kind)


class MeRoutes:
    """What users say of themselves, over our own API."""

    def __init__(
        self,
        accounts: Accounts,
        people: People,
        persons: Persons,
        guard: Callable[[Call], Principal],
        failure: Excuse,
    ) -> None:
        """
        @param failure: how our own API says that something went wrong.
        """
        self._accounts, self._people = accounts, people
        self._persons, self._guard, self._failure = persons, guard, failure

    def routes(self) -> Iterator[Route]:
        """C{/api/me}."""
        yield Route("/api/me", ("GET",), self.show, self._failure)
        yield Route("/api/me", ("PUT",), self.change, self._failure)

    def show(self, call: Call) -> Answer:
        """Who has this token."""
        return self._shown(self._guard(call))

    def change(self, call: Call) -> Deferred[Answer]:
        """Change C{nickname}, C{country} or C{language}; what is left out stays."""
        who, body = self._guard(call), call.body()
        fields = ("nickname", "country", "language")
        said = {name: text_of(body, name) for name in fields if name in body}
        return self._people.change(who.name, **said).addCallback(lambda _: self._shown(who))

    def _shown(self, who: Principal) -> Answer:
        user = self._accounts.user(who.name)
        if user is None:
            raise LoginRefused("this user is gone")
        person = self._persons.known(user)
        shown: dict[str, Any] = {
            "uid": person.uid,
            "account": person.account,
            "email": person.email,
            "nickname": person.nickname,
            "country": person.country,
            "language": person.language,
        }
        return json_answer(shown)
