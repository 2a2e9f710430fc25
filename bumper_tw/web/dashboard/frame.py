"""What all pages of the owner have in common: frame, navigation, headers, and how they fail."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest, ITemplateLoader
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

import bumper_tw.web
from bumper_tw.errors import LoginRefused
from bumper_tw.web.api import FAILURES
from bumper_tw.web.call import Answer, Call
from bumper_tw.web.trust_page import kept, loader, written

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
    ("/house", "House"),
    ("/setup", "Set-up"),
)

#: What the house side is made of.
ROOMS = (
    ("/house", "Health"),
    ("/house/journal", "Journal"),
    ("/house/unknown", "Unknown"),
    ("/house/people", "People"),
    ("/house/access", "Access"),
    ("/house/settings", "Settings"),
    ("/house/services", "Services"),
    ("/house/backup", "Backup"),
)

#: What runs on every page of somebody who is logged in.
LIVE = "live.js"

#: What a page that failed is called, and what one can do then, by its status.
EXCUSES = {
    400: ("That did not work", "Go back and try once more."),
    403: ("Not allowed", ""),
    404: ("Not found", "Perhaps it was removed, or the link has a typing error."),
    405: ("That did not work", "Go back and try once more."),
    429: ("Too much at once", "Wait a moment, then try again."),
    503: ("Not now", "Wait a moment, then try again."),
}
EXCUSE = ("Something went wrong", "")


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


def robot_path(did: str) -> str:
    """The page of a robot."""
    return f"/robots/{quote(did, safe='', errors='replace')}"


def is_below(path: str, place: str) -> bool:
    """Whether a page is part of a place; robots have theirs below the first."""
    return path == place or path.startswith("/robots/" if place == "/" else f"{place}/")


def above(path: str) -> tuple[str, str] | None:
    """Where one goes back to from a page, and what that is called."""
    match path.split("/"):
        case ["", "robots", _]:
            return "/", "All robots"
        case ["", "robots", did, *_]:
            return robot_path(did), "Back to the robot"
    return None


def linked(href: str, name: str, current: str) -> Tag:
    """
    One line of a navigation.

    @param current: C{"page"} for the page itself, C{"true"} for what it is part of, or nothing.
    """
    here = {"aria-current": current} if current else {}
    return tags.li(tags.a(name, href=href, **here))


class Frame(Element):
    """A page around its content."""

    def __init__(self, visit: Visit, title: str, content: Flattenable, scripts: tuple[str, ...]):
        """
        @param title: tells the page from every other.
        @param scripts: modules, by the names of their files in C{data/page}.
        """
        super().__init__(template("frame"))
        # JSON may bring halves of letters along (RFC 8259, 8.2), which cannot be sent.
        self._title = title.encode("utf-8", "replace").decode()
        self._visit, self._content = visit, content
        self._scripts = scripts

    @renderer
    def page(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        visit = self._visit
        return tag.fillSlots(title=self._title, csrf=visit.csrf, position=visit.position)

    @renderer
    def scripts(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What runs on it."""
        always = (LIVE,) if self._visit.csrf else ()
        for name in dict.fromkeys((*always, *self._scripts)):
            yield tag.clone().fillSlots(script=f"/page/{name}")

    @renderer
    def navigation(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for whoever is logged in."""
        return kept(tag, bool(self._visit.csrf))

    @renderer
    def places(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Where one gets to, and where one is."""
        path = self._visit.path
        for href, name in PLACES:
            part = "true" if is_below(path, href) else ""
            tag(linked(href, name, "page" if path == href else part))
        return tag

    @renderer
    def logout(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for whoever is logged in."""
        return kept(tag, bool(self._visit.csrf))

    @renderer
    def within(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only on the house side."""
        return kept(tag, bool(self._visit.csrf) and is_below(self._visit.path, "/house"))

    @renderer
    def rooms(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What there is of the house side."""
        path = self._visit.path
        return tag(linked(href, name, "page" if path == href else "") for href, name in ROOMS)

    @renderer
    def back(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is something above."""
        found = above(self._visit.path)
        return tag.fillSlots(href=found[0], name=found[1]) if found else ""

    @renderer
    def scriptless(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where something needs scripts."""
        return kept(tag, bool(self._visit.csrf))

    @renderer
    def content(self, _: "IRequest | None", __: Tag) -> Flattenable:
        """What the page is about."""
        return self._content


class Excuse(Element):
    """Why there is no page, and what one can do."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(template("failure"))
        self._why, self._advice = why, advice

    @renderer
    def page(self, _: "IRequest | None", tag: Tag) -> Tag:
        """All of it."""
        return tag.fillSlots(why=self._why, advice=self._advice)

    @renderer
    def advice(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when there is some."""
        return kept(tag, bool(self._advice))


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
    return excuse(status, str(why))


def excuse(status: int, why: str) -> Answer:
    """
    A page that says why there is no other.  It has no navigation, as nobody may have been
    admitted.
    """
    title, advice = EXCUSES.get(status, EXCUSE)
    page = Frame(Visit(path=""), title, Excuse(sentence(why), advice), ())
    # Nothing in it has to be waited for.
    bodies: list[bytes] = []
    written(page).addCallback(bodies.append).addErrback(Failure.raiseException)
    return Answer(bodies[0], status, HTML, HEADERS)


def sentence(text: str) -> str:
    """What may begin small and end without a full stop, as people write a sentence."""
    whole = text.strip()
    end = "" if whole.endswith((".", "!", "?", "…")) else "."
    return f"{whole[:1].upper()}{whole[1:]}{end}" if whole else ""


#: Tells whose visit it is, or raises L{LoginRefused}.
Admit = Callable[[Call], Visit]
