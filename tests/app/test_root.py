"""What L{Root} tells whoever watches it; for the rest of it see C{test_logs}."""

import signal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.lifecycle import Listener, Step
from bumper_tw.app.notify import Watcher
from bumper_tw.app.root import Root, Start
from bumper_tw.app.settings import Settings
from bumper_tw.errors import StartError

READY = "READY=1\nSTATUS=running"


class Starting(MemoryReactorClock):
    """A reactor that does not run yet."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []

    def callWhenRunning(self, callable: Any, *args: Any, **kw: Any) -> None:  # noqa: A002 - theirs
        """Remember what is to be done then."""
        self.waiting.append(callable)

    def go(self) -> None:
        """Run."""
        for call in self.waiting:
            call()


class TidingsTests(SynchronousTestCase):
    """READY, RELOADING, STOPPING."""

    def setUp(self) -> None:
        for number in (signal.SIGHUP, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor, self.told = Starting(), list[str]()
        self.current: Settings | None = Settings()
        start = Start({}, self.read, watcher=Watcher(self.hear))
        self.root = Root(self.reactor, Settings(), start)

    def hear(self, said: str) -> bool:
        """The one who watches."""
        self.told.append(said)
        return True

    def read(self) -> Settings:
        """The settings, unless they are broken."""
        if self.current is None:
            raise StartError("bumper.toml: no such key")
        return self.current

    def listener(self, at: str = "tcp:443") -> None:
        """One more."""
        made = Listener(self.reactor, "web", at, Factory(), optional=at != "tcp:443")
        made.setServiceParent(self.root)

    def start(self) -> None:
        """The server starts, and the reactor runs."""
        self.root.startService()
        self.reactor.go()

    def beginnings(self) -> list[str]:
        """The first line of all that was said."""
        return [said.partition("\n")[0] for said in self.told]

    def test_ready(self) -> None:
        """It is said when the ports are bound and the reactor runs, not before."""
        self.listener()
        self.root.startService()
        self.assertEqual((self.told, len(self.reactor.tcpServers)), ([], 1))
        self.reactor.go()
        self.assertEqual(self.told, [READY])

    def test_not_bound(self) -> None:
        """Who is never ready is one whose listener is missing: that ends the start."""
        self.listener()
        Listener(self.reactor, "web", "systemd:name=no", Factory()).setServiceParent(self.root)
        self.assertRaises(StartError, self.start)
        self.assertEqual((self.told, self.reactor.getDelayedCalls()), ([], []))

    def test_optional(self) -> None:
        """One that the owner does without is not missing."""
        self.listener(at="systemd:domain=INET:name=http")
        self.start()
        self.assertEqual(self.told, [READY])

    def test_stopped_before_ready(self) -> None:
        """Who is stopped before that is never ready."""
        self.root.startService()
        self.successResultOf(self.root.stopService())
        self.reactor.go()
        self.assertEqual(self.beginnings(), ["STOPPING=1"])

    def test_early_hangup(self) -> None:
        """Once ports may be open, SIGHUP ends nothing: it waits for the reactor."""
        self.root.privilegedStartService()
        self.assertTrue(callable(signal.getsignal(signal.SIGHUP)))

    def test_early_signal(self) -> None:
        """A SIGTERM that the reactor's own handler caught is a success, too; no other is."""
        for number, left in ((signal.SIGTERM, None), (signal.SIGINT, signal.SIGINT)):
            reactor: Any = self.reactor
            reactor._exitSignal = number
            self.root.startService()
            self.successResultOf(self.root.stopService())
            self.assertEqual(reactor._exitSignal, left)

    def test_stopping(self) -> None:
        """That the end has begun is said before anything ends."""
        seen: list[int] = []
        Step("last", stop=lambda: seen.append(len(self.told))).setServiceParent(self.root)
        self.start()
        self.successResultOf(self.root.stopService())
        self.assertEqual((self.beginnings(), seen), (["READY=1", "STOPPING=1"], [2]))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_reload(self) -> None:
        """It is ready again when the last job is done."""
        slow: Deferred[None] = Deferred()
        self.root.reloads |= {"answers": lambda: None, "accounts": lambda: slow}
        self.start()
        reloaded = self.root.reload()
        self.assertEqual(self.beginnings(), ["READY=1", "RELOADING=1"])
        self.assertNoResult(reloaded)
        slow.callback(None)
        self.successResultOf(reloaded)
        self.assertEqual(self.beginnings(), ["READY=1", "RELOADING=1", "READY=1"])

    def test_reload_of_nonsense(self) -> None:
        """So it is when what was to be read is wrong."""
        self.start()
        self.current = None
        self.successResultOf(self.root.reload())
        self.assertEqual(self.beginnings(), ["READY=1", "RELOADING=1", "READY=1"])

    def test_reload_with_a_bug(self) -> None:
        """And when a job breaks in a way that nobody expected; the log has it."""
        self.root.reloads["answers"] = lambda: 1 // 0
        self.start()
        self.successResultOf(self.root.reload())
        self.assertEqual(self.beginnings()[-1], "READY=1")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
