"""Our XMPP server beside Prosody: relays between apps and robots, logins and memory."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.brokers import OURS, Absent, Kit, Start, certificates, more_files
from benchmarks.mqtt import QUICK_SECONDS, SECONDS, Case, Outcome, Outcomes, Plan, wrong
from benchmarks.report import complain, load_average, parser, show
from benchmarks.xmpp_servers import PROSODY, ours, prosody
from benchmarks.xmpp_trials import Logins, Memory, Relays

SERVERS = (OURS, PROSODY)

COLUMNS = (
    *("server", "figure", "lowest", "highest", "of Prosody", "CPU us", "server %"),
    *("clients %", "p50 us", "p99 us", "errors", ""),
)

RELAYS, LOGINS = "relays a second", "logins a second"

#: Relays a second at which times are compared; more than a house full of robots makes.
STEADY = 1000

CASES = (
    *(Case(f"pairs-{pairs}", Relays(pairs), RELAYS) for pairs in (1, 20, 200)),
    *(Case(f"sessions-{all_}", Relays(1, idle=all_ - 2), RELAYS) for all_ in (2, 200, 1000)),
    Case("steady", Relays(20, rate=STEADY), f"relays a second, {STEADY} wanted"),
    Case("steady-1000", Relays(20, idle=960, rate=STEADY), f"relays a second, {STEADY} wanted"),
    Case("logins", Logins(), LOGINS),
    Case("logins-robots", Logins(robots=True), LOGINS),
    Case("logins-direct", Logins(direct=True), LOGINS),
    Case("memory", Memory(1000), "bytes a session", fresh=True),
)

#: Cases that take longer than it takes to see that they run.
SLOW = {"pairs-200", "sessions-200", "sessions-1000", "steady-1000", "memory"}

#: What people with such robots run today; another machine has other figures.
TODAY = (
    "for comparison, a server in use today, measured at another time: 1400 relays a second with",
    "20 pairs, 187 with 200 pairs, 74 with 1000 sessions, and 342000 bytes a session",
)


def starts(options: argparse.Namespace) -> dict[str, Start]:
    """How the servers that are wanted, and are here, are started."""
    ways = {OURS: lambda: ours(options.python), PROSODY: prosody}
    found = {}
    for name in options.brokers.split(","):
        try:
            found[name] = ways[name]()
        except Absent as why:
            print(f"without {name}: {why}", file=sys.stderr)
    return found


def chosen(options: argparse.Namespace) -> Iterator[Case]:
    """The cases that are wanted."""
    quick = options.quick and not options.only
    patterns = options.only.split(",") if options.only else ["*"]
    for case in CASES:
        if any(fnmatchcase(case.name, p) for p in patterns) and not (quick and case.name in SLOW):
            yield case


def apart(plan: Plan, cases: Sequence[Case]) -> Iterator[tuple[Case, Outcomes]]:
    """
    Every case, with servers of its own: one that has let go of a thousand parties goes on
    tidying up for a while.
    """
    for case in cases:
        yield from plan.run([case])


def table(case: Case, outcomes: Outcomes) -> None:
    """Print what came out."""
    there = outcomes.get(PROSODY, Outcome())
    standard = there if there.rounds else None
    rows = [outcome.row(name, standard) for name, outcome in outcomes.items()]
    show(f"{case.name}: {case.unit}, {load_average()}", COLUMNS, rows)
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """What we are told."""
    made = parser(__doc__, rounds=5)
    made.add_argument("--only", default="", help="cases, such as pairs-20 or 'logins*,memory'")
    made.add_argument("--list", action="store_true", help="name the cases and end")
    made.add_argument("--brokers", default=",".join(SERVERS), help="which servers take part")
    made.add_argument("--seconds", type=float, default=SECONDS, help="length of a round")
    made.add_argument("--json", type=Path, help="write all figures there")
    return made.parse_args()


def measure(options: argparse.Namespace, folder: Path, cases: Sequence[Case]) -> int:
    """
    All that is wanted, with servers in a folder.

    @return: how much was wrong.
    """
    kit = Kit(options.python, starts(options), folder, certificates(folder / "certs"))
    quickly = options.quick
    seconds = QUICK_SECONDS if quickly else options.seconds
    plan = Plan(kit, list(kit.starts), 1 if quickly else options.rounds, seconds)
    complaints, all_ = list[str](), dict[str, object]()
    for case, outcomes in apart(plan, cases):
        table(case, outcomes)
        complaints += wrong(case, outcomes)
        all_[case.name] = {name: outcome.told() for name, outcome in outcomes.items()}
        if options.json is not None:
            options.json.write_text(json.dumps(all_, indent=1))
    print("", *TODAY, sep="\n")
    complain(complaints)
    return len(complaints)


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when no stanza was lost, came twice or was another.
    """
    options = arguments()
    if options.list:
        print("\n".join(case.name for case in CASES))
        return 0
    more_files()
    cases = list(chosen(options))
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        return int(measure(options, options.folder.resolve(), cases) > 0)
    with TemporaryDirectory(prefix="bumper-bench-") as folder:
        return int(measure(options, Path(folder), cases) > 0)


if __name__ == "__main__":
    sys.exit(main())
