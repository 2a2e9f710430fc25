"""How soon open pages know what a robot says, and what they cost."""

import json
import re
import socket
import sys
from collections.abc import Sequence
from time import perf_counter, sleep
from typing import Any

from attrs import frozen

from benchmarks.load import (
    PATIENCE,
    Browser,
    Loop,
    Page,
    Robot,
    Talk,
    Wire,
    dismiss,
    fleet,
    post,
    request,
)
from benchmarks.report import Measured, Tally, best, complain, launches, load_average, parser, show
from benchmarks.server import HOST, Memory, Server
from bumper_tw.simulator.mqtt import publish
from bumper_tw.simulator.topics import RobotTopics

#: Of a household in which everybody has the page open.
PAGES, ROBOTS = 20, 100
REPORTS, QUICK = 600, 20

#: A robot speaks no sooner again: what it says faster, pages hear at the pace of the feed.
PACE = 0.15

#: One address may have a dozen pages open; all of these are the machine we run on.
SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")

COLUMNS = ("what", "p50 ms", "p99 ms", "CPU ms", "user", "system", "errors", "aim ms")
MEMORY = ("memory, MB", "before", "with pages", "kB each")

#: Of an event, which report it is of.
MARK = re.compile(rb'"volume":(\d+)')


class FromElsewhere(Wire):
    """A connection from an address that one may choose."""

    def __init__(self, port: int, source: str) -> None:
        self._socket = socket.create_connection((HOST, port), PATIENCE, (source, 0))
        self._tls = None


class Watching:
    """
    One page that is open.

    @ivar heard: the number of the newest report that it knows of.
    """

    def __init__(self, wire: Wire, token: str) -> None:
        self.wire, self.heard, self.ready = wire, -1, False
        self._rest = b""
        wire.send(request("GET", "/api/events", b"", f"Authorization: Bearer {token}"))

    def readable(self) -> None:
        """See L{benchmarks.load.Party}."""
        *events, self._rest = (self._rest + self.wire.receive()).split(b"\n\n")
        for event in events:
            self._event(event)

    def _event(self, event: bytes) -> None:
        if event.startswith(b"event: reset"):
            self.ready = True
        elif event.startswith(b"event: robot"):
            mark = MARK.search(event)
            self.heard = max(self.heard, int(mark[1]) if mark else -1)


@frozen
class Lab:
    """A server, robots, and pages that are open."""

    server: Server
    loop: Loop
    robots: Sequence[Robot]
    pages: Sequence[Watching]

    def say(self, robot: Robot, mark: int) -> None:
        """A robot reports what no robot has reported before."""
        topic = RobotTopics.of(robot.identity).event("onVolume", "j")
        robot.wire.send(publish(topic, volume(mark)))

    def await_all(self, mark: int) -> bool:
        """Until every page knows."""
        return self.loop.run(lambda: all(page.heard >= mark for page in self.pages))


def volume(mark: int) -> bytes:
    """One report."""
    header = {"pri": 1, "tzm": 60, "ts": "0", "ver": "0.0.1", "fwVer": "1.14.3"}
    said: Any = {"header": header, "body": {"data": {"volume": mark, "total": 10}}}
    return json.dumps(said).encode()


def one_by_one(lab: Lab, tally: Tally, first: int) -> None:
    """Each report when all pages know of the one before; what counts is the last page."""
    pause = PACE / len(lab.robots)
    for number in tally.rounds():
        began = perf_counter()
        lab.say(lab.robots[number % len(lab.robots)], first + number)
        if not lab.await_all(first + number):
            tally.check(False, "a page was not told")
            return
        tally.took(began)
        sleep(max(0.0, pause - (perf_counter() - began)))


def all_at_once(lab: Lab, tally: Tally, first: int) -> None:
    """All robots speak at the same time; what counts is when every page knows of the last."""
    sleep(PACE)
    numbers = list(tally.rounds())
    for start in range(0, len(numbers), len(lab.robots)):
        some = numbers[start : start + len(lab.robots)]
        began = perf_counter()
        for robot, number in zip(lab.robots, some, strict=False):
            lab.say(robot, first + number)
        if not lab.await_all(first + some[-1]):
            tally.check(False, "a page was not told")
            return
        for _ in some:
            tally.took(began)
        sleep(PACE)


LINES = (("one robot speaks", one_by_one), ("all robots speak at once", all_at_once))


def log_in(loop: Loop, port: int) -> str:
    """The token of somebody in the house."""
    found: list[Page] = []

    def talk() -> Talk:
        found.append((yield post("/api/login", {"account": "owner@example.org", "password": "x"})))

    browser = Browser(Wire(port, None), talk())
    loop.add(browser)
    browser.begin()
    loop.run(lambda: browser.over)
    dismiss(loop, [browser])
    token: str = json.loads(found[0].body)["token"]
    return token


def open_pages(loop: Loop, port: int, count: int) -> list[Watching]:
    """As many pages, each of which has all robots."""
    token = log_in(loop, port)
    sources = [SOURCES[number % len(SOURCES)] for number in range(count)]
    pages = [Watching(FromElsewhere(port, source), token) for source in sources]
    for page in pages:
        loop.add(page)
    loop.run(lambda: all(page.ready for page in pages))
    return pages


def measure(lab: Lab, line: int, reports: int, first: int) -> Measured:
    """One round."""
    tally = Tally(reports)
    before, began = lab.server.cpu(), perf_counter()
    LINES[line][1](lab, tally, first)
    measured = Measured.of(tally, perf_counter() - began, lab.server.cpu() - before)
    complain(tally.wrong)
    return measured


def row(name: str, measured: Measured) -> list[str]:
    """One line of the table."""
    cpu = measured.cpu
    costs = [f"{seconds * 1e3:.3f}" for seconds in (cpu.total, cpu.user, cpu.system)]
    times = [f"{measured.p50:.2f}", f"{measured.p99:.2f}"]
    return [name, *times, *costs, str(measured.errors), "200"]


def memory_row(before: Memory, after: Memory, pages: int) -> list[str]:
    """What open pages take."""
    each = (after.own - before.own) * 1000 / pages
    return [f"{pages} pages", f"{before.own:.1f}", f"{after.own:.1f}", f"{max(each, 0.0):.0f}"]


def run(server: Server, rounds: int, reports: int) -> int:
    """
    Measure everything.

    @return: how much was wrong.
    """
    loop = Loop()
    robots = fleet(loop, server.ports.mqtt, None, ROBOTS)
    before = server.memory()
    pages = open_pages(loop, server.ports.web, PAGES)
    lab = Lab(server, loop, robots, pages)
    rows, errors, mark = [], 0, 0
    for line, (name, _) in enumerate(LINES):
        found = []
        for _ in range(rounds):
            found.append(measure(lab, line, reports, mark))
            mark += reports
        rows.append(row(name, best(found)))
        errors += sum(measured.errors for measured in found)
    show(f"{PAGES} pages, {ROBOTS} robots, {reports} reports; {load_average()}", COLUMNS, rows)
    show("what pages cost", MEMORY, [memory_row(before, server.memory(), PAGES)])
    dismiss(loop, [*pages, *robots])
    return errors


def main() -> int:
    """Measure, and print two tables."""
    options = parser(__doc__, 3).parse_args()
    reports = REPORTS // QUICK if options.quick else REPORTS
    errors = 0
    for launch in launches(options, "identity.robots=1000"):
        with Server(launch) as server:
            errors = run(server, 1 if options.quick else options.rounds, reports)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
