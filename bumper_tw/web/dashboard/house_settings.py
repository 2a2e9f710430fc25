"""Settings: what can be chosen while the server runs, and what all others are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.house_parts import (
    PATCH,
    Here,
    House,
    api,
    owners_only,
    page,
    rows,
    shown_text,
)
from bumper_tw.web.routes import GET, Route

#: What the parts of the program do that write into the log.
PARTS = {
    "app": "start and stop",
    "core": "decisions",
    "dns": "DNS questions",
    "front": "connections",
    "integrations": "figures",
    "mqtt": "MQTT",
    "pki": "certificates",
    "simulator": "simulated robots",
    "storage": "database",
    "web": "web",
    "xmpp": "XMPP",
}


class Settings(Protocol):
    """What can be chosen; see L{bumper_tw.app.dashboard_settings.PageSettings}."""

    def told(self) -> dict[str, Any]: ...

    def change(self, wanted: Mapping[str, Any]) -> Deferred[dict[str, Any]]: ...


class SettingRoutes:
    """The page and the API."""

    def __init__(self, settings: Settings, admit: Admit, house: House, here: Here) -> None:
        self._settings, self._admit, self._here = settings, admit, here
        self._house = owners_only(house)

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            page("/house/settings", self.page, self._here),
            api("/api/settings", GET, self.told),
            api("/api/settings", PATCH, self.change),
        )

    def page(self, call: Call) -> Deferred[Answer]:
        """All settings."""
        visit = self._admit(call)
        return shown(visit, "Settings", SettingsPage(self._settings.told()), "house.js")

    def told(self, call: Call) -> Answer:
        """The same for programs."""
        self._house(call)
        return json_answer(self._settings.told())

    def change(self, call: Call) -> Deferred[Answer]:
        """Choose some: their values by their keys; null takes back what was chosen."""
        self._house(call)
        return self._settings.change(call.body()).addCallback(json_answer)


class SettingsPage(Element):
    """What is on the page."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(template("house_settings"))
        self._told = told

    @renderer
    def choices(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What can be chosen."""
        for each in self._told["settings"]:
            yield tag.clone().fillSlots(
                key=each["key"],
                control=each["control"],
                title=each["title"],
                words=each["words"],
                field=CONTROLS[each["control"]](each),
                about=about(each),
                fixed=f"This setting {each['fixed']}." if each["fixed"] else "",
                back=back(each),
            )

    @renderer
    def others(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What waits for the next start."""
        names = ("key", "doc", "value", "origin_text")
        told = self._told["others"]
        return rows(tag, ({name: shown_text(each[name]) for name in names} for each in told))


def about(setting: Mapping[str, Any]) -> str:
    """Where a value comes from, and what it would be without that."""
    origin = str(setting["origin_text"])
    if setting["origin"] == "default":
        return origin
    return f"{origin}; as delivered: {said(setting, setting['default'])}"


def back(setting: Mapping[str, Any]) -> Flattenable:
    """Takes back what was chosen here."""
    if setting["origin"] != "page":
        return ""
    words = f"Do not set {setting['title']} here any more"
    return tags.button(
        "Back to how it was",
        **{"type": "button", "class": "button quiet scripted", "data-act": "back"},
        title=words,
    )


def said(setting: Mapping[str, Any], value: Any) -> str:
    """A value in words."""
    if setting["control"] == "flag":
        return "yes" if value else "no"
    words = {each[0]: each[1] for each in setting["options"]}
    if setting["control"] == "choice":
        return str(words.get(value, value))
    if setting["control"] == "levels":
        pairs = (f"{PARTS.get(part, part)}: {level}" for part, level in value.items())
        return ", ".join(pairs) or "nothing"
    return f"{value:g} {setting['unit']}"


def attributes(setting: Mapping[str, Any], **more: str) -> dict[str, str]:
    """What all controls have in common."""
    locked = {"disabled": "disabled"} if setting["fixed"] else {}
    return {"id": f"set-{setting['key']}", "data-value": "", **locked, **more}


def flag(setting: Mapping[str, Any]) -> Flattenable:
    """Yes or no."""
    checked = {"checked": "checked"} if setting["value"] else {}
    box = tags.input(**attributes(setting, type="checkbox", **checked))
    return tags.label(box, " Switched on", **{"class": "row"})


def choice(setting: Mapping[str, Any]) -> Flattenable:
    """One of a few."""
    return tags.select(
        *(option(value, words, setting["value"]) for value, words in setting["options"]),
        **attributes(setting),
    )


def option(value: str, words: str, now: object) -> Tag:
    """One of these."""
    chosen = {"selected": "selected"} if value == now else {}
    return tags.option(words, value=value, **chosen)


def figure(setting: Mapping[str, Any]) -> Flattenable:
    """A number; what it may be is checked here, and said in words."""
    value = f"{setting['value']:g}" if isinstance(setting["value"], float) else setting["value"]
    return (
        tags.input(
            **attributes(
                setting, type="text", inputmode="decimal", value=str(value), autocomplete="off"
            )
        ),
        f" {setting['unit']} ",
        tags.small(setting["expected"], **{"class": "quiet"}),
    )


def levels(setting: Mapping[str, Any]) -> Flattenable:
    """A level for each part of the program."""
    return tags.div(*(level(setting, part) for part in setting["parts"]), **{"class": "grid"})


def level(setting: Mapping[str, Any], part: str) -> Tag:
    """The level of one part."""
    now = setting["value"].get(part, "")
    named = attributes(setting, id=f"set-{setting['key']}-{part}", **{"data-part": part})
    options = (option(value, words, now) for value, words in setting["options"])
    words = f"{part}: {PARTS[part]}" if part in PARTS else part
    return tags.label(f"{words} ", tags.select(*options, **named))


#: How each kind is chosen.
CONTROLS: Mapping[str, Callable[[Mapping[str, Any]], Flattenable]] = {
    "flag": flag,
    "choice": choice,
    "number": figure,
    "levels": levels,
}
