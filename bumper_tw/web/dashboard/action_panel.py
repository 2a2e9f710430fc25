"""The buttons and fields by which a robot is told what to do."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.web.dashboard.frame import template
from bumper_tw.web.dashboard.words import readable

#: One action, and one of its arguments, as the API gives them.
Values = Mapping[str, Any]

#: What a robot does most often.
FIRST = "clean"

#: The corners of a rectangle.
CORNERS = (("x1", "Left"), ("y1", "Bottom"), ("x2", "Right"), ("y2", "Top"))


class ActionPanel(Element):
    """All that a robot can do."""

    def __init__(self, offered: Values) -> None:
        """
        @param offered: as C{GET /api/robots/<did>/actions} answers.
        """
        super().__init__(template("actions"))
        self._offered = offered

    @renderer
    def panel(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The whole of it."""
        online = "true" if self._offered["online"] else "false"
        return tag.fillSlots(did=self._offered["did"], online=online)

    @renderer
    def away(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Why nothing can be pressed."""
        return tag(hidden="hidden") if self._offered["online"] else tag

    @renderer
    def actions(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """One form for each."""
        for action in self._offered["actions"]:
            form = tag.clone().fillSlots(
                name=action["name"],
                label=action["label"],
                arguments=[field(action["name"], each) for each in action["arguments"]],
                button=self._button(action),
            )
            yield form if is_offered(action) else form(hidden="hidden")

    @renderer
    def names(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What it can do, to be read where no script runs."""
        return tag(tags.li(each["label"]) for each in self._offered["actions"])

    def _button(self, action: Values) -> Tag:
        """What sends it; without scripts there is none."""
        first = " primary" if action["name"] == FIRST else ""
        label = "Set" if is_setting(action) else action["label"]
        button = tags.button(label, type="submit", class_=f"scripted{first}")
        return button if self._offered["online"] else button(disabled="disabled")


def is_setting(action: Values) -> bool:
    """Whether something is only set: its field says already what."""
    return any(each["label"] == action["label"] for each in action["arguments"])


def is_offered(action: Values) -> bool:
    """Whether people can choose what it needs: rooms, which scripts add once there are some."""
    needed = (each for each in action["arguments"] if each["kind"] == "rooms")
    return all(each["choices"] for each in needed)


def field(action: str, argument: Values) -> Tag:
    """What one argument is chosen by."""
    return FIELDS[argument["kind"]](f"{action}-{argument['name']}", argument)


def choice(name: str, argument: Values) -> Tag:
    """One of a few."""
    options = [option(each, argument["value"]) for each in argument["choices"]]
    chosen = tags.select(options, id=name, name=argument["name"])
    return tags.div(tags.label(argument["label"], for_=name), chosen, class_="field")


def option(values: Values, current: int | None) -> Tag:
    """One of them."""
    made = tags.option(values["label"], value=str(values["value"]))
    return made(selected="selected") if values["value"] == current else made


def number(name: str, argument: Values) -> Tag:
    """A number in a range."""
    chosen = numeric(name, argument["name"], argument["least"], argument["most"])
    if argument["value"] is not None:
        chosen(value=str(argument["value"]))
    return tags.div(tags.label(argument["label"], for_=name), chosen, class_="field")


def numeric(name: str, key: str, least: int | None, most: int | None) -> Tag:
    """A field for a whole number."""
    limits = {} if least is None else {"min": str(least), "max": str(most)}
    made = tags.input(id=name, name=key, type="number", step="1", inputmode="numeric")
    return made(required="required", **limits)


def rooms(name: str, argument: Values) -> Tag:
    """Some of the rooms."""
    boxes = [room(f"{name}-{place}", each) for place, each in enumerate(argument["choices"])]
    return tags.fieldset(
        tags.legend(argument["label"]), tags.div(boxes, class_="choices"), class_="field"
    )


def room(name: str, values: Values) -> Tag:
    """One of them."""
    box = tags.input(type="checkbox", id=name, name="rooms", value=str(values["value"]))
    return tags.label(box, readable(values["label"]), for_=name)


def zone(name: str, _: Values) -> Tag:
    """A rectangle by its edges."""
    fields: list[Flattenable] = [
        tags.div(
            tags.label(label, for_=f"{name}-{key}"), numeric(f"{name}-{key}", key, None, None)
        )
        for key, label in CORNERS
    ]
    hint = tags.p("In millimetres of the map, as when you draw one there.", class_="hint")
    return tags.fieldset(
        tags.legend("Zone"), tags.div(fields, class_="corners"), hint, class_="field"
    )


FIELDS: Mapping[str, Callable[[str, Values], Tag]] = {
    "choice": choice,
    "number": number,
    "rooms": rooms,
    "zones": zone,
}
