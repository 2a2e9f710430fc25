"""Our XMPP server beside Prosody: relays between apps and robots, logins and memory."""

import sys

from benchmarks.brokers import OURS
from benchmarks.contest import Contest
from benchmarks.rounds import Case
from benchmarks.xmpp_servers import PROSODY, ours, prosody
from benchmarks.xmpp_trials import Logins, Memory, Relays

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
SLOW = frozenset({"pairs-200", "sessions-200", "sessions-1000", "steady-1000", "memory"})

#: What people with such robots run today; another machine has other figures.
TODAY = (
    "for comparison, a server in use today, measured at another time: 1400 relays a second with",
    "20 pairs, 187 with 200 pairs, 74 with 1000 sessions, and 342000 bytes a session",
)

#: A server that has let go of a thousand parties goes on tidying up for a while: none has two
#: cases.
CONTEST = Contest(
    __doc__,
    noun="server",
    servers=(OURS, PROSODY),
    standards=(PROSODY,),
    cases=CASES,
    slow=SLOW,
    example="pairs-20 or 'logins*,memory'",
    apart=True,
    remarks=TODAY,
)


def main() -> int:
    """
    Measure and print.

    @return: the exit status.
    """
    options = CONTEST.parser().parse_args()
    return CONTEST.main(options, {OURS: lambda: ours(options.python), PROSODY: prosody})


if __name__ == "__main__":
    sys.exit(main())
