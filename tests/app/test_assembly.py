"""Tests for L{bumper_tw.app.assembly}: flow (d), what a start opens, and in which order."""

import os
import threading
from functools import cache
from pathlib import Path

from attrs import evolve
from twisted.application.service import IServiceCollection
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.assembly import assemble
from bumper_tw.app.config import Settings, load
from bumper_tw.app.root import Root, Start
from bumper_tw.errors import StartError
from bumper_tw.storage.migrations import DATABASE


def open_files() -> set[str]:
    """What this process has open, by name; the folder that is being listed is gone again."""
    links = [Path("/proc/self/fd") / number for number in os.listdir("/proc/self/fd")]
    return {str(link.readlink()) for link in links if link.is_symlink()}


@cache
def certificates() -> Path:
    """Keys take time; these are made once for all tests."""
    return Path("assembly-certs").absolute()


class AssemblyTests(SynchronousTestCase):
    """Building a server."""

    def settings(self) -> Settings:
        """The defaults, in folders of their own."""
        base = load(None, {}, {"tls.directory": str(certificates())})
        data = Path(self.mktemp()).absolute()
        return evolve(base, storage=evolve(base.storage, directory=data))

    def assemble(self, settings: Settings) -> Root:
        """A server that has not been started."""
        self.reactor = MemoryReactorClock()
        root = assemble(self.reactor, settings, Start({}, lambda: settings))
        assert isinstance(root, Root)
        return root

    def test_nothing_outlives_a_fork(self) -> None:
        """What makeService opened is closed again: no file, no socket, no thread."""
        settings = self.settings()
        self.assemble(settings)
        files, threads = open_files(), threading.active_count()
        self.assemble(settings)
        self.assertEqual((open_files(), threading.active_count()), (files, threads))

    def test_ports(self) -> None:
        """All ports are bound in the privileged phase, in the order of the settings."""
        root = self.assemble(self.settings())
        self.assertEqual(self.reactor.tcpServers, [])
        root.privilegedStartService()
        self.assertEqual(
            [server[0] for server in self.reactor.tcpServers], [443, 8007, 8883, 1883, 5223]
        )
        self.assertEqual(self.reactor.tcpServers[3][3], "127.0.0.1")

    def test_order(self) -> None:
        """
        Stopping begins with the listeners; then open questions get their answers, connections
        end, and the database goes last.
        """
        root = IServiceCollection(self.assemble(self.settings()))
        stops = [child.name for child in root if child.name][::-1]
        expected = ["commands", "MQTT farewell", "web farewell", "report writer", "database"]
        self.assertEqual([name for name in stops if name in expected], expected)

    def test_broken_database(self) -> None:
        """A file that is no database ends the start with a sentence that names it."""
        settings = self.settings()
        settings.storage.directory.mkdir()
        (settings.storage.directory / DATABASE).write_bytes(b"not a database" * 100)
        error = self.assertRaises(StartError, self.assemble, settings)
        self.assertIn(DATABASE, str(error))
        self.assertNotIn("\n", str(error))
