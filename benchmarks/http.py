"""Logins, device lists and discovery over HTTP, with and without TLS."""

import sys
from collections.abc import Callable, Sequence
from ssl import SSLContext
from time import perf_counter

from attrs import field, frozen

from benchmarks.load import (
    Browser,
    Loop,
    Page,
    Talk,
    Wire,
    dismiss,
    fleet,
    post,
    request,
    tls_context,
)
from benchmarks.report import (
    Measured,
    Tally,
    best,
    complain,
    launches,
    load_average,
    parser,
    show,
)
from benchmarks.server import Cpu, Server
from benchmarks.session import (
    Account,
    Login,
    Refused,
    app_list,
    dids,
    log_in,
    user_list,
)

CLIENTS, ROBOTS = 10, 100

COLUMNS = (
    *("what", "over", "a second", "p50 ms", "p99 ms"),
    *("CPU ms", "user", "system", "errors", "aim a second"),
)

#: Rounds are so many times shorter with --quick.
QUICK = 20


@frozen
class Lab:
    """
    A server with robots, and the loop in which everybody talks to it.

    @ivar known: the robots that have to be in every list.
    """

    server: Server
    loop: Loop
    known: set[str]
    tls: SSLContext = field(factory=tls_context)

    def wire(self, tls: bool) -> Wire:
        """A connection to the web."""
        ports = self.server.ports
        return Wire(ports.web_tls, self.tls) if tls else Wire(ports.web, None)


#: One client: what it counts in, its own number, and the robots there are.
Client = Callable[[Tally, int, set[str]], Talk]


def account(name: int) -> Account:
    """The account of a client."""
    return Account(f"somebody{name}@example.org", f"HA-home-{name}")


def logins(tally: Tally, name: int, _: set[str]) -> Talk:
    """The three requests of a login, again and again."""
    for _number in tally.rounds():
        began = perf_counter()
        try:
            yield from log_in(account(name))
        except Refused as why:
            tally.check(False, str(why))
        tally.took(began)


def starts(tally: Tally, name: int, known: set[str]) -> Talk:
    """What Home Assistant asks at its start: a login and both lists."""
    for _ in tally.rounds():
        began = perf_counter()
        try:
            login = yield from log_in(account(name))
            first, second = (yield user_list(login)), (yield app_list(login))
            tally.took(began)
            for page in (first, second):
                tally.check(set(dids(page)) == known, "a list has other robots")
        except Refused as why:
            tally.took(began)
            tally.check(False, str(why))


def same(tally: Tally, question: bytes, expected: Page) -> Talk:
    """One question, again and again, that always has the same answer."""
    for _ in tally.rounds():
        began = perf_counter()
        page = yield question
        tally.took(began)
        tally.check(page == expected, "another answer: ", page)


def lists(tally: Tally, name: int, known: set[str]) -> Talk:
    """The list of robots."""
    try:
        login: Login = yield from log_in(account(name))
        first = yield app_list(login)
        tally.check(set(dids(first)) == known, "the list has other robots")
    except Refused as why:
        tally.check(False, str(why))
        return
    yield from same(tally, app_list(login), first)


def lookups(tally: Tally, _name: int, _: set[str]) -> Talk:
    """A robot's first question (http-discovery.md 1)."""
    question = post("/lookup.do", {"todo": "FindBest", "service": "EcoMsgNew"})
    expected = Page(200, b'{"ip":"127.0.0.1","port":5223,"result":"ok"}')
    yield from same(tally, question, expected)


def hosts(tally: Tally, _name: int, _: set[str]) -> Talk:
    """An app's first question (http-discovery.md 2)."""
    question = request("GET", "/api/appsvr/service/list?area=de")
    first = yield question
    tally.check(first.status == 200 and b'"jmq":"127.0.0.1"' in first.body, "no hosts: ", first)
    yield from same(tally, question, first)


@frozen
class Line:
    """
    What is measured, and in which rounds.

    @ivar count: how often in each.
    @ivar aim: how often in a second it should be.
    """

    name: str
    client: Client
    count: int
    aim: str


LINES = (
    Line("login, 3 requests", logins, 600, "800"),
    Line("login and both lists", starts, 300, ""),
    Line("device list, 100 robots", lists, 2000, "2000"),
    Line("lookup.do", lookups, 4000, ""),
    Line("service/list", hosts, 4000, ""),
)


def measure(lab: Lab, line: Line, tls: bool, tally: Tally) -> Measured:
    """One round."""
    browsers = [
        Browser(lab.wire(tls), line.client(tally, name, lab.known)) for name in range(CLIENTS)
    ]
    for browser in browsers:
        lab.loop.add(browser)
    before, began = lab.server.cpu(), perf_counter()
    for browser in browsers:
        browser.begin()
    answered = lab.loop.run(lambda: all(browser.over for browser in browsers))
    elapsed, cost = perf_counter() - began, lab.server.cpu() - before
    tally.check(answered, "answers are missing")
    dismiss(lab.loop, browsers)
    return Measured.of(tally, elapsed, cost)


def row(line: Line, tls: bool, measured: Measured) -> list[str]:
    """One line of the table."""
    return [
        *(line.name, "TLS" if tls else "plain", f"{measured.rate:.0f}"),
        *(f"{measured.p50:.2f}", f"{measured.p99:.2f}", *milli(measured.cpu)),
        *(str(measured.errors), line.aim),
    ]


def milli(cpu: Cpu) -> list[str]:
    """In milliseconds: the sum, in the program, and in the kernel."""
    return [f"{seconds * 1e3:.3f}" for seconds in (cpu.total, cpu.user, cpu.system)]


def run(
    lab: Lab, lines: Sequence[Line], rounds: int, part: int
) -> list[tuple[list[str], list[str]]]:
    """
    Every line of the table, and what was wrong in it.

    @param part: rounds are so many times shorter.
    """
    made = []
    for line in lines:
        measure(lab, line, False, Tally(line.count // part // 4))
        for tls in (False, True):
            tallies = [Tally(line.count // part) for _ in range(rounds)]
            done = [measure(lab, line, tls, tally) for tally in tallies]
            wrong = [complaint for tally in tallies for complaint in tally.wrong]
            made.append((row(line, tls, best(done)), wrong))
    return made


def laboratory(server: Server, loop: Loop) -> Lab:
    """Robots have come before anybody asks."""
    robots = fleet(loop, server.ports.mqtt, None, ROBOTS)
    return Lab(server, loop, {robot.identity.did for robot in robots})


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when every answer was right.
    """
    made = parser(__doc__, rounds=3)
    made.add_argument("--only", default="", help="lines whose names begin so")
    options = made.parse_args()
    rounds, part = (1, QUICK) if options.quick else (options.rounds, 1)
    lines = [line for line in LINES if line.name.startswith(options.only)]
    for launch in launches(options):
        with Server(launch) as server:
            done = run(laboratory(server, Loop()), lines, rounds, part)
    show(f"{CLIENTS} clients, {load_average()}", COLUMNS, [cells for cells, _ in done])
    complain([line for _, wrong in done for line in wrong])
    return int(any(cells[-2] != "0" for cells, _ in done))


if __name__ == "__main__":
    sys.exit(main())
