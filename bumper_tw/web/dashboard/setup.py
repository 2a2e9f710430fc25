"""The set-up, step by step: what to do, and whether it was seen to work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from attrs import asdict, frozen
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.core.setup import STEPS, SetUp
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.chart_days import Wall, readable
from bumper_tw.web.dashboard.frame import Admit, page_failure, shown, template
from bumper_tw.web.dashboard.history_words import moment, stamp
from bumper_tw.web.routes import GET, POST, Route

SCRIPT = "setup.js"

#: What the button says that passes over a step, and the one that does not any more.
SKIP, TAKE_UP = "Not needed here", "Needed after all"


@frozen
class Snippet:
    """
    What a program that answers DNS questions has to be told.

    @ivar system: its name in addresses.
    @ivar title: what people call it.
    @ivar text: to be copied.
    """

    system: str
    title: str
    text: str


class Box(Protocol):
    """What the page tells of this box."""

    def addresses(self) -> Sequence[str]:
        """Those at which others in the network reach it."""

    def names(self) -> Sequence[str]:
        """Its own names in the network."""

    def announced(self, local: str) -> str:
        """
        The address that robots and apps are told; empty if there is none.

        @param local: where somebody has reached this box.
        """

    def trust_page(self, local: str) -> str:
        """Where phones find the page with the certificate."""

    def answers_dns(self) -> bool:
        """Whether it answers DNS questions itself."""

    def snippets(self, local: str) -> Sequence[Snippet]:
        """What to tell other programs that do."""

    def home_assistant(self, local: str) -> Sequence[tuple[str, str]]:
        """What to type in Home Assistant: names of fields, and what belongs there."""


class SetUpPage(Element):
    """
    The content of the page.

    @param entry: how far everything is, see L{SetUp.entry}.
    @param local: where the visitor has reached this box.
    """

    def __init__(self, entry: Mapping[str, Any], box: Box, local: str, wall: Wall) -> None:
        super().__init__(template("setup"))
        self._box, self._local, self._wall = box, local, wall
        self._steps = {each["step"]: each for each in entry["steps"]}
        self._arrivals: Sequence[Mapping[str, Any]] = entry["arrivals"]
        self._address, self._typed = box.announced(local), box.home_assistant(local)
        self._snippets = box.snippets(local) if reaches(self._address) else ()

    @renderer
    def setup(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """All of it."""
        return tag.fillSlots(
            told=self._address or "nothing: this box finds no address",
            trust=self._box.trust_page(self._local),
        )

    @renderer
    def progress(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """How many steps are done."""
        done = sum(bool(each["done"]) for each in self._steps.values())
        return tag(str(done), " of ", str(len(STEPS)), " steps were seen to work")

    @renderer
    def step(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """One step; its name is in the template."""
        state = self._steps[str(tag.attributes["data-step"])]["state"]
        return tag(**{"data-state": state})

    @renderer
    def sign(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Whether a step was seen to work, when, and by whom."""
        step = self._steps[str(tag.attributes["data-step"])]
        badge = tags.span(step["state_text"], class_="badge", **{"data-field": "state_text"})
        seen = tags.span(step["seen_text"], **{"data-field": "seen_text"})
        when = {"data-field": "last", "data-ago": "data-ago"}
        button = tags.button(
            TAKE_UP if step["skipped"] else SKIP,
            type="button",
            class_="quiet",
            hidden="hidden",
            **{"data-skip": step["step"], "data-skipped": str(step["skipped"]).lower()},
        )
        return tag(badge, " ", seen, " ", self._time(step["last"], **when), " ", button)

    def _time(self, at: float | None, **attributes: str) -> Tag:
        told = at is not None and readable(at)
        words = moment(at or 0.0, self._wall) if told else ""
        return tags.time(words, datetime=stamp(at or 0.0, self._wall) if told else "")(
            **attributes
        )

    @renderer
    def addresses(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Where this box is."""
        every = [*self._box.addresses(), *self._box.names()]
        return tag(*(tags.li(tags.code(each)) for each in every or ["none was found"]))

    @renderer
    def alone(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where nobody else can get to what robots are told."""
        return "" if reaches(self._address) else tag

    @renderer
    def own_dns(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where this box answers DNS questions."""
        return tag if self._box.answers_dns() and reaches(self._address) else ""

    @renderer
    def other_dns(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where somebody else has to, and there is something to tell him."""
        return tag if self._snippets and not self._box.answers_dns() else ""

    @renderer
    def no_dns(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is nothing to tell anybody."""
        own = self._box.answers_dns() and reaches(self._address)
        return "" if own or self._snippets else tag

    @renderer
    def systems(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """What to tell each program."""
        for each in self._snippets:
            text = tags.pre(tags.code(each.text), id=f"dns-{each.system}", tabindex="0")
            opened = tags.details(tags.summary(each.title), copier(f"dns-{each.system}"), text)
            tag(opened(name="dns"))
        return tag

    @renderer
    def arrivals(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Who comes as robots do."""
        return tag(*map(self._arrival, self._arrivals))

    def _arrival(self, arrival: Mapping[str, Any]) -> Tag:
        remedy = tags.p("What to do: ", arrival["remedy"]) if arrival["remedy"] else ""
        return tags.li(
            tags.p(self._time(arrival["at"], **{"data-ago": "data-ago"}), " ", arrival["host"]),
            tags.p(arrival["sentence"]),
            remedy,
            class_="good" if arrival["sound"] else "bad",
        )

    @renderer
    def typed(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where Home Assistant gets here."""
        return tag if self._typed else ""

    @renderer
    def untyped(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where it does not."""
        return "" if self._typed else tag

    @renderer
    def home_assistant(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """What to type there."""
        for number, (name, value) in enumerate(self._typed):
            place = f"ha-{number}"
            shown = tags.dd(
                tags.code(value, id=place), " ", copier(place) if "://" in value else ""
            )
            tag(tags.div(tags.dt(name), shown))
        return tag


def reaches(address: str) -> bool:
    """Whether others may get to this box there."""
    return address not in {"", "localhost", "::1"} and not address.startswith("127.")


def copier(place: str) -> Tag:
    """A button that copies a text; there is none without scripts."""
    return tags.button(
        "Copy", type="button", class_="quiet", hidden="hidden", **{"data-copy": place}
    )


@frozen
class SetUpRoutes:
    """
    The page, and what is behind it.

    @ivar house: tells who asks the API about the whole house.
    @ivar admit: tells whose visit it is.
    @ivar here: whether somebody calls this box by a name of its own.
    """

    setup: SetUp
    box: Box
    house: Callable[[Call], object]
    admit: Admit
    here: Callable[[Call], bool]
    wall: Wall

    def routes(self) -> Iterator[Route]:
        """C{/setup}, and C{/api/setup} with what is below."""
        yield Route("/setup", GET, self.page, page_failure, here=self.here)
        yield Route("/api/setup", GET, self.show, failure)
        yield Route("/api/setup/dns", GET, self.dns, failure)
        yield Route("/api/setup/<step>/skip", POST, self.skip, failure)

    def page(self, call: Call) -> Deferred[Answer]:
        """The page."""
        visit = self.admit(call)
        content = SetUpPage(self.setup.entry(), self.box, call.local, self.wall)
        return shown(visit, "Set-up", content, SCRIPT)

    def show(self, call: Call) -> Answer:
        """How far everything is, and what this box is called."""
        self.house(call)
        box, local = self.box, call.local
        facts = {
            "addresses": list(box.addresses()),
            "names": list(box.names()),
            "announced": box.announced(local),
            "trust_page": box.trust_page(local),
            "answers_dns": box.answers_dns(),
            "home_assistant": [
                {"name": name, "value": value} for name, value in box.home_assistant(local)
            ],
        }
        return json_answer({**self.setup.entry(), **facts})

    def dns(self, call: Call) -> Answer:
        """What to tell each program that answers DNS questions."""
        self.house(call)
        return json_answer({"systems": [asdict(s) for s in self.box.snippets(call.local)]})

    def skip(self, call: Call) -> Deferred[Answer]:
        """Pass over a step, or take it up again: C{skipped} says which."""
        self.house(call)
        kept = self.setup.skip(call.segments["step"], call.field("skipped", bool))
        return kept.addCallback(lambda _: json_answer(self.setup.entry()))
