"""The page that gets devices to trust this box, and the one that proves that they do."""

import re
from functools import cache
from pathlib import Path

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest, ITemplateLoader
from twisted.web.template import (
    Element,
    Flattenable,
    Tag,
    XMLString,
    flattenString,
    renderer,
    tags,
)

DOCTYPE = b"<!DOCTYPE html>\n"

#: The sections of the page, by the C{id} that its links know them by.
SYSTEMS = (
    *("ios", "android10", "android7", "android4", "windows", "macos", "linux", "firefox"),
    *("homeassistant", "robots"),
)

ANDROID = re.compile(r"Android (\d{1,3})")

#: What is found in the User-Agent of a computer, and the sections that are for it.
COMPUTERS = {
    "Windows": "windows",
    "Macintosh": "macos",
    "X11": "linux",
    "CrOS": "linux",
    "Firefox/": "firefox",
}

#: What the button says.
WORDS = {
    "wait": "Asking …",
    "yes": "Yes: this browser trusts the box.",
    "no": "No: this browser does not trust the box, or cannot reach it there. Is the right "
    "certificate installed, and its trust switched on? Some browsers notice only after they were "
    "closed.",
    "late": "No answer: the encrypted page did not come in time. Something between this device "
    "and the box may be in the way; that says nothing about trust.",
}


@frozen
class Authority:
    """
    The certificate, as the page tells of it.

    @ivar expires: a date.
    @ivar limited: whether it can vouch for some names only.
    """

    name: str
    fingerprint: str
    expires: str
    limited: bool


@frozen
class Visit:
    """
    All that one showing of the page depends on.

    @ivar page: the address of the page as a phone has to open it.
    @ivar alone: whether only this box itself can open that.
    @ivar proof: the address of the proof; empty when nobody listens for HTTPS.
    @ivar secure: whether the page itself is asked for over HTTPS.
    @ivar shown: the sections that stand open.
    """

    authority: Authority
    page: str
    alone: bool
    proof: str
    secure: bool
    shown: frozenset[str]


def systems(agent: str) -> frozenset[str]:
    """
    The sections for whoever asks.

    @param agent: the C{User-Agent}.
    """
    if any(device in agent for device in ("iPhone", "iPad", "iPod")):
        return frozenset({"ios"})
    android = ANDROID.search(agent)
    if android is not None:
        return frozenset({android_section(int(android[1]))})
    return frozenset(section for word, section in COMPUTERS.items() if word in agent)


def android_section(version: int) -> str:
    """The section for a version of Android."""
    if version < 7:
        return "android4"
    return "android7" if version < 10 else "android10"


@cache
def loader(file: Path) -> ITemplateLoader:
    """The template in a file, read when somebody wants to see it, as most never do."""
    return XMLString(file.read_text("utf-8"))


def written(element: Element) -> Deferred[bytes]:
    """An element as a whole document; nothing in ours has to be waited for."""
    return flattenString(None, element).addCallback(DOCTYPE.__add__)


def kept(tag: Tag, condition: bool) -> Flattenable:
    """C{tag}, or nothing."""
    return tag if condition else ""


class TrustPage(Element):
    """The page with the steps."""

    def __init__(self, template: ITemplateLoader, visit: Visit) -> None:
        super().__init__(template)
        self._visit = visit

    @renderer
    def page(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """The whole of it."""
        visit = self._visit
        return tag.fillSlots(
            name=visit.authority.name,
            expires=visit.authority.expires,
            page=visit.page,
            proof=visit.proof,
        )

    @renderer
    def fingerprint(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Group by group, so that a line ends between two of them."""
        return tag(
            [(tags.span(group), " ") for group in self._visit.authority.fingerprint.split()]
        )

    @renderer
    def alone(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when the QR code is no use."""
        return kept(tag, self._visit.alone)

    @renderer
    def plain(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where anybody on the way could have changed the page."""
        return kept(tag, not self._visit.secure)

    @renderer
    def limited(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for an authority that cannot vouch for everything."""
        return kept(tag, self._visit.authority.limited)

    @renderer
    def unlimited(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only for one that can."""
        return kept(tag, not self._visit.authority.limited)

    @renderer
    def choice(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """
        A link to a section.  Without scripts a link does not open what is closed, so the page is
        asked for again, with the section open.
        """
        system = str(tag.attributes["href"]).removeprefix("#")
        if system in self._visit.shown:
            tag = tag(**{"aria-current": "true"})
        return tag(href=f"/ca?system={system}#{system}")

    @renderer
    def system(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """A section, open or closed."""
        return tag(open="open") if tag.attributes["id"] in self._visit.shown else tag

    @renderer
    def proof(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """The part with the button; its script finds here where to ask, and what to say."""
        words = {f"data-{kind}": text for kind, text in WORDS.items()}
        return tag(**{"data-url": self._visit.proof, **words})

    @renderer
    def provable(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where something can be checked."""
        return kept(tag, bool(self._visit.proof) and not self._visit.secure)

    @renderer
    def encrypted(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where it is checked already."""
        return kept(tag, self._visit.secure)

    @renderer
    def unprovable(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where nobody listens."""
        return kept(tag, not self._visit.proof and not self._visit.secure)


class ProofPage(Element):
    """
    The page that only those see without a warning who trust the box.

    @param secure: whether it goes out encrypted.
    @param host: the box as it was called.
    @param page: the address of the page with the steps.
    """

    def __init__(self, template: ITemplateLoader, secure: bool, host: str, page: str) -> None:
        super().__init__(template)
        self._secure, self._host, self._page = secure, host, page

    @renderer
    def page(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """The whole of it."""
        return tag.fillSlots(host=self._host, page=self._page)

    @renderer
    def encrypted(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when it does."""
        return kept(tag, self._secure)

    @renderer
    def plain(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when it does not."""
        return kept(tag, not self._secure)
