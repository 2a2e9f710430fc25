"""
What each trick of the broker's fast lane is worth, in one process and without sockets.

Bytes go in at one connection and come out at another; what is measured is everything of ours
in between, and nothing of Twisted's transports and the kernel.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from attrs import define
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from zope.interface import implementer

from benchmarks.report import show
from bumper_tw.core.devices import DeviceRegistry
from bumper_tw.core.mqtt_journal import Journal
from bumper_tw.core.mqtt_router import MqttBroker
from bumper_tw.core.mqtt_rules import MqttRules
from bumper_tw.dialect.logins import MqttCredentials
from bumper_tw.interfaces import IAuthenticator
from bumper_tw.mqtt import protocol
from bumper_tw.mqtt.factory import ConnectionLimits, MqttFactory
from bumper_tw.storage.memory import MemoryDeviceStore, MemoryMqttStore
from bumper_tw.values import Principal, Role
from bumper_tw.wire import mqtt_codec
from bumper_tw.wire.mqtt_codec import encode, publish_bytes
from bumper_tw.wire.mqtt_packets import Connect, Subscribe
from bumper_tw.wire.mqtt_runs import Run, cut_run

#: How large a piece of received bytes is, at the most: what Twisted reads at a time.
PIECE = 65_536


@implementer(IAuthenticator)
class Everybody:
    """Lets in whoever comes."""

    def login(self, credentials: object) -> Deferred[Principal]:
        assert isinstance(credentials, MqttCredentials)
        return succeed(Principal(Role.ANONYMOUS, "", resource=credentials.client_id))


@define(eq=False)
class Sink:
    """
    A transport that counts.

    @ivar calls: how often something was written.
    @ivar size: bytes in all of that.
    """

    calls: int = 0
    size: int = 0

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self.calls += 1
        self.size += len(data)

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Never paused."""

    def pauseProducing(self) -> None:
        """Nobody reads here."""

    def resumeProducing(self) -> None:
        """Nobody reads here."""


class Bench:
    """A broker, somebody who speaks, and somebody who hears all of it."""

    def __init__(self) -> None:
        clock = Clock()
        registry = DeviceRegistry(clock, MemoryDeviceStore())
        journal = Journal(clock, MemoryMqttStore())
        self.broker = MqttBroker(clock, MqttRules(registry), journal)
        nobody: Any = None  # No robot connects here.
        factory = MqttFactory(
            clock, Everybody(), self.broker, nobody, ConnectionLimits(), lambda size: "0" * size
        )
        self.speaker, _ = self._connected(factory, "speaker")
        hearer, self.sink = self._connected(factory, "hearer")
        hearer.dataReceived(encode(Subscribe(1, (("bench/#", 0),))))

    def _connected(self, factory: MqttFactory, name: str) -> tuple[protocol.MqttProtocol, Sink]:
        made: Any = factory.build(IPv4Address("TCP", "127.0.0.1", 1), True)
        sink = Sink()
        made.makeConnection(sink)
        made.dataReceived(encode(Connect(client_id=name)))
        return made, sink

    def seconds(self, stream: bytes) -> float:
        """How long a stream takes; it has to come out as it went in."""
        before, begun = self.sink.size, perf_counter()
        for at in range(0, len(stream), PIECE):
            self.speaker.dataReceived(stream[at : at + PIECE])
        taken = perf_counter() - begun
        if self.sink.size - before != len(stream):
            raise SystemExit("what came out is not what went in")
        return taken


def alike() -> list[bytes]:
    """One topic, one length, as a sensor publishes."""
    return [publish_bytes("bench/one", b"%07d" % number + b"x" * 193) for number in range(20_000)]


def mixed() -> list[bytes]:
    """Twenty topics by turns, and every length another."""
    return [
        publish_bytes(f"bench/{number % 20}", b"x" * (17 + number * 37 % 400))
        for number in range(20_000)
    ]


@contextmanager
def replaced(module: Any, name: str, by: object) -> Iterator[None]:
    """Something else stands in for a while."""
    kept = getattr(module, name)
    setattr(module, name, by)
    try:
        yield
    finally:
        setattr(module, name, kept)


@contextmanager
def complete(_: Bench) -> Iterator[None]:
    """Nothing is left out."""
    yield


@contextmanager
def no_runs(_: Bench) -> Iterator[None]:
    """Each packet is cut and passed on alone."""

    def cut_one(data: bytes, at: int, max_size: int) -> Run | None:
        # The packets here are shorter than what one or two length bytes can say.
        if len(data) < at + 3:
            return None
        long = data[at + 1] > 127
        size = (data[at + 1] & 127) + (data[at + 2] << 7 if long else 0)
        run = cut_run(data[at : at + 2 + long + size], 0, max_size)
        return run and run._replace(end=at + run.end)

    with replaced(mqtt_codec, "cut_run", cut_one):
        yield


@contextmanager
def no_memory(bench: Bench) -> Iterator[None]:
    """Who hears a topic is found anew for each run."""

    def forgetful(data: bytes, connection: Any, session: Any) -> None:
        for topic, packets, count in connection.runs(data):
            bench.broker.changed()
            session.lane(topic).pass_on(packets, count)

    with replaced(protocol, "pass_on", forgetful):
        yield


@contextmanager
def no_lane(_: Bench) -> Iterator[None]:
    """Everything takes the ordinary way: a record, the rules, a message, a new packet."""

    def nothing(data: bytes, connection: Any, _: Any) -> None:
        connection.runs(data)

    with replaced(protocol, "pass_on", nothing):
        yield


WAYS: dict[str, Callable[[Bench], Any]] = {
    "all of it": complete,
    "without runs": no_runs,
    "without memory": no_memory,
    "the ordinary way": no_lane,
}


def measured(way: Callable[[Bench], Any], packets: list[bytes], rounds: int) -> list[str]:
    """Microseconds and writes for each message."""
    bench, stream = Bench(), b"".join(packets)
    with way(bench):
        calls = bench.sink.calls
        best = min(bench.seconds(stream) for _ in range(rounds))
        writes = (bench.sink.calls - calls) / rounds / len(packets)
    return [f"{best / len(packets) * 1e6:.2f}", f"{writes:.3f}"]


def main() -> int:
    """Measure, and write a table."""
    parser = argparse.ArgumentParser(prog="mqtt_tricks.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second: does it run?")
    rounds = 1 if parser.parse_args().quick else 15
    rows = [
        [name, *measured(way, alike(), rounds), *measured(way, mixed(), rounds)]
        for name, way in WAYS.items()
    ]
    columns = ["way", "alike us", "writes", "mixed us", "writes"]
    show("the fast lane: microseconds and writes for each message", columns, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
