"""Publishers and subscribers that cost little: plain sockets, one epoll loop, TLS in memory."""

import select
import ssl
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from benchmarks.load import Disconnected, Wire
from benchmarks.mqtt_frames import Heard, Script, body
from bumper_tw.simulator.mqtt import puback

#: Seconds without any news after which what is missing is lost.
PATIENCE = 10.0

PUBACK = b"\x40\x02"


class Refused(Exception):
    """A broker does not let a client do what it has to."""


class Link(Wire):
    """A connection that never waits once clients are busy."""

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(port, tls)
        self._unsent: list[bytes | memoryview] = []

    def ask(self, question: bytes, answer: bytes) -> None:
        """
        Say something, and wait for the one answer that will do.

        @raise Refused: there is another one, or none.
        """
        heard = b""
        try:
            super().send(question)
            while len(heard) < len(answer):
                heard += self.receive()
        except (Disconnected, OSError) as error:
            raise Refused(f"no answer to {question[:40]!r}") from error
        if heard != answer:
            raise Refused(f"{heard[:40]!r} to {question[:40]!r}")

    def release(self) -> None:
        """From now on do not wait."""
        self._socket.setblocking(False)

    @property
    def stuck(self) -> bool:
        """Is there something that could not be sent yet?"""
        return bool(self._unsent)

    def say(self, data: bytes | memoryview) -> bool:
        """
        Send bytes, now or when there is room (see L{writable}).

        @return: whether they are all sent.
        """
        if self._tls:
            self._tls.write(data)
            data = self._out.read()
        if self._unsent:
            self._unsent.append(data)
            return False
        return self._try(data)

    def _try(self, data: bytes | memoryview) -> bool:
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._unsent.insert(0, memoryview(data)[sent:])
        return sent == len(data)

    def writable(self) -> None:
        """There is room again."""
        while self._unsent and self._try(self._unsent.pop(0)):
            pass


class Party(Protocol):
    """A client in the loop."""

    link: Link

    def readable(self) -> None:
        """There is something to read."""


class Loop:
    """Lets clients read and write when they can."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._parties: dict[int, Party] = {}

    def add(self, party: Party) -> None:
        """From now on it is served."""
        self._parties[party.link.fileno()] = party
        self._epoll.register(party.link.fileno(), select.EPOLLIN)

    def run(self, done: Callable[[], bool]) -> bool:
        """
        Go on until something holds.

        @return: C{False} when nothing came for L{PATIENCE} seconds.
        """
        while not done():
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                return False
            for number, event in ready:
                self._serve(self._parties[number], event)
        return True

    def _serve(self, party: Party, event: int) -> None:
        if event & ~select.EPOLLOUT:
            party.readable()
        if event & select.EPOLLOUT:
            party.link.writable()
            if not party.link.stuck:
                self._epoll.modify(party.link.fileno(), select.EPOLLIN)

    def say(self, link: Link, data: bytes | memoryview) -> None:
        """Send for a client, and go on sending when there is room."""
        if not link.say(data):
            self._epoll.modify(link.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def close(self) -> None:
        """Hang up for all of them."""
        self._epoll.close()
        for party in self._parties.values():
            party.link.close()


class Ear(Protocol):
    """
    Whoever a publisher waits for.

    @ivar heard: what has come, of messages or of acknowledgements.
    """

    heard: Heard

    @property
    def at(self) -> int:
        """How far it has heard the publisher's script, in bytes."""


class Source:
    """
    A publisher that has a window of bytes in flight.

    @ivar script: what it says.
    @ivar sent: how much of it is sent, in bytes.
    @ivar ears: the slowest of them moves the window.
    @ivar floor: where the slowest was.
    @ivar waits: seconds each frame was under way, if there is one at a time.
    """

    def __init__(self, loop: Loop, link: Link, script: Script, window: int, at_least: int) -> None:
        """
        @param at_least: fewer bytes are not worth a call.
        """
        self.link, self.script, self.ears = link, script, list[Ear]()
        self.sent, self.floor, self.waits = 0, 0, list[float]()
        self._loop, self._window, self._at_least = loop, window, at_least
        self._view, self._goal = memoryview(script.cycle), -1
        self._timed, self._began = window == at_least, 0.0

    def pump(self) -> None:
        """Say what there is room for."""
        self.floor = min(ear.at for ear in self.ears)
        room = self.floor + self._window - self.sent
        if self._goal >= 0:
            room = min(room, self._goal - self.sent)
        elif room < self._at_least:
            return
        if self._timed:
            self._note()
        if room > 0:
            place = self.sent % self.script.size
            self.sent += room
            self._loop.say(self.link, self._view[place : place + room])

    def _note(self) -> None:
        now = perf_counter()
        if self._began:
            self.waits.append(now - self._began)
        self._began = now

    def finish(self) -> None:
        """Say no more than the frame that is begun."""
        self._goal = self.script.after(self.sent)
        self.pump()

    @property
    def over(self) -> bool:
        """Have all heard all of it?"""
        return self.sent == self._goal and all(ear.at >= self.sent for ear in self.ears)

    def ended(self) -> list[Heard]:
        """What all have heard, and nothing more will come."""
        count = self.script.count(self.sent)
        for ear in self.ears:
            ear.heard.end(count)
        return [ear.heard for ear in self.ears]

    def readable(self) -> None:
        """A publisher at QoS 0 hears nothing, but that TLS talks."""
        if self.link.receive():
            raise Refused("a publisher at QoS 0 was told something")


class Listener:
    """
    A subscriber at QoS 0.

    @ivar heard: what has come.
    """

    def __init__(self, link: Link, source: Source) -> None:
        self.link, self.heard = link, Heard(source.script)
        self._source = source

    @property
    def at(self) -> int:
        """See L{Ear}."""
        return self.heard.at

    def readable(self) -> None:
        """See L{Party}."""
        before = self.heard.at
        self.heard.take(self.link.receive())
        if before <= self._source.floor:
            self._source.pump()


class Confirmed:
    """
    A publisher's other half at QoS 1: it hears that the broker has its messages.

    @ivar heard: of a script of acknowledgements, in the order of the messages (MQTT 3.1.1, 4.6).
    """

    def __init__(self, source: Source) -> None:
        self.link, self._source = source.link, source
        numbers = range(1, len(source.script.frames) + 1)
        self.heard = Heard(Script.of([puback(number) for number in numbers]))
        self._worth = len(source.script.frames[0])

    @property
    def at(self) -> int:
        """See L{Ear}: frames are of one length here."""
        return self.heard.at // 4 * self._worth

    def readable(self) -> None:
        """See L{Party}."""
        self.heard.take(self.link.receive())
        self._source.pump()


class Confirming:
    """
    A subscriber at QoS 1, which acknowledges at once.

    @ivar heard: what has come, apart from the packet ids, which are the broker's.
    """

    def __init__(self, loop: Loop, link: Link, source: Source) -> None:
        self.link, self._loop, self._source, self._rest = link, loop, source, b""
        self.heard = Heard(source.script)
        frames = source.script.frames
        said = body(frames[0])
        self._size = len(frames[0])
        self._cut = self._size - len(said) + 2 + int.from_bytes(said[:2], "big")
        self._halves = [(frame[: self._cut], frame[self._cut + 2 :]) for frame in frames]
        self._places = {half: number for number, half in enumerate(self._halves)}

    @property
    def at(self) -> int:
        """See L{Ear}."""
        return self.heard.at

    def readable(self) -> None:
        """See L{Party}."""
        data = self._rest + self.link.receive()
        whole = len(data) - len(data) % self._size
        self._rest = data[whole:]
        numbers = [self._taken(data, start) for start in range(0, whole, self._size)]
        if numbers:
            self._loop.say(self.link, PUBACK + PUBACK.join(numbers))
            self._source.pump()

    def _taken(self, data: bytes, start: int) -> bytes:
        """
        Check one frame.

        @return: its packet id.
        """
        cut, heard = start + self._cut, self.heard
        head, tail = self._halves[heard.at // self._size % len(self._halves)]
        number = data[cut : cut + 2]
        if number == b"\0\0":
            heard.wrong += 1
        if data.startswith(head, start) and data.startswith(tail, cut + 2):
            heard.at += self._size
        else:
            heard.came(self._places.get((data[start:cut], data[cut + 2 : start + self._size])))
        return number
