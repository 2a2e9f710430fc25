"""Asking others."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from bumper_tw.dns.cache import Cache
from bumper_tw.dns.forwarder import (
    REST,
    SILENT,
    TRIES,
    WAITING,
    WAITING_PER_PEER,
    Forwarder,
    NobodyToAsk,
    TooMuch,
)
from bumper_tw.dns.packets import Question, read_question
from bumper_tw.dns.wires import AnswerTimedOut, NoAnswer, Server, Unreachable
from tests.dns.samples import FakeWires, a, addresses, answer, asked, query, read, txt

PEER = "192.168.1.20"
NAME = "example.org"


def says(address: str) -> Any:
    """A server that has this address for everything."""
    return lambda question, _: answer(question, a(question.name, address))


def silent(*_: object) -> NoAnswer:
    return AnswerTimedOut("silent")


def gone(*_: object) -> NoAnswer:
    return Unreachable("gone")


@implementer(ILogObserver)
class Lines(list[str]):
    """The servers that the log says are left alone."""

    def __call__(self, event: LogEvent) -> None:
        if "left alone" in (event.get("log_format") or ""):
            self.append(event["server"])


class ForwarderTests(SynchronousTestCase):
    """Names that are not ours."""

    def setUp(self) -> None:
        self.clock, self.wires = Clock(), FakeWires()
        self.upstream: list[Server] = [("192.0.2.1", 53), ("192.0.2.2", 53)]
        cache = Cache(self.clock, 100)
        self.forwarder = Forwarder(self.clock, self.wires, lambda: self.upstream, cache)
        self.lines = Lines()
        globalLogPublisher.addObserver(self.lines)
        self.addCleanup(globalLogPublisher.removeObserver, self.lines)

    def ask(self, name: str = NAME, kind: int = dns.A, peer: str = PEER) -> Deferred[bytes]:
        return self.forwarder.ask(asked(name, kind), peer)

    def test_asks_the_first(self) -> None:
        """The first server is asked, and its answer is everybody's from then on."""
        self.wires.says["192.0.2.1"] = says("192.0.2.80")
        for _ in range(3):
            self.assertEqual(addresses(self.successResultOf(self.ask())), ["192.0.2.80"])
        self.assertEqual(self.wires.asked, [("192.0.2.1", NAME, "udp")])

    def test_nobody(self) -> None:
        """Without other servers there is no answer."""
        self.upstream = []
        self.failureResultOf(self.ask(), NobodyToAsk)

    def test_the_next(self) -> None:
        """When one is silent the next is asked."""
        self.wires.says = {"192.0.2.1": silent, "192.0.2.2": says("192.0.2.81")}
        self.assertEqual(addresses(self.successResultOf(self.ask())), ["192.0.2.81"])

    def test_only_one(self) -> None:
        """A single one is asked again; then it is enough."""
        self.upstream = [("192.0.2.1", 53)]
        self.wires.says = {"192.0.2.1": silent}
        self.failureResultOf(self.ask(), NoAnswer)
        self.assertEqual(self.wires.hosts(), ["192.0.2.1"] * TRIES)

    def test_rests(self) -> None:
        """One that is silent again and again is left alone for a while, with one line of log."""
        self.wires.says = {"192.0.2.1": silent, "192.0.2.2": says("192.0.2.81")}
        for number in range(SILENT + 3):
            self.successResultOf(self.ask(f"n{number}.org"))
        self.assertEqual(self.wires.hosts().count("192.0.2.1"), SILENT)
        self.assertEqual(self.lines, ["192.0.2.1"])
        self.clock.advance(REST)
        self.successResultOf(self.ask("later.org"))
        self.assertEqual(self.wires.hosts().count("192.0.2.1"), SILENT + 1)

    def test_comes_back(self) -> None:
        """An answer makes up for silence before."""
        self.wires.says = {"192.0.2.1": silent, "192.0.2.2": says("192.0.2.81")}
        for number in range(SILENT - 1):
            self.successResultOf(self.ask(f"n{number}.org"))
        self.wires.says["192.0.2.1"] = says("192.0.2.80")
        self.successResultOf(self.ask("well.org"))
        self.wires.says["192.0.2.1"] = silent
        self.successResultOf(self.ask("ill.org"))
        self.wires.asked.clear()
        self.successResultOf(self.ask("again.org"))
        self.assertEqual(self.wires.hosts()[0], "192.0.2.1")

    def test_nothing_there(self) -> None:
        """Where nothing listens, once is enough."""
        self.wires.says = {"192.0.2.1": gone, "192.0.2.2": says("192.0.2.81")}
        self.successResultOf(self.ask("a.org"))
        self.successResultOf(self.ask("b.org"))
        self.assertEqual(self.wires.hosts(), ["192.0.2.1", "192.0.2.2", "192.0.2.2"])

    def test_all_rest(self) -> None:
        """When all are to be left alone they are asked all the same."""
        self.wires.says = {"192.0.2.1": gone, "192.0.2.2": gone}
        self.failureResultOf(self.ask("a.org"), NoAnswer)
        self.wires.says["192.0.2.1"] = says("192.0.2.80")
        self.assertEqual(addresses(self.successResultOf(self.ask("b.org"))), ["192.0.2.80"])

    def test_failures(self) -> None:
        """A failure of one is told only if no other knows better, and not remembered."""

        def fails(question: Question, _: bool) -> bytes:
            return answer(question, code=dns.ESERVER)

        self.wires.says = {"192.0.2.1": fails, "192.0.2.2": says("192.0.2.81")}
        self.assertEqual(addresses(self.successResultOf(self.ask("a.org"))), ["192.0.2.81"])
        self.wires.says["192.0.2.2"] = fails
        self.assertEqual(read(self.successResultOf(self.ask("b.org"))).rCode, dns.ESERVER)
        self.wires.says["192.0.2.2"] = says("192.0.2.82")
        self.assertEqual(addresses(self.successResultOf(self.ask("b.org"))), ["192.0.2.82"])

    def test_broken(self) -> None:
        """An answer that breaks off is none."""
        self.wires.says = {
            "192.0.2.1": lambda q, _: answer(q, a(q.name))[:-2],
            "192.0.2.2": says("192.0.2.81"),
        }
        self.assertEqual(addresses(self.successResultOf(self.ask())), ["192.0.2.81"])

    def test_too_long_for_udp(self) -> None:
        """What is cut off is fetched over TCP from the same server."""

        def says_much(question: Question, whole: bool) -> bytes:
            long = txt(question.name, 2000)
            return answer(question, long) if whole else answer(question, cut=True)

        self.wires.says = {"192.0.2.1": says_much}
        data = self.successResultOf(self.ask(kind=dns.TXT))
        self.assertEqual(read(data).trunc, 0)
        self.assertGreater(len(data), 2000)
        seen = [("192.0.2.1", NAME, "udp"), ("192.0.2.1", NAME, "tcp")]
        self.assertEqual(self.wires.asked, seen)

    def test_together(self) -> None:
        """Those who want to know the same wait for one search, each with his own spelling."""
        first = self.ask()
        second = self.forwarder.ask(read_question(query("EXAMPLE.org", number=9)), "192.168.1.21")
        [(_, question, waiting)] = self.wires.waiting
        waiting.callback(answer(question, a(NAME)))
        self.assertEqual(read(self.successResultOf(first)).id, 4711)
        message = read(self.successResultOf(second))
        self.assertEqual((message.id, message.queries[0].name.name), (9, b"EXAMPLE.org"))
        self.assertEqual(len(self.forwarder), 0)

    def test_bound_per_peer(self) -> None:
        """One asker cannot make more wait than his share; others go on."""
        waiting = [self.ask(f"n{number}.org") for number in range(WAITING_PER_PEER)]
        self.failureResultOf(self.ask("more.org"), TooMuch)
        other = self.ask("more.org", peer="192.168.1.21")
        self.assertNoResult(other)
        self.assertEqual(len(self.wires.waiting), WAITING_PER_PEER + 1)
        self.forwarder.stop()
        for each in (*waiting, other):
            self.failureResultOf(each, NoAnswer)

    def test_bound_in_all(self) -> None:
        """All together have a bound, too, and it is free again when the answers are there."""
        waiting = [
            self.ask(f"n{n}.org", peer=f"192.168.1.{n // WAITING_PER_PEER}")
            for n in range(WAITING)
        ]
        self.failureResultOf(self.ask("more.org", peer="192.168.2.1"), TooMuch)
        self.forwarder.stop()
        for each in waiting:
            self.failureResultOf(each, NoAnswer)
        self.assertEqual(len(self.forwarder), 0)
        again = self.ask("more.org")
        self.assertNoResult(again)
        self.forwarder.stop()
        self.failureResultOf(again, NoAnswer)

    def test_forgets_servers(self) -> None:
        """What is known of servers that are asked no more is forgotten."""
        self.wires.says = {"192.0.2.1": gone, "192.0.2.2": gone, "192.0.2.3": says("192.0.2.9")}
        self.failureResultOf(self.ask("a.org"), NoAnswer)
        self.upstream = [("192.0.2.3", 53)]
        self.successResultOf(self.ask("b.org"))
        self.assertEqual(self.forwarder._health, {})
