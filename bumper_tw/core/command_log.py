"""What robots were last told, and what became of it: kept in memory, for pages."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from attrs import asdict, frozen
from twisted.internet.interfaces import IReactorTime

from bumper_tw.core.commands import Ending
from bumper_tw.dialect import lenient, refusals
from bumper_tw.dialect.deeds import deed
from bumper_tw.interfaces import IFeed
from bumper_tw.values import PayloadKind

#: Commands that are kept of one robot, and robots of which some are.
MOST, ROBOTS = 50, 500

#: Bytes of an answer that are looked at: refusals are short (mqtt.md 7.1), pieces of maps long.
SHORT = 2000

#: Outcomes in one word, for styles, by what the correlator calls them.
OUTCOMES = {
    "answered": "answered",
    "CommandTimedOut": "timeout",
    "DeviceOffline": "offline",
    "DeviceUnknown": "offline",
    "RobotBusy": "busy",
    "ShuttingDown": "stopping",
    "BadRequest": "unsendable",
    "AnswerGarbled": "garbled",
    "dropped": "dropped",
}
REFUSED, FAILED = "refused", "failed"

#: The same in words, where there is nothing else to say.
WORDS = {
    "answered": "answered",
    "offline": "not connected",
    "busy": "too many commands at once",
    "stopping": "the server was stopping",
    "dropped": "nobody waited for the answer",
    "there": "it was in its dock already",
}


@frozen
class Entry:
    """
    One command.

    @ivar number: rises with each.
    @ivar name: as the robot was told it.
    @ivar what: what people call it; empty for questions and what is not known.
    @ivar at: when it was asked, in seconds since the epoch.
    @ivar seconds: until it ended.
    @ivar outcome: in one word, of L{OUTCOMES} or C{refused}.
    @ivar words: the same for people.
    @ivar by: who asked.
    @ivar size: bytes of the answer.
    """

    number: int
    did: str
    name: str
    at: float
    seconds: float
    outcome: str
    words: str
    by: str
    size: int = 0
    what: str = ""

    def values(self) -> dict[str, Any]:
        """As the API and the stream tell it."""
        return asdict(self)


class CommandLog:
    """
    Listens to the correlator.  What this box asks for itself, as for its map, is nobody's news.

    @param known: whether there is a robot of that did: commands to others are nobody's.
    """

    def __init__(self, clock: IReactorTime, feed: IFeed, known: Callable[[str], bool]) -> None:
        self._clock, self._feed, self._known = clock, feed, known
        self._numbers = count(1)
        self._robots: dict[str, deque[Entry]] = {}

    def ended(self, ending: Ending) -> None:
        """A command has ended."""
        did = ending.command.device.did
        if not ending.by or not self._known(did):
            return
        made = self._entry(did, ending)
        kept = self._of(did)
        if len(kept) == MOST:
            self._feed.drop(key(oldest_of(kept)))
        kept.append(made)
        self._feed.put(key(made), "command", made.values())

    def _of(self, did: str) -> deque[Entry]:
        """The commands of a robot; who has been silent longest makes room."""
        kept = self._robots.pop(did, None)
        if kept is None:
            kept = deque()
            if len(self._robots) >= ROBOTS:
                self.forget(next(iter(self._robots)))
        self._robots[did] = kept
        return kept

    def _entry(self, did: str, ending: Ending) -> Entry:
        outcome, words = judged(ending)
        return Entry(
            next(self._numbers),
            did,
            ending.command.name,
            round(self._clock.seconds() - ending.seconds, 3),
            round(ending.seconds, 3),
            outcome,
            words,
            ending.by,
            len(ending.body or b""),
            deed(ending.command),
        )

    def of(self, did: str) -> Sequence[Entry]:
        """The commands of a robot, the newest first."""
        return tuple(reversed(self._robots.get(did, ())))

    def forget(self, did: str) -> None:
        """A robot is gone."""
        for entry in self._robots.pop(did, ()):
            self._feed.drop(key(entry))


def oldest_of(kept: deque[Entry]) -> Entry:
    """
    Take out what is missed least: programs ask all day long, and people want to see what became
    of their orders.
    """
    asked = [entry for entry in kept if is_question(entry.name)]
    if len(asked) <= MOST // 2:
        return kept.popleft()
    kept.remove(asked[0])
    return asked[0]


def is_question(name: str) -> bool:
    """Whether a command only asks something, by its name in either generation."""
    return name[:3].lower() == "get"


def key(entry: Entry) -> str:
    """The key of an entry in the feed."""
    return f"command {entry.number}"


def judged(ending: Ending) -> tuple[str, str]:
    """The outcome in one word, and in words."""
    outcome = OUTCOMES.get(ending.outcome, FAILED)
    if outcome == "answered":
        refusal = refused(ending)
        if is_there(ending.command.name, refusal):
            return outcome, WORDS["there"]
        return (REFUSED, f"refused: {refusal}") if refusal else (outcome, WORDS[outcome])
    if outcome == "timeout":
        return outcome, f"no answer in {ending.seconds:.0f} s"
    return outcome, WORDS.get(outcome) or ending.words[:200]


def is_there(name: str, refusal: str) -> bool:
    """Whether a robot does not go home because it is there (mqtt.md 7.1 and 8.3)."""
    return name.lower() == "charge" and refusal.endswith(("(code 30007)", "(errno 8)"))


def refused(ending: Ending) -> str:
    """Why the robot did not; empty if it did."""
    body = ending.body or b""
    if len(body) > SHORT:
        return ""
    if ending.command.kind is PayloadKind.XML:
        return refusals.in_xml(body)[:200]
    try:
        return refusals.in_json(lenient.load(body))[:200]
    except ValueError:
        return ""
