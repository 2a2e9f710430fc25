"""
Apps and robots over XMPP that cost little: stanzas from templates, and no XML parser.

What comes is cut at the end of each C{iq} and searched for what has to be in it.
"""

import re
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from time import perf_counter

from attrs import define, field

from benchmarks.load import Disconnected
from benchmarks.mqtt_load import Link, Loop, Refused
from benchmarks.server import HOST
from benchmarks.xmpp_servers import Who

HEADER = (
    b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' "
    b"to='%b' version='1.0'>"
)
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
AUTH = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%b</auth>"
BIND = (
    b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<resource>%b</resource></bind></iq>"
)
SESSION = (
    b"<iq type='set' id='session'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
)
CLOSE = b"</stream:stream>"

#: What a login waits for.
FEATURES, PROCEED, SUCCESS, READY = b"</stream:features>", b"<proceed", b"<success", b"'session'"
REFUSALS = (b"<failure", b"<stream:error", b"type='error'", CLOSE)

#: The request of an app and the answer of its robot (xmpp.md 13.1); a mark is in each twice.
COMMAND = (
    b"<iq id='%b' to='%b' type='set'><query xmlns='com:ctl'>"
    b"<ctl id='%b' td='GetBatteryInfo'/></query></iq>"
)
ANSWER = (
    b"<iq to='%b' type='set' id='%b'><query xmlns='com:ctl'>"
    b"<ctl id='%b' ret='ok'><battery power='087'/></ctl></query></iq>"
)
COMMANDED, ANSWERED = b"td='GetBatteryInfo'", b"<battery power='087'/>"

#: How a stanza ends that takes part.
END = b"</iq>"

#: What servers ask by themselves.
PING, ABOUT = b"urn:xmpp:ping", b"GetDeviceInfo"
PONG = b"<iq type='result' to='%b' id='%b'/>"
ID = re.compile(rb" id='([^']*)'")


class Session(Link):
    """
    A connection that logs in.

    @ivar ready: whether it has.
    """

    def __init__(self, port: int, tls: ssl.SSLContext, who: Who, direct: bool = False) -> None:
        """
        Begin; L{advance} goes on.

        @param direct: TLS from the first byte; otherwise STARTTLS.
        """
        super().__init__(port, None)
        self.who, self.ready, self._context, self._heard_before = who, False, tls, b""
        self._header = HEADER % who.domain.encode()
        self._steps = self._login(direct)
        self._awaited = next(self._steps)

    def log_in(self) -> None:
        """
        Wait for the end of the login.

        @raise Refused: the server does not want us.
        """
        while not self.advance():
            pass

    def advance(self) -> bool:
        """
        Read what has come, and answer it.

        @return: whether it is logged in.
        @raise Refused: the server does not want us.
        """
        try:
            heard = self._heard()
        except Disconnected as error:
            raise Refused(f"it hangs up when {self._awaited!r} should come") from error
        if self._awaited is None:
            self._in.write(heard)
            self._next()
        else:
            self._take(self._awaited, self._opened(heard))
        return self.ready

    def _opened(self, heard: bytes) -> bytes:
        if not self._tls:
            return heard
        self._in.write(heard)
        return self._decrypted(self._tls)

    def _take(self, awaited: bytes, heard: bytes) -> None:
        heard = self._heard_before + heard
        if awaited in heard:
            self._heard_before = b""
            self._next()
        elif any(refusal in heard for refusal in REFUSALS):
            raise Refused(f"{heard[-200:]!r} when {awaited!r} should come")
        else:
            self._heard_before = heard

    def _next(self) -> None:
        try:
            self._awaited = next(self._steps)
        except StopIteration:
            self.ready = True

    def _login(self, direct: bool) -> Iterator[bytes | None]:
        """What has to come before we go on; L{None} for more of the TLS handshake."""
        if not direct:
            self.say(self._header)
            yield FEATURES
            self.say(STARTTLS)
            yield PROCEED
        yield from self._secured()
        self.say(self._header)
        yield FEATURES
        self.say(AUTH % self.who.plain)
        yield SUCCESS
        self.say(self._header)
        yield FEATURES
        self.say(BIND % self.who.resource.encode())
        yield b"<jid>%b</jid>" % self.who.address
        self.say(SESSION)
        yield READY

    def _secured(self) -> Iterator[None]:
        tls = self._context.wrap_bio(self._in, self._out, server_hostname=HOST)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                yield None
            else:
                self._flush()
                self._tls = tls
                return


@define
class Score:
    """
    What became of the stanzas of one round.

    @ivar waits: seconds under way, of each that has come.
    @ivar wrong: stanzas that nobody sent.
    """

    waits: list[float] = field(factory=list)
    lost: int = 0
    doubled: int = 0
    wrong: int = 0


class End:
    """
    Where stanzas of the other one of a pair arrive.

    @ivar under_way: marks in the order they were sent, and when they were.
    """

    def __init__(self, loop: Loop, link: Session, other: Who, body: bytes, score: Score) -> None:
        """
        @param body: what has to be in each stanza.
        """
        self.link: Link = link
        self.under_way = deque[tuple[bytes, float]]()
        self._loop, self._body, self._score, self._rest = loop, body, score, b""
        self._domain = link.who.domain.encode()
        self._sender, self._last = b"from='%b'" % other.address, b"nothing yet"
        self.then: Callable[[bytes], None] = lambda _mark: None
        loop.add(self)
        link.release()

    def expect(self, mark: bytes) -> None:
        """It is sent now."""
        self.under_way.append((b"id='%b'" % mark, perf_counter()))

    def readable(self) -> None:
        """See L{Party}."""
        data = self._rest + self.link.receive()
        *stanzas, self._rest = data.split(END)
        for stanza in stanzas:
            self._take(stanza)

    def _take(self, stanza: bytes) -> None:
        if self.under_way and self._is(stanza, self.under_way[0][0]):
            self._came()
        else:
            self._unexpected(stanza)

    def _is(self, stanza: bytes, mark: bytes) -> bool:
        return stanza.count(mark) == 2 and self._sender in stanza and self._body in stanza

    def _came(self) -> None:
        self._last, began = self.under_way.popleft()
        self._score.waits.append(perf_counter() - began)
        self.then(self._last[4:-1])

    def _unexpected(self, stanza: bytes) -> None:
        if PING in stanza:
            self._pong(stanza)
        elif self._last in stanza:
            self._score.doubled += 1
        elif any(self._is(stanza, mark) for mark, _ in self.under_way):
            while not self._is(stanza, self.under_way[0][0]):
                self.under_way.popleft()
                self._score.lost += 1
            self._came()
        elif ABOUT not in stanza:
            self._score.wrong += 1

    def _pong(self, stanza: bytes) -> None:
        """Whoever asks is a server (xmpp.md 7)."""
        found = ID.search(stanza)
        if found:
            self._loop.say(self.link, PONG % (self._domain, found[1]))


class Pair:
    """An app and its robot, which answers at once."""

    def __init__(
        self, loop: Loop, app: Session, robot: Session, score: Score, single: bool
    ) -> None:
        """
        @param single: whether the next command goes when the last answer has come.
        """
        self._loop, self._apps, self._robots = loop, app.who.address, robot.who.address
        self._numbers = count(10_000_000)
        self._app = End(loop, app, robot.who, ANSWERED, score)
        self._robot = End(loop, robot, app.who, COMMANDED, score)
        self._robot.then = self._answer
        self._single = single
        if single:
            self._app.then = self._again

    def command(self) -> None:
        """The app asks."""
        mark = b"%d" % next(self._numbers)
        self._robot.expect(mark)
        self._loop.say(self._app.link, COMMAND % (mark, self._robots, mark))

    def _answer(self, mark: bytes) -> None:
        self._app.expect(mark)
        self._loop.say(self._robot.link, ANSWER % (self._apps, mark, mark))

    def _again(self, _mark: bytes) -> None:
        self.command()

    def finish(self) -> None:
        """Ask no more."""
        self._app.then = lambda _mark: None

    @property
    def under_way(self) -> int:
        """Stanzas that have not come."""
        return len(self._app.under_way) + len(self._robot.under_way)


class Metronome(Loop):
    """A loop that also keeps a beat."""

    def beat(self, seconds: float, interval: float, act: Callable[[int], None]) -> None:
        """
        Act at even intervals, whatever comes in between.

        A beat may be late by the millisecond that epoll counts in; none is left out.
        """
        began, beats = perf_counter(), 0
        while (passed := perf_counter() - began) < seconds:
            while beats * interval <= passed:
                act(beats)
                beats += 1
            self._wait(min(seconds, beats * interval) - passed)

    def _wait(self, seconds: float) -> None:
        for number, event in self._epoll.poll(max(0.0, seconds)):
            self._serve(self._parties[number], event)
