"""The first page: every robot, how it is, and the three things one wants from it most."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.web.call import Answer, Call
from bumper_tw.web.dashboard.bound import Bound, rooted
from bumper_tw.web.dashboard.frame import (
    Admit,
    page_failure,
    robot_path,
    sentence,
    shown,
    template,
)
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.trust_page import kept

#: As many findings are told on the first page; the rest, where it leads to.
MOST = 3

#: So many robots are shown at once: a page with more takes its time.
FIRST = 40

Card = Mapping[str, Any]


def by_name(card: Card) -> tuple[str, str]:
    """The order of robots: as people look for them."""
    return str(card["name"]).casefold(), str(card["did"])


def counted(cards: Sequence[Card]) -> str:
    """How many robots there are, and how many of them connected; scripts say it alike."""
    many, here = len(cards), sum(bool(card["online"]) for card in cards)
    return f"{many} robot{'' if many == 1 else 's'}, {here} connected" if many else ""


def first(cards: Iterable[Card], most: int = FIRST) -> list[Card]:
    """Some robots, in the order of their names; those that are connected do not have to wait."""
    nearest = sorted(cards, key=lambda card: (not card["online"], by_name(card)))
    return sorted(nearest[:most], key=by_name)


class CardElement(Bound):
    """One robot."""

    def __init__(self, values: Card) -> None:
        """
        @param values: its card; none at all make what scripts fill in.
        """
        super().__init__("card", values)

    @renderer
    def root(self, _: "IRequest | None", tag: Tag) -> Tag:
        """All of it."""
        return rooted(tag, self.values)

    @renderer
    def link(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The way to its page."""
        did = self.values.get("did")
        return tag(href=robot_path(did)) if did else tag


class Home(Element):
    """
    Every robot.

    @param findings: sentences on what is wrong with this box.
    @param whole: whether all are to be shown, however many there are.
    """

    def __init__(self, cards: Iterable[Card], findings: Sequence[str], whole: bool) -> None:
        super().__init__(template("home"))
        self._cards = list(cards)
        self._shown = first(self._cards, len(self._cards) if whole else FIRST)
        self._findings = findings

    @renderer
    def counts(self, _: "IRequest | None", tag: Tag) -> Tag:
        """How many there are."""
        return tag(counted(self._cards))

    @renderer
    def findings(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only when there are some."""
        return kept(tag, bool(self._findings))

    @renderer
    def sentences(self, _: "IRequest | None", tag: Tag) -> Tag:
        """The first of them."""
        return tag(tags.li(sentence(finding)) for finding in self._findings[:MOST])

    @renderer
    def cards(self, _: "IRequest | None", tag: Tag) -> Tag:
        """One after the other."""
        return tag(CardElement(card) for card in self._shown)

    @renderer
    def rest(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """The way to those that are not shown."""
        return kept(tag, len(self._shown) < len(self._cards))

    @renderer
    def empty(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Shown as long as there are none."""
        return tag(hidden="hidden") if self._cards else tag

    @renderer
    def blank(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What robots that come while the page is open are made of."""
        return tag(CardElement({}))


class HomePage:
    """
    C{/}.

    @param admit: lets the owner in.
    @param here: whether somebody calls this box by a name of its own.
    @param cards: of every robot.
    @param findings: what is wrong with this box, in sentences, the worst first; it has to be at
        hand.
    """

    def __init__(
        self,
        admit: Admit,
        here: Callable[[Call], bool],
        cards: Callable[[], Iterable[Card]],
        findings: Callable[[], Sequence[str]],
    ) -> None:
        self._admit, self._here = admit, here
        self._cards, self._findings = cards, findings

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (Route("/", GET, self.page, page_failure, here=self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """Show it."""
        visit, whole = self._admit(call), bool(call.query("all"))
        home = Home(self._cards(), self._findings(), whole)
        return shown(visit, "Robots", home, "home.js")
