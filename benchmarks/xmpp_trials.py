"""One measurement of one XMPP server: relays, logins or memory."""

import select
from contextlib import ExitStack
from time import perf_counter

from attrs import evolve, frozen

from benchmarks.brokers import Broker
from benchmarks.load import Disconnected, tls_context
from benchmarks.mqtt_load import PATIENCE, Refused
from benchmarks.watch import WARM_UP, Figures, Watch, counted, weighed
from benchmarks.xmpp_load import CLOSE, Metronome, Pair, Score, Session
from benchmarks.xmpp_servers import REALMS, Who

#: Parties that log in at once, so that the server need not wait for one of them.
CALLERS = 8


@frozen
class Relays:
    """
    Commands from apps to robots, and the answers.

    @ivar pairs: of an app and a robot.
    @ivar idle: others that are logged in and silent, half of them robots.
    @ivar rate: relays a second, of all pairs together; 0 for as many as one in flight for each
        pair makes.
    """

    pairs: int
    idle: int = 0
    rate: int = 0

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the server does not do its part.
        """
        with ExitStack() as stack:
            loop = Metronome()
            stack.callback(loop.close)
            return Flow(self, broker, loop, stack).measured(seconds)


class Flow:
    """The parties of one round."""

    def __init__(self, plan: Relays, broker: Broker, loop: Metronome, stack: ExitStack) -> None:
        self._plan, self._broker, self._loop, self._stack = plan, broker, loop, stack
        self._tls, self._realm = tls_context(), REALMS[broker.name]
        self._score = Score()
        self._pairs = [self._pair(number) for number in range(plan.pairs)]
        for number in range(plan.idle):
            self._session(self._realm.party(2 * plan.pairs + number))

    def _session(self, who: Who) -> Session:
        session = Session(self._broker.plain, self._tls, who)
        self._stack.callback(session.close)
        session.log_in()
        return session

    def _pair(self, number: int) -> Pair:
        app, robot = (self._session(who(number)) for who in (self._realm.app, self._realm.robot))
        return Pair(self._loop, app, robot, self._score, single=not self._plan.rate)

    def measured(self, seconds: float) -> Figures:
        """Begin, measure, and wait for what is under way."""
        if not self._plan.rate:
            for pair in self._pairs:
                pair.command()
        self._go_on(WARM_UP)
        first = len(self._score.waits)
        watch = Watch(self._broker, first)
        self._go_on(seconds)
        figures = watch.figures(len(self._score.waits))
        for pair in self._pairs:
            pair.finish()
        self._loop.run(lambda: not any(pair.under_way for pair in self._pairs))
        return self._judged(figures, first)

    def _go_on(self, seconds: float) -> None:
        if self._plan.rate:
            # Each command makes two relays.
            self._loop.beat(seconds, 2 / self._plan.rate, self._command)
        else:
            until = perf_counter() + seconds
            self._loop.run(lambda: perf_counter() >= until)

    def _command(self, number: int) -> None:
        self._pairs[number % len(self._pairs)].command()

    def _judged(self, figures: Figures, first: int) -> Figures:
        score = self._score
        waits = sorted(score.waits[first:]) or [0.0]
        p50, p99 = (waits[int(len(waits) * part)] for part in (0.5, 0.99))
        lost = score.lost + sum(pair.under_way for pair in self._pairs)
        return evolve(
            figures, p50=p50, p99=p99, lost=lost, doubled=score.doubled, wrong=score.wrong
        )


@frozen
class Memory:
    """Parties that are logged in over STARTTLS and do nothing, half of them robots."""

    count: int

    def measure(self, broker: Broker, _seconds: float) -> Figures:
        """
        One round, with a server that has just been started.

        @raise Refused: the server does not do its part.
        """
        tls, realm = tls_context(), REALMS[broker.name]

        def connect(number: int) -> Session:
            session = Session(broker.plain, tls, realm.party(number))
            session.log_in()
            return session

        return weighed(broker, connect, self.count)


@frozen
class Logins:
    """
    Parties that log in, bind, end their stream, and wait until the server ends its own.

    @ivar direct: TLS from the first byte; otherwise STARTTLS.
    @ivar robots: whether they are robots; otherwise apps.
    """

    direct: bool = False
    robots: bool = False

    def measure(self, broker: Broker, seconds: float) -> Figures:
        """
        One round.

        @raise Refused: the server does not do its part.
        """
        return counted(broker, Calls(self, broker), seconds)


class Calls:
    """
    All that log in at once.

    @ivar done: logins that came to their end.
    """

    def __init__(self, plan: Logins, broker: Broker) -> None:
        self.done, self._epoll, self._tls = 0, select.epoll(), tls_context()
        self._direct, self._port = plan.direct, broker.tls if plan.direct else broker.plain
        realm = REALMS[broker.name]
        who = realm.robot if plan.robots else realm.app
        self._sessions: dict[int, Session] = {}
        for number in range(CALLERS):
            self._dial(who(number))

    def _dial(self, who: Who) -> None:
        session = Session(self._port, self._tls, who, self._direct)
        session.release()
        self._sessions[session.fileno()] = session
        self._epoll.register(session.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> None:
        """
        Go on for a time.

        @raise Refused: the server stops answering, or does not let us in.
        """
        until = perf_counter() + seconds
        while perf_counter() < until:
            ready = self._epoll.poll(PATIENCE)
            if not ready:
                raise Refused("it does not go on with a login")
            for number, _ in ready:
                self._serve(self._sessions[number])

    def _serve(self, session: Session) -> None:
        if session.ready:
            self._drain(session)
        elif session.advance():
            session.say(CLOSE)

    def _drain(self, session: Session) -> None:
        try:
            over = CLOSE in session.receive()
        except (Disconnected, ConnectionResetError):
            over = True
        if over:
            self.done += 1
            del self._sessions[session.fileno()]
            # The file leaves epoll when it is closed.
            session.close()
            self._dial(session.who)

    def close(self) -> None:
        """Hang up for all."""
        self._epoll.close()
        for session in self._sessions.values():
            session.close()
