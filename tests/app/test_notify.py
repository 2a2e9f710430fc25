"""Tests for L{bumper_tw.app.notify}."""

import os
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis.strategies import text
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.notify import (
    AGAIN,
    LOOK,
    PAUSE,
    Datagrams,
    Tidings,
    Watcher,
    address_of,
    household,
    seconds_of,
    watcher,
)

NOON = 1_000.5


class Registry:
    """Robots, as far as their number counts."""

    def __init__(self) -> None:
        self.here: list[str] = []
        self.listeners: list[Callable[..., object]] = []

    def devices(self) -> list[Any]:
        """One more than those who are here."""
        return [SimpleNamespace(id=SimpleNamespace(did=did)) for did in (*self.here, "away")]

    def online(self, did: str) -> bool:
        """Whether it is here."""
        return did in self.here

    def watch(self, listener: Callable[..., object]) -> Callable[[], None]:
        """Tell of changes."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def enter(self, *dids: str) -> None:
        """Robots connect."""
        for did in dids:
            self.here.append(did)
            for listener in self.listeners:
                listener(did, True)


class Case(SynchronousTestCase):
    """Somebody watches; what he is told is kept."""

    patience = 0.0

    def setUp(self) -> None:
        self.clock, self.told, self.deaf = Clock(), list[str](), False
        self.registry = Registry()
        registry: Any = self.registry
        self.tidings = Tidings(self.clock, Watcher(self.hear, self.patience), lambda: NOON)
        self.connected = 0
        self.tidings.follow(registry, lambda: self.connected)

    def hear(self, said: str) -> bool:
        """What the socket does."""
        if not self.deaf:
            self.told.append(said)
        return not self.deaf

    def news(self) -> list[str]:
        """What was told since this was asked the last time."""
        told, self.told = self.told, []
        return told


class ReadyTests(Case):
    """From the start to the end."""

    def test_ready(self) -> None:
        """That we are ready comes with who is here, and once."""
        self.tidings.ready()
        self.tidings.ready()
        self.assertEqual(self.news(), ["READY=1\nSTATUS=0 robots online, 0 clients"])

    def test_not_heard(self) -> None:
        """It is said until it has been heard."""
        self.deaf = True
        self.tidings.ready()
        self.clock.advance(AGAIN)
        self.deaf = False
        self.clock.advance(AGAIN)
        self.assertEqual(len(self.news()), 1)

    def test_stopped_before(self) -> None:
        """Who stops before that has been heard says no more of it."""
        self.deaf = True
        self.tidings.ready()
        self.deaf = False
        self.tidings.stopping()
        self.tidings.stopped()
        self.clock.advance(10)
        self.assertEqual(self.news(), ["STOPPING=1\nSTATUS=stopping"])

    def test_end(self) -> None:
        """After the end nothing is left to be done, and nobody who goes is told of."""
        self.tidings.ready()
        self.registry.enter("e1")
        self.tidings.stopping()
        self.registry.enter("e2")
        self.tidings.stopped()
        self.assertEqual(self.news()[1:], ["STOPPING=1\nSTATUS=stopping"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """When nobody watches, nothing is counted and nothing waits."""
        tidings = Tidings(self.clock, Watcher())
        registry: Any = self.registry
        tidings.follow(registry, lambda: self.fail("counted"))
        tidings.ready()
        tidings.reloading()
        tidings.reloaded()
        self.registry.enter("e1")
        tidings.stopping()
        tidings.stopped()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class StatusTests(Case):
    """Who is here."""

    def setUp(self) -> None:
        super().setUp()
        self.tidings.ready()
        self.news()

    def test_robot(self) -> None:
        """A robot that comes is told of; the other connections are clients."""
        self.connected = 3
        self.registry.enter("e1")
        self.clock.advance(PAUSE)
        self.assertEqual(self.news(), ["STATUS=1 robot online, 2 clients"])

    def test_crowd(self) -> None:
        """However many come, it is told once a second."""
        for number in range(50):
            self.registry.enter(f"e{number}")
            self.clock.advance(0.1)
        self.clock.advance(PAUSE)
        news = self.news()
        self.assertLessEqual(len(news), 7)
        self.assertEqual(news[-1], "STATUS=50 robots online, 0 clients")

    def test_same(self) -> None:
        """What has been said is not said again."""
        self.registry.enter()
        self.registry.here.append("e1")
        self.tidings.changed()
        self.registry.here.clear()
        self.clock.advance(PAUSE)
        self.assertEqual(self.news(), [])

    def test_clients(self) -> None:
        """Clients come and go without a word; they are counted now and then."""
        self.connected = 1
        self.clock.pump([1.0] * int(LOOK))
        self.assertEqual(self.news(), ["STATUS=0 robots online, 1 client"])

    def test_not_heard(self) -> None:
        """What was not heard is said when the next look is taken."""
        self.deaf = True
        self.registry.enter("e1")
        self.clock.advance(PAUSE)
        self.deaf = False
        self.clock.pump([1.0] * int(LOOK))
        self.assertEqual(self.news(), ["STATUS=1 robot online, 0 clients"])

    def test_robots_that_are_not_counted(self) -> None:
        """There are never fewer than no clients."""
        self.registry.here.append("e1")
        registry: Any = self.registry
        self.assertEqual(household(registry, lambda: 0), "1 robot online, 0 clients")


class ReloadTests(Case):
    """RELOADING and READY are a pair."""

    RELOADING = "RELOADING=1\nMONOTONIC_USEC=1000500000\nSTATUS=reloading"
    READY = "READY=1\nSTATUS=0 robots online, 0 clients"

    def setUp(self) -> None:
        super().setUp()
        self.tidings.ready()
        self.news()

    def test_once(self) -> None:
        """It begins with the time, and ends with READY."""
        self.tidings.reloading()
        self.assertEqual(self.news(), [self.RELOADING])
        self.tidings.reloaded()
        self.assertEqual(self.news(), [self.READY])

    def test_twice_at_once(self) -> None:
        """Only the last one who is done makes us ready."""
        self.tidings.reloading()
        self.tidings.reloading()
        self.tidings.reloaded()
        self.assertEqual(self.news(), [self.RELOADING] * 2)
        self.tidings.reloaded()
        self.assertEqual(self.news(), [self.READY])

    def test_no_news_meanwhile(self) -> None:
        """Who comes meanwhile is told of at its end."""
        self.tidings.reloading()
        self.registry.enter("e1")
        self.clock.advance(5)
        self.assertEqual(self.news(), [self.RELOADING])
        self.tidings.reloaded()
        self.assertEqual(self.news(), ["READY=1\nSTATUS=1 robot online, 0 clients"])

    def test_not_heard(self) -> None:
        """Its end is said until it has been heard: systemd waits for it."""
        self.tidings.reloading()
        self.deaf = True
        self.tidings.reloaded()
        self.clock.advance(AGAIN)
        self.deaf = False
        self.clock.advance(AGAIN)
        self.assertEqual(self.news(), [self.RELOADING, self.READY])

    def test_before_ready(self) -> None:
        """It does not make a server ready that is not."""
        tidings = Tidings(self.clock, Watcher(self.hear))
        tidings.reloading()
        tidings.reloaded()
        self.assertEqual(self.news(), [])


class WatchdogTests(Case):
    """Signs of life."""

    patience = 10.0

    def test_half(self) -> None:
        """There is one in each half of the time, from the moment we are ready until the end."""
        self.clock.advance(60)
        self.assertEqual(self.news(), [])
        self.tidings.ready()
        self.clock.pump([1.0] * 20)
        self.assertEqual(self.news().count("WATCHDOG=1"), 5)
        self.tidings.stopping()
        self.clock.advance(5)
        self.assertEqual(self.news().count("WATCHDOG=1"), 1)
        self.tidings.stopped()
        self.clock.advance(60)
        self.assertEqual(self.news(), [])

    def test_hanging(self) -> None:
        """A reactor in which nothing happens gives none."""
        self.tidings.ready()
        self.news()
        self.clock.rightNow += 600
        self.assertEqual(self.news(), [])


class EnvironmentTests(SynchronousTestCase):
    """Who watches is in the environment."""

    def test_nobody(self) -> None:
        """Nothing there: nobody does, and there is nothing to be taken away."""
        environ = {"PATH": "/bin"}
        self.assertFalse(watcher(environ, 7).there)
        self.assertEqual(environ, {"PATH": "/bin"})

    def test_taken_away(self) -> None:
        """What we start must not speak for us."""
        environ = {"NOTIFY_SOCKET": "@none", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}
        found = watcher(environ, 7)
        self.assertEqual((found.there, found.patience, environ), (True, 3.0, {}))
        self.close(found)

    def test_for_another(self) -> None:
        """A watchdog for another process gets no signs of life from us."""
        environ = {"NOTIFY_SOCKET": "@none", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}
        found = watcher(environ, 7)
        self.assertEqual((found.there, found.patience), (True, 0.0))
        self.close(found)

    def test_without_pid(self) -> None:
        """One without a number is for whoever reads it."""
        found = watcher({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "500000"}, 7)
        self.assertEqual(found.patience, 0.5)
        self.close(found)

    def close(self, found: Watcher) -> None:
        """Leave no socket open."""
        assert isinstance(found.send, Datagrams)
        found.send.close()

    def test_addresses(self) -> None:
        """A path, a name in no folder, and what is none of both."""
        for given_name, address in (
            ("/run/systemd/notify", "/run/systemd/notify"),
            ("@abstract/name", "\0abstract/name"),
            ("", ""),
            ("vsock:2:1234", ""),
            ("relative", ""),
        ):
            self.assertEqual(address_of(given_name), address)

    @given(text())
    def test_nonsense(self, usec: str) -> None:
        """Whatever stands there, it is a number of seconds."""
        self.assertGreaterEqual(seconds_of(usec), 0.0)

    def test_nonsense_known(self) -> None:
        """No number is no watchdog."""
        self.assertEqual(
            [seconds_of(each) for each in ("", "-1", "1e9", "٣", "9" * 99)], [0.0] * 5
        )


class DatagramTests(SynchronousTestCase):
    """The real socket."""

    def setUp(self) -> None:
        self.peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.peer.close)
        self.peer.settimeout(5)

    def datagrams(self, address: str) -> Datagrams:
        """What sends there."""
        made = Datagrams(address)
        self.addCleanup(made.close)
        return made

    def test_path(self) -> None:
        """It reaches a socket in a folder."""
        path = self.mktemp()[-80:].replace("/", "-")
        self.addCleanup(os.unlink, path)
        self.peer.bind(path)
        self.assertTrue(self.datagrams(os.path.relpath(path))("READY=1"))
        self.assertEqual(self.peer.recv(99), b"READY=1")

    def test_abstract(self) -> None:
        """It reaches one that is in no folder."""
        self.peer.bind("")
        address = self.peer.getsockname().decode()
        self.assertTrue(self.datagrams(address)("STATUS=three"))
        self.assertEqual(self.peer.recv(99), b"STATUS=three")

    def test_full(self) -> None:
        """Whoever does not read does not make us wait: it was not heard, and that is told."""
        self.peer.bind("")
        send = self.datagrams(self.peer.getsockname().decode())
        said = 0
        while said < 100_000 and send("WATCHDOG=1"):
            said += 1
        self.assertLess(said, 100_000)
        self.peer.recv(99)
        self.assertTrue(send("WATCHDOG=1"))

    def test_gone(self) -> None:
        """When nobody is there, that is logged once, and nothing is tried again."""
        warned: list[Any] = []
        self.patch(Datagrams, "_log", SimpleNamespace(warn=lambda *_, **said: warned.append(said)))
        send = self.datagrams("\0bumper-nobody-listens-here")
        self.assertTrue(send("READY=1") and send("WATCHDOG=1"))
        self.assertEqual(len(warned), 1)
