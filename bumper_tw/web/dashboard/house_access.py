"""Who did what here, as a page."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.access_log import Access
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.house_parts import Here, kept, moment, page, rows, shown_text
from bumper_tw.web.routes import Route

#: What a status means, for people.
REFUSED, DONE, FAILED = ("badge bad", "Refused"), ("badge good", "Done"), ("badge", "Not done")


class Log(Protocol):
    """What was done; see L{bumper_tw.web.dashboard.access_log.AccessLog}."""

    def entries(self) -> Sequence[Access]: ...


class AccessPage:
    """C{/house/access}."""

    def __init__(self, log: Log, admit: Admit, here: Here) -> None:
        self._log, self._admit, self._here = log, admit, here

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (page("/house/access", self.page, self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """The last things that were done, the newest first."""
        visit = self._admit(call)
        return shown(visit, "Access", AccessTable(self._log.entries()))


class AccessTable(Element):
    """What is on the page."""

    def __init__(self, entries: Sequence[Access]) -> None:
        super().__init__(template("house_access"))
        self._entries = entries

    @renderer
    def some(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is something."""
        return kept(tag, self._entries)

    @renderer
    def none(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is nothing."""
        return kept(tag, not self._entries)

    @renderer
    def entries(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Each of them."""
        return rows(tag, map(access_row, self._entries))


def access_row(access: Access) -> dict[str, Flattenable]:
    """One of them."""
    done = FAILED if access.status >= 400 else DONE
    badge, verdict = REFUSED if access.refused else done
    times = f" ({access.times} times)" if access.times > 1 else ""
    return {
        "at": moment(access.at),
        "who": shown_text(access.who) or "somebody",
        "peer": shown_text(access.peer) or "this box",
        "what": shown_text(access.what) + times,
        "did": shown_text(access.did),
        "badge": badge,
        "verdict": verdict,
        "status": str(access.status),
    }
