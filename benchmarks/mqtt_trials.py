"""One measurement of one MQTT broker: messages, logins or memory."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from time import perf_counter

from attrs import evolve, frozen

from benchmarks.brokers import Broker
from benchmarks.load import tls_context
from benchmarks.mqtt_connects import Calls
from benchmarks.mqtt_frames import CONNACK, Heard, Voice, hello, subscription
from benchmarks.mqtt_load import (
    Confirmed,
    Confirming,
    Link,
    Listener,
    Loop,
    Source,
)
from benchmarks.watch import WARM_UP, Figures, Watch, counted, weighed

#: Bytes of messages in flight, of all clients together: 2,300 short ones.
WINDOW = 512 * 1024

#: Messages in flight at QoS 1, for each pair: mosquitto's own limit.
INFLIGHT = 20

#: Filters in one SUBSCRIBE, and clients that hold them, of which none holds over 10,000.
AT_ONCE, HOLDERS = 100, 20


@frozen
class Traffic:
    """
    Messages from publishers to subscribers.

    @ivar pairs: publishers, each with topics of its own.
    @ivar fan: subscribers of each.
    @ivar lengths: of payloads in bytes, by turns.
    @ivar topics: by turns; C{%} stands for the number of the pair.
    @ivar wanted: the filter, with the same mark; C{""} for the only topic.
    @ivar window: bytes in flight of all pairs, at QoS 0.
    @ivar single: one message of each pair at a time instead.
    """

    pairs: int
    fan: int = 1
    qos: int = 0
    lengths: Sequence[int] = (200,)
    topics: Sequence[str] = ("bench/pair%/state",)
    wanted: str = ""
    window: int = WINDOW
    single: bool = False
    tls: bool = False

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the broker does not do its part.
        """
        loop = Loop()
        try:
            return Flow(self, broker, loop).measured(seconds)
        finally:
            loop.close()

    def voice(self, number: int) -> Voice:
        """What one publisher says."""
        topics = [topic.replace("%", f"{number:03}") for topic in self.topics]
        voice = Voice(number, topics, self.lengths, 0, self.qos)
        any_ = Random(0)
        longest = max(len(voice.frame(n, any_)) for n in range(len(topics) * len(self.lengths)))
        return evolve(voice, window=self._window(longest))

    def _window(self, frame: int) -> int:
        if self.single:
            return frame
        return INFLIGHT * frame if self.qos else max(2 * frame, self.window // self.pairs)

    def at_least(self, window: int) -> int:
        """Bytes that are worth a call."""
        if self.single:
            return window
        # At QoS 1 a batch that fills the window would wait for Nagle's algorithm in a broker.
        return window // INFLIGHT if self.qos else window // 4


class Flow:
    """The clients of one round."""

    def __init__(self, traffic: Traffic, broker: Broker, loop: Loop) -> None:
        self._traffic, self._broker, self._loop = traffic, broker, loop
        self._tls = tls_context() if traffic.tls else None
        self._heard: list[Heard] = []
        self._sources = [self._pair(number) for number in range(traffic.pairs)]

    def _link(self, name: str) -> Link:
        broker = self._broker
        link = Link(broker.tls if self._tls else broker.plain, self._tls)
        link.ask(hello(name), CONNACK)
        return link

    def _pair(self, number: int) -> Source:
        traffic, voice = self._traffic, self._traffic.voice(number)
        link, at_least = self._link(f"pub{number}"), traffic.at_least(voice.window)
        source = Source(self._loop, link, voice.script(), voice.window, at_least)
        wanted = traffic.wanted.replace("%", f"{number:03}") or voice.topics[0]
        for copy in range(traffic.fan):
            subscriber = self._link(f"sub{number}-{copy}")
            subscriber.ask(*subscription([wanted], traffic.qos))
            self._listen(subscriber, source)
        if traffic.qos:
            confirmed = Confirmed(source)
            source.ears.append(confirmed)
            self._loop.add(confirmed)
        else:
            self._loop.add(source)
        link.release()
        return source

    def _listen(self, link: Link, source: Source) -> None:
        qos, loop = self._traffic.qos, self._loop
        ear: Confirming | Listener
        ear = Confirming(loop, link, source) if qos else Listener(link, source)
        source.ears.append(ear)
        self._heard.append(ear.heard)
        loop.add(ear)
        link.release()

    def _done(self) -> int:
        return sum(heard.count for heard in self._heard)

    def measured(self, seconds: float) -> Figures:
        """Begin, measure, and wait for what is under way."""
        for source in self._sources:
            source.pump()
        self._go_on(WARM_UP)
        watch = Watch(self._broker, self._done())
        self._go_on(seconds)
        figures = watch.figures(self._done())
        for source in self._sources:
            source.finish()
        self._loop.run(lambda: all(source.over for source in self._sources))
        return self._judged(figures)

    def _go_on(self, seconds: float) -> None:
        until = perf_counter() + seconds
        self._loop.run(lambda: perf_counter() >= until)

    def _judged(self, figures: Figures) -> Figures:
        all_ = [heard for source in self._sources for heard in source.ended()]
        waits = sorted(wait for source in self._sources for wait in source.waits) or [0.0]
        p50, p99 = (waits[int(len(waits) * part)] for part in (0.5, 0.99))
        lost, doubled, wrong = (
            sum(getattr(heard, name) for heard in all_) for name in ("lost", "doubled", "wrong")
        )
        return evolve(figures, p50=p50, p99=p99, lost=lost, doubled=doubled, wrong=wrong)


@frozen
class Logins:
    """
    Clients that come and go: CONNECT, CONNACK, DISCONNECT, and the broker hangs up.

    @ivar resumed: whether they bring the TLS session of the last time.
    """

    tls: bool = False
    resumed: bool = False

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the broker does not do its part.
        """
        context = tls_context() if self.tls else None
        calls = Calls(broker.tls if self.tls else broker.plain, context, self.resumed)
        return counted(broker, calls, seconds)


@frozen
class Memory:
    """Connections that do nothing."""

    count: int
    tls: bool

    def measure(self, broker: Broker, _seconds: float) -> Figures:
        """
        One round, with a broker that has just been started.

        @raise Refused: the broker does not do its part.
        """
        context = tls_context() if self.tls else None
        port = broker.tls if self.tls else broker.plain

        def connect(number: int) -> Link:
            link = Link(port, context)
            link.ask(hello(f"idle{number}"), CONNACK)
            return link

        return weighed(broker, connect, self.count)


@contextmanager
def stored(broker: Broker, count: int) -> Iterator[None]:
    """
    Idle clients hold so many subscriptions, until the end of the block.

    @raise Refused: the broker does not let them.
    """
    with ExitStack() as stack:
        each = max(1, count // HOLDERS)
        for number, first in enumerate(range(0, count, each)):
            link = Link(broker.plain, None)
            stack.callback(link.close)
            link.ask(hello(f"holder{number}"), CONNACK)
            hold(link, first, min(each, count - first))
        yield


def hold(link: Link, first: int, count: int) -> None:
    """
    Subscribe to what nobody publishes; one filter in ten has wildcards that look as if.

    @raise Refused: not all of it is granted.
    """
    wishes = [
        f"bench/+/store{number}/#" if number % 10 == 0 else f"bench/store/{number}/state"
        for number in range(first, first + count)
    ]
    for start in range(0, count, AT_ONCE):
        link.ask(*subscription(wishes[start : start + AT_ONCE], 0))
