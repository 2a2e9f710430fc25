"""What it costs each connection that its first bytes choose the protocol."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Protocol

from attrs import frozen

from benchmarks.brokers import Broker, certificates, more_files
from benchmarks.entrance_server import DEDICATED, DIRECT, DOORS, PATH, SHARED
from benchmarks.errands import Errand, Visits
from benchmarks.load import request, tls_context
from benchmarks.mqtt_connects import DISCONNECT
from benchmarks.mqtt_frames import CONNACK, hello
from benchmarks.mqtt_trials import Memory, Traffic
from benchmarks.report import complain, launches, load_average, parser, show
from benchmarks.server import HOST, Cpu, Launch, Running, ServerFailed
from benchmarks.watch import Figures, counted

#: Whom clients ask for, as robots and apps do.
NAME = "portal-eu.ecouser.net"

#: Seconds of one slice: the doors take turns that often, as the machine has other work to do.
SLICE, QUICK_SLICE = 0.5, 0.1

#: Connections that are weighed; rounds of that, each with a server of its own for each door.
IDLE, QUICK_IDLE, WEIGHINGS = 400, 40, 3

#: Fewer rounds say that it runs, and nothing else.
ENOUGH = 6

#: The part that each of them may cost on top, and which those are: reading the hello and
#: keeping the journal, choosing between protocols, and both.
AIM = 0.05
PRICES = (
    ("the entrance", DEDICATED, DIRECT),
    ("the choice", SHARED, DEDICATED),
    ("both", SHARED, DIRECT),
)

#: Clients at once, so that the server need not wait for one of them.
VISITORS = range(8)

MQTT = Errand([hello(f"visitor{number}") for number in VISITORS], CONNACK, DISCONNECT)
WEB = Errand(
    [request("GET", PATH, b"", "Connection: close") for _ in VISITORS], b"HTTP/1.1 200 OK\r\n"
)

COLUMNS = (
    *("what", "over", "door", "a second", "CPU us", "lowest"),
    *("of direct", "lowest", "highest"),
)


class House(Running):
    """
    The server with all doors.

    @ivar ports: by what they are called.
    """

    def __init__(self, launch: Launch, folder: Path) -> None:
        """
        Start it.

        @param folder: of the certificate.
        @raise ServerFailed: it does not.
        """
        argv = [launch.python, "-m", "benchmarks.entrance_server", str(folder)]
        self._process = subprocess.Popen(
            argv, cwd=launch.folder, env=launch.environment(), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self._kill()
            raise ServerFailed("the server with the doors does not start")
        self.ports: Mapping[str, int] = json.loads(said)

    def cpu(self) -> Cpu:
        """What it has used, as it says itself."""
        with socket.create_connection((HOST, self.ports["clock"])) as asked:
            return Cpu(float(asked.makefile("rb").read()), 0.0)

    def stop(self) -> None:
        """@raise ServerFailed: it goes on."""
        assert self._process.stdout is not None
        status = self._finished()
        self._process.stdout.close()
        if status is None:
            raise ServerFailed("the server with the doors goes on")


class Door(Broker):
    """
    One of its doors, as measurements know servers.

    It is no process of its own, and so neither starts nor ends one.
    """

    def __init__(self, house: House, kind: str, speech: str) -> None:
        self._house, self._process, self.name = house, house._process, kind  # noqa: SLF001
        self.plain = house.ports[f"{kind} {speech} plain"]
        self.tls = house.ports[f"{kind} {speech} tls"]

    def cpu(self) -> Cpu:
        """That of the house."""
        return self._house.cpu()


class Trial(Protocol):
    """Something to measure at a door."""

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """See L{benchmarks.rounds.Trial}."""


@frozen
class Calls:
    """Connections that come for one thing."""

    errand: Errand
    tls: bool

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """One slice."""
        context = tls_context() if self.tls else None
        port = broker.tls if self.tls else broker.plain
        return counted(broker, Visits(port, self.errand, context, NAME), seconds)


@frozen
class Line:
    """What is measured, and what is spoken."""

    name: str
    speech: str
    tls: bool
    trial: Trial

    @property
    def over(self) -> str:
        """What it goes over."""
        return "TLS" if self.tls else "plain"


def both(name: str, speech: str, trial: Callable[[bool], Trial]) -> Iterator[Line]:
    """With TLS and without."""
    for tls in (True, False):
        yield Line(name, speech, tls, trial(tls))


LINES = (
    *both("CONNECT, CONNACK, DISCONNECT", "MQTT", lambda tls: Calls(MQTT, tls)),
    *both("one GET", "HTTP", lambda tls: Calls(WEB, tls)),
    *both("messages of one client", "MQTT", lambda tls: Traffic(1, tls=tls)),
)

#: By the kind of door, what came out in each round.
Outcome = Mapping[str, list[Figures]]


def turns(house: House, line: Line, rounds: int, seconds: float) -> Outcome:
    """Slices of all doors, each round in another order."""
    doors = [Door(house, kind, line.speech) for kind in DOORS]
    found: dict[str, list[Figures]] = {kind: [] for kind in DOORS}
    for number in range(rounds):
        at = number % len(doors)
        for door in (*doors[at:], *doors[:at]):
            found[door.name].append(line.trial.measure(door, seconds))
    return found


def shares(outcome: Outcome, kind: str, other: str = DIRECT) -> list[float]:
    """What a door cost in each round, of what the other one did in the same."""
    pairs = zip(outcome[kind], outcome[other], strict=True)
    return [one.cpu / reference.cpu for one, reference in pairs if reference.cpu]


def rows(line: Line, outcome: Outcome) -> Iterator[list[str]]:
    """Lines of the table."""
    for kind, figures in outcome.items():
        costs = [each.cpu * 1e6 for each in figures]
        parts = shares(outcome, kind) or [0.0]
        yield [
            *(line.name, line.over, kind, f"{median(each.figure for each in figures):.0f}"),
            *(f"{median(costs):.1f}", f"{min(costs):.1f}"),
            *(f"{part:.3f}" for part in (median(parts), min(parts), max(parts))),
        ]


def wrong(line: Line, outcome: Outcome) -> Iterator[str]:
    """Messages that were lost, came twice or were not those that were sent."""
    for kind, figures in outcome.items():
        errors = sum(each.errors for each in figures)
        if errors:
            yield f"{line.name}, {line.over}, {kind}: {errors} errors"


def weights(launch: Launch, folder: Path, count: int, rounds: int) -> Iterator[list[str]]:
    """Bytes of an idle MQTT connection; each time in a server that has had no others."""
    for tls in (True, False):
        for kind in DOORS:
            weighed = []
            for _ in range(rounds):
                with House(launch, folder) as house:
                    door = Door(house, kind, "MQTT")
                    weighed.append(Memory(count, tls).measure(door, 0.0).figure)
            over = "TLS" if tls else "plain"
            yield [kind, over, f"{median(weighed):.0f}", f"{min(weighed):.0f}"]


def verdict(outcomes: Sequence[tuple[Line, Outcome]]) -> Iterator[str]:
    """What to make of the figures of connections."""
    for line, outcome in outcomes:
        if isinstance(line.trial, Calls):
            for what, kind, other in PRICES:
                more = median(shares(outcome, kind, other) or [1.0]) - 1
                judged = f"{'within' if more < AIM else 'ABOVE'} the {AIM:.0%} aimed at"
                yield f"{line.name}, {line.over}, {what}: {more:+.1%}, {judged}"


@frozen
class Session:
    """
    One run.

    @ivar idle: connections that are weighed, so many
    @ivar weighings: times.
    """

    lines: Sequence[Line]
    rounds: int
    seconds: float
    idle: int
    weighings: int

    def run(self, launch: Launch) -> list[str]:
        """
        Measure and print.

        @return: what was wrong.
        """
        launch.folder.mkdir(parents=True, exist_ok=True)
        folder = certificates(launch.folder / "certs")
        with House(launch, folder) as house:
            found = [(line, turns(house, line, self.rounds, self.seconds)) for line in self.lines]
        if found:
            cells = [row for line, outcome in found for row in rows(line, outcome)]
            show(f"{self.rounds} rounds, {load_average()}", COLUMNS, cells)
            print("", *(verdict(found) if self.rounds >= ENOUGH else ()), sep="\n")
        if self.weighings:
            weighed = list(weights(launch, folder, self.idle, self.weighings))
            show(
                f"{self.idle} idle connections", ("door", "over", "bytes each", "lowest"), weighed
            )
        return [complaint for line, outcome in found for complaint in wrong(line, outcome)]


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when every answer was right.
    """
    made = parser(__doc__, rounds=24)
    made.add_argument("--seconds", type=float, default=SLICE, help="length of a slice")
    made.add_argument("--only", default="", help="lines whose names begin so")
    made.add_argument("--weighings", type=int, default=WEIGHINGS, help="rounds of memory")
    options = made.parse_args()
    lines = [line for line in LINES if line.name.startswith(options.only)]
    session = Session(lines, options.rounds, options.seconds, IDLE, options.weighings)
    if options.quick:
        session = Session(lines, 1, QUICK_SLICE, QUICK_IDLE, min(1, options.weighings))
    more_files()
    complaints = [each for launch in launches(options) for each in session.run(launch)]
    complain(complaints)
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
