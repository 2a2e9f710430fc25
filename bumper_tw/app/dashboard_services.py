"""Broker, XMPP and web started anew, each by itself, while the others go on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from bumper_tw.app.lifecycle import Doors, Listener
from bumper_tw.app.ports import port_of
from bumper_tw.app.settings import Listen
from bumper_tw.errors import DeviceUnknown, StartError
from bumper_tw.front.gate import Gate
from bumper_tw.interfaces import IFeed

#: How many seconds all connections of a service may take to end.
PATIENCE = 5.0

#: Lets a process bind ports that belong to the system (capabilities(7)).
CAP_NET_BIND_SERVICE = 1 << 10

#: The states that a service can be in.
RUNNING, RESTARTING, BROKEN = "running", "restarting", "broken"


@frozen
class Part:
    """
    A service that can be started anew.

    @ivar name: as it is served: C{mqtt}, C{xmpp} or C{web}.
    @ivar title: what people call it.
    @ivar about: what it is for.
    @ivar gate: stands before it on every listener.
    @ivar farewell: ends its connections in order; fires when the last is gone.
    @ivar connections: how many there are.
    """

    name: str
    title: str
    about: str
    gate: Gate
    farewell: Callable[[], Deferred[None]]
    connections: Callable[[], int]


@define
class State:
    """
    How a service is.

    @ivar since: seconds since 1970.
    @ivar why: why it is not as it should be.
    """

    name: str
    since: float
    why: str = ""


class Services:
    """
    Restarts one service at a time, or several; whoever else is connected does not notice.

    What sessions, retained messages and robots there are stays, as it is not theirs.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        parts: Iterable[Part],
        doors: Callable[[], Doors],
        feed: "IFeed",
        may_reopen: "Callable[[str], bool] | None" = None,
    ) -> None:
        """
        @param doors: gives the listeners, once they are there.
        @param may_reopen: whether a listener, by its endpoint, can be opened again for certain.
        """
        self._clock, self._doors, self._feed = clock, doors, feed
        self._may_reopen = may_reopen or can_reopen
        self._parts = {part.name: part for part in parts}
        now = clock.seconds()
        self._states = {name: State(RUNNING, now) for name in self._parts}

    def told(self) -> list[dict[str, Any]]:
        """Every service."""
        return [self._told(part) for part in self._parts.values()]

    def _told(self, part: Part) -> dict[str, Any]:
        state = self._states[part.name]
        return {
            "name": part.name,
            "title": part.title,
            "about": part.about,
            "state": state.name,
            "since": state.since,
            "why": state.why,
            "connections": part.connections(),
            "listeners": [listener_entry(at, door) for at, door in self._of(part)],
        }

    def _of(self, part: Part) -> Sequence[tuple[Listen, Listener]]:
        return [(at, door) for at, door in self._doors() if at.speaks(part.name)]

    def restart(self, name: str) -> dict[str, Any]:
        """
        Have a service end its connections and begin anew; it begins when whoever asks has been
        answered.

        @return: how it is now.
        @raise DeviceUnknown: there is no such service.
        """
        part = self._parts.get(name)
        if part is None:
            raise DeviceUnknown("there is no such service")
        if self._states[name].name != RESTARTING:
            self._now(part, RESTARTING)
            self._clock.callLater(0, self._begin, part)
        return self._told(part)

    def _now(self, part: Part, state: str, why: str = "") -> None:
        self._states[part.name] = State(state, self._clock.seconds(), why)
        self._feed.put(f"service {part.name}", "service", self._told(part))

    def _begin(self, part: Part) -> None:
        self._log.info("{service} is started anew, by the owner", service=part.title)
        done = Deferred.fromCoroutine(self._anew(part))
        done.addErrback(self._failed, part)

    async def _anew(self, part: Part) -> None:
        part.gate.shut = True
        try:
            own = [door for at, door in self._doors() if at.serve == part.name]
            closed = [door for door in own if self._is_to_close(door)]
            for door in closed:
                await maybeDeferred(door.stopService)
            await self._in_time(part, part.farewell())
        finally:
            part.gate.shut = False
        why = "; ".join(filter(None, map(opened, closed)))
        self._now(part, BROKEN if why else RUNNING, why)
        if why:
            self._log.error("{service}: {why}", service=part.title, why=why)

    def _is_to_close(self, door: Listener) -> bool:
        """One that is not open is tried again; one that could not be opened again stays open."""
        return door.port is None or self._may_reopen(door.at)

    async def _in_time(self, part: Part, ending: Deferred[None]) -> None:
        try:
            await ending.addTimeout(PATIENCE, self._clock)
        except TimedOut:
            self._log.warn("{service} takes too long to end", service=part.title)

    def _failed(self, failure: Failure, part: Part) -> None:
        """It is a bug; the owner sees that something is wrong, and may try again."""
        self._log.failure("{service} was not started anew", failure, service=part.title)
        self._now(part, BROKEN, "something went wrong here; the log says more")


def opened(door: Listener) -> str:
    """
    Open a listener again.

    @return: why not, unless the owner can do without it; empty when it is open.
    """
    door.why = ""
    try:
        door.startService()
    except StartError as why:
        door.why = str(why)
        return door.why
    return ""


def listener_entry(at: Listen, door: Listener) -> dict[str, Any]:
    """One place where connections are accepted."""
    return {
        "at": at.at,
        "tls": at.tls,
        "shared": at.serve == "all",
        "open": door.port is not None,
        "why": door.why,
    }


def can_reopen(at: str, proc: Path = Path("/proc")) -> bool:
    """
    Whether a listener can be opened again for certain: it is for a port of our choice, which
    systemd did not open for us, and no privileges are needed that we have given away.
    """
    port = port_of(at) if at.startswith(("tcp:", "tcp6:")) else None
    if not port:
        return False
    return port >= first_free_port(proc) or has_privileges(proc)


def first_free_port(proc: Path) -> int:
    """The lowest port that anybody may bind (ip(7), ip_unprivileged_port_start)."""
    try:
        return int((proc / "sys/net/ipv4/ip_unprivileged_port_start").read_text("ascii"))
    except (OSError, ValueError):
        return 1024


def has_privileges(proc: Path) -> bool:
    """Whether this process may bind the others, too."""
    try:
        text = (proc / "self/status").read_text("utf-8", "replace")
    except OSError:
        return False
    lines = (line.split() for line in text.splitlines() if line.startswith("CapEff:"))
    found = next(lines, ["", "0"])
    return bool(int(found[-1], 16) & CAP_NET_BIND_SERVICE)


@define
class Gates:
    """The gates of all services, by name."""

    every: Mapping[str, Gate] = field(
        factory=lambda: {name: Gate() for name in ("mqtt", "xmpp", "web")}
    )

    def parts(self, web: Callable[[], Any], mqtt: Any, xmpp: Any) -> tuple[Part, ...]:
        """
        The services.

        @param web: gives the site, once it is there.
        @param mqtt: the factory of the broker.
        @param xmpp: the same of the XMPP server.
        """
        gates = self.every
        return (
            Part(
                "mqtt",
                "MQTT broker",
                "Newer robots, Home Assistant and scripts are connected to it.",
                gates["mqtt"],
                mqtt.farewell,
                lambda: sum(1 for _ in mqtt.crowd),
            ),
            Part(
                "xmpp",
                "XMPP server",
                "Older robots and the apps that go with them are connected to it.",
                gates["xmpp"],
                xmpp.farewell,
                lambda: sum(1 for _ in xmpp.crowd),
            ),
            Part(
                "web",
                "Web",
                "Answers apps and robots over HTTP, and shows these pages.",
                gates["web"],
                lambda: web().farewell(),
                lambda: len(web().channels),
            ),
        )
