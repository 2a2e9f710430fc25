"""The stream of everything that changes, for pages and for people's programs."""

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from bumper_tw.core.feed import Feed
from bumper_tw.core.fleet import Fleet
from bumper_tw.errors import LoginRefused
from bumper_tw.front.crowd import Headcount
from bumper_tw.values import Principal, Role
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.dashboard.cards import Card, Cards
from bumper_tw.web.dashboard.event_flow import OF_ROBOTS, EventFlow, Hearing, Script
from bumper_tw.web.routes import GET, Route
from bumper_tw.web.streams import Streamed

#: Streams at one time, in all and to one address.
MOST, MOST_PER_PEER = 40, 12
#: As many of them are for the owner alone: members of the house must not keep him out.
OF_OWNER = 10
#: Seconds after which a connection is told to be alive.
BEAT = 15.0

#: Proxies are not to collect the stream before they pass it on.
HEADERS = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))
KIND = "text/event-stream; charset=utf-8"

#: Tells who asks, or raises L{LoginRefused}.
Guard = Callable[[Call], Principal]


def crowded(status: int, sentence: str) -> Answer:
    """There are too many streams."""
    return json_answer({"error": sentence, "reason": "crowded"}, status)


class EventRoutes:
    """
    Tells pages what changes, and shows what there is.

    @param guard: who may see robots.
    @param house: who may see the rest.
    @param look: is told of each robot, by its did, that an open page shows, now and then.
    """

    def __init__(
        self,
        clock: IReactorTime,
        feed: Feed,
        cards: Cards,
        fleet: Fleet,
        guard: Guard,
        house: Guard,
        look: Callable[[str], object] = str,
    ) -> None:
        self._feed, self._cards, self._fleet = feed, cards, fleet
        self._guard, self._house, self._look = guard, house, look
        self._script = Script(feed)
        # By what they were asked with.
        self._flows: dict[EventFlow, Call] = {}
        self._owner = Headcount(MOST, MOST_PER_PEER)
        self._others = Headcount(MOST - OF_OWNER, MOST_PER_PEER)
        self._beats = LoopingCall(self._beat)
        self._beats.clock = clock

    def __len__(self) -> int:
        """How many streams there are."""
        return len(self._flows)

    def routes(self) -> tuple[Route, ...]:
        """C{/api/events}, and robots as the stream tells of them."""
        return (
            Route("/api/events", GET, self.events, failure),
            Route("/api/cards", GET, self.cards, failure),
            Route("/api/robots/<did>/card", GET, self.card, failure),
        )

    def cards(self, call: Call) -> Answer:
        """Every robot that the asker may use, and from where the stream goes on."""
        cards = self._cards_of(self._guard(call).name)
        return json_answer({"position": self._feed.position, "cards": cards})

    def card(self, call: Call) -> Answer:
        """One robot."""
        device = self._fleet.robot(self._guard(call).name, call.segments["did"])
        return json_answer(self._cards.of(device))

    def _cards_of(self, uid: str) -> list[Card]:
        return [self._cards.of(device) for device in self._fleet.seen_by(uid)]

    def events(self, call: Call) -> Answer:
        """What changes, from where the page was made, or from what it has heard last."""
        who = self._guard(call)
        uid, crowd = who.name, self._owner if who.role is Role.OWNER else self._others
        if len(self) >= MOST:
            return crowded(503, f"there are {MOST} open pages already: close some of them")
        if crowd.full(call.peer):
            return crowded(429, f"you have {MOST_PER_PEER} pages open: close some of them")
        position = call.header("last-event-id") or call.query("after")
        hearing = self._hearing(uid, call)
        flow = EventFlow(self._feed, self._script, hearing, position, lambda: self._cards_of(uid))
        self._enter(flow, call, crowd)
        return Streamed(b"", 200, KIND, HEADERS, flow=flow)

    def _hearing(self, uid: str, call: Call) -> Hearing:
        robots = {device.id.did for device in self._fleet.seen_by(uid)}
        return Hearing(self._kinds(call), self._fleet.permits, uid, robots)

    def _kinds(self, call: Call) -> frozenset[str] | None:
        return None if is_let_in(self._house, call) else OF_ROBOTS

    def _enter(self, flow: EventFlow, call: Call, crowd: Headcount) -> None:
        peer = call.peer
        crowd.enter(peer)
        self._flows[flow] = call
        flow.when_ended(lambda: self._leave(flow, peer, crowd))
        if not self._beats.running:
            self._beats.start(BEAT, now=False)
        self._look_at(flow.hearing.robots)

    def _leave(self, flow: EventFlow, peer: str, crowd: Headcount) -> None:
        crowd.leave(peer)
        del self._flows[flow]
        if not self._flows and self._beats.running:
            self._beats.stop()

    def _beat(self) -> None:
        self.look_again()
        self._look_at(set().union(*(flow.hearing.robots for flow in self._flows)))
        for flow in list(self._flows):
            flow.beat()

    def _look_at(self, robots: Iterable[str]) -> None:
        for did in robots:
            self._look(did)

    def look_again(self) -> None:
        """
        End the streams of those who would not be let in any more, or may hear something else than
        when they came: their browsers come back, and are told what is for them.
        """
        for flow, call in list(self._flows.items()):
            kinds = flow.hearing.kinds
            if not is_let_in(self._guard, call) or self._kinds(call) != kinds:
                flow.end()

    def stop(self) -> None:
        """End every stream; browsers come back when we do."""
        for flow in list(self._flows):
            flow.end()


def is_let_in(guard: Guard, call: Call) -> bool:
    """Whether it is somebody who may."""
    try:
        guard(call)
    except LoginRefused:
        return False
    return True
