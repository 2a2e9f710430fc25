"""
How long a start takes, and how much memory the server needs.

With C{--profile small} it is started as on a router: that profile, bytecode without docstrings,
and one arena of the C library; and there are robots of a household instead of a crowd.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from time import monotonic, sleep
from types import MappingProxyType

from attrs import evolve, frozen

from benchmarks.brokers import OURS
from benchmarks.load import Loop, Wire, dismiss, fleet, request, tls_context
from benchmarks.report import launches, load_average, parser, show
from benchmarks.server import Launch, Memory, Ports, Server
from benchmarks.xmpp_load import Session
from benchmarks.xmpp_servers import REALMS
from bumper_tw.simulator.mqtt import PINGREQ_FRAME, Login, connect

COLUMNS = ("what", "best", "median", "unit", "aim")
STARTS, WORST_IMPORTS = 5, 15

#: Seconds after which what a start or a login has left behind is gone.
REST = 6.0

#: What an MQTT server may say first: CONNACK, whatever the verdict.
CONNACK_FIRST = 0x20

#: A line of C{python -X importtime}: microseconds of the module itself, with what it imports.
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( +)(\S+)")


@frozen
class Profile:
    """
    What is measured.

    @ivar mqtt: robots that come over MQTT with TLS, and
    @ivar xmpp: over XMPP, where they turn to TLS.
    @ivar aims: at the most, in MB: resident after the start, and with these robots.
    """

    mqtt: int
    xmpp: int
    aims: tuple[str, str]
    settings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = MappingProxyType({})

    def launched(self, launch: Launch) -> Launch:
        """Servers of this sort."""
        return evolve(
            launch,
            settings=(*launch.settings, *self.settings),
            flags=(*launch.flags, *self.flags),
            variables=self.variables,
        )


PROFILES = {
    "normal": Profile(100, 0, ("< 50", "")),
    "small": Profile(
        7,
        3,
        ("", "< 45"),
        ("server.profile=small",),
        ("-OO",),
        MappingProxyType({"MALLOC_MMAP_THRESHOLD_": "131072"}),
    ),
}


class NoAnswer(Exception):
    """A port is open, and what is behind it does not answer as it should."""


@frozen
class Start:
    """
    One start.

    @ivar seconds: until every port has answered a question.
    @ivar memory: right after that.
    """

    seconds: float
    memory: Memory


def say(wire: Wire, question: bytes, answer: bytes) -> None:
    """
    Ask, and hang up.

    @raise NoAnswer: what is said does not begin like that.
    """
    wire.send(question)
    heard = b""
    while len(heard) < len(answer):
        heard += wire.receive()
    wire.close()
    if not heard.startswith(answer):
        raise NoAnswer(f"{heard[:80]!r}")


def ask_all(ports: Ports) -> None:
    """
    A question at every port.

    @raise NoAnswer: one of them does not answer.
    """
    web = request("GET", "/api/appsvr/service/list?area=de")
    mqtt = connect(Login("probe", "probe", "")) + PINGREQ_FRAME
    tls = tls_context()
    say(Wire(ports.web, None), web, b"HTTP/1.1 200 ")
    say(Wire(ports.web_tls, tls), web, b"HTTP/1.1 200 ")
    say(Wire(ports.mqtt, None), mqtt, bytes([CONNACK_FIRST, 2]))
    say(Wire(ports.mqtt_tls, tls), mqtt, bytes([CONNACK_FIRST, 2]))


def start(launch: Launch) -> Start:
    """Start it, have every port answer, and stop it."""
    with Server(launch) as server:
        ask_all(server.ports)
        return Start(monotonic() - server.started, server.memory())


def with_robots(launch: Launch, profile: Profile) -> tuple[Memory, Memory]:
    """Memory before and after robots have connected over TLS."""
    with Server(launch) as server:
        ask_all(server.ports)
        before, loop = server.memory(), Loop()
        robots = fleet(loop, server.ports.mqtt_tls, tls_context(), profile.mqtt)
        older = [stream(server.ports.xmpp, number) for number in range(profile.xmpp)]
        sleep(REST)
        after = server.memory()
        dismiss(loop, robots)
        for each in older:
            each.close()
        return before, after


def stream(port: int, number: int) -> Session:
    """A robot that is logged in over XMPP."""
    session = Session(port, tls_context(), REALMS[OURS].robot(number))
    session.log_in()
    return session


@frozen
class Import:
    """What one module costs at a start, in microseconds: alone, and with what it imports."""

    name: str
    own: int
    all: int


def imports(lines: Iterable[str]) -> list[Import]:
    """The imports in the words of C{-X importtime}."""
    found = filter(None, map(IMPORT.match, lines))
    return [Import(match[4], int(match[1]), int(match[2])) for match in found]


def worst_imports(launch: Launch) -> list[Import]:
    """What a start imports."""
    with Server(evolve(launch, flags=(*launch.flags, "-X", "importtime"))) as server:
        ask_all(server.ports)
    return imports(server.errors)


def packages(found: Sequence[Import]) -> list[Import]:
    """The time of all modules of each package, and how many they are."""
    times: dict[str, list[int]] = {}
    for one in found:
        times.setdefault(one.name.partition(".")[0], []).append(one.own)
    return [Import(f"{name} ({len(own)} modules)", sum(own), 0) for name, own in times.items()]


def show_imports(found: Sequence[Import]) -> None:
    """Print the modules and packages that cost most."""
    total = sum(one.own for one in found) / 1000
    show(
        f"{len(found)} imports, {total:.0f} ms when measured",
        ("module", "ms alone", "ms with what it imports"),
        [
            [one.name, f"{one.own / 1000:.1f}", f"{one.all / 1000:.1f}"]
            for one in sorted(found, key=lambda one: -one.own)[:WORST_IMPORTS]
        ],
    )
    show(
        "by package",
        ("package", "ms"),
        [
            [one.name, f"{one.own / 1000:.1f}"]
            for one in sorted(packages(found), key=lambda one: -one.own)[:WORST_IMPORTS]
        ],
    )


def rows(
    first: Start, later: Sequence[Start], before: Memory, after: Memory, profile: Profile
) -> list[list[str]]:
    """The table; C{before} and C{after} are without and with robots."""
    seconds = [one.seconds for one in later]
    total, own = [one.memory.total for one in later], [one.memory.own for one in later]
    robots = profile.mqtt + profile.xmpp
    idle, busy = profile.aims
    return [
        ["first start, which makes keys", f"{first.seconds:.2f}", "", "s", ""],
        ["start", f"{min(seconds):.2f}", f"{median(seconds):.2f}", "s", "<= 0.6"],
        ["memory after start (VmRSS)", f"{min(total):.1f}", f"{median(total):.1f}", "MB", idle],
        ["of that, shared with nobody", f"{min(own):.1f}", f"{median(own):.1f}", "MB", ""],
        [f"memory with {robots} TLS robots", f"{after.total:.1f}", "", "MB", busy],
        ["of that, shared with nobody", f"{after.own:.1f}", "", "MB", ""],
        ["its own and its part of the rest (Pss)", f"{after.share:.1f}", "", "MB", ""],
        ["of one robot", f"{(after.own - before.own) * 1000 / robots:.0f}", "", "kB", ""],
    ]


def compiled(launch: Launch) -> Launch:
    """Start once, so that Python has compiled everything; what an installation does."""
    ready = evolve(launch, bytecode=launch.folder / "bytecode")
    start(evolve(ready, folder=launch.folder / "rehearsal"))
    return evolve(ready, folder=launch.folder / "server")


def main() -> int:
    """
    Measure and print.

    @return: the exit status: 0 when every port has answered.
    """
    made = parser(__doc__, rounds=STARTS)
    made.add_argument("--imports", action="store_true", help="what a start imports")
    made.add_argument("--profile", choices=PROFILES, default="normal", help="of the server")
    options = made.parse_args()
    if options.quick:
        options.rounds = 1
    profile = PROFILES[options.profile]
    for plain in launches(options):
        launch = compiled(profile.launched(plain))
        first = start(launch)
        later = [start(launch) for _ in range(options.rounds)]
        made_rows = rows(first, later, *with_robots(launch, profile), profile)
        show(f"{options.rounds} starts, {load_average()}", COLUMNS, made_rows)
        if options.imports:
            show_imports(worst_imports(launch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
