"""What clients asked for that nobody answers, as a table."""

from collections.abc import Iterator, Sequence

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.core.unknown import Unknown, UnknownPaths
from bumper_tw.dialect.envelopes import to_json
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.house_parts import Here, kept, moment, page, rows, shown_text
from bumper_tw.web.routes import Route

#: As much of how something was asked for is on the page.
SHAPES = 2000


class UnknownPage:
    """C{/house/unknown}; programs ask C{/api/unknown}."""

    def __init__(self, unknown: UnknownPaths, admit: Admit, here: Here) -> None:
        self._unknown, self._admit, self._here = unknown, admit, here

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (page("/house/unknown", self.page, self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """All of them."""
        visit = self._admit(call)
        element = UnknownTable(self._unknown.report(), self._unknown.unlisted)
        return shown(visit, "Unknown requests", element)


class UnknownTable(Element):
    """What is on the page."""

    def __init__(self, found: Sequence[Unknown], unlisted: int) -> None:
        super().__init__(template("house_unknown"))
        self._found, self._unlisted = found, unlisted

    @renderer
    def some(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is something."""
        return kept(tag, self._found)

    @renderer
    def none(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is nothing."""
        return kept(tag, not self._found)

    @renderer
    def more(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """How many did not fit into the list."""
        return tag.fillSlots(count=str(self._unlisted)) if self._unlisted else ""

    @renderer
    def paths(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Each of them."""
        return rows(tag, map(unknown_row, self._found))


def unknown_row(found: Unknown) -> dict[str, Flattenable]:
    """One path; secrets and names have been taken out of it when it was noted."""
    shapes = to_json(list(found.shapes)).decode("utf-8", "replace")
    return {
        "method": shown_text(found.method),
        "path": shown_text(found.path, 500),
        "family": shown_text(found.family) or "-",
        "count": str(found.count),
        "first": moment(found.first),
        "last": moment(found.last),
        "shapes": shown_text(shapes, SHAPES),
    }
