"""Our MQTT broker beside mosquitto and amqtt: messages, logins and memory."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Protocol

from attrs import asdict, evolve, field, frozen

from benchmarks.brokers import (
    AMQTT,
    MOSQUITTO,
    NODELAY,
    OURS,
    Absent,
    Broker,
    Kit,
    Start,
    amqtt,
    certificates,
    more_files,
    mosquitto,
    ours,
)
from benchmarks.load import Disconnected
from benchmarks.mqtt_load import Refused
from benchmarks.mqtt_trials import WINDOW, Figures, Logins, Memory, Traffic, stored
from benchmarks.report import complain, load_average, parser, show

#: Above this part of a core, we are what was measured.
SATURATED = 0.9

#: Seconds of a round, and with --quick.
SECONDS, QUICK_SECONDS = 2.0, 0.2

BROKERS = (OURS, MOSQUITTO, NODELAY, AMQTT)

#: Memory hardly differs from one time to the next.
FRESH_ROUNDS = 2

COLUMNS = (
    *("broker", "figure", "lowest", "highest", "of mosquitto", "CPU us", "broker %"),
    *("clients %", "p50 us", "p99 us", "errors", ""),
)


class Trial(Protocol):
    """Something to measure."""

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the broker does not do its part.
        """


@frozen
class Case:
    """
    A table.

    @ivar unit: what the figures are.
    @ivar stored: subscriptions that idle clients hold meanwhile.
    @ivar fresh: whether a broker is started anew for each round, of which there are few then.
    """

    name: str
    trial: Trial
    unit: str = "deliveries a second"
    stored: int = 0
    fresh: bool = False


CROWDS = (1, 20, 100)
PAYLOAD = 4096
SIZES = (200, 17, 950, 64, 333, 128, 21)
WILD, WANTED = "bench/wild/pair%/state", "bench/+/pair%/+"
MIXED = tuple(f"bench/mixed/pair%/topic{number:02}" for number in range(20))
CHANGING = tuple(f"bench/changing/pair%/topic{number:03}" for number in range(500))

#: Each message goes out a hundred times; a window that counts all of them would be too small.
FAN_WINDOW = 4 * WINDOW // 100


def traffic(name: str, made: Traffic) -> Iterator[Case]:
    """The same with 1, 20 and 100 pairs."""
    for pairs in CROWDS:
        yield Case(f"{name}-{pairs}", evolve(made, pairs=pairs))


def logins(name: str, made: Logins) -> Case:
    """Clients that come and go."""
    return Case(name, made, "logins a second")


def memory(count: int) -> Iterator[Case]:
    """So many idle connections, in both ways."""
    for name, tls in (("memory", False), ("memory-tls", True)):
        yield Case(f"{name}-{count}", Memory(count, tls), "bytes a connection", fresh=True)


FAN = Traffic(1, fan=100, window=FAN_WINDOW)

CASES = (
    *traffic("qos0", Traffic(1)),
    *traffic("latency", Traffic(1, single=True)),
    *traffic("qos1", Traffic(1, qos=1)),
    Case("fanout", FAN),
    Case("wildcard", Traffic(20, topics=(WILD,), wanted=WANTED)),
    Case("tls-qos0-20", Traffic(20, tls=True)),
    Case("tls-latency-20", Traffic(20, single=True, tls=True)),
    Case("tls-fanout", evolve(FAN, tls=True)),
    *traffic("payload-4k", Traffic(1, lengths=(PAYLOAD,))),
    Case("mixed", Traffic(20, lengths=SIZES, topics=MIXED, wanted="bench/mixed/pair%/#")),
    logins("connects-plain", Logins()),
    logins("connects-tls", Logins(tls=True)),
    logins("connects-resumed", Logins(tls=True, resumed=True)),
    *(case for count in (1000, 5000) for case in memory(count)),
    *(
        Case(
            f"stored-{count}",
            # A broker that looks at each subscription should not have too much to do.
            Traffic(1, topics=CHANGING, wanted="bench/changing/pair%/#", window=WINDOW // 16),
            stored=count,
        )
        for count in (10, 1000, 100_000)
    ),
)


@frozen
class Outcome:
    """
    All rounds of one broker.

    @ivar trouble: why there are no more of them.
    """

    rounds: list[Figures] = field(factory=list)
    trouble: list[str] = field(factory=list)

    @property
    def errors(self) -> int:
        """Messages that were lost, came twice or were not those that were sent."""
        return sum(figures.errors for figures in self.rounds)

    def typical(self, name: str) -> float:
        """The median of one of the figures."""
        return float(median(getattr(figures, name) for figures in self.rounds))

    def middle(self) -> float:
        """The figure itself."""
        return self.typical("figure")

    def row(self, name: str, standard: "Outcome | None") -> list[str]:
        """One line of the table; times are in microseconds."""
        if not self.rounds:
            return [name, *[""] * (len(COLUMNS) - 2), *self.trouble]
        figures = [figures.figure for figures in self.rounds]
        ratio = f"{self.middle() / standard.middle():.2f}" if standard else ""
        return [
            *(name, f"{self.middle():.0f}", f"{min(figures):.0f}", f"{max(figures):.0f}", ratio),
            *(self._scaled("cpu", 1e6), self._scaled("busy", 100), self._scaled("own", 100)),
            *(self._scaled("p50", 1e6), self._scaled("p99", 1e6), str(self.errors)),
            self._remark(),
        ]

    def _scaled(self, name: str, factor: float) -> str:
        value = self.typical(name) * factor
        return f"{value:.{0 if value >= 100 else 1}f}" if value else ""

    def _remark(self) -> str:
        saturated = self.typical("own") > SATURATED
        return "; ".join([*self.trouble, *(["clients at their limit"] if saturated else [])])

    def told(self) -> dict[str, object]:
        """For JSON."""
        return {"rounds": [asdict(figures) for figures in self.rounds], "trouble": self.trouble}


Outcomes = Mapping[str, Outcome]


@frozen
class Plan:
    """
    What is done.

    @ivar names: of the brokers.
    """

    kit: Kit
    names: Sequence[str]
    rounds: int
    seconds: float

    def run(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Outcomes]]:
        """Every case; those that need nothing special share their brokers."""
        with self.kit.running(self.names) as brokers:
            for case in cases:
                if not case.fresh and not case.stored:
                    yield case, self._rounds(case, brokers)
        for case in cases:
            if case.stored:
                with self.kit.running(self.names) as brokers:
                    yield case, self._beside(case, brokers)
            elif case.fresh:
                yield case, self._alone(case)

    def _nothing(self) -> Outcomes:
        return {name: Outcome() for name in self.names}

    def _rounds(self, case: Case, brokers: Mapping[str, Broker]) -> Outcomes:
        """One broker after the other, again and again: what disturbs one disturbs all."""
        outcomes = self._nothing()
        for _ in range(self.rounds):
            for name, broker in brokers.items():
                self._round(case, broker, outcomes[name])
        return outcomes

    def _round(self, case: Case, broker: Broker, outcome: Outcome) -> None:
        if not outcome.trouble:
            with noted(outcome):
                outcome.rounds.append(case.trial.measure(broker, self.seconds))

    def _beside(self, case: Case, brokers: Mapping[str, Broker]) -> Outcomes:
        """Subscriptions are stored once, before the first round."""
        troubled = self._nothing()
        with ExitStack() as stack:
            for name, broker in brokers.items():
                with noted(troubled[name]):
                    stack.enter_context(stored(broker, case.stored))
            able = {name: b for name, b in brokers.items() if not troubled[name].trouble}
            outcomes = self._rounds(case, able)
        return {
            name: troubled[name] if troubled[name].trouble else outcomes[name] for name in brokers
        }

    def _alone(self, case: Case) -> Outcomes:
        """Each round has a broker that has done nothing before, and there is no other."""
        names = [name for name in self.names if name != NODELAY]
        outcomes: Outcomes = {name: Outcome() for name in names}
        for _ in range(min(self.rounds, FRESH_ROUNDS)):
            for name in names:
                with self.kit.running([name]) as brokers:
                    self._round(case, brokers[name], outcomes[name])
        return outcomes


@contextmanager
def noted(outcome: Outcome) -> Iterator[None]:
    """Write down why a broker could not be measured."""
    try:
        yield
    except Disconnected:
        outcome.trouble.append("it hung up")
    except (Refused, OSError) as why:
        outcome.trouble.append(str(why)[:100] or type(why).__name__)


def starts(options: argparse.Namespace) -> dict[str, Start]:
    """How the brokers that are wanted, and are here, are started."""
    ways = {
        OURS: lambda: ours(options.python),
        MOSQUITTO: lambda: mosquitto(False),
        NODELAY: lambda: mosquitto(True),
        AMQTT: lambda: amqtt(options.amqtt_python),
    }
    found = {}
    for name in options.brokers.split(","):
        try:
            found[name] = ways[name]()
        except Absent as why:
            print(f"without {name}: {why}", file=sys.stderr)
    return found


def quick(cases: Sequence[Case]) -> list[Case]:
    """Those that take no longer than it takes to see that they run."""
    slow = {"memory-5000", "memory-tls-1000", "memory-tls-5000", "stored-100000"}
    return [case for case in cases if case.name not in slow]


def chosen(options: argparse.Namespace) -> list[Case]:
    """The cases that are wanted."""
    patterns = options.only.split(",") if options.only else ["*"]
    cases = [case for case in CASES if any(fnmatchcase(case.name, p) for p in patterns)]
    return quick(cases) if options.quick and not options.only else cases


def table(case: Case, outcomes: Outcomes) -> None:
    """Print what came out."""
    named = [outcomes[name] for name in (MOSQUITTO, NODELAY) if name in outcomes]
    better = max((one for one in named if one.rounds), key=Outcome.middle, default=None)
    rows = [outcome.row(name, better) for name, outcome in outcomes.items()]
    show(f"{case.name}: {case.unit}, {load_average()}", COLUMNS, rows)
    sys.stdout.flush()


def wrong(case: Case, outcomes: Outcomes) -> Iterator[str]:
    """What must not be."""
    for name, outcome in outcomes.items():
        if outcome.errors:
            lost, doubled, other = (
                sum(getattr(figures, kind) for figures in outcome.rounds)
                for kind in ("lost", "doubled", "wrong")
            )
            yield f"{case.name}, {name}: {lost} lost, {doubled} twice, {other} wrong"
        if name == OURS:
            yield from (f"{case.name}: {trouble}" for trouble in outcome.trouble)


def arguments() -> argparse.Namespace:
    """What we are told."""
    made = parser(__doc__, rounds=5)
    made.add_argument("--only", default="", help="cases, such as qos0-1 or 'tls-*,fanout'")
    made.add_argument("--list", action="store_true", help="name the cases and end")
    made.add_argument("--brokers", default=",".join(BROKERS))
    made.add_argument("--amqtt-python", default="", help="an interpreter that has amqtt")
    made.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
    made.add_argument("--json", type=Path, help="write all figures there")
    return made.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    """
    All that is wanted, with brokers in a folder.

    @return: how much was wrong.
    """
    kit = Kit(options.python, starts(options), folder, certificates(folder / "certs"))
    quickly = options.quick
    seconds = QUICK_SECONDS if quickly else options.seconds
    plan = Plan(kit, list(kit.starts), 1 if quickly else options.rounds, seconds)
    complaints, all_ = list[str](), dict[str, object]()
    for case, outcomes in plan.run(chosen(options)):
        table(case, outcomes)
        complaints += wrong(case, outcomes)
        all_[case.name] = {name: outcome.told() for name, outcome in outcomes.items()}
        if options.json is not None:
            options.json.write_text(json.dumps(all_, indent=1))
    complain(complaints)
    return len(complaints)


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when no message was lost, came twice or was another.
    """
    options = arguments()
    if options.list:
        print("\n".join(case.name for case in CASES))
        return 0
    more_files()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        return int(measure(options, options.folder.resolve()) > 0)
    with TemporaryDirectory(prefix="bumper-bench-") as folder:
        return int(measure(options, Path(folder)) > 0)


if __name__ == "__main__":
    sys.exit(main())
