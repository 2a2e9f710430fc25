"""
What goes out of the house goes through here, twice: fields by their names, and then all of it
as text.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unicodedata import normalize

from attrs import define, field

from bumper_tw.app.support.patterns import (
    NAMING,
    is_foreign_host,
    is_private,
    without_patterns,
)
from bumper_tw.app.support.pseudonyms import HIDDEN, Known, Pseudonyms, is_other, other_of
from bumper_tw.app.support.sayings import other_agent
from bumper_tw.app.support.words import COMMON
from bumper_tw.dialect.domains import ATOM
from bumper_tw.dialect.logins import IdKind, parse_client_id

#: Values nested more deeply than anything of ours are cut off.
DEEPEST = 20

#: As many texts are remembered with what became of them.
OFTEN = 5000

#: Whole numbers from here on could be names.
LARGE = 10**11

#: Fields of our own documents, besides those that are known everywhere.
ADDRESSES = frozenset({"host", "peer", "local", "announce", "address", "told", "asked"})
HOSTS = frozenset({"server_name"})


@define(eq=False)
class Redactor:
    """
    Takes out of texts what is somebody's, and puts the same other name in its place each time.
    """

    names: Pseudonyms = field(factory=Pseudonyms)
    known: Known = field(factory=lambda: Known(COMMON))
    _often: dict[str, str] = field(factory=dict, init=False)

    def learn(self, kind: str, real: str, end: str = "") -> str:
        """
        Something is called so; from now on it is hidden wherever it stands.

        @param end: of the other name, for what belongs to something else.
        @return: the other name.
        """
        other = real if is_other(real) else self.names.name(kind, real)
        self.learn_of(other + end, real)
        return other

    def learn_of(self, other: str, real: str) -> None:
        """What belongs to something with another name goes by that one, too."""
        self.known.add(real, other)
        self._often.clear()

    def hide(self, secret: str) -> None:
        """Something is a secret."""
        self.learn_of(HIDDEN, secret)

    def text(self, text: str) -> str:
        """A text that may go out."""
        return without_patterns(self.known.replaced(normalize("NFC", text)), self.names)

    def document(self, value: Any) -> str:
        """A document as JSON that may go out."""
        return json.dumps(self.plain(value), indent=1, ensure_ascii=False) + "\n"

    def plain(self, value: Any, name: str = "", depth: int = DEEPEST) -> Any:
        """
        A value of JSON, with other names and without secrets where its fields say so.

        @param name: of the field that it stands in.
        """
        if isinstance(value, Mapping):
            return {
                self._seen(str(key)): self.plain(each, str(key), depth - 1)
                for key, each in value.items()
                if depth
            }
        if isinstance(value, list | tuple):
            return [self.plain(each, name, depth - 1) for each in value if depth]
        return self._scalar(value, name.lower())

    def _scalar(self, value: Any, name: str) -> Any:
        # What is not between quotes might not be JSON any more once it has another name.
        if is_private(name) or name in NAMING:
            text = "" if value is None else str(value)
            if not text or is_private(name):
                return text and HIDDEN
            return other_of(NAMING[name], text, self.names)
        if isinstance(value, float):
            return round(value, 3) if abs(value) < LARGE else str(value)
        if value is None or isinstance(value, bool | int):
            large = value is not None and abs(value) >= LARGE
            return self._seen(str(value)) if large else value
        text = str(value)
        if name in ADDRESSES:
            text = self.names.address(text)
        is_host = name in HOSTS and is_foreign_host(text)
        return self.names.name("name", text) if is_host else self._seen(text)

    def _seen(self, text: str) -> str:
        """The same as L{text}, which is done once for what comes often."""
        if text not in self._often:
            if len(self._often) >= OFTEN:
                self._often.clear()
            self._often[text] = self.text(text)
        return self._often[text]


#: Tells a redactor what one field says of somebody.
Lesson = Callable[[Redactor, str], None]


def learn_claim(redactor: Redactor, claim: str) -> None:
    """Who somebody says he is: the id and the name of a client, a name at a domain, a program."""
    if claim.startswith("client id "):
        client, _, user = claim.removeprefix("client id ").partition(", user ")
        found = parse_client_id(client)
        is_robot = found.kind is IdKind.ROBOT
        redactor.learn("robot" if is_robot else "client", found.identity if is_robot else client)
        redactor.learn("user", user)
        redactor.learn("resource", found.resource if is_robot and found.resource != ATOM else "")
    elif " at " in claim:
        name, _, domain = claim.rpartition(" at ")
        redactor.learn("user", name)
        learn_host(redactor, domain)
    elif (other := other_agent(claim, redactor.names)) != claim:
        redactor.learn_of(other, claim)


def learn_who(redactor: Redactor, who: str) -> None:
    """Who has logged in."""
    role, _, name = who.partition(" ")
    if role in {"robot", "user", "service"}:
        redactor.learn("robot" if role == "robot" else "user", name)


def learn_host(redactor: Redactor, name: str) -> None:
    """A host name that somebody asked for."""
    if is_foreign_host(name):
        redactor.learn("name", name)


def learn_robot(redactor: Redactor, did: str) -> None:
    """A robot's id."""
    redactor.learn("robot", did)


def learn_name(redactor: Redactor, name: str) -> None:
    """What somebody calls something."""
    redactor.learn("name", name)


#: What fields tell of names, wherever they stand.
LESSONS: Mapping[str, Lesson] = {
    "claims": learn_claim,
    "claim": learn_claim,
    "name": learn_who,
    "server_name": learn_host,
    "robot": learn_robot,
    "did": learn_robot,
    "robot_name": learn_name,
    "nickname": learn_name,
}


def learn_from(redactor: Redactor, document: Any) -> None:
    """Learn the names that stand in a document, before it and others go out."""
    for name, text in leaves(document):
        lesson = LESSONS.get(name)
        if lesson is not None and text:
            lesson(redactor, text)


def leaves(value: Any, name: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, str]]:
    """The texts in a document, each with the name of its field."""
    if isinstance(value, str):
        yield name, value
    elif depth and isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(each, str(key), depth - 1)
    elif depth and isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each, name, depth - 1)
