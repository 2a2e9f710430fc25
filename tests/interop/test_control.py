"""Tests for L{bumper_tw.app.control} and L{bumper_tw.app.asking}, over a real socket."""

import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase

from bumper_tw.app.asking import NotAsked, NotRunning, ask
from bumper_tw.app.control import MODE, NAME, Control, control_path, control_service
from bumper_tw.app.settings import Settings
from bumper_tw.errors import BadRequest
from bumper_tw.web.api import failure
from bumper_tw.web.call import Answer, Call, json_answer
from bumper_tw.web.routes import GET, Route


def hello(_: Call) -> Answer:
    """Something to ask."""
    return json_answer({"hello": "x" * 100_000})


def refuse(_: Call) -> Answer:
    """Something not to ask."""
    raise BadRequest("that is no question")


ROUTES = (
    Route("/api/hello", GET, hello, failure),
    Route("/api/refuse", GET, refuse, failure),
    Route("/api/never", GET, lambda _: Deferred(lambda _: None), failure),
    Route("/api/text", GET, lambda _: Answer(b"no JSON"), failure),
)


class ControlCase(TestCase):
    """A folder with a short name, as sockets need, and servers with a control socket in it."""

    def setUp(self) -> None:
        self.folder = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(FilePath(str(self.folder)).remove)
        settings = Settings()
        storage = evolve(settings.storage, directory=self.folder)
        self.settings = evolve(settings, storage=storage)
        self.path = control_path(self.settings)

    def start(self, routes: Iterable[Route] = ROUTES) -> Any:
        """A server; it stops with the test."""
        service: Any = control_service(reactor, self.settings, routes)
        service.startService()
        self.addCleanup(self.stop, service)
        return service

    def stop(self, service: Control) -> Deferred[Any]:
        """It stops, if it has not."""
        return maybeDeferred(service.stopService) if service.running else maybeDeferred(int)

    def ask(self, path: str, seconds: float = 5.0) -> Deferred[Any]:
        """Ask as a command does, which blocks, so in a thread."""
        return deferToThread(ask, self.settings, path, seconds)

    def warned(self, start: Callable[[], object]) -> str:
        """What the log says of a start that does not go well; it is one line."""
        with capturedLogs() as said:
            start()
        warnings = [event for event in said if event["log_level"] is LogLevel.warn]
        [line] = map(formatEvent, warnings)
        return line


class AskTests(ControlCase):
    """Asking."""

    async def test_answer(self) -> None:
        """A long answer, in JSON."""
        self.start()
        said = await self.ask("/api/hello")
        self.assertEqual(len(said["hello"]), 100_000)

    async def test_refused(self) -> None:
        """The server says why it does not answer; what is no JSON is no answer."""
        self.start()
        wrong = await self.assertFailure(self.ask("/api/refuse"), NotAsked)
        self.assertIn("that is no question", str(wrong))
        wrong = await self.assertFailure(self.ask("/api/nowhere"), NotAsked)
        await self.assertFailure(self.ask("/api/text"), NotRunning)

    async def test_nobody(self) -> None:
        """Without a server; and when it has left its socket behind."""
        wrong = await self.assertFailure(self.ask("/api/hello"), NotRunning)
        self.assertIn(str(self.folder), str(wrong))
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        await self.assertFailure(self.ask("/api/hello"), NotRunning)

    async def test_late(self) -> None:
        """A server that does not answer is there all the same."""
        self.start()
        wrong = await self.assertFailure(self.ask("/api/never", 0.2), NotAsked)
        self.assertIn("within 0.2 s", str(wrong))

    async def test_stops(self) -> None:
        """A server that stops under a question is not there any more."""
        service = self.start()
        asked = self.ask("/api/never")
        while not service._site.channels:
            await deferToThread(threading.Event().wait, 0.01)
        await maybeDeferred(service.stopService)
        await self.assertFailure(asked, NotRunning)
        self.assertFalse(self.path.exists())

    async def test_forbidden(self) -> None:
        """Whoever may not is told who may."""
        if os.geteuid() == 0:
            self.skipTest("root may everything")
        self.start()
        self.path.chmod(0)
        wrong = await self.assertFailure(self.ask("/api/hello"), NotAsked)
        self.assertIn("be the user", str(wrong))


class SocketTests(ControlCase):
    """The socket."""

    def test_mode(self) -> None:
        """It is the owner's, and goes with the server."""
        service = self.start()
        self.assertEqual(self.path.name, NAME)
        self.assertEqual(self.path.stat().st_mode & 0o777, MODE)
        done: Deferred[Any] = maybeDeferred(service.stopService)
        return done.addCallback(lambda _: self.assertFalse(self.path.exists()))  # type: ignore[return-value]  # trial waits

    async def test_stale(self) -> None:
        """One that a killed server left is replaced."""
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.path))
        self.start()
        self.assertIn("hello", await self.ask("/api/hello"))

    async def test_taken(self) -> None:
        """One that another server listens on is left alone."""
        self.start()
        self.assertIn("another server listens there", self.warned(self.start))
        self.assertIn("hello", await self.ask("/api/hello"))

    def test_else(self) -> None:
        """Anything else with that name stays, and the server starts without."""
        self.path.write_text("mine")
        self.assertIn("something else", self.warned(self.start))
        self.assertEqual(self.path.read_text(), "mine")

    def test_long(self) -> None:
        """A path that no system takes is one warning."""
        deep = self.folder / ("x" * 120)
        deep.mkdir()
        storage = evolve(self.settings.storage, directory=deep)
        self.settings = evolve(self.settings, storage=storage)
        self.assertIn("longer than", self.warned(self.start))
        self.assertRaises(NotRunning, ask, self.settings, "/api/hello", 1.0)

    def test_no_folder(self) -> None:
        """The same without a folder."""
        storage = evolve(self.settings.storage, directory=self.folder / "none")
        self.settings = evolve(self.settings, storage=storage)
        self.assertIn("no such folder", self.warned(self.start))
