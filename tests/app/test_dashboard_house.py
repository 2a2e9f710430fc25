"""Tests for L{bumper_tw.app.dashboard_house}: how the house is, and news of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from bumper_tw import __version__
from bumper_tw.app.dashboard_house import (
    PAUSE,
    HealthFeed,
    Names,
    Notices,
    Wellness,
    by_name,
    memory,
)
from bumper_tw.app.doctor.finding import Finding, Findings
from bumper_tw.core.feed import Change, Feed
from bumper_tw.core.sharing import Shared
from bumper_tw.web.health import Health
from tests.flows.house import House, HouseClock
from tests.front.chronicles import ChronicleCase
from tests.web.dashboard.house_case import NOW


class WellnessCase(ChronicleCase):
    """A house with a robot, and a doctor who says what the test wants."""

    def setUp(self) -> None:
        super().setUp()
        house = House(clock=HouseClock())
        house.robot()
        self.registry = house.facts.registry
        self.report: Deferred[Any] | None = None
        self.looks = 0
        proc = Path(self.mktemp())
        (proc / "self").mkdir(parents=True)
        (proc / "self/status").write_text("Name:\tbumper\nVmRSS:\t  61000 kB\n")
        expires = datetime.fromtimestamp(NOW + 86_400 * 30, UTC)
        self.wellness = Wellness(
            self.clock,
            self.doctor,
            lambda: succeed({"dns": Health(False, "names lead elsewhere")}),
            house.facts.registry,
            lambda: expires,
            lambda: (),
            NOW,
            proc,
        )

    def doctor(self) -> Deferred[Any]:
        """What the doctor finds."""
        self.looks += 1
        return self.report or succeed(
            {"findings": [{"check": "dns", "sentence": "Names."}], "failures": 1}
        )


class WellnessTests(WellnessCase):
    """One look."""

    def test_look(self) -> None:
        """All that there is to know, as JSON has it."""
        found = self.successResultOf(self.wellness.look())
        self.assertEqual(found["robots"], {"known": 1, "online": 1})
        self.assertEqual(found["memory"], 61_000 * 1024)
        self.assertEqual((found["version"], found["failures"]), (__version__, 1))
        self.assertEqual(round(found["certificate_days"]), 30)
        self.assertFalse(found["ready"])
        self.assertEqual(found["checks"]["dns"], {"ok": False, "why": "names lead elsewhere"})

    def test_memory(self) -> None:
        """Where nobody says how much that is, it is nothing."""
        nowhere = Path(self.mktemp())
        self.assertEqual(memory(nowhere), 0)
        (nowhere / "self").mkdir(parents=True)
        (nowhere / "self/status").write_text("VmRSS:\t-1 kB\nVmRSS:\tmuch\n")
        self.assertEqual(memory(nowhere), 0)


class NoticeTests(WellnessCase):
    """What the first page says is wrong."""

    def setUp(self) -> None:
        super().setUp()
        [self.device] = self.registry.devices()
        self.did = self.device.id.did
        self.found: Findings = (
            Finding("disk", True, "there is room"),
            Finding("offline", False, f"{self.did} is not connected", about=self.did),
        )
        self.shared = Shared(self.clock, self.examined, 10.0)
        self.notices = Notices(self.shared, self.registry)

    def examined(self) -> Deferred[Findings]:
        """The doctor looks."""
        self.looks += 1
        return succeed(self.found)

    def test_named(self) -> None:
        """Robots are called as everywhere on pages, whether their name stands there or not."""
        evolved = evolve(self.device, nick="Dusty")
        for said in (f"{self.did} is away", f"Dusty ({self.did}) is away"):
            self.assertEqual(by_name(said, [evolved]), "Dusty is away")
        self.assertNotEqual(Names(self.registry)(self.did), self.did)
        self.assertEqual(Names(self.registry)("gone"), "gone")
        self.assertEqual(by_name("port 443 (TLS) is shut", [evolved]), "port 443 (TLS) is shut")

    def test_back(self) -> None:
        """Nobody is missed who has come back since the doctor looked."""
        self.assertTrue(self.registry.online(self.did))
        self.assertEqual(self.notices(), [])
        others = Finding("offline", False, "2 robots are not connected", about=f"{self.did} gone")
        self.found, self.shared.last = (others,), (others,)
        self.assertEqual(self.notices(), [])

    def test_again(self) -> None:
        """Whoever opens the page later hears of what is so then."""
        self.found = (Finding("disk", False, "it is full"),)
        self.assertEqual(self.notices(), ["it is full"])
        self.found = ()
        self.clock.advance(60)
        self.assertEqual((self.notices(), self.looks), ([], 2))


class HealthFeedTests(WellnessCase):
    """News for pages."""

    def setUp(self) -> None:
        super().setUp()
        feed = Feed("run")
        self.heard: list[Change] = []
        feed.listen(self.heard.append)
        self.made = HealthFeed(self.clock, self.journal, self.wellness, feed)
        self.made.startService()
        self.addCleanup(self.made.stopService)

    def test_news(self) -> None:
        """What the doctor notes is told once, however much it is; connections are none of it."""
        self.rejected()
        self.clock.advance(PAUSE)
        self.assertEqual(self.looks, 0)
        for check in ("dns", "disk", "ports"):
            self.journal.note(check, False, "It is wrong.")
        self.clock.advance(PAUSE)
        [change] = self.heard
        self.assertEqual((change.key, change.kind), ("health", "health"))
        self.assertEqual(change.value["failures"], 1)

    def test_fails(self) -> None:
        """A doctor who fails is logged, and asked again with the next news."""
        self.report = fail(RuntimeError("a bug"))
        self.journal.note("dns", False, "It is wrong.")
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.report = None
        self.journal.note("dns", True, "It is well.")
        self.clock.advance(PAUSE)
        self.assertEqual(len(self.heard), 1)

    def test_stop(self) -> None:
        """When the server stops, nothing is left to be done."""
        self.journal.note("dns", False, "It is wrong.")
        self.made.stopService()
        self.journal.note("dns", False, "It is still wrong.")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.made.startService()
