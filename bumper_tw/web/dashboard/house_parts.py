"""What the pages about the house have in common."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from twisted.web.template import Flattenable, Tag, tags

from bumper_tw.errors import Forbidden
from bumper_tw.front.contact import clean
from bumper_tw.values import Principal, Role
from bumper_tw.web.api import failure
from bumper_tw.web.call import Call
from bumper_tw.web.dashboard.frame import page_failure, sentence
from bumper_tw.web.routes import GET, Ask, Excuse, Route

POST, PUT, PATCH, DELETE = ("POST",), ("PUT",), ("PATCH",), ("DELETE",)

#: Whether somebody calls this box by a name of its own.
Here = Callable[[Call], bool]

#: Tells who asks for the whole house, or raises L{LoginRefused<bumper_tw.errors.LoginRefused>}.
House = Callable[[Call], Principal]

OWNERS_ONLY = "this is for the owner of the box: set the owner's password first"

#: What is said in brackets to whoever edits files.
ASIDE = re.compile(r" *\([^()]*\bdocs/[^()]*\)")

#: How times are written.
MINUTES = "%d %b %Y, %H:%M:%S"

#: As much of one text is on a page.
LONGEST = 300


def page(path: str, answer: Ask, here: Here) -> Route:
    """A page."""
    return Route(path, GET, answer, page_failure, here=here)


def api(path: str, methods: tuple[str, ...], answer: Ask, excuse: Excuse = failure) -> Route:
    """A part of our own API."""
    return Route(path, methods, answer, excuse)


def owners_only(house: House) -> House:
    """
    Only the owner himself: as long as he has no password, everybody who is at home may see the
    house, but must not change it, nor take its keys away.
    """

    def owner(call: Call) -> Principal:
        who = house(call)
        if who.role is not Role.OWNER:
            raise Forbidden(OWNERS_ONLY)
        return who

    return owner


def shown_text(value: object, longest: int = LONGEST) -> str:
    """A text that may come from anybody, as it is on a page."""
    return clean(str(value), longest)


def told(value: object, longest: int = 1000) -> str:
    """What the server says in its log and to commands, as a sentence for a page."""
    return sentence(ASIDE.sub("", shown_text(value, longest)))


def moment(seconds: float, ago: bool = False) -> Flattenable:
    """
    A time; a hyphen for none.

    @param ago: whether scripts are to say how long ago that was.
    """
    try:
        when = datetime.fromtimestamp(seconds).astimezone() if seconds else None
    except (ValueError, OverflowError, OSError):
        when = None
    if when is None:
        return "-"
    found = tags.time(when.strftime(MINUTES), datetime=when.isoformat("T", "seconds"))
    return found(**{"data-ago": ""}) if ago else found


def rows(tag: Tag, found: Iterable[Mapping[str, Any]]) -> Iterator[Tag]:
    """One copy of a part of a template for each of something, with its slots filled."""
    for each in found:
        yield tag.clone().fillSlots(**each)


def kept(tag: Tag, condition: object) -> Flattenable:
    """A part of a template, or nothing."""
    return tag if condition else ""


def lasting(seconds: float) -> str:
    """A length of time, as people say it."""
    minutes = int(max(0.0, seconds) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{counted(days, 'day')} and {counted(hours, 'hour')}"
    if hours:
        return f"{counted(hours, 'hour')} and {counted(minutes, 'minute')}"
    return counted(minutes, "minute")


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
