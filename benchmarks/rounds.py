"""Rounds of measurements, in which servers take turns, and what came out of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from statistics import median
from typing import Protocol

from attrs import asdict, field, frozen

from benchmarks.brokers import Broker, Kit
from benchmarks.load import Disconnected
from benchmarks.mqtt_load import Refused
from benchmarks.watch import Figures

#: Above this part of a core, we are what was measured.
SATURATED = 0.9

#: Memory hardly differs from one time to the next.
FRESH_ROUNDS = 2

COLUMNS = (
    *("{noun}", "figure", "lowest", "highest", "of {standard}", "CPU us", "{noun} %"),
    *("clients %", "p50 us", "p99 us", "errors", ""),
)


class Trial(Protocol):
    """Something to measure."""

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the server does not do its part.
        """


@frozen
class Case:
    """
    A table.

    @ivar unit: what the figures are.
    @ivar before: what is done to each server before the first round, until the end of the last;
        for that they are started anew.
    @ivar fresh: whether a server is started anew for each round, of which there are few then.
    """

    name: str
    trial: Trial
    unit: str
    before: Callable[[Broker], AbstractContextManager[None]] | None = None
    fresh: bool = False


@frozen
class Outcome:
    """
    All rounds of one server.

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

    @ivar names: of the servers.
    @ivar once: those of them that have no part in cases with fresh servers.
    """

    kit: Kit
    names: Sequence[str]
    once: Sequence[str]
    rounds: int
    seconds: float

    def run(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Outcomes]]:
        """Every case; those that need nothing special share their servers."""
        with self.kit.running(self.names) as brokers:
            for case in cases:
                if not case.fresh and not case.before:
                    yield case, self._rounds(case, brokers)
        for case in cases:
            if case.before:
                with self.kit.running(self.names) as brokers:
                    yield case, self._beside(case, case.before, brokers)
            elif case.fresh:
                yield case, self._alone(case)

    def _nothing(self) -> Outcomes:
        return {name: Outcome() for name in self.names}

    def _rounds(self, case: Case, brokers: Mapping[str, Broker]) -> Outcomes:
        """One server after the other, again and again: what disturbs one disturbs all."""
        outcomes = self._nothing()
        for _ in range(self.rounds):
            for name, broker in brokers.items():
                self._round(case, broker, outcomes[name])
        return outcomes

    def _round(self, case: Case, broker: Broker, outcome: Outcome) -> None:
        if not outcome.trouble:
            with noted(outcome):
                outcome.rounds.append(case.trial.measure(broker, self.seconds))

    def _beside(
        self,
        case: Case,
        before: Callable[[Broker], AbstractContextManager[None]],
        brokers: Mapping[str, Broker],
    ) -> Outcomes:
        """What comes before the first round is done once."""
        troubled = self._nothing()
        with ExitStack() as stack:
            for name, broker in brokers.items():
                with noted(troubled[name]):
                    stack.enter_context(before(broker))
            able = {name: b for name, b in brokers.items() if not troubled[name].trouble}
            outcomes = self._rounds(case, able)
        return {
            name: troubled[name] if troubled[name].trouble else outcomes[name] for name in brokers
        }

    def _alone(self, case: Case) -> Outcomes:
        """Each round has a server that has done nothing before, and there is no other."""
        names = [name for name in self.names if name not in self.once]
        outcomes: Outcomes = {name: Outcome() for name in names}
        for _ in range(min(self.rounds, FRESH_ROUNDS)):
            for name in names:
                with self.kit.running([name]) as brokers:
                    self._round(case, brokers[name], outcomes[name])
        return outcomes


@contextmanager
def noted(outcome: Outcome) -> Iterator[None]:
    """Write down why a server could not be measured."""
    try:
        yield
    except Disconnected:
        outcome.trouble.append("it hung up")
    except (Refused, OSError) as why:
        outcome.trouble.append(str(why)[:100] or type(why).__name__)
