"""Tests for L{bumper_tw.core.mqtt_reminders}."""

from attrs import evolve

from bumper_tw.core.mqtt_reminders import SLICE
from bumper_tw.core.mqtt_retained import RetainedLimits
from tests.core.brokers import Party, make_broker
from tests.core.keeping import LIMITS, KeepingCase

MANY = 3 * SLICE


class ReminderTests(KeepingCase):
    """A lot is retained."""

    def setUp(self) -> None:
        super().setUp()
        limits = evolve(LIMITS, retained=RetainedLimits())
        self.broker = make_broker(self.clock, self.registry, limits)
        lamp = self.lamp()
        for number in range(MANY):
            lamp.say(f"many/{number}", b"%d" % number, retain=True)

    def everything(self, party: Party) -> list[bytes]:
        """What it hears in the end."""
        while self.clock.getDelayedCalls():
            self.clock.advance(0.1)
        return party.bodies()

    def test_slices(self) -> None:
        """It comes in slices, so that others have their turn in between; each message once."""
        hub = self.hub()
        hub.subscribe(("many/#", 0))
        self.assertEqual(len(hub.heard()), SLICE)
        self.assertEqual(len(self.everything(hub)), MANY - SLICE)

    def test_asking_again(self) -> None:
        """Whoever asks again and again without reading makes nothing grow."""
        hub = self.hub()
        hub.outlet.waiting = 1
        for _ in range(1000):
            hub.subscribe(("many/#", 0))
        hub.outlet.waiting = 0
        hub.session.drained()
        # Once for the first, which was under way, and once for all that came meanwhile.
        self.assertEqual(len(self.everything(hub)), 2 * MANY)

    def test_gone(self) -> None:
        """Nothing goes on when the client is gone; a session that waits is reminded anew."""
        for clean in (True, False):
            hub = self.hub(clean=clean)
            hub.subscribe(("many/#", 0))
            hub.drop()
            self.assertEqual(len(self.everything(hub)), SLICE)
        self.assertEqual(len(self.everything(self.hub())), MANY)

    def test_forbidden(self) -> None:
        """What the client may not hear is passed over, a slice at a time."""
        robots = self.hub()
        robots.subscribe(("+/+", 0))
        self.assertEqual(len(self.everything(robots)), MANY)

    def test_taken_back(self) -> None:
        """What the client has taken back it is not reminded of (MQTT-3.10.4-2)."""
        hub = self.hub()
        hub.subscribe(("many/#", 0), ("many/+", 0))
        hub.session.unsubscribe(["many/#", "many/+"])
        self.assertEqual(len(self.everything(hub)), SLICE)

    def test_turns(self) -> None:
        """Each filter is looked for in a turn of its own, however little it stands for."""
        hub = self.hub()
        hub.subscribe(*((f"many/{number}", 0) for number in range(8)))
        # The clock in tests does at once what a reactor would do turn by turn.
        self.assertEqual(len(hub.heard()), 1)
        self.assertEqual(len(self.everything(hub)), 7)
