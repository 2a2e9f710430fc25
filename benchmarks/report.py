"""What was measured, and how it is printed."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from attrs import define, field, frozen

from benchmarks.server import Cpu, Launch, default_python

#: As many of the things that were wrong are told.
TOLD = 5


@define
class Tally:
    """
    One measurement while it runs.

    @ivar wanted: how often something is to be done, by all clients together.
    @ivar seconds: what each took.
    @ivar wrong: what was not as it should be.
    """

    wanted: int
    seconds: list[float] = field(factory=list)
    wrong: list[str] = field(factory=list)
    _numbers: Iterator[int] = field(factory=count)

    def rounds(self) -> Iterator[int]:
        """Numbers that no other client gets, until enough is done."""
        while (number := next(self._numbers)) < self.wanted:
            yield number

    def took(self, began: float) -> None:
        """Something is done that began then, in seconds of C{perf_counter}."""
        self.seconds.append(perf_counter() - began)

    def check(self, fine: bool, complaint: str, heard: object = "") -> None:
        """Complain unless all is fine; only then is what was heard made a text."""
        if not fine:
            self.wrong.append(f"{complaint}{heard}"[:300])

    @property
    def errors(self) -> int:
        """What was wrong, and what is missing."""
        return len(self.wrong) + self.wanted - len(self.seconds)


@frozen
class Measured:
    """
    One measurement.

    @ivar rate: how many a second.
    @ivar p50: milliseconds; half of them took no longer, and
    @ivar p99: 99 of 100.
    @ivar cpu: of the server, in seconds for each.
    """

    rate: float
    p50: float
    p99: float
    cpu: Cpu
    errors: int

    @classmethod
    def of(cls, tally: Tally, elapsed: float, cpu: Cpu) -> "Measured":
        """The figures of a measurement that took so long, and cost the server so much."""
        done = max(1, len(tally.seconds))
        ranked = sorted(tally.seconds) or [0.0]
        each = Cpu(cpu.user / done, cpu.system / done)
        p50, p99 = (1000 * ranked[int(len(ranked) * part)] for part in (0.5, 0.99))
        return cls(done / elapsed, p50, p99, each, tally.errors)


def best(rounds: Sequence[Measured]) -> Measured:
    """
    The round that other work on the machine disturbed least.

    @return: its figures, and the errors of all rounds.
    """
    fastest = min(rounds, key=lambda measured: measured.cpu.total)
    errors = sum(measured.errors for measured in rounds)
    return Measured(fastest.rate, fastest.p50, fastest.p99, fastest.cpu, errors)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    print(f"\n{title}")
    for row in (columns, ["-" * width for width in widths], *rows):
        print("  ".join(aligned(*cell) for cell in zip(row, widths, strict=True)).rstrip())


def aligned(text: str, width: int) -> str:
    """A cell."""
    return text.rjust(width) if text[:1].isdecimal() else text.ljust(width)


def complain(wrong: Sequence[str]) -> None:
    """Tell the first things that were wrong."""
    for line in wrong[:TOLD]:
        print(f"wrong: {line}", file=sys.stderr)


def load_average() -> str:
    """What else the machine does, for whoever reads the figures."""
    return "load average " + ", ".join(f"{load:.2f}" for load in os.getloadavg())


def parser(doc: str | None, rounds: int) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    made = argparse.ArgumentParser(description=doc)
    made.add_argument("--python", default=default_python(), help="interpreter of the server")
    made.add_argument("--quick", action="store_true", help="a few seconds: does it run?")
    made.add_argument("--rounds", type=int, default=rounds, help="the best of so many counts")
    made.add_argument("--folder", type=Path, help="where servers run (default: a temporary one)")
    return made


def launches(options: argparse.Namespace, *settings: str) -> Iterator[Launch]:
    """How to start servers, in a folder that lives as long as the iteration waits."""
    if options.folder is not None:
        yield Launch(options.python, options.folder.resolve(), settings)
        return
    with TemporaryDirectory(prefix="bumper-bench-") as folder:
        yield Launch(options.python, Path(folder), settings)
