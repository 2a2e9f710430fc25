"""A benchmark of servers that do the same: what it can be told, its tables, what may not be."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.brokers import OURS, Absent, Kit, Start, certificates, more_files
from benchmarks.report import complain, load_average, parser, show
from benchmarks.rounds import COLUMNS, Case, Outcome, Outcomes, Plan

#: Seconds of a round, and with --quick.
SECONDS, QUICK_SECONDS = 2.0, 0.2


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


#: How a server is made ready to be started; it raises L{Absent} where it is not installed.
Way = Callable[[], Start]


@frozen
class Contest:
    """
    A benchmark of several servers.

    @ivar doc: what it says of itself.
    @ivar noun: what its servers are.
    @ivar standards: what others are compared with: the better one of them, called by the
        name of the first.
    @ivar slow: names of cases that take longer than it takes to see that they run.
    @ivar example: cases somebody may want.
    @ivar once: see L{Plan}.
    @ivar apart: whether each case has servers of its own.
    @ivar remarks: lines below the tables.
    """

    doc: str | None
    noun: str
    servers: Sequence[str]
    standards: Sequence[str]
    cases: Sequence[Case]
    slow: frozenset[str]
    example: str
    once: Sequence[str] = ()
    apart: bool = False
    remarks: Sequence[str] = ()

    def parser(self) -> argparse.ArgumentParser:
        """What it can be told."""
        made = parser(self.doc, rounds=5)
        made.add_argument("--only", default="", help=f"cases, such as {self.example}")
        made.add_argument("--list", action="store_true", help="name the cases and end")
        made.add_argument("--brokers", default=",".join(self.servers), help="who takes part")
        made.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
        made.add_argument("--json", type=Path, help="write all figures there")
        return made

    def main(self, options: argparse.Namespace, ways: Mapping[str, Way]) -> int:
        """
        Measure and print.

        @return: the exit status: 0 when nothing was lost, came twice or was another.
        """
        if options.list:
            print("\n".join(case.name for case in self.cases))
            return 0
        more_files()
        if options.folder is not None:
            options.folder.mkdir(parents=True, exist_ok=True)
            return int(self._measure(options, ways, options.folder.resolve()) > 0)
        with TemporaryDirectory(prefix="bumper-bench-") as folder:
            return int(self._measure(options, ways, Path(folder)) > 0)

    def _measure(self, options: argparse.Namespace, ways: Mapping[str, Way], folder: Path) -> int:
        """
        All that is wanted, with servers in a folder.

        @return: how much was wrong.
        """
        starts = found(options.brokers.split(","), ways)
        kit = Kit(options.python, starts, folder, certificates(folder / "certs"))
        rounds, seconds = options.rounds, options.seconds
        if options.quick:
            rounds, seconds = 1, QUICK_SECONDS
        plan = Plan(kit, list(starts), self.once, rounds, seconds)
        complaints, all_ = list[str](), dict[str, object]()
        for case, outcomes in self._run(plan, list(self._chosen(options))):
            self._table(case, outcomes)
            complaints += wrong(case, outcomes)
            all_[case.name] = {name: outcome.told() for name, outcome in outcomes.items()}
            if options.json is not None:
                options.json.write_text(json.dumps(all_, indent=1))
        if self.remarks:
            print("", *self.remarks, sep="\n")
        complain(complaints)
        return len(complaints)

    def _chosen(self, options: argparse.Namespace) -> Iterator[Case]:
        """The cases that are wanted."""
        patterns = options.only.split(",") if options.only else ["*"]
        left_out = self.slow if options.quick and not options.only else ()
        for case in self.cases:
            if any(fnmatchcase(case.name, p) for p in patterns) and case.name not in left_out:
                yield case

    def _run(self, plan: Plan, cases: Sequence[Case]) -> Iterator[tuple[Case, Outcomes]]:
        if not self.apart:
            yield from plan.run(cases)
            return
        for case in cases:
            yield from plan.run([case])

    def _table(self, case: Case, outcomes: Outcomes) -> None:
        """Print what came out."""
        named = [outcomes[name] for name in self.standards if name in outcomes]
        better = max((one for one in named if one.rounds), key=Outcome.middle, default=None)
        rows = [outcome.row(name, better) for name, outcome in outcomes.items()]
        filled = {"noun": self.noun, "standard": self.standards[0]}
        columns = [column.format_map(filled) for column in COLUMNS]
        show(f"{case.name}: {case.unit}, {load_average()}", columns, rows)
        sys.stdout.flush()


def found(names: Sequence[str], ways: Mapping[str, Way]) -> dict[str, Start]:
    """How the servers that are wanted, and are here, are started."""
    starts = {}
    for name in names:
        try:
            starts[name] = ways[name]()
        except Absent as why:
            print(f"without {name}: {why}", file=sys.stderr)
    return starts
