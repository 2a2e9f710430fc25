"""The journal of connections as a page: who came, what became of it, and what to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from bumper_tw.dialect.envelopes import parse_json
from bumper_tw.errors import BadRequest
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Contact
from bumper_tw.front.journal import Entry
from bumper_tw.web.call import Answer, Call, is_address
from bumper_tw.web.dashboard.frame import Admit, Visit, shown, template
from bumper_tw.web.dashboard.house_parts import (
    LONGEST,
    Here,
    kept,
    moment,
    page,
    rows,
    shown_text,
    told,
)
from bumper_tw.web.dashboard.house_words import Named
from bumper_tw.web.journal import host_of
from bumper_tw.web.journal_entries import JournalEntries
from bumper_tw.web.routes import Route

#: Entries on the page, and how many are looked at together for them.
MOST, TOGETHER = 200, 50

#: As much of a story is on the page.
STORY = 5000

PATH = "/house/journal"

#: How browsers begin to say what they are (RFC 9110, 10.1.5).
BROWSER = "Mozilla/"

#: What they ask for on our own pages.
OURS = ("/page/", "/house", "/setup", "/robots/", "/login", "/logout", "/welcome", "/api/")

#: Badges and their words.
FINE, WRONG = ("badge good", "Fine"), ("badge bad", "Look here")


@frozen
class Wanted:
    """
    What is to be on the page.

    @ivar host: only contacts from that address; empty for everything.
    @ivar wrong: only what is wrong.
    @ivar visits: browsers on our own pages, too.
    """

    host: str = ""
    wrong: bool = False
    visits: bool = False

    def takes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry, from an address that is wanted, is to be on the page."""
        if self.wrong and entry["diagnosis"]["sound"]:
            return False
        return self.visits or not is_visit(entry)


class JournalPage:
    """C{/house/journal}; programs ask C{/api/journal}."""

    def __init__(
        self,
        clock: IReactorTime,
        chronicle: Chronicle,
        admit: Admit,
        here: Here,
        named: Named = str,
    ) -> None:
        """
        @param named: what robots are called.
        """
        self._named = named
        self._journal, self._admit, self._here = chronicle.journal, admit, here
        self._entries = JournalEntries(clock, chronicle)

    def routes(self) -> tuple[Route, ...]:
        """The page."""
        return (page(PATH, self.page, self._here),)

    def page(self, call: Call) -> Deferred[Answer]:
        """The last entries."""
        visit = self._admit(call)
        return Deferred.fromCoroutine(self._page(visit, wanted_of(call)))

    async def _page(self, visit: Visit, wanted: Wanted) -> Answer:
        # Now: what changes while they are made is heard of through the stream.
        found = [e for e in self._journal.latest() if wanted.host in {"", host_of(e)}]
        entries = await self._told(sorted(found, key=time_of, reverse=True), wanted)
        return await shown(visit, "Journal", JournalTable(wanted, entries), "journal.js")

    async def _told(self, found: Sequence[Entry], wanted: Wanted) -> list[Mapping[str, Any]]:
        """The first of these, some at a time: each takes a tenth of a millisecond to be judged."""
        taken: list[Mapping[str, Any]] = []
        for start in range(0, len(found), TOGETHER):
            texts = self._entries.told(found[start : start + TOGETHER], full=False)
            for text in texts if isinstance(texts, list) else await texts:
                entry = parse_json(text)
                if wanted.takes(entry):
                    taken.append(called(entry, self._named))
            if len(taken) >= MOST:
                break
        return taken[:MOST]


def wanted_of(call: Call) -> Wanted:
    """
    What somebody wants to see.

    @raise BadRequest: it cannot be read.
    """
    host = call.query("host").strip().removeprefix("::ffff:")
    if host and not is_address(host):
        raise BadRequest("that is no address, such as 192.168.1.20")
    return Wanted(host, call.query("wrong") == "1", call.query("visits") == "1")


def time_of(entry: Entry) -> float:
    """The time that is shown of an entry."""
    return entry.began if isinstance(entry, Contact) else entry.when


def is_visit(entry: Mapping[str, Any]) -> bool:
    """
    Whether it is only a browser on our own pages, and all went well: there is one of these for
    every page that somebody opens.
    """
    if entry["kind"] != "contact" or not entry["diagnosis"]["sound"]:
        return False
    if entry["called"] or entry["robot"] or entry["trusts"]:
        return False
    browser = any(claim.startswith(BROWSER) for claim in entry["claims"])
    return browser and (entry["asked"] == "/" or entry["asked"].startswith(OURS))


def called(entry: Mapping[str, Any], named: Named) -> dict[str, Any]:
    """The same entry with its robot called as on all pages."""
    did = entry.get("robot", "")
    name = named(did) if did else ""
    if not name or name == did:
        return dict(entry)
    words = "|".join(re.escape(each) for each in (did, entry.get("name")) if each)
    found = entry["diagnosis"]
    sentence = re.sub(rf"(?<![\w-])({words})(?![\w-])", lambda _: name, found["sentence"])
    return {**entry, "robot_name": name, "diagnosis": {**found, "sentence": sentence}}


class JournalTable(Element):
    """What is on the page."""

    def __init__(self, wanted: Wanted, entries: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(template("house_journal"))
        self._wanted, self._entries = wanted, entries

    @renderer
    def filter(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What was asked for."""
        return tag.fillSlots(host=self._wanted.host)

    @renderer
    def wrong(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Whether only what is wrong was."""
        return tag(checked="checked") if self._wanted.wrong else tag

    @renderer
    def visits(self, _: "IRequest | None", tag: Tag) -> Tag:
        """Whether browsers on our own pages were, too."""
        return tag(checked="checked") if self._wanted.visits else tag

    @renderer
    def everything(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """The way back, if there is less than everything."""
        return kept(tag, self._wanted != Wanted())

    @renderer
    def none(self, _: "IRequest | None", tag: Tag) -> Flattenable:
        """Only where there is nothing."""
        return tag(hidden="hidden") if self._entries else tag

    @renderer
    def journal(self, _: "IRequest | None", tag: Tag) -> Tag:
        """What scripts go by, too."""
        wanted = self._wanted
        marks = {"wrong": wanted.wrong, "visits": wanted.visits}
        flags = {f"data-{name}": str(int(mark)) for name, mark in marks.items()}
        return tag(**{"data-host": wanted.host, **flags})

    @renderer
    def entries(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """Each of them."""
        return rows(tag, map(entry_row, self._entries))

    @renderer
    def pattern(self, _: "IRequest | None", tag: Tag) -> Iterator[Tag]:
        """One without anything, for scripts."""
        return rows(tag, [EMPTY])


#: The slots of an entry, without anything.
EMPTY: Mapping[str, Flattenable] = {
    "key": "",
    "at": "",
    "when": tags.time(""),
    "badge": "badge",
    "verdict": "",
    "who": "",
    "host": "",
    "sentence": "",
    "remedy": "",
    "story": "",
}


def entry_row(entry: Mapping[str, Any]) -> Mapping[str, Flattenable]:
    """One entry."""
    found = entry["diagnosis"]
    badge, verdict = FINE if found["sound"] else WRONG
    host = entry.get("host", "")
    return {
        "key": key_of(entry),
        "at": str(entry.get("began") or entry.get("when") or 0.0),
        "when": moment(entry.get("began") or entry.get("when") or 0.0),
        "badge": badge,
        "verdict": verdict,
        "who": shown_text(entry.get("robot_name") or entry.get("who") or "This box"),
        "host": tags.a(host, href=f"{PATH}?{urlencode({'host': host})}") if host else "",
        "sentence": told(found["sentence"], LONGEST),
        "remedy": told(found["remedy"]),
        "story": "\n".join(
            shown_text(line, 1000) for line in str(entry["story"])[:STORY].split("\n")
        ),
    }


def key_of(entry: Mapping[str, Any]) -> str:
    """What tells an entry from all others, however often it changes."""
    if entry["kind"] == "contact":
        return f"c{entry['number']}"
    return f"r{entry['revision']}"
