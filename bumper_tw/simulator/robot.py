"""One simulated robot: a machine, its words and its connection put together."""

from __future__ import annotations

from collections import deque
from functools import partial

from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from zope.interface import implementer

from bumper_tw.simulator.any_robot import MOST_WAITING, AnyRobot
from bumper_tw.simulator.checks import Checks
from bumper_tw.simulator.dialect import Event, IDialect, Unfit
from bumper_tw.simulator.faults import Faults, Reorder
from bumper_tw.simulator.happenings import Happening
from bumper_tw.simulator.identity import Identity, Kind, Profile, login
from bumper_tw.simulator.json_robot import JsonDialect
from bumper_tw.simulator.link import ILinkUser, Link
from bumper_tw.simulator.mqtt import Message
from bumper_tw.simulator.topics import NotForUs, Request, RobotTopics
from bumper_tw.simulator.xml_robot import XmlDialect

LATENCY = (0.08, 0.3)
"""Seconds between a request and its reply (robots.md 4.2)."""

GREETING_EVERY = 0.2
UNDOCK_AFTER = {Kind.JSON: 2.0, Kind.XML: 1.0}
FLOOD_EVENT = {Kind.JSON: "onBattery", Kind.XML: "BatteryInfo"}


@implementer(ILinkUser)
class SimulatedRobot(AnyRobot[Link]):
    """
    A robot that speaks MQTT.

    @ivar faults: its misbehaviour, changeable at any time
    """

    def __init__(
        self,
        reactor: IReactorTime,
        endpoint: IStreamClientEndpoint,
        identity: Identity,
        kind: Kind = Kind.JSON,
        profile: Profile | None = None,
        speed: float = 1.0,
        seed: int = 0,
        latency: tuple[float, float] = LATENCY,
    ) -> None:
        """
        @param endpoint: how to reach the broker, TLS included
        @param speed: how fast its time goes; the connection keeps real time
        @param latency: shortest and longest time before a reply, in its own seconds;
            L{AT_ONCE<bumper_tw.simulator.any_robot.AT_ONCE>} replies while the request is
            being read
        """
        profile = profile or Profile()
        super().__init__(
            *(reactor, identity, speed, seed),
            flood_event=FLOOD_EVENT[kind],
            undock_after=UNDOCK_AFTER[kind],
            position_every=profile.position_every,
        )
        self.kind, self.profile, self.faults = kind, profile, Faults()
        self._latency = latency
        self._topics = RobotTopics.of(identity)
        self._dialect = self._choose_dialect()
        self._checks = Checks(kind, profile, self.violations)
        self._link = Link(
            *(reactor, self, self.transcript, self.violations),
            endpoint,
            login(identity, profile),
            self._filters(),
        )
        self._queue: deque[tuple[Request, bytes]] = deque()
        self._held: list[Event] | None = None
        self._pairs = Reorder()

    def spoof(self, victim: Identity) -> None:
        """Publish an event and a reply in the name of another robot."""
        theirs = RobotTopics.of(victim)
        event = self._dialect.report(self._flood_event)
        forged = Request(event.name, "helperbot/bumper/helperbot", "q", "Forg", self.kind.value)
        self._link.publish(theirs.event(event.name, self.kind.value), event.payload)
        self._link.publish(theirs.reply(forged), event.payload)

    def spy(self, victim: Identity) -> None:
        """Subscribe to what no robot may hear; being granted it is a violation."""
        theirs = RobotTopics.of(victim)
        for topic_filter in ("#", "iot/#", theirs.requests(), *theirs.settings()):
            self._link.subscribe(topic_filter, forbidden=True)

    def report(self, name: str) -> None:
        self._send(self._dialect.report(name))

    def link_up(self) -> None:
        self._checks.connected()

    def link_ready(self) -> None:
        self._checks.subscribed()

    def link_complete(self) -> None:
        for place, name in enumerate(self._dialect.greetings(), 1):
            greet = partial(self.report, name)
            self._timers.after(place * GREETING_EVERY, greet, "greeting")

    def link_down(self) -> None:
        self._checks.ended()
        self._forget_work()

    def link_heard(self, message: Message) -> None:
        try:
            request = self._topics.request(message.topic)
        except NotForUs as reason:
            self.violations.add(str(reason))
            return
        if request is None or (request.direction == "p" and self.profile.wide):
            return
        if request.direction == "p":
            self.violations.add(f"a reply was delivered: {message.topic}")
            return
        self._checks.opened(request)
        self._line_up(request, message.payload)

    def _line_up(self, request: Request, payload: bytes) -> None:
        if self._latency[1] <= 0:
            self._obey(request, payload)
        elif len(self._queue) >= MOST_WAITING:
            self.violations.add("too many requests at once")
        else:
            self._queue.append((request, payload))
            if len(self._queue) == 1:
                self._work_later()

    def _work_later(self) -> None:
        self._timers.after(self._rng.uniform(*self._latency), self._work, "work")

    def _work(self) -> None:
        self._obey(*self._queue.popleft())
        if self._queue:
            self._work_later()

    def _forget_work(self) -> None:
        self._timers.drop_all()
        self._network.drop("reply")
        self._queue.clear()
        self._pairs = Reorder()

    def _obey(self, request: Request, payload: bytes) -> None:
        events = self._held = []
        try:
            reply = self._dialect.answer(request.command, request.letter, payload)
        except Unfit as reason:
            self.violations.add(f"{request.command}: {reason}")
            reply = None
        finally:
            self._held = None
        self._checks.closed(request)
        if reply is not None and request.direction == "q":
            self._reply(request, reply)
        for event in events:
            self._send(event)

    def _reply(self, request: Request, payload: bytes) -> None:
        faults = self.faults
        if faults.swallows(request.command):
            return
        topic = faults.topic(request, self._topics)
        garbage = faults.garbage
        payload = faults.payload(request.command, payload) if garbage is None else garbage.value
        send = partial(self._link.publish, topic, payload)
        for _ in range(2 if faults.duplicate else 1):
            self._deliver(send, faults.delays.get(request.command, 0.0))

    def _deliver(self, send: partial[None], delay: float) -> None:
        if delay > 0:
            self._network.after(delay, send, "reply")
        elif self.faults.reorder:
            self._pairs.send(send)
        else:
            send()

    def _happened(self, happening: Happening) -> None:
        if self._link.up:
            for event in self._dialect.events(happening):
                self._send(event)

    def _send(self, event: Event) -> None:
        # Events a command causes follow its reply (robots.md 5.4).
        if self._held is not None:
            self._held.append(event)
            return
        payload = self.faults.payload(event.name, event.payload)
        self._link.publish(self._topics.event(event.name, self.kind.value), payload)

    def _filters(self) -> tuple[str, ...]:
        requests = self._topics.requests(self.profile.wide)
        return (requests, *self._topics.settings()) if self.kind is Kind.JSON else (requests,)

    def _choose_dialect(self) -> IDialect:
        if self.kind is Kind.XML:
            return XmlDialect(self.machine, self.identity, self.profile)
        return JsonDialect(self.machine, self.identity, self.profile, self._send)
