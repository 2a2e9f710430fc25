"""What all pages of the owner have in common: frame, navigation, headers, and how they fail."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest, ITemplateLoader
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

import bumper_tw.web
from bumper_tw.errors import LoginRefused
from bumper_tw.web.api import FAILURES
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.trust_page import loader, written

#: Templates; what browsers load besides is in C{data/page}.
TEMPLATES = Path(bumper_tw.web.__file__).parent / "data" / "dashboard"

HTML = "text/html; charset=utf-8"

#: All that a page of ours may load comes from where it does itself; it is in nobody's frame.
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'"
)

HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

#: Where one gets to from everywhere.
PLACES = (
    ("/", "Robots"),
    ("/setup", "Set-up"),
    ("/house", "Health"),
    ("/house/journal", "Journal"),
    ("/house/people", "People"),
    ("/house/settings", "Settings"),
)


@frozen
class Visit:
    """
    One showing of a page.

    @ivar csrf: what a change has to come with; empty for a stranger.
    @ivar position: of the feed, from where the page goes on.
    @ivar path: of the page.
    """

    csrf: str = ""
    position: str = ""
    path: str = "/"


def template(name: str) -> ITemplateLoader:
    """The template of that name."""
    return loader(TEMPLATES / f"{name}.xml")


class Frame(Element):
    """A page around its content."""

    def __init__(self, visit: Visit, title: str, content: Flattenable, scripts: tuple[str, ...]):
        """
        @param scripts: modules, by the names of their files in C{data/page}.
        """
        super().__init__(template("frame"))
        self._visit, self._title, self._content = visit, title, content
        self._scripts = scripts

    @renderer
    def page(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        visit = self._visit
        return tag.fillSlots(title=self._title, csrf=visit.csrf, position=visit.position)

    @renderer
    def scripts(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What runs on it."""
        for name in self._scripts:
            yield tag.clone().fillSlots(script=f"/page/{name}")

    @renderer
    def navigation(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for whoever is logged in."""
        return tag if self._visit.csrf else ""

    @renderer
    def places(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Where one gets to, and where one is."""
        for href, name in PLACES:
            here = {"aria-current": "page"} if href == self._visit.path else {}
            tag(tags.li(tags.a(name, href=href, **here)))
        return tag

    @renderer
    def logout(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for whoever is logged in."""
        return tag if self._visit.csrf else ""

    @renderer
    def content(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """What the page is about."""
        return self._content


def shown(
    visit: Visit, title: str, content: Flattenable, *scripts: str, status: int = 200
) -> Deferred[Answer]:
    """A page, as it goes to the browser."""
    page = Frame(visit, title, content, scripts)
    return written(page).addCallback(Answer, status, HTML, HEADERS)


def moved(to: str, *headers: tuple[str, str]) -> Answer:
    """Go on elsewhere, with GET (RFC 9110, 15.4.4)."""
    return Answer(b"", 303, HTML, (*HEADERS, ("Location", to), *headers))


def page_failure(call: Call, why: Exception) -> Answer:
    """
    How a page fails: who is not logged in comes to where one does that; everybody else is told
    in a sentence.
    """
    known = (found for cls, found in FAILURES.items() if isinstance(why, cls))
    status, _ = next(known, (500, ""))
    if isinstance(why, LoginRefused) and status == 401:
        return moved(f"/login?next={quote(call.path)}")
    return Answer(f"{why}\n".encode(), status, "text/plain; charset=utf-8", HEADERS)


#: Tells whose visit it is, or raises L{LoginRefused}.
Admit = Callable[[Call], Visit]
