"""C{bumper journal --watch} beside a running server, over its control socket."""

import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from attrs import evolve
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThread
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase

from bumper_tw.app import cli_journal
from bumper_tw.app.asking import ask as really
from bumper_tw.app.control import control_service
from bumper_tw.app.settings import Settings
from bumper_tw.front.acquaintances import Acquaintances
from bumper_tw.front.chronicle import Chronicle
from bumper_tw.front.contact import Outcome, Speech
from bumper_tw.front.journal import Journal
from bumper_tw.web.journal import JournalRoutes, anybody

PHONE = "192.168.7.31"


class ServerTests(TestCase):
    """A real socket."""

    def setUp(self) -> None:
        # The settings of whoever runs the tests are none of ours.
        own = {name: text for name, text in os.environ.items() if name[:7] != "BUMPER_"}
        self.patch(os, "environ", own)
        folder = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(FilePath(str(folder)).remove)
        settings = Settings()
        storage = evolve(settings.storage, directory=folder)
        self.journal = Journal(reactor, 10)
        known = Acquaintances(reactor, self.journal)
        chronicle = Chronicle(reactor, self.journal, known)
        self.routes = JournalRoutes(reactor, chronicle, anybody)
        service: Any = control_service(
            reactor, evolve(settings, storage=storage), self.routes.routes()
        )
        service.startService()
        self.addCleanup(known.stop)
        self.addCleanup(lambda: maybeDeferred(service.stopService))
        self.addCleanup(self.routes.stop)
        self.out = StringIO()
        self.patch(sys, "stdout", self.out)
        self.data = str(folder)

    def until(self, holds: Callable[[], bool]) -> Deferred[Any]:
        """Wait for that; trial's own patience is the limit."""

        def look() -> None:
            if holds():
                loop.stop()

        loop = task.LoopingCall(look)
        done: Deferred[Any] = loop.start(0.02)
        return done

    async def test_watch(self) -> None:
        """A watch tells what happens while it is going on."""
        contact = self.journal.begin(PHONE, 1, "192.168.7.2", 443, "web", True)
        polls: list[str] = []

        def ask(settings: Settings, path: str, seconds: float) -> object:
            if len(polls) == 2:
                raise KeyboardInterrupt
            polls.append(path)
            return really(settings, path, seconds)

        self.patch(cli_journal, "ask", ask)
        watching = deferToThread(cli_journal.main, ["--data", self.data, "--watch"])
        await self.until(lambda: bool(self.routes._pollers) or bool(watching.called))
        self.assertIn(f"{PHONE} came to port 443", self.out.getvalue())
        contact.speaks(Speech.MQTT)
        contact.failed(Outcome.WRONG_PROTOCOL, "")
        self.assertEqual(await watching, 130)
        self.assertIn("It spoke MQTT.", self.out.getvalue())
        self.assertIn('serve = "all"', self.out.getvalue())
        self.assertEqual(self.out.getvalue().count("came to port"), 1)
