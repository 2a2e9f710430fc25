"""Our MQTT broker beside mosquitto and amqtt: messages, logins and memory."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from functools import partial

from attrs import evolve

from benchmarks.brokers import AMQTT, MOSQUITTO, NODELAY, OURS, amqtt, mosquitto, ours
from benchmarks.contest import Contest, Way
from benchmarks.mqtt_trials import WINDOW, Logins, Memory, Traffic, stored
from benchmarks.rounds import Case

DELIVERIES = "deliveries a second"

CROWDS = (1, 20, 100)
PAYLOAD = 4096
SIZES = (200, 17, 950, 64, 333, 128, 21)
WILD, WANTED = "bench/wild/pair%/state", "bench/+/pair%/+"
MIXED = tuple(f"bench/mixed/pair%/topic{number:02}" for number in range(20))
CHANGING = tuple(f"bench/changing/pair%/topic{number:03}" for number in range(500))

#: Each message goes out a hundred times; a window that counts all of them would be too small.
FAN_WINDOW = 4 * WINDOW // 100


def case(name: str, made: Traffic) -> Case:
    """Messages."""
    return Case(name, made, DELIVERIES)


def traffic(name: str, made: Traffic) -> Iterator[Case]:
    """The same with 1, 20 and 100 pairs."""
    for pairs in CROWDS:
        yield case(f"{name}-{pairs}", evolve(made, pairs=pairs))


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
    case("fanout", FAN),
    case("wildcard", Traffic(20, topics=(WILD,), wanted=WANTED)),
    case("tls-qos0-20", Traffic(20, tls=True)),
    case("tls-latency-20", Traffic(20, single=True, tls=True)),
    case("tls-fanout", evolve(FAN, tls=True)),
    *traffic("payload-4k", Traffic(1, lengths=(PAYLOAD,))),
    case("mixed", Traffic(20, lengths=SIZES, topics=MIXED, wanted="bench/mixed/pair%/#")),
    logins("connects-plain", Logins()),
    logins("connects-tls", Logins(tls=True)),
    logins("connects-resumed", Logins(tls=True, resumed=True)),
    *(each for count in (1000, 5000) for each in memory(count)),
    *(
        Case(
            f"stored-{count}",
            # A broker that looks at each subscription should not have too much to do.
            Traffic(1, topics=CHANGING, wanted="bench/changing/pair%/#", window=WINDOW // 16),
            DELIVERIES,
            before=partial(stored, count=count),
        )
        for count in (10, 1000, 100_000)
    ),
)

#: Cases that take longer than it takes to see that they run.
SLOW = frozenset({"memory-5000", "memory-tls-1000", "memory-tls-5000", "stored-100000"})

CONTEST = Contest(
    __doc__,
    noun="broker",
    servers=(OURS, MOSQUITTO, NODELAY, AMQTT),
    standards=(MOSQUITTO, NODELAY),
    cases=CASES,
    slow=SLOW,
    example="qos0-1 or 'tls-*,fanout'",
    once=(NODELAY,),
)


def ways(options: argparse.Namespace) -> Mapping[str, Way]:
    """How brokers are started."""
    return {
        OURS: lambda: ours(options.python),
        MOSQUITTO: lambda: mosquitto(False),
        NODELAY: lambda: mosquitto(True),
        AMQTT: lambda: amqtt(options.amqtt_python),
    }


def main() -> int:
    """
    Measure and print.

    @return: the exit status.
    """
    parser = CONTEST.parser()
    parser.add_argument("--amqtt-python", default="", help="an interpreter that has amqtt")
    options = parser.parse_args()
    return CONTEST.main(options, ways(options))


if __name__ == "__main__":
    sys.exit(main())
