"""The page of one robot: how it is, and the panels that others make."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Flattenable, Tag, renderer

from bumper_tw.values import Device
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.bound import Bound, rooted
from bumper_tw.web.dashboard.frame import Admit, Visit, page_failure, robot_path, shown
from bumper_tw.web.routes import GET, Route

#: Makes a part of the page, for a robot.
Panel = Callable[[Device, Visit], Flattenable]


class PartElement(Bound):
    """One part that wears out, and how much of it is left."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__("part", values)

    @renderer
    def field(self, request: "IRequest | None", tag: Tag) -> Tag:
        """As elsewhere; the meter is called like the part."""
        if tag.tagName == "meter":
            tag = tag(**{"aria-label": str(self.values.get("name", ""))})
        # The renderer is bound by its descriptor, which does not know its type.
        filled: Tag = super().field(request, tag)
        return filled


class RobotElement(Bound):
    """
    One robot, whole.

    @param panels: what there is to see and to do, the most important first.
    @param asides: what is looked at less often.
    """

    def __init__(
        self,
        card: Mapping[str, Any],
        panels: list[Flattenable],
        asides: list[Flattenable],
    ) -> None:
        super().__init__("robot", card)
        self._panels, self._asides = panels, asides

    @renderer
    def root(self, _: "IRequest | None", tag: Tag) -> Tag:
        """All of it, marked with the robot it is about."""
        return tag(**{"data-did": self.values["did"]})

    @renderer
    def status(self, _: "IRequest | None", tag: Tag) -> Tag:
        """How it is."""
        return rooted(tag, self.values)

    @renderer
    def history(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The way to what it has done."""
        return tag(href=f"{robot_path(self.values['did'])}/history")

    @renderer
    def panels(self, _: "IRequest | None", tag: Tag) -> Tag:
        """One after the other."""
        return tag(self._panels)

    @renderer
    def asides(self, _: "IRequest | None", tag: Tag) -> Tag:
        """After those that are the page's own."""
        return tag(self._asides)

    @renderer
    def parts(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Shown when the robot has told of any."""
        return tag if self.values["parts"] else tag(hidden="hidden")

    @renderer
    def rows(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Each of them."""
        return tag(PartElement(part) for part in self.values["parts"])

    @renderer
    def row(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What scripts make more of."""
        return tag(PartElement({}))


class RobotPage:
    """
    C{/robots/<did>}.

    @param admit: lets the owner in.
    @param here: whether somebody calls this box by a name of its own.
    @param robot: the one of that name; raises L{DeviceUnknown<bumper_tw.errors.DeviceUnknown>}.
    @param card: of a robot.
    @param panels: what is in the wide column, from the top.
    @param asides: what is in the narrow one; on a phone, below.
    @param scripts: what runs on the page for the panels.
    """

    def __init__(
        self,
        admit: Admit,
        here: Callable[[Call], bool],
        robot: Callable[[str], Device],
        card: Callable[[Device], Mapping[str, Any]],
        panels: Sequence[Panel],
        asides: Sequence[Panel] = (),
        scripts: Sequence[str] = (),
    ) -> None:
        self._admit, self._here = admit, here
        self._robot, self._card = robot, card
        self._panels, self._asides, self._scripts = panels, asides, scripts

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (Route("/robots/<did>", GET, self.page, page_failure, here=self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """
        Show it.

        @raise DeviceUnknown: there is no such robot.
        """
        visit = self._admit(call)
        device = self._robot(call.segments["did"])
        card = self._card(device)
        panels: list[Flattenable] = [panel(device, visit) for panel in self._panels]
        asides: list[Flattenable] = [panel(device, visit) for panel in self._asides]
        element = RobotElement(card, panels, asides)
        return shown(visit, str(card["name"]), element, "status.js", *self._scripts)
