"""Tests for L{bumper_tw.app.assembly}: flow (d), what a start opens, and in which order."""

import contextlib
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from attrs import evolve
from twisted.application.service import IServiceCollection
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.app.assembly import assemble
from bumper_tw.app.config import load
from bumper_tw.app.root import Root, Start
from bumper_tw.app.settings import IdentitySettings, MetricsSettings, Settings
from bumper_tw.core.robot_secrets import WrongSecret
from bumper_tw.errors import LoginRefused, StartError
from bumper_tw.readings import Battery, Report
from bumper_tw.storage.migrations import DATABASE
from bumper_tw.values import Company, Device, DeviceId, PayloadKind
from tests.flows.house import House
from tests.samples import RecordingLink

#: The settings file of the package for Debian.
SHIPPED = Path(__file__).parents[2] / "packaging/debian/bumper.toml"


def open_files() -> set[str]:
    """What this process has open, by name; the folder that is being listed is gone again."""
    links = [Path("/proc/self/fd") / number for number in os.listdir("/proc/self/fd")]
    return {str(link.readlink()) for link in links if link.is_symlink()}


@cache
def certificates() -> Path:
    """Keys take time; these are made once for all tests."""
    return Path("assembly-certs").absolute()


class RobotTests(SynchronousTestCase):
    """What the parts tell one another of robots."""

    def setUp(self) -> None:
        self.house = House(Settings(identity=IdentitySettings(robots=3)))
        self.facts = self.house.facts

    def come(self, did: str, secret: bytes = b"") -> None:
        """An XMPP robot logs in, and switches off."""
        self.successResultOf(self.facts.secrets.admit(did, secret, "192.0.2.7"))
        device = Device(DeviceId(did, "126", "atom"), did, Company.XMPP, PayloadKind.XML)
        self.facts.registry.attach(device, RecordingLink())()

    def report(self, did: str) -> None:
        """It tells the same as ever."""
        self.facts.telemetry.record(Report(did, Battery(80), self.house.clock.seconds()))

    def known(self) -> list[str]:
        """Who is."""
        return [device.id.did for device in self.facts.registry.devices()]

    def test_room(self) -> None:
        """Robots that have told or proven anything do not make room for invented ones."""
        self.come("talker")
        self.report("talker")
        self.come("proven", b"secret")
        for number in range(20):
            self.come(f"x{number}")
        self.assertEqual(self.known(), ["talker", "proven", "x19"])
        stranger = self.facts.secrets.admit("proven", b"another", "192.0.2.66")
        self.failureResultOf(stranger, WrongSecret)
        self.report("x19")
        self.assertRaises(LoginRefused, self.come, "y")
        self.assertEqual(self.known(), ["talker", "proven", "x19"])

    def test_writes_of_invented(self) -> None:
        """However many are invented, the disk is asked for little."""
        work: list[str] = []
        interact = self.house.database.interact

        def counted(act: Callable[..., object], *arguments: object) -> Deferred[object]:
            work.append(act.__name__)
            return interact(act, *arguments)

        self.patch(self.house.database, "interact", counted)
        for number in range(1000):
            with contextlib.suppress(self.failureException):
                self.come(f"x{number}")
        new = self.house.settings.identity.new_robots_per_hour
        # One more is for the set-up, which has seen the first robot.
        self.assertEqual(work.count("save"), 2 * new + 1)
        self.assertLessEqual(len(work), 6 * new)

    def test_removed(self) -> None:
        """A robot that was removed is new when it comes again: all it tells is written."""
        for _ in range(2):
            self.come("dusty")
            self.report("dusty")
            self.successResultOf(self.facts.writer.flush())
            kept = self.successResultOf(self.facts.reports.latest())
            self.assertEqual([report.reading for report in kept], [Battery(80)])
            self.successResultOf(self.facts.registry.forget("dusty"))
            self.assertEqual(self.successResultOf(self.facts.reports.latest()), [])


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
            [server[0] for server in self.reactor.tcpServers], [443, 80, 8007, 8883, 1883, 5223]
        )
        self.assertEqual(self.reactor.tcpServers[4][3], "127.0.0.1")

    def test_order(self) -> None:
        """
        Stopping begins with the listeners; then open questions get their answers, connections
        end, and the database goes last.
        """
        root = IServiceCollection(self.assemble(self.settings()))
        stops = [child.name for child in root if child.name][::-1]
        expected = ["commands", "MQTT farewell", "web farewell", "report writer", "database"]
        self.assertEqual([name for name in stops if name in expected], expected)

    def test_reloaded(self) -> None:
        """
        What is taken up while the server runs is what the settings file of the package says; the
        figures come with what they need, or with nothing.
        """
        settings = self.settings()
        root, quiet = (
            self.assemble(evolve(settings, metrics=MetricsSettings(serve)))
            for serve in (True, False)
        )
        self.assertEqual(
            [*root.follows],
            [
                "log levels",
                "identity.closed",
                "commands.timeout",
                "web.unknown",
                "storage.history_days",
                "storage.history_reports",
                "storage.cleaning_logs",
                "metrics.token_file",
            ],
        )
        self.assertEqual([*quiet.follows], [*root.follows][:-1])
        text = " ".join(SHIPPED.read_text().partition("[server]")[0].replace("#", "").split())
        told = text.partition('restart bumper".')[2].partition(", and what is in files")[0]
        self.assertEqual(told.strip().lower(), ", ".join(root.follows))

    def test_broken_database(self) -> None:
        """A file that is no database ends the start with a sentence that names it."""
        settings = self.settings()
        settings.storage.directory.mkdir()
        (settings.storage.directory / DATABASE).write_bytes(b"not a database" * 100)
        error = self.assertRaises(StartError, self.assemble, settings)
        self.assertIn(DATABASE, str(error))
        self.assertNotIn("\n", str(error))
