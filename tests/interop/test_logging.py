"""Where lines of the log go: a real socket like that of the journal, and real processes."""

import json
import os
import socket
from io import StringIO
from pathlib import Path
from signal import SIGHUP
from tempfile import mkdtemp
from time import monotonic
from typing import Any

from attrs import evolve
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.asking import NotAsked, ask, tell
from bumper_tw.app.control import NAME
from bumper_tw.app.journald import JournalObserver
from bumper_tw.app.levels import LevelRoutes
from bumper_tw.app.logs import Threshold
from bumper_tw.app.settings import LogSettings, Settings
from tests.app.test_log_formats import event, parsed
from tests.interop.case import InteropCase
from tests.interop.children import until
from tests.interop.test_control import ControlCase

#: Seconds that lines may take which nobody reads.
QUICK = 5.0


class JournalSocketTests(SynchronousTestCase):
    """A socket that listens as that of the journal does."""

    def setUp(self) -> None:
        folder = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(FilePath(str(folder)).remove)
        self.path = folder / "socket"
        self.file = StringIO()
        self.observer = JournalObserver(self.file, self.path)

    def listen(self) -> socket.socket:
        """A journal starts."""
        self.path.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.addCleanup(made.close)
        made.bind(str(self.path))
        return made

    def heard(self, journal: socket.socket) -> list[dict[str, str]]:
        """What it has got until now."""
        found = []
        while True:
            try:
                found.append(parsed(journal.recv(1 << 20)))
            except BlockingIOError:
                return found

    def test_restarted(self) -> None:
        """Lines go to the file until there is a journal, and then to whichever is there."""
        self.observer(event("before"))
        first = self.listen()
        self.observer(event("first"))
        self.assertEqual([each["MESSAGE"] for each in self.heard(first)], ["first"])
        first.close()
        self.observer(event("between"))
        second = self.listen()
        self.observer(event("second"))
        self.assertEqual([each["MESSAGE"] for each in self.heard(second)], ["second"])
        self.assertEqual(self.file.getvalue(), "<6>[mqtt] before\n<6>[mqtt] between\n")

    def test_full(self) -> None:
        """Nobody waits for a journal that does not read; one line tells how many are missing."""
        journal, began = self.listen(), monotonic()
        for number in range(2000):
            self.observer(event(f"{number} {'x' * 1000}"))
        self.assertLess(monotonic() - began, QUICK)
        lost = self.observer.dropped
        self.assertGreater(lost, 0)
        self.assertEqual(len(self.heard(journal)), 2000 - lost)
        self.observer(event("at last"))
        messages = [each["MESSAGE"] for each in self.heard(journal)]
        self.assertEqual(
            messages,
            [f"{lost} lines of the log are missing here: the journal was full", "at last"],
        )

    def test_large(self) -> None:
        """The longest lines that there are get through, whole or shortened."""
        journal = self.listen()
        try:
            raise ValueError("x" * 1_000_000)
        except ValueError:
            failure = Failure()
        self.observer(event("\n\u20ac" * 100_000, LogLevel.critical, log_failure=failure))
        [heard] = self.heard(journal)
        self.assertEqual(heard["PRIORITY"], "2")


class LevelTests(ControlCase):
    """Levels over the real control socket."""

    async def test_tell(self) -> None:
        """A change is told and holds; one that means nothing is refused with its reason."""
        threshold = Threshold(LogSettings())
        self.start(LevelRoutes(threshold, LogSettings).routes())
        words: Any = {"words": ["mqtt=debug"]}
        said = await deferToThread(tell, self.settings, "/api/log", words, 5.0)
        self.assertEqual(said["levels"], {"mqtt": "debug"})
        self.assertEqual(dict(threshold.settings.levels), {"mqtt": "debug"})
        said = await self.ask("/api/log")
        self.assertEqual(said["levels"], {"mqtt": "debug"})
        words = {"words": ["mqt=debug"]}
        refused = deferToThread(tell, self.settings, "/api/log", words, 5.0)
        wrong = await self.assertFailure(refused, NotAsked)
        self.assertIn("did you mean mqtt?", str(wrong))
        words = {"words": ["x" * 5000]}
        refused = deferToThread(tell, self.settings, "/api/log", words, 5.0)
        await self.assertFailure(refused, NotAsked)


class ProcessTests(InteropCase):
    """Real servers."""

    def test_json(self) -> None:
        """Every line is JSON from the first to the last."""
        server = self.serve("--set", "log.format=json")
        server.child.wait_for("accepting connections at", 5)
        self.assertEqual(server.stop(), 0)
        lines = [json.loads(line) for line in server.child.out]
        self.assertGreater(len(lines), 5)
        self.assertEqual({line["level"] for line in lines} - {"info", "warn"}, set())

    def test_journald(self) -> None:
        """Without a journal every line has its priority."""
        if Path("/run/systemd/journal/socket").exists():
            self.skipTest("there is a journal here, which would get the lines")
        server = self.serve("--set", "log.format=journald")
        server.child.wait_for("accepting connections at", 5)
        self.assertEqual(server.stop(), 0)
        for line in server.child.out:
            self.assertRegex(line, r"^<[2-7]>\[\w+\] |^<[2-7]>\t")

    def test_reload(self) -> None:
        """SIGHUP goes back to the levels of the settings."""
        folder = Path(mkdtemp(prefix="bumper"))
        self.addCleanup(FilePath(str(folder)).remove)
        self.folder = folder
        server = self.serve()
        server.child.wait_for("accepting connections at", 5)
        settings = Settings()
        settings = evolve(settings, storage=evolve(settings.storage, directory=server.data))
        until((server.data / NAME).exists, "the control socket")
        tell(settings, "/api/log", {"words": ["mqtt=debug"]}, 10.0)
        os.kill(server.child.pid, SIGHUP)
        until(lambda: not ask(settings, "/api/log", 10.0)["levels"], "the levels of the settings")
