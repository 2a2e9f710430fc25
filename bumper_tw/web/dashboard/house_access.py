"""Who did what here, as a page."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer

from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.access_log import Access
from bumper_tw.web.dashboard.frame import Admit, shown, template
from bumper_tw.web.dashboard.house_parts import Here, kept, moment, page, rows, shown_text, told
from bumper_tw.web.dashboard.house_words import Named, deed, reason
from bumper_tw.web.routes import Route

#: What a status means, for people.
REFUSED, DONE, FAILED = ("badge bad", "Refused"), ("badge good", "Done"), ("badge", "Not done")


class Log(Protocol):
    """What was done; see L{bumper_tw.web.dashboard.access_log.AccessLog}."""

    def entries(self) -> Sequence[Access]: ...


class AccessPage:
    """C{/house/access}."""

    def __init__(self, log: Log, admit: Admit, here: Here, named: Named = str) -> None:
        """
        @param named: what robots are called.
        """
        self._log, self._admit, self._here, self._named = log, admit, here, named

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (page("/house/access", self.page, self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """The last things that were done, the newest first."""
        visit = self._admit(call)
        return shown(visit, "Access", AccessTable(self._log.entries(), self._named))


class AccessTable(Element):
    """What is on the page."""

    def __init__(self, entries: Sequence[Access], named: Named) -> None:
        super().__init__(template("house_access"))
        self._entries, self._named = entries, named

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
        return rows(tag, (access_row(each, self._named) for each in self._entries))


def access_row(access: Access, named: Named) -> dict[str, Flattenable]:
    """One of them."""
    done = FAILED if access.status >= 400 else DONE
    badge, verdict = REFUSED if access.refused else done
    times = f" ({access.times} times)" if access.times > 1 else ""
    return {
        "at": moment(access.at),
        "who": shown_text(access.who) or "somebody",
        "peer": shown_text(access.peer) or "this box",
        "what": shown_text(deed(access, named)) + times,
        "badge": badge,
        "verdict": verdict,
        "why": told(reason(access)) if access.status >= 400 else "",
    }
