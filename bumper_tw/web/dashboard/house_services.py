"""Services: how they are, and starting one of them anew."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.house_parts import (
    POST,
    Here,
    House,
    api,
    moment,
    owners_only,
    page,
    shown_text,
    told,
)
from bumper_tw.web.routes import GET, Route

#: What the states are called.
STATES = {"running": "Running", "restarting": "Restarting", "broken": "Not right"}

#: A badge for each.
BADGES = {"running": "badge good", "restarting": "badge quiet", "broken": "badge bad"}


class Services(Protocol):
    """What can be started anew; see L{bumper_tw.app.dashboard_services.Services}."""

    def told(self) -> list[dict[str, Any]]: ...

    def restart(self, name: str) -> dict[str, Any]: ...


class ServiceRoutes:
    """The page and the API."""

    def __init__(self, services: Services, admit: Admit, house: House, here: Here) -> None:
        self._services, self._admit, self._house, self._here = services, admit, house, here
        self._owner = owners_only(house)

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            page("/house/services", self.page, self._here),
            api("/api/services", GET, self.told),
            api("/api/services/<name>/restart", POST, self.restart),
        )

    def page(self, call: Call) -> Deferred[Answer]:
        """How all of them are."""
        visit = self._admit(call)
        return shown(visit, "Services", ServicesPage(self._services.told()), "house.js")

    def told(self, call: Call) -> Answer:
        """The same for programs."""
        self._house(call)
        return json_answer({"services": self._services.told()})

    def restart(self, call: Call) -> Answer:
        """Start one anew, once this is answered."""
        self._owner(call)
        return json_answer(self._services.restart(call.segments["name"]))


class ServicesPage(Element):
    """What is on the page."""

    def __init__(self, services: list[dict[str, Any]]) -> None:
        super().__init__(template("house_services"))
        self._services = services

    @renderer
    def services(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Each of them."""
        for each in self._services:
            yield tag.clone().fillSlots(
                name=each["name"],
                title=each["title"],
                about=each["about"],
                state=each["state"],
                badge=BADGES[each["state"]],
                state_text=STATES[each["state"]],
                connections=str(each["connections"]),
                since=moment(each["since"]),
                why=told(each["why"]),
                listeners=listed(each["listeners"]),
            )


def listed(listeners: list[Mapping[str, Any]]) -> Flattenable:
    """Where connections are accepted."""
    return tags.ul(*(tags.li(listener_text(each)) for each in listeners))


def listener_text(listener: Mapping[str, Any]) -> str:
    """One place."""
    words = [shown_text(listener["at"]).replace(":interface=", " at ").replace("tcp:", "port ")]
    if listener["tls"]:
        words.append("with TLS")
    if listener["shared"]:
        words.append("shared with the other services")
    if not listener["open"]:
        words.append(f"not open: {told(listener['why'] or 'not started')}")
    return ", ".join(words)
