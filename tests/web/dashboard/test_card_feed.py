"""Tests for L{bumper_tw.web.dashboard.card_feed} and L{bumper_tw.web.dashboard.pace}."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.readings import (
    Activity,
    Battery,
    Clean,
    LifeSpan,
    MapData,
    Notice,
    Part,
    Point,
    Position,
)
from bumper_tw.values import Device, DeviceId
from bumper_tw.web.dashboard.card_feed import PAUSE, SEEN, place
from bumper_tw.web.dashboard.pace import Pace
from tests.samples import DUSTY, DUSTY_DEVICE, RecordingLink
from tests.web.dashboard.fleet_world import NOW, FleetCase

#: More than one pause; twice as many add up to more than one, too, in floating point.
LATER = PAUSE * 1.5


class CardFeedTests(FleetCase):
    """L{CardFeed} tells of changes, at once and not too often."""

    def states(self) -> list[str]:
        """The states pages have heard of."""
        return [change.value["state"] for change in self.told("robot")]

    def test_at_once(self) -> None:
        """What a robot says is in the feed before anything else happens."""
        self.clock.advance(LATER)
        self.say(Clean(Activity.CLEANING))
        [change] = self.heard
        self.assertEqual((change.key, change.kind), (f"robot {DUSTY.did}", "robot"))
        self.assertEqual(change.value, self.card())
        self.assertEqual(change.value["state"], "cleaning")

    def test_comes_and_goes(self) -> None:
        """So is whether it is connected."""
        self.clock.advance(LATER)
        self.detach()
        self.clock.advance(LATER)
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.assertEqual(self.states(), ["offline", "unknown"])

    def test_renamed(self) -> None:
        """And what its owner calls it now."""
        self.clock.advance(LATER)
        self.rename("Dusty")
        self.assertEqual([change.value["name"] for change in self.heard], ["Dusty"])

    def test_nothing_new(self) -> None:
        """The same once more is no change; only after some time, that it is there still."""
        self.clock.advance(LATER)
        self.say(Battery(50))
        for _ in range(29):
            self.clock.advance(1.0)
            self.say(Battery(50))
        self.assertEqual(len(self.heard), 1)
        self.clock.advance(1.0)
        self.say(Battery(50))
        self.assertEqual([c.value["seen_at"] for c in self.heard], [NOW + LATER, NOW + LATER + 30])

    def test_silent_kinds(self) -> None:
        """What no card tells of makes none, but for that the robot is there still."""
        self.clock.advance(LATER)
        self.say(Battery(50))
        self.clock.advance(1.0)
        self.say(MapData("onMinorMap", {}), Notice("onX", {}), Position(Point(1, 2)))
        self.assertEqual(len(list(self.told("robot"))), 1)
        self.clock.advance(SEEN)
        self.say(Position(Point(1, 3)))
        self.assertEqual(len(list(self.told("robot"))), 2)

    def test_flood(self) -> None:
        """A robot that never stops: some ten cards a second, and the last one gets out."""
        self.clock.advance(LATER)
        for number in range(1000):
            self.say(Battery(number % 100), LifeSpan((Part("brush", number, 1000),)))
            self.clock.advance(0.001)
        self.clock.advance(1.0)
        self.assertLessEqual(len(self.heard), 12)
        self.assertEqual(self.heard[-1].value, self.card())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_others_are_not_held_up(self) -> None:
        """A flood from one robot does not delay another."""
        other = Device(DeviceId("did-2", "yna5xi", "r"))
        self.registry.attach(other, RecordingLink())
        self.clock.advance(LATER)
        self.say(Battery(50), Battery(51), Battery(52))
        self.say(Clean(Activity.CLEANING), did="did-2")
        self.assertEqual(self.heard[-1].value["did"], "did-2")

    def test_removed(self) -> None:
        """Of a robot that is no more, pages hear so; whoever comes back hears nothing else."""
        self.clock.advance(LATER)
        self.say(Battery(50), Position(Point(1, 2)), Battery(51))
        start = self.heard[0].number
        self.registry.forget(DUSTY.did)
        self.telemetry.forget(DUSTY.did)
        self.clock.advance(1.0)
        self.assertEqual(self.heard[-1].value, {"did": DUSTY.did})
        since = self.feed.since(self.feed.place(start - 1)) or ()
        self.assertEqual([change.key for change in since], [f"gone {DUSTY.did}"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_comes_back(self) -> None:
        """One that was removed and comes back is there again, and not gone."""
        start = self.feed.position
        self.registry.forget(DUSTY.did)
        self.registry.attach(DUSTY_DEVICE, RecordingLink())
        self.clock.advance(LATER)
        since = self.feed.since(start) or ()
        self.assertEqual([change.kind for change in since], ["robot"])

    def test_stranger(self) -> None:
        """What somebody says who is no robot of ours makes no card."""
        self.clock.advance(LATER)
        self.say(Battery(50), Position(Point(1, 2)), did="nobody")
        self.assertEqual(self.heard, [])

    def test_stop(self) -> None:
        """After the end nothing is told any more, and nothing waits."""
        self.clock.advance(LATER)
        self.say(Battery(50), Battery(51))
        self.card_feed.stop()
        self.say(Battery(52))
        self.detach()
        self.clock.advance(1.0)
        self.assertEqual(len(self.heard), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refresh(self) -> None:
        """Somebody else may say that something is new about a robot."""
        self.clock.advance(LATER)
        self.updates.note("firmware", "192.168.7.33", DUSTY.did)
        self.card_feed.refresh(DUSTY.did)
        self.assertEqual([change.value["blocked"] for change in self.heard], [1])


class PlaceTests(FleetCase):
    """Where robots are."""

    def test_moves(self) -> None:
        """Each step is told, the same place only once."""
        self.say(Position(Point(1200, -655, 90), (Point(0, 0),)))
        [change] = self.told("place")
        self.assertEqual(change.key, f"place {DUSTY.did}")
        self.assertEqual(
            change.value,
            {
                "did": DUSTY.did,
                "robot": {"x": 1200, "y": -655, "angle": 90},
                "docks": [{"x": 0, "y": 0, "angle": 0}],
            },
        )
        self.clock.advance(LATER)
        self.say(Position(Point(1200, -655, 90)))
        self.assertEqual(len(list(self.told("place"))), 1)

    def test_flood(self) -> None:
        """A robot that runs in circles: some ten places a second, and the last gets out."""
        for number in range(500):
            self.say(Position(Point(number, 0)))
            self.clock.advance(0.002)
        self.clock.advance(1.0)
        places = [change.value["robot"]["x"] for change in self.told("place")]
        self.assertLessEqual(len(places), 12)
        self.assertEqual(places[-1], 499)

    def test_unsure(self) -> None:
        """Where a robot does not know where it is, pages do not either (mqtt.md 7.3, 8)."""
        unsure = Position(Point(5, 5, 0, False), (Point(1, 1, 0, False),))
        self.assertEqual(place("d", unsure), {"did": "d", "robot": None, "docks": []})


class PaceTests(SynchronousTestCase):
    """L{Pace} lets the first through, and then the last of each while."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.called: list[tuple[str, float]] = []
        self.counts = True
        self.pace = Pace(self.clock, 1.0, self.call)

    def call(self, name: str) -> bool:
        self.called.append((name, self.clock.seconds() - 1000.0))
        return self.counts

    def test_first_and_last(self) -> None:
        """At once, then once at the end of the pause, however often it was wanted."""
        for _ in range(5):
            self.pace.want("a")
        self.clock.advance(0.5)
        self.pace.want("a")
        self.pace.want("b")
        self.clock.advance(0.5)
        self.assertEqual(self.called, [("a", 0.0), ("b", 0.5), ("a", 1.0)])
        self.clock.advance(10)
        self.assertEqual(len(self.called), 3)

    def test_what_does_not_count(self) -> None:
        """What led to nothing does not hold up the next."""
        self.counts = False
        self.pace.want("a")
        self.pace.want("a")
        self.assertEqual(len(self.called), 2)

    def test_clock_set_back(self) -> None:
        """A clock that is set back by an hour does not silence anything for an hour."""
        self.pace.want("a")
        self.clock.rightNow -= 3600.0
        self.pace.want("a")
        self.assertEqual(len(self.called), 2)

    def test_forget(self) -> None:
        """What is no more is not called for, even if it was wanted."""
        self.pace.want("a")
        self.pace.want("a")
        self.pace.forget("a")
        self.pace.forget("never")
        self.clock.advance(5)
        self.assertEqual(len(self.called), 1)
