"""What people have chosen and agreed to, and the small things that their apps keep here."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.sessions import settled
from bumper_tw.core.shelf import BETWEEN, Shelf, key_of
from bumper_tw.dialect import areas
from bumper_tw.errors import BadRequest
from bumper_tw.interfaces import IRecordStore

#: A language as clients spell it: C{de}, C{EN}, C{zh_cn}, C{zh-Hans}.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4})?")

#: Characters of a nickname.
MAX_NICKNAME = 100
#: Settings of one user, characters of the name of one, and of its value.
MAX_SETTINGS, MAX_NAME, MAX_VALUE = 48, 64, 200
#: Agreements that one user can have accepted.
MAX_ACCEPTED = 32
#: Things that apps keep for one user, characters of their keys, and bytes of one.
MAX_KEPT, MAX_KEY, MAX_KEPT_BYTES = 200, 200, 4096
#: Things that apps keep here in all.
MOST_KEPT = 5_000


@frozen
class Profile:
    """
    What a user says of himself.  All of it may be empty.

    @ivar country: two capital letters (L{areas.codes}).
    """

    nickname: str = ""
    country: str = ""
    language: str = ""


@frozen
class Choices:
    """What a user has set, by the name of the setting."""

    values: Mapping[str, str] = field(factory=dict)


@frozen
class Accepted:
    """When a user has accepted agreements, by their id; seconds since the epoch."""

    at: Mapping[str, float] = field(factory=dict)


@frozen
class Kept:
    """
    Something that an app keeps here for its user.

    @ivar text: its value as JSON.
    @ivar created: seconds since the epoch, as is C{updated}.
    """

    key: str
    text: str
    created: float
    updated: float


class People:
    """
    What is known of users besides their accounts.

    A user is named by his uid; the empty one is whoever does not say at home who he is.
    """

    def __init__(self, clock: IReactorTime, store: IRecordStore) -> None:
        self._clock = clock
        self._profiles = Shelf(store, "profiles", Profile)
        self._choices = Shelf(store, "settings", Choices)
        self._accepted = Shelf(store, "agreements", Accepted)
        self._kept = Shelf(store, "user_data", Kept, MOST_KEPT)

    def load(self, store: IRecordStore) -> Deferred[None]:
        """Take up what earlier runs left."""
        return settled([each.load(store) for each in self._shelves()])

    def flush(self) -> Deferred[None]:
        """Try again what the disk has refused."""
        return settled([each.flush() for each in self._shelves()])

    def _shelves(self) -> tuple[Shelf[Any], ...]:
        return (self._profiles, self._choices, self._accepted, self._kept)

    def forget(self, uids: Collection[str]) -> Deferred[None]:
        """Users who are gone leave nothing to whoever has their name next."""
        shelves: tuple[Shelf[Any], ...] = (self._profiles, self._choices, self._accepted)
        gone = [shelf.drop(uid) for uid in uids for shelf in shelves]
        gone += [self.drop(uid, [each.key for each in self.kept(uid)]) for uid in uids]
        return settled(gone)

    def profile(self, uid: str) -> Profile:
        """What a user says of himself; nothing, if he has not said anything."""
        return self._profiles.get(uid) or Profile()

    def change(self, uid: str, **said: str) -> Deferred[Profile]:
        """
        Change what a user says of himself.

        @param said: fields of L{Profile}; the others stay.  An empty text takes one back.
        @return: the new one, once it is on disk.  Fails with L{BadRequest} when a value is none.
        """
        try:
            checked = {name: CHECKS[name](value) for name, value in said.items()}
        except BadRequest as wrong:
            return fail(wrong)
        known = self.profile(uid)
        profile = evolve(known, **checked)
        if profile == known and self._profiles.is_saved(uid):
            return succeed(profile)
        return self._profiles.put(uid, profile).addCallback(lambda _: profile)

    def came_from(self, uid: str, country: str, language_: str) -> Deferred[Profile]:
        """
        An app has said where it is and what it speaks: as long as its user has not said anything
        else, that is what we know.  Words that are none do not count.
        """
        known = self.profile(uid)
        said = {}
        if not known.country and is_country(country):
            said["country"] = country
        if not known.language and LANGUAGE.fullmatch(language_):
            said["language"] = language_
        return self.change(uid, **said)

    def setting(self, uid: str, name: str, default: str = "") -> str:
        """What a user has set."""
        return self._values(uid).get(name, default)

    def _values(self, uid: str) -> Mapping[str, str]:
        known = self._choices.get(uid)
        return known.values if known else {}

    def choose(self, uid: str, name: str, value: str) -> Deferred[None]:
        """
        Set something.

        @return: fires when it is on disk.  Fails with L{BadRequest} when it is too much.
        """
        values = {**self._values(uid), name: value}
        if not name or len(name) > MAX_NAME or len(value) > MAX_VALUE:
            return fail(BadRequest("the setting has no name, or is too long"))
        if len(values) > MAX_SETTINGS:
            return fail(BadRequest("there are too many settings"))
        if values == self._values(uid) and self._choices.is_saved(uid):
            return succeed(None)
        return self._choices.put(uid, Choices(values))

    def accepted(self, uid: str) -> Mapping[str, float]:
        """What a user has accepted himself, and when."""
        known = self._accepted.get(uid)
        return known.at if known else {}

    def accept(self, uid: str, ids: Iterable[str]) -> Deferred[None]:
        """
        A user accepts agreements; those that he has accepted before stay as they are.

        @param ids: of agreements that there are.
        """
        now, known = self._clock.seconds(), self.accepted(uid)
        news = dict.fromkeys((each for each in ids if each not in known), now)
        if not news and self._accepted.is_saved(uid):
            return succeed(None)
        newest = list({**known, **news}.items())[-MAX_ACCEPTED:]
        return self._accepted.put(uid, Accepted(dict(newest)))

    def kept(self, uid: str) -> Sequence[Kept]:
        """Everything that apps keep for a user, the oldest first."""
        front = uid + BETWEEN
        return [each for key, each in self._kept.items() if key.startswith(front)]

    def kept_as(self, uid: str, key: str) -> Kept | None:
        """What is kept under a key."""
        return None if BETWEEN in key else self._kept.get(key_of(uid, key))

    def keep(self, uid: str, key: str, text: str) -> Deferred[None]:
        """
        Keep something for a user.

        @param text: JSON.
        @return: fires when it is on disk.  Fails with L{BadRequest} when it is too much.
        """
        if not key or len(key) > MAX_KEY or not key.isprintable():
            return fail(BadRequest("the key is empty or too long"))
        if len(text.encode("utf-8", "replace")) > MAX_KEPT_BYTES:
            return fail(BadRequest("the value is too long"))
        known, now = self.kept_as(uid, key), self._clock.seconds()
        if known is None and len(self.kept(uid)) >= MAX_KEPT:
            return fail(BadRequest("there is too much already"))
        place = key_of(uid, key)
        if known is not None and known.text == text and self._kept.is_saved(place):
            return succeed(None)
        created = known.created if known else now
        return self._kept.put(place, Kept(key, text, created, now))

    def drop(self, uid: str, keys: Iterable[str]) -> Deferred[None]:
        """Keep some things no longer; unknown ones are fine."""
        return self._kept.drop(*(key_of(uid, key) for key in keys if BETWEEN not in key))


def tidy(text: str, most: int) -> str:
    """A text that can be shown and logged: printable, and not too long."""
    return "".join(letter for letter in text if letter.isprintable())[:most].strip()


def is_country(text: str) -> bool:
    """Whether that is the code of a country or region, in any case."""
    return len(text) == 2 and text.lower() in areas.codes()


def country(text: str) -> str:
    """
    The code of a country, in capitals.

    @raise BadRequest: there is none of that code.
    """
    if text and not is_country(text):
        raise BadRequest("there is no such country")
    return text.upper()


def language(text: str) -> str:
    """
    The code of a language, as it is spelt.

    @raise BadRequest: it is none.
    """
    if text and not LANGUAGE.fullmatch(text):
        raise BadRequest("that is no language")
    return text


#: How the fields of a profile are checked.
CHECKS = {
    "nickname": lambda text: tidy(text, MAX_NICKNAME),
    "country": country,
    "language": language,
}
