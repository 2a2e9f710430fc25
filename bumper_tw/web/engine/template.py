"""Texts with holes in them, and what fills the holes."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from attrs import frozen

from bumper_tw.dialect.envelopes import to_json
from bumper_tw.web.call import Call

#: A hole in JSON text; one for a time may have its quotes around it, as it becomes a number.
HOLE = re.compile(r'("\{(?:now|later)_ms\}"|\{[A-Za-z_]+(?:\.[A-Za-z0-9_-]+)?\})')
#: How far C{later_ms} is away: half a day.
LATER_MS = 12 * 3600 * 1000
#: The header of answers in which links are: what they begin with is what the one who asks said,
#: and that is for nobody else.
NO_STORE = (("Cache-Control", "no-store"),)
#: As much of a query parameter is repeated.
ECHO = 200


class Person(Protocol):
    """Whoever asks, as far as answers name him."""

    @property
    def uid(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def nickname(self) -> str: ...


People = Callable[[Call], Person]


@frozen
class Filling:
    """One request, and what else there is to tell."""

    call: Call
    now_ms: int
    people: People

    @property
    def person(self) -> Person:
        """Whoever asks."""
        return self.people(self.call)

    @property
    def country(self) -> str:
        """His country, in the path of the private API or in the query."""
        call = self.call
        return call.segments.get("country") or self.query("country") or self.query("area") or "us"

    @property
    def language(self) -> str:
        """The same for his language."""
        call = self.call
        found = call.segments.get("lang") or self.query("lang") or self.query("defaultLang")
        return (found or "en").lower()

    def query(self, name: str) -> str:
        """A query parameter, as far as it is repeated."""
        return self.call.query(name)[:ECHO]


Filler = Callable[[Filling], str]


def quoted(text: str) -> str:
    """C{text} as it stands between the quotes of JSON."""
    return to_json(text).decode("utf-8")[1:-1]


#: What can stand in a hole.
FILLERS: Mapping[str, Filler] = {
    '"{now_ms}"': lambda it: str(it.now_ms),
    "{now_ms}": lambda it: str(it.now_ms),
    '"{later_ms}"': lambda it: str(it.now_ms + LATER_MS),
    "{later_ms}": lambda it: str(it.now_ms + LATER_MS),
    "{host}": lambda it: it.call.host,
    "{base_url}": lambda it: it.call.base_url,
    "{country}": lambda it: quoted(it.country.lower()),
    "{COUNTRY}": lambda it: quoted(it.country.upper()),
    "{lang}": lambda it: quoted(it.language),
    "{uid}": lambda it: quoted(it.person.uid),
    "{account}": lambda it: quoted(it.person.account),
    "{email}": lambda it: quoted(it.person.email),
    "{nickname}": lambda it: quoted(it.person.nickname),
}


def filler(hole: str) -> Filler:
    """
    What fills a hole.

    @raise ValueError: nobody knows.
    """
    kind, _, name = hole[1:-1].partition(".")
    if name and kind == "query":
        return lambda it: quoted(it.query(name))
    if name and kind == "quoted":
        # Percent-encoding leaves nothing that JSON would have to escape.
        return lambda it: quote(it.query(name), safe="")
    if hole not in FILLERS:
        raise ValueError(f"nobody knows {hole}")
    return FILLERS[hole]


@frozen
class Template:
    """
    A text with holes in it.

    @ivar pieces: text and filler in turns, beginning and ending with a text.
    @ivar whole: the text when there are no holes.
    """

    pieces: tuple[str | Filler, ...]
    whole: bytes | None = None

    @property
    def links(self) -> bool:
        """Whether this box is named in it, as whoever asks calls it."""
        return any(FILLERS[hole] in self.pieces for hole in ("{host}", "{base_url}"))

    @classmethod
    def plain(cls, body: bytes) -> "Template":
        """Nothing is replaced."""
        return cls((), body)

    @classmethod
    def parse(cls, text: str) -> "Template":
        """
        Find the holes.

        @raise ValueError: nobody knows what belongs into one.
        """
        pieces: list[str | Filler] = list(HOLE.split(text))
        if len(pieces) == 1:
            return cls.plain(text.encode("utf-8"))
        pieces[1::2] = [filler(str(hole)) for hole in pieces[1::2]]
        return cls(tuple(pieces))

    def sample(self) -> bytes:
        """The text with something in each hole that may stand in any."""
        if self.whole is not None:
            return self.whole
        return "".join(part if isinstance(part, str) else "0" for part in self.pieces).encode()

    def fill(self, filling: Filling) -> bytes:
        """The text for one request."""
        if self.whole is not None:
            return self.whole
        parts = (part if isinstance(part, str) else part(filling) for part in self.pieces)
        return "".join(parts).encode("utf-8", "replace")
