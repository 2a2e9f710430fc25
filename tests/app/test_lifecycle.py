"""Tests for L{bumper_tw.app.lifecycle}."""

from typing import NoReturn

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.lifecycle import GRACE, Listener, OrderedService, Repeated, Step, shown
from bumper_tw.errors import StartError


class OrderedTests(SynchronousTestCase):
    """L{OrderedService} starts forward and stops backward."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.service = OrderedService(self.clock)

    def add(self, name: str, stopping: object = None) -> None:
        """One more child, which says what it does."""

        def stop() -> object:
            self.said.append(f"stop {name}")
            return stopping

        step = Step(name, lambda: self.said.append(f"start {name}"), stop)
        step.setServiceParent(self.service)

    def test_order(self) -> None:
        """The last one started is the first one stopped."""
        self.add("database")
        self.add("web")
        self.service.startService()
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.said, ["start database", "start web", "stop web", "stop database"])

    def test_awaited(self) -> None:
        """A child stops only when those above it are done."""
        closing: Deferred[None] = Deferred()
        self.add("database")
        self.add("web", closing)
        self.service.startService()
        stopped = self.service.stopService()
        self.assertNotIn("stop database", self.said)
        closing.callback(None)
        self.successResultOf(stopped)
        self.assertIn("stop database", self.said)

    def test_hanging_child(self) -> None:
        """A child that never finishes gets its grace, and the rest stops."""
        self.add("database")
        self.add("web", Deferred())
        self.service.startService()
        stopped = self.service.stopService()
        self.clock.advance(GRACE)
        self.successResultOf(stopped)
        self.assertEqual(self.said[-1], "stop database")

    def test_altogether(self) -> None:
        """Many that hang are not given their grace each."""
        for number in range(10):
            self.add(f"child {number}", Deferred())
        self.service.startService()
        stopped = self.service.stopService()
        self.clock.pump([0.1] * 50)
        self.successResultOf(stopped)
        self.assertEqual(self.said[-1], "stop child 0")

    def test_failing_child(self) -> None:
        """A child that fails to stop is logged, and the rest stops."""

        class Broken(Service):
            def stopService(self) -> None:
                raise ZeroDivisionError

        self.add("database")
        Broken().setServiceParent(self.service)
        self.service.startService()
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.said[-1], "stop database")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_step_without_deeds(self) -> None:
        """A step may have nothing to do at one of its ends."""
        Step("nothing").setServiceParent(self.service)
        self.service.startService()
        self.assertIsNone(self.successResultOf(self.service.stopService()))


class RepeatedTests(SynchronousTestCase):
    """L{Repeated} does a job again and again."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.runs = 0

    def job(self) -> None:
        """Fails every second time."""
        self.runs += 1
        if self.runs % 2:
            raise ZeroDivisionError

    def test_at_once(self) -> None:
        """A job may be done at the start as well."""
        service = Repeated("job", self.clock, 60, self.job, at_once=True)
        service.startService()
        self.assertEqual(self.runs, 1)
        service.stopService()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_survives_failure(self) -> None:
        """A job that fails is logged, and runs again when its time comes."""
        service = Repeated("job", self.clock, 60, self.job)
        service.startService()
        self.assertEqual(self.runs, 0)
        self.clock.pump([60, 60, 60])
        self.assertEqual(self.runs, 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        service.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Taken(MemoryReactorClock):
    """A machine whose ports are all taken."""

    def listenTCP(self, port: int, *_: object, **__: object) -> NoReturn:
        raise CannotListenError("", port, OSError(98, "Address already in use"))


class Slow(Listener):
    """A listener whose endpoint takes its time."""

    given_up = False

    def _listen(self) -> Deferred[IListeningPort]:
        return Deferred(lambda _: setattr(self, "given_up", True))


class ListenerTests(SynchronousTestCase):
    """L{Listener} binds early, or ends the start."""

    def test_binds_with_privileges(self) -> None:
        """The port is bound before the privileges are dropped, and once only."""
        reactor = MemoryReactorClock()
        listener = Listener(reactor, "web", "tcp:443:interface=127.0.0.1", Factory())
        listener.privilegedStartService()
        listener.startService()
        self.assertEqual([server[0] for server in reactor.tcpServers], [443])

    def test_binds_late(self) -> None:
        """Where there is no privileged phase, it binds at the start."""
        reactor = MemoryReactorClock()
        listener = Listener(reactor, "web", "tcp:443", Factory())
        listener.startService()
        self.assertEqual([server[0] for server in reactor.tcpServers], [443])

    def test_stops_listening(self) -> None:
        """Stopped, it accepts nobody new; stopped again, it does nothing."""
        listener = Listener(MemoryReactorClock(), "web", "tcp:443", Factory())
        listener.startService()
        listener.stopService()
        self.assertIsNone(listener.port)
        self.assertIsNone(listener.stopService())

    def test_taken_port(self) -> None:
        """A port that cannot be bound ends the start with a sentence that names it."""
        listener = Listener(Taken(), "web", "tcp:443", Factory())
        error = self.assertRaises(StartError, listener.privilegedStartService)
        self.assertIn("443", str(error))
        self.assertNotIn("\n", str(error))

    def test_unknown_kind(self) -> None:
        """What Twisted knows no endpoint for ends the start with a sentence as well."""
        listener = Listener(MemoryReactorClock(), "web", "pigeon:443", Factory())
        error = self.assertRaises(StartError, listener.privilegedStartService)
        self.assertIn("pigeon:443", str(error))

    def test_late(self) -> None:
        """One that is not open at once is none for us, and nothing is opened later."""
        for optional in (False, True):
            listener = Slow(MemoryReactorClock(), "web", "onion:80", Factory(), optional)
            if optional:
                listener.privilegedStartService()
                self.assertIn("onion:80", listener.why)
            else:
                error = self.assertRaises(StartError, listener.privilegedStartService)
                self.assertIn("not open at once", str(error))
            self.assertTrue(listener.given_up)

    def test_shown(self) -> None:
        """Where it is bound can be told from the port."""
        self.assertEqual(shown(IPv4Address("TCP", "0.0.0.0", 443)), "0.0.0.0:443")
        self.assertEqual(shown(IPv6Address("TCP", "::", 443)), "[::]:443")
        self.assertIn("/run/bumper", shown(UNIXAddress("/run/bumper")))
