"""A publisher and a subscriber that survive the end of their connections, as MQTT wants it."""

from collections.abc import Iterator
from itertools import cycle

from attrs import define, field, frozen

from tests.interop.raw_mqtt import Heard, Kind, Wire, answer, publish

#: Packet identifiers that are used, in turn: few, so that each soon means something else.
IDENTIFIERS = 60

#: How many messages a publisher has under way.
WINDOW = 25


@frozen
class Numbered:
    """A message; its payload is its number."""

    number: int
    topic: str
    qos: int
    retain: bool = False

    def written(self, packet_id: int, dup: bool) -> bytes:
        """The packet."""
        payload = b"%d" % self.number
        return publish(self.topic, payload, self.qos, packet_id, self.retain, dup)


@define
class UnderWay:
    """
    A message that the server has not acknowledged to the end.

    @ivar received: whether a PUBREC came, so that only the PUBREL is due.
    """

    message: Numbered
    received: bool = False


@define
class Publisher:
    """
    Says what is planned, several at a time.

    @ivar taken: numbers of the messages that the server has: PUBACK or PUBREC.
    @ivar settled: of those that are over: PUBACK or PUBCOMP.
    """

    plan: list[Numbered]
    taken: set[int] = field(factory=set)
    settled: set[int] = field(factory=set)
    _under_way: dict[int, UnderWay] = field(factory=dict)
    _identifiers: Iterator[int] = field(factory=lambda: cycle(range(1, IDENTIFIERS + 1)))

    @property
    def done(self) -> bool:
        """Whether all of it is said and acknowledged."""
        return not self.plan and not self._under_way

    def resume(self, wire: Wire) -> None:
        """Say again what was not acknowledged, in the old order (MQTT-4.4.0-1, 4.6.0-1)."""
        for packet_id, due in self._under_way.items():
            again = answer(Kind.PUBREL, packet_id)
            wire.say(again if due.received else due.message.written(packet_id, True))

    def talk(self, wire: Wire, goal: int | None = None) -> None:
        """Say the rest, and hear answers until so many are taken, or all is done."""
        self._say_more(wire)
        while not self.done and (goal is None or len(self.taken) < goal):
            self._settle(wire, wire.hear())
            self._say_more(wire)

    def drain(self, wire: Wire) -> None:
        """Hear the answers that came before the connection ended."""
        for heard in wire.rest():
            self._settle(None, heard)

    def _say_more(self, wire: Wire) -> None:
        while self.plan and len(self._under_way) < WINDOW:
            packet_id = next(each for each in self._identifiers if each not in self._under_way)
            message = self.plan.pop(0)
            self._under_way[packet_id] = UnderWay(message)
            wire.say(message.written(packet_id, False))

    def _settle(self, wire: Wire | None, heard: Heard) -> None:
        """@param wire: C{None} when nothing can be answered."""
        due = self._under_way[heard.packet_id]
        self.taken.add(due.message.number)
        expected = (Kind.PUBREC, Kind.PUBCOMP) if due.message.qos == 2 else (Kind.PUBACK,)
        assert heard.first in expected, (heard, due)
        if heard.first != Kind.PUBREC:
            assert due.message.qos == 1 or due.received, (heard, due)
            del self._under_way[heard.packet_id]
            self.settled.add(due.message.number)
            return
        due.received = True
        # PUBRELs go out again in the order of their PUBRECs (MQTT-4.6.0-4).
        self._under_way[heard.packet_id] = self._under_way.pop(heard.packet_id)
        if wire is not None:
            wire.say(answer(Kind.PUBREL, heard.packet_id))


@define
class Subscriber:
    """
    Hears, and acknowledges all of it.

    @ivar heard: numbers by QoS, each as often as it counts.
    """

    heard: dict[int, list[int]] = field(factory=lambda: {0: [], 1: [], 2: []})
    _received: set[int] = field(factory=set)

    def listen(self, wire: Wire, goal: int) -> None:
        """Hear messages until there were so many."""
        while self.count() < goal:
            self._hear(wire)

    def listen_for(self, wire: Wire, number: int) -> None:
        """Hear messages until one with QoS 2 has this number."""
        while number not in self.heard[2]:
            self._hear(wire)

    def _hear(self, wire: Wire) -> None:
        heard = wire.hear()
        if heard.first == Kind.PUBREL:
            self._received.discard(heard.packet_id)
            wire.say(answer(Kind.PUBCOMP, heard.packet_id))
        else:
            wire.say(self._take(heard))

    def count(self) -> int:
        """How many messages there were."""
        return sum(map(len, self.heard.values()))

    def _take(self, heard: Heard) -> bytes:
        """Count a message, unless it is a repetition with QoS 2; its acknowledgement."""
        message = heard.message()
        known = message.qos == 2 and message.packet_id in self._received
        if not known:
            self.heard[message.qos].append(int(message.payload))
        if message.qos == 2:
            self._received.add(message.packet_id)
            return answer(Kind.PUBREC, message.packet_id)
        return answer(Kind.PUBACK, message.packet_id) if message.qos else b""


def firsts(numbers: list[int]) -> list[int]:
    """The same without repetitions."""
    return list(dict.fromkeys(numbers))
