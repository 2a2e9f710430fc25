"""Which addresses a name has."""

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.names import dns
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.dns.asking import Asking, LookupRefused, NameUnknown, addresses
from bumper_tw.dns.packets import Question
from bumper_tw.dns.wires import AnswerTimedOut, NoAnswer, Unreachable
from tests.dns.samples import FakeWires, a, answer, asked, soa

SERVER = ("192.0.2.1", 53)
NAME = "portal-eu.ecouser.net"


class FakePool:
    """Threads that work when a test says so."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def callInThreadWithCallback(self, done: Any, work: Any, *args: Any, **more: Any) -> None:
        def job() -> None:
            try:
                result = work(*args, **more)
            except Exception:  # noqa: BLE001 - as a thread pool does
                done(False, Failure())
            else:
                done(True, result)

        self.jobs.append(job)


class FakeReactor(Clock):
    """Time and threads."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = FakePool()

    def getThreadPool(self) -> FakePool:
        return self.pool

    def callFromThread(self, work: Any, *args: Any) -> None:
        work(*args)


class ServerTests(SynchronousTestCase):
    """One server is asked."""

    def setUp(self) -> None:
        self.wires = FakeWires()
        self.asking = Asking(Clock(), self.wires)

    def look(self, says: Callable[[Question, bool], bytes | NoAnswer], kind: str = "A") -> Any:
        self.wires.says["192.0.2.1"] = says
        return self.asking.lookup(NAME, kind, SERVER, 2.0)

    def test_addresses(self) -> None:
        """All addresses of the kind, through other names if need be."""

        def says(question: Question, _: bool) -> bytes:
            alias = dns.RRHeader(NAME.encode(), dns.CNAME, payload=dns.Record_CNAME(b"x.org"))
            return answer(question, alias, a("x.org", "192.0.2.5"), a("x.org", "192.0.2.6"))

        self.assertEqual(self.successResultOf(self.look(says)), ("192.0.2.5", "192.0.2.6"))

    def test_six(self) -> None:
        """The same for IPv6."""

        def says(question: Question, _: bool) -> bytes:
            record = dns.Record_AAAA("fd00::5", 60)
            return answer(question, dns.RRHeader(NAME.encode(), dns.AAAA, payload=record))

        self.assertEqual(self.successResultOf(self.look(says, "AAAA")), ("fd00::5",))

    def test_nothing(self) -> None:
        """A name without addresses of the kind has none, which is no failure."""
        looking = self.look(lambda q, _: answer(q, authority=[soa("net", 60, 60)]))
        self.assertEqual(self.successResultOf(looking), ())

    def test_unknown(self) -> None:
        """A name that is not there."""
        self.failureResultOf(self.look(lambda q, _: answer(q, code=dns.ENAME)), NameUnknown)

    def test_refused(self) -> None:
        """A server that does not answer us."""
        refused = self.failureResultOf(self.look(lambda q, _: answer(q, code=dns.EREFUSED)))
        refused.trap(LookupRefused)
        self.assertIn("192.0.2.1", str(refused.value))

    def test_silent(self) -> None:
        """Failures of the wire come through."""
        self.failureResultOf(self.look(lambda *_: AnswerTimedOut("silent")), AnswerTimedOut)
        self.failureResultOf(self.look(lambda *_: Unreachable("gone")), Unreachable)

    def test_cut(self) -> None:
        """What is too long for UDP comes over TCP."""
        looking = self.look(lambda q, whole: answer(q, a(NAME)) if whole else answer(q, cut=True))
        self.assertEqual(self.successResultOf(looking), ("192.0.2.80",))

    def test_broken(self) -> None:
        """An answer that breaks off, or holds no address, is named so."""
        question = asked(NAME)
        self.assertRaises(NoAnswer, addresses, answer(question, a(NAME))[:-1], question, "A")
        # Four bytes that are said to be an IPv6 address.
        odd = answer(question, a(NAME)).replace(b"\0\1\0\1\0\0\1\x2c", b"\0\x1c\0\1\0\0\1\x2c")
        self.assertRaises(NoAnswer, addresses, odd, question, "AAAA")


class SystemTests(SynchronousTestCase):
    """The system is asked, in a thread."""

    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.found: Callable[[], list[Any]] = list
        self.families: list[int] = []

    def system(self, name: str, port: None, family: int, kind: int) -> list[Any]:
        self.families.append(family)
        return self.found()

    def look(self, kind: str = "A") -> Any:
        looking = Asking(self.reactor, resolve=self.system).lookup(NAME, kind, seconds=3.0)
        self.assertNoResult(looking)
        return looking

    def run_jobs(self) -> None:
        for job in self.reactor.pool.jobs:
            job()

    def test_addresses(self) -> None:
        """Each address once."""
        self.found = lambda: [(2, 1, 6, "", ("192.168.1.5", 0)), (2, 1, 6, "", ("192.168.1.5", 0))]
        looking = self.look()
        self.run_jobs()
        self.assertEqual(self.successResultOf(looking), ("192.168.1.5",))
        self.assertEqual(self.families, [socket.AF_INET])

    def fail_with(self, number: int) -> None:
        def fails() -> list[Any]:
            raise socket.gaierror(number, "says the system")

        self.found = fails

    def test_nothing(self) -> None:
        """The system says the same for no such name and for none of this kind."""
        self.fail_with(socket.EAI_NONAME)
        looking = self.look("AAAA")
        self.run_jobs()
        self.assertEqual(self.successResultOf(looking), ())
        self.assertEqual(self.families, [socket.AF_INET6])

    def test_no_server(self) -> None:
        """A system that cannot find out says so."""
        self.fail_with(socket.EAI_AGAIN)
        looking = self.look()
        self.run_jobs()
        self.failureResultOf(looking, LookupRefused)

    def test_slow(self) -> None:
        """A system that takes too long is not waited for."""
        looking = self.look()
        self.reactor.advance(3.0)
        self.failureResultOf(looking, AnswerTimedOut)
        self.run_jobs()
