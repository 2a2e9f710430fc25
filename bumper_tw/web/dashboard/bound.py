"""
Templates with values in them: C{data-field} names the value that an element shows, C{data-part}
the one without which it is not there.  Scripts keep both up to date (C{bind} in C{live.js}).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from twisted.web.iweb import IRequest
from twisted.web.template import Element, Tag, renderer

from bumper_tw.web.dashboard.frame import template

#: The last second that a date can be made of everywhere.
END = 253_402_300_799


class Bound(Element):
    """
    A template with values.

    @ivar values: texts and numbers by name; C{None} and C{""} are nothing.
    """

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        """
        @param name: of the template.
        """
        super().__init__(template(name))
        self.values = values

    @renderer
    def field(self, _: "IRequest | None", tag: Tag) -> Tag:
        """One value, as this kind of element shows it."""
        value = self.values.get(str(tag.attributes["data-field"]))
        if "data-empty" in tag.attributes and is_empty(value):
            tag = tag(hidden="hidden")
        return SHOWN.get(str(tag.tagName), in_words)(tag, value)

    @renderer
    def part(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What is there only with one value."""
        gone = is_empty(self.values.get(str(tag.attributes["data-part"])))
        return tag(hidden="hidden") if gone else tag


def is_empty(value: object) -> bool:
    """Whether a value is nothing to be shown."""
    return value is None or value == ""


def legible(text: str) -> str:
    """A text that can be sent: JSON may bring halves of letters along (RFC 8259, 8.2)."""
    return text.encode("utf-8", "replace").decode()


def in_words(tag: Tag, value: object) -> Tag:
    """A value as text."""
    return tag("" if is_empty(value) else legible(str(value)))


def as_picture(tag: Tag, value: object) -> Tag:
    """A value as the address of a picture."""
    return tag if is_empty(value) else tag(src=legible(str(value)))


def as_level(tag: Tag, value: object) -> Tag:
    """A value as how full something is; scripts or not, it is between 0 and 100."""
    level = float(value) if isinstance(value, int | float) else 0.0
    return tag(value=f"{level:g}" if 0 <= level <= 100 else "0")


def as_time(tag: Tag, value: object) -> Tag:
    """
    A value as a time, in the zone of this box; scripts make it "5 minutes ago".

    @param value: seconds since the epoch.
    """
    if not isinstance(value, int | float) or not 0 < value <= END:
        return tag
    exact = datetime.fromtimestamp(value, UTC)
    words = exact.astimezone().strftime("%d %b %Y, %H:%M").removeprefix("0")
    return tag(words, datetime=exact.strftime("%Y-%m-%dT%H:%M:%SZ"))


def rooted(tag: Tag, values: Mapping[str, Any]) -> Tag:
    """The element around the values of a robot, by which style and scripts know how it is."""
    online = "true" if values.get("online") else "false"
    marks = {f"data-{name}": legible(str(values.get(name, ""))) for name in ("did", "state")}
    return tag(**marks, **{"data-online": online})


#: How elements show a value that is not their text.
SHOWN: Mapping[str, Callable[[Tag, object], Tag]] = {
    "img": as_picture,
    "meter": as_level,
    "progress": as_level,
    "time": as_time,
}
