"""Questions about names that are not ours: others are asked, and what they say is remembered."""

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.names import dns
from twisted.python.failure import Failure

from bumper_tw.core.repeats import Repeats, again
from bumper_tw.dns.cache import Answer, Cache, read_answer
from bumper_tw.dns.packets import Question, Unreadable
from bumper_tw.dns.wires import NoAnswer, Server, Unreachable, code_of, is_truncated
from bumper_tw.front.crowd import Headcount

#: Questions of others that wait for an answer: in all, and of one asker.  A router that asks
#: for a whole house is one.
WAITING, WAITING_PER_PEER = 300, 100

#: How often a question is sent at the most, and seconds for each time: programs ask again
#: after five.
TRIES, PATIENCE = 3, 1.5

#: Seconds for an answer that is too long for UDP.
PATIENCE_TCP = 3.0

#: A server that was silent so often in a row is left alone for as many seconds.
SILENT, REST = 3, 30.0

#: Results that may be better elsewhere.
FAILURES = {dns.ESERVER, dns.ENOTIMP, dns.EREFUSED}


class NobodyToAsk(NoAnswer):
    """There are no other servers."""


class TooMuch(NoAnswer):
    """Too many questions wait already."""


class Asker(Protocol):
    """Whoever asks other servers: L{Wires<bumper_tw.dns.wires.Wires>}."""

    def over_udp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]: ...

    def over_tcp(self, server: Server, question: Question, seconds: float) -> Deferred[bytes]: ...


@define(eq=False)
class _Search:
    """One topic that others are being asked about, and who wants to know."""

    waiting: list[tuple[Question, Deferred[bytes]]] = field(factory=list)
    running: Deferred[None] | None = None


@define(eq=False)
class _Health:
    """
    How one server has been.

    @ivar silent: how often in a row it did not answer.
    @ivar since: when it was asked in vain for the last time.
    """

    silent: int = 0
    since: float = 0.0


class Forwarder:
    """Asks other servers."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        wires: Asker,
        upstream: Callable[[], Sequence[Server]],
        cache: Cache,
    ) -> None:
        """
        @param upstream: who is asked, the best first.
        """
        self._clock, self._wires, self._upstream, self._cache = clock, wires, upstream, cache
        self._crowd = Headcount(WAITING, WAITING_PER_PEER)
        self._searches: dict[tuple[object, ...], _Search] = {}
        self._health: dict[Server, _Health] = {}
        self._said = Repeats(clock)

    def __len__(self) -> int:
        """How many topics others are being asked about."""
        return len(self._searches)

    def ask(self, question: Question, peer: str) -> Deferred[bytes]:
        """
        Find an answer.

        @param peer: who wants to know.
        @return: fires with the whole answer, however long; fails with L{NoAnswer}.
        """
        known = self._cache.find(question)
        if known is not None:
            return succeed(known)
        if self._crowd.full(peer):
            return fail(TooMuch("too many questions wait already"))
        self._crowd.enter(peer)
        answer: Deferred[bytes] = Deferred()
        self._search(question, answer)
        return answer.addBoth(self._left, peer)

    def stop(self) -> None:
        """Nobody is asked any more; whoever waits is told."""
        for search in list(self._searches.values()):
            if search.running is not None:
                search.running.cancel()

    def _left(self, result: "bytes | Failure", peer: str) -> "bytes | Failure":
        self._crowd.leave(peer)
        return result

    def _search(self, question: Question, answer: Deferred[bytes]) -> None:
        """Others who ask the same wait for the same search: a forger gets one try, not many."""
        search = self._searches.get(question.topic)
        if search is not None:
            search.waiting.append((question, answer))
            return
        search = self._searches[question.topic] = _Search([(question, answer)])
        search.running = Deferred.fromCoroutine(self._run(question, search))

    async def _run(self, question: Question, search: _Search) -> None:
        try:
            found: Answer | NoAnswer = await self._find(question)
        except NoAnswer as why:
            found = why
        except CancelledError:
            found = NoAnswer("this server is stopping")
        del self._searches[question.topic]
        if isinstance(found, Answer):
            self._cache.keep(question, found)
        for asked, answer in search.waiting:
            if isinstance(found, Answer):
                answer.callback(found.told(asked))
            else:
                answer.errback(found)

    async def _find(self, question: Question) -> Answer:
        """The first good answer, or else the last bad one."""
        bad: dict[Server, Answer] = {}
        for server in self._order():
            if server in bad:
                continue
            try:
                found = read_answer(await self._one(server, question), question)
            except (NoAnswer, Unreadable) as why:
                self._silent(server, why)
                continue
            self._health.pop(server, None)
            if code_of(found.data) not in FAILURES:
                return found
            bad[server] = found
        if bad:
            return bad.popitem()[1]
        raise NoAnswer("no other server answers")

    def _order(self) -> list[Server]:
        """Who is asked, one after the other, those that were silent lately left out."""
        upstream = list(self._upstream())
        if not upstream:
            raise NobodyToAsk("there is no other server to ask")
        for gone in self._health.keys() - set(upstream):
            del self._health[gone]
        awake = [server for server in upstream if not self._rests(server)] or upstream
        return (awake * TRIES)[:TRIES]

    def _rests(self, server: Server) -> bool:
        health = self._health.get(server, _Health())
        return health.silent >= SILENT and self._clock.seconds() - health.since < REST

    def _silent(self, server: Server, why: Exception) -> None:
        health = self._health.setdefault(server, _Health())
        health.silent = SILENT if isinstance(why, Unreachable) else health.silent + 1
        health.since = self._clock.seconds()
        if health.silent < SILENT:
            return
        more = self._said.say(server[0])
        if more is not None:
            text = "DNS server {server} is left alone for a while: {why}{more}"
            self._log.warn(text, server=server[0], why=str(why), more=again(more))

    async def _one(self, server: Server, question: Question) -> bytes:
        data = await self._wires.over_udp(server, question, PATIENCE)
        if not is_truncated(data):
            return data
        return await self._wires.over_tcp(server, question, PATIENCE_TCP)
