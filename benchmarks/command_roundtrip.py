"""Commands over HTTPS to robots over MQTT with TLS, and their answers back."""

import json
import sys
from collections.abc import Sequence
from ssl import SSLContext
from time import perf_counter

from attrs import field, frozen

from benchmarks.load import (
    Browser,
    Loop,
    Page,
    Robot,
    Talk,
    Wire,
    dismiss,
    fleet,
    post,
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
from benchmarks.session import Account, Login, log_in

AGENT = "User-Agent: Dalvik/2.1.0 (Linux; U; Android 5.1.1; A5010 Build/LMY48Z)"
ACCOUNT = Account("somebody@example.org", "HA-home")

#: Seconds a silent robot is waited for: not less than a measurement takes on a quiet machine.
TIMEOUT = 4

#: Clients and robots of each line, and whether half of the robots are silent.
GRID = (
    *((clients, robots, False) for robots in (10, 100) for clients in (1, 10, 100)),
    *((10, 10, True), (10, 100, True), (100, 100, True)),
)

#: Commands before the first round: Python, too, is faster the second time.
WARM_UP = 500

COLUMNS = (
    *("clients", "robots", "silent", "commands/s", "p50 ms", "p99 ms"),
    *("CPU us", "user", "system", "errors"),
)
AIM = """
Aim: less than 300 us of CPU for a command.  Today's alternative: 1,200 to 1,600 us,
490 to 720 commands/s, and a p50 of 18 to 20 ms with 10 clients."""


@frozen
class Lab:
    """A server, and the loop in which everybody talks to it."""

    server: Server
    loop: Loop
    tls: SSLContext = field(factory=tls_context)
    logins: list[Login] = field(factory=list)

    def log_in(self) -> None:
        """Get the token with which all commands are given."""
        self.run_alone(logged_in(self.logins))

    def run_alone(self, talk: Talk) -> None:
        """One client has its talk, and nobody else."""
        browser = self.browser(talk)
        browser.begin()
        self.loop.run(lambda: browser.over)
        self.loop.remove(browser)

    def browser(self, talk: Talk) -> Browser:
        """A client over HTTPS."""
        browser = Browser(Wire(self.server.ports.web_tls, self.tls), talk)
        self.loop.add(browser)
        return browser


def logged_in(logins: list[Login]) -> Talk:
    """Log in and keep what came of it."""
    logins.append((yield from log_in(ACCOUNT)))


def question(login: Login, robot: Robot, mark: str) -> bytes:
    """What deebot-client sends (http-auth.md 4.1, http-devices.md 3.1)."""
    who = robot.identity
    path = f"mid={who.cls}&did={who.did}&td=q&u={login.uid}&cv=1.67.3&t=a&av=1.3.1"
    body = {
        "cmdName": "getBattery",
        "payload": {"header": {"pri": "1", "ts": mark, "tzm": 480, "ver": "0.0.50"}},
        "payloadType": "j",
        "td": "q",
        "toId": who.did,
        "toRes": who.resource,
        "toType": who.cls,
        "auth": login.auth,
    }
    return post(f"/api/iot/devmanager.do?{path}", body, AGENT)


def answers(page: Page, robot: Robot, mark: str) -> bool:
    """Whether that is this robot's answer to this question."""
    said = json.loads(page.body)
    if page.status != 200 or said["ret"] != "ok":
        return False
    resp = said["resp"]
    right: bool = resp["header"]["ts"] == mark
    return right and bool(resp["body"]["data"]["did"] == robot.identity.did)


def asker(login: Login, tally: Tally, robots: Sequence[Robot], name: int) -> Talk:
    """Asks one robot after the other, until enough is asked."""
    for number in tally.rounds():
        robot, mark = robots[(number * 7 + name) % len(robots)], f"mark {name} {number}"
        began = perf_counter()
        page = yield question(login, robot, mark)
        tally.took(began)
        tally.check(answers(page, robot, mark), f"to {mark}: ", page)


def patient(login: Login, tally: Tally, robot: Robot) -> Talk:
    """Asks a robot that says nothing, again and again until enough is done elsewhere."""
    while len(tally.seconds) < tally.wanted:
        page = yield question(login, robot, "never")
        said = json.loads(page.body)
        in_time = said["ret"] == "fail" and said["errno"] == 500
        tally.check(in_time, "in the name of a silent robot: ", page)


def settle(loop: Loop, tally: Tally, browsers: Sequence[Browser]) -> None:
    """Wait for all of them to have their answers, and hang up."""
    tally.check(loop.run(lambda: all(one.over for one in browsers)), "answers are missing")
    dismiss(loop, browsers)


def measure(lab: Lab, clients: int, robots: Sequence[Robot], mute: bool, tally: Tally) -> Measured:
    """
    One round.

    @param mute: whether half of the robots say nothing, and as many clients more ask those.
    """
    asked, silent = (robots[::2], robots[1::2]) if mute else (robots, [])
    for robot in robots:
        robot.silent = robot in silent
    [login], names = lab.logins, range(clients)
    asking = [lab.browser(asker(login, tally, asked, name)) for name in names]
    mutes = [silent[name % len(silent)] for name in names] if silent else []
    waiting = [lab.browser(patient(login, tally, robot)) for robot in mutes]
    before, began = lab.server.cpu(), perf_counter()
    for browser in [*waiting, *asking]:
        browser.begin()
    lab.loop.run(lambda: len(tally.seconds) >= tally.wanted)
    elapsed, cost = perf_counter() - began, lab.server.cpu() - before
    settle(lab.loop, tally, [*asking, *waiting])
    return Measured.of(tally, elapsed, cost)


def row(clients: int, robots: int, silent: bool, measured: Measured) -> list[str]:
    """One line of the table."""
    return [
        *(str(clients), str(robots), "half" if silent else "none"),
        *(f"{measured.rate:.0f}", f"{measured.p50:.2f}", f"{measured.p99:.2f}"),
        *micro(measured.cpu),
        str(measured.errors),
    ]


def micro(cpu: Cpu) -> list[str]:
    """In microseconds: the sum, in the program, and in the kernel."""
    return [f"{seconds * 1e6:.0f}" for seconds in (cpu.total, cpu.user, cpu.system)]


def run(lab: Lab, commands: int, rounds: int) -> list[tuple[list[str], list[str]]]:
    """Every line of the table, and what was wrong in it."""
    robots: list[Robot] = []
    lines = []
    lab.log_in()
    for clients, count, mute in GRID:
        missing = max(0, count - len(robots))
        newcomers = fleet(lab.loop, lab.server.ports.mqtt_tls, lab.tls, missing, len(robots))
        if not robots:
            measure(lab, clients, newcomers, mute, Tally(WARM_UP))
        robots += newcomers
        tallies = [Tally(commands) for _ in range(rounds)]
        done = [measure(lab, clients, robots[:count], mute, tally) for tally in tallies]
        wrong = [line for tally in tallies for line in tally.wrong]
        lines.append((row(clients, count, mute, best(done)), wrong))
    return lines


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when every answer belonged to its question and none was lost.
    """
    made = parser(__doc__, rounds=3)
    made.add_argument("--commands", type=int, default=3000, help="commands in each round")
    options = made.parse_args()
    if options.quick:
        options.commands, options.rounds = 100, 1
    for launch in launches(options, f"commands.timeout={1 if options.quick else TIMEOUT}"):
        with Server(launch) as server:
            lines = run(Lab(server, Loop()), options.commands, options.rounds)
    total = len(lines) * options.commands * options.rounds
    show(f"{total} commands, {load_average()}", COLUMNS, [cells for cells, _ in lines])
    print(AIM)
    complain([line for _, wrong in lines for line in wrong])
    return int(any(cells[-1] != "0" for cells, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
