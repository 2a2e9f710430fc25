"""
What goes wrong with requests, in the log and as numbers.

A line has the pattern of a route and not the path that was asked for, in which robots, users
and secrets may be; of a path that has no route only those words are told that routes have.
"""

from collections import Counter
from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.core.unknown import STAR, redacted
from bumper_tw.errors import StorageError
from bumper_tw.web.call import Call
from bumper_tw.web.plain import NOBODYS, describe, printable
from bumper_tw.web.routes import Layer, Route

#: As many lines about refusals of one client within a minute, of those there are.
LINES = 20


class Complaints:
    """
    Counts and tells.

    @ivar counts: how often what went wrong.
    @ivar words: what may stand in a path in the log; see L{words_of}.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self.counts: Counter[str] = Counter()
        self.words: frozenset[str] = frozenset()
        self._said = Repeats(clock, share=LINES)

    def refused(self, call: Call, kind: str, reason: str, route: Route = NOBODYS) -> None:
        """Somebody asks for what he does not get."""
        self.counts[kind] += 1
        line = self._line(call, route)
        more = self._said.say(f"{kind} {line}", call.peer)
        if more is not None:
            self._log.info(
                "refused {call}: {reason}{more}",
                call=line,
                reason=printable(reason),
                more=again(more),
            )

    def unstored(self, call: Call, why: StorageError, route: Route) -> None:
        """The disk refuses, as it will for whatever comes next."""
        self.counts["unstored"] += 1
        more = self._said.say(f"unstored {route.path}", call.peer)
        if more is not None:
            self._log.warn(
                "{call} cannot be stored: {why}{more}",
                call=self._line(call, route),
                why=printable(str(why)),
                more=again(more),
            )

    def slow(self, peer: str, patience: float) -> None:
        """A request took too long to arrive."""
        self.counts["slow"] += 1
        more = self._said.say(f"{peer} slow", peer)
        if more is not None:
            self._log.info(
                "closing {peer}: no whole request in {patience} s{more}",
                peer=peer,
                patience=f"{patience:g}",
                more=again(more),
            )

    def broke(self, call: Call, failure: Failure, route: Route = NOBODYS) -> None:
        """A bug."""
        self.counts["broken"] += 1
        self._log.failure("{call} broke", failure, call=self._line(call, route))

    def _line(self, call: Call, route: Route) -> str:
        return describe(call, route.path or redacted(call.path, self._bare))

    def _bare(self, word: str) -> str:
        return word if not word or word in self.words else STAR


def words_of(routes: Iterable[Route]) -> frozenset[str]:
    """What the paths of the program's routes are made of; the owner's own may name anything."""
    ours = (route.path for route in routes if route.layer in {Layer.CODE, Layer.SHIPPED})
    return frozenset(part for path in ours for part in path.split("/") if "<" not in part)
