"""Whether the house is well: what the doctor finds, and the figures around it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.frame import Admit, Visit, shown, template
from bumper_tw.web.dashboard.house_parts import (
    Here,
    House,
    api,
    counted,
    kept,
    lasting,
    moment,
    page,
    rows,
    shown_text,
    told,
)
from bumper_tw.web.dashboard.house_services import listener_text
from bumper_tw.web.routes import GET, Route

#: Looks at everything; see L{bumper_tw.app.dashboard_house.Wellness.look}.
Look = Callable[[], "Deferred[dict[str, Any]]"]

#: What has to be right before robots can be served, for people.
CHECKS = {
    "listeners": "Ports are open",
    "database": "The disk can be written",
    "certificate": "The certificate is good",
    "dns": "The names of the vendor lead here",
}

#: Checks about where the names of the vendor lead; what is to be done is a step of the set-up.
NAMES, STEP = frozenset({"names", "names-ipv6", "dns"}), "/setup#step-dns"


class HouseRoutes:
    """The page and the API."""

    def __init__(self, look: Look, admit: Admit, house: House, here: Here) -> None:
        self._look, self._admit, self._house, self._here = look, admit, house, here

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (page("/house", self.page, self._here), api("/api/house", GET, self.told))

    def page(self, call: Call) -> Deferred[Answer]:
        """How everything is."""
        visit = self._admit(call)
        return self._look().addCallback(lambda found: self._shown(visit, found))

    @staticmethod
    def _shown(visit: Visit, found: Mapping[str, Any]) -> Deferred[Answer]:
        return shown(visit, "Health", HealthPage(found), "house.js")

    def told(self, call: Call) -> Deferred[Answer]:
        """The same for programs."""
        self._house(call)
        return self._look().addCallback(json_answer)


class HealthPage(Element):
    """What is on the page."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__(template("house"))
        self._found = found

    def _findings(self, *sound: bool | None) -> Sequence[Mapping[str, Any]]:
        return [each for each in self._found["findings"] if each["sound"] in sound]

    @renderer
    def verdict(self, _: "IRequest | None", tag: Tag) -> Tag:
        """All of it in one sentence."""
        failures = self._found["failures"]
        if failures:
            words = "thing needs" if failures == 1 else "things need"
            return tag(f"{failures} {words} a look.", **{"class": "bad"})
        if not self._found["ready"]:
            return tag("Something is not ready yet; see below.", **{"class": "note"})
        return tag("All is well.", **{"class": "good"})

    @renderer
    def looked(self, _: "IRequest | None", tag: Tag) -> Tag:
        """When that was."""
        return tag(moment(self._found["at"], ago=True))

    @renderer
    def wrong(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What is not well."""
        return rows(tag, map(finding_row, self._findings(False)))

    @renderer
    def checks(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """What has to be right before robots can be served."""
        return rows(tag, (check_row(*each) for each in self._found["checks"].items()))

    @renderer
    def figures(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Some figures."""
        found = self._found
        return tag.fillSlots(
            version=found["version"],
            running=lasting(found["at"] - found["started"]),
            memory=f"{found['memory'] / 1e6:.0f} MB" if found["memory"] else "unknown",
            robots=robots_text(found["robots"]),
            certificate=counted(max(0, int(found["certificate_days"])), "day"),
            listeners=tags.ul(
                *(
                    tags.li(f"{each['serve']}: {listener_text(each)}")
                    for each in found["listeners"]
                )
            ),
        )

    @renderer
    def others(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """What is well, or is only told."""
        return kept(tag, self._findings(True, None))

    @renderer
    def fine(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Each of these."""
        return rows(tag, map(finding_row, self._findings(True, None)))


def robots_text(robots: Mapping[str, int]) -> str:
    """How many are there."""
    known = robots["known"]
    return f"{robots['online']} of {known} connected" if known else "none known yet"


def finding_row(finding: Mapping[str, Any]) -> Mapping[str, Flattenable]:
    """One finding of the doctor."""
    lines = "\n".join(shown_text(line, 500) for line in finding["lines"])
    hosts = ", ".join(shown_text(host) for host in finding["hosts"])
    failed = finding["sound"] is False
    return {
        "check": shown_text(finding["check"]),
        "sentence": told(finding["sentence"]),
        "step": step() if failed and finding["check"] in NAMES else "",
        "remedy": told(finding["remedy"]),
        "lines": tags.pre(lines) if lines else "",
        "hosts": tags.p(f"Seen from {hosts}.", **{"class": "quiet"}) if hosts else "",
    }


def step() -> Tag:
    """The way to what tells how to have names lead here."""
    link = tags.a("Step 2 of the set-up", href=STEP)
    return tags.p(link, " shows what to do, and turns green when it works.")


def check_row(name: str, found: Mapping[str, Any]) -> Mapping[str, Flattenable]:
    """One thing that has to be right."""
    return {
        "name": CHECKS.get(name, name),
        "badge": "badge good" if found["ok"] else "badge bad",
        "verdict": "Yes" if found["ok"] else "No",
        "why": told(found["why"]) if found["why"] else "",
        "step": step() if name in NAMES and not found["ok"] else "",
    }
